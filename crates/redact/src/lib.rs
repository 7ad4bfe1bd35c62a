//! What may be kept? An event and a policy give an event that may be recorded, and a note of what was taken out.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
