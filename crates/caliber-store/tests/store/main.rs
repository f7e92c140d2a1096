//! The store through its public interface, on both databases.
#![expect(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod accounts;
mod bucket;
mod campaigns;
mod exports;
mod objects;
mod queue;
mod reaping;
mod rows;
mod schema;
mod uploads;
