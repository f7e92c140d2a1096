//! `caliber report`: documents of a campaign, from a run or straight from a report.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use caliber_engine::dictionary::Dictionary;
use caliber_engine::explain::Explainer;
use caliber_engine::normalize::Normalization;
use caliber_engine::results::Results;
use caliber_engine::{Code, Context, Error, Progress, Result};
use caliber_reports::{
    CampaignReport, ListFacts, OutputFile, Period, PortionFacts, QualityFacts, RunFacts, write_results_csv,
    write_results_json, write_results_parquet, write_results_xlsx,
};
use serde::Serialize;
use serde_json::Value;

use super::documents::{DocumentedCampaign, ListedRows, document, name_of};
use super::placing::{Placing, folder_of, write_bytes};
use super::reading::{self, ReadingArgs, normalization, without_extensions};
use super::run::{RunArgs, ScoredRun};
use super::run_lists::ListRuleArgs;
use super::watching::{Measure, cancel_on_ctrl_c, watched};
use super::{pdf, xls_sheet};
use crate::terminal::{BOLD, Terminal, counted, foreign};

/// Bytes at either end of a file that tell results from a report.
const ENDS: u64 = 1 << 20;
/// Columns that only our results have.
const OURS: [&str; 2] = ["percentile_rank", "quality_status"];

/// Make documents of a campaign: a PDF for the client, a workbook, tables
///
/// Of a run the documents go into its folder, of a report that is scored first into a folder beside it, unless --out or a
/// file says otherwise. Without any of --pdf, --xlsx, --csv, --parquet and --json-rows it is the PDF.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv && caliber report report-caliber --xlsx --csv domains.csv"
)]
#[expect(clippy::option_option, reason = "a flag that is not given, given alone, or with a file")]
pub(crate) struct Args {
    /// Results of `caliber score` (results.parquet, results.csv, or the folder that holds them), or report files
    #[arg(value_name = "RESULTS or REPORT")]
    sources: Vec<String>,
    /// Write a PDF [default FILE: report.pdf]
    #[arg(long, value_name = "FILE")]
    pdf: Option<Option<PathBuf>>,
    /// Write a workbook [default FILE: results.xlsx]
    #[arg(long, value_name = "FILE")]
    xlsx: Option<Option<PathBuf>>,
    /// Write the rows as CSV [default FILE: results.csv]
    #[arg(long, value_name = "FILE")]
    csv: Option<Option<PathBuf>>,
    /// Write the rows as Parquet [default FILE: results.parquet]
    #[arg(long, value_name = "FILE")]
    parquet: Option<Option<PathBuf>>,
    /// Write the rows as JSON [default FILE: results.json]; --json prints what was done
    #[arg(long, value_name = "FILE")]
    json_rows: Option<Option<PathBuf>>,
    /// Folder to write to, made if missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What the documents call the campaign [default: the first report's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    look: pdf::Look,
    /// How metrics are brought to one scale, of a report: minmax, winsorized, rank, shrunk
    #[arg(long, value_parser = normalization)]
    normalization: Option<Normalization>,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// A document to make, and where.
struct Wanted {
    file: OutputFile,
    path: PathBuf,
}

/// A campaign and what its documents are made of.
struct Subject {
    results: Results,
    dictionary: Dictionary,
    campaign: DocumentedCampaign,
    /// Where documents go that no file was named for.
    folder: PathBuf,
}

#[derive(Serialize)]
struct Answer<'a> {
    name: &'a str,
    scored: usize,
    files: Vec<WrittenFile>,
}

#[derive(Serialize)]
struct WrittenFile {
    format: &'static str,
    file: String,
    size: u64,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    if args.documents().iter().any(|(file, _)| *file == OutputFile::ReportPdf) {
        pdf::available()?;
    }
    let subject = match args.sources.as_slice() {
        [] => return Err(args.nothing_given()),
        [one] if is_results(Path::new(one)) => args.of_results(Path::new(one), terminal)?,
        reports => args.of_reports(reports, terminal)?,
    };
    let wanted = args.wanted(args.out.as_ref().unwrap_or(&subject.folder))?;
    let files = args.write(&subject, &wanted)?;
    let answer = Answer { name: &subject.campaign.name, scored: subject.results.len(), files };
    terminal.answer(&answer, |out| print(&answer, out))?;
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(subject);
    Ok(())
}

