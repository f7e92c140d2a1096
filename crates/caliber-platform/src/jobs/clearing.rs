//! The job that clears away: files that belong to no campaign, exports of yesterday, bytes that a crash left without a row,
//! ended sessions, finished jobs. It queues its own next turn in the transaction that ends it, so there is always exactly one.

use std::str::FromStr;

use caliber_store::jobs::Queue;
use caliber_store::queue::{self, NewJob};
use caliber_store::{
    Attempt, ExportId, JobId, Reach, RunId, exports, list_versions, organizations, password_links, runs,
    sessions, uploads,
};
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use futures_util::TryStreamExt;

use super::worker::{Ended, JobContext};
use crate::Platform;
use crate::error::{Error, Result};
use crate::exports::{KEPT_FOR as EXPORTS_KEPT_FOR, export_key};
use crate::uploads::KEPT_FOR as FILES_KEPT_FOR;

/// The kind of the job.
pub(super) const KIND: &str = "clear_away";
/// Minute, hour, day, month, weekday: at 17 minutes past every hour.
const SCHEDULE: &str = "17 * * * *";
/// Bytes without a row may be those of an upload that is still coming in.
const UNKNOWN_FOR: TimeDelta = TimeDelta::hours(6);
/// Ended sessions and finished jobs are kept this long, to be looked at.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);
/// Rows and keys looked at together.
const BATCH: usize = 500;

/// Makes sure that a turn is queued.
pub(super) async fn schedule(platform: &Platform) -> Result<()> {
    let now = platform.now();
    let txn = platform.store().begin().await?;
    queue::enqueue(&txn, next_turn(now)?, now).await?;
    Ok(txn.commit().await?)
}

fn next_turn(now: DateTime<Utc>) -> Result<NewJob> {
    let cron = Cron::from_str(SCHEDULE).map_err(Error::internal)?;
    let at = cron.find_next_occurrence(&now, false).map_err(Error::internal)?;
    Ok(NewJob {
        unique_key: Some(KIND.to_owned()),
        run_at: Some(at),
        ..NewJob::new(JobId::new(now), Queue::Maintenance, KIND, 1, serde_json::json!({}))
    })
}

pub(super) async fn run(context: JobContext) -> Result<Ended> {
    clear_away(&context.platform).await?;
    let now = context.platform.now();
    let txn = context.platform.store().begin().await?;
    queue::complete(&txn, &context.lease, now).await?;
    queue::enqueue(&txn, next_turn(now)?, now).await?;
    txn.commit().await?;
    Ok(Ended::Done)
}

/// Everything that is to go now.
pub(crate) async fn clear_away(platform: &Platform) -> Result<()> {
    let now = platform.now();
    let db = platform.store().db();
    let files = orphans(platform, now - FILES_KEPT_FOR).await?;
    let exports = outdated_exports(platform, now - EXPORTS_KEPT_FOR).await?;
    let bytes = unknown_bytes(platform, now - UNKNOWN_FOR).await?;
    let unfinished = platform.objects().delete_unfinished(now - UNKNOWN_FOR).await?;
    let sessions = sessions::delete_old(db, now - KEPT_FOR).await?;
    password_links::delete_old(db, now - KEPT_FOR).await?;
    let jobs = queue::delete_finished(db, now - KEPT_FOR).await?;
    tracing::info!(files, exports, bytes, unfinished, sessions, jobs, "cleared away");
    Ok(())
}

/// Deletes files that have belonged to no campaign for long.
async fn orphans(platform: &Platform, before: DateTime<Utc>) -> Result<usize> {
    let mut deleted = 0;
    loop {
        let found = uploads::orphans(platform.store().db(), before, BATCH as u64).await?;
        if found.is_empty() {
            return Ok(deleted);
        }
        for upload in &found {
            let txn = platform.store().begin().await?;
            // Given to a campaign in between, it stays.
            if let Attempt::Done(upload) = uploads::delete(&txn, Reach::INSTANCE, upload.id).await? {
                txn.commit().await?;
                platform.objects().delete(&upload.storage_key).await?;
                deleted += 1;
            }
        }
        if found.len() < BATCH {
            return Ok(deleted);
        }
    }
}

/// Deletes exports that were made long ago, or will never be.
async fn outdated_exports(platform: &Platform, before: DateTime<Utc>) -> Result<usize> {
    let mut deleted = 0;
    loop {
        let found = exports::outdated(platform.store().db(), before, BATCH as u64).await?;
        for export in &found {
            exports::delete(platform.store().db(), export.id).await?;
            platform.objects().delete(&export_key(export.campaign_id, export.id)).await?;
        }
        deleted += found.len();
        if found.len() < BATCH {
            return Ok(deleted);
        }
    }
}

/// Deletes stored bytes that no row names.
async fn unknown_bytes(platform: &Platform, before: DateTime<Utc>) -> Result<usize> {
    let mut deleted = 0;
    for prefix in ["uploads/", "campaigns/", "organizations/"] {
        let listed = platform.objects().list_before(prefix, before)?;
        let mut batches = std::pin::pin!(listed.try_chunks(BATCH));
        while let Some(batch) = batches.try_next().await.map_err(|error| error.1)? {
            let keys: Vec<String> = batch.into_iter().map(|object| object.key).collect();
            for key in unknown(platform, keys).await? {
                platform.objects().delete(&key).await?;
                deleted += 1;
            }
        }
    }
    Ok(deleted)
}

/// Those of the keys that no row names: an upload, a list version, a logo, an export, or a run in whose folder it lies.
async fn unknown(platform: &Platform, mut keys: Vec<String>) -> Result<Vec<String>> {
    let db = platform.store().db();
    let uploaded = uploads::existing_keys(db, &keys).await?;
    keys.retain(|key| !uploaded.contains(key));
    let listed = list_versions::existing_keys(db, &keys).await?;
    keys.retain(|key| !listed.contains(key));
    let logos = organizations::existing_logo_keys(db, &keys).await?;
    keys.retain(|key| !logos.contains(key));
    let export_of = |key: &str| {
        let (_, export) = key.strip_prefix("campaigns/")?.split_once("/exports/")?;
        export.parse::<ExportId>().ok()
    };
    let ids: Vec<ExportId> = keys.iter().filter_map(|key| export_of(key)).collect();
    let known = exports::existing(db, &ids).await?;
    keys.retain(|key| export_of(key).is_none_or(|export| !known.contains(&export)));
    let run_of = |key: &str| key.split('/').nth(2).and_then(|run| run.parse::<RunId>().ok());
    let ids: Vec<RunId> = keys.iter().filter_map(|key| run_of(key)).collect();
    let known = runs::existing(db, &ids).await?;
    keys.retain(|key| run_of(key).is_none_or(|run| !known.contains(&run)));
    Ok(keys)
}
