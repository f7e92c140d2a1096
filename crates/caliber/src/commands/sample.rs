//! `caliber sample`: a synthetic report, and the truth about it.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use caliber_engine::{Code, Error, Progress, Result};
use caliber_sample::{Mess, Request, SampleError, WorldKind, channels, platforms, truth_path};
use serde_json::json;

use super::watching::{Measure, cancel_on_ctrl_c, cancelled, watched};
use crate::terminal::{Terminal, counted, foreign};

/// Write a synthetic report with planted truth, to try things on
///
/// The same flags give the same bytes on every machine. Beside FILE stands the truth about it, FILE without
/// extension and .truth.csv.
#[derive(clap::Args)]
#[command(after_help = format!(
    "Kinds of mess: {}\n\nExample:\n  caliber sample --platform trade_desk --channel display --rows 5000 --mess preamble,totals --out report.csv",
    kinds()
))]
pub(crate) struct Args {
    #[arg(long, help = format!("Platform whose headers it has: {}", platforms().join(", ")))]
    platform: String,
    #[arg(long, help = format!("Channel: {}", known_channels().join(", ")))]
    channel: String,
    /// Rows of data [default: 10000]
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// Sites, or supply vendors where those are scored [default: by the rows]
    #[arg(long, value_name = "N")]
    domains: Option<u32>,
    /// Another seed gives another report
    #[arg(long, value_name = "S", default_value_t = Request::DEFAULT_SEED)]
    seed: u64,
    #[arg(
        long,
        value_name = "WORLD",
        default_value = WorldKind::default().name(),
        help = format!("How much there is to find: {}", WorldKind::ALL.map(WorldKind::name).join(", "))
    )]
    world: String,
    /// Kinds of disorder to plant, with commas between; they are listed below
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    mess: Vec<String>,
    /// File to write; .csv, .tsv, .xlsx or .parquet, and .gz or .zst after text
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The channels that any platform has a report of.
fn known_channels() -> Vec<&'static str> {
    let mut known = Vec::new();
    for channel in platforms().into_iter().flat_map(channels) {
        if !known.contains(&channel) {
            known.push(channel);
        }
    }
    known
}

fn kinds() -> String {
    Mess::KINDS.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

fn failed(error: SampleError) -> Error {
    if matches!(error, SampleError::Cancelled) {
        return cancelled();
    }
    let code = if error.is_input() { Code::BadOption } else { Code::Machine };
    let help = error.help();
    let help = help.unwrap_or_else(|| "check the folder of --out and the space on its disk".to_owned());
    Error::new(code, error.to_string()).help(help).caused_by(error)
}

pub(crate) fn run(args: Args, terminal: Terminal) -> Result<()> {
    let mut request = Request::new(args.platform, args.channel);
    request.rows = args.rows;
    request.domains = args.domains;
    request.seed = args.seed;
    request.world = args.world.parse().map_err(failed)?;
    let kinds = args.mess.iter().map(|kind| kind.parse());
    request.mess = kinds.collect::<std::result::Result<Vec<Mess>, _>>().map_err(failed)?;
    let progress = Progress::default();
    cancel_on_ctrl_c(&progress, terminal)?;
    let mut watch = |rows| {
        progress.rows.store(rows, Ordering::Relaxed);
        if progress.cancelled.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let measure = Measure::Rows(request.rows.unwrap_or(Request::DEFAULT_ROWS));
    let written = watched(terminal, &progress, measure, || {
        caliber_sample::write_watched(&request, &args.out, &mut watch)
    })
    .map_err(failed)?;
    let truth = truth_path(&args.out);
    let document = json!({
        "file": args.out,
        "truth": truth,
        "rows": written.rows,
        "names": written.domains,
        "impressions": written.impressions,
    });
    terminal.answer(&document, |out| {
        writeln!(
            out,
            "{}: {} of {}, {}\n{}: what is true of each name",
            foreign(&args.out.display().to_string()),
            counted(written.rows, "row", "rows"),
            counted(written.domains, "name", "names"),
            counted(written.impressions, "impression", "impressions"),
            foreign(&truth.display().to_string())
        )
    })
}
