//! `caliber what-if`: the scores that other weights would give.

mod text;

use std::path::PathBuf;

use caliber_analysis::what_if::{ListRules, Options, what_if};
use caliber_engine::Result;

use super::run::{RunArgs, Weights, refused, weights};
use super::timing::Timing;
use crate::terminal::Terminal;

/// Score a run with other weights, and show what would change; nothing is stored
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv && caliber what-if report-caliber --weights cpm=.3,ctr=.7"
)]
pub(crate) struct Args {
    /// Results of `caliber score`: results.parquet, results.csv, or the folder that holds them
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// Weights by metric; only their proportions count, and a metric that is not named weighs nothing
    #[arg(long, value_name = "a=.3,b=.7", value_parser = weights)]
    weights: Weights,
    /// Page of the rows, from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    page: usize,
    /// Rows of a page
    #[arg(long, value_name = "N", default_value_t = 20)]
    per_page: usize,
    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let mut timing = Timing::start(args.run.timing);
    let run = args.run.read(&args.results, terminal)?;
    timing.has_read();
    let lists = ListRules {
        share: run.lists.share,
        min_impressions: run.lists.min_impressions,
        protected: &run.lists.never_blocked,
    };
    let options = Options { weights: &args.weights.0, lists, page: args.page, per_page: args.per_page };
    let answer = what_if(&run.subject(), options).map_err(refused)?;
    timing.has_computed();
    terminal.answer(&answer, |out| text::print(&run, &answer, out))?;
    timing.has_written();
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(run);
    Ok(())
}
