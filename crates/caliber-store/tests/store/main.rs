//! The store through its public interface, on both databases.

mod accounts;
mod campaigns;
mod objects;
mod queue;
mod reaping;
mod rows;
mod schema;
mod uploads;
