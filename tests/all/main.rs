//! Promises of the whole, a file each. All but `many` and `tidy` drive the real binary, as a person would.

#![allow(clippy::print_stderr, clippy::disallowed_methods)]

mod axe;
mod browser;
mod client;
mod commands;
mod indexing;
mod kill;
mod large;
mod many;
mod pages;
mod planting;
mod program;
mod rude;
mod secrets;
mod server;
mod sign_on;
mod tamper;
mod tidy;
