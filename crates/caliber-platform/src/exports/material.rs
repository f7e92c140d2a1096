//! What an export tells, gathered before the first byte: what is wrong is told then, and not in the middle of a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use caliber_pdf::{Branding, Contents};
use caliber_reports::{ListKind, UploadFiles};
use caliber_store::campaigns::Campaign;
use caliber_store::runs::Run;
use caliber_store::{Reach, UserId, organizations};
use chrono::{DateTime, Utc};

use super::asked::{Asked, ListFormat, ResultsFormat};
use super::file_name::{file_name, stem};
use super::upload_form;
use crate::Platform;
use crate::error::{Error, Result};
use crate::lists::ListOptions;
use crate::results::{List, ListType, Query, ResultsTable};
use crate::scoring::{RunConfig, told};

/// How far the writing of an export is, and the way to stop it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<Figures>);

#[derive(Debug, Default)]
struct Figures {
    lines: AtomicU64,
    /// Lines that are to be written; 0 where they are not counted.
    total: AtomicU64,
    is_written: AtomicBool,
    cancelled: AtomicBool,
}

impl Gauge {
    /// 0 to 100.
    pub(crate) fn percentage(&self) -> f64 {
        let [lines, total] = [&self.0.lines, &self.0.total].map(|figure| figure.load(Ordering::Relaxed));
        match total {
            _ if self.0.is_written.load(Ordering::Relaxed) => 95.0,
            0 => 5.0,
            total => 5.0 + 90.0 * (lines as f64 / total as f64).min(1.0),
        }
    }

    /// Set to stop the writing.
    pub(crate) fn cancelled(&self) -> &AtomicBool {
        &self.0.cancelled
    }

    pub(super) fn expect(&self, lines: usize) {
        self.0.total.store(lines as u64, Ordering::Relaxed);
    }

    pub(super) fn count(&self, lines: usize) {
        self.0.lines.fetch_add(lines as u64, Ordering::Relaxed);
    }

    pub(super) fn written(&self) {
        self.0.is_written.store(true, Ordering::Relaxed);
    }
}

/// All that an export is made of.
#[derive(Debug)]
pub(crate) struct Material {
    pub(super) campaign: Campaign,
    pub(super) run: Run,
    pub(super) config: RunConfig,
    pub(super) asked: Asked,
    pub(super) exported_at: DateTime<Utc>,
    pub(super) content: Content,
}

/// What is told.
#[derive(Debug)]
pub(super) enum Content {
    /// These rows; a workbook has the run's lists besides.
    Results { table: Arc<ResultsTable>, rows: Vec<usize>, lists: Option<[List; 2]> },
    /// Lists that were taken out.
    Lists(Vec<List>),
    /// A list as a DSP takes it.
    Upload(UploadFiles),
    /// The summary of the run, with its lists as they are by now.
    Summary { lists: [List; 2] },
    /// The campaign; with its rows, where asked.
    Data { rows: Option<(Arc<ResultsTable>, Vec<usize>)>, insights: bool },
    /// The report for the client.
    Report { table: Arc<ResultsTable>, lists: [List; 2], branding: Branding, contents: Contents },
}

impl Material {
    /// Gathers it. Lists that are taken out are kept as versions, with their author.
    pub(crate) async fn gather(
        platform: &Platform,
        campaign: Campaign,
        run: Run,
        asked: Asked,
        author: Option<UserId>,
        exported_at: DateTime<Utc>,
    ) -> Result<Self> {
        let config = serde_json::from_value(run.config.0.clone()).map_err(Error::internal)?;
        let of = Of { platform, campaign: &campaign, run: &run, author };
        let content = of.content(&asked, &config).await?;
        Ok(Self { campaign, run, config, asked, exported_at, content })
    }

    /// What the file is called.
    pub(crate) fn filename(&self) -> String {
        let name = &self.campaign.name;
        match &self.content {
            Content::Upload(files) => match files.single() {
                Some(file) => file.name.clone(),
                None => file_name(name, self.asked.what(), "zip"),
            },
            _ => file_name(name, self.asked.what(), self.form().0),
        }
    }

    /// What the file is.
    pub(crate) fn media_type(&self) -> &'static str {
        match &self.content {
            Content::Upload(files) => files.single().map_or("application/zip", |file| file.media_type),
            _ => self.form().1,
        }
    }

    /// Names of the list that the form of a DSP cannot hold; none where there is no such form.
    pub(crate) fn left_out(&self) -> Option<u64> {
        match &self.content {
            Content::Upload(files) => Some(files.left_out.len() as u64),
            _ => None,
        }
    }

    /// Whether it is written as it is sent; else into a file first.
    pub(super) fn is_streamed(&self) -> bool {
        matches!(self.form().0, "csv" | "json" | "parquet") && !matches!(self.content, Content::Upload(_))
    }

    /// The extension and the media type.
    fn form(&self) -> (&'static str, &'static str) {
        const CSV: (&str, &str) = ("csv", "text/csv; charset=utf-8");
        const JSON: (&str, &str) = ("json", "application/json");
        match &self.asked {
            Asked::Results { format: ResultsFormat::Xlsx, .. } => {
                ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
            }
            Asked::Results { format: ResultsFormat::Parquet, .. } => {
                ("parquet", "application/vnd.apache.parquet")
            }
            Asked::Results { format: ResultsFormat::Json, .. }
            | Asked::List { format: ListFormat::Json, .. }
            | Asked::Data { .. } => JSON,
            Asked::Pdf { .. } => ("pdf", "application/pdf"),
            Asked::Dsp { .. } => ("zip", "application/zip"),
            Asked::Results { format: ResultsFormat::Csv, .. }
            | Asked::List { format: ListFormat::Csv, .. }
            | Asked::Lists { .. }
            | Asked::Summary => CSV,
        }
    }
}

