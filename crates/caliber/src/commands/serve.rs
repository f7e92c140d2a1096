//! `caliber serve`: the API, and workers in the same process.

use caliber_engine::{Code, Error, Result};
use caliber_platform::Queue;
use caliber_platform::jobs::{self, WorkerOptions};
use caliber_server::{STOP_PATIENCE, SampleReport, ServerConfig, ShownSetting};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::commands::settings::all_shown;
use crate::service::{self, ServiceArgs, block_on, logging, platform_failed, store_failed};
use crate::settings::{Environment, Settings};
use crate::terminal::Terminal;

/// Serve accounts, campaigns and results over HTTP, and score in the background
///
/// Needs no settings: SQLite and files in ./caliber-data, and on this machine no sign-in.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  caliber serve --bind 127.0.0.1:0 --data ./caliber-data")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let sources = args.service.sources(terminal)?;
    let settings = Settings::parse(&sources)?;
    logging::begin(&settings)?;
    block_on(serve(settings, all_shown(&sources), terminal))
}

async fn serve(settings: Settings, shown: Vec<ShownSetting>, terminal: Terminal) -> Result<()> {
    let store = service::store(&settings).await?;
    store.migrate_up().await.map_err(store_failed)?;
    let platform = service::platform(&settings, store)?;
    let listener = TcpListener::bind(settings.bind).await.map_err(|error| {
        Error::new(Code::Machine, format!("{} cannot be listened on: {error}", settings.bind))
            .help("give another address by --bind, as in 127.0.0.1:0 for any free port")
            .caused_by(error)
    })?;
    let address = listener.local_addr().map_err(|error| Error::new(Code::Machine, error.to_string()))?;
    let stop = CancellationToken::new();
    stop_on_signal(&stop)?;
    announce(&settings, address, terminal);

    let presence = settings.data.join("workers");
    let worker = (settings.workers > 0).then(|| {
        let options = WorkerOptions::new(Queue::ALL.to_vec(), settings.workers, presence);
        tokio::spawn(jobs::run(platform.clone(), options, stop.clone()))
    });
    let config = ServerConfig {
        production: settings.environment == Environment::Production,
        is_local: address.ip().is_loopback(),
        dev_sign_in: settings.dev_sign_in,
        allowed_hosts: settings.allowed_hosts.clone(),
        cors_origins: settings.cors_origins.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        rate_limit: settings.rate_limit.clone(),
        page_rate_limit: settings.page_rate_limit.clone(),
        settings: shown,
        sample: sample_report,
    };
    let serving = caliber_server::serve(listener, platform, config, stop.clone());
    let served = until_patience_ends(serving, &stop).await;
    // The server may have failed by itself; the worker then ends too.
    stop.cancel();
    if let Some(worker) = worker {
        match worker.await {
            Ok(ended) => ended.map_err(platform_failed)?,
            Err(error) => return Err(Error::new(Code::Machine, format!("the worker broke down: {error}"))),
        }
    }
    served.map_err(|error| Error::new(Code::Machine, format!("the server failed: {error}")).caused_by(error))
}

/// A report as The Trade Desk writes one, with planted good and bad sites and the disorder that reports have.
fn sample_report() -> std::io::Result<SampleReport> {
    let mut request = caliber_sample::Request::new("trade_desk", "display");
    request.rows = Some(20_000);
    let mut bytes = Vec::new();
    caliber_sample::write_csv(&request, &mut bytes).map_err(std::io::Error::other)?;
    Ok(SampleReport { filename: "sample-trade-desk-display.csv".to_owned(), bytes })
}

/// Says where to look. The address is the first line, for programs that wait for it.
fn announce(settings: &Settings, address: std::net::SocketAddr, terminal: Terminal) {
    use std::io::Write;
    let mut out = anstream::stdout().lock();
    let mut lines = vec![format!("listening on http://{address}")];
    if !terminal.quiet {
        lines.push(format!("  API       http://{address}/docs"));
        lines.push(format!("  data      {}", settings.data.display()));
        if settings.dev_sign_in {
            lines.push(
                "  sign-in   none needed on this machine: you are dev@example.com, an administrator"
                    .to_owned(),
            );
        }
    }
    // Nobody reads it where it cannot be written; the service runs all the same.
    let _ = writeln!(out, "{}", lines.join("\n")).and_then(|()| out.flush());
}

/// Serves until it ends; once it should stop, connections that stay open are cut after a while.
async fn until_patience_ends(
    serving: impl Future<Output = std::io::Result<()>>,
    stop: &CancellationToken,
) -> std::io::Result<()> {
    tokio::select! {
        served = serving => served,
        () = async {
            stop.cancelled().await;
            tokio::time::sleep(STOP_PATIENCE).await;
        } => Ok(()),
    }
}

/// Ends the service in order at Ctrl-C, or when the system asks; from now on, not from when somebody has time to listen.
pub(super) fn stop_on_signal(stop: &CancellationToken) -> Result<()> {
    let deaf = |error: std::io::Error| {
        Error::new(Code::Machine, format!("signals cannot be listened for: {error}")).caused_by(error)
    };
    let stop = stop.clone();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(deaf)?;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping");
            stop.cancel();
            // A second time means at once.
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(130);
        });
    }
    #[cfg(not(unix))]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(deaf)?;
        tokio::spawn(async move {
            interrupt.recv().await;
            stop.cancel();
        });
    }
    Ok(())
}
