//! The job that scores a campaign: read, score, write the results apart, then publish in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use caliber_engine::lists::ListRule;
use caliber_engine::recipe::{Recipe, RecipeBook};
use caliber_engine::report::source::Source;
use caliber_engine::{Code, Context, Options, Scored};
use caliber_reports::write_results_parquet;
use caliber_store::campaigns::{self, Campaign, Outcome, Progress, Published};
use caliber_store::jobs::Queue;
use caliber_store::objects::LocalCopy;
use caliber_store::queue::{self, NewJob};
use caliber_store::runs::{self, Run};
use caliber_store::{CampaignId, JobId, Reach, RunId, StoreError, uploads};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::watch::{Watch, watch};
use super::worker::{Ended, JobContext};
use crate::Platform;
use crate::error::{Error, Result};
use crate::scoring::{RunConfig, error_document, told};

/// The kind of the job.
pub(crate) const KIND: &str = "score_campaign";
/// The form of its payload.
const VERSION: i32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    campaign: CampaignId,
    run: RunId,
}

/// The job for a run.
pub(crate) fn job(id: JobId, campaign: &Campaign, run: RunId) -> NewJob {
    let payload = serde_json::json!(Payload { campaign: campaign.id, run });
    NewJob {
        organization_id: Some(campaign.organization_id),
        campaign_id: Some(campaign.id),
        run_id: Some(run),
        ..NewJob::new(id, Queue::Scoring, KIND, VERSION, payload)
    }
}

/// Where the results of a run are stored. Named by the run, so that an attempt that is repeated overwrites itself.
pub(crate) fn results_key(campaign: CampaignId, run: RunId) -> String {
    format!("campaigns/{campaign}/{run}/results.parquet")
}

/// What is being done, for people who watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    LoadingData,
    Preprocessing,
    Normalizing,
    Scoring,
    Finalizing,
}

impl Step {
    const ALL: [Self; 5] =
        [Self::LoadingData, Self::Preprocessing, Self::Normalizing, Self::Scoring, Self::Finalizing];

    fn name(self) -> &'static str {
        match self {
            Self::LoadingData => "loading_data",
            Self::Preprocessing => "preprocessing",
            Self::Normalizing => "normalizing",
            Self::Scoring => "scoring",
            Self::Finalizing => "finalizing",
        }
    }
}

/// What the thread that scores tells whoever watches it.
#[derive(Clone, Default)]
struct Watched {
    reading: caliber_engine::Progress,
    step: Arc<AtomicU8>,
}

impl Watched {
    fn step(&self, step: Step) {
        self.step.store(step as u8, Ordering::Relaxed);
    }

    /// How far the run is. Reading is nearly all of the work.
    fn progress(&self, begun: DateTime<Utc>, now: DateTime<Utc>) -> Progress {
        let [bytes, total, rows] = [&self.reading.bytes, &self.reading.total_bytes, &self.reading.rows]
            .map(|figure| figure.load(Ordering::Relaxed));
        let step = Step::ALL[usize::from(self.step.load(Ordering::Relaxed)).min(Step::ALL.len() - 1)];
        let read = if total == 0 { 0.0 } else { (bytes as f64 / total as f64).min(1.0) };
        let percentage = match step {
            Step::LoadingData => 80.0 * read,
            Step::Preprocessing => 80.0,
            Step::Normalizing => 85.0,
            Step::Scoring => 90.0,
            Step::Finalizing => 95.0,
        };
        let passed = (now - begun).as_seconds_f64();
        let is_measured = percentage >= 5.0 && passed >= 1.0;
        let left =
            TimeDelta::milliseconds((passed * (100.0 - percentage) / percentage.max(1.0) * 1000.0) as i64);
        Progress {
            percentage,
            step: step.name().to_owned(),
            total_records: None,
            processed_records: i64::try_from(rows).unwrap_or(i64::MAX),
            estimated_completion: is_measured.then(|| now + left),
        }
    }
}

/// What the thread that scores leaves.
struct Work {
    scored: Scored,
    file: tempfile::NamedTempFile,
}

pub(super) async fn run(context: JobContext) -> Result<Ended> {
    let platform = &context.platform;
    if context.job.payload_version != VERSION {
        return Ok(Ended::Failed("the job is of another version of Caliber".to_owned()));
    }
    let payload: Payload = serde_json::from_value(context.job.payload.0.clone()).map_err(Error::internal)?;
    let db = platform.store().db();
    let campaign = campaigns::by_id(db, Reach::INSTANCE, payload.campaign).await?;
    let run = runs::by_id(db, payload.campaign, payload.run).await?;
    let (Some(campaign), Some(run)) = (campaign, run) else { return Ok(Ended::Superseded) };
    if campaign.active_run_id != Some(run.id) || !runs::begin(db, run.id, platform.now()).await? {
        return Ok(Ended::Superseded);
    }
    let Some(upload) = uploads::of_campaign(db, campaign.id).await? else {
        let error =
            caliber_engine::Error::new(Code::NotReadable, "the report was deleted before it was read")
                .help("upload it again");
        return fail(&context, &campaign, &run, &error).await;
    };
    let copy = platform.objects().local_copy(&upload.storage_key).await?;
    let config: RunConfig = serde_json::from_value(run.config.0.clone()).map_err(Error::internal)?;

    let watched = Watched::default();
    let work = {
        let (platform, watched) = (platform.clone(), watched.clone());
        tokio::task::spawn_blocking(move || score(&platform, &copy, &upload.filename, &config, &watched))
    };
    let begun = platform.now();
    let cancelled = Arc::clone(&watched.reading.cancelled);
    let noting = || note(&context, &campaign, &run, watched.progress(begun, platform.now()));
    match watch(&context, &cancelled, work, || None, noting).await? {
        Watch::Ended(ended) => match *ended {
            Ok(work) => publish(&context, &campaign, &run, work).await,
            Err(error) if error.code == Code::Machine => Err(Error::internal(error)),
            Err(error) => fail(&context, &campaign, &run, &error).await,
        },
        Watch::TooLong => {
            let minutes = context.options.soft_limit.as_secs() / 60;
            let error = caliber_engine::Error::new(
                Code::TooLarge,
                format!("scoring took more than {minutes} minutes"),
            )
            .help("split the report, or take columns out that are not needed");
            fail(&context, &campaign, &run, &error).await
        }
        Watch::Cancelled => Ok(Ended::Cancelled),
        Watch::Lost => Ok(Ended::Superseded),
        Watch::Stopped => Ok(Ended::Released),
    }
}

