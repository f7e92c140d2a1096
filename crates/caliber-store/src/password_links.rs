//! One-time links to set a password.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;

use crate::{PasswordLinkId, Result, UserId};

/// A link.
pub type PasswordLink = Model;

/// A row of `password_links`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_links")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PasswordLinkId,
    /// Whose password it sets.
    pub user_id: UserId,
    /// SHA-256 of the secret in the link.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))", unique)]
    pub token_hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Makes one.
pub async fn create<C: ConnectionTrait>(
    db: &C,
    user: UserId,
    token_hash: &[u8; 32],
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<PasswordLink> {
    let row = ActiveModel {
        id: Set(PasswordLinkId::new(now)),
        user_id: Set(user),
        token_hash: Set(token_hash.to_vec()),
        created_at: Set(now),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    Ok(row.insert(db).await?)
}

/// Whose password the link sets, where it is still good; it stays so.
pub async fn owner<C: ConnectionTrait>(
    db: &C,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<UserId>> {
    let link = Entity::find()
        .filter(Column::TokenHash.eq(token_hash.to_vec()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now));
    Ok(link.one(db).await?.map(|link| link.user_id))
}

/// Uses the link up; whose password it sets, where it was still good. Of two at once one has it.
pub async fn redeem<C: ConnectionTrait>(
    db: &C,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<UserId>> {
    let redeemed = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::TokenHash.eq(token_hash.to_vec()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await?;
    Ok(redeemed.first().map(|link| link.user_id))
}

/// Deletes what was used or expired before `before`; how many.
pub async fn delete_old<C: ConnectionTrait>(db: &C, before: DateTime<Utc>) -> Result<u64> {
    let old = Column::ExpiresAt.lt(before).or(Column::UsedAt.lt(before));
    Ok(Entity::delete_many().filter(old).exec(db).await?.rows_affected)
}
