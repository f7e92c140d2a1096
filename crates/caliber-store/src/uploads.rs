//! Uploaded files: rows; their bytes are in [`crate::objects`].

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use crate::campaigns::{self, Campaign, CampaignStatus};
use crate::{
    Attempt, CampaignId, OrganizationId, Page, Reach, Result, Transaction, UploadId, UserId, Window, paging,
};

/// The unique index that gives a campaign one file.
pub const UNIQUE_CAMPAIGN: &str = "uq_file_uploads_campaign_id";

/// An upload.
pub type Upload = Model;

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum UploadStatus {
    /// It is stored.
    Uploaded,
    /// It is a campaign's.
    Assigned,
    /// It was read and can be scored.
    Validated,
    /// It was read and cannot be scored.
    Rejected,
}

/// A row of `file_uploads`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "file_uploads")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UploadId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Who brought it.
    pub user_id: UserId,
    /// The campaign it belongs to.
    pub campaign_id: Option<CampaignId>,
    /// What it was called there.
    pub filename: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// What the content is: `csv`, `xlsx` ...
    pub format: String,
    /// How it is packed: `gzip`, `zstd`.
    pub compression: Option<String>,
    /// Where the bytes are stored.
    pub storage_key: String,
    /// How far it is.
    pub status: UploadStatus,
    /// When it came.
    pub created_at: DateTime<Utc>,
    /// When it was last given to a campaign or taken from one.
    pub updated_at: DateTime<Utc>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A stored file to note.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// See [`Model::id`]; made by the caller, since the storage key has it.
    pub id: UploadId,
    /// See [`Model::organization_id`].
    pub organization_id: OrganizationId,
    /// See [`Model::user_id`].
    pub user_id: UserId,
    /// See [`Model::filename`].
    pub filename: String,
    /// See [`Model::size`].
    pub size: i64,
    /// See [`Model::sha256`].
    pub sha256: String,
    /// See [`Model::format`].
    pub format: String,
    /// See [`Model::compression`].
    pub compression: Option<String>,
    /// See [`Model::storage_key`].
    pub storage_key: String,
}

/// A file given to a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The file, as it is now.
    pub upload: Upload,
    /// The one that it took the place of, which belongs to no campaign now.
    pub replaced: Option<Upload>,
}

/// Why a file was not given to a campaign.
#[derive(Clone, Debug, PartialEq)]
pub enum NotAttached {
    /// The campaign is being scored.
    Processing(Box<Campaign>),
    /// The file is another campaign's.
    Taken(CampaignId),
}

/// Notes a stored file that belongs to no campaign.
pub async fn create<C: ConnectionTrait>(db: &C, new: NewUpload, now: DateTime<Utc>) -> Result<Upload> {
    let row = ActiveModel {
        id: Set(new.id),
        organization_id: Set(new.organization_id),
        user_id: Set(new.user_id),
        campaign_id: Set(None),
        filename: Set(new.filename),
        size: Set(new.size),
        sha256: Set(new.sha256),
        format: Set(new.format),
        compression: Set(new.compression),
        storage_key: Set(new.storage_key),
        status: Set(UploadStatus::Uploaded),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(row.insert(db).await?)
}

/// The upload of this id.
pub async fn by_id<C: ConnectionTrait>(db: &C, reach: Reach, id: UploadId) -> Result<Option<Upload>> {
    let found = Entity::find_by_id(id).filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(found.one(db).await?)
}

/// The file of a campaign that was found within reach.
pub async fn of_campaign<C: ConnectionTrait>(db: &C, campaign: CampaignId) -> Result<Option<Upload>> {
    Ok(Entity::find().filter(Column::CampaignId.eq(campaign)).one(db).await?)
}

/// The files of campaigns that were found within reach.
pub async fn of_campaigns<C: ConnectionTrait>(db: &C, campaigns: &[CampaignId]) -> Result<Vec<Upload>> {
    Ok(Entity::find().filter(Column::CampaignId.is_in(campaigns.iter().copied())).all(db).await?)
}

/// Uploads within reach, newest first.
pub async fn list<C: ConnectionTrait>(db: &C, reach: Reach, window: Window) -> Result<Page<Upload>> {
    let uploads = Entity::find()
        .filter(reach.within(Column::OrganizationId, Column::UserId))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    paging::page(db, uploads, window).await
}

/// Gives the file to the campaign, in place of the one it had; refused while the campaign is processing or where the
/// file is another's. Both must be within reach. The file it replaced belongs to no campaign then: delete it, or leave
/// it to the sweep.
pub async fn attach(
    txn: &Transaction,
    reach: Reach,
    id: UploadId,
    campaign: CampaignId,
    now: DateTime<Utc>,
) -> Result<Attempt<Attached, NotAttached>> {
    let Some(row) = campaigns::lock(txn, reach, campaign).await? else { return Ok(Attempt::Missing) };
    let Some(upload) = lock(txn, reach, id).await? else { return Ok(Attempt::Missing) };
    if row.organization_id != upload.organization_id {
        return Ok(Attempt::Missing);
    }
    if row.status == CampaignStatus::Processing || row.active_run_id.is_some() {
        return Ok(Attempt::Refused(NotAttached::Processing(Box::new(row))));
    }
    match upload.campaign_id {
        Some(own) if own == campaign => return Ok(Attempt::Done(Attached { upload, replaced: None })),
        Some(holder) => return Ok(Attempt::Refused(NotAttached::Taken(holder))),
        None => {}
    }
    let former = of_campaign(txn, campaign).await?;
    if let Some(former) = &former {
        let detach = changed(None, UploadStatus::Uploaded, now).filter(Column::Id.eq(former.id));
        detach.exec(txn).await?;
    }
    let attach = changed(Some(campaign), UploadStatus::Assigned, now).filter(Column::Id.eq(id));
    let attached = attach.exec_with_returning(txn).await?.pop();
    Ok(attached.map_or(Attempt::Missing, |upload| Attempt::Done(Attached { upload, replaced: former })))
}

/// Notes what reading the file found.
pub async fn set_status<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: UploadId,
    status: UploadStatus,
) -> Result<Option<Upload>> {
    let update = Entity::update_many()
        .col_expr(Column::Status, Expr::value(status))
        .filter(Column::Id.eq(id))
        .filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(update.exec_with_returning(db).await?.pop())
}

