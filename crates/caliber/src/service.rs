//! What the commands of the service share: settings to a running platform.

pub(crate) mod logging;
mod secret;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use caliber_engine::recipe::RecipeBook;
use caliber_engine::{Code, Error, Result};
use caliber_platform::identity::Secrets;
use caliber_platform::{Clock, Parts, Platform};
use caliber_store::objects::Objects;
use caliber_store::{Store, StoreError};

use crate::commands::xls_sheet;
use crate::settings::{Settings, Sources};
use crate::terminal::Terminal;

/// Flags of the commands that need the service's settings.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct ServiceArgs {
    /// Folder of the database, stored files and the development secret [default: ./caliber-data]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS", global = true)]
    bind: Option<String>,
}

impl ServiceArgs {
    /// Reads all settings, and warns of names that are none.
    pub(crate) fn sources(&self, terminal: Terminal) -> Result<Sources> {
        let data = self.data.as_ref().map(|data| data.display().to_string());
        let sources = Sources::read(&[("CALIBER_DATA", data), ("CALIBER_BIND", self.bind.clone())])?;
        crate::environment::warn_of(terminal, &sources.unknown);
        Ok(sources)
    }
}

/// Runs asynchronous work to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Error::new(Code::Machine, format!("no threads could be started: {error}")).caused_by(error)
    })?;
    let done = runtime.block_on(work);
    // A thread that scores and does not see that it should stop must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    done
}

/// The database, as it is.
pub(crate) async fn store(settings: &Settings) -> Result<Store> {
    Store::connect(&settings.database_url).await.map_err(store_failed)
}

/// The platform over a database that is migrated.
pub(crate) fn platform(settings: &Settings, store: Store) -> Result<Platform> {
    let recipes = settings.data.join("recipes");
    let book = RecipeBook::shipped().clone().with_folder(&recipes, false)?;
    let objects = Objects::open(&settings.storage).map_err(|error| store_failed(error.into()))?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(Platform::new(Parts {
        store,
        objects,
        clock: Clock::default(),
        secrets: Secrets::new(secret::of(settings)?, settings.old_secret_keys.clone()),
        book: Arc::new(book),
        sheet_reader: Arc::new(|file: &std::path::Path, sheet: Option<&str>| {
            xls_sheet::read_apart(file, sheet)
        }),
        max_upload: settings.max_upload,
        results_cache: settings.results_cache,
        threads: cores,
        failed_sign_ins: settings.auth_rate_limit.clone(),
        issuers: settings.issuers.clone(),
    }))
}

/// A failure of the store for a person.
pub(crate) fn store_failed(error: StoreError) -> Error {
    let help = match &error {
        StoreError::Address { .. } => {
            "set DATABASE_URL to sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE"
        }
        StoreError::Unavailable(_) => "check that the database runs, and that DATABASE_URL is right",
        _ => "`caliber doctor` looks at each part of the service",
    };
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        let text = source.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = source.source();
    }
    let code = if matches!(error, StoreError::Address { .. }) { Code::BadOption } else { Code::Machine };
    Error::new(code, message).help(help).caused_by(error)
}

/// A failure of the platform for a person at the command line.
pub(crate) fn platform_failed(error: caliber_platform::Error) -> Error {
    use caliber_platform::Error as Failed;
    let code = match &error {
        Failed::Internal(_) | Failed::Unavailable(_) => Code::Machine,
        Failed::NotFound(_) => Code::NotFound,
        _ => Code::BadOption,
    };
    let message = match &error {
        Failed::Internal(cause) => cause.to_string(),
        Failed::Invalid(problems) => {
            let told = |problem: &caliber_platform::error::Problem| match problem.field.as_str() {
                "" => problem.message.clone(),
                field => format!("{field}: {}", problem.message),
            };
            problems.iter().map(told).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    };
    Error::new(code, message).caused_by(error)
}

/// Whether somebody reads along at a terminal.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}
