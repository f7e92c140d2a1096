//! `caliber outliers`: which rows of a run are strange, and the run without or with tamed ones.

mod text;
mod treated_run;

use std::path::PathBuf;

use caliber_analysis::DEFAULT_SEED;
use caliber_analysis::outliers::{
    DEFAULT_CONTAMINATION, DEFAULT_LIMIT, Method, Options, Treatment, detect, treat,
};
use caliber_engine::{Result, parallel};

use super::run::{RunArgs, refused};
use super::timing::Timing;
use crate::terminal::Terminal;

/// Find the strange rows of a run, and score it again without them or with them tamed
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv && caliber outliers report-caliber"
)]
pub(crate) struct Args {
    /// Results of `caliber score`: results.parquet, results.csv, or the folder that holds them
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// How strange rows are found: `isolation_forest`, `local_outlier_factor`, `elliptic_envelope`, zscore, iqr,
    /// combined
    #[arg(long, value_name = "METHOD", default_value = "isolation_forest")]
    method: String,
    /// The share of rows taken for strange, above 0 and up to 0.5; zscore and iqr have thresholds of their own
    #[arg(long, value_name = "SHARE", default_value_t = DEFAULT_CONTAMINATION, allow_negative_numbers = true)]
    contamination: f64,
    /// Seed of methods that draw
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Give the score of every row, under --json
    #[arg(long)]
    scores: bool,
    /// How many of the strangest rows are shown
    #[arg(long, value_name = "N", default_value_t = DEFAULT_LIMIT)]
    limit: usize,
    /// Score again with the outliers dropped (drop), or with extreme values pulled in (cap, winsorize)
    #[arg(long, value_name = "TREATMENT")]
    treat: Option<String>,
    /// Folder to write the treated run to: the files of `caliber score`
    #[arg(long, value_name = "DIR", requires = "treat")]
    out: Option<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let mut timing = Timing::start(args.run.timing);
    let options = Options {
        method: Method::of(&args.method).map_err(refused)?,
        contamination: args.contamination,
        seed: args.seed,
        scores: args.scores,
        limit: args.limit,
        threads: parallel::available(),
    };
    let treatment = args.treat.as_deref().map(Treatment::of).transpose().map_err(refused)?;
    let run = args.run.read(&args.results, terminal)?;
    timing.has_read();
    if let Some(treatment) = treatment {
        let treated = treat(&run.subject(), treatment, &options).map_err(refused)?;
        timing.has_computed();
        let files = match &args.out {
            Some(folder) => treated_run::write(&run, &treated, folder)?,
            None => Vec::new(),
        };
        terminal.answer(&treated.answer, |out| text::print_treatment(&treated.answer, &files, out))?;
        timing.has_written();
    } else {
        let outliers = detect(&run.subject(), &options).map_err(refused)?;
        timing.has_computed();
        terminal.answer(&outliers, |out| text::print(&run, &outliers, out))?;
        timing.has_written();
    }
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(run);
    Ok(())
}
