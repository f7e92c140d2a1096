//! `/scoring`: lists, their versions, names by hand.

use axum::extract::State;
use caliber_platform::campaigns::CampaignId;
use caliber_platform::identity::permissions::{LISTS_READ, LISTS_WRITE};
use caliber_platform::lists::{ListOptions, ListVersion, Overrides};
use caliber_platform::results::{List, ListType};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::paging::Pages;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Listing};
use crate::extract::{Body, Id, Query, Words};
use crate::failure::{Failure, FailureBody};
use crate::signed_in::By;
use crate::words::ListPolicy;

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(LISTS_READ), routes!(whitelist))
        .with(app, Access::Needs(LISTS_READ), routes!(blacklist))
        .with(app, Access::Needs(LISTS_READ), routes!(optimization_list))
        .with(app, Access::Needs(LISTS_READ), routes!(versions))
        .with(app, Access::Needs(LISTS_READ), routes!(version))
        .with(app, Access::Needs(LISTS_WRITE), routes!(set_overrides))
}

/// How a list is made; the run's own way where nothing is said.
#[derive(Clone, Copy, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParameters {
    /// The least impressions of a candidate.
    pub(super) min_impressions: Option<u64>,
    /// Above 0 and up to 0.5.
    #[param(default = 0.25)]
    pub(super) share: Option<f64>,
    pub(super) policy: Option<ListPolicy>,
    /// When the list should be made anew: noted in its version.
    pub(super) expires_at: Option<DateTime<Utc>>,
}

impl From<ListParameters> for ListOptions {
    fn from(parameters: ListParameters) -> Self {
        Self {
            min_impressions: parameters.min_impressions,
            share: parameters.share,
            policy: parameters.policy.map(Into::into),
            expires_at: parameters.expires_at,
        }
    }
}

/// A row of a list.
#[derive(Serialize, ToSchema)]
struct ListRowView {
    #[schema(example = "news.example")]
    name: String,
    #[schema(example = 71.4)]
    score: Option<f64>,
    impressions: Option<f64>,
    spend: Option<f64>,
    #[schema(example = "CPM 1.50 adds 6.0 points against the average")]
    reason: String,
}

/// The rule behind a list.
#[derive(Serialize, ToSchema)]
struct CriteriaView {
    #[schema(example = "quartile")]
    policy: String,
    #[schema(example = 250)]
    min_impressions: f64,
    #[schema(example = 0.25)]
    share: f64,
    total_candidates: u64,
    selected_count: u64,
    /// Names that would have been blocked and are protected; not there where there are none.
    protected: Option<Vec<String>>,
}

/// A list.
#[derive(Serialize, ToSchema)]
#[schema(as = List)]
struct ListView {
    #[schema(example = "whitelist")]
    list_type: String,
    campaign_id: Uuid,
    /// In list order.
    #[schema(example = json!(["news.example"]))]
    domains: Vec<String>,
    rows: Vec<ListRowView>,
    criteria_used: CriteriaView,
    total_impressions: f64,
    total_spend: Option<f64>,
    average_score: Option<f64>,
}

/// What to buy. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/whitelist/{id}", tag = "lists", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, body = Answer<ListView>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn whitelist(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(parameters): Query<ListParameters>,
) -> Result<Answer<List>, Failure> {
    let lists = app.platform.lists();
    Ok(Answer::new(lists.take_out(&caller, CampaignId(id), ListType::Whitelist, parameters.into()).await?))
}

