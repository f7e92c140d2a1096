//! Questions to the results that a campaign shows: outliers, weights, explanation, changes, what-if.
//!
//! The answers are those of `caliber-analysis`, word for word what the command line prints. Finding the results is
//! asynchronous; what computes is not, and belongs on a thread of its own.

use std::sync::Arc;

use caliber_analysis::Subject;
use caliber_analysis::outliers::{Treated, treated_summary};
use caliber_analysis::what_if::ListRules;
use caliber_engine::Code;
use caliber_engine::evidence::Evidence;
use caliber_engine::recipe::Recipe;
use caliber_engine::summary::campaign_score;
use caliber_reports::write_results_parquet;
use caliber_store::campaigns::{self, Campaign, Published};
use caliber_store::runs::{self, NewRun, Run};
use caliber_store::{Attempt, CampaignId, RunId, Window};
use serde_json::{Map, Value};
use uuid::Uuid;

pub use caliber_analysis::changes::{Changes, changes};
pub use caliber_analysis::findings::PerformanceLevel;
pub use caliber_analysis::written::capital;
pub use caliber_analysis::{
    ByMetric, DEFAULT_SEED, Error as Refusal, explanation, outliers, weights, what_if,
};
pub use caliber_engine::parallel::available as available_threads;
pub use caliber_reports::json_line;

use crate::Platform;
use crate::campaigns::missing;
use crate::current_results::CurrentRun;
use crate::error::{Conflict, Error, Result};
use crate::identity::Caller;
use crate::identity::permissions::RECIPES_WRITE;
use crate::jobs::results_key;
use crate::results::ResultsTable;
use crate::scoring::{RunConfig, already_running, told};

/// Runs of a campaign that are looked at for those with results.
const RUNS_SHOWN: u64 = 50;

/// The use cases of analysis.
#[derive(Clone, Copy, Debug)]
pub struct Analysis<'a>(pub(crate) &'a Platform);

/// A run's results with all that made them, ready to be asked.
#[derive(Clone, Debug)]
pub struct AnalysedRun {
    /// The campaign.
    pub campaign: Campaign,
    /// The run.
    pub run: Run,
    config: RunConfig,
    table: Arc<ResultsTable>,
    recipe: Recipe,
    /// Names that are never blocked, as the results have them.
    protected: Vec<String>,
}

impl AnalysedRun {
    /// What is analysed.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            results: self.table.results(),
            recipe: &self.recipe,
            dictionary: self.table.dictionary(),
            normalization: self.config.normalization,
        }
    }

    /// Its rows, to page through.
    pub fn table(&self) -> &Arc<ResultsTable> {
        &self.table
    }

    /// The laws of the scores, kept with the results; why there are none, else.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn evidence(&self) -> std::result::Result<&Evidence, String> {
        self.table.evidence()
    }

    /// How the run's lists are made.
    pub fn list_rules(&self) -> ListRules<'_> {
        let summary = self.run.summary.as_deref();
        let min_impressions = summary.and_then(|summary| summary["lists"]["min_impressions"].as_f64());
        ListRules {
            share: self.config.list_share,
            min_impressions: min_impressions.unwrap_or_default(),
            protected: &self.protected,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Option { option, message } => Self::invalid(option, message),
            Refusal::UnknownName { given, nearest } => {
                let near = nearest.join(", ");
                let near = if near.is_empty() { near } else { format!("; the nearest are {near}") };
                Self::NotFound(format!("the results have no row `{given}`{near}"))
            }
            Refusal::Engine(error) if error.code == Code::Machine => Self::internal(error),
            Refusal::Engine(error) => Self::invalid("", told(&error)),
            other => Self::invalid("", other.to_string()),
        }
    }
}