impl Args {
    /// Every document with what was said of it.
    fn said(&self) -> [(OutputFile, Option<&Option<PathBuf>>); 5] {
        [
            (OutputFile::ReportPdf, self.pdf.as_ref()),
            (OutputFile::ResultsXlsx, self.xlsx.as_ref()),
            (OutputFile::ResultsCsv, self.csv.as_ref()),
            (OutputFile::ResultsParquet, self.parquet.as_ref()),
            (OutputFile::ResultsJson, self.json_rows.as_ref()),
        ]
    }

    /// The documents that are wanted, each with the file that was named for it: the PDF, where nothing is said.
    fn documents(&self) -> Vec<(OutputFile, Option<&Path>)> {
        let said = self.said().into_iter();
        let documents: Vec<_> = said.filter_map(|(file, path)| Some((file, path?.as_deref()))).collect();
        if documents.is_empty() { vec![(OutputFile::ReportPdf, None)] } else { documents }
    }

    fn wanted(&self, folder: &Path) -> Result<Vec<Wanted>> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for (file, named) in self.documents() {
            let path = named.map_or_else(|| folder.join(file.name()), Path::to_owned);
            let refuse = |message: String, help: &str| {
                Error::new(Code::BadOption, message).in_file(path.display().to_string()).help(help)
            };
            if path == Path::new("-") {
                return Err(refuse(
                    format!("--{}: documents are written to files, not to standard output", flag(file)),
                    "name a file",
                ));
            }
            if path.is_dir() {
                return Err(refuse(
                    format!("--{}: this is a folder", flag(file)),
                    "give a file, or the folder with --out",
                ));
            }
            if wanted.iter().any(|other| other.path == path) {
                let message = "two documents would go to one file".to_owned();
                return Err(refuse(message, "give each a file of its own"));
            }
            wanted.push(Wanted { file, path });
        }
        Ok(wanted)
    }

    fn nothing_given(&self) -> Error {
        let taken = self.documents().into_iter().find_map(|(file, path)| Some((file, path?)));
        let help = match taken.filter(|(_, path)| path.exists()) {
            Some((file, path)) => format!(
                "`{}` was taken as the file to write to: give it before --{}",
                path.display(),
                flag(file)
            ),
            None => "give the folder of a run, or a report".to_owned(),
        };
        Error::new(Code::BadOption, "neither results nor a report are given").help(help)
    }

    fn of_results(&self, given: &Path, terminal: Terminal) -> Result<Subject> {
        if self.reading.is_about_a_report() {
            terminal.warning(
                "results are given, which are read already",
                "flags of how a report is read are not looked at",
            );
        }
        let run = RunArgs {
            recipe: self.reading.recipe.clone(),
            normalization: self.normalization,
            recipe_dir: self.reading.recipe_dir.clone(),
            timing: false,
        };
        let run = run.read(given, terminal)?;
        let lists = ListRuleArgs::default().make(&run)?.rows;
        let facts = match run.document(OutputFile::Summary)? {
            Some(summary) => RunFacts::of(Value::Object(summary))?,
            None => unread(&run),
        };
        let quality = run.document(OutputFile::Quality)?.map(Value::Object);
        let quality = quality.map(QualityFacts::of).transpose()?.unwrap_or_default();
        let name = self.name.clone().unwrap_or_else(|| match facts.files.as_slice() {
            [] => folder_name(&run.folder),
            files => name_of(files),
        });
        let campaign = DocumentedCampaign { name, run: facts, quality, lists };
        Ok(Subject { results: run.results, dictionary: run.dictionary, campaign, folder: run.folder })
    }

    fn of_reports(&self, reports: &[String], terminal: Terminal) -> Result<Subject> {
        let book = self.reading.book()?;
        let mut options = self.reading.options(&book)?;
        options.normalization = self.normalization.unwrap_or_default();
        let progress = Progress::default();
        cancel_on_ctrl_c(&progress, terminal)?;
        let sources = reading::open(reports, &progress)?;
        let folder = beside(sources.first().map(caliber_engine::report::source::Source::name), &reports[0]);
        let context = Context { book: &book, sandbox: &xls_sheet::read_apart, progress: &progress };
        let scored = watched(terminal, &progress, Measure::Bytes, || {
            caliber_engine::score(sources, &options, &context)
        })?;
        let explainer = Explainer::new(&scored.results, &scored.dictionary);
        let evidence = scored.results.evidence.as_ref();
        let lists = ListedRows::of(&scored.results, &explainer, &scored.lists, evidence);
        let campaign = DocumentedCampaign {
            name: self.name.clone().unwrap_or_else(|| name_of(&scored.summary.files)),
            run: RunFacts::of(document(&scored.summary)?)?,
            quality: QualityFacts::of(document(&scored.quality)?)?,
            lists,
        };
        Ok(Subject { results: scored.results, dictionary: scored.dictionary, campaign, folder })
    }

    fn write(&self, subject: &Subject, wanted: &[Wanted]) -> Result<Vec<WrittenFile>> {
        let results = &subject.results;
        let report = subject.campaign.report(results, &subject.dictionary);
        let mut placing = Placing::default();
        for Wanted { file, path } in wanted {
            placing.stage(path, |writer| match file {
                OutputFile::ReportPdf => write_bytes(&pdf::render(&report, &self.look)?, writer),
                OutputFile::ResultsXlsx => write_xlsx(&report, path, writer),
                OutputFile::ResultsParquet => write_results_parquet(results, writer),
                OutputFile::ResultsJson => write_results_json(results, writer),
                _ => write_results_csv(results, writer),
            })?;
        }
        let placed = placing.place()?.into_iter().zip(wanted);
        let told = placed.map(|((path, size), wanted)| WrittenFile {
            format: format_of(wanted.file),
            file: path.display().to_string(),
            size,
        });
        Ok(told.collect())
    }
}

