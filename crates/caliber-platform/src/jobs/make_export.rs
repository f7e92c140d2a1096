//! The job that makes an export: gather what it tells, write it apart, store it, then end in one transaction.

use caliber_store::campaigns::{self, Campaign};
use caliber_store::exports::{self, Export, Made};
use caliber_store::jobs::Queue;
use caliber_store::objects::Stored;
use caliber_store::queue::{self, NewJob};
use caliber_store::{ExportId, JobId, Reach, StoreError, runs};
use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::watch::{Watch, watch};
use super::worker::{Ended, JobContext};
use crate::Platform;
use crate::error::{Error, Result};
use crate::exports::{Gauge, Material, day_of, export_key, unmade};

/// The kind of the job.
pub(crate) const KIND: &str = "make_export";
/// The form of its payload.
const VERSION: i32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    export: ExportId,
}

/// The job for an export. It names no run: a job that is given up ends the run it names.
pub(crate) fn job(id: JobId, campaign: &Campaign, export: ExportId) -> NewJob {
    NewJob {
        organization_id: Some(campaign.organization_id),
        campaign_id: Some(campaign.id),
        ..NewJob::new(id, Queue::Exports, KIND, VERSION, serde_json::json!(Payload { export }))
    }
}

pub(super) async fn run(context: JobContext) -> Result<Ended> {
    if context.job.payload_version != VERSION {
        return Ok(Ended::Failed(
            "the job is of another version of Caliber; ask for the export again".to_owned(),
        ));
    }
    let payload: Payload = serde_json::from_value(context.job.payload.0.clone()).map_err(Error::internal)?;
    let db = context.platform.store().db();
    let found = exports::by_id(db, Reach::INSTANCE, payload.export, DateTime::UNIX_EPOCH).await?;
    let Some((export, _)) = found.filter(|(export, _)| export.completed_at.is_none()) else {
        return Ok(Ended::Superseded);
    };
    let gauge = Gauge::default();
    let work = tokio::spawn(make(context.platform.clone(), export.clone(), gauge.clone()));
    let progress = || Some(serde_json::json!({"percentage": gauge.percentage()}));
    match watch(&context, gauge.cancelled(), work, progress, || std::future::ready(Ok(true))).await? {
        Watch::Ended(ended) => match *ended {
            Ok(made) => publish(&context, &export, made).await,
            Err(error @ (Error::Internal(_) | Error::Unavailable(_))) => Err(error),
            Err(error) => Ok(Ended::Failed(error.to_string())),
        },
        Watch::TooLong => {
            let minutes = context.options.soft_limit.as_secs() / 60;
            Ok(Ended::Failed(format!(
                "making the export took more than {minutes} minutes; ask for fewer rows"
            )))
        }
        Watch::Cancelled => Ok(Ended::Cancelled),
        Watch::Lost => Ok(Ended::Superseded),
        Watch::Stopped => Ok(Ended::Released),
    }
}

/// Writes the file and stores it. Made again after a crash it has the same bytes, for its date is that of the asking.
async fn make(platform: Platform, export: Export, gauge: Gauge) -> Result<Made> {
    let db = platform.store().db();
    let campaign = campaigns::by_id(db, Reach::INSTANCE, export.campaign_id).await?;
    let run = runs::by_id(db, export.campaign_id, export.run_id).await?;
    let (Some(campaign), Some(run)) = (campaign, run) else { return Err(Error::not_found("campaign")) };
    let asked = serde_json::from_value(export.asked.0.clone()).map_err(Error::internal)?;
    let exported_at = day_of(export.created_at);
    let material = Material::gather(&platform, campaign, run, asked, export.author_id, exported_at).await?;
    let (filename, media_type) = (material.filename(), material.media_type().to_owned());
    let left_out = material.left_out().map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let written = tokio::task::spawn_blocking(move || {
        let file = tempfile::NamedTempFile::new().map_err(Error::internal)?;
        let out = std::io::BufWriter::with_capacity(1 << 20, file.as_file());
        material.write(out, &gauge).map_err(unmade)?;
        Ok::<_, Error>(file)
    });
    let file = written.await.map_err(Error::internal)??;
    let key = export_key(export.campaign_id, export.id);
    let Stored { size, sha256 } = platform.objects().put_file(&key, file.path()).await?;
    Ok(Made { filename, media_type, size: i64::try_from(size).unwrap_or(i64::MAX), sha256, left_out })
}

/// Shows the file and ends the job, at once or not at all.
async fn publish(context: &JobContext, export: &Export, made: Made) -> Result<Ended> {
    let now = context.platform.now();
    let txn = context.platform.store().begin().await?;
    match queue::complete(&txn, &context.lease, now).await {
        Ok(()) => {}
        Err(StoreError::LeaseLost) => return Ok(Ended::Superseded),
        Err(error) => return Err(error.into()),
    }
    if !exports::complete(&txn, export.id, made, now).await? {
        return Ok(Ended::Superseded);
    }
    txn.commit().await?;
    Ok(Ended::Done)
}
