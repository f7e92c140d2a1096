//! `/scoring`: runs, their progress, their results.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use caliber_platform::campaigns::{Campaign, CampaignId};
use caliber_platform::identity::permissions::{SCORING_READ, SCORING_RUN};
use caliber_platform::results::{Query as ResultsQuery, ResultRow};
use caliber_platform::scoring::{Reading, StartOptions};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::paging::{PageOf, Pages};
use super::result_row::ResultRowView;
use super::rows_parameters::RowsParameters;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Accepted, Answer, Listing};
use crate::extract::{Body, Id, Query, Words};
use crate::failure::{Failure, FailureBody, FailureCode};
use crate::progress::{Change, changes};
use crate::signed_in::By;
use crate::words::{CampaignStatus, ListPolicy, Normalization, Scale};

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(SCORING_RUN), routes!(start))
        .with(app, Access::Needs(SCORING_RUN), routes!(cancel))
        .with(app, Access::Needs(SCORING_READ), routes!(progress))
        .with(app, Access::Needs(SCORING_READ), routes!(progress_stream))
        .with(app, Access::Needs(SCORING_READ), routes!(results))
        .with(app, Access::Needs(SCORING_READ), routes!(result))
        .with(app, Access::Needs(SCORING_READ), routes!(summary))
}

/// Which campaign to score, and how.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"campaign_id": "0198c0de-0000-7000-8000-000000000000"}))]
struct Start {
    campaign_id: Uuid,
    /// Score again what has results.
    #[serde(default)]
    force_reprocess: bool,
    /// A recipe by name, whatever the campaign's settings say.
    recipe: Option<String>,
    normalization: Option<Normalization>,
    /// The least impressions of a scored row; 0 keeps all.
    min_impressions: Option<u64>,
    list_policy: Option<ListPolicy>,
    /// Above 0 and up to 0.5.
    list_share: Option<f64>,
    /// Columns mapped by hand: canonical name to header, `#` and a position from 1, or nothing to leave the column out.
    #[serde(default)]
    mapping: BTreeMap<String, String>,
    /// The sheet of a workbook.
    sheet: Option<String>,
    /// Scales of rates where the report leaves them open: canonical name to `percent` or `fraction`.
    #[serde(default)]
    #[schema(example = json!({"ctr": "percent"}))]
    scales: BTreeMap<String, Scale>,
    /// Only rows whose cell under a header (or `#` and a position) is a value, in which `*` stands for anything. All must
    /// hold; at most 20.
    #[serde(default, rename = "where")]
    #[schema(example = json!({"Currency": "EUR"}))]
    filters: BTreeMap<String, String>,
    /// The file has no header row: its first row is data. Needs a mapping by position.
    #[serde(default)]
    no_header: bool,
}

#[derive(Serialize, ToSchema)]
struct Started {
    #[schema(example = "started")]
    status: &'static str,
    job_id: Uuid,
    run_id: Uuid,
    /// Null until it is measured.
    estimated_completion: Option<DateTime<Utc>>,
    /// What the run goes by.
    #[schema(value_type = Object)]
    config_used: Value,
}

