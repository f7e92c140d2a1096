//! Sessions: sign-ins that can be ended.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, QuerySelect};

use crate::users::{self, User};
use crate::{Result, SessionId, UserId};

/// A session.
pub type Session = Model;

/// How the client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum SessionKind {
    /// Access and refresh tokens.
    Bearer,
    /// The cookie of a browser.
    Cookie,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum SessionEnd {
    /// The user signed out.
    Logout,
    /// The password was changed, so all other sessions ended.
    PasswordChanged,
    /// A refresh token came a second time: somebody else has it.
    RefreshReused,
    /// Someone with the right to do so ended it.
    Revoked,
}

/// A row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// How the client shows who it is.
    pub kind: SessionKind,
    /// SHA-256 of the refresh token that is good now, or of the cookie's secret.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub secret_hash: Vec<u8>,
    /// When they signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last used, as far as noted.
    pub last_used_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// When it was ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was ended.
    pub ended_because: Option<SessionEnd>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether it is neither ended nor expired.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }
}

/// Begins one.
pub async fn create<C: ConnectionTrait>(
    db: &C,
    user: UserId,
    kind: SessionKind,
    secret_hash: &[u8; 32],
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Session> {
    let row = ActiveModel {
        id: Set(SessionId::new(now)),
        user_id: Set(user),
        kind: Set(kind),
        secret_hash: Set(secret_hash.to_vec()),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(expires_at),
        ended_at: Set(None),
        ended_because: Set(None),
    };
    Ok(row.insert(db).await?)
}

/// The session, live or not, and whose it is, in one query.
pub async fn with_user<C: ConnectionTrait>(db: &C, id: SessionId) -> Result<Option<(Session, User)>> {
    let join = Entity::belongs_to(users::Entity).from(Column::UserId).to(users::Column::Id).into();
    let found = Entity::find_by_id(id)
        .join(sea_orm::JoinType::InnerJoin, join)
        .select_also(users::Entity)
        .one(db)
        .await?;
    Ok(found.and_then(|(session, user)| Some((session, user?))))
}

/// Puts a new secret in place of the old one, where the old one is the one that is good now and the session is live;
/// whether it did. Of two at once with the same old secret one succeeds.
pub async fn rotate<C: ConnectionTrait>(
    db: &C,
    id: SessionId,
    old_hash: &[u8; 32],
    new_hash: &[u8; 32],
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let rotated = Entity::update_many()
        .col_expr(Column::SecretHash, Expr::value(new_hash.to_vec()))
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Id.eq(id))
        .filter(Column::SecretHash.eq(old_hash.to_vec()))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(rotated.rows_affected > 0)
}

/// Notes that it was used, unless that was noted after `since`: a write now and then, not one a request.
pub async fn note_use<C: ConnectionTrait>(
    db: &C,
    id: SessionId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::LastUsedAt.lt(since))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends it; whether it had not been ended before.
pub async fn end<C: ConnectionTrait>(
    db: &C,
    id: SessionId,
    because: SessionEnd,
    now: DateTime<Utc>,
) -> Result<bool> {
    let ended = ending(because, now).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(ended.rows_affected > 0)
}

/// Ends all sessions of a user but `keep`; how many.
pub async fn end_all_of<C: ConnectionTrait>(
    db: &C,
    user: UserId,
    keep: Option<SessionId>,
    because: SessionEnd,
    now: DateTime<Utc>,
) -> Result<u64> {
    let mut ending = ending(because, now).filter(Column::UserId.eq(user));
    if let Some(keep) = keep {
        ending = ending.filter(Column::Id.ne(keep));
    }
    Ok(ending.exec(db).await?.rows_affected)
}

/// Deletes what ended or expired before `before`; how many.
pub async fn delete_old<C: ConnectionTrait>(db: &C, before: DateTime<Utc>) -> Result<u64> {
    let old = Column::ExpiresAt.lt(before).or(Column::EndedAt.lt(before));
    Ok(Entity::delete_many().filter(old).exec(db).await?.rows_affected)
}

fn ending(because: SessionEnd, now: DateTime<Utc>) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::EndedBecause, Expr::value(because))
        .filter(Column::EndedAt.is_null())
}
