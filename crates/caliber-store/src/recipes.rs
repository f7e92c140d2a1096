//! Recipes of an organisation's own; the shipped ones are not here.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder};

use crate::{OrganizationId, Reach, RecipeId, Result, Transaction, UserId};

/// The unique index of the name within an organisation.
pub const UNIQUE_NAME: &str = "uq_recipes_organization_id_name";

/// A recipe.
pub type Recipe = Model;

/// A row of `recipes`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recipes")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecipeId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Who made it.
    pub user_id: Option<UserId>,
    /// What it is called, as in its text.
    pub name: String,
    /// The recipe, as TOML.
    pub toml: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Makes one. A taken name is a conflict over [`UNIQUE_NAME`].
pub async fn create<C: ConnectionTrait>(
    db: &C,
    organization: OrganizationId,
    author: UserId,
    name: &str,
    toml: &str,
    now: DateTime<Utc>,
) -> Result<Recipe> {
    let row = ActiveModel {
        id: Set(RecipeId::new(now)),
        organization_id: Set(organization),
        user_id: Set(Some(author)),
        name: Set(name.to_owned()),
        toml: Set(toml.to_owned()),
        created_at: Set(now),
    };
    Ok(row.insert(db).await?)
}

/// The recipe of this id.
pub async fn by_id<C: ConnectionTrait>(db: &C, reach: Reach, id: RecipeId) -> Result<Option<Recipe>> {
    let found = Entity::find_by_id(id).filter(reach.within(Column::OrganizationId, Column::UserId));
    Ok(found.one(db).await?)
}

/// The recipe an organisation has under this name.
pub async fn by_name<C: ConnectionTrait>(
    db: &C,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<Recipe>> {
    if name.contains('\0') {
        return Ok(None);
    }
    let found = Entity::find().filter(Column::OrganizationId.eq(organization)).filter(Column::Name.eq(name));
    Ok(found.one(db).await?)
}

/// All recipes within reach, by name.
pub async fn list<C: ConnectionTrait>(db: &C, reach: Reach) -> Result<Vec<Recipe>> {
    let recipes = Entity::find().filter(reach.within(Column::OrganizationId, Column::UserId));
    let mut recipes = recipes.order_by_asc(Column::Id).all(db).await?;
    // Sorted here: the databases order text by rules of their own.
    recipes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(recipes)
}

/// Puts another text in place of one's own under the same name; the recipe as it is then.
pub async fn set_toml<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: RecipeId,
    toml: &str,
) -> Result<Option<Recipe>> {
    let changed = Entity::update_many()
        .col_expr(Column::Toml, Expr::value(toml))
        .filter(Column::Id.eq(id))
        .filter(reach.within(Column::OrganizationId, Column::UserId))
        .exec_with_returning(db)
        .await?;
    Ok(changed.into_iter().next())
}

/// Deletes one; whether there was one.
pub async fn delete<C: ConnectionTrait>(db: &C, reach: Reach, id: RecipeId) -> Result<bool> {
    let deleted = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(reach.within(Column::OrganizationId, Column::UserId))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected > 0)
}

pub(crate) async fn move_with_author(txn: &Transaction, author: UserId, to: OrganizationId) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::OrganizationId, Expr::value(to));
    update.filter(Column::UserId.eq(author)).exec(txn).await?;
    Ok(())
}
