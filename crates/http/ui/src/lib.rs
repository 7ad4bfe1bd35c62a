//! Pages for people: an overview, search, an event, its proof, the integrity of a ledger. Rendered here, and useful without a script in the browser.
//!
//! * [`pages`] is what the server mounts beside the API.
//! * [`ROUTES`] is everything that can be asked for.
//!
//! A page calls the product as the API does, for the viewer whose session it is. Scripts make it quicker to use and are
//! never needed for the answer; they, the style sheet and the icon are part of the program, and nothing is loaded from
//! elsewhere.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod admin;
mod answer;
mod assets;
mod bars;
mod check;
mod complete;
mod desk;
mod diff;
mod door;
mod event;
mod facets;
mod facts;
mod fault;
mod figures;
mod frame;
mod integrity;
mod moment;
mod narrow;
mod overview;
mod pretty;
mod question;
mod routes;
mod row;
mod search;
mod sentence;
mod sign_on;
mod tail;
mod timeline;
mod views;
mod visitor;

#[cfg(test)]
mod tests;

pub use desk::{Desk, SignOn};
pub use door::session;
pub use fault::refuse;
pub use routes::{Needs, Page, ROUTES, pages};
