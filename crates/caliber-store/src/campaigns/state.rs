//! How a campaign goes from one state to the next. Every function is one guarded UPDATE of the campaign, so that of two
//! at once one finds the guard closed.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::CaseStatement;

use super::{Campaign, CampaignStatus, Column, Entity, attempt};
use crate::runs::{self, NewRun, Run, RunState};
use crate::{Attempt, CampaignId, Json, Reach, Result, RunId, Transaction};

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// 0 to 100.
    pub percentage: f64,
    /// What is being done.
    pub step: String,
    /// Rows of the report, where known.
    pub total_records: Option<i64>,
    /// Rows read so far.
    pub processed_records: i64,
    /// When it will be done, as far as measured.
    pub estimated_completion: Option<DateTime<Utc>>,
}

/// What a whole run found, to be shown from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Where the results are stored.
    pub results_key: String,
    /// Rows of the results.
    pub row_count: i64,
    /// Rows of the report.
    pub total_records: i64,
    /// The score of the whole campaign.
    pub campaign_score: Option<f64>,
    /// `summary.json`.
    pub summary: Json,
    /// `quality.json`.
    pub quality: Json,
}

/// How a run ended without results.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It failed; the message for people, and the error as the command line prints it.
    Failed {
        /// For people.
        message: String,
        /// With code, place and help.
        error: Json,
    },
    /// It was cancelled.
    Cancelled,
}

/// Claims the campaign for a run and makes the run, queued; refused while another run is under way. The caller queues the
/// job in the same transaction, and rolls back where it is refused.
pub async fn start(
    txn: &Transaction,
    reach: Reach,
    id: CampaignId,
    run: NewRun,
    now: DateTime<Utc>,
) -> Result<Attempt<Run, Campaign>> {
    let claim = Entity::update_many()
        .col_expr(Column::Status, Expr::value(CampaignStatus::Processing))
        .col_expr(Column::ActiveRunId, Expr::value(run.id))
        .col_expr(Column::TotalRecords, Expr::value(Option::<i64>::None))
        .col_expr(Column::ProcessedRecords, Expr::value(0_i64))
        .col_expr(Column::ProgressPercentage, Expr::value(0.0_f64))
        .col_expr(Column::CurrentStep, Expr::value("initializing"))
        .col_expr(Column::EstimatedCompletion, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(Column::ErrorMessage, Expr::value(Option::<String>::None))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Status.is_in(CampaignStatus::Processing.reached_from().iter().copied()))
        .filter(Column::ActiveRunId.is_null());
    Ok(match attempt(txn, reach, id, claim).await? {
        Attempt::Done(_) => Attempt::Done(runs::create(txn, id, run, now).await?),
        Attempt::Refused(campaign) => Attempt::Refused(campaign),
        Attempt::Missing => Attempt::Missing,
    })
}

/// Notes how far the run is; whether it is still the one under way.
pub async fn progress<C: ConnectionTrait>(
    db: &C,
    id: CampaignId,
    run: RunId,
    progress: &Progress,
    now: DateTime<Utc>,
) -> Result<bool> {
    let noted = with_progress(progress, now)
        .filter(Column::Id.eq(id))
        .filter(Column::ActiveRunId.eq(run))
        .exec(db)
        .await?;
    Ok(noted.rows_affected > 0)
}

/// Shows the run's results from now on; whether it was the one under way. Where it was not, roll back: another process
/// has published or ended it.
pub async fn publish(
    txn: &Transaction,
    id: CampaignId,
    run: RunId,
    published: Published,
    now: DateTime<Utc>,
) -> Result<bool> {
    let switched = Entity::update_many()
        .col_expr(Column::Status, Expr::value(CampaignStatus::Completed))
        .col_expr(Column::CurrentRunId, Expr::value(run))
        .col_expr(Column::ActiveRunId, Expr::value(Option::<RunId>::None))
        .col_expr(Column::TotalRecords, Expr::value(published.total_records))
        .col_expr(Column::ProcessedRecords, Expr::value(published.total_records))
        .col_expr(Column::ProgressPercentage, Expr::value(100.0_f64))
        .col_expr(Column::CurrentStep, Expr::value("completed"))
        .col_expr(Column::EstimatedCompletion, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(Column::ErrorMessage, Expr::value(Option::<String>::None))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .col_expr(Column::CompletedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::ActiveRunId.eq(run))
        .exec(txn)
        .await?;
    if switched.rows_affected == 0 {
        return Ok(false);
    }
    runs::publish(txn, run, published, now).await
}

/// Ends the run without results; whether it was the one under way. The results of an older run stay: after a failure the
/// campaign is failed and still shows them, after a cancel it is completed again.
pub async fn fail(
    txn: &Transaction,
    id: CampaignId,
    run: RunId,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<bool> {
    let (state, status, message, error) = match outcome {
        Outcome::Failed { message, error } => {
            (RunState::Failed, Expr::value(CampaignStatus::Failed), message, Some(error))
        }
        Outcome::Cancelled => {
            let status = CaseStatement::new()
                .case(Column::CurrentRunId.is_not_null(), Expr::value(CampaignStatus::Completed))
                .finally(Expr::value(CampaignStatus::Failed));
            (RunState::Cancelled, status.into(), "cancelled".to_owned(), None)
        }
    };
    let ended = Entity::update_many()
        .col_expr(Column::Status, status)
        .col_expr(Column::ActiveRunId, Expr::value(Option::<RunId>::None))
        .col_expr(Column::EstimatedCompletion, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(Column::ErrorMessage, Expr::value(message))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::ActiveRunId.eq(run))
        .exec(txn)
        .await?;
    if ended.rows_affected == 0 {
        return Ok(false);
    }
    runs::end(txn, run, state, error, now).await
}

/// What an outside worker says of a campaign that no job of ours works on: a status to go to, or progress. Refused where
/// a run of ours is under way, where the transition is not legal, where `completed` has no results to show, and for
/// progress of what is not processing.
pub async fn set_outside<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: CampaignId,
    status: Option<(CampaignStatus, Option<String>)>,
    progress: Option<&Progress>,
    now: DateTime<Utc>,
) -> Result<Attempt<Campaign>> {
    let mut update = match progress {
        Some(progress) => with_progress(progress, now),
        None => Entity::update_many().col_expr(Column::UpdatedAt, Expr::value(now)),
    };
    update = update.filter(Column::ActiveRunId.is_null());
    update = match status {
        Some((status, message)) => {
            if status == CampaignStatus::Completed {
                update = update.filter(Column::CurrentRunId.is_not_null());
            }
            update
                .col_expr(Column::Status, Expr::value(status))
                .col_expr(Column::ErrorMessage, Expr::value(message))
                .filter(Column::Status.is_in(status.reached_from().iter().copied()))
        }
        None => update.filter(Column::Status.eq(CampaignStatus::Processing)),
    };
    attempt(db, reach, id, update).await
}

fn with_progress(progress: &Progress, now: DateTime<Utc>) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::ProgressPercentage, Expr::value(progress.percentage))
        .col_expr(Column::CurrentStep, Expr::value(progress.step.as_str()))
        .col_expr(Column::TotalRecords, Expr::value(progress.total_records))
        .col_expr(Column::ProcessedRecords, Expr::value(progress.processed_records))
        .col_expr(Column::EstimatedCompletion, Expr::value(progress.estimated_completion))
        .col_expr(Column::UpdatedAt, Expr::value(now))
}
