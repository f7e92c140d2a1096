//! Invitations into an organisation: one-time links.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder};

use crate::users::Role;
use crate::{InvitationId, OrganizationId, Page, Reach, Result, UserId, Window, paging};

/// An invitation.
pub type Invitation = Model;

/// A row of `invitations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    /// Where to.
    pub organization_id: OrganizationId,
    /// What the invited may there.
    pub role: Role,
    /// Whom it is for; none is whoever has the link.
    pub email: Option<String>,
    /// SHA-256 of the secret in the link.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))", unique)]
    pub token_hash: Vec<u8>,
    /// Who invites.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// By whom.
    pub accepted_by: Option<UserId>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether it can still be accepted.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.accepted_at.is_none() && self.expires_at > now
    }
}

/// An invitation to make.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// See [`Model::organization_id`].
    pub organization_id: OrganizationId,
    /// See [`Model::role`].
    pub role: Role,
    /// See [`Model::email`].
    pub email: Option<String>,
    /// See [`Model::token_hash`].
    pub token_hash: [u8; 32],
    /// See [`Model::invited_by`].
    pub invited_by: UserId,
    /// See [`Model::expires_at`].
    pub expires_at: DateTime<Utc>,
}

/// Makes one.
pub async fn create<C: ConnectionTrait>(
    db: &C,
    invitation: NewInvitation,
    now: DateTime<Utc>,
) -> Result<Invitation> {
    let row = ActiveModel {
        id: Set(InvitationId::new(now)),
        organization_id: Set(invitation.organization_id),
        role: Set(invitation.role),
        email: Set(invitation.email),
        token_hash: Set(invitation.token_hash.to_vec()),
        invited_by: Set(Some(invitation.invited_by)),
        created_at: Set(now),
        expires_at: Set(invitation.expires_at),
        accepted_at: Set(None),
        accepted_by: Set(None),
    };
    Ok(row.insert(db).await?)
}

/// The invitation that this secret is of, open or not.
pub async fn by_token<C: ConnectionTrait>(db: &C, token_hash: &[u8; 32]) -> Result<Option<Invitation>> {
    Ok(Entity::find().filter(Column::TokenHash.eq(token_hash.to_vec())).one(db).await?)
}

/// Invitations within reach, newest first.
pub async fn list<C: ConnectionTrait>(db: &C, reach: Reach, window: Window) -> Result<Page<Invitation>> {
    let invitations = Entity::find()
        .filter(reach.within(Column::OrganizationId, Column::InvitedBy))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    paging::page(db, invitations, window).await
}

/// Uses the invitation up, where it is still open. Of two at once one has it.
pub async fn accept<C: ConnectionTrait>(
    db: &C,
    token_hash: &[u8; 32],
    by: UserId,
    now: DateTime<Utc>,
) -> Result<Option<Invitation>> {
    let accepted = Entity::update_many()
        .col_expr(Column::AcceptedAt, Expr::value(now))
        .col_expr(Column::AcceptedBy, Expr::value(by))
        .filter(Column::TokenHash.eq(token_hash.to_vec()))
        .filter(Column::AcceptedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await?;
    Ok(accepted.into_iter().next())
}

/// Takes an invitation back; whether there was one that nobody had accepted.
pub async fn delete_open<C: ConnectionTrait>(db: &C, reach: Reach, id: InvitationId) -> Result<bool> {
    let deleted = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::AcceptedAt.is_null())
        .filter(reach.within(Column::OrganizationId, Column::InvitedBy))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected > 0)
}
