//! Users: who signs in, and what they may.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use crate::{OrganizationId, Page, Reach, Result, Transaction, UserId, Window, paging};

/// The unique index of the address, without regard to case.
pub const UNIQUE_EMAIL: &str = "uq_users_email_key";
/// The unique index of an identity at an issuer of ID tokens.
pub const UNIQUE_EXTERNAL: &str = "uq_users_external_issuer_external_subject";

/// A user.
pub type User = Model;

/// What a user may, from least to most; `client` and `expert` are of the review desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Writes one's own.
    Analyst,
    /// Writes all of the organisation's.
    Manager,
    /// Instance-wide.
    Admin,
    /// Asks the review desk.
    Client,
    /// Answers at the review desk.
    Expert,
}

displayed_by_value!(Role);

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Their id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// The address as given.
    pub email: String,
    /// The address as compared: [`email_key`] of it.
    pub email_key: String,
    /// What they are called.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// Whom they belong to.
    pub organization_id: OrganizationId,
    /// Argon2id in PHC form; none where they sign in elsewhere or have not set one yet.
    pub password_hash: Option<String>,
    /// Issuer of the ID tokens they sign in with.
    pub external_issuer: Option<String>,
    /// Their name at that issuer.
    pub external_subject: Option<String>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// Whether they may sign in.
    pub is_active: bool,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// When they were last changed.
    pub updated_at: DateTime<Utc>,
    /// When they last signed in.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A user to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// See [`Model::email`].
    pub email: String,
    /// See [`Model::name`].
    pub name: String,
    /// See [`Model::role`].
    pub role: Role,
    /// See [`Model::organization_id`].
    pub organization_id: OrganizationId,
    /// See [`Model::password_hash`].
    pub password_hash: Option<String>,
    /// Issuer and subject of ID tokens.
    pub external: Option<(String, String)>,
    /// See [`Model::email_verified`].
    pub email_verified: bool,
}

/// What became of the request to delete a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// They are gone; what they had made is now the heir's.
    Done {
        /// Who has it now; none where they had made nothing.
        heir: Option<UserId>,
    },
    /// They made campaigns or files, and the organisation has no other active manager or administrator to have them.
    NoHeir,
    /// There is no such user within reach.
    Missing,
}

/// The address as it is compared: without surrounding space, in lower case.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Adds one. A taken address is a conflict over [`UNIQUE_EMAIL`], a taken identity one over [`UNIQUE_EXTERNAL`].
pub async fn create<C: ConnectionTrait>(db: &C, user: NewUser, now: DateTime<Utc>) -> Result<User> {
    let (issuer, subject) = user.external.unzip();
    let row = ActiveModel {
        id: Set(UserId::new(now)),
        email_key: Set(email_key(&user.email)),
        email: Set(user.email.trim().to_owned()),
        name: Set(user.name),
        role: Set(user.role),
        organization_id: Set(user.organization_id),
        password_hash: Set(user.password_hash),
        external_issuer: Set(issuer),
        external_subject: Set(subject),
        email_verified: Set(user.email_verified),
        is_active: Set(true),
        created_at: Set(now),
        updated_at: Set(now),
        last_login_at: Set(None),
    };
    Ok(row.insert(db).await?)
}

/// The user of this id.
pub async fn by_id<C: ConnectionTrait>(db: &C, reach: Reach, id: UserId) -> Result<Option<User>> {
    let found = Entity::find_by_id(id).filter(reach.within(Column::OrganizationId, Column::Id));
    Ok(found.one(db).await?)
}

/// Reads the row so that whoever locks it too waits until the transaction ends.
pub async fn lock(txn: &Transaction, id: UserId) -> Result<Option<User>> {
    Ok(txn.locking(Entity::find_by_id(id)).one(txn).await?)
}

/// The user with this address, in whatever case.
pub async fn by_email<C: ConnectionTrait>(db: &C, email: &str) -> Result<Option<User>> {
    if email.contains('\0') {
        return Ok(None);
    }
    Ok(Entity::find().filter(Column::EmailKey.eq(email_key(email))).one(db).await?)
}

/// The user with this identity at an issuer of ID tokens.
pub async fn by_external<C: ConnectionTrait>(db: &C, issuer: &str, subject: &str) -> Result<Option<User>> {
    if issuer.contains('\0') || subject.contains('\0') {
        return Ok(None);
    }
    let found =
        Entity::find().filter(Column::ExternalIssuer.eq(issuer)).filter(Column::ExternalSubject.eq(subject));
    Ok(found.one(db).await?)
}

/// Users within reach, by address.
pub async fn list<C: ConnectionTrait>(db: &C, reach: Reach, window: Window) -> Result<Page<User>> {
    let users = Entity::find()
        .filter(reach.within(Column::OrganizationId, Column::Id))
        .order_by_asc(Column::EmailKey);
    paging::page(db, users, window).await
}

/// What users are called; those that there are.
pub async fn names<C: ConnectionTrait>(db: &C, ids: &[UserId]) -> Result<Vec<(UserId, String)>> {
    let named = Entity::find().select_only().column(Column::Id).column(Column::Name);
    Ok(named.filter(Column::Id.is_in(ids.iter().copied())).into_tuple().all(db).await?)
}

/// Sets what they may; the user as changed.
pub async fn set_role<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    set(db, reach, id, vec![(Column::Role, Expr::value(role))], now).await
}

