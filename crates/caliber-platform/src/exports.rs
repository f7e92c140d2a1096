//! Exports: results, lists, summaries and reports as files, made while they are sent or in the background.
//!
//! An export is [`Asked`] for, prepared (may the caller, is there a run, what is it called by), then written on a thread of
//! its own, row by row. The date that files state is the day of the export, and the entity tag holds for that day: who
//! asks again with it on the same day has the very bytes, on the next day they differ and so does the tag.

mod asked;
mod delivery;
mod file_name;
mod material;
mod writing;

use caliber_engine::Code;
use caliber_engine::recipe::Dimension;
use caliber_reports::ListKind;
use caliber_store::campaigns::Campaign;
use caliber_store::exports::{self, Export, ListedExport, NewExport};
use caliber_store::jobs::{Job, JobState};
use caliber_store::runs::Run;
use caliber_store::{CampaignId, JobId, Page, Reach, Window, organizations, queue};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

pub use asked::{Asked, ListFormat, ResultsFormat};
pub use caliber_reports::UploadForm;
pub use caliber_store::ExportId;
pub use delivery::Download;
pub(crate) use material::{Gauge, Material};

use crate::Platform;
use crate::current_results::CurrentRun;
use crate::error::{Conflict, Error, Result};
use crate::identity::Caller;
use crate::jobs::make_export;
use crate::results::SortBy;
use crate::scoring::{RunConfig, told};

/// How long an export that was made in the background is kept.
pub(crate) const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// Exports of one person that may wait or be made at a time.
const MOST_UNDER_WAY: u64 = 10;
/// Exports of one person that may be kept at a time.
const MOST_KEPT: u64 = 100;

/// The use cases of exports.
#[derive(Clone, Copy, Debug)]
pub struct Exports<'a>(pub(crate) &'a Platform);

/// How many downloads may be made at once.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Those that are written while they are sent.
    streams: Semaphore,
    /// Those that take a file, memory and all of a processor first.
    documents: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Self { streams: Semaphore::new(32), documents: Semaphore::new(2) }
    }
}

/// An export that may be made.
#[derive(Clone, Debug)]
pub struct Prepared {
    campaign: Campaign,
    run: Run,
    asked: Asked,
    exported_at: DateTime<Utc>,
    /// Names the bytes: the same as long as they are the same, without quotes.
    pub etag: String,
}

/// How far an export in the background is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportStatus {
    /// It waits for a worker.
    Pending,
    /// It is being made.
    Processing,
    /// It can be fetched.
    Completed,
    /// It could not be made.
    Failed,
}

/// An export in the background.
#[derive(Clone, Debug)]
pub struct BackgroundExport {
    /// The export.
    pub export: Export,
    /// How far it is.
    pub status: ExportStatus,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// Why it failed, for a person.
    pub error_message: Option<String>,
    /// When its file is removed; nothing before it is made.
    pub expires_at: Option<DateTime<Utc>>,
}

/// An export in the background among others.
#[derive(Clone, Debug)]
pub struct NamedExport {
    /// Itself.
    pub background: BackgroundExport,
    /// What its campaign is called.
    pub campaign_name: String,
}

