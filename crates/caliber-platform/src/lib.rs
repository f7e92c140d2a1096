//! The use cases of the service: what may be done, by whom, and what follows from it.
//!
//! Rules live here once, whoever calls: the API, a page, the command line. A use case takes the [`identity::Caller`], and
//! every query says whose rows it may touch.

pub mod analysis;
pub mod campaigns;
mod clock;
pub mod current_results;
pub mod error;
pub mod exports;
pub mod identity;
pub mod jobs;
pub mod lists;
pub mod rate_limits;
pub mod recipes;
pub mod results;
pub mod scoring;
pub mod uploads;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use caliber_engine::recipe::RecipeBook;
use caliber_engine::report::xls::SheetCsv;
use caliber_store::objects::Objects;
use caliber_store::{RunId, Store, StoreError};
use chrono::{DateTime, Utc};

pub use caliber_store::jobs::Queue;
pub use caliber_store::{Page, Window};
pub use clock::Clock;
pub use error::{Error, Result};
use identity::{IdTokens, Secrets, TrustedIssuer};
use rate_limits::{RateLimit, RateLimiter};
use results::ResultsCache;

/// Reads a workbook of an old format in a process of its own (see [`caliber_engine::report::xls`]).
pub type SheetReader =
    dyn Fn(&Path, Option<&str>) -> caliber_engine::Result<SheetCsv> + Send + Sync + 'static;

/// What the platform is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Stored files.
    pub objects: Objects,
    /// The time.
    pub clock: Clock,
    /// What keys are derived from.
    pub secrets: Secrets,
    /// The shipped recipes and those of the installation.
    pub book: Arc<RecipeBook>,
    /// Reads old workbooks.
    pub sheet_reader: Arc<SheetReader>,
    /// The largest report taken, in bytes.
    pub max_upload: u64,
    /// Memory for results in use, in bytes.
    pub results_cache: u64,
    /// Threads of one scoring job.
    pub threads: usize,
    /// How many sign-ins may fail, for an address and from one.
    pub failed_sign_ins: RateLimit,
    /// Issuers whose ID tokens sign in.
    pub issuers: Vec<TrustedIssuer>,
}

/// The platform. Cheap to clone.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    parts: Parts,
    results: ResultsCache<RunId>,
    export_limits: exports::Limits,
    failed_sign_ins: RateLimiter,
    id_tokens: IdTokens,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").finish_non_exhaustive()
    }
}

impl Platform {
    /// Puts it together.
    pub fn new(parts: Parts) -> Self {
        let results = ResultsCache::new(parts.results_cache);
        let failed_sign_ins = RateLimiter::new(parts.failed_sign_ins.clone());
        let export_limits = exports::Limits::default();
        let id_tokens = IdTokens::new(parts.issuers.clone());
        Self(Arc::new(Inner { parts, results, export_limits, failed_sign_ins, id_tokens }))
    }

    /// Accounts, sessions, organisations.
    pub fn identity(&self) -> identity::Identity<'_> {
        identity::Identity(self)
    }

    /// Campaigns and templates.
    pub fn campaigns(&self) -> campaigns::Campaigns<'_> {
        campaigns::Campaigns(self)
    }

    /// Recipes.
    pub fn recipes(&self) -> recipes::Recipes<'_> {
        recipes::Recipes(self)
    }

    /// Reports' files.
    pub fn uploads(&self) -> uploads::Uploads<'_> {
        uploads::Uploads(self)
    }

    /// Scoring.
    pub fn scoring(&self) -> scoring::Scoring<'_> {
        scoring::Scoring(self)
    }

    /// Results as they are shown.
    pub fn current_results(&self) -> current_results::CurrentResults<'_> {
        current_results::CurrentResults(self)
    }

    /// Questions to results.
    pub fn analysis(&self) -> analysis::Analysis<'_> {
        analysis::Analysis(self)
    }

    /// Lists.
    pub fn lists(&self) -> lists::ListsOf<'_> {
        lists::ListsOf(self)
    }

    /// Exports.
    pub fn exports(&self) -> exports::Exports<'_> {
        exports::Exports(self)
    }

    /// Jobs.
    pub fn jobs(&self) -> jobs::Jobs<'_> {
        jobs::Jobs(self)
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// Stored files.
    pub fn objects(&self) -> &Objects {
        &self.0.parts.objects
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.parts.clock.now()
    }

    /// The largest report taken, in bytes.
    pub fn max_upload(&self) -> u64 {
        self.0.parts.max_upload
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn store_answers(&self) -> Result<()> {
        Ok(self.store().ping().await?)
    }

    /// Whether the storage of files answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn storage_answers(&self) -> Result<()> {
        Ok(self.objects().check().await?)
    }

    /// `sqlite` or `postgres`.
    pub fn database_kind(&self) -> &'static str {
        self.store().backend().name()
    }

    /// `folder` or `s3`.
    pub fn storage_kind(&self) -> &'static str {
        if self.objects().location().starts_with("s3://") { "s3" } else { "folder" }
    }

    /// Tables of results held in memory, and their bytes.
    pub async fn results_held(&self) -> (u64, u64) {
        self.0.results.held().await
    }

    fn secrets(&self) -> &Secrets {
        &self.0.parts.secrets
    }

    fn book(&self) -> Arc<RecipeBook> {
        Arc::clone(&self.0.parts.book)
    }

    fn sheet_reader(&self) -> Arc<SheetReader> {
        Arc::clone(&self.0.parts.sheet_reader)
    }

    fn threads(&self) -> usize {
        self.0.parts.threads
    }

    fn results(&self) -> &ResultsCache<RunId> {
        &self.0.results
    }

    fn failed_sign_ins(&self) -> &RateLimiter {
        &self.0.failed_sign_ins
    }

    fn id_tokens(&self) -> &IdTokens {
        &self.0.id_tokens
    }

    fn export_limits(&self) -> &exports::Limits {
        &self.0.export_limits
    }

    /// Deletes stored bytes whose row is gone. Where it fails they are left to the sweep.
    async fn discard(&self, key: &str) {
        if let Err(error) = self.objects().delete(key).await {
            tracing::warn!(key, %error, "a stored file is left to the sweep");
        }
    }

    /// As [`Self::discard`], all under a folder.
    async fn discard_all(&self, prefix: &str) {
        if let Err(error) = self.objects().delete_prefix(prefix).await {
            tracing::warn!(prefix, %error, "stored files are left to the sweep");
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        use caliber_store::objects::ObjectError;
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(error = format!("{error:?}"), "the database does not answer");
                Self::Unavailable("the database does not answer; try again".to_owned())
            }
            StoreError::Text => Self::invalid("", "text with a NUL character cannot be kept"),
            StoreError::Conflict { .. } | StoreError::Reference(_) => {
                tracing::info!(error = format!("{error:?}"), "a change met another one");
                Self::conflict(
                    error::Conflict::Other,
                    "somebody changed this at the same time; look and try again",
                )
            }
            StoreError::Objects(error @ ObjectError::TooLarge { .. }) => Self::TooLarge(error.to_string()),
            StoreError::Objects(
                error @ (ObjectError::Storage(_) | ObjectError::Refused(_) | ObjectError::Location { .. }),
            ) => {
                tracing::error!(error = format!("{error:?}"), "the storage of files does not answer");
                Self::Unavailable("the storage of files does not answer; try again".to_owned())
            }
            error => Self::internal(error),
        }
    }
}

impl From<caliber_store::objects::ObjectError> for Error {
    fn from(error: caliber_store::objects::ObjectError) -> Self {
        StoreError::from(error).into()
    }
}
