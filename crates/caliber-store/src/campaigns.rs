//! Campaigns: what is to be scored, how, and how far that is.
//!
//! The changes of a campaign's state are in `campaigns/state.rs`, each one guarded UPDATE.

mod state;

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use sea_orm::sea_query::{ExprTrait, LikeExpr, Query, SelectStatement};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use crate::{
    Attempt, CampaignId, Document, Json, OrganizationId, Page, Reach, Result, RunId, TemplateId, Transaction,
    UserId, Window, paging,
};

pub use state::{Outcome, Progress, Published, fail, progress, publish, set_outside, start};

/// A campaign.
pub type Campaign = Model;

/// What a campaign is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Goal {
    /// To be seen.
    Awareness,
    /// To be acted on.
    Action,
}

/// Where its ads run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Channel {
    /// Connected TV.
    Ctv,
    /// Display.
    Display,
    /// Video.
    Video,
    /// Audio.
    Audio,
}

/// What is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum AnalysisLevel {
    /// Domains.
    Domain,
    /// Supply vendors.
    SupplyVendor,
}

/// How far it is. Legal: pending -> processing -> completed | failed, failed -> processing, completed -> processing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum CampaignStatus {
    /// Never scored.
    Pending,
    /// Being scored.
    Processing,
    /// Scored.
    Completed,
    /// The last scoring failed.
    Failed,
}

impl CampaignStatus {
    /// From where one may come here.
    pub fn reached_from(self) -> &'static [Self] {
        match self {
            Self::Pending => &[],
            Self::Processing => &[Self::Pending, Self::Completed, Self::Failed],
            Self::Completed | Self::Failed => &[Self::Processing],
        }
    }
}

displayed_by_value!(CampaignStatus, Goal, Channel, AnalysisLevel);

/// A row of `campaigns`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "campaigns")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CampaignId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Who made it.
    pub user_id: UserId,
    /// What it is called.
    pub name: String,
    /// The name as it is searched: in lower case.
    pub name_key: String,
    /// A platform of a known recipe; any word.
    pub campaign_type: String,
    /// What it is after.
    pub goal: Goal,
    /// Where its ads run.
    pub channel: Channel,
    /// Whether clicks count more.
    pub ctr_sensitivity: bool,
    /// What is scored.
    pub analysis_level: AnalysisLevel,
    /// The template its settings came from.
    pub template_id: Option<TemplateId>,
    /// How far it is.
    pub status: CampaignStatus,
    /// The run whose results are shown. No foreign key: runs go only with their campaign.
    pub current_run_id: Option<RunId>,
    /// The run that is under way.
    pub active_run_id: Option<RunId>,
    /// Rows of the report.
    pub total_records: Option<i64>,
    /// Rows of the report read so far.
    pub processed_records: i64,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// What is being done.
    pub current_step: Option<String>,
    /// When the run under way will be done.
    pub estimated_completion: Option<DateTime<Utc>>,
    /// Why the last run failed.
    pub error_message: Option<String>,
    /// Names allowed, blocked and protected by hand: `{allow, block, protect}`, arrays of strings.
    pub overrides: Document,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When the results shown were published.
    pub completed_at: Option<DateTime<Utc>>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a campaign's scoring goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`Model::campaign_type`].
    pub campaign_type: String,
    /// See [`Model::goal`].
    pub goal: Goal,
    /// See [`Model::channel`].
    pub channel: Channel,
    /// See [`Model::ctr_sensitivity`].
    pub ctr_sensitivity: bool,
    /// See [`Model::analysis_level`].
    pub analysis_level: AnalysisLevel,
}

/// A campaign to make.
#[derive(Clone, Debug)]
pub struct NewCampaign {
    /// See [`Model::organization_id`].
    pub organization_id: OrganizationId,
    /// See [`Model::user_id`].
    pub user_id: UserId,
    /// See [`Model::name`].
    pub name: String,
    /// What its scoring goes by.
    pub settings: Settings,
    /// See [`Model::template_id`].
    pub template_id: Option<TemplateId>,
}

/// Which campaigns a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that are so far.
    pub status: Option<CampaignStatus>,
    /// Only those with this in their name, whatever its case; no character has another meaning than itself.
    pub search: Option<String>,
}