/// What to block. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/blacklist/{id}", tag = "lists", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, body = Answer<ListView>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn blacklist(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(parameters): Query<ListParameters>,
) -> Result<Answer<List>, Failure> {
    let lists = app.platform.lists();
    Ok(Answer::new(lists.take_out(&caller, CampaignId(id), ListType::Blacklist, parameters.into()).await?))
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ListTypeWord {
    Whitelist,
    Blacklist,
}

impl From<ListTypeWord> for ListType {
    fn from(word: ListTypeWord) -> Self {
        match word {
            ListTypeWord::Whitelist => Self::Whitelist,
            ListTypeWord::Blacklist => Self::Blacklist,
        }
    }
}

/// Which list, and how it is made.
#[derive(Deserialize, ToSchema)]
struct OptimizationList {
    campaign_id: Uuid,
    list_type: ListTypeWord,
    #[serde(flatten)]
    parameters: ListParameters,
}

/// Either list, asked for with a body.
#[utoipa::path(post, path = "/optimization-list", tag = "lists", request_body = OptimizationList,
    responses((status = 200, body = Answer<ListView>), (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn optimization_list(
    State(app): State<App>,
    By(caller): By,
    Body(asked): Body<OptimizationList>,
) -> Result<Answer<List>, Failure> {
    let lists = app.platform.lists();
    let options = asked.parameters.into();
    let list = lists.take_out(&caller, CampaignId(asked.campaign_id), asked.list_type.into(), options);
    Ok(Answer::new(list.await?))
}

/// A list as it was taken out once.
#[derive(Serialize, ToSchema)]
#[schema(as = ListVersion)]
struct VersionView {
    /// 1, 2, 3 within the campaign.
    number: i64,
    #[schema(value_type = String, example = "blacklist")]
    list_type: String,
    run_id: Uuid,
    author_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    #[schema(example = "quartile")]
    policy: String,
    #[schema(value_type = Object)]
    criteria: Value,
    /// Names that would have been blocked and are protected.
    #[schema(value_type = Vec<String>)]
    protected: Value,
    names_count: i64,
    /// Names that the version before did not have.
    added_count: i64,
    /// Names that only the version before had.
    removed_count: i64,
    /// When it should be made anew, where whoever took it out said so.
    expires_at: Option<DateTime<Utc>>,
}

impl From<ListVersion> for VersionView {
    fn from(version: ListVersion) -> Self {
        Self {
            number: version.number,
            list_type: version.list_type.to_string(),
            run_id: version.run_id.0,
            author_id: version.author_id.map(|id| id.0),
            created_at: version.created_at,
            policy: version.policy,
            protected: version.criteria.get("protected").cloned().unwrap_or_else(|| json!([])),
            criteria: version.criteria.0,
            names_count: version.names_count,
            added_count: version.added,
            removed_count: version.removed,
            expires_at: version.expires_at,
        }
    }
}

/// The versions of a campaign's lists, newest first.
#[utoipa::path(get, path = "/lists/{id}/versions", tag = "lists", params(("id" = Uuid, Path), Pages),
    responses((status = 200, body = Listing<VersionView>)))]
async fn versions(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(pages): Query<Pages>,
) -> Result<Listing<VersionView>, Failure> {
    let page = app.platform.lists().versions(&caller, CampaignId(id), pages.window()?).await?;
    Ok(pages.listing(page.rows.into_iter().map(VersionView::from).collect(), page.total))
}

/// A version with its names.
#[derive(Serialize, ToSchema)]
struct VersionWithNames {
    #[serde(flatten)]
    version: VersionView,
    /// The name of whoever took it out.
    author: Option<String>,
    names: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
}

/// One version of a list, with its names.
#[utoipa::path(get, path = "/lists/{id}/versions/{number}", tag = "lists",
    params(("id" = Uuid, Path), ("number" = i64, Path)), responses((status = 200, body = Answer<VersionWithNames>)))]
async fn version(
    State(app): State<App>,
    By(caller): By,
    Words((id, number)): Words<(String, String)>,
) -> Result<Answer<VersionWithNames>, Failure> {
    let missing = || caliber_platform::Error::not_found("list version");
    let id = Uuid::try_parse(&id).map_err(|_| missing())?;
    let number = number.parse().map_err(|_| missing())?;
    let found = app.platform.lists().version(&caller, CampaignId(id), number).await?;
    Ok(Answer::new(VersionWithNames {
        version: found.version.into(),
        author: found.author,
        names: found.names,
        added: found.added,
        removed: found.removed,
    }))
}

/// Names by hand; what is left out is none.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct OverridesView {
    /// Always on the allowlist, never on the blocklist.
    #[schema(example = json!(["news.example"]))]
    allow: Vec<String>,
    /// Always on the blocklist, never on the allowlist.
    block: Vec<String>,
    /// Never on the blocklist.
    protect: Vec<String>,
}

/// Allow, block and protect names by hand.
#[utoipa::path(put, path = "/lists/{id}/overrides", tag = "lists", params(("id" = Uuid, Path)), request_body = OverridesView,
    responses((status = 200, body = Answer<OverridesView>)))]
async fn set_overrides(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Body(OverridesView { allow, block, protect }): Body<OverridesView>,
) -> Result<Answer<OverridesView>, Failure> {
    let overrides = Overrides { allow, block, protect };
    let Overrides { allow, block, protect } =
        app.platform.lists().set_overrides(&caller, CampaignId(id), overrides).await?;
    Ok(Answer::new(OverridesView { allow, block, protect }))
}
