//! `caliber score`: a report in; scores, lists and reasons out.

mod text;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use caliber_engine::explain::Explainer;
use caliber_engine::normalize::Normalization;
use caliber_engine::{Code, Context, Error, Progress, Result, Scored};
use caliber_reports::{
    OutputFile, OutputFolder, write_json_pretty, write_list_csv, write_list_text, write_results_csv,
    write_results_json, write_results_parquet, write_results_xlsx,
};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::reading::{self, ReadingArgs, normalization, without_extensions};
use super::xls_sheet;
use crate::terminal::Terminal;

/// How long a reading that was cancelled may take to tidy up.
const GRACE: Duration = Duration::from_secs(2);

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
    #[arg(long, value_name = "N")]
    min_impressions: Option<u64>,
    /// How rows get on the lists
    #[arg(long, default_value = "quartile")]
    list_policy: ListPolicy,
    /// Share of the rows on each list, above 0 and up to 0.5
    #[arg(long, value_name = "SHARE", default_value = "0.25", value_parser = share)]
    list_share: f64,
    /// Patterns that block on their own: mfa_pattern, click_surge
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    block_patterns: Vec<String>,
    /// File of names that must never be blocked, a name a line
    #[arg(long, value_name = "FILE")]
    protect: Option<PathBuf>,
    /// Folder to write to, made if missing [default: the first report without extensions, and -caliber]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Formats of the results beside Parquet, which is always written
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "csv")]
    format: Vec<ResultsFormat>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListPolicy {
    /// The best and the worst share of the rows
    Quartile,
    /// Only what the data prove
    Evidence,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ResultsFormat {
    Csv,
    Json,
    Xlsx,
}

fn share(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 0.5 => Ok(share),
        _ => Err("it is a number above 0 and up to 0.5".to_owned()),
    }
}

pub(crate) fn run(args: Args, terminal: Terminal) -> Result<()> {
    let started = Instant::now();
    refuse_what_is_to_come(&args)?;
    let book = args.reading.book()?;
    let mut options = args.reading.options(&book)?;
    options.normalization = args.normalization;
    options.min_impressions = args.min_impressions;
    options.list_share = args.list_share;
    options.protected = args.protect.as_deref().map(protected).transpose()?.unwrap_or_default();

    let progress = Progress::default();
    cancel_on_ctrl_c(&progress)?;
    let sources = reading::open(&args.reports)?;
    let folder = OutputFolder::create(
        &args.out.clone().unwrap_or_else(|| default_folder(&args.reports[0], &sources)),
    )?;
    let context = Context { book: &book, sandbox: &xls_sheet::read_apart, progress: &progress };
    let mut scored = watched(terminal, &progress, || caliber_engine::score(sources, &options, &context))?;
    scored.summary.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    write(&scored, &folder, &args.format)?;
    if progress.cancelled.load(Ordering::Relaxed) {
        return Err(Error::new(Code::Cancelled, "cancelled; nothing was written"));
    }
    let files = folder.publish()?;
    terminal.answer(&scored.summary, |out| text::print(&scored, &files, started.elapsed(), out))
}

/// The flags have their place; what is behind them comes with a later version.
fn refuse_what_is_to_come(args: &Args) -> Result<()> {
    let refused = if args.list_policy == ListPolicy::Evidence {
        "--list-policy evidence"
    } else if !args.block_patterns.is_empty() {
        "--block-patterns"
    } else {
        return Ok(());
    };
    Err(Error::new(Code::BadOption, format!("{refused} is not in this version yet"))
        .help("leave it out; --normalization shrunk already keeps small counts from deciding"))
}

/// Names a line each; blank lines and those that begin with `#` are passed over.
fn protected(file: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Error::new(Code::NotReadable, format!("the names to protect cannot be read: {error}"))
            .in_file(file.display().to_string())
            .help("give a text file with a name a line")
            .caused_by(error)
    })?;
    let names = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    Ok(names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect())
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

/// Lets the first Ctrl-C end the work in order; where that takes long, for one waiting for standard input, ends it.
fn cancel_on_ctrl_c(progress: &Progress) -> Result<()> {
    let cancelled = progress.cancelled.clone();
    ctrlc::set_handler(move || {
        if !cancelled.swap(true, Ordering::Relaxed) {
            std::thread::sleep(GRACE);
        }
        std::process::exit(130);
    })
    .map_err(|error| {
        Error::new(Code::Machine, format!("Ctrl-C cannot be listened for: {error}")).caused_by(error)
    })
}

/// Does the work under a bar with bytes and rows a second.
fn watched<T>(terminal: Terminal, progress: &Progress, work: impl FnOnce() -> T) -> T {
    if !terminal.shows_progress() {
        return work();
    }
    let bar = ProgressBar::new(0);
    let template = "{bar:30} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {msg}";
    // The template is a constant; where it is refused the plain bar does.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let done = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let (stop, stopped) = done;
        let watched = &bar;
        scope.spawn(move || {
            let started = Instant::now();
            while stopped
                .recv_timeout(Duration::from_millis(80))
                .is_err_and(|end| end == std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                watched.set_length(progress.total_bytes.load(Ordering::Relaxed));
                watched.set_position(progress.bytes.load(Ordering::Relaxed));
                let rows = progress.rows.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
                watched.set_message(format!("{} rows/s", crate::terminal::grouped(rows, 0)));
            }
            watched.finish_and_clear();
        });
        let result = work();
        drop(stop);
        result
    })
}

/// Writes every file, the large ones side by side.
fn write(scored: &Scored, folder: &OutputFolder, formats: &[ResultsFormat]) -> Result<()> {
    let (results, lists) = (&scored.results, &scored.lists);
    let explainer = Explainer::new(results, &scored.dictionary);
    let wants = |format| formats.contains(&format);
    std::thread::scope(|scope| {
        let parquet = scope.spawn(|| {
            folder.write(OutputFile::ResultsParquet, |file| write_results_parquet(results, file))?;
            folder.write(OutputFile::AllowlistTxt, |file| write_list_text(results, &lists.allow, file))?;
            folder.write(OutputFile::BlocklistTxt, |file| write_list_text(results, &lists.block, file))?;
            folder.write(OutputFile::AllowlistCsv, |file| {
                write_list_csv(results, &lists.allow, |row| explainer.best_reason(row), file)
            })?;
            folder.write(OutputFile::BlocklistCsv, |file| {
                write_list_csv(results, &lists.block, |row| explainer.worst_reason(row), file)
            })?;
            folder.write(OutputFile::Quality, |file| write_json_pretty(&scored.quality, file))?;
            folder.write(OutputFile::Summary, |file| write_json_pretty(&scored.summary, file))
        });
        if wants(ResultsFormat::Csv) {
            folder.write(OutputFile::ResultsCsv, |file| write_results_csv(results, file))?;
        }
        if wants(ResultsFormat::Json) {
            folder.write(OutputFile::ResultsJson, |file| write_results_json(results, file))?;
        }
        if wants(ResultsFormat::Xlsx) {
            folder
                .write(OutputFile::ResultsXlsx, |file| write_results_xlsx(results, folder.scratch(), file))?;
        }
        parquet.join().map_err(|_| {
            Error::new(Code::Machine, "a thread broke down while it wrote")
                .help("this is a bug of ours; please report it")
        })?
    })
}