/// Sets what they are called; the user as changed.
pub async fn set_name<C: ConnectionTrait>(
    db: &C,
    id: UserId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    set(db, Reach::INSTANCE, id, vec![(Column::Name, Expr::value(name))], now).await
}

/// Sets the password; the user as changed. Ending their sessions is the caller's
/// ([`crate::sessions::end_all_of`]), in the same transaction.
pub async fn set_password<C: ConnectionTrait>(
    db: &C,
    id: UserId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    set(db, Reach::INSTANCE, id, vec![(Column::PasswordHash, Expr::value(password_hash))], now).await
}

/// Lets them sign in, or not; the user as changed.
pub async fn set_active<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: UserId,
    active: bool,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    set(db, reach, id, vec![(Column::IsActive, Expr::value(active))], now).await
}

/// Notes the identity they sign in with from now on, and that their address is verified by it; none where they have one
/// already. An identity that is another's is a conflict over [`UNIQUE_EXTERNAL`].
pub async fn link_external<C: ConnectionTrait>(
    db: &C,
    id: UserId,
    issuer: &str,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    let linked = Entity::update_many()
        .col_expr(Column::ExternalIssuer, Expr::value(issuer))
        .col_expr(Column::ExternalSubject, Expr::value(subject))
        .col_expr(Column::EmailVerified, Expr::value(true))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::ExternalSubject.is_null())
        .exec_with_returning(db)
        .await?;
    Ok(linked.into_iter().next())
}

/// Takes their password away: they sign in otherwise until they set one. Ending their sessions is the caller's, as for
/// [`set_password`].
pub async fn clear_password<C: ConnectionTrait>(db: &C, id: UserId, now: DateTime<Utc>) -> Result<()> {
    let nothing = vec![(Column::PasswordHash, Expr::value(None::<String>))];
    set(db, Reach::INSTANCE, id, nothing, now).await?;
    Ok(())
}

/// Notes that they signed in.
pub async fn note_login<C: ConnectionTrait>(db: &C, id: UserId, now: DateTime<Utc>) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::LastLoginAt, Expr::value(now));
    update.filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Moves them to another organisation in another role, their campaigns, templates, files and recipes with them. A recipe
/// whose name is taken there is a conflict over [`crate::recipes::UNIQUE_NAME`].
pub async fn move_to_organization(
    txn: &Transaction,
    id: UserId,
    organization: OrganizationId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    let values = vec![(Column::OrganizationId, Expr::value(organization)), (Column::Role, Expr::value(role))];
    let moved = set(txn, Reach::INSTANCE, id, values, now).await?;
    if moved.is_some() {
        crate::campaigns::move_with_author(txn, id, organization).await?;
        crate::templates::move_with_author(txn, id, organization).await?;
        crate::uploads::move_with_author(txn, id, organization).await?;
        crate::recipes::move_with_author(txn, id, organization).await?;
    }
    Ok(moved)
}

/// Deletes them with their sessions and links. What they made stays their organisation's: campaigns and files go to its
/// longest-standing other active manager or administrator; where there is none, nothing is deleted. Templates, recipes
/// and list versions stay without an author.
pub async fn delete(txn: &Transaction, reach: Reach, id: UserId, now: DateTime<Utc>) -> Result<Deleted> {
    let Some(user) = by_id(txn, reach, id).await? else { return Ok(Deleted::Missing) };
    let heir = Entity::find()
        .filter(Column::OrganizationId.eq(user.organization_id))
        .filter(Column::Id.ne(id))
        .filter(Column::IsActive.eq(true))
        .filter(Column::Role.is_in([Role::Manager, Role::Admin]))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(1)
        .one(txn)
        .await?
        .map(|user| user.id);
    let Some(inherited) = inherit(txn, id, heir, now).await? else { return Ok(Deleted::NoHeir) };
    let deleted = Entity::delete_many().filter(Column::Id.eq(id)).exec(txn).await?;
    if deleted.rows_affected == 0 {
        return Ok(Deleted::Missing);
    }
    Ok(Deleted::Done { heir: heir.filter(|_| inherited) })
}

/// Gives what `id` made to `heir`; whether there was anything. None where there is something and nobody to have it.
async fn inherit(
    txn: &Transaction,
    id: UserId,
    heir: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Option<bool>> {
    if let Some(heir) = heir {
        let campaigns = crate::campaigns::give_to(txn, id, heir, now).await?;
        let uploads = crate::uploads::give_to(txn, id, heir).await?;
        return Ok(Some(campaigns + uploads > 0));
    }
    let owns =
        crate::campaigns::any_of_author(txn, id).await? || crate::uploads::any_of_author(txn, id).await?;
    Ok((!owns).then_some(false))
}

async fn set<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: UserId,
    values: Vec<(Column, Expr)>,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    let mut update = Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(reach.within(Column::OrganizationId, Column::Id));
    for (column, value) in values {
        update = update.col_expr(column, value);
    }
    Ok(update.exec_with_returning(db).await?.pop())
}

/// Ids of an organisation's users, for a sub-query.
pub(crate) fn ids_of_organization(id: OrganizationId) -> SelectStatement {
    Query::select().column(Column::Id).from(Entity).and_where(Column::OrganizationId.eq(id)).take()
}
