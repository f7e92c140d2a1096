//! Reports' files: taken in, looked at, given to campaigns, deleted.

mod examination;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use caliber_engine::recipe::RecipeBook;
use caliber_engine::report::source::{Compression, Format};
use caliber_engine::{Code, Context, Options, Progress};
use caliber_store::objects::{LocalCopy, ObjectError};
use caliber_store::uploads::{self, Attached, NewUpload, NotAttached};
use caliber_store::{Attempt, CampaignId, Page, Window, campaigns};
use chrono::TimeDelta;
use futures_util::Stream;

pub use caliber_engine::Inspection;
pub use caliber_engine::report::mapping::How;
pub use caliber_store::UploadId;
pub use caliber_store::uploads::{Upload, UploadStatus};
pub use examination::{Examination, KnownColumn, Obstacle, ReadAs, WayOut};

use crate::Platform;
use crate::campaigns::{engine_channel, engine_dimension, engine_goal, missing as missing_campaign};
use crate::error::{Conflict, Error, Result};
use crate::identity::Caller;
use crate::scoring::told;

/// A file that belongs to no campaign is cleared away after this.
pub const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// The use cases of reports' files.
#[derive(Clone, Copy, Debug)]
pub struct Uploads<'a>(pub(crate) &'a Platform);

/// What is known of a report before it is scored.
#[derive(Debug)]
pub struct Validation {
    /// What it is and how its headers are understood; none where it cannot be read at all.
    pub inspection: Option<Inspection>,
    /// Why it cannot be scored as it stands: one sentence each.
    pub errors: Vec<String>,
}

