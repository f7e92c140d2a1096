//! The worker: claims jobs, keeps their leases alive, takes back what dead workers left.

use std::path::PathBuf;
use std::time::Duration;

use caliber_store::Transaction;
use caliber_store::campaigns::{self, Outcome};
use caliber_store::jobs::{Job, Queue};
use caliber_store::queue::{self, Claimed, Failed, Failure, Lease, Presence};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::{clearing, make_export, score_campaign};
use crate::Platform;
use crate::error::{Error, Result};

/// How long an idle worker sleeps before it looks for jobs that other processes queued.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often jobs of dead workers are looked for.
const REAP_EVERY: Duration = Duration::from_secs(3);

/// How often the schedule is seen to. A turn queues the next one itself; this is for one that was given up.
const SCHEDULE_EVERY: Duration = Duration::from_mins(10);

/// What a worker works on.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Its queues.
    pub queues: Vec<Queue>,
    /// Scoring jobs at once.
    pub slots: usize,
    /// Where workers of this machine show that they are alive.
    pub presence: PathBuf,
    /// Not longer than this, and half as long again of grace, does a job take.
    pub soft_limit: Duration,
    /// After this a job is given up even if its work does not stop.
    pub hard_limit: Duration,
    /// How long running jobs may go on once the worker is told to stop.
    pub grace: Duration,
}

impl WorkerOptions {
    /// The usual limits.
    pub fn new(queues: Vec<Queue>, slots: usize, presence: PathBuf) -> Self {
        Self {
            queues,
            slots,
            presence,
            soft_limit: Duration::from_mins(25),
            hard_limit: Duration::from_mins(30),
            grace: Duration::from_secs(10),
        }
    }
}

/// How a job's work came to its end.
#[derive(Debug)]
pub(super) enum Ended {
    /// Published, and the lease ended with it.
    Done,
    /// Nothing to do any more: the run was ended by somebody else.
    Superseded,
    /// It failed, and trying again would not help. What it was for knows it.
    Failed(String),
    /// It was told to stop, by whoever asked for it.
    Cancelled,
    /// The worker stops; the job goes back.
    Released,
}

/// What a job's work is given.
#[derive(Clone, Debug)]
pub(super) struct JobContext {
    pub(super) platform: Platform,
    pub(super) job: Job,
    pub(super) lease: Lease,
    pub(super) options: WorkerOptions,
    pub(super) stop: CancellationToken,
}

/// Works until `stop`, then lets running jobs end or gives them back.
///
/// # Errors
/// Where the sign of life cannot be shown. What fails later is logged and tried again.
pub async fn run(platform: Platform, options: WorkerOptions, stop: CancellationToken) -> Result<()> {
    let name = format!("worker-{}", Uuid::now_v7().simple());
    let presence = Presence::show(&options.presence, &name)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(look_after(platform.clone(), options.clone(), stop.clone()));
    // Scoring fills its slots; the small jobs share one beside them, so that they never wait for a long score.
    let (scoring, others): (Vec<Queue>, Vec<Queue>) =
        options.queues.iter().copied().partition(|queue| *queue == Queue::Scoring);
    let slots = std::iter::repeat_n(scoring, options.slots).chain([others]);
    for queues in slots.filter(|queues| !queues.is_empty()) {
        let slot = Slot { platform: platform.clone(), options: options.clone(), name: name.clone(), queues };
        tasks.spawn(slot.work(stop.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a slot of the worker broke down");
        }
    }
    drop(presence);
    Ok(())
}

/// Takes back the jobs of the dead and sees to the schedule, until `stop`.
async fn look_after(platform: Platform, options: WorkerOptions, stop: CancellationToken) {
    let mut reaping = tokio::time::interval(REAP_EVERY);
    let mut scheduling = tokio::time::interval(SCHEDULE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = reaping.tick() => reap(&platform, &options).await,
            _ = scheduling.tick(), if options.queues.contains(&Queue::Maintenance) => {
                if let Err(error) = clearing::schedule(&platform).await {
                    tracing::warn!(%error, "the clearing of old things could not be scheduled");
                }
            }
        }
    }
}

async fn reap(platform: &Platform, options: &WorkerOptions) {
    if let Err(error) = try_reap(platform, options).await {
        tracing::warn!(%error, "jobs of dead workers could not be looked for");
    }
}

