//! Scoring a campaign: asked for, watched, cancelled. The work itself is a job (`jobs/score_campaign.rs`).

mod reading;

use caliber_engine::recipe::{Dimension, Recipe};

pub use caliber_engine::Scale;
pub use caliber_engine::lists::ListPolicy;
pub use caliber_engine::normalize::Normalization;
pub use reading::Reading;

use caliber_store::campaigns::{self, Campaign, CampaignStatus, Outcome};
use caliber_store::queue::{self, Cancel};
use caliber_store::runs::NewRun;
use caliber_store::{Attempt, CampaignId, JobId, RunId, Window, uploads};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Platform;
use crate::campaigns::{engine_channel, engine_dimension, engine_goal, missing};
use crate::error::{Conflict, Error, Result};
use crate::identity::Caller;
use crate::jobs::score_campaign;
use crate::recipes;

/// The use cases of scoring.
#[derive(Clone, Copy, Debug)]
pub struct Scoring<'a>(pub(crate) &'a Platform);

/// What a call may ask for beside the campaign's settings.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Score again what has results.
    pub force_reprocess: bool,
    /// A recipe by name, whatever the settings say.
    pub recipe: Option<String>,
    /// How metrics are brought to one scale.
    pub normalization: Option<Normalization>,
    /// The least impressions of a scored row.
    pub min_impressions: Option<u64>,
    /// How rows get on the lists.
    pub list_policy: Option<ListPolicy>,
    /// The share of rows on each list.
    pub list_share: Option<f64>,
    /// How the report is read.
    pub reading: Reading,
}

/// Everything a run goes by, fixed when it is asked for: what is changed later does not touch it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunConfig {
    /// The recipe's text: it may be changed or deleted while the run waits.
    pub recipe_toml: String,
    /// The recipe's name.
    pub recipe: String,
    /// The DSP.
    pub platform: String,
    /// Where the ads run.
    pub channel: caliber_engine::recipe::Channel,
    /// What the campaign is for.
    pub goal: caliber_engine::recipe::Goal,
    /// Whether clicks count more.
    pub ctr_sensitivity: bool,
    /// What is scored.
    pub dimension: Dimension,
    /// How metrics are brought to one scale.
    pub normalization: Normalization,
    /// The least impressions of a scored row; the recipe's where none.
    pub min_impressions: Option<u64>,
    /// How rows get on the lists.
    pub list_policy: ListPolicy,
    /// The share of rows on each list, in (0, 0.5].
    pub list_share: f64,
    /// How the report is read.
    #[serde(flatten)]
    pub reading: Reading,
    /// Names that are never blocked.
    pub protected: Vec<String>,
    /// What was done about outliers after scoring; nothing where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<serde_json::Value>,
}

impl RunConfig {
    /// As it is shown: without the recipe's text.
    pub fn shown(config: &serde_json::Value) -> serde_json::Value {
        let mut shown = config.clone();
        if let Some(fields) = shown.as_object_mut() {
            fields.shift_remove("recipe_toml");
        }
        shown
    }
}

/// A run that was asked for.
#[derive(Clone, Debug)]
pub struct Started {
    /// The job that does it.
    pub job: JobId,
    /// The run.
    pub run: RunId,
    /// What it goes by.
    pub config: serde_json::Value,
}

