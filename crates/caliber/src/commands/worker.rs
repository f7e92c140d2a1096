//! `caliber worker`: workers apart from the server, on as many machines as one likes.

use caliber_engine::{Code, Error, Result};
use caliber_platform::Queue;
use caliber_platform::jobs::{self, WorkerOptions};
use tokio_util::sync::CancellationToken;

use super::serve::stop_on_signal;
use crate::service::{self, ServiceArgs, block_on, logging, platform_failed, store_failed};
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Work on queued jobs, with the settings of the server
#[derive(clap::Args)]
#[command(after_help = "Example:\n  caliber worker --queues scoring,exports")]
pub(crate) struct Args {
    /// Only these queues: scoring, exports, maintenance, monitoring, notifications [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = queue)]
    queues: Vec<Queue>,
    #[command(flatten)]
    service: ServiceArgs,
}

fn queue(word: &str) -> std::result::Result<Queue, String> {
    Queue::named(word).ok_or_else(|| {
        let known: Vec<&str> = Queue::ALL.into_iter().map(Queue::name).collect();
        format!("the queues are {}", known.join(", "))
    })
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let sources = args.service.sources(terminal)?;
    let settings = Settings::parse(&sources)?;
    logging::begin(&settings)?;
    let queues = if args.queues.is_empty() { Queue::ALL.to_vec() } else { args.queues.clone() };
    block_on(work(settings, queues, terminal))
}

async fn work(settings: Settings, queues: Vec<Queue>, terminal: Terminal) -> Result<()> {
    let store = service::store(&settings).await?;
    let missing = store.migrations().await.map_err(store_failed)?.iter().filter(|it| !it.applied).count();
    if missing > 0 {
        return Err(Error::new(Code::BadOption, format!("the database lacks {missing} migrations"))
            .help("run `caliber migrate up`, or start `caliber serve`, which does so itself"));
    }
    let platform = service::platform(&settings, store)?;
    let stop = CancellationToken::new();
    stop_on_signal(&stop)?;
    let names: Vec<&str> = queues.iter().map(|queue| queue.name()).collect();
    terminal.answer(&serde_json::json!({"queues": names}), |out| {
        writeln!(out, "working on {}", names.join(", "))
    })?;
    let options = WorkerOptions::new(queues, settings.workers.max(1), settings.data.join("workers"));
    jobs::run(platform, options, stop).await.map_err(platform_failed)
}