/// What may be changed; none leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignChange {
    /// See [`Model::name`]; always.
    pub name: Option<String>,
    /// While pending or failed.
    pub settings: Option<Settings>,
}

impl Model {
    /// What its scoring goes by.
    pub fn settings(&self) -> Settings {
        Settings {
            campaign_type: self.campaign_type.clone(),
            goal: self.goal,
            channel: self.channel,
            ctr_sensitivity: self.ctr_sensitivity,
            analysis_level: self.analysis_level,
        }
    }
}

/// Makes one, pending. A template that is not there is a [`crate::StoreError::Reference`].
pub async fn create<C: ConnectionTrait>(db: &C, new: NewCampaign, now: DateTime<Utc>) -> Result<Campaign> {
    let row = ActiveModel {
        id: Set(CampaignId::new(now)),
        organization_id: Set(new.organization_id),
        user_id: Set(new.user_id),
        name_key: Set(new.name.to_lowercase()),
        name: Set(new.name),
        campaign_type: Set(new.settings.campaign_type),
        goal: Set(new.settings.goal),
        channel: Set(new.settings.channel),
        ctr_sensitivity: Set(new.settings.ctr_sensitivity),
        analysis_level: Set(new.settings.analysis_level),
        template_id: Set(new.template_id),
        status: Set(CampaignStatus::Pending),
        current_run_id: Set(None),
        active_run_id: Set(None),
        total_records: Set(None),
        processed_records: Set(0),
        progress_percentage: Set(0.0),
        current_step: Set(None),
        estimated_completion: Set(None),
        error_message: Set(None),
        overrides: Set(Document(serde_json::json!({ "allow": [], "block": [], "protect": [] }))),
        created_at: Set(now),
        updated_at: Set(now),
        completed_at: Set(None),
    };
    Ok(row.insert(db).await?)
}

/// The campaign of this id.
pub async fn by_id<C: ConnectionTrait>(db: &C, reach: Reach, id: CampaignId) -> Result<Option<Campaign>> {
    let found = Entity::find_by_id(id).filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(found.one(db).await?)
}

/// Campaigns within reach, newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    filter: &Filter,
    window: Window,
) -> Result<Page<Campaign>> {
    let mut campaigns = Entity::find()
        .filter(reach.within(Column::OrganizationId, Column::UserId))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    if let Some(status) = filter.status {
        campaigns = campaigns.filter(Column::Status.eq(status));
    }
    if let Some(search) = &filter.search {
        // A NUL is in no name, and PostgreSQL would refuse the query.
        if search.contains('\0') {
            return Ok(Page { rows: Vec::new(), total: 0 });
        }
        campaigns = campaigns.filter(Expr::col(Column::NameKey).like(containing(search)));
    }
    paging::page(db, campaigns, window).await
}

/// A pattern for what contains `text`, in lower case.
fn containing(text: &str) -> LikeExpr {
    let text = text.to_lowercase().replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    LikeExpr::new(format!("%{text}%")).escape('\\')
}

/// Changes name or settings; refused where settings are to change and the campaign is neither pending nor failed.
pub async fn update<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: CampaignId,
    change: CampaignChange,
    now: DateTime<Utc>,
) -> Result<Attempt<Campaign>> {
    let mut update = Entity::update_many().col_expr(Column::UpdatedAt, Expr::value(now));
    if let Some(name) = change.name {
        update = update
            .col_expr(Column::NameKey, Expr::value(name.to_lowercase()))
            .col_expr(Column::Name, Expr::value(name));
    }
    if let Some(settings) = change.settings {
        update = update
            .col_expr(Column::CampaignType, Expr::value(settings.campaign_type))
            .col_expr(Column::Goal, Expr::value(settings.goal))
            .col_expr(Column::Channel, Expr::value(settings.channel))
            .col_expr(Column::CtrSensitivity, Expr::value(settings.ctr_sensitivity))
            .col_expr(Column::AnalysisLevel, Expr::value(settings.analysis_level))
            .filter(Column::Status.is_in([CampaignStatus::Pending, CampaignStatus::Failed]));
    }
    attempt(db, reach, id, update).await
}