fn write_xlsx(report: &CampaignReport, path: &Path, writer: impl Write + Send) -> Result<()> {
    write_results_xlsx(report, folder_of(path), writer)
}

/// What is known of a run without a summary.
fn unread(run: &ScoredRun) -> RunFacts {
    let recipe = &run.recipe;
    RunFacts {
        recipe: recipe.clone(),
        normalization: run.normalization,
        currency: None,
        period: Period::default(),
        platform: recipe.platform.clone(),
        channel: recipe.usual_channel().name().to_owned(),
        goal: document(&recipe.goal)
            .ok()
            .and_then(|goal| Some(goal.as_str()?.to_owned()))
            .unwrap_or_default(),
        dimension: run.results.dimension,
        files: Vec::new(),
        rows_read: None,
        rows_used: None,
        rows_dropped: std::collections::BTreeMap::new(),
        aggregate_rows: PortionFacts::default(),
        dimension_values: run.results.len() as u64,
        below_minimum: PortionFacts::default(),
        normalization_stats: serde_json::Map::new(),
        lists: ListFacts {
            policy: run.lists.policy,
            share: run.lists.share,
            min_impressions: run.lists.min_impressions,
            protected: Vec::new(),
        },
    }
}

/// `spring-caliber` is the folder of a run of `spring`.
fn folder_name(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.strip_suffix("-caliber").unwrap_or(&name);
    if name.is_empty() { "Campaign".to_owned() } else { name.to_owned() }
}

/// Where documents of a report go.
fn beside(first: Option<&str>, given: &str) -> PathBuf {
    if given == "-" {
        return PathBuf::from("report-documents");
    }
    let stem = without_extensions(Path::new(first.unwrap_or(given)));
    let mut name = stem.file_name().unwrap_or_default().to_owned();
    name.push("-documents");
    stem.with_file_name(name)
}

/// Whether these are results of ours, and no report: a folder, or a file with columns that no report has.
fn is_results(given: &Path) -> bool {
    given.is_dir() || ends_of(given).is_ok_and(|ends| OURS.iter().all(|column| contains(&ends, column)))
}

/// The first line of a text, and the last bytes of a file, where Parquet keeps its columns.
fn ends_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    let mut ends = Vec::new();
    (&mut file).take(ENDS).read_to_end(&mut ends)?;
    if !ends.starts_with(b"PAR1") {
        let line = ends.iter().position(|&byte| byte == b'\n').unwrap_or(ends.len());
        ends.truncate(line);
        return Ok(ends);
    }
    file.seek(SeekFrom::Start(length.saturating_sub(ENDS)))?;
    file.take(ENDS).read_to_end(&mut ends)?;
    Ok(ends)
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

fn flag(file: OutputFile) -> &'static str {
    match file {
        OutputFile::ResultsJson => "json-rows",
        file => format_of(file),
    }
}

fn format_of(file: OutputFile) -> &'static str {
    file.name().rsplit('.').next().unwrap_or_default()
}

fn print(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let rows = counted(answer.scored as u64, "row", "rows");
    writeln!(out, "{BOLD}{}{BOLD:#}: {rows}", foreign(answer.name))?;
    for file in &answer.files {
        writeln!(out, "  {}", foreign(&file.file))?;
    }
    Ok(())
}
