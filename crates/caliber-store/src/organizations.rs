//! Organisations: whom users, campaigns and files belong to.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, Condition, QuerySelect};

use crate::{Document, Json, OrganizationId, Reach, Result};

/// An organisation.
pub type Organization = Model;

/// A row of `organizations`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// What it is called.
    pub name: String,
    /// Where its logo is stored.
    pub logo_key: Option<String>,
    /// Its colours, as the page and the report use them.
    pub colours: Option<Document>,
    /// Names that must never be blocked: an array of strings.
    pub protected_names: Document,
    /// Whether texts may go to models outside.
    pub outside_models: bool,
    /// What models may cost a month.
    pub ai_budget_cents: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What may be changed; none leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrganizationChange {
    /// See [`Model::name`].
    pub name: Option<String>,
    /// See [`Model::logo_key`]; `Some(None)` takes it away.
    pub logo_key: Option<Option<String>>,
    /// See [`Model::colours`]; `Some(None)` takes them away.
    pub colours: Option<Option<Json>>,
    /// See [`Model::protected_names`].
    pub protected_names: Option<Vec<String>>,
    /// See [`Model::outside_models`].
    pub outside_models: Option<bool>,
    /// See [`Model::ai_budget_cents`]; `Some(None)` lifts it.
    pub ai_budget_cents: Option<Option<i64>>,
}

/// Makes one.
pub async fn create<C: ConnectionTrait>(db: &C, name: &str, now: DateTime<Utc>) -> Result<Organization> {
    let row = ActiveModel {
        id: Set(OrganizationId::new(now)),
        name: Set(name.to_owned()),
        logo_key: Set(None),
        colours: Set(None),
        protected_names: Set(Document(Json::Array(Vec::new()))),
        outside_models: Set(false),
        ai_budget_cents: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(row.insert(db).await?)
}

/// The organisation of this id.
pub async fn by_id<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: OrganizationId,
) -> Result<Option<Organization>> {
    Ok(Entity::find_by_id(id).filter(reach.within_organization(Column::Id)).one(db).await?)
}

/// Changes it; none where there is none.
pub async fn update<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: OrganizationId,
    change: OrganizationChange,
    now: DateTime<Utc>,
) -> Result<Option<Organization>> {
    let mut update = Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(reach.within_organization(Column::Id));
    if let Some(name) = change.name {
        update = update.col_expr(Column::Name, Expr::value(name));
    }
    if let Some(key) = change.logo_key {
        update = update.col_expr(Column::LogoKey, Expr::value(key));
    }
    if let Some(colours) = change.colours {
        update = update.col_expr(Column::Colours, Expr::value(colours.map(Document)));
    }
    if let Some(names) = change.protected_names {
        update = update.col_expr(Column::ProtectedNames, Expr::value(Document(Json::from(names))));
    }
    if let Some(outside) = change.outside_models {
        update = update.col_expr(Column::OutsideModels, Expr::value(outside));
    }
    if let Some(budget) = change.ai_budget_cents {
        update = update.col_expr(Column::AiBudgetCents, Expr::value(budget));
    }
    Ok(update.exec_with_returning(db).await?.pop())
}

/// Those of `keys` that a row names as its logo: what is stored under another was left behind.
pub async fn existing_logo_keys<C: ConnectionTrait>(db: &C, keys: &[String]) -> Result<Vec<String>> {
    let found =
        Entity::find().select_only().column(Column::LogoKey).filter(Column::LogoKey.is_in(keys)).into_tuple();
    Ok(found.all(db).await?)
}

/// Deletes an organisation that nobody and nothing belongs to any more, such as the one that a user left for another;
/// whether it did.
pub async fn delete_if_empty<C: ConnectionTrait>(db: &C, id: OrganizationId) -> Result<bool> {
    let owned = |rows: sea_orm::sea_query::SelectStatement| Expr::exists(rows).not();
    let empty = Condition::all()
        .add(owned(crate::users::ids_of_organization(id)))
        .add(owned(crate::campaigns::ids_of_organization(id)))
        .add(owned(crate::uploads::ids_of_organization(id)));
    let deleted = Entity::delete_many().filter(Column::Id.eq(id)).filter(empty).exec(db).await?;
    Ok(deleted.rows_affected > 0)
}
