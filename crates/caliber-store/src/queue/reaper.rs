//! Taking jobs back from workers that died.

use chrono::{DateTime, Utc};
use sea_orm::Condition;
use sea_orm::entity::prelude::*;

use super::lease::{ended, queued_again};
use crate::jobs::{Column, Job, JobState};
use crate::{Result, Transaction};

/// A job that so many workers took and none ended is given up: it kills them.
pub const DELIVERIES_MAX: i32 = 25;

/// What was taken back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reaped {
    /// Queued again, at once and without counting as a failure.
    pub requeued: Vec<Job>,
    /// Given up after [`DELIVERIES_MAX`] deliveries. What they were for is to be told so in the same transaction.
    pub dead: Vec<Job>,
}

/// Takes back running jobs whose lease ran out before `now`, and those of `dead_workers` (see [`super::dead_workers`]).
pub async fn reap(txn: &Transaction, dead_workers: &[String], now: DateTime<Utc>) -> Result<Reaped> {
    let lost = || {
        Condition::all().add(Column::State.eq(JobState::Running)).add(
            Condition::any()
                .add(Column::LeaseUntil.lt(now))
                .add(Column::Worker.is_in(dead_workers.iter().map(String::as_str))),
        )
    };
    let dead = ended(JobState::Failed, now)
        .col_expr(
            Column::LastError,
            Expr::value(format!("given up: {DELIVERIES_MAX} workers took it and none came to an end")),
        )
        .filter(lost())
        .filter(Column::Deliveries.gte(DELIVERIES_MAX))
        .exec_with_returning(txn)
        .await?;
    let requeued = queued_again(now).filter(lost()).exec_with_returning(txn).await?;
    if !requeued.is_empty() {
        txn.wake_after_commit();
    }
    Ok(Reaped { requeued, dead })
}