impl Uploads<'_> {
    /// Stores a report as it comes, and looks at what it is.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::BrokenOff`], [`Error::WrongKind`] where the bytes are no report or contradict the name, [`Error::Invalid`]
    /// where there is no row in it.
    pub async fn receive(
        &self,
        caller: &Caller,
        filename: &str,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send + Unpin,
    ) -> Result<Upload> {
        let filename = checked_filename(filename)?;
        let now = self.0.now();
        let id = UploadId::new(now);
        let key = format!("uploads/{}/{id}", caller.user.organization_id);
        let stored = self.0.objects().put(&key, Some(self.0.max_upload()), bytes).await;
        let stored = stored.map_err(|error| match error {
            ObjectError::Source(_) => Error::BrokenOff("the upload broke off before its end"),
            other => other.into(),
        })?;
        let looked = self.look_at(&key, &filename).await;
        let (format, compression) = match looked {
            Ok(kind) => kind,
            Err(error) => {
                self.0.discard(&key).await;
                return Err(error);
            }
        };
        let new = NewUpload {
            id,
            organization_id: caller.user.organization_id,
            user_id: caller.user.id,
            filename,
            size: i64::try_from(stored.size).unwrap_or(i64::MAX),
            sha256: stored.sha256,
            format: word(&format),
            compression: compression.as_ref().map(word),
            storage_key: key,
        };
        Ok(uploads::create(self.0.store().db(), new, now).await?)
    }

    /// Tells the kind of a stored file, and refuses what can never be scored.
    async fn look_at(&self, key: &str, filename: &str) -> Result<(Format, Option<Compression>)> {
        let filename_again = filename.to_owned();
        let looked = self
            .inspect(key, filename, Options::default(), move |source| {
                let kind = (source.format(), source.compression());
                contradiction(&filename_again, kind.0).map_or(Ok(kind), |contradiction| {
                    Err(caliber_engine::Error::new(Code::WrongKind, contradiction))
                })
            })
            .await?;
        let refused = |error: &caliber_engine::Error| match error.code {
            Code::WrongKind | Code::Encrypted => Some(Error::WrongKind(told(error))),
            Code::Empty | Code::HeaderOnly => Some(Error::invalid("file", told(error))),
            // What else only reading finds, the run will say, and how it can be mended.
            _ => None,
        };
        match looked {
            (Err(error), _) => Err(refused(&error).unwrap_or_else(|| Error::WrongKind(told(&error)))),
            (Ok(_), Err(error)) if refused(&error).is_some() => {
                Err(refused(&error).unwrap_or_else(|| Error::internal(error)))
            }
            (Ok(kind), _) => Ok(kind),
        }
    }

    /// Opens a stored report and inspects it; what `open` makes of the opened source is given beside.
    async fn inspect<T: Send + 'static>(
        &self,
        key: &str,
        filename: &str,
        options: Options,
        open: impl FnOnce(&caliber_engine::report::source::Source) -> caliber_engine::Result<T> + Send + 'static,
    ) -> Result<(caliber_engine::Result<T>, caliber_engine::Result<Inspection>)> {
        self.inspect_by(self.0.book(), key, filename, options, open).await
    }

    /// As [`Self::inspect`], by the recipes of a book.
    async fn inspect_by<T: Send + 'static>(
        &self,
        book: Arc<RecipeBook>,
        key: &str,
        filename: &str,
        options: Options,
        open: impl FnOnce(&caliber_engine::report::source::Source) -> caliber_engine::Result<T> + Send + 'static,
    ) -> Result<(caliber_engine::Result<T>, caliber_engine::Result<Inspection>)> {
        let copy: LocalCopy = self.0.objects().local_copy(key).await?;
        let (filename, platform) = (filename.to_owned(), self.0.clone());
        tokio::task::spawn_blocking(move || {
            let unread = || caliber_engine::Error::new(Code::WrongKind, "the file could not be opened");
            let source = match caliber_engine::report::source::Source::open(copy.path(), &filename) {
                Ok(source) => source,
                Err(error) => return (Err(error), Err(unread())),
            };
            let opened = open(&source);
            if opened.is_err() {
                return (opened, Err(unread()));
            }
            let (reader, progress) = (platform.sheet_reader(), Progress::default());
            let context = Context { book: &book, sandbox: &*reader, progress: &progress };
            (opened, caliber_engine::inspect(source, &options, &context))
        })
        .await
        .map_err(Error::internal)
    }

    /// Files, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, caller: &Caller, window: Window) -> Result<Page<Upload>> {
        Ok(uploads::list(self.0.store().db(), caller.reads(), window).await?)
    }

    /// One file.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get(&self, caller: &Caller, id: UploadId) -> Result<Upload> {
        uploads::by_id(self.0.store().db(), caller.reads(), id).await?.ok_or_else(missing)
    }

    /// The first rows of a report as they stand, its headers, and how many rows it has where it could be read.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] where it cannot be read.
    pub async fn preview(&self, caller: &Caller, id: UploadId, rows: usize) -> Result<Inspection> {
        let upload = self.get(caller, id).await?;
        let options = Options { preview_rows: rows, ..self.options(&upload).await? };
        let (_, inspection) =
            self.inspect(&upload.storage_key, &upload.filename, options, |_| Ok(())).await?;
        inspection.map_err(|error| Error::invalid("file", told(&error)))
    }

    /// Whether a report can be scored, and what stands in the way.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn validate(&self, caller: &Caller, id: UploadId) -> Result<Validation> {
        let upload = self.get(caller, id).await?;
        let options = self.options(&upload).await?;
        let (opened, inspection) =
            self.inspect(&upload.storage_key, &upload.filename, options, |_| Ok(())).await?;
        let validation = match (opened, inspection) {
            (Err(error), _) | (Ok(()), Err(error)) => {
                Validation { inspection: None, errors: vec![told(&error)] }
            }
            (Ok(()), Ok(inspection)) => {
                let mut errors = Vec::new();
                if inspection.recognised.is_none() {
                    let what =
                        inspection.quality.warnings.iter().find(|warning| warning.code == "not_recognised");
                    let what = what.map_or("no recipe fits the headers", |warning| warning.message.as_str());
                    let help = inspection.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
                    errors.push(format!("{what}{help}"));
                }
                if let Some(several) = &inspection.several_currencies {
                    errors.push(told(&several.error(&upload.filename)));
                }
                Validation { inspection: Some(inspection), errors }
            }
        };
        let status =
            if validation.errors.is_empty() { UploadStatus::Validated } else { UploadStatus::Rejected };
        uploads::set_status(self.0.store().db(), caller.reads(), id, status).await?;
        Ok(validation)
    }

    /// What the campaign of a file says of how it is to be read.
    async fn options(&self, upload: &Upload) -> Result<Options> {
        let Some(campaign) = upload.campaign_id else { return Ok(Options::default()) };
        let reach = caliber_store::Reach::organization(upload.organization_id);
        let campaign = campaigns::by_id(self.0.store().db(), reach, campaign).await?;
        Ok(campaign.map_or_else(Options::default, |campaign| Options {
            platform: Some(campaign.campaign_type.clone()),
            channel: Some(engine_channel(campaign.channel)),
            goal: engine_goal(campaign.goal),
            ctr_sensitive: campaign.ctr_sensitivity,
            dimension: Some(engine_dimension(campaign.analysis_level)),
            ..Options::default()
        }))
    }

    /// Gives a file to a campaign, in place of the one it had.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] while the campaign is being scored, or where the file is another's.
    pub async fn assign(&self, caller: &Caller, id: UploadId, campaign: CampaignId) -> Result<Upload> {
        let db = self.0.store().db();
        uploads::by_id(db, caller.writes(), id).await?.ok_or_else(missing)?;
        campaigns::by_id(db, caller.writes(), campaign).await?.ok_or_else(missing_campaign)?;
        let txn = self.0.store().begin().await?;
        let attached = uploads::attach(&txn, caller.writes(), id, campaign, self.0.now()).await?;
        match attached {
            Attempt::Done(Attached { upload, replaced }) => {
                if let Some(replaced) = &replaced {
                    uploads::delete(&txn, caller.writes(), replaced.id).await?;
                }
                txn.commit().await?;
                if let Some(replaced) = replaced {
                    self.0.discard(&replaced.storage_key).await;
                }
                Ok(upload)
            }
            Attempt::Missing => Err(missing_campaign()),
            Attempt::Refused(NotAttached::Processing(_)) => Err(Error::conflict(
                Conflict::WrongState,
                "the campaign is being scored; wait, or cancel it first",
            )),
            Attempt::Refused(NotAttached::Taken(_)) => {
                Err(Error::conflict(Conflict::InUse, "the file belongs to another campaign; upload it again"))
            }
        }
    }

    /// Stores a report and gives it to a campaign.
    ///
    /// # Errors
    /// Those of [`Self::receive`] and [`Self::assign`].
    pub async fn receive_for(
        &self,
        caller: &Caller,
        campaign: CampaignId,
        filename: &str,
        bytes: impl Stream<Item = io::Result<Bytes>> + Send + Unpin,
    ) -> Result<Upload> {
        // Before a byte is stored; judged again when it is given.
        let found = campaigns::by_id(self.0.store().db(), caller.writes(), campaign).await?;
        if found.ok_or_else(missing_campaign)?.active_run_id.is_some() {
            return Err(Error::conflict(
                Conflict::WrongState,
                "the campaign is being scored; wait, or cancel it first",
            ));
        }
        let upload = self.receive(caller, filename, bytes).await?;
        self.assign_new(caller, upload, campaign).await
    }

    /// Gives a file that was just stored to a campaign; where that fails, nothing of it stays.
    ///
    /// # Errors
    /// Those of [`Self::assign`].
    pub async fn assign_new(&self, caller: &Caller, upload: Upload, campaign: CampaignId) -> Result<Upload> {
        match self.assign(caller, upload.id, campaign).await {
            Ok(assigned) => Ok(assigned),
            Err(error) => {
                self.delete(caller, upload.id).await?;
                Err(error)
            }
        }
    }

    /// Deletes a file and its bytes.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] while its campaign is being scored.
    pub async fn delete(&self, caller: &Caller, id: UploadId) -> Result<()> {
        let txn = self.0.store().begin().await?;
        match uploads::delete(&txn, caller.writes(), id).await? {
            Attempt::Done(upload) => {
                txn.commit().await?;
                self.0.discard(&upload.storage_key).await;
                Ok(())
            }
            Attempt::Missing => Err(missing()),
            Attempt::Refused(_) => Err(Error::conflict(
                Conflict::WrongState,
                "its campaign is being scored; wait, or cancel it first",
            )),
        }
    }
}

