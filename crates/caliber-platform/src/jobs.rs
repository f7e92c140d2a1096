//! Jobs: what is slow is done here, by workers, at least once and published once.
//!
//! A kind of job is a file: its payload, its work and its limits. A worker claims a job under a lease, keeps the lease
//! alive while the work runs, and ends it in the transaction that publishes the work.

mod clearing;
pub mod score_campaign;
mod worker;

pub use worker::{WorkerOptions, run};
