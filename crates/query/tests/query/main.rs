//! What filters mean, how they are refused, and that they come back from their text.

mod answers;
mod errors;
mod generate;
mod naive;
mod round_trip;
