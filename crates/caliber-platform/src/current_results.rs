//! Results as they are shown: the campaign's current run, read once and kept in memory.

use std::sync::Arc;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::Recipe;
use caliber_engine::summary::PriorSummary;
use caliber_reports::read_results_parquet;
use caliber_store::CampaignId;
use caliber_store::campaigns::{self, Campaign};
use caliber_store::runs::{self, Run};

use crate::Platform;
use crate::campaigns::missing;
use crate::error::{Conflict, Error, Result};
use crate::identity::Caller;
use crate::results::ResultsTable;
use crate::scoring::RunConfig;

/// The use cases of results.
#[derive(Clone, Copy, Debug)]
pub struct CurrentResults<'a>(pub(crate) &'a Platform);

/// The run that a campaign shows.
#[derive(Clone, Debug)]
pub struct CurrentRun {
    /// The campaign.
    pub campaign: Campaign,
    /// The run.
    pub run: Run,
}

impl CurrentResults<'_> {
    /// The run whose results a campaign shows, whatever is under way.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] where no run was ever whole.
    pub async fn current(&self, caller: &Caller, id: CampaignId) -> Result<CurrentRun> {
        let db = self.0.store().db();
        let campaign = campaigns::by_id(db, caller.reads(), id).await?.ok_or_else(missing)?;
        let not_scored = || Error::conflict(Conflict::NotScored, "the campaign has not been scored yet");
        let run = campaign.current_run_id.ok_or_else(not_scored)?;
        let run = runs::by_id(db, id, run).await?.ok_or_else(not_scored)?;
        Ok(CurrentRun { campaign, run })
    }

    /// The results of a run, from memory or from the storage.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn table(&self, run: &Run) -> Result<Arc<ResultsTable>> {
        let loaded = self.0.results().get_or_load(run.id, self.load(run)).await;
        loaded.map_err(|error| {
            Error::internal(format!("the results of run {} are not readable: {error:?}", run.id))
        })
    }

    async fn load(&self, run: &Run) -> Result<ResultsTable> {
        let gone = || Error::internal(format!("run {} has no results", run.id));
        let key = run.results_key.clone().ok_or_else(gone)?;
        let copy = self.0.objects().local_copy(&key).await?;
        let priors = priors_of(run);
        let config: RunConfig = serde_json::from_value(run.config.0.clone()).map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let recipe = Recipe::parse(&config.recipe_toml).map_err(Error::internal)?;
            let dictionary = Dictionary::shipped().extended_by(&recipe).map_err(Error::internal)?;
            let results = read_results_parquet(copy.path(), &recipe.metrics).map_err(Error::internal)?;
            let table = ResultsTable::new(results, dictionary);
            let too_long = || Error::internal("the names of the results are too long to be held in memory");
            Ok(table.ok_or_else(too_long)?.with_priors(priors))
        })
        .await
        .map_err(Error::internal)?
    }
}

/// What the shares of a run were weighed by; nothing where it did not ask for the evidence.
fn priors_of(run: &Run) -> Vec<(String, PriorSummary)> {
    let priors = run.summary.as_deref().and_then(|summary| summary["lists"]["prior"].as_object());
    let prior = |(metric, prior): (&String, &serde_json::Value)| {
        Some((metric.clone(), serde_json::from_value(prior.clone()).ok()?))
    };
    priors.map(|priors| priors.iter().filter_map(prior).collect()).unwrap_or_default()
}
