//! One campaign: how far it is, and what was found.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::campaigns::{Campaign, CampaignDetails, CampaignId};
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::{CAMPAIGNS_READ, CAMPAIGNS_WRITE, SCORING_READ, SCORING_RUN};
use caliber_platform::results::{Filter, Query as ResultsQuery, Status};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde::Deserialize;
use uuid::Uuid;

use super::figures::{CampaignFigures, RunFigures};
use super::filters::money;
use super::notice::Notice;
use super::paging::{Asked, Place, ROWS};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::{Id, Query};
use crate::failure::Failure;
use crate::progress::{Change, changes};
use crate::signed_in::By;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/campaigns/{id}", Sees::Needs(CAMPAIGNS_READ), get(show))
        .page(app, "/campaigns/{id}/progress", Sees::Needs(SCORING_READ), get(watch))
        .page(app, "/campaigns/{id}/cancel", Sees::Needs(SCORING_RUN), post(cancel))
        .page(app, "/campaigns/{id}/delete", Sees::Needs(CAMPAIGNS_WRITE), post(delete))
}

#[derive(Template, WebTemplate)]
#[template(path = "campaign.html")]
struct CampaignPage {
    shell: Shell,
    campaign: CampaignFigures,
    /// The report, where there is one.
    upload: Option<Uuid>,
    progress: Progress,
    is_processing: bool,
    results: Option<Results>,
}

/// Rows of the results.
struct Results {
    rows: Vec<Row>,
    search: String,
    place: Place,
}

struct Row {
    name: String,
    score: f64,
    status: Status,
    impressions: f64,
    spend: Option<String>,
    percentile: u8,
}

impl Row {
    fn status_key(&self) -> &'static str {
        match self.status {
            Status::Good => "band-good",
            Status::Moderate => "band-moderate",
            Status::Poor => "band-poor",
        }
    }

    fn band(&self) -> &'static str {
        match self.status {
            Status::Good => "good",
            Status::Moderate => "moderate",
            Status::Poor => "poor",
        }
    }
}

/// How far a campaign is: a part of its page, sent again and again.
#[derive(Clone, Debug, PartialEq, Template)]
#[template(path = "progress.html")]
struct Progress {
    id: Uuid,
    percentage: f64,
    step: &'static str,
    rows: u64,
    total: Option<u64>,
    /// Rows a second since somebody watches.
    rate: Option<f64>,
    seconds_left: Option<i64>,
}

impl Progress {
    fn of(campaign: &Campaign, now: DateTime<Utc>) -> Self {
        let left = campaign.estimated_completion.map(|end| (end - now).num_seconds().max(0));
        Self {
            id: campaign.id.0,
            percentage: campaign.progress_percentage,
            step: step_key(campaign.current_step.as_deref()),
            rows: u64::try_from(campaign.processed_records).unwrap_or_default(),
            total: campaign.total_records.and_then(|total| u64::try_from(total).ok()),
            rate: None,
            seconds_left: left,
        }
    }
}

fn step_key(step: Option<&str>) -> &'static str {
    match step {
        Some("loading_data") => "step-loading-data",
        Some("preprocessing") => "step-preprocessing",
        Some("normalizing") => "step-normalizing",
        Some("scoring") => "step-scoring",
        Some("finalizing") => "step-finalizing",
        Some("completed") => "step-completed",
        _ => "step-initializing",
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(flatten)]
    page: Asked,
    #[serde(default)]
    search: String,
}

async fn show(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    Query(wanted): Query<Wanted>,
) -> Result<CampaignPage, Failure> {
    let details = app.platform.campaigns().get(&caller, CampaignId(id)).await?;
    let campaign = CampaignFigures::of(&details);
    let results = match &campaign.scored {
        Some(run) => Some(results(&app, &caller, &details, run, wanted).await?),
        None => None,
    };
    Ok(CampaignPage {
        shell,
        upload: details.file.as_ref().map(|file| file.id.0),
        is_processing: campaign.status_key() == "status-processing",
        progress: Progress::of(&details.campaign, app.platform.now()),
        campaign,
        results,
    })
}

