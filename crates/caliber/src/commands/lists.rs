//! `caliber lists`: the lists of a run again, as names, as tables, or in the form that a DSP takes.

mod text;

use std::fs;
use std::path::{Path, PathBuf};

use caliber_engine::summary::ListSummary;
use caliber_engine::{Code, Error, Result};
use caliber_reports::{
    Figure, LeftOut, ListKind, ListRow, UploadFiles, UploadForm, write_json_pretty, write_list_csv,
    write_list_text,
};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::placing::{Placing, write_bytes};
use super::run::{RunArgs, ScoredRun};
use super::run_lists::{ListRuleArgs, MadeLists};
use super::timing::Timing;
use crate::terminal::Terminal;

/// Bytes of an earlier manifest that are read.
const MANIFEST_BYTES: u64 = 64 << 20;

/// Take the lists out of a run again, as names or in the form that a DSP takes
///
/// Without --out and --dsp the names are printed. With --dsp the files to upload and a manifest are written, each within
/// what the DSP takes at once.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv && caliber lists report-caliber --dsp dv360 --list block --out upload"
)]
pub(crate) struct Args {
    /// Results of `caliber score`: results.parquet, results.csv, or the folder that holds them
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// Form of a DSP: `trade_desk_csv`, `trade_desk_json`, dv360, xandr, amazon, yahoo, basis, text
    #[arg(long, value_name = "FORM")]
    dsp: Option<String>,
    /// Which list
    #[arg(long, value_name = "LIST", default_value = "both")]
    list: Which,
    #[command(flatten)]
    rule: ListRuleArgs,
    /// Folder to write to, made if missing [default with --dsp: a folder of the form's name in that of RESULTS]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Allow,
    Block,
    Both,
}

/// What was made, and where it is.
#[derive(Serialize)]
struct Answer<'a> {
    rule: Rule,
    /// The form's word; `null` without one.
    form: Option<&'a str>,
    lists: Vec<ListAnswer<'a>>,
    /// Names that would have been blocked and are protected.
    protected: Vec<&'a str>,
    files: Vec<WrittenFile>,
}

#[derive(Serialize)]
struct Rule {
    policy: &'static str,
    share: Figure,
    min_impressions: Figure,
    candidates: usize,
}

#[derive(Serialize)]
struct ListAnswer<'a> {
    list_type: ListKind,
    #[serde(flatten)]
    figures: ListSummary,
    /// Names that the form cannot hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<Vec<LeftOut>>,
    /// The rows, where no file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<&'a [ListRow]>,
}

#[derive(Serialize)]
struct WrittenFile {
    file: String,
    list_type: ListKind,
    size: u64,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let mut timing = Timing::start(args.run.timing);
    let form = args.dsp.as_deref().map(form).transpose()?;
    let run = args.run.read(&args.results, terminal)?;
    timing.has_read();
    let made = args.rule.make(&run)?;
    let uploads = match form {
        Some(form) => args.kinds().map(|kind| upload(form, kind, &run, &made)).collect::<Result<Vec<_>>>()?,
        None => Vec::new(),
    };
    timing.has_computed();
    let files = match (form, &args.out) {
        (Some(form), out) => {
            let folder = out.clone().unwrap_or_else(|| run.folder.join(form.name()));
            let written = uploads.iter().map(|upload| write_upload(upload, &folder));
            written.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect()
        }
        (None, Some(folder)) => write_lists(args, &run, &made, folder)?,
        (None, None) => Vec::new(),
    };
    let answer = args.answer(form, &run, &made, &uploads, files);
    terminal.answer(&answer, |out| text::print(&answer, out))?;
    terminal.notes(text::notes(&answer));
    timing.has_written();
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(run);
    Ok(())
}

impl Args {
    fn kinds(&self) -> impl Iterator<Item = ListKind> {
        let which = self.list;
        let wanted = move |kind: &ListKind| match which {
            Which::Allow => *kind == ListKind::Allow,
            Which::Block => *kind == ListKind::Block,
            Which::Both => true,
        };
        ListKind::ALL.into_iter().filter(wanted)
    }

