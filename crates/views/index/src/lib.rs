//! Where is it? Filters to positions; what is shown is read from the ledger.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