impl Analysis<'_> {
    /// The results that a campaign shows.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] where nothing is scored, and those of the storage.
    pub async fn of_campaign(&self, caller: &Caller, id: CampaignId) -> Result<AnalysedRun> {
        let CurrentRun { campaign, run } = self.0.current_results().current(caller, id).await?;
        self.open(campaign, run).await
    }

    /// As [`Analysis::of_campaign`], of a campaign that the caller may change.
    ///
    /// # Errors
    /// As there; somebody else's campaign is not found.
    pub async fn of_campaign_to_change(&self, caller: &Caller, id: CampaignId) -> Result<AnalysedRun> {
        campaigns::by_id(self.0.store().db(), caller.writes(), id).await?.ok_or_else(missing)?;
        self.of_campaign(caller, id).await
    }

    /// The results of a run, or those that a campaign shows where the id is that of a campaign.
    ///
    /// # Errors
    /// As [`Analysis::of_campaign`].
    pub async fn of_campaign_or_run(&self, caller: &Caller, id: Uuid) -> Result<AnalysedRun> {
        let db = self.0.store().db();
        let Some(run) = runs::of_any_campaign(db, RunId(id)).await? else {
            return self.of_campaign(caller, CampaignId(id)).await;
        };
        let campaign = campaigns::by_id(db, caller.reads(), run.campaign_id).await?.ok_or_else(missing)?;
        if run.results_key.is_none() {
            return Err(Error::conflict(Conflict::NotScored, "the run has no results"));
        }
        self.open(campaign, run).await
    }

    /// The latest runs of a campaign that have results, newest first: what it can be compared with.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn runs(&self, caller: &Caller, id: CampaignId) -> Result<Vec<Run>> {
        let db = self.0.store().db();
        campaigns::by_id(db, caller.reads(), id).await?.ok_or_else(missing)?;
        let page = runs::list(db, id, Window { skip: 0, limit: RUNS_SHOWN }).await?;
        Ok(page.rows.into_iter().filter(|run| run.results_key.is_some()).collect())
    }

    async fn open(&self, campaign: Campaign, run: Run) -> Result<AnalysedRun> {
        let config: RunConfig = serde_json::from_value(run.config.0.clone()).map_err(Error::internal)?;
        let recipe = Recipe::parse(&config.recipe_toml).map_err(Error::internal)?;
        let table = self.0.current_results().table(&run).await?;
        let protected = self.0.lists().protected(&campaign).await?;
        let rows = protected.iter().filter_map(|name| table.find(name));
        let protected = rows.map(|row| table.results().names[row.index()].clone()).collect();
        Ok(AnalysedRun { campaign, run, config, table, recipe, protected })
    }

    /// Saves learned weights as a recipe of the organisation; returns its name.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] for a name that is none, [`Error::Conflict`] for one that is taken.
    pub async fn save_recipe(
        &self,
        caller: &Caller,
        run: &AnalysedRun,
        weights: &ByMetric<f64>,
        name: &str,
    ) -> Result<String> {
        caller.must(RECIPES_WRITE)?;
        let recipe = caliber_analysis::weights::learned_recipe(&run.recipe, weights, name)?;
        let toml = recipe.to_toml().map_err(Error::internal)?;
        Ok(self.0.recipes().create(caller, &toml).await?.recipe.name)
    }

    /// Makes treated results the ones that the campaign shows: a run of its own, beside the one it was made of.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] while the campaign is being scored, and those of the storage.
    pub async fn publish(&self, caller: &Caller, of: &AnalysedRun, treated: Arc<Treated>) -> Result<RunId> {
        let now = self.0.now();
        let (id, campaign) = (RunId::new(now), of.campaign.id);
        let answer = serde_json::to_value(&treated.answer).map_err(Error::internal)?;
        let config = RunConfig { treatment: Some(answer.clone()), ..of.config.clone() };
        let mut summary = of.run.summary.as_deref().and_then(Value::as_object).cloned().unwrap_or_default();
        let (copied, rows) = (of.clone(), Arc::clone(&treated));
        let key = results_key(campaign, id);
        let (file, after) = tokio::task::spawn_blocking(move || {
            let rules = copied.list_rules();
            let (_, after) =
                treated_summary(std::mem::take(&mut summary), &copied.subject(), &rows.results, rules)?;
            let file = tempfile::NamedTempFile::new().map_err(Error::internal)?;
            let writer = std::io::BufWriter::with_capacity(1 << 20, file.as_file());
            write_results_parquet(&rows.results, writer).map_err(Error::internal)?;
            Ok::<_, Error>((file, after))
        })
        .await
        .map_err(Error::internal)??;
        self.0.objects().put_file(&key, file.path()).await?;
        let published = Published {
            results_key: key,
            row_count: i64::try_from(treated.results.len()).unwrap_or(i64::MAX),
            total_records: of.campaign.total_records.unwrap_or_default(),
            campaign_score: campaign_score(&treated.results),
            summary: with_treatment(after, answer),
            quality: of.run.quality.as_deref().cloned().unwrap_or_default(),
        };
        let new = NewRun {
            id,
            upload_id: of.run.upload_id,
            job_id: None,
            config: serde_json::to_value(config).map_err(Error::internal)?,
        };
        let txn = self.0.store().begin().await?;
        match campaigns::start(&txn, caller.writes(), campaign, new, now).await? {
            Attempt::Done(_) => {}
            Attempt::Missing => return Err(missing()),
            Attempt::Refused(_) => return Err(already_running()),
        }
        if !campaigns::publish(&txn, campaign, id, published, now).await? {
            return Err(already_running());
        }
        txn.commit().await?;
        Ok(id)
    }
}

/// The summary, and what was done to the rows it is of.
fn with_treatment(mut summary: Map<String, Value>, treatment: Value) -> Value {
    summary.insert("treatment".to_owned(), treatment);
    Value::Object(summary)
}