async fn try_reap(platform: &Platform, options: &WorkerOptions) -> Result<()> {
    let dead = queue::dead_workers(&options.presence)?;
    let now = platform.now();
    let txn = platform.store().begin().await?;
    let reaped = queue::reap(&txn, &dead.names, now).await?;
    for job in &reaped.dead {
        let message = "the scoring broke down again and again, and was given up";
        end_run(&txn, platform, job, message).await?;
    }
    txn.commit().await?;
    dead.forget();
    for job in &reaped.requeued {
        tracing::warn!(job = %job.id, kind = job.kind, "its worker died; the job is queued again");
    }
    Ok(())
}

/// Tells the campaign of a job that is given up.
async fn end_run(txn: &Transaction, platform: &Platform, job: &Job, message: &str) -> Result<()> {
    if let (Some(campaign), Some(run)) = (job.campaign_id, job.run_id) {
        let outcome = Outcome::Failed {
            message: message.to_owned(),
            error: json!({"code": "machine", "message": message}),
        };
        campaigns::fail(txn, campaign, run, outcome, platform.now()).await?;
    }
    Ok(())
}

/// One job at a time.
struct Slot {
    platform: Platform,
    options: WorkerOptions,
    name: String,
    queues: Vec<Queue>,
}

impl Slot {
    async fn work(self, stop: CancellationToken) {
        let mut alarm = self.platform.store().wakers().alarm();
        while !stop.is_cancelled() {
            let now = self.platform.now();
            match queue::claim(self.platform.store().db(), &self.queues, &self.name, now).await {
                Ok(Some(claimed)) => {
                    let span = tracing::info_span!("job", job = %claimed.job.id, kind = claimed.job.kind);
                    self.take(claimed, stop.clone()).instrument(span).await;
                }
                Ok(None) => {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = alarm.wait(PATIENCE) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no job could be claimed");
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(PATIENCE * 4) => {}
                    }
                }
            }
        }
    }

    async fn take(&self, claimed: Claimed, stop: CancellationToken) {
        let Claimed { job, lease } = claimed;
        tracing::info!(delivery = job.deliveries, "begun");
        let context = JobContext {
            platform: self.platform.clone(),
            job: job.clone(),
            lease,
            options: self.options.clone(),
            stop,
        };
        let kind = job.kind.as_str();
        let done = match kind {
            score_campaign::KIND => score_campaign::run(context).await,
            make_export::KIND => make_export::run(context).await,
            clearing::KIND => clearing::run(context).await,
            _ => Ok(Ended::Failed(format!("no worker of this version knows jobs of the kind `{kind}`"))),
        };
        if let Err(error) = self.end(&job, &lease, done).await {
            // The lease runs out, or is another's by now; either way the job is not lost.
            tracing::warn!(%error, "the end of a job could not be noted");
        }
    }

    /// Notes the end of a job, unless its work did so itself.
    async fn end(&self, job: &Job, lease: &Lease, done: Result<Ended>) -> Result<()> {
        let now = self.platform.now();
        let done = match done {
            Ok(Ended::Done) => {
                tracing::info!("done");
                return Ok(());
            }
            done => done,
        };
        let txn = self.platform.store().begin().await?;
        match done {
            Ok(Ended::Done) => {}
            Ok(Ended::Superseded) => queue::complete(&txn, lease, now).await?,
            Ok(Ended::Cancelled) => queue::end_cancelled(&txn, lease, now).await?,
            Ok(Ended::Released) => queue::release(&txn, lease, now).await?,
            Ok(Ended::Failed(message)) => {
                tracing::info!(message, "failed");
                let failure = Failure { message, retryable: false, jitter: 0.0 };
                queue::fail(&txn, lease, &failure, now).await?;
            }
            Err(error) => {
                let message = with_causes(&error);
                tracing::error!(message, "broke down");
                let failure = Failure { message, retryable: true, jitter: rand::random() };
                if queue::fail(&txn, lease, &failure, now).await? == Failed::Dead {
                    let told = "the scoring failed on our side several times; try again later";
                    end_run(&txn, &self.platform, job, told).await?;
                }
            }
        }
        Ok(txn.commit().await?)
    }
}

/// An error with what caused it, for the log and for dead letters.
fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
