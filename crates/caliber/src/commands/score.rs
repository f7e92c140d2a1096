//! `caliber score`: a report in; scores, lists and reasons out.

mod text;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use caliber_engine::evidence::Pattern;
use caliber_engine::lists::{ListPolicy, ListRule};
use caliber_engine::normalize::Normalization;
use caliber_engine::{Context, Progress, Result};
use caliber_reports::OutputFolder;

use super::documents::name_of;
use super::reading::{self, ReadingArgs, normalization, without_extensions};
use super::run_files::{ResultsFormat, RunFiles};
use super::watching::{Measure, cancel_on_ctrl_c, cancelled, watched};
use super::{pdf, protected, xls_sheet};
use crate::terminal::Terminal;

/// Score the domains or supply vendors of a report, and make the lists to upload
///
/// Several files are one report. Platform, channel and recipe are recognised from the headers unless given.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv"
)]
pub(crate) struct Args {
    /// Report files or quoted globs; `-` is standard input
    #[arg(required = true, value_name = "REPORT")]
    reports: Vec<String>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// How metrics are brought to one scale: minmax, winsorized, rank, shrunk
    #[arg(long, value_parser = normalization, default_value = "minmax")]
    normalization: Normalization,
    /// Least impressions of a row that is scored; 0 keeps all [default: the recipe's, 250 where shipped]
    #[arg(long, value_name = "N", value_parser = impressions, allow_negative_numbers = true)]
    min_impressions: Option<u64>,
    /// How rows get on the lists: quartile, evidence (only what the counts prove)
    #[arg(long, value_name = "POLICY", value_parser = list_policy, default_value = "quartile")]
    list_policy: ListPolicy,
    /// Share of the rows on each list, above 0 and up to 0.5
    #[arg(long, value_name = "SHARE", default_value = "0.25", value_parser = share)]
    list_share: f64,
    /// Patterns that block on their own: `mfa_pattern`, `click_surge`
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',', value_parser = pattern)]
    block_patterns: Vec<Pattern>,
    /// By evidence: least probability to be below the median of a row that is blocked
    #[arg(long, value_name = "P", default_value = "0.95", value_parser = probability)]
    block_at: f64,
    /// By evidence: least probability to be above the median of a row that is allowed
    #[arg(long, value_name = "P", default_value = "0.95", value_parser = probability)]
    allow_at: f64,
    /// File of names that must never be blocked: a name a line, or CSV with the names first
    #[arg(long, value_name = "FILE")]
    protect: Option<PathBuf>,
    /// Folder to write to, made if missing [default: the first report without extensions, and -caliber]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Formats of the results beside Parquet, which is always written
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "csv")]
    format: Vec<ResultsFormat>,
}

pub(crate) fn share(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 0.5 => Ok(share),
        _ => Err("it is a number above 0 and up to 0.5".to_owned()),
    }
}

fn probability(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(probability) if (0.5..1.0).contains(&probability) => Ok(probability),
        _ => Err("it is a probability of at least 0.5 and below 1, as in 0.95".to_owned()),
    }
}

pub(crate) fn list_policy(text: &str) -> std::result::Result<ListPolicy, String> {
    ListPolicy::of(text).ok_or_else(|| "it is quartile or evidence".to_owned())
}

fn pattern(text: &str) -> std::result::Result<Pattern, String> {
    Pattern::of(text).ok_or_else(|| "it is mfa_pattern or click_surge".to_owned())
}

pub(crate) fn impressions(text: &str) -> std::result::Result<u64, String> {
    match text.parse::<u64>() {
        Ok(least) => Ok(least),
        Err(_) if text.parse::<f64>().is_ok_and(|number| number < 0.0) => {
            Err("it cannot be negative; 0 keeps all".to_owned())
        }
        Err(_) => Err("it is a whole number of impressions, as in 250".to_owned()),
    }
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let started = Instant::now();
    if args.format.contains(&ResultsFormat::Pdf) {
        pdf::available()?;
    }
    let book = args.reading.book()?;
    let mut options = args.reading.options(&book)?;
    options.normalization = args.normalization;
    options.min_impressions = args.min_impressions;
    options.list_rule = ListRule {
        policy: args.list_policy,
        share: args.list_share,
        block_at: args.block_at,
        allow_at: args.allow_at,
        block_patterns: args.block_patterns.clone(),
    };
    options.protected = args.protect.as_deref().map(protected::read).transpose()?.unwrap_or_default();

    let progress = Progress::default();
    cancel_on_ctrl_c(&progress, terminal)?;
    let sources = reading::open(&args.reports, &progress)?;
    let folder = OutputFolder::create(
        &args.out.clone().unwrap_or_else(|| default_folder(&args.reports[0], &sources)),
    )?;
    let context = Context { book: &book, sandbox: &xls_sheet::read_apart, progress: &progress };
    let mut scored =
        watched(terminal, &progress, Measure::Bytes, || caliber_engine::score(sources, &options, &context))?;
    scored.summary.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let files = RunFiles {
        results: &scored.results,
        lists: &scored.lists,
        dictionary: &scored.dictionary,
        summary: &scored.summary,
        quality: &scored.quality,
        name: &name_of(&scored.summary.files),
    };
    files.write(&folder, &args.format)?;
    if progress.cancelled.load(Ordering::Relaxed) {
        return Err(cancelled());
    }
    let files = folder.publish()?;
    terminal.answer(&scored.summary, |out| text::print(&scored, &files, started.elapsed(), out))?;
    terminal.notes(text::notes(&scored));
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(scored);
    Ok(())
}

fn default_folder(first: &str, sources: &[caliber_engine::report::source::Source]) -> PathBuf {
    if first == "-" {
        return PathBuf::from("report-caliber");
    }
    let stem = without_extensions(Path::new(sources.first().map_or(first, |source| source.name())));
    let mut name = stem.file_name().unwrap_or_default().to_owned();
    name.push("-caliber");
    stem.with_file_name(name)
}