/// Of whom it is gathered.
struct Of<'a> {
    platform: &'a Platform,
    campaign: &'a Campaign,
    run: &'a Run,
    author: Option<UserId>,
}

impl Of<'_> {
    async fn content(&self, asked: &Asked, config: &RunConfig) -> Result<Content> {
        Ok(match asked {
            Asked::Results { format, rows } => {
                let (table, rows) = self.rows(rows.clone()).await?;
                let has_lists = *format == ResultsFormat::Xlsx;
                let lists = if has_lists { Some(self.lists_of_the_run().await?) } else { None };
                Content::Results { table, rows, lists }
            }
            Asked::List { list_type, options, .. } => {
                Content::Lists(vec![self.taken_out(*list_type, *options).await?])
            }
            Asked::Lists { options } => Content::Lists(vec![
                self.taken_out(ListType::Whitelist, *options).await?,
                self.taken_out(ListType::Blacklist, *options).await?,
            ]),
            Asked::Dsp { list_type, form, options } => {
                let list = self.taken_out(*list_type, *options).await?;
                let kind = match list_type {
                    ListType::Whitelist => ListKind::Allow,
                    ListType::Blacklist => ListKind::Block,
                };
                let (form, dimension) = (upload_form(form)?, config.dimension);
                let base_name = stem(&self.campaign.name, asked.what());
                let made = move || {
                    let names: Vec<&str> = list.domains.iter().map(String::as_str).collect();
                    form.files(kind, dimension, &names, &base_name)
                };
                let made = tokio::task::spawn_blocking(made).await.map_err(Error::internal)?;
                Content::Upload(made.map_err(|error| Error::invalid("format", told(&error)))?)
            }
            Asked::Summary => Content::Summary { lists: self.lists_of_the_run().await? },
            Asked::Data { results, insights } => {
                let rows = if *results { Some(self.rows(Query::default()).await?) } else { None };
                Content::Data { rows, insights: *insights }
            }
            Asked::Pdf { charts, details } => Content::Report {
                table: self.platform.current_results().table(self.run).await?,
                lists: self.lists_of_the_run().await?,
                branding: self.branding().await?,
                contents: Contents { charts: *charts, details: *details },
            },
        })
    }

    /// The rows that a query keeps, in its order.
    async fn rows(&self, query: Query) -> Result<(Arc<ResultsTable>, Vec<usize>)> {
        let table = self.platform.current_results().table(self.run).await?;
        let of = Arc::clone(&table);
        let found = move || Ok(of.all(&query)?.into_iter().map(crate::results::RowId::index).collect());
        let found: std::result::Result<_, crate::results::InvalidQuery> =
            tokio::task::spawn_blocking(found).await.map_err(Error::internal)?;
        let rows = found.map_err(|error| Error::invalid(error.field, error.message))?;
        Ok((table, rows))
    }

    async fn taken_out(&self, list_type: ListType, options: ListOptions) -> Result<List> {
        let lists = self.platform.lists();
        let list = lists.of_run(self.campaign, self.run, list_type, options).await?;
        lists.keep(self.author, self.campaign, self.run.id, &list, options.expires_at).await?;
        Ok(list)
    }

    /// Both lists as the run makes them, told and not taken out.
    async fn lists_of_the_run(&self) -> Result<[List; 2]> {
        let lists = self.platform.lists();
        let of = |list_type| lists.of_run(self.campaign, self.run, list_type, ListOptions::default());
        Ok([of(ListType::Whitelist).await?, of(ListType::Blacklist).await?])
    }

    /// What the organisation puts on its reports.
    async fn branding(&self) -> Result<Branding> {
        let id = self.campaign.organization_id;
        let found = organizations::by_id(self.platform.store().db(), Reach::organization(id), id).await?;
        let Some(organization) = found else { return Ok(Branding::default()) };
        let logo = match &organization.logo_key {
            Some(key) => Some(self.platform.objects().get_bytes(key).await?.to_vec()),
            None => None,
        };
        let colour = |name: &str| {
            let colours = organization.colours.as_deref()?;
            colours[name].as_str().map(str::to_owned)
        };
        let (primary_color, accent_color) = (colour("primary"), colour("accent"));
        Ok(Branding { name: organization.name.clone(), logo, primary_color, accent_color })
    }
}