impl Exports<'_> {
    /// Looks whether an export can be made of the results that a campaign shows, and what its bytes are known by.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] where nothing is scored, [`Error::Invalid`].
    pub async fn prepare(&self, caller: &Caller, id: CampaignId, asked: Asked) -> Result<Prepared> {
        let CurrentRun { campaign, run } = self.0.current_results().current(caller, id).await?;
        self.check(&asked, &run).await?;
        let exported_at = day_of(self.0.now());
        let etag = self.etag(&campaign, &run, &asked, exported_at).await?;
        Ok(Prepared { campaign, run, asked, exported_at, etag })
    }

    /// Makes a prepared export while it is sent. Lists are taken out: they are kept as versions.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what only the results can tell is wrong.
    pub async fn download(&self, caller: &Caller, prepared: Prepared) -> Result<Download> {
        let Prepared { campaign, run, asked, exported_at, .. } = prepared;
        let author = Some(caller.user.id);
        let material = Material::gather(self.0, campaign, run, asked, author, exported_at).await?;
        delivery::delivered(self.0, material).await
    }

    /// Asks for an export to be made in the background.
    ///
    /// # Errors
    /// As [`Self::prepare`]; [`Error::Conflict`] where the caller has too many already.
    pub async fn start(&self, caller: &Caller, id: CampaignId, asked: Asked) -> Result<Export> {
        let CurrentRun { campaign, run } = self.0.current_results().current(caller, id).await?;
        self.check(&asked, &run).await?;
        let now = self.0.now();
        let new = NewExport {
            id: ExportId::new(now),
            campaign_id: campaign.id,
            run_id: run.id,
            author_id: caller.user.id,
            job_id: JobId::new(now),
            asked: serde_json::to_value(&asked).map_err(Error::internal)?,
        };
        let txn = self.0.store().begin().await?;
        // Whoever asks for several at once is counted one after another.
        caliber_store::users::lock(&txn, caller.user.id).await?;
        let held = exports::held_by(&txn, caller.user.id).await?;
        if held.under_way >= MOST_UNDER_WAY || held.all >= MOST_KEPT {
            let message = format!(
                "{} exports of yours are being made and {} are kept, of at most {MOST_UNDER_WAY} and {MOST_KEPT}; wait for one to \
                 be done, or for an old one to be removed",
                held.under_way, held.all
            );
            return Err(Error::conflict(Conflict::Other, message));
        }
        queue::enqueue(&txn, make_export::job(new.job_id, &campaign, new.id), now).await?;
        let export = exports::create(&txn, new, now).await?;
        txn.commit().await?;
        Ok(export)
    }

    /// How far an export is.
    ///
    /// # Errors
    /// [`Error::NotFound`], from 24 hours after it was made too.
    pub async fn get(&self, caller: &Caller, id: ExportId) -> Result<BackgroundExport> {
        let made_after = self.0.now() - KEPT_FOR;
        let found = exports::by_id(self.0.store().db(), caller.reads(), id, made_after).await?;
        let (export, job) = found.ok_or_else(|| Error::not_found("export"))?;
        Ok(BackgroundExport::of(export, job.as_ref()))
    }

    /// Exports of the campaigns that the caller sees, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, caller: &Caller, window: Window) -> Result<Page<NamedExport>> {
        let made_after = self.0.now() - KEPT_FOR;
        let page = exports::list(self.0.store().db(), caller.reads(), made_after, window).await?;
        let named = |ListedExport { export, job, campaign_name }| NamedExport {
            background: BackgroundExport::of(export, job.as_ref()),
            campaign_name,
        };
        Ok(Page { rows: page.rows.into_iter().map(named).collect(), total: page.total })
    }

    /// The file of an export that was made in the background, and its entity tag.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] before it is made.
    pub async fn fetch(&self, caller: &Caller, id: ExportId) -> Result<(Download, String)> {
        let BackgroundExport { export, status, error_message, .. } = self.get(caller, id).await?;
        let (Some(filename), Some(media_type), Some(sha256)) =
            (export.filename, export.media_type, export.sha256)
        else {
            let message = match status {
                ExportStatus::Failed => {
                    format!(
                        "the export failed: {}",
                        error_message.unwrap_or_else(|| "ask for it again".to_owned())
                    )
                }
                _ => "the export is not made yet; watch it until it is `completed`".to_owned(),
            };
            return Err(Error::conflict(Conflict::WrongState, message));
        };
        let key = export_key(export.campaign_id, id);
        let left_out = export.left_out.and_then(|count| u64::try_from(count).ok());
        let download = delivery::stored(self.0, &key, filename, media_type, left_out).await?;
        Ok((download, sha256))
    }

    /// What can be told to be wrong without making it.
    async fn check(&self, asked: &Asked, run: &Run) -> Result<()> {
        match asked {
            Asked::Results { rows, .. } if matches!(rows.sort_by, SortBy::Metric(_) | SortBy::PBelow) => {
                let table = self.0.current_results().table(run).await?;
                let rows = rows.clone();
                let looked = move || table.page(&crate::results::Query { per_page: 0, ..rows }).map(drop);
                let looked = tokio::task::spawn_blocking(looked).await.map_err(Error::internal)?;
                looked.map_err(|error| Error::invalid(error.field, error.message))
            }
            Asked::Dsp { form, options, .. } => {
                self.0.lists().check(options)?;
                let config: RunConfig =
                    serde_json::from_value(run.config.0.clone()).map_err(Error::internal)?;
                // Refuses vendors where the form wants sites.
                let looked = upload_form(form)?.files(ListKind::Allow, config.dimension, &[], "");
                looked.map(drop).map_err(|error| Error::invalid("format", told(&error)))
            }
            Asked::List { options, .. } | Asked::Lists { options } => self.0.lists().check(options),
            Asked::Results { .. } | Asked::Summary | Asked::Data { .. } | Asked::Pdf { .. } => Ok(()),
        }
    }

    /// Everything that the bytes depend on, in 32 digits.
    async fn etag(
        &self,
        campaign: &Campaign,
        run: &Run,
        asked: &Asked,
        exported_at: DateTime<Utc>,
    ) -> Result<String> {
        let reach = Reach::organization(campaign.organization_id);
        let organization = organizations::by_id(self.0.store().db(), reach, campaign.organization_id).await?;
        let of_organization = organization.map(|organization| {
            let colours = organization.colours.map(|colours| colours.0);
            json!([organization.name, organization.logo_key, colours, organization.protected_names.0])
        });
        let all = json!([
            env!("CARGO_PKG_VERSION"),
            asked,
            run.id,
            exported_at,
            writing::campaign_document(campaign, run),
            campaign.overrides.0,
            of_organization,
        ]);
        let text = serde_json::to_vec(&all).map_err(Error::internal)?;
        Ok(hex::encode(&Sha256::digest(&text)[..16]))
    }
}

