//! `caliber sample`: a synthetic report, and the truth about it.

use std::path::PathBuf;

use caliber_engine::{Code, Error, Result};
use caliber_sample::{Mess, Request, truth_path};
use serde_json::json;

use crate::terminal::{Terminal, count};

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
    /// trade_desk, pulsepoint, dv360, generic
    #[arg(long)]
    platform: String,
    /// display, video, audio, ctv
    #[arg(long)]
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
    /// Kinds of disorder to plant
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    mess: Vec<String>,
    /// File to write; .csv, .tsv, .xlsx or .parquet, and .gz or .zst after text
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn kinds() -> String {
    Mess::KINDS.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

pub(crate) fn run(args: Args, terminal: Terminal) -> Result<()> {
    let failed = |error: caliber_sample::SampleError| {
        let (code, help) = if error.is_input() {
            (Code::BadOption, "`caliber sample --help` shows what there is to choose from")
        } else {
            (Code::Machine, "check the folder of --out and the space on its disk")
        };
        Error::new(code, error.to_string()).help(help).caused_by(error)
    };
    let mut request = Request::new(args.platform, args.channel);
    request.rows = args.rows;
    request.domains = args.domains;
    request.seed = args.seed;
    request.mess = args
        .mess
        .iter()
        .map(|kind| kind.parse())
        .collect::<std::result::Result<Vec<Mess>, _>>()
        .map_err(failed)?;
    let written = caliber_sample::write(&request, &args.out).map_err(failed)?;
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
            "{}: {} rows of {} names, {} impressions\n{}: what is true of each name",
            args.out.display(),
            count(written.rows),
            count(written.domains),
            count(written.impressions),
            truth.display()
        )
    })
}