/// Reads, scores and writes; on a thread of its own.
fn score(
    platform: &Platform,
    copy: &LocalCopy,
    filename: &str,
    config: &RunConfig,
    watched: &Watched,
) -> caliber_engine::Result<Work> {
    let recipe = Recipe::parse(&config.recipe_toml)?;
    let name = recipe.name.clone();
    let book = match RecipeBook::shipped().by_name(&name) {
        Ok(_) => RecipeBook::shipped().clone(),
        Err(_) => RecipeBook::shipped().clone().with_recipe(recipe)?,
    };
    let options = Options {
        platform: Some(config.platform.clone()),
        channel: Some(config.channel),
        goal: config.goal,
        ctr_sensitive: config.ctr_sensitivity,
        recipe: Some(name),
        dimension: Some(config.dimension),
        normalization: config.normalization,
        min_impressions: config.min_impressions,
        list_rule: ListRule { policy: config.list_policy, share: config.list_share, ..ListRule::default() },
        protected: config.protected.clone(),
        threads: platform.threads(),
        ..config.reading.options()
    };
    let reader = platform.sheet_reader();
    let begun = std::time::Instant::now();
    let context = Context { book: &book, sandbox: &*reader, progress: &watched.reading };
    watched.step(Step::LoadingData);
    let source = Source::open(copy.path(), filename)?;
    let mut scored = caliber_engine::score(vec![source], &options, &context)?;
    watched.step(Step::Finalizing);
    let machine = |error: std::io::Error| {
        caliber_engine::Error::new(Code::Machine, "the results cannot be written").caused_by(error)
    };
    let file = tempfile::NamedTempFile::new().map_err(machine)?;
    write_results_parquet(&scored.results, std::io::BufWriter::with_capacity(1 << 20, file.as_file()))?;
    scored.summary.elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Work { scored, file })
}

/// Notes how far the run is; whether it is still the one under way.
async fn note(context: &JobContext, campaign: &Campaign, run: &Run, progress: Progress) -> Result<bool> {
    let platform = &context.platform;
    match campaigns::progress(platform.store().db(), campaign.id, run.id, &progress, platform.now()).await {
        Ok(is_ours) => Ok(is_ours),
        // The next beat may reach the database again.
        Err(error) if error.is_transient() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Stores the results, then shows them and ends the job, at once or not at all.
async fn publish(context: &JobContext, campaign: &Campaign, run: &Run, work: Work) -> Result<Ended> {
    let platform = &context.platform;
    let Work { scored, file } = work;
    let key = results_key(campaign.id, run.id);
    platform.objects().put_file(&key, file.path()).await?;
    let published = Published {
        results_key: key,
        row_count: i64::try_from(scored.results.len()).unwrap_or(i64::MAX),
        total_records: i64::try_from(scored.summary.rows_read).unwrap_or(i64::MAX),
        campaign_score: scored.summary.campaign_score,
        summary: serde_json::to_value(&scored.summary).map_err(Error::internal)?,
        quality: serde_json::to_value(&scored.quality).map_err(Error::internal)?,
    };
    let now = platform.now();
    let txn = platform.store().begin().await?;
    match queue::complete(&txn, &context.lease, now).await {
        Ok(()) => {}
        Err(StoreError::LeaseLost) => return Ok(Ended::Superseded),
        Err(error) => return Err(error.into()),
    }
    if !campaigns::publish(&txn, campaign.id, run.id, published, now).await? {
        return Ok(Ended::Superseded);
    }
    txn.commit().await?;
    Ok(Ended::Done)
}

/// Tells the campaign why its report cannot be scored.
async fn fail(
    context: &JobContext,
    campaign: &Campaign,
    run: &Run,
    error: &caliber_engine::Error,
) -> Result<Ended> {
    let message = told(error);
    let txn = context.platform.store().begin().await?;
    let outcome = Outcome::Failed { message: message.clone(), error: error_document(error) };
    let is_ours = campaigns::fail(&txn, campaign.id, run.id, outcome, context.platform.now()).await?;
    txn.commit().await?;
    Ok(if is_ours { Ended::Failed(message) } else { Ended::Superseded })
}
