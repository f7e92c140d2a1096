//! Campaign templates: settings to be used again.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, Condition, QueryOrder};

use crate::campaigns::{self, AnalysisLevel, Channel, Goal, Settings};
use crate::{Attempt, OrganizationId, Page, Reach, Result, TemplateId, Transaction, UserId, Window, paging};

/// A template.
pub type Template = Model;

/// A row of `campaign_templates`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_templates")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TemplateId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// What it is called.
    pub name: String,
    /// See [`Settings`], as all that follow.
    pub campaign_type: String,
    /// What campaigns are after.
    pub goal: Goal,
    /// Where ads run.
    pub channel: Channel,
    /// Whether clicks count more.
    pub ctr_sensitivity: bool,
    /// What is scored.
    pub analysis_level: AnalysisLevel,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What campaigns made from it are scored by.
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

/// Makes one.
pub async fn create<C: ConnectionTrait>(
    db: &C,
    organization: OrganizationId,
    author: UserId,
    name: &str,
    settings: Settings,
    now: DateTime<Utc>,
) -> Result<Template> {
    let row = ActiveModel {
        id: Set(TemplateId::new(now)),
        organization_id: Set(organization),
        created_by: Set(Some(author)),
        name: Set(name.to_owned()),
        campaign_type: Set(settings.campaign_type),
        goal: Set(settings.goal),
        channel: Set(settings.channel),
        ctr_sensitivity: Set(settings.ctr_sensitivity),
        analysis_level: Set(settings.analysis_level),
        created_at: Set(now),
    };
    Ok(row.insert(db).await?)
}

/// The template of this id.
pub async fn by_id<C: ConnectionTrait>(db: &C, reach: Reach, id: TemplateId) -> Result<Option<Template>> {
    let found = Entity::find_by_id(id).filter(reach.within(Column::OrganizationId, Column::CreatedBy));
    Ok(found.one(db).await?)
}

/// Templates within reach, newest first.
pub async fn list<C: ConnectionTrait>(db: &C, reach: Reach, window: Window) -> Result<Page<Template>> {
    let templates = Entity::find()
        .filter(reach.within(Column::OrganizationId, Column::CreatedBy))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    paging::page(db, templates, window).await
}

/// Deletes one; refused while a campaign was made from it. A campaign made from it at the same moment is a
/// [`crate::StoreError::Reference`].
pub async fn delete<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    id: TemplateId,
) -> Result<Attempt<(), Template>> {
    let unused = Condition::all().add(Expr::exists(campaigns::ids_of_template(id)).not());
    let deleted = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(reach.within(Column::OrganizationId, Column::CreatedBy))
        .filter(unused)
        .exec(db)
        .await?;
    if deleted.rows_affected > 0 {
        return Ok(Attempt::Done(()));
    }
    Ok(by_id(db, reach, id).await?.map_or(Attempt::Missing, Attempt::Refused))
}

pub(crate) async fn move_with_author(txn: &Transaction, author: UserId, to: OrganizationId) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::OrganizationId, Expr::value(to));
    update.filter(Column::CreatedBy.eq(author)).exec(txn).await?;
    Ok(())
}