fn missing() -> Error {
    Error::not_found("file")
}

/// The last part of a name, without what could steer a terminal or a header.
fn checked_filename(name: &str) -> Result<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|char| !char.is_control()).take(255).collect();
    let clean = clean.trim();
    if clean.is_empty() || clean == "." || clean == ".." {
        return Err(Error::invalid("file", "the file has no name"));
    }
    Ok(clean.to_owned())
}

/// What is wrong between a name and the kind of the bytes.
fn contradiction(filename: &str, format: Format) -> Option<String> {
    let lower = filename.to_ascii_lowercase();
    let mut parts = lower.rsplit('.');
    let mut extension = parts.next().filter(|last| last.len() < lower.len())?;
    if matches!(extension, "gz" | "zst" | "zip") {
        extension = parts.next().filter(|_| lower.matches('.').count() > 1)?;
    }
    let says: &[Format] = match extension {
        "csv" | "tsv" | "txt" | "tab" => &[Format::Csv],
        "xlsx" | "xlsm" => &[Format::Xlsx],
        // What Excel calls .xls is now and then XLSX, or text.
        "xls" => &[Format::Xls, Format::Xlsx, Format::Csv],
        "xlsb" | "ods" => &[Format::Xls],
        "parquet" => &[Format::Parquet],
        _ => {
            return Some(format!(
                "reports are .csv, .tsv, .xlsx, .xls and .parquet, text also as .gz and .zst; this is called .{extension}"
            ));
        }
    };
    let found = match format {
        Format::Csv => "text",
        Format::Xlsx => "an XLSX workbook",
        Format::Xls => "an old workbook",
        Format::Parquet => "Parquet",
    };
    (!says.contains(&format)).then(|| format!("the name ends in .{extension}, and the content is {found}"))
}

