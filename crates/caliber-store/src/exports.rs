//! Exports made in the background. How far one is, its job says; its bytes are in [`crate::objects`].

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{ActiveValue::Set, Condition, PaginatorTrait, QueryOrder, QuerySelect};

use crate::jobs::{self, Job, JobState};
use crate::{
    CampaignId, Document, ExportId, JobId, Json, Page, Reach, Result, RunId, Transaction, UserId, Window,
    paging,
};

/// An export.
pub type Export = Model;

/// A row of `exports`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "exports")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExportId,
    /// Of which campaign; it goes with it.
    pub campaign_id: CampaignId,
    /// The run whose results it is of: the one shown when it was asked for.
    pub run_id: RunId,
    /// Who asked for it.
    pub author_id: Option<UserId>,
    /// The job that makes it. No foreign key: finished jobs are cleared away in their own time.
    pub job_id: JobId,
    /// What was asked for, in the words of whoever makes it.
    pub asked: Document,
    /// What the file is called; none before it is made.
    pub filename: Option<String>,
    /// What the file is.
    pub media_type: Option<String>,
    /// Its bytes.
    pub size: Option<i64>,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// Names of the list that the form of a DSP cannot hold; none where there is no such form.
    pub left_out: Option<i64>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was made.
    pub completed_at: Option<DateTime<Utc>>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An export to make.
#[derive(Clone, Debug)]
pub struct NewExport {
    /// Made by the caller, since the job's payload names it.
    pub id: ExportId,
    /// See [`Model::campaign_id`].
    pub campaign_id: CampaignId,
    /// See [`Model::run_id`].
    pub run_id: RunId,
    /// See [`Model::author_id`].
    pub author_id: UserId,
    /// See [`Model::job_id`].
    pub job_id: JobId,
    /// See [`Model::asked`].
    pub asked: Json,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// See [`Model::filename`].
    pub filename: String,
    /// See [`Model::media_type`].
    pub media_type: String,
    /// See [`Model::size`].
    pub size: i64,
    /// See [`Model::sha256`].
    pub sha256: String,
    /// See [`Model::left_out`].
    pub left_out: Option<i64>,
}

/// An export among others.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedExport {
    /// Itself.
    pub export: Export,
    /// Its job; none where it was cleared away.
    pub job: Option<Job>,
    /// What its campaign is called.
    pub campaign_name: String,
}

/// How many exports somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Those that wait or are being made.
    pub under_way: u64,
    /// All of them.
    pub all: u64,
}

/// Notes an export, in the transaction that queues its job.
pub async fn create(txn: &Transaction, new: NewExport, now: DateTime<Utc>) -> Result<Export> {
    let row = ActiveModel {
        id: Set(new.id),
        campaign_id: Set(new.campaign_id),
        run_id: Set(new.run_id),
        author_id: Set(Some(new.author_id)),
        job_id: Set(new.job_id),
        asked: Set(new.asked.into()),
        created_at: Set(now),
        ..ActiveModel::new()
    };
    Ok(row.insert(txn).await?)
}

/// The export of this id and its job, where its campaign is within reach and it was not made before `made_after`. No job
/// is one that was cleared away.
pub async fn by_id<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: ExportId,
    made_after: DateTime<Utc>,
) -> Result<Option<(Export, Option<Job>)>> {
    // The job before the export: both end in one transaction, so an export that is not made yet has a job that had not
    // ended when it was read.
    let its_job = Query::select().column(Column::JobId).from(Entity).and_where(Column::Id.eq(id)).take();
    let job = jobs::Entity::find().filter(jobs::Column::Id.in_subquery(its_job)).one(db).await?;
    let kept = Condition::any().add(Column::CompletedAt.is_null()).add(Column::CompletedAt.gt(made_after));
    let mut found = Entity::find_by_id(id).filter(kept);
    if reach != Reach::INSTANCE {
        found = found.filter(Column::CampaignId.in_subquery(crate::campaigns::ids_within(reach)));
    }
    Ok(found.one(db).await?.map(|export| (export, job)))
}

