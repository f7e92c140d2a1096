//! Jobs: what is slow is done here, by workers, at least once and published once.
//!
//! A kind of job is a file: its payload, its work and its limits. A worker claims a job under a lease, keeps the lease
//! alive while the work runs, and ends it in the transaction that publishes the work.

pub(crate) mod clearing;
pub(crate) mod make_export;
pub(crate) mod score_campaign;
mod watch;
mod worker;

pub(crate) use score_campaign::results_key;

use caliber_store::{Page, Window, jobs, queue};

pub use caliber_store::JobId;
pub use caliber_store::jobs::{Filter, Job, JobState, Queue};
pub use caliber_store::queue::QueueStats;
pub use worker::{WorkerOptions, run};

use crate::Platform;
use crate::error::{Error, Result};
use crate::identity::Caller;

/// The use cases of jobs.
#[derive(Clone, Copy, Debug)]
pub struct Jobs<'a>(pub(crate) &'a Platform);

impl Jobs<'_> {
    /// Jobs of the caller's organisation, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, caller: &Caller, filter: Filter, window: Window) -> Result<Page<Job>> {
        Ok(jobs::list(self.0.store().db(), caller.reads(), filter, window).await?)
    }

    /// One job.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get(&self, caller: &Caller, id: JobId) -> Result<Job> {
        let found = jobs::by_id(self.0.store().db(), caller.reads(), id).await?;
        found.ok_or_else(|| Error::not_found("job"))
    }

    /// How every queue stands.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn stats(&self) -> Result<Vec<QueueStats>> {
        Ok(queue::stats(self.0.store().db(), self.0.now()).await?)
    }

    /// Clears away now what the schedule would clear away later.
    ///
    /// # Errors
    /// Those of the database and of the storage.
    pub async fn clear_away(&self) -> Result<()> {
        clearing::clear_away(self.0).await
    }
}
