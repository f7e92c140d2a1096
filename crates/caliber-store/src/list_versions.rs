//! List versions: each list as it was taken out once.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use crate::{
    CampaignId, Document, Json, ListVersionId, Page, Reach, Result, RunId, Transaction, UserId, Window,
    paging,
};

/// A list version.
pub type ListVersion = Model;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum ListType {
    /// Names to buy.
    Whitelist,
    /// Names to avoid.
    Blacklist,
}

displayed_by_value!(ListType);

/// A row of `list_versions`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "list_versions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ListVersionId,
    /// Of which campaign.
    pub campaign_id: CampaignId,
    /// 1, 2, 3 within the campaign.
    pub number: i64,
    /// The run whose results it is of.
    pub run_id: RunId,
    /// Which list.
    pub list_type: ListType,
    /// Who took it out.
    pub author_id: Option<UserId>,
    /// The policy it was chosen by.
    pub policy: String,
    /// What it was chosen by, as answered.
    pub criteria: Document,
    /// Where the names are stored.
    pub names_key: String,
    /// How many names.
    pub names_count: i64,
    /// Names that the version before did not have.
    pub added: i64,
    /// Names that only the version before had.
    pub removed: i64,
    /// When it should be made anew.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken out.
    pub created_at: DateTime<Utc>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A version to keep.
#[derive(Clone, Debug)]
pub struct NewListVersion {
    /// See [`Model::campaign_id`].
    pub campaign_id: CampaignId,
    /// See [`Model::run_id`].
    pub run_id: RunId,
    /// See [`Model::list_type`].
    pub list_type: ListType,
    /// See [`Model::author_id`].
    pub author_id: Option<UserId>,
    /// See [`Model::policy`].
    pub policy: String,
    /// See [`Model::criteria`].
    pub criteria: Json,
    /// See [`Model::names_key`].
    pub names_key: String,
    /// See [`Model::names_count`].
    pub names_count: i64,
    /// See [`Model::added`].
    pub added: i64,
    /// See [`Model::removed`].
    pub removed: i64,
    /// See [`Model::expires_at`].
    pub expires_at: Option<DateTime<Utc>>,
}

/// Keeps one under the campaign's next number; none where the campaign is gone. Versions of one campaign are numbered
/// one after another, however many come at once.
pub async fn create(
    txn: &Transaction,
    version: NewListVersion,
    now: DateTime<Utc>,
) -> Result<Option<ListVersion>> {
    let id = version.campaign_id;
    if crate::campaigns::lock(txn, Reach::INSTANCE, id).await?.is_none() {
        return Ok(None);
    }
    let row = ActiveModel {
        id: Set(ListVersionId::new(now)),
        campaign_id: Set(id),
        number: Set(last_number(txn, id).await? + 1),
        run_id: Set(version.run_id),
        list_type: Set(version.list_type),
        author_id: Set(version.author_id),
        policy: Set(version.policy),
        criteria: Set(version.criteria.into()),
        names_key: Set(version.names_key),
        names_count: Set(version.names_count),
        added: Set(version.added),
        removed: Set(version.removed),
        expires_at: Set(version.expires_at),
        created_at: Set(now),
    };
    Ok(Some(row.insert(txn).await?))
}

/// The version of this number, of a campaign that was found within reach.
pub async fn by_number<C: ConnectionTrait>(
    db: &C,
    campaign: CampaignId,
    number: i64,
) -> Result<Option<ListVersion>> {
    let found = Entity::find().filter(Column::CampaignId.eq(campaign)).filter(Column::Number.eq(number));
    Ok(found.one(db).await?)
}

/// The last version of a list, of a campaign that was found within reach. Ask in the transaction that makes the next,
/// after [`crate::campaigns::lock`], where the difference is to hold.
pub async fn latest<C: ConnectionTrait>(
    db: &C,
    campaign: CampaignId,
    list: ListType,
) -> Result<Option<ListVersion>> {
    let found = Entity::find()
        .filter(Column::CampaignId.eq(campaign))
        .filter(Column::ListType.eq(list))
        .order_by_desc(Column::Number);
    Ok(found.one(db).await?)
}

/// The last version of each list of these campaigns, of those within reach.
pub async fn latest_of_campaigns<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    campaigns: &[CampaignId],
) -> Result<Vec<ListVersion>> {
    let newer = Alias::new("newer");
    let same = |column: Column| Expr::col((newer.clone(), column)).equals((Entity, column));
    let replaced = Query::select()
        .column((newer.clone(), Column::Id))
        .from_as(Entity, newer.clone())
        .and_where(same(Column::CampaignId))
        .and_where(same(Column::ListType))
        .and_where(Expr::col((newer.clone(), Column::Number)).gt(Expr::col((Entity, Column::Number))))
        .take();
    let latest = Entity::find()
        .filter(Column::CampaignId.is_in(campaigns.iter().copied()))
        .filter(Column::CampaignId.in_subquery(crate::campaigns::ids_within(reach)))
        .filter(Expr::exists(replaced).not());
    Ok(latest.all(db).await?)
}

/// Versions of a campaign that was found within reach, newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    campaign: CampaignId,
    window: Window,
) -> Result<Page<ListVersion>> {
    let versions = Entity::find().filter(Column::CampaignId.eq(campaign)).order_by_desc(Column::Number);
    paging::page(db, versions, window).await
}

/// Those of `keys` that a row names: what is stored under another was left behind.
pub async fn existing_keys<C: ConnectionTrait>(db: &C, keys: &[String]) -> Result<Vec<String>> {
    let found = Entity::find()
        .select_only()
        .column(Column::NamesKey)
        .filter(Column::NamesKey.is_in(keys))
        .into_tuple();
    Ok(found.all(db).await?)
}

async fn last_number(txn: &Transaction, campaign: CampaignId) -> Result<i64> {
    let last: Option<Option<i64>> = Entity::find()
        .select_only()
        .column_as(Column::Number.max(), "last")
        .filter(Column::CampaignId.eq(campaign))
        .into_tuple()
        .one(txn)
        .await?;
    Ok(last.flatten().unwrap_or(0))
}