/// The word of a kind, as in JSON.
fn word(kind: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(kind).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_not_contradict_the_content() {
        for (name, format, fits) in [
            ("report.csv", Format::Csv, true),
            ("Report.CSV.gz", Format::Csv, true),
            ("report.tsv.zst", Format::Csv, true),
            ("report.gz", Format::Csv, true),
            ("report", Format::Xlsx, true),
            ("report.xls", Format::Xlsx, true),
            ("report.xlsx", Format::Csv, false),
            ("report.csv", Format::Xlsx, false),
            ("report.parquet", Format::Csv, false),
            ("report.pdf", Format::Csv, false),
            ("report.2026.csv", Format::Csv, true),
        ] {
            assert_eq!(contradiction(name, format).is_none(), fits, "{name}");
        }
    }

    #[test]
    fn names_of_files_are_only_their_last_part() {
        assert_eq!(checked_filename("../../etc/report.csv").unwrap(), "report.csv");
        assert_eq!(checked_filename(r"C:\reports\Отчёт.xlsx").unwrap(), "Отчёт.xlsx");
        assert_eq!(checked_filename("a\r\nb.csv").unwrap(), "ab.csv");
        for wrong in ["", "/", "..", "\u{7}"] {
            assert!(checked_filename(wrong).is_err(), "{wrong:?}");
        }
    }
}
