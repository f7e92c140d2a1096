//! `caliber explain`: what makes the scores of a run, or the score of one of its rows.

mod text;

use std::path::PathBuf;

use caliber_analysis::DEFAULT_SEED;
use caliber_analysis::explanation::{Method, Options, explain, explain_domain};
use caliber_engine::evidence::Evidence;
use caliber_engine::{Result, parallel};

use super::run::{RunArgs, refused};
use super::timing::Timing;
use crate::terminal::Terminal;

/// Explain the scores of a run, or of one domain: what each metric adds or costs
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv && caliber explain report-caliber"
)]
pub(crate) struct Args {
    /// Results of `caliber score`: results.parquet, results.csv, or the folder that holds them
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// Explain the score of this domain or supply vendor, however it is written
    #[arg(long, value_name = "D", conflicts_with_all = ["method", "values", "seed"])]
    domain: Option<String>,
    /// How the run is explained: shapley, `feature_importance`, correlation
    #[arg(long, value_name = "METHOD", default_value = "shapley")]
    method: String,
    /// Give the Shapley values of every row, under --json
    #[arg(long)]
    values: bool,
    /// Seed of methods that draw
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let mut timing = Timing::start(args.run.timing);
    let method = Method::of(&args.method).map_err(refused)?;
    let run = args.run.read(&args.results, terminal)?;
    timing.has_read();
    let threads = parallel::available();
    if let Some(domain) = &args.domain {
        let evidence = Evidence::of(&run.results, &run.dictionary, threads);
        let evidence = evidence.as_ref().map_err(ToString::to_string);
        let explanation = explain_domain(&run.subject(), domain, evidence).map_err(refused)?;
        timing.has_computed();
        terminal.answer(&explanation, |out| text::print_domain(&run, &explanation, out))?;
        timing.has_written();
        terminal.notes(explanation.warnings);
    } else {
        let options = Options { method, values: args.values, seed: args.seed, threads };
        let explanation = explain(&run.subject(), options).map_err(refused)?;
        timing.has_computed();
        terminal.answer(&explanation, |out| text::print_run(&run, &explanation, out))?;
        timing.has_written();
    }
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(run);
    Ok(())
}