/// A form of a DSP, and what of a list it holds.
#[derive(Clone, Copy, Debug)]
pub struct FormRoom {
    /// The form.
    pub form: &'static UploadForm,
    /// Names that it cannot hold; none where it does not take what was scored.
    pub left_out: Option<usize>,
}

/// What each form of a DSP holds of the names of a list.
pub fn rooms(of_vendors: bool, names: &[String]) -> Vec<FormRoom> {
    let dimension = if of_vendors { Dimension::SupplyVendor } else { Dimension::Domain };
    let room = |form: &'static UploadForm| FormRoom { form, left_out: form.left_out(dimension, names) };
    UploadForm::all().iter().map(room).collect()
}

impl BackgroundExport {
    /// What was asked for, where this version of Caliber knows it.
    pub fn asked(&self) -> Option<Asked> {
        serde_json::from_value(self.export.asked.0.clone()).ok()
    }

    fn of(export: Export, job: Option<&Job>) -> Self {
        let status = match (export.completed_at, job.map(|job| job.state)) {
            (Some(_), _) => ExportStatus::Completed,
            (None, Some(JobState::Queued)) => ExportStatus::Pending,
            (None, Some(JobState::Running)) => ExportStatus::Processing,
            (None, _) => ExportStatus::Failed,
        };
        let noted =
            job.and_then(|job| job.progress.as_deref()).and_then(|progress| progress["percentage"].as_f64());
        // What failed on our side again and again is for the log; what was wrong with the call is for the caller.
        let told = job.filter(|job| job.attempts < job.max_attempts).and_then(|job| job.last_error.clone());
        Self {
            progress_percentage: match status {
                ExportStatus::Pending => 0.0,
                ExportStatus::Completed => 100.0,
                ExportStatus::Processing | ExportStatus::Failed => noted.unwrap_or_default(),
            },
            error_message: (status == ExportStatus::Failed)
                .then(|| told.unwrap_or_else(|| "it failed on our side; ask for it again".to_owned())),
            expires_at: export.completed_at.map(|at| at + KEPT_FOR),
            status,
            export,
        }
    }
}

/// Where the bytes of an export are stored. Named by the export, so that an attempt that is repeated overwrites itself.
pub(crate) fn export_key(campaign: CampaignId, export: ExportId) -> String {
    format!("campaigns/{campaign}/exports/{export}")
}

/// What a form cannot hold is for whoever asked for it; everything else that fails is ours.
pub(crate) fn unmade(error: caliber_engine::Error) -> Error {
    match error.code {
        Code::TooLarge => Error::TooLarge(told(&error)),
        _ => Error::internal(error),
    }
}

/// The form of a DSP by its name.
fn upload_form(name: &str) -> Result<&'static UploadForm> {
    UploadForm::by_name(name).map_err(|error| Error::invalid("format", told(&error)))
}

/// The beginning of the day: what files state, and so what they are known by, holds for a day.
pub(crate) fn day_of(time: DateTime<Utc>) -> DateTime<Utc> {
    time.date_naive().and_time(NaiveTime::MIN).and_utc()
}
