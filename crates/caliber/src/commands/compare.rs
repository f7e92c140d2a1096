//! `caliber compare`: what changed between two runs of a campaign.

mod text;

use std::path::PathBuf;

use caliber_analysis::changes::changes;
use caliber_engine::Result;

use super::run::{RunArgs, refused};
use super::timing::Timing;
use crate::terminal::Terminal;

/// Tell what changed between two runs of a campaign, and what brought it about
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv --out before && caliber score report.csv --ctr-sensitive --out after && caliber compare before after"
)]
pub(crate) struct Args {
    /// Results before: results.parquet, results.csv, or the folder that holds them
    #[arg(value_name = "A")]
    before: PathBuf,
    /// Results after
    #[arg(value_name = "B")]
    after: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let mut timing = Timing::start(args.run.timing);
    let before = args.run.read(&args.before, terminal)?;
    let after = args.run.read(&args.after, terminal)?;
    timing.has_read();
    let changes = changes(&before.subject(), &after.subject()).map_err(refused)?;
    timing.has_computed();
    terminal.answer(&changes, |out| text::print(&before, &after, &changes, out))?;
    timing.has_written();
    terminal.notes(changes.warnings);
    // The process ends here; giving back every name first would only take time.
    std::mem::forget((before, after));
    Ok(())
}
