//! The queue of jobs. The row is the truth: written in the caller's transaction, leased by a worker, ended in the
//! transaction of the work itself. A job is delivered at least once and ends exactly once.
//!
//! `enqueue` puts a job in; `claim` gives it to a worker under a [`Lease`], which `heartbeat` renews; `complete`, `fail`,
//! `release` and `end_cancelled` end the lease; `cancel` asks for a stop from outside; `reap` takes jobs back from workers
//! that died. [`Wakers`] tell idle workers of this process that there is something to claim.

mod lease;
mod presence;
mod reaper;
mod upkeep;
mod wakers;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;

use crate::jobs::{ActiveModel, Entity, JobState, Queue};
use crate::{CampaignId, JobId, Json, OrganizationId, Result, RunId, Transaction};

pub use lease::{
    Claimed, Failed, Failure, Heartbeat, Lease, claim, complete, end_cancelled, fail, heartbeat, release,
};
pub use presence::{DeadWorkers, Presence, dead_workers};
pub use reaper::{DELIVERIES_MAX, Reaped, reap};
pub use upkeep::{Cancel, QueueStats, cancel, delete_finished, requeue_dead, stats};
pub use wakers::{Alarm, Wakers};

/// Failures after which a job is given up, unless it says otherwise.
pub const ATTEMPTS_MAX: i32 = 3;

/// A job to queue.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Made by the caller, so that what the job is for can name it.
    pub id: JobId,
    /// See [`crate::jobs::Model::kind`].
    pub kind: String,
    /// See [`crate::jobs::Model::queue`].
    pub queue: Queue,
    /// See [`crate::jobs::Model::payload`].
    pub payload: Json,
    /// See [`crate::jobs::Model::payload_version`].
    pub payload_version: i32,
    /// See [`crate::jobs::Model::organization_id`].
    pub organization_id: Option<OrganizationId>,
    /// See [`crate::jobs::Model::campaign_id`].
    pub campaign_id: Option<CampaignId>,
    /// See [`crate::jobs::Model::run_id`].
    pub run_id: Option<RunId>,
    /// See [`crate::jobs::Model::unique_key`].
    pub unique_key: Option<String>,
    /// Not to be begun before; at once unless said.
    pub run_at: Option<DateTime<Utc>>,
    /// See [`crate::jobs::Model::max_attempts`].
    pub max_attempts: i32,
}

impl NewJob {
    /// A job with nothing but what every job has.
    pub fn new(id: JobId, queue: Queue, kind: &str, payload_version: i32, payload: Json) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            queue,
            payload,
            payload_version,
            organization_id: None,
            campaign_id: None,
            run_id: None,
            unique_key: None,
            run_at: None,
            max_attempts: ATTEMPTS_MAX,
        }
    }
}

/// Queues the job in the caller's transaction, whose commit wakes the workers. False, and nothing happened, where one with
/// its `unique_key` is queued or running already.
pub async fn enqueue(txn: &Transaction, job: NewJob, now: DateTime<Utc>) -> Result<bool> {
    let row = ActiveModel {
        id: Set(job.id),
        kind: Set(job.kind),
        queue: Set(job.queue),
        payload: Set(job.payload.into()),
        payload_version: Set(job.payload_version),
        state: Set(JobState::Queued),
        organization_id: Set(job.organization_id),
        campaign_id: Set(job.campaign_id),
        run_id: Set(job.run_id),
        unique_key: Set(job.unique_key),
        run_at: Set(job.run_at.unwrap_or(now)),
        attempts: Set(0),
        max_attempts: Set(job.max_attempts),
        deliveries: Set(0),
        worker: Set(None),
        lease_token: Set(None),
        lease_until: Set(None),
        cancel_requested: Set(false),
        progress: Set(None),
        last_error: Set(None),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
    };
    let queued = Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    if queued > 0 {
        txn.wake_after_commit();
    }
    Ok(queued > 0)
}
