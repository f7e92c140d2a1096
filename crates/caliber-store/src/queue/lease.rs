//! A worker's hold on a job.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, LockBehavior, LockType, Order, Query, SelectStatement};
use sea_orm::{Condition, DbBackend, UpdateMany};

use crate::ids::uuid_at;
use crate::jobs::{Column, Entity, Job, JobState, Queue};
use crate::{Document, JobId, Json, Result, StoreError, Transaction};

/// How long a worker has a job unless it says more; it says so every three seconds.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// The back-off never grows beyond.
const BACK_OFF_SECONDS_MAX: f64 = 3600.0;

/// The hold on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Fresh for each delivery, so that a worker that was given up cannot speak for the job any more.
    token: Uuid,
}

/// A job to be done now.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The row as claimed.
    pub job: Job,
    /// What to show for it.
    pub lease: Lease,
}

/// What a worker learns when it renews its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Somebody wants the job stopped.
    pub cancel_requested: bool,
}

/// What went wrong with a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// For people who look at dead letters.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
    /// 0 to 1, drawn by the caller: spreads the retries of what failed together.
    pub jitter: f64,
}

/// What became of a failed job.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// It is queued again.
    Retry {
        /// Not to be begun before.
        at: DateTime<Utc>,
    },
    /// It is a dead letter.
    Dead,
}

/// Takes the job of these queues that has been due longest, for `worker`; none where none is due. Of many workers at
/// once no two have the same.
pub async fn claim<C: ConnectionTrait>(
    db: &C,
    queues: &[Queue],
    worker: &str,
    now: DateTime<Utc>,
) -> Result<Option<Claimed>> {
    let token = uuid_at(now);
    let claimed = Entity::update_many()
        .col_expr(Column::State, Expr::value(JobState::Running))
        .col_expr(Column::Worker, Expr::value(worker))
        .col_expr(Column::LeaseToken, Expr::value(token))
        .col_expr(Column::LeaseUntil, Expr::value(now + LEASE))
        .col_expr(Column::Deliveries, Expr::col(Column::Deliveries).add(1))
        .col_expr(Column::StartedAt, Expr::col(Column::StartedAt).if_null(Expr::value(now)))
        .filter(Expr::col(Column::Id).eq(due(db.get_database_backend(), queues, now)))
        .exec_with_returning(db)
        .await?;
    Ok(claimed.into_iter().next().map(|job| Claimed { lease: Lease { job: job.id, token }, job }))
}

/// The id of the job that has been due longest. PostgreSQL passes over what another worker is just taking; SQLite has
/// one writer at a time.
fn due(backend: DbBackend, queues: &[Queue], now: DateTime<Utc>) -> SelectStatement {
    let mut due = Query::select();
    due.column(Column::Id)
        .from(Entity)
        .cond_where(
            Condition::all()
                .add(Column::State.eq(JobState::Queued))
                .add(Column::RunAt.lte(now))
                .add(Column::Queue.is_in(queues.iter().copied())),
        )
        .order_by(Column::RunAt, Order::Asc)
        .order_by(Column::Id, Order::Asc)
        .limit(1);
    if backend == DbBackend::Postgres {
        due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    due
}

/// Renews the lease, notes the progress where given, and tells whether the job is to stop. [`StoreError::LeaseLost`]
/// where it is another's by now: stop, and write nothing.
pub async fn heartbeat<C: ConnectionTrait>(
    db: &C,
    lease: &Lease,
    progress: Option<Json>,
    now: DateTime<Utc>,
) -> Result<Heartbeat> {
    let mut renew =
        Entity::update_many().col_expr(Column::LeaseUntil, Expr::value(now + LEASE)).filter(held(lease));
    if let Some(progress) = progress {
        renew = renew.col_expr(Column::Progress, Expr::value(Document(progress)));
    }
    let job = one(renew.exec_with_returning(db).await?)?;
    Ok(Heartbeat { cancel_requested: job.cancel_requested })
}

/// The job is done. In the transaction that publishes what it did: [`StoreError::LeaseLost`] means roll back, since
/// another worker does the job or has done it. So it happens once.
pub async fn complete(txn: &Transaction, lease: &Lease, now: DateTime<Utc>) -> Result<()> {
    one(ended(JobState::Completed, now).filter(held(lease)).exec_with_returning(txn).await?)?;
    Ok(())
}

/// The job was stopped because somebody asked for it, see [`Heartbeat::cancel_requested`].
pub async fn end_cancelled(txn: &Transaction, lease: &Lease, now: DateTime<Utc>) -> Result<()> {
    one(ended(JobState::Cancelled, now).filter(held(lease)).exec_with_returning(txn).await?)?;
    Ok(())
}

/// The job failed: it is queued again after 2, 4, 8 ... seconds and up to half as much more by the jitter, or given up.
pub async fn fail(txn: &Transaction, lease: &Lease, failure: &Failure, now: DateTime<Utc>) -> Result<Failed> {
    // The count and the limit are read by the same update that ends the hold, so they are of this delivery.
    let counted = Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::LastError, Expr::value(failure.message.as_str()))
        .filter(held(lease));
    let job = one(counted.exec_with_returning(txn).await?)?;
    if !failure.retryable || job.attempts >= job.max_attempts {
        ended(JobState::Failed, now).filter(held(lease)).exec(txn).await?;
        return Ok(Failed::Dead);
    }
    let at = now + back_off(job.attempts, failure.jitter);
    queued_again(at).filter(held(lease)).exec(txn).await?;
    txn.wake_after_commit();
    Ok(Failed::Retry { at })
}

/// Gives the job back undone, to be taken by anyone at once; it does not count as a failure. For a worker that is told
/// to stop.
pub async fn release(txn: &Transaction, lease: &Lease, now: DateTime<Utc>) -> Result<()> {
    one(queued_again(now).filter(held(lease)).exec_with_returning(txn).await?)?;
    txn.wake_after_commit();
    Ok(())
}

fn back_off(attempts: i32, jitter: f64) -> Duration {
    let seconds = 2_f64.powi(attempts) * (1.0 + jitter.clamp(0.0, 1.0) / 2.0);
    Duration::from_secs_f64(seconds.min(BACK_OFF_SECONDS_MAX))
}

/// The row, as long as it is the lease's.
fn held(lease: &Lease) -> Condition {
    Condition::all()
        .add(Column::Id.eq(lease.job))
        .add(Column::LeaseToken.eq(lease.token))
        .add(Column::State.eq(JobState::Running))
}

pub(super) fn ended(state: JobState, now: DateTime<Utc>) -> UpdateMany<Entity> {
    let_go(state).col_expr(Column::FinishedAt, Expr::value(now))
}

pub(super) fn queued_again(at: DateTime<Utc>) -> UpdateMany<Entity> {
    let_go(JobState::Queued).col_expr(Column::RunAt, Expr::value(at))
}

fn let_go(state: JobState) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::LeaseToken, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None))
}

fn one(mut rows: Vec<Job>) -> Result<Job> {
    rows.pop().ok_or(StoreError::LeaseLost)
}