/// A page of the rows, the best first.
async fn results(
    app: &App,
    caller: &Caller,
    details: &CampaignDetails,
    run: &RunFigures,
    wanted: Wanted,
) -> Result<Results, Failure> {
    let current = app.platform.current_results().current(caller, details.campaign.id).await?;
    let table = app.platform.current_results().table(&current.run).await?;
    let search = wanted.search.trim().to_owned();
    let query = ResultsQuery {
        filter: Filter {
            search: Some(search.clone()).filter(|search| !search.is_empty()),
            ..Filter::default()
        },
        page: usize::try_from(wanted.page.number()).unwrap_or(usize::MAX),
        per_page: ROWS as usize,
        ..ResultsQuery::default()
    };
    let currency = run.currency.clone();
    // Sorting and searching a million rows would hold up what else this thread serves.
    let (rows, total) = tokio::task::spawn_blocking(move || {
        let page = table.page(&query).map_err(|error| Failure::invalid(error.field, error.message))?;
        let rows = page.rows.iter().map(|row| {
            let row = table.row(*row);
            Row {
                name: row.domain_display,
                score: row.score.0,
                status: row.quality_status,
                impressions: row.impressions.0,
                spend: row.spend.map(|spend| money(spend.0, currency.as_deref())),
                percentile: row.percentile_rank,
            }
        });
        Ok::<_, Failure>((rows.collect::<Vec<_>>(), page.total as u64))
    })
    .await
    .map_err(caliber_platform::Error::internal)??;
    let path = format!("/campaigns/{}", details.campaign.id);
    let place = Place::new(&wanted.page, rows.len(), total, &path, &[("search", &search)]);
    Ok(Results { rows, search, place })
}

/// The progress as it comes: the event `progress` has the part of the page, `done` says that the page has more now.
async fn watch(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    let first = app.platform.scoring().progress(&caller, CampaignId(id)).await?;
    let clock = app.platform.clone();
    let begun = (Instant::now(), u64::try_from(first.processed_records).unwrap_or_default());
    let view = move |campaign: Campaign| {
        let progress = Progress::of(&campaign, clock.now());
        Progress { rate: rate(begun, progress.rows), ..progress }
    };
    let events = changes(app, caller, first, view).map(event);
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Rows a second since a moment.
fn rate((begun, from): (Instant, u64), rows: u64) -> Option<f64> {
    let seconds = begun.elapsed().as_secs_f64();
    (seconds > 0.5 && rows > from).then(|| (rows - from) as f64 / seconds)
}

fn event(change: Change<Progress>) -> Result<Event, Infallible> {
    let event = Event::default();
    Ok(match change {
        Change::Progress(progress) => event.event("progress").data(progress.render().unwrap_or_default()),
        Change::Done(_) | Change::Failed(_) | Change::Gone => event.event("done").data("done"),
    })
}

async fn cancel(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    app.platform.scoring().cancel(&caller, CampaignId(id)).await?;
    Ok(Redirect::to(&Notice::Cancelled.at(&format!("/campaigns/{id}"))).into_response())
}

async fn delete(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    app.platform.campaigns().delete(&caller, CampaignId(id), true).await?;
    Ok(Redirect::to(&Notice::Deleted.at("/campaigns")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    fn progress() -> Progress {
        Progress {
            id: Uuid::nil(),
            percentage: 41.5,
            step: "step-loading-data",
            rows: 415_000,
            total: Some(1_000_000),
            rate: Some(1_200_000.0),
            seconds_left: Some(75),
        }
    }

    #[test]
    fn a_campaign_that_is_scored_shows_its_figures_and_rows() {
        let row = Row {
            name: "<b>Pérez.example".to_owned(),
            score: 71.26,
            status: Status::Good,
            impressions: 12_345.0,
            spend: Some("$12.00".to_owned()),
            percentile: 93,
        };
        let place = Place::new(&Asked::default(), 1, 1, "/campaigns/1", &[]);
        let page = CampaignPage {
            shell: samples::shell(),
            campaign: samples::campaign("Spring", 61.0, Some("USD"), 0.2),
            upload: Some(Uuid::nil()),
            progress: progress(),
            is_processing: false,
            results: Some(Results { rows: vec![row], search: String::new(), place }),
        };
        let html = samples::checked(&page);
        assert!(html.contains("12,345") && html.contains("$200.00") && html.contains("71.3"), "{html}");
    }

    #[test]
    fn a_campaign_that_is_being_scored_can_be_watched_without_scripts() {
        let page = CampaignPage {
            shell: samples::shell(),
            campaign: samples::campaign("Spring", 61.0, None, 0.0),
            upload: None,
            progress: progress(),
            is_processing: true,
            results: None,
        };
        let html = samples::checked(&page);
        assert!(html.contains("<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>"), "{html}");
        assert!(
            html.contains("415,000") && html.contains("1,200,000") && html.contains("1 min 15 s"),
            "{html}"
        );
    }
}
