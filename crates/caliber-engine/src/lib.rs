//! Scores the inventory of a programmatic campaign.
//!
//! A report flows one way: **read -> roll up -> derive -> normalise -> score -> list**. The crate is pure and
//! synchronous: columns in, columns out; no database, no network, no clock.

pub mod dictionary;
mod error;
pub mod names;
pub mod recipe;
pub mod report;
pub mod results;

pub use error::{Code, Error, Result};
