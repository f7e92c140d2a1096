//! `/campaigns/templates`: settings that campaigns are made from.

use axum::extract::State;
use caliber_platform::campaigns::{Settings, Template, TemplateId};
use caliber_platform::identity::permissions::{TEMPLATES_READ, TEMPLATES_WRITE};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::paging::Pages;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Created, Listing, Nothing};
use crate::extract::{Body, Id, Query};
use crate::failure::{Failure, FailureBody};
use crate::signed_in::By;
use crate::words::{AnalysisLevel, Channel, Goal};

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(TEMPLATES_WRITE), routes!(create_template))
        .with(app, Access::Needs(TEMPLATES_READ), routes!(templates))
        .with(app, Access::Needs(TEMPLATES_READ), routes!(template))
        .with(app, Access::Needs(TEMPLATES_WRITE), routes!(delete_template))
}

/// What a campaign is scored by.
#[derive(Serialize, ToSchema)]
#[schema(as = Template)]
struct TemplateView {
    id: Uuid,
    #[schema(example = "Display, awareness")]
    name: String,
    #[schema(example = "trade_desk")]
    campaign_type: String,
    goal: Goal,
    channel: Channel,
    ctr_sensitivity: bool,
    analysis_level: AnalysisLevel,
    created_at: DateTime<Utc>,
}

impl From<Template> for TemplateView {
    fn from(template: Template) -> Self {
        Self {
            id: template.id.0,
            name: template.name,
            campaign_type: template.campaign_type,
            goal: template.goal.into(),
            channel: template.channel.into(),
            ctr_sensitivity: template.ctr_sensitivity,
            analysis_level: template.analysis_level.into(),
            created_at: template.created_at,
        }
    }
}

#[derive(Deserialize, ToSchema)]
struct NewTemplate {
    #[schema(example = "Display, awareness")]
    name: String,
    /// A platform of a known recipe.
    #[schema(example = "trade_desk")]
    campaign_type: String,
    goal: Goal,
    channel: Channel,
    #[serde(default)]
    ctr_sensitivity: bool,
    /// What the recipe scores, unless given.
    analysis_level: Option<AnalysisLevel>,
}

/// Make a template.
#[utoipa::path(post, path = "/templates", tag = "templates", request_body = NewTemplate,
    responses((status = 201, body = Answer<TemplateView>)))]
async fn create_template(
    State(app): State<App>,
    By(caller): By,
    Body(new): Body<NewTemplate>,
) -> Result<Created<TemplateView>, Failure> {
    let settings = Settings {
        campaign_type: new.campaign_type,
        goal: new.goal.into(),
        channel: new.channel.into(),
        ctr_sensitivity: new.ctr_sensitivity,
        analysis_level: new.analysis_level.unwrap_or_default().into(),
    };
    let settings = match new.analysis_level {
        Some(_) => settings,
        None => app.platform.campaigns().with_usual_level(&caller, settings).await?,
    };
    Ok(Created(app.platform.campaigns().create_template(&caller, &new.name, settings).await?.into()))
}

/// Templates, newest first.
#[utoipa::path(get, path = "/templates", tag = "templates", params(Pages),
    responses((status = 200, body = Listing<TemplateView>)))]
async fn templates(
    State(app): State<App>,
    By(caller): By,
    Query(pages): Query<Pages>,
) -> Result<Listing<TemplateView>, Failure> {
    let page = app.platform.campaigns().templates(&caller, pages.window()?).await?;
    Ok(pages.listing(page.rows.into_iter().map(TemplateView::from).collect(), page.total))
}

/// One template.
#[utoipa::path(get, path = "/templates/{id}", tag = "templates", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<TemplateView>)))]
async fn template(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
) -> Result<Answer<TemplateView>, Failure> {
    Ok(Answer::new(app.platform.campaigns().template(&caller, TemplateId(id)).await?.into()))
}

/// Delete a template that no campaign was made from.
#[utoipa::path(delete, path = "/templates/{id}", tag = "templates", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<Nothing>), (status = 409, description = "`in_use`", body = FailureBody)))]
async fn delete_template(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
) -> Result<Answer<Nothing>, Failure> {
    app.platform.campaigns().delete_template(&caller, TemplateId(id)).await?;
    Ok(Answer::done("deleted"))
}