/// Score a campaign. Of many calls at once one is taken.
#[utoipa::path(post, path = "/start", tag = "scoring", request_body = Start,
    responses((status = 202, body = Answer<Started>),
        (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`already_running`, `already_scored`, `no_file`", body = FailureBody)))]
async fn start(
    State(app): State<App>,
    By(caller): By,
    Body(start): Body<Start>,
) -> Result<Accepted<Started>, Failure> {
    let options = StartOptions {
        force_reprocess: start.force_reprocess,
        recipe: start.recipe,
        normalization: start.normalization.map(Into::into),
        min_impressions: start.min_impressions,
        list_policy: start.list_policy.map(Into::into),
        list_share: start.list_share,
        reading: Reading {
            mapping: start.mapping,
            sheet: start.sheet,
            scales: start.scales.into_iter().map(|(name, scale)| (name, scale.into())).collect(),
            filters: start.filters,
            no_header: start.no_header,
        },
    };
    let started = app.platform.scoring().start(&caller, CampaignId(start.campaign_id), options).await?;
    Ok(Accepted(Started {
        status: "started",
        job_id: started.job.0,
        run_id: started.run.0,
        estimated_completion: None,
        config_used: started.config,
    }))
}

/// Stop the run of a campaign.
#[utoipa::path(post, path = "/cancel/{id}", tag = "scoring", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<Progress>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn cancel(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<Progress>, Failure> {
    Ok(Answer::new(app.platform.scoring().cancel(&caller, CampaignId(id)).await?.into()))
}

/// How far a campaign is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
struct Progress {
    status: CampaignStatus,
    /// 0 to 100.
    #[schema(example = 42.0)]
    progress_percentage: f64,
    /// initializing, `loading_data`, preprocessing, normalizing, scoring, finalizing or completed.
    #[schema(example = "loading_data")]
    current_step: Option<String>,
    total_records: Option<i64>,
    processed_records: i64,
    estimated_completion: Option<DateTime<Utc>>,
    error_message: Option<String>,
}

impl From<Campaign> for Progress {
    fn from(campaign: Campaign) -> Self {
        Self {
            status: campaign.status.into(),
            progress_percentage: campaign.progress_percentage,
            current_step: campaign.current_step,
            total_records: campaign.total_records,
            processed_records: campaign.processed_records,
            estimated_completion: campaign.estimated_completion,
            error_message: campaign.error_message,
        }
    }
}

/// How far a campaign is; before any start pending, 0.
#[utoipa::path(get, path = "/progress/{id}", tag = "scoring", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<Progress>)))]
async fn progress(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<Progress>, Failure> {
    Ok(Answer::new(app.platform.scoring().progress(&caller, CampaignId(id)).await?.into()))
}

/// The progress as it comes: an event `progress` at once, at each change and each second; at the end `done` or `error`.
#[utoipa::path(get, path = "/progress/{id}/stream", tag = "scoring", params(("id" = Uuid, Path)),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String)))]
async fn progress_stream(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    let first = app.platform.scoring().progress(&caller, CampaignId(id)).await?;
    let events = changes(app, caller, first, Progress::from).map(|change| Ok::<_, Infallible>(event(change)));
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

fn event(change: Change<Progress>) -> Event {
    let (name, progress) = match change {
        Change::Progress(progress) => ("progress", progress),
        Change::Done(progress) => ("done", progress),
        Change::Failed(progress) => ("error", progress),
        Change::Gone => return Event::default().event("error").data("{}"),
    };
    // A progress is plain fields, which always are JSON.
    Event::default().event(name).json_data(progress).unwrap_or_default()
}

/// The results of a campaign, a page at a time.
#[utoipa::path(get, path = "/results/{id}", tag = "scoring", params(("id" = Uuid, Path), Pages, RowsParameters),
    responses((status = 200, body = Listing<ResultRowView>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn results(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(pages): Query<Pages>,
    Query(parameters): Query<RowsParameters>,
) -> Result<Response, Failure> {
    let PageOf { page, per_page } = pages.checked()?;
    let query = ResultsQuery {
        page: usize::try_from(page).unwrap_or(usize::MAX),
        per_page: usize::try_from(per_page).unwrap_or(usize::MAX),
        ..parameters.query()?
    };
    let current = app.platform.current_results().current(&caller, CampaignId(id)).await?;
    let table = app.platform.current_results().table(&current.run).await?;
    let invalid =
        |error: caliber_platform::results::InvalidQuery| Failure::invalid(error.field, error.message);
    // Sorting and searching a million rows would hold up what else this thread serves.
    let answer = tokio::task::spawn_blocking(move || {
        let page = table.page(&query).map_err(invalid)?;
        let rows: Vec<ResultRow<'_>> = page.rows.iter().map(|row| table.row(*row)).collect();
        Ok::<_, Failure>(pages.listing(rows, page.total as u64).into_response())
    });
    answer.await.map_err(|error| Failure::from(caliber_platform::Error::internal(error)))?
}

/// One row of the results.
#[utoipa::path(get, path = "/results/{id}/{domain}", tag = "scoring",
    params(("id" = Uuid, Path), ("domain" = String, Path, description = "Percent-encoded; normalised as the report's names were")),
    responses((status = 200, body = Answer<ResultRowView>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn result(
    State(app): State<App>,
    By(caller): By,
    Words((id, domain)): Words<(String, String)>,
) -> Result<Response, Failure> {
    let id = Uuid::try_parse(&id).map_err(|_| caliber_platform::Error::not_found("campaign"))?;
    let current = app.platform.current_results().current(&caller, CampaignId(id)).await?;
    let table = app.platform.current_results().table(&current.run).await?;
    if let Some(row) = table.find(&domain) {
        return Ok(Answer::new(table.row(row)).into_response());
    }
    let near = table.nearest(&domain).join(", ");
    let near = if near.is_empty() { String::new() } else { format!("; the nearest are {near}") };
    Err(Failure::new(FailureCode::NotFound, format!("the results have no row `{domain}`{near}")))
}

/// The summary of the results: `summary.json`, and which run it is of.
#[utoipa::path(get, path = "/summary/{id}", tag = "scoring", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<Object>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn summary(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<Value>, Failure> {
    let current = app.platform.current_results().current(&caller, CampaignId(id)).await?;
    let mut summary = current.run.summary.as_deref().cloned().unwrap_or_else(|| json!({}));
    if let Some(fields) = summary.as_object_mut() {
        fields.insert("campaign_id".into(), json!(id));
        fields.insert("run_id".into(), json!(current.run.id));
        fields.insert("completed_at".into(), json!(current.campaign.completed_at));
    }
    Ok(Answer::new(summary))
}
