//! `/campaigns`: campaigns and their reports.

use axum::extract::State;
use caliber_platform::Window;
use caliber_platform::campaigns::{
    CampaignDetails, CampaignId, Filter, Progress, Settings, SettingsChange, SettingsFrom, TemplateId,
};
use caliber_platform::identity::permissions::{CAMPAIGNS_READ, CAMPAIGNS_WORK, CAMPAIGNS_WRITE};
use caliber_platform::scoring::RunConfig;
use caliber_platform::uploads::Upload;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::upload::{Form, ReportForm};
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Created, Nothing};
use crate::extract::{Body, Id, Query};
use crate::failure::{Failure, FailureBody};
use crate::signed_in::By;
use crate::words::{AnalysisLevel, CampaignStatus, Channel, Goal};

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(CAMPAIGNS_WRITE), routes!(create))
        .with(app, Access::Needs(CAMPAIGNS_READ), routes!(list))
        .with(app, Access::Needs(CAMPAIGNS_READ), routes!(get))
        .with(app, Access::Needs(CAMPAIGNS_WRITE), routes!(update))
        .with(app, Access::Needs(CAMPAIGNS_WORK), routes!(set_status))
        .with(app, Access::Needs(CAMPAIGNS_WORK), routes!(set_progress))
        .with(app, Access::Needs(CAMPAIGNS_WRITE), routes!(delete))
        .with(app, Access::Needs(CAMPAIGNS_WRITE), routes!(upload))
}

/// A report's file, as its campaign shows it.
#[derive(Serialize, ToSchema)]
struct FileOfCampaign {
    id: Uuid,
    #[schema(example = "trade-desk-october.csv")]
    filename: String,
    #[schema(example = 1_048_576)]
    size: i64,
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
}

impl From<&Upload> for FileOfCampaign {
    fn from(upload: &Upload) -> Self {
        Self {
            id: upload.id.0,
            filename: upload.filename.clone(),
            size: upload.size,
            sha256: upload.sha256.clone(),
        }
    }
}

/// A campaign.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaign)]
pub(super) struct CampaignView {
    id: Uuid,
    user_id: Uuid,
    #[schema(example = "Spring launch")]
    name: String,
    #[schema(example = "trade_desk")]
    campaign_type: String,
    goal: Goal,
    channel: Channel,
    ctr_sensitivity: bool,
    analysis_level: AnalysisLevel,
    status: CampaignStatus,
    template_id: Option<Uuid>,
    file: Option<FileOfCampaign>,
    /// Where the report is stored, below the storage.
    file_path: Option<String>,
    /// Rows of the report.
    total_records: Option<i64>,
    /// Rows read so far.
    processed_records: i64,
    /// 0 to 100.
    #[schema(example = 100.0)]
    progress_percentage: f64,
    #[schema(example = "completed")]
    current_step: Option<String>,
    error_message: Option<String>,
    /// Of the results shown.
    #[schema(example = 61.4)]
    campaign_score: Option<f64>,
    /// What the results shown were scored by.
    #[schema(value_type = Option<Object>)]
    scoring_config_snapshot: Option<Value>,
    /// `quality.json` of the results shown.
    #[schema(value_type = Option<Object>)]
    data_quality_report: Option<Value>,
    /// Which header served which column.
    #[schema(value_type = Option<Vec<Object>>)]
    column_mapping_used: Option<Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

impl From<CampaignDetails> for CampaignView {
    fn from(CampaignDetails { campaign, file, current_run }: CampaignDetails) -> Self {
        let quality = current_run.as_ref().and_then(|run| run.quality.clone());
        Self {
            id: campaign.id.0,
            user_id: campaign.user_id.0,
            name: campaign.name,
            campaign_type: campaign.campaign_type,
            goal: campaign.goal.into(),
            channel: campaign.channel.into(),
            ctr_sensitivity: campaign.ctr_sensitivity,
            analysis_level: campaign.analysis_level.into(),
            status: campaign.status.into(),
            template_id: campaign.template_id.map(|id| id.0),
            file_path: file.as_ref().map(|file| file.storage_key.clone()),
            file: file.as_ref().map(FileOfCampaign::from),
            total_records: campaign.total_records,
            processed_records: campaign.processed_records,
            progress_percentage: campaign.progress_percentage,
            current_step: campaign.current_step,
            error_message: campaign.error_message,
            campaign_score: current_run.as_ref().and_then(|run| run.campaign_score),
            scoring_config_snapshot: current_run.as_ref().map(|run| RunConfig::shown(&run.config)),
            column_mapping_used: quality.as_ref().and_then(|quality| quality.get("mapping").cloned()),
            data_quality_report: quality.map(|quality| quality.0),
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
            completed_at: campaign.completed_at,
        }
    }
}

/// A template's id, or the settings themselves; not both.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"name": "Spring launch", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"}))]
struct NewCampaign {
    /// 1 to 255 characters.
    name: String,
    template_id: Option<Uuid>,
    campaign_type: Option<String>,
    goal: Option<Goal>,
    channel: Option<Channel>,
    ctr_sensitivity: Option<bool>,
    analysis_level: Option<AnalysisLevel>,
}

impl NewCampaign {
    fn settings(&self) -> Result<SettingsFrom, Failure> {
        let missing =
            |field: &str| Failure::invalid(field, "is missing; give the settings, or a template_id");
        let Some(template) = self.template_id else {
            return Ok(SettingsFrom::Call(Settings {
                campaign_type: self.campaign_type.clone().ok_or_else(|| missing("campaign_type"))?,
                goal: self.goal.ok_or_else(|| missing("goal"))?.into(),
                channel: self.channel.ok_or_else(|| missing("channel"))?.into(),
                ctr_sensitivity: self.ctr_sensitivity.unwrap_or_default(),
                analysis_level: self.analysis_level.unwrap_or_default().into(),
            }));
        };
        let also = [
            ("campaign_type", self.campaign_type.is_some()),
            ("goal", self.goal.is_some()),
            ("channel", self.channel.is_some()),
            ("ctr_sensitivity", self.ctr_sensitivity.is_some()),
            ("analysis_level", self.analysis_level.is_some()),
        ];
        match also.into_iter().find(|(_, is_given)| *is_given) {
            Some((field, _)) => {
                Err(Failure::invalid(field, "comes from the template; give one or the other"))
            }
            None => Ok(SettingsFrom::Template(TemplateId(template))),
        }
    }
}

/// Make a campaign.
#[utoipa::path(post, path = "", tag = "campaigns", request_body = NewCampaign,
    responses((status = 201, body = Answer<CampaignView>)))]
