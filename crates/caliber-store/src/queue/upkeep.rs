//! What others than workers do with jobs: stop them, count them, clear them away.

use chrono::{DateTime, Utc};
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

use super::lease::{ended, queued_again};
use crate::jobs::{Column, Entity, Job, JobState, Queue};
use crate::{JobId, Reach, Result, Transaction};

/// What became of the wish to stop a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancel {
    /// It had not begun and never will.
    Done(Job),
    /// Its worker is told at its next heartbeat.
    Asked(Job),
    /// There is none within reach that could be stopped.
    Nothing,
}

/// Stops a job.
pub async fn cancel(txn: &Transaction, reach: Reach, id: JobId, now: DateTime<Utc>) -> Result<Cancel> {
    let within = || reach.within_organization(Column::OrganizationId);
    let stopped = ended(JobState::Cancelled, now)
        .col_expr(Column::CancelRequested, Expr::value(true))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(JobState::Queued))
        .filter(within());
    if let Some(job) = stopped.exec_with_returning(txn).await?.pop() {
        return Ok(Cancel::Done(job));
    }
    let asked = Entity::update_many()
        .col_expr(Column::CancelRequested, Expr::value(true))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(JobState::Running))
        .filter(within());
    Ok(asked.exec_with_returning(txn).await?.pop().map_or(Cancel::Nothing, Cancel::Asked))
}

/// Queues a dead letter again, with all its attempts; whether there was one. Where a job with its `unique_key` is under
/// way it is a conflict over [`crate::jobs::UNIQUE_KEY`].
pub async fn requeue_dead(txn: &Transaction, reach: Reach, id: JobId, now: DateTime<Utc>) -> Result<bool> {
    let requeued = queued_again(now)
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::Deliveries, Expr::value(0))
        .col_expr(Column::CancelRequested, Expr::value(false))
        .col_expr(Column::FinishedAt, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(JobState::Failed))
        .filter(reach.within_organization(Column::OrganizationId))
        .exec(txn)
        .await?;
    if requeued.rows_affected > 0 {
        txn.wake_after_commit();
    }
    Ok(requeued.rows_affected > 0)
}

/// How a queue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueStats {
    /// Which.
    pub queue: Queue,
    /// Jobs that wait, those whose time has not come too.
    pub queued: u64,
    /// Of these, jobs whose time has come.
    pub due: u64,
    /// Jobs that workers have.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// Since when the job that waits longest has been due; none where none is.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// How every queue stands, in the order of [`Queue::ALL`].
pub async fn stats<C: ConnectionTrait>(db: &C, now: DateTime<Utc>) -> Result<Vec<QueueStats>> {
    let counts: Vec<(Queue, JobState, i64)> = Entity::find()
        .select_only()
        .column(Column::Queue)
        .column(Column::State)
        .column_as(Column::Id.count(), "jobs")
        .filter(Column::State.is_in([JobState::Queued, JobState::Running, JobState::Failed]))
        .group_by(Column::Queue)
        .group_by(Column::State)
        .into_tuple()
        .all(db)
        .await?;
    let due: Vec<(Queue, Option<DateTime<Utc>>, i64)> = Entity::find()
        .select_only()
        .column(Column::Queue)
        .column_as(Column::RunAt.min(), "oldest")
        .column_as(Column::Id.count(), "jobs")
        .filter(Column::State.eq(JobState::Queued))
        .filter(Column::RunAt.lte(now))
        .group_by(Column::Queue)
        .into_tuple()
        .all(db)
        .await?;
    let due_of = |queue: Queue| due.iter().find(|(of, _, _)| *of == queue);
    let stats = Queue::ALL.into_iter().map(|queue| {
        let count = |state| {
            let found = counts.iter().find(|(of, in_state, _)| *of == queue && *in_state == state);
            found.map_or(0, |(_, _, jobs)| jobs.unsigned_abs())
        };
        QueueStats {
            queue,
            queued: count(JobState::Queued),
            running: count(JobState::Running),
            dead: count(JobState::Failed),
            due: due_of(queue).map_or(0, |(_, _, jobs)| jobs.unsigned_abs()),
            oldest_due: due_of(queue).and_then(|(_, since, _)| *since),
        }
    });
    Ok(stats.collect())
}

/// Clears away jobs that were done or stopped before `before`; how many. Dead letters stay.
pub async fn delete_finished<C: ConnectionTrait>(db: &C, before: DateTime<Utc>) -> Result<u64> {
    let finished = Entity::delete_many()
        .filter(Column::State.is_in([JobState::Completed, JobState::Cancelled]))
        .filter(Column::FinishedAt.lt(before));
    Ok(finished.exec(db).await?.rows_affected)
}