/// Deletes the row and gives it, so that its bytes can be deleted after the commit; refused while its campaign is
/// processing.
pub async fn delete(txn: &Transaction, reach: Reach, id: UploadId) -> Result<Attempt<Upload>> {
    let Some(upload) = by_id(txn, reach, id).await? else { return Ok(Attempt::Missing) };
    if let Some(campaign) = upload.campaign_id
        && let Some(campaign) = campaigns::lock(txn, Reach::INSTANCE, campaign).await?
        && (campaign.status == CampaignStatus::Processing || campaign.active_run_id.is_some())
    {
        return Ok(Attempt::Refused(upload));
    }
    // Guarded by what was judged: a file given to a campaign in between is not deleted.
    let delete = Entity::delete_many().filter(Column::Id.eq(id));
    let delete = match upload.campaign_id {
        Some(campaign) => delete.filter(Column::CampaignId.eq(campaign)),
        None => delete.filter(Column::CampaignId.is_null()),
    };
    let deleted = delete.exec(txn).await?.rows_affected > 0;
    Ok(if deleted { Attempt::Done(upload) } else { Attempt::Refused(upload) })
}

/// Reads the row so that nobody else changes it before the transaction ends.
async fn lock(txn: &Transaction, reach: Reach, id: UploadId) -> Result<Option<Upload>> {
    let found = Entity::find_by_id(id).filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(txn.locking(found).one(txn).await?)
}

/// Files that have belonged to no campaign since `before`, oldest first.
pub async fn orphans<C: ConnectionTrait>(db: &C, before: DateTime<Utc>, limit: u64) -> Result<Vec<Upload>> {
    let orphans = Entity::find()
        .filter(Column::CampaignId.is_null())
        .filter(Column::UpdatedAt.lt(before))
        .order_by_asc(Column::UpdatedAt)
        .limit(limit);
    Ok(orphans.all(db).await?)
}

/// Those of `keys` that a row names: what is stored under another was left behind.
pub async fn existing_keys<C: ConnectionTrait>(db: &C, keys: &[String]) -> Result<Vec<String>> {
    let found = Entity::find()
        .select_only()
        .column(Column::StorageKey)
        .filter(Column::StorageKey.is_in(keys))
        .into_tuple();
    Ok(found.all(db).await?)
}

fn changed(
    campaign: Option<CampaignId>,
    status: UploadStatus,
    now: DateTime<Utc>,
) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::CampaignId, Expr::value(campaign))
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::UpdatedAt, Expr::value(now))
}

/// Deletes the rows of a campaign's files; their storage keys.
pub(crate) async fn delete_of_campaign(txn: &Transaction, campaign: CampaignId) -> Result<Vec<String>> {
    let deleted =
        Entity::delete_many().filter(Column::CampaignId.eq(campaign)).exec_with_returning(txn).await?;
    Ok(deleted.into_iter().map(|upload| upload.storage_key).collect())
}

/// Ids of an organisation's uploads, for a sub-query.
pub(crate) fn ids_of_organization(id: OrganizationId) -> SelectStatement {
    Query::select().column(Column::Id).from(Entity).and_where(Column::OrganizationId.eq(id)).take()
}

pub(crate) async fn move_with_author(txn: &Transaction, author: UserId, to: OrganizationId) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::OrganizationId, Expr::value(to));
    update.filter(Column::UserId.eq(author)).exec(txn).await?;
    Ok(())
}

pub(crate) async fn give_to(txn: &Transaction, from: UserId, to: UserId) -> Result<u64> {
    let update = Entity::update_many().col_expr(Column::UserId, Expr::value(to));
    Ok(update.filter(Column::UserId.eq(from)).exec(txn).await?.rows_affected)
}

pub(crate) async fn any_of_author(txn: &Transaction, author: UserId) -> Result<bool> {
    Ok(Entity::find().filter(Column::UserId.eq(author)).limit(1).one(txn).await?.is_some())
}