impl Scoring<'_> {
    /// Queues a run of a campaign. Of many calls at once one is taken.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`] where one is under way, there are results already, or
    /// there is no report.
    pub async fn start(&self, caller: &Caller, id: CampaignId, options: StartOptions) -> Result<Started> {
        let db = self.0.store().db();
        let campaign = campaigns::by_id(db, caller.writes(), id).await?.ok_or_else(missing)?;
        if campaign.status == CampaignStatus::Processing {
            return Err(already_running());
        }
        if campaign.current_run_id.is_some() && !options.force_reprocess {
            let message = "the campaign is scored; give force_reprocess to score it again";
            return Err(Error::conflict(Conflict::AlreadyScored, message));
        }
        let no_file = || Error::conflict(Conflict::NoFile, "the campaign has no report yet; upload one");
        let upload = uploads::of_campaign(db, id).await?.ok_or_else(no_file)?;
        let config = serde_json::to_value(self.config(&campaign, options).await?).map_err(Error::internal)?;

        let now = self.0.now();
        let (run, job) = (RunId::new(now), JobId::new(now));
        let txn = self.0.store().begin().await?;
        let new = NewRun { id: run, upload_id: Some(upload.id), job_id: Some(job), config: config.clone() };
        match campaigns::start(&txn, caller.writes(), id, new, now).await? {
            Attempt::Done(_) => {}
            Attempt::Missing => return Err(missing()),
            Attempt::Refused(_) => return Err(already_running()),
        }
        queue::enqueue(&txn, score_campaign::job(job, &campaign, run), now).await?;
        txn.commit().await?;
        Ok(Started { job, run, config: RunConfig::shown(&config) })
    }

    async fn config(&self, campaign: &Campaign, options: StartOptions) -> Result<RunConfig> {
        if options.list_share.is_some_and(|share| !(share > 0.0 && share <= 0.5)) {
            return Err(Error::invalid("list_share", "is above 0 and up to 0.5"));
        }
        let book = self.0.recipes().book(campaign.organization_id).await?;
        let reading = options.reading.checked(&book)?;
        let (channel, goal) = (engine_channel(campaign.channel), engine_goal(campaign.goal));
        let shipped = self.0.book();
        let recipe: &Recipe = match &options.recipe {
            Some(name) => book.by_name(name),
            None => recipes::usual(&shipped, &book, &campaign.settings()),
        }
        .map_err(|error| Error::invalid("recipe", told(&error)))?;
        Ok(RunConfig {
            recipe_toml: recipe.to_toml().map_err(Error::internal)?,
            recipe: recipe.name.clone(),
            platform: campaign.campaign_type.clone(),
            channel,
            goal,
            ctr_sensitivity: campaign.ctr_sensitivity,
            dimension: engine_dimension(campaign.analysis_level),
            normalization: options.normalization.unwrap_or_default(),
            min_impressions: options.min_impressions,
            list_policy: options.list_policy.unwrap_or_default(),
            list_share: options.list_share.unwrap_or(0.25),
            reading,
            protected: self.0.lists().protected(campaign).await?,
            treatment: None,
        })
    }

    /// What the last run of a campaign went by, however it ended; nothing before any run.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn last_config(&self, caller: &Caller, id: CampaignId) -> Result<Option<RunConfig>> {
        let db = self.0.store().db();
        campaigns::by_id(db, caller.reads(), id).await?.ok_or_else(missing)?;
        let last = caliber_store::runs::list(db, id, Window::first(1)).await?.rows.pop();
        last.map(|run| serde_json::from_value(run.config.0)).transpose().map_err(Error::internal)
    }

    /// How far a campaign is: its row alone, since whoever watches asks again and again.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn progress(&self, caller: &Caller, id: CampaignId) -> Result<Campaign> {
        campaigns::by_id(self.0.store().db(), caller.reads(), id).await?.ok_or_else(missing)
    }

    /// Stops the run of a campaign.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] where none is under way.
    pub async fn cancel(&self, caller: &Caller, id: CampaignId) -> Result<Campaign> {
        let db = self.0.store().db();
        let campaign = campaigns::by_id(db, caller.writes(), id).await?.ok_or_else(missing)?;
        let idle = || Error::conflict(Conflict::WrongState, "the campaign is not being scored");
        let run = campaign.active_run_id.ok_or_else(idle)?;
        let found = caliber_store::runs::by_id(db, id, run).await?.ok_or_else(idle)?;
        let now = self.0.now();
        let txn = self.0.store().begin().await?;
        // The campaign is free at once; a worker that is at it finds its run ended, and publishes nothing.
        if !campaigns::fail(&txn, id, run, Outcome::Cancelled, now).await? {
            return Err(idle());
        }
        if let Some(job) = found.job_id {
            let _: Cancel = queue::cancel(&txn, caller.writes(), job, now).await?;
        }
        txn.commit().await?;
        self.progress(caller, id).await
    }
}

pub(crate) fn already_running() -> Error {
    Error::conflict(Conflict::AlreadyRunning, "the campaign is being scored already")
}

/// An engine's error for a person: what, and what to do.
pub(crate) fn told(error: &caliber_engine::Error) -> String {
    match &error.help {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

/// The same for whoever does not sit at the command line: what to do is told where it is no flag.
pub(crate) fn told_plainly(error: &caliber_engine::Error) -> String {
    match &error.help {
        Some(help) if !help.contains("--") => format!("{error}; {help}"),
        _ => error.to_string(),
    }
}

/// An engine's error as the command line prints it under `--json`.
pub(crate) fn error_document(error: &caliber_engine::Error) -> serde_json::Value {
    json!({
        "code": error.code, "message": error.message, "file": error.file, "line": error.line,
        "column": error.column, "help": error.help,
    })
}
