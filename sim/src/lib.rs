//! A ledger in a world where everything fails, from a seed.
//!
//! [`machine`] is the computer, with a [`disk`] that forgets; a [`world`] runs a ledger on it and
//! holds it against a [`model`] of what it promised. [`run`] lives a life from a seed, [`script`]
//! fails every single call of one fixed life, [`rot`] and [`tamper`] lay hands on the files.

pub mod chance;
pub mod disk;
pub mod machine;
pub mod model;
pub mod rot;
pub mod run;
pub mod script;
pub mod story;
pub mod tamper;
pub mod world;
