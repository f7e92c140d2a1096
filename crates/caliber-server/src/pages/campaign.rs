//! One campaign: how far it is, and what was found.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::campaigns::{Campaign, CampaignId, CampaignStatus};
use caliber_platform::identity::permissions::{CAMPAIGNS_READ, CAMPAIGNS_WRITE, SCORING_READ, SCORING_RUN};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use uuid::Uuid;

use super::figures::CampaignFigures;
use super::notice::Notice;
use super::shell::Shell;
use super::{Guarded, Sees, filters, results};
use crate::App;
use crate::extract::Id;
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
    /// How far it is, while it is being scored.
    progress: Option<Progress>,
}

/// How far a campaign is: a part of its page, sent again and again.
#[derive(Clone, Debug, PartialEq, Template)]
#[template(path = "progress.html")]
pub(super) struct Progress {
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

    /// As [`Progress::of`], while the campaign is being scored.
    pub(super) fn of_running(campaign: &Campaign, now: DateTime<Utc>) -> Option<Self> {
        (campaign.status == CampaignStatus::Processing).then(|| Self::of(campaign, now))
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

async fn show(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let details = app.platform.campaigns().get(&caller, CampaignId(id)).await?;
    let progress = Progress::of_running(&details.campaign, app.platform.now());
    if details.current_run.is_some() {
        let asked = (query.as_deref().unwrap_or_default(), &headers);
        return results::overview(&app, shell, &details, progress, asked).await;
    }
    let upload = details.file.as_ref().map(|file| file.id.0);
    Ok(CampaignPage { shell, upload, progress, campaign: CampaignFigures::of(&details) }.into_response())
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
    let events = changes(app, caller, first, view).map(|change| Ok::<_, Infallible>(event(change)));
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Rows a second since a moment.
fn rate((begun, from): (Instant, u64), rows: u64) -> Option<f64> {
    let seconds = begun.elapsed().as_secs_f64();
    (seconds > 0.5 && rows > from).then(|| (rows - from) as f64 / seconds)
}

fn event(change: Change<Progress>) -> Event {
    let event = Event::default();
    match change {
        Change::Progress(progress) => event.event("progress").data(progress.render().unwrap_or_default()),
        Change::Done(_) | Change::Failed(_) | Change::Gone => event.event("done").data("done"),
    }
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
    fn a_campaign_that_is_being_scored_can_be_watched_without_scripts() {
        let page = CampaignPage {
            shell: samples::shell(),
            campaign: samples::campaign("Spring", 61.0, None, 0.0),
            upload: None,
            progress: Some(progress()),
        };
        let html = samples::checked(&page);
        assert!(html.contains("<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>"), "{html}");
        assert!(
            html.contains("415,000") && html.contains("1,200,000") && html.contains("1 min 15 s"),
            "{html}"
        );
    }
}
