//! The results table, through what others call.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cache;
mod lists;
mod model;
mod queries;
mod rows;
mod sample;
