//! A campaign that was scored: its results, what other weights would make of them, its lists, what changed.
//!
//! A file a page; all stand under the same head with its tabs.

mod compare;
mod explanation;
mod grid;
mod grid_state;
mod list_drafts;
mod overview;
mod what_if;
mod written;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use caliber_platform::campaigns::{AnalysisLevel, CampaignDetails, CampaignId};
use caliber_platform::identity::Caller;
use caliber_platform::scoring::RunConfig;
use uuid::Uuid;

use super::campaign::Progress;
use super::figures::CampaignFigures;
use crate::App;
use crate::failure::{Failure, FailureCode};

pub(super) use overview::overview;

pub(super) fn routes(app: &App) -> Router<App> {
    overview::routes(app)
        .merge(explanation::routes(app))
        .merge(what_if::routes(app))
        .merge(list_drafts::routes(app))
        .merge(compare::routes(app))
}

/// The pages of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Results,
    WhatIf,
    Lists,
    Compare,
}

/// What stands above every page of a scored campaign.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) campaign: CampaignFigures,
    /// The name of the recipe of the results that are shown.
    pub(super) recipe: String,
    /// The run that is shown.
    pub(super) run: Uuid,
    /// The report, where it is still there.
    pub(super) upload: Option<Uuid>,
    /// Whether rows are supply vendors, and not sites.
    pub(super) is_of_vendors: bool,
    /// Whether outliers were treated after scoring.
    pub(super) is_treated: bool,
    /// How far another run is.
    pub(super) progress: Option<Progress>,
    pub(super) tab: Tab,
}

impl Head {
    /// `None` where nothing is scored.
    pub(super) fn of(details: &CampaignDetails, progress: Option<Progress>, tab: Tab) -> Option<Self> {
        let run = details.current_run.as_ref()?;
        let config = RunConfig::shown(&run.config);
        Some(Self {
            campaign: CampaignFigures::of(details),
            recipe: config["recipe"].as_str().unwrap_or_default().to_owned(),
            run: run.id.0,
            upload: details.file.as_ref().map(|file| file.id.0),
            is_of_vendors: details.campaign.analysis_level == AnalysisLevel::SupplyVendor,
            is_treated: config["treatment"].is_object(),
            progress,
            tab,
        })
    }

    pub(super) fn path(&self) -> String {
        path_of(self.campaign.id)
    }

    pub(super) fn is_at(&self, tab: Tab) -> bool {
        self.tab == tab
    }

    /// The key of what rows are.
    pub(super) fn rows_key(&self) -> &'static str {
        if self.is_of_vendors { "rows-vendors" } else { "rows-sites" }
    }

    /// The key of what one row is.
    pub(super) fn row_key(&self) -> &'static str {
        if self.is_of_vendors { "row-vendor" } else { "row-site" }
    }
}

/// The address of a campaign.
fn path_of(id: Uuid) -> String {
    format!("/campaigns/{id}")
}

/// The head of a page of a campaign that has results.
async fn head_of(app: &App, caller: &Caller, id: Uuid, tab: Tab) -> Result<Head, Failure> {
    let details = app.platform.campaigns().get(caller, CampaignId(id)).await?;
    let progress = Progress::of_running(&details.campaign, app.platform.now());
    Head::of(&details, progress, tab).ok_or_else(|| {
        let message = "the campaign has not been scored yet; its page says what is missing";
        Failure::new(FailureCode::NotScored, message)
    })
}

/// Whether a script asks for the part of a page that has this id, and not for the page.
fn is_part(headers: &HeaderMap, id: &str) -> bool {
    let target = headers.get("hx-target").and_then(|value| value.to_str().ok());
    headers.contains_key("hx-request") && target == Some(id)
}

/// An address that answers with a page or with a part of it: a cache must not take one for the other.
fn varying(page: impl IntoResponse) -> Response {
    ([("vary", "HX-Request, HX-Target")], page).into_response()
}

/// Runs what takes its time on a thread that may.
async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(caliber_platform::Error::internal)?
}

/// The head of a campaign whose name and recipe are markup.
#[cfg(test)]
fn sample_head(tab: Tab) -> Head {
    Head {
        campaign: super::samples::campaign("Spring <b>P\u{e9}rez</b>", 61.0, Some("USD"), 0.2),
        recipe: "<b>P\u{e9}rez".to_owned(),
        run: Uuid::nil(),
        upload: Some(Uuid::nil()),
        is_of_vendors: false,
        is_treated: true,
        progress: None,
        tab,
    }
}
