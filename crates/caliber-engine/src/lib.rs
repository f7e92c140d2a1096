//! Scores the inventory of a programmatic campaign.
//!
//! A report flows one way: **read -> roll up -> derive -> normalise -> score -> list**. The crate is pure and
//! synchronous: columns in, columns out; no database, no network, no clock.

pub mod dictionary;
mod error;
pub mod evidence;
pub mod explain;
mod gathered;
mod inspection;
pub mod lists;
pub mod names;
pub mod normalize;
pub mod parallel;
mod progress;
pub mod ranking;
mod reading;
pub mod recipe;
pub mod report;
mod rescore;
pub mod results;
mod rollup;
mod score;
mod scoring;
pub mod sensitivity;
pub mod shrinkage;
pub mod statistics;
pub mod summary;

pub use error::{Code, Error, Result};
pub use gathered::SeveralCurrencies;
pub use inspection::{Inspection, RecognisedAs, inspect};
pub use progress::Progress;
pub use reading::{Scale, check_scales, column_called, wrong_scale};
pub use rescore::rescore;
pub use scoring::{Context, Options, Scored, score};