    fn answer<'a>(
        &self,
        form: Option<&'a UploadForm>,
        run: &'a ScoredRun,
        made: &'a MadeLists,
        uploads: &[UploadFiles],
        files: Vec<WrittenFile>,
    ) -> Answer<'a> {
        let is_written = form.is_some() || self.out.is_some();
        let list = |kind: ListKind| {
            let left_out = uploads.iter().find(|upload| upload.list() == kind);
            let (numbers, rows) = listed(made, kind);
            ListAnswer {
                list_type: kind,
                figures: ListSummary::of(&run.results, numbers),
                left_out: left_out.map(|upload| upload.left_out.clone()),
                rows: (!is_written).then_some(rows),
            }
        };
        Answer {
            rule: Rule {
                policy: made.rule.policy.name(),
                share: Figure(made.rule.share),
                min_impressions: Figure(made.min_impressions),
                candidates: made.candidates,
            },
            form: form.map(UploadForm::name),
            lists: self.kinds().map(list).collect(),
            protected: made.lists.protected.iter().map(|&row| run.results.names[row].as_str()).collect(),
            files,
        }
    }
}

fn form(name: &str) -> Result<&'static UploadForm> {
    UploadForm::by_name(name).map_err(|error| {
        let help = error.help.unwrap_or_default();
        Error::new(Code::BadOption, format!("--dsp: {}", error.message)).help(help)
    })
}

/// A list as row numbers and as rows.
fn listed(made: &MadeLists, kind: ListKind) -> (&[usize], &[ListRow]) {
    match kind {
        ListKind::Allow => (&made.lists.allow, &made.rows.allow),
        ListKind::Block => (&made.lists.block, &made.rows.block),
    }
}

fn upload(
    form: &'static UploadForm,
    kind: ListKind,
    run: &ScoredRun,
    made: &MadeLists,
) -> Result<UploadFiles> {
    let (_, rows) = listed(made, kind);
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    form.files(kind, run.results.dimension, &names, kind.name())
}

/// Writes the files of an upload and its manifest. Files that an earlier manifest of the same list names, and that are no
/// longer part of it, are removed: an old third part beside two new ones would be uploaded as well.
fn write_upload(upload: &UploadFiles, folder: &Path) -> Result<Vec<WrittenFile>> {
    let manifest = folder.join(upload.manifest_name());
    let before = files_of_manifest(&manifest);
    let mut placing = Placing::default();
    for file in &upload.files {
        placing.stage(&folder.join(&file.name), |writer| write_bytes(&file.bytes, writer))?;
    }
    placing.stage(&manifest, |writer| write_json_pretty(&upload.manifest(), writer))?;
    let written = placing.place()?;
    for name in before.iter().filter(|name| upload.files.iter().all(|file| file.name != **name)) {
        // Who has taken it away already did the same.
        let _ = fs::remove_file(folder.join(name));
    }
    Ok(told(written, upload.list()))
}

/// The plain names of files that a manifest lists; none where there is no manifest of ours.
fn files_of_manifest(path: &Path) -> Vec<String> {
    let small = fs::metadata(path).is_ok_and(|file| file.len() < MANIFEST_BYTES);
    let text = if small { fs::read(path).unwrap_or_default() } else { Vec::new() };
    let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
    let files = manifest["files"].as_array().map_or(&[][..], Vec::as_slice);
    let names = files.iter().filter_map(|file| file["file"].as_str());
    names
        .filter(|name| Path::new(name).file_name().is_some_and(|own| own == *name))
        .map(str::to_owned)
        .collect()
}

/// Writes the names and the tables of the lists.
fn write_lists(args: &Args, run: &ScoredRun, made: &MadeLists, folder: &Path) -> Result<Vec<WrittenFile>> {
    let mut files = Vec::new();
    for kind in args.kinds() {
        let (numbers, rows) = listed(made, kind);
        let reasons: std::collections::HashMap<usize, &str> =
            numbers.iter().copied().zip(rows.iter().map(|row| row.reason.as_str())).collect();
        let mut placing = Placing::default();
        placing.stage(&folder.join(format!("{}.txt", kind.name())), |writer| {
            write_list_text(&run.results, numbers, writer)
        })?;
        placing.stage(&folder.join(format!("{}.csv", kind.name())), |writer| {
            write_list_csv(&run.results, numbers, |row| reasons[&row].to_owned(), writer)
        })?;
        files.extend(told(placing.place()?, kind));
    }
    Ok(files)
}

fn told(written: Vec<(PathBuf, u64)>, list_type: ListKind) -> Vec<WrittenFile> {
    let file =
        |(path, size): (PathBuf, u64)| WrittenFile { file: path.display().to_string(), list_type, size };
    written.into_iter().map(file).collect()
}