/// Sets what is allowed, blocked and protected by hand.
pub async fn set_overrides<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: CampaignId,
    overrides: Json,
    now: DateTime<Utc>,
) -> Result<Option<Campaign>> {
    let update = Entity::update_many()
        .col_expr(Column::Overrides, Expr::value(Document(overrides)))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(update.exec_with_returning(db).await?.pop())
}

/// Deletes a campaign with its runs, list versions, jobs and file; refused while it is processing, and when it is
/// completed unless that too is to go. Gives the storage keys of the file; what else is stored lies under the prefix of
/// the campaign. Delete the stored bytes after the commit: a crash in between leaves only what the sweep finds.
pub async fn delete(
    txn: &Transaction,
    reach: Reach,
    id: CampaignId,
    completed_too: bool,
) -> Result<Attempt<Vec<String>, Campaign>> {
    // Locks the row before its file is touched, so that no start comes between.
    let Some(campaign) = lock(txn, reach, id).await? else { return Ok(Attempt::Missing) };
    let busy = campaign.status == CampaignStatus::Processing || campaign.active_run_id.is_some();
    if busy || (campaign.status == CampaignStatus::Completed && !completed_too) {
        return Ok(Attempt::Refused(campaign));
    }
    let keys = crate::uploads::delete_of_campaign(txn, id).await?;
    Entity::delete_many().filter(Column::Id.eq(id)).exec(txn).await?;
    Ok(Attempt::Done(keys))
}

/// Reads the row so that nobody else changes it before the transaction ends.
pub async fn lock(txn: &Transaction, reach: Reach, id: CampaignId) -> Result<Option<Campaign>> {
    let found = Entity::find_by_id(id).filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(txn.locking(found).one(txn).await?)
}

/// Runs the guarded update on one campaign, and tells why nothing happened where nothing did.
async fn attempt<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: CampaignId,
    update: sea_orm::UpdateMany<Entity>,
) -> Result<Attempt<Campaign>> {
    let update =
        update.filter(Column::Id.eq(id)).filter(reach.within(Column::OrganizationId, Column::UserId));
    if let Some(campaign) = update.exec_with_returning(db).await?.pop() {
        return Ok(Attempt::Done(campaign));
    }
    Ok(by_id(db, reach, id).await?.map_or(Attempt::Missing, Attempt::Refused))
}

/// What campaigns within reach are called; those that there are.
pub async fn names<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    ids: impl IntoIterator<Item = CampaignId>,
) -> Result<Vec<(CampaignId, String)>> {
    let named = Entity::find().select_only().column(Column::Id).column(Column::Name);
    let named = named.filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(named.filter(Column::Id.is_in(ids)).into_tuple().all(db).await?)
}

/// Ids of an organisation's campaigns, for a sub-query.
pub(crate) fn ids_of_organization(id: OrganizationId) -> SelectStatement {
    Query::select().column(Column::Id).from(Entity).and_where(Column::OrganizationId.eq(id)).take()
}

/// Ids of the campaigns within reach, for a sub-query.
pub(crate) fn ids_within(reach: Reach) -> SelectStatement {
    let within = reach.within(Column::OrganizationId, Column::UserId);
    Query::select().column(Column::Id).from(Entity).cond_where(within).take()
}

/// Ids of the campaigns made from a template, for a sub-query.
pub(crate) fn ids_of_template(id: TemplateId) -> SelectStatement {
    Query::select().column(Column::Id).from(Entity).and_where(Column::TemplateId.eq(id)).take()
}

pub(crate) async fn move_with_author(txn: &Transaction, author: UserId, to: OrganizationId) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::OrganizationId, Expr::value(to));
    update.filter(Column::UserId.eq(author)).exec(txn).await?;
    Ok(())
}

pub(crate) async fn give_to(txn: &Transaction, from: UserId, to: UserId, now: DateTime<Utc>) -> Result<u64> {
    let update = Entity::update_many()
        .col_expr(Column::UserId, Expr::value(to))
        .col_expr(Column::UpdatedAt, Expr::value(now));
    Ok(update.filter(Column::UserId.eq(from)).exec(txn).await?.rows_affected)
}

pub(crate) async fn any_of_author(txn: &Transaction, author: UserId) -> Result<bool> {
    Ok(Entity::find().filter(Column::UserId.eq(author)).limit(1).one(txn).await?.is_some())
}