async fn create(
    State(app): State<App>,
    By(caller): By,
    Body(new): Body<NewCampaign>,
) -> Result<Created<CampaignView>, Failure> {
    let settings = match new.settings()? {
        SettingsFrom::Call(settings) if new.analysis_level.is_none() => {
            SettingsFrom::Call(app.platform.campaigns().with_usual_level(&caller, settings).await?)
        }
        settings => settings,
    };
    Ok(Created(app.platform.campaigns().create(&caller, &new.name, settings).await?.into()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CampaignQuery {
    /// Campaigns to leave out at the beginning.
    #[param(minimum = 0, default = 0)]
    #[serde(default)]
    skip: i64,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    #[serde(default = "usual_limit")]
    limit: i64,
    status: Option<CampaignStatus>,
    /// Part of the name; upper and lower case are one.
    search: Option<String>,
}

fn usual_limit() -> i64 {
    20
}

/// Campaigns and how many there are.
#[derive(Serialize, ToSchema)]
struct Campaigns {
    campaigns: Vec<CampaignView>,
    #[schema(example = 1)]
    total: u64,
}

/// Campaigns, newest first.
#[utoipa::path(get, path = "", tag = "campaigns", params(CampaignQuery),
    responses((status = 200, body = Answer<Campaigns>)))]
async fn list(
    State(app): State<App>,
    By(caller): By,
    Query(query): Query<CampaignQuery>,
) -> Result<Answer<Campaigns>, Failure> {
    let skip = u64::try_from(query.skip).map_err(|_| Failure::invalid("skip", "is 0 or more"))?;
    let limit = u64::try_from(query.limit).ok().filter(|limit| (1..=100).contains(limit));
    let limit = limit.ok_or_else(|| Failure::invalid("limit", "is a whole number from 1 to 100"))?;
    let filter = Filter { status: query.status.map(Into::into), search: query.search };
    let page = app.platform.campaigns().list(&caller, &filter, Window { skip, limit }).await?;
    let campaigns = page.rows.into_iter().map(CampaignView::from).collect();
    Ok(Answer::new(Campaigns { campaigns, total: page.total }))
}

/// One campaign.
#[utoipa::path(get, path = "/{id}", tag = "campaigns", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<CampaignView>)))]
async fn get(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<CampaignView>, Failure> {
    Ok(Answer::new(app.platform.campaigns().get(&caller, CampaignId(id)).await?.into()))
}

/// The name always; settings while pending or failed.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"name": "Spring launch, second flight"}))]
struct CampaignChange {
    name: Option<String>,
    campaign_type: Option<String>,
    goal: Option<Goal>,
    channel: Option<Channel>,
    ctr_sensitivity: Option<bool>,
    analysis_level: Option<AnalysisLevel>,
}

/// Change a campaign.
#[utoipa::path(put, path = "/{id}", tag = "campaigns", params(("id" = Uuid, Path)), request_body = CampaignChange,
    responses((status = 200, body = Answer<CampaignView>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn update(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Body(change): Body<CampaignChange>,
) -> Result<Answer<CampaignView>, Failure> {
    let settings = SettingsChange {
        campaign_type: change.campaign_type,
        goal: change.goal.map(Into::into),
        channel: change.channel.map(Into::into),
        ctr_sensitivity: change.ctr_sensitivity,
        analysis_level: change.analysis_level.map(Into::into),
    };
    Ok(Answer::new(
        app.platform.campaigns().update(&caller, CampaignId(id), change.name, settings).await?.into(),
    ))
}

/// What a worker elsewhere says, as a body or in the query.
#[derive(Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[schema(example = json!({"status": "processing"}))]
struct StatusChange {
    status: Option<CampaignStatus>,
    error_message: Option<String>,
}

/// Say which status a campaign that is worked on elsewhere goes to.
#[utoipa::path(put, path = "/{id}/status", tag = "campaigns", params(("id" = Uuid, Path), StatusChange),
    request_body = Option<StatusChange>,
    responses((status = 200, body = Answer<CampaignView>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn set_status(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(query): Query<StatusChange>,
    body: Option<Body<StatusChange>>,
) -> Result<Answer<CampaignView>, Failure> {
    let change = body.map_or(query, |Body(change)| change);
    let status = change.status.ok_or_else(|| Failure::invalid("status", "is missing"))?;
    let campaigns = app.platform.campaigns();
    let set = campaigns.set_status(&caller, CampaignId(id), status.into(), change.error_message).await?;
    Ok(Answer::new(set.into()))
}

/// How far a campaign is that is worked on elsewhere, as a body or in the query.
#[derive(Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[schema(example = json!({"progress_percentage": 40.0, "current_step": "scoring"}))]
struct ProgressChange {
    /// 0 to 100.
    progress_percentage: Option<f64>,
    current_step: Option<String>,
    total_records: Option<i64>,
    processed_records: Option<i64>,
}

/// Say how far a campaign is that is worked on elsewhere.
#[utoipa::path(put, path = "/{id}/progress", tag = "campaigns", params(("id" = Uuid, Path), ProgressChange),
    request_body = Option<ProgressChange>,
    responses((status = 200, body = Answer<CampaignView>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn set_progress(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(query): Query<ProgressChange>,
    body: Option<Body<ProgressChange>>,
) -> Result<Answer<CampaignView>, Failure> {
    let change = body.map_or(query, |Body(change)| change);
    let percentage =
        change.progress_percentage.ok_or_else(|| Failure::invalid("progress_percentage", "is missing"))?;
    if !(0.0..=100.0).contains(&percentage) {
        return Err(Failure::invalid("progress_percentage", "is a number from 0 to 100"));
    }
    for (field, count) in
        [("total_records", change.total_records), ("processed_records", change.processed_records)]
    {
        if count.is_some_and(|count| count < 0) {
            return Err(Failure::invalid(field, "is 0 or more"));
        }
    }
    let progress = Progress {
        percentage,
        step: change.current_step.unwrap_or_else(|| "scoring".to_owned()),
        total_records: change.total_records,
        processed_records: change.processed_records.unwrap_or_default(),
        estimated_completion: None,
    };
    Ok(Answer::new(app.platform.campaigns().set_progress(&caller, CampaignId(id), &progress).await?.into()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteQuery {
    /// Also one that is completed, with its results.
    #[serde(default)]
    force: bool,
}

/// Delete a campaign, its report and its results.
#[utoipa::path(delete, path = "/{id}", tag = "campaigns", params(("id" = Uuid, Path), DeleteQuery),
    responses((status = 200, body = Answer<Nothing>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn delete(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(query): Query<DeleteQuery>,
) -> Result<Answer<Nothing>, Failure> {
    app.platform.campaigns().delete(&caller, CampaignId(id), query.force).await?;
    Ok(Answer::done("deleted"))
}

/// Upload a report for a campaign, in place of the one it had.
#[utoipa::path(post, path = "/{id}/upload", tag = "campaigns", params(("id" = Uuid, Path)),
    request_body(content = ReportForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Answer<CampaignView>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn upload(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    mut form: Form,
) -> Result<Created<CampaignView>, Failure> {
    let id = CampaignId(id);
    let file = form.file().await?;
    app.platform.uploads().receive_for(&caller, id, &file.name, file.bytes).await?;
    Ok(Created(app.platform.campaigns().get(&caller, id).await?.into()))
}
