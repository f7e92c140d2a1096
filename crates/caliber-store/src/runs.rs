//! Scoring runs: one attempt at a campaign's results each.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, QueryOrder};

use crate::campaigns::Published;
use crate::{CampaignId, Document, JobId, Json, Page, Result, RunId, UploadId, Window, paging};

/// A run.
pub type Run = Model;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RunState {
    /// Its job waits.
    Queued,
    /// Its job was begun.
    Running,
    /// Its results are whole; they are the campaign's until a later run's are.
    Published,
    /// It ended without results.
    Failed,
    /// It was stopped.
    Cancelled,
}

/// A row of `scoring_runs`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "scoring_runs")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RunId,
    /// What it scores.
    pub campaign_id: CampaignId,
    /// The file it reads; none once that is deleted.
    pub upload_id: Option<UploadId>,
    /// The job that does it. No foreign key: finished jobs are cleared away before their runs.
    pub job_id: Option<JobId>,
    /// How far it is.
    pub state: RunState,
    /// The settings it scores by, as they were at the start.
    pub config: Document,
    /// `summary.json`.
    pub summary: Option<Document>,
    /// `quality.json`.
    pub quality: Option<Document>,
    /// Where the results are stored.
    pub results_key: Option<String>,
    /// Rows of the results.
    pub row_count: Option<i64>,
    /// The score of the whole campaign.
    pub campaign_score: Option<f64>,
    /// Why it failed, as the command line prints it.
    pub error: Option<Document>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its job was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A run to make. Its ids are made by the caller, since the job's payload names the run and the run its job.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// See [`Model::id`].
    pub id: RunId,
    /// See [`Model::upload_id`].
    pub upload_id: Option<UploadId>,
    /// See [`Model::job_id`]; none of a run that is whole when it is made.
    pub job_id: Option<JobId>,
    /// See [`Model::config`].
    pub config: Json,
}

/// The run of this id, of a campaign that was found within reach.
pub async fn by_id<C: ConnectionTrait>(db: &C, campaign: CampaignId, id: RunId) -> Result<Option<Run>> {
    Ok(Entity::find_by_id(id).filter(Column::CampaignId.eq(campaign)).one(db).await?)
}

/// The run of this id, whatever campaign it is of: whoever asks looks next whether that is within reach.
pub async fn of_any_campaign<C: ConnectionTrait>(db: &C, id: RunId) -> Result<Option<Run>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// The runs of these ids, of campaigns that were found within reach.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[RunId]) -> Result<Vec<Run>> {
    Ok(Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await?)
}

/// Runs of a campaign that was found within reach, newest first.
pub async fn list<C: ConnectionTrait>(db: &C, campaign: CampaignId, window: Window) -> Result<Page<Run>> {
    let runs = Entity::find()
        .filter(Column::CampaignId.eq(campaign))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    paging::page(db, runs, window).await
}

/// Those of `ids` that exist: what is stored under another id was left behind.
pub async fn existing<C: ConnectionTrait>(db: &C, ids: &[RunId]) -> Result<Vec<RunId>> {
    let found = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await?;
    Ok(found.into_iter().map(|run| run.id).collect())
}

/// Notes that its job was begun, again after a crash too; whether it had not ended.
pub async fn begin<C: ConnectionTrait>(db: &C, id: RunId, now: DateTime<Utc>) -> Result<bool> {
    let begun = Entity::update_many()
        .col_expr(Column::State, Expr::value(RunState::Running))
        .col_expr(Column::StartedAt, Expr::col(Column::StartedAt).if_null(Expr::value(now)))
        .filter(unfinished(id))
        .exec(db)
        .await?;
    Ok(begun.rows_affected > 0)
}

pub(crate) async fn create<C: ConnectionTrait>(
    db: &C,
    campaign: CampaignId,
    run: NewRun,
    now: DateTime<Utc>,
) -> Result<Run> {
    let row = ActiveModel {
        id: Set(run.id),
        campaign_id: Set(campaign),
        upload_id: Set(run.upload_id),
        job_id: Set(run.job_id),
        state: Set(RunState::Queued),
        config: Set(run.config.into()),
        created_at: Set(now),
        ..ActiveModel::new()
    };
    Ok(row.insert(db).await?)
}

pub(crate) async fn publish<C: ConnectionTrait>(
    db: &C,
    id: RunId,
    published: Published,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(RunState::Published))
        .col_expr(Column::ResultsKey, Expr::value(published.results_key))
        .col_expr(Column::RowCount, Expr::value(published.row_count))
        .col_expr(Column::CampaignScore, Expr::value(published.campaign_score))
        .col_expr(Column::Summary, Expr::value(Document(published.summary)))
        .col_expr(Column::Quality, Expr::value(Document(published.quality)))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .filter(unfinished(id))
        .exec(db)
        .await?;
    Ok(done.rows_affected > 0)
}

pub(crate) async fn end<C: ConnectionTrait>(
    db: &C,
    id: RunId,
    state: RunState,
    error: Option<Json>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let ended = Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::Error, Expr::value(error.map(Document)))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .filter(unfinished(id))
        .exec(db)
        .await?;
    Ok(ended.rows_affected > 0)
}

fn unfinished(id: RunId) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(Column::Id.eq(id))
        .add(Column::State.is_in([RunState::Queued, RunState::Running]))
}
