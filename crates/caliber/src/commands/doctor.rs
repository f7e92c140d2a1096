//! `caliber doctor`: what is used, and whether it answers.

use std::time::{Duration, Instant};

use caliber_engine::{Code, Error, Result};
use caliber_platform::identity::TrustedIssuer;
use caliber_store::objects::Objects;
use caliber_store::{Store, StoreOptions};
use serde::Serialize;

use crate::service::{ServiceArgs, block_on, store_failed};
use crate::settings::Settings;
use crate::terminal::{GREEN, Terminal, YELLOW};

/// How long the database is waited for: whoever looks wants to know soon.
const PATIENCE: Duration = Duration::from_secs(3);

/// Look at each part of the service and say whether it answers
#[derive(clap::Args)]
#[command(after_help = "Example:\n  caliber doctor")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
}

/// What was found of one part.
#[derive(Serialize)]
struct Finding {
    part: &'static str,
    used: String,
    ok: bool,
    latency_ms: f64,
    told: String,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let settings = Settings::parse(&args.service.sources(terminal)?)?;
    let findings = block_on(async {
        let mut findings = vec![data(&settings), database(&settings).await, storage(&settings).await];
        for trusted in &settings.issuers {
            findings.push(issuer(trusted).await);
        }
        Ok(findings)
    })?;
    terminal.answer(&findings, |out| {
        for Finding { part, used, ok, latency_ms, told } in &findings {
            let (style, mark) = if *ok { (GREEN, "ok") } else { (YELLOW, "!!") };
            writeln!(out, "{style}{mark}{style:#}  {part:<9} {used}  {told} ({latency_ms:.1} ms)")?;
        }
        Ok(())
    })?;
    match findings.iter().find(|finding| !finding.ok) {
        None => Ok(()),
        Some(finding) => Err(Error::new(Code::Machine, format!("{}: {}", finding.part, finding.told))
            .help("mend that and look again; `caliber settings` shows where the value comes from")),
    }
}

fn found(
    part: &'static str,
    used: String,
    begun: Instant,
    outcome: std::result::Result<String, String>,
) -> Finding {
    let latency_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let ok = outcome.is_ok();
    Finding { part, used, ok, latency_ms, told: outcome.unwrap_or_else(|told| told) }
}

/// The folder that everything embedded lives in.
fn data(settings: &Settings) -> Finding {
    let begun = Instant::now();
    let written = std::fs::create_dir_all(&settings.data)
        .and_then(|()| tempfile::NamedTempFile::new_in(&settings.data).map(drop));
    let outcome = written.map(|()| "can be written".to_owned()).map_err(|error| error.to_string());
    found("data", settings.data.display().to_string(), begun, outcome)
}

async fn database(settings: &Settings) -> Finding {
    let begun = Instant::now();
    let looked = async {
        let options = StoreOptions { patience: PATIENCE, ..StoreOptions::default() };
        let store = Store::connect_with(&settings.database_url, options).await.map_err(store_failed)?;
        store.ping().await.map_err(store_failed)?;
        let migrations = store.migrations().await.map_err(store_failed)?;
        let missing = migrations.iter().filter(|migration| !migration.applied).count();
        Ok::<_, Error>((store.backend().name(), missing))
    };
    let (used, outcome) = match looked.await {
        Ok((kind, 0)) => (kind, Ok("answers, migrated".to_owned())),
        Ok((kind, missing)) => (
            kind,
            Ok(format!(
                "answers; {missing} migrations are missing: `caliber migrate up`, or `caliber serve`"
            )),
        ),
        Err(error) => ("database", Err(error.to_string())),
    };
    found("database", used.to_owned(), begun, outcome)
}

async fn storage(settings: &Settings) -> Finding {
    let begun = Instant::now();
    let checked = match Objects::open(&settings.storage) {
        Ok(objects) => objects.check().await,
        Err(error) => Err(error),
    };
    let outcome = checked.map(|()| "takes and gives files".to_owned()).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    });
    found("storage", settings.storage.clone(), begun, outcome)
}

async fn issuer(trusted: &TrustedIssuer) -> Finding {
    let begun = Instant::now();
    let outcome = match trusted.count_keys().await {
        Ok(0) => Err("answers, and has no key that verifies ID tokens".to_owned()),
        Ok(1) => Ok("has 1 key".to_owned()),
        Ok(keys) => Ok(format!("has {keys} keys")),
        Err(missing) => Err(missing),
    };
    found("issuer", trusted.url.clone(), begun, outcome)
}
