//! What was decided? Administration, folded from `config.*` events.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