/// Exports of campaigns within reach that were not made before `made_after`, the newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    made_after: DateTime<Utc>,
    window: Window,
) -> Result<Page<ListedExport>> {
    let kept = Condition::any().add(Column::CompletedAt.is_null()).add(Column::CompletedAt.gt(made_after));
    let mut listed = Entity::find().filter(kept).order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    if reach != Reach::INSTANCE {
        listed = listed.filter(Column::CampaignId.in_subquery(crate::campaigns::ids_within(reach)));
    }
    let Page { rows, total } = paging::page(db, listed, window).await?;
    // The jobs, and then the exports again, for the reason that `by_id` has.
    let of_jobs = jobs::Column::Id.is_in(rows.iter().map(|export| export.job_id));
    let jobs = jobs::Entity::find().filter(of_jobs).all(db).await?;
    let again = Entity::find().filter(Column::Id.is_in(rows.iter().map(|export| export.id))).all(db).await?;
    let names = crate::campaigns::names(db, reach, rows.iter().map(|export| export.campaign_id)).await?;
    let listed = |row: Export| {
        let export = again.iter().find(|export| export.id == row.id)?.clone();
        let job = jobs.iter().find(|job| job.id == export.job_id).cloned();
        let found = names.iter().find(|(id, _)| *id == export.campaign_id)?;
        Some(ListedExport { campaign_name: found.1.clone(), job, export })
    };
    // What was deleted in between is not there any more.
    Ok(Page { rows: rows.into_iter().filter_map(listed).collect(), total })
}

/// How many exports an author has.
pub async fn held_by<C: ConnectionTrait>(db: &C, author: UserId) -> Result<Held> {
    let all = || Entity::find().filter(Column::AuthorId.eq(author));
    let under_way = all().filter(Expr::exists(job_under_way())).count(db).await?;
    Ok(Held { under_way, all: all().count(db).await? })
}

/// Notes that the file was made, in the transaction that ends the job; whether the export is still there.
pub async fn complete(txn: &Transaction, id: ExportId, made: Made, now: DateTime<Utc>) -> Result<bool> {
    let update = Entity::update_many()
        .col_expr(Column::Filename, Expr::value(made.filename))
        .col_expr(Column::MediaType, Expr::value(made.media_type))
        .col_expr(Column::Size, Expr::value(made.size))
        .col_expr(Column::Sha256, Expr::value(made.sha256))
        .col_expr(Column::LeftOut, Expr::value(made.left_out))
        .col_expr(Column::CompletedAt, Expr::value(now))
        .filter(Column::Id.eq(id));
    Ok(update.exec(txn).await?.rows_affected > 0)
}

/// Exports that were made before `before`, or that were asked for before and will never be made; oldest first.
pub async fn outdated<C: ConnectionTrait>(db: &C, before: DateTime<Utc>, limit: u64) -> Result<Vec<Export>> {
    let given_up = Condition::all()
        .add(Column::CompletedAt.is_null())
        .add(Column::CreatedAt.lte(before))
        .add(Expr::exists(job_under_way()).not());
    let outdated = Entity::find()
        .filter(Condition::any().add(Column::CompletedAt.lte(before)).add(given_up))
        .order_by_asc(Column::CreatedAt)
        .limit(limit);
    Ok(outdated.all(db).await?)
}

/// Deletes the row; its bytes go next.
pub async fn delete<C: ConnectionTrait>(db: &C, id: ExportId) -> Result<()> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Those of `ids` that exist: what is stored under another id was left behind.
pub async fn existing<C: ConnectionTrait>(db: &C, ids: &[ExportId]) -> Result<Vec<ExportId>> {
    let found = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.is_in(ids.iter().copied()))
        .into_tuple();
    Ok(found.all(db).await?)
}

/// The export's job, while it waits or runs: for a sub-query.
fn job_under_way() -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(jobs::Column::Id)
        .from(jobs::Entity)
        .and_where(Expr::col((jobs::Entity, jobs::Column::Id)).equals((Entity, Column::JobId)))
        .and_where(jobs::Column::State.is_in([JobState::Queued, JobState::Running]))
        .take()
}
