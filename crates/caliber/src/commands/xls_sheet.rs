//! Reads one sheet of an older workbook in a process of its own, so that a hostile file ends that one.
//!
//! [`read_apart`] starts this program again with the hidden subcommand [`SUBCOMMAND`], which calls [`run`]. The
//! child writes the sheet as CSV to standard output, a file without a name, and then one line of JSON to
//! standard error: `{"sheet": {"name", "all"}}` when all went well, else `{"error": {"code", "message", "help"}}`.
//!
//! On Unix the child limits its own memory, time and output before it touches the file. Elsewhere no such limit
//! can be set from within: the child can then take as much memory as the system gives it, but still dies alone.

use std::io::{BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use caliber_engine::recipe::RecipeBook;
use caliber_engine::report::best_sheet;
use caliber_engine::report::xls::{SheetCsv, SheetPreview, Written, named, to_csv};
use caliber_engine::{Code, Error, Result};
use serde::{Deserialize, Serialize};

/// The hidden subcommand: `caliber xls-sheet FILE [--sheet NAME]`.
pub(crate) const SUBCOMMAND: &str = "xls-sheet";

/// Address space of the child. An XLS ends at 65,536 rows a sheet; a full one takes some 200 MB.
#[cfg(unix)]
const MEMORY_BYTES_MAX: u64 = 1 << 30;
/// Processor time of the child.
#[cfg(unix)]
const CPU_SECONDS_MAX: u64 = 60;
/// Bytes of CSV.
#[cfg(unix)]
const CSV_BYTES_MAX: u64 = 1 << 30;
/// Bytes read of what the child says at the end.
const WORDS_BYTES_MAX: u64 = 256 << 10;
/// Sheets that the child names.
const SHEETS_MAX: usize = 500;

/// What the child says at the end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Sheet { name: String, all: Vec<String> },
    Error { code: String, message: String, help: Option<String> },
}

/// Read one sheet of an old workbook as CSV; for this program's own use
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    sheet: Option<String>,
    file: PathBuf,
}

/// The hidden subcommand.
pub(crate) fn main(args: &Args) -> ExitCode {
    let words = RecipeBook::shipped().vocabulary();
    run(&args.file, args.sheet.as_deref(), |sheets| Ok(best_sheet(sheets, &words)))
}

/// The child's part: writes the named sheet, or the one that `best` picks, to standard output.
fn run(file: &Path, sheet: Option<&str>, best: impl Fn(&[SheetPreview]) -> Result<usize>) -> ExitCode {
    let choose = |sheets: &[SheetPreview]| sheet.map_or_else(|| best(sheets), |name| named(sheets, name));
    let written = limit_self().and_then(|()| to_csv(file, choose, BufWriter::new(std::io::stdout().lock())));
    let (outcome, exit) = match written {
        Ok(Written { sheet, mut sheets }) => {
            sheets.truncate(SHEETS_MAX);
            (Outcome::Sheet { name: sheet, all: sheets }, ExitCode::SUCCESS)
        }
        Err(error) => {
            let exit = if error.code.is_input() { 2 } else { 1 };
            let outcome =
                Outcome::Error { code: error.code.name(), message: error.message, help: error.help };
            (outcome, ExitCode::from(exit))
        }
    };
    let words = serde_json::to_string(&outcome).unwrap_or_default();
    match writeln!(std::io::stderr(), "{words}") {
        Ok(()) => exit,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(unix)]
fn limit_self() -> Result<()> {
    use rlimit::Resource;
    for (resource, most) in [
        (Resource::AS, MEMORY_BYTES_MAX),
        (Resource::CPU, CPU_SECONDS_MAX),
        (Resource::FSIZE, CSV_BYTES_MAX),
        // A dying child leaves no picture of the report behind.
        (Resource::CORE, 0),
    ] {
        let limit = resource.get_hard().map_or(most, |hard| hard.min(most));
        resource.set(limit, limit).map_err(|error| {
            Error::new(Code::Machine, format!("no limit could be set for reading the workbook: {error}"))
                .caused_by(error)
        })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit_self() -> Result<()> {
    Ok(())
}

/// The parent's part: a [`caliber_engine::report::xls::Sandbox`]. Whatever becomes of the child, this returns.
///
/// # Errors
/// What the child reports; [`Code::TooLarge`] where it died of its limits or the file's malice;
/// [`Code::Machine`] where it could not be started.
pub(crate) fn read_apart(file: &Path, sheet: Option<&str>) -> Result<SheetCsv> {
    let program = std::env::current_exe().map_err(|error| not_started(&error))?;
    let mut command = Command::new(program);
    command.arg(SUBCOMMAND);
    if let Some(sheet) = sheet {
        command.arg("--sheet").arg(sheet);
    }
    command.arg("--").arg(file);
    read_from(command)
}

/// Runs the child to its end before anything of its CSV is used.
fn read_from(mut command: Command) -> Result<SheetCsv> {
    let mut csv = tempfile::tempfile().map_err(|error| not_started(&error))?;
    let output = csv.try_clone().map_err(|error| not_started(&error))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(&error))?;
    let mut words = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        // What cannot be read is treated as not said; the rest is drained, or the child would wait for us.
        let _ = stderr.by_ref().take(WORDS_BYTES_MAX).read_to_end(&mut words);
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
    }
    let status = child.wait().map_err(|error| not_started(&error))?;
    let outcome = String::from_utf8_lossy(&words)
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<Outcome>(line).ok());
    match outcome {
        Some(Outcome::Sheet { name, all }) if status.success() => {
            csv.rewind().map_err(|error| not_started(&error))?;
            Ok(SheetCsv { sheet: name, sheets: all, csv: Box::new(csv) })
        }
        Some(Outcome::Error { code, message, help }) => {
            let mut error = Error::new(code_of(&code), message);
            error.help = help;
            Err(error)
        }
        _ => Err(Error::new(
            Code::TooLarge,
            format!("the workbook could not be read within the limits of memory and time ({status})"),
        )
        .help("Open and save it as XLSX in a spreadsheet program, or export the report as CSV.")),
    }
}

/// The codes a child can report, by name.
fn code_of(name: &str) -> Code {
    [
        Code::NotReadable,
        Code::Empty,
        Code::HeaderOnly,
        Code::WrongKind,
        Code::Truncated,
        Code::Encrypted,
        Code::TooLarge,
        Code::NoHeader,
        Code::NotFound,
        Code::Ambiguous,
        Code::MissingColumns,
        Code::NotRecognised,
        Code::SeveralRecipes,
        Code::Machine,
    ]
    .into_iter()
    .find(|code| code.name() == name)
    .unwrap_or(Code::Malformed)
}

fn not_started(error: &std::io::Error) -> Error {
    Error::new(Code::Machine, format!("the workbook could not be read in a process of its own: {error}"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn child(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        command
    }

    #[test]
    fn the_sheet_arrives_once_the_child_has_ended_well() {
        let script = r#"printf 'a,b\n1,2\n'; echo noise >&2; echo '{"sheet":{"name":"Data","all":["Data","Notes"]}}' >&2"#;
        let mut read = read_from(child(script)).unwrap();
        let mut csv = String::new();
        read.csv.read_to_string(&mut csv).unwrap();
        assert_eq!((read.sheet.as_str(), csv.as_str()), ("Data", "a,b\n1,2\n"));
        assert_eq!(read.sheets, ["Data", "Notes"]);
    }

    #[test]
    fn what_the_child_reports_is_reported() {
        let script =
            r#"echo '{"error":{"code":"encrypted","message":"locked","help":"unlock"}}' >&2; exit 2"#;
        let error = read_from(child(script)).err().unwrap();
        assert_eq!((error.code, error.message.as_str()), (Code::Encrypted, "locked"));
        assert_eq!(error.help.as_deref(), Some("unlock"));
    }

    #[test]
    fn a_child_that_dies_is_an_error_even_after_it_wrote_rows() {
        for script in [
            r#"echo a,b; echo '{"sheet":{"name":"Data","all":[]}}' >&2; kill -ABRT $$"#,
            "echo a,b",
            "kill -SEGV $$",
        ] {
            assert_eq!(read_from(child(script)).err().unwrap().code, Code::TooLarge, "{script}");
        }
    }

    /// An old workbook whose sheet claims so many rows, for which calamine makes room, and has one cell.
    fn claiming(rows: u32) -> tempfile::NamedTempFile {
        let record = |kind: u16, data: &[u8]| {
            [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
        };
        let begin = record(0x0809, &[0, 6, 5, 0, 0, 0, 0, 0]);
        let end = record(0x000A, &[]);
        let at = (begin.len() + 13 + end.len()) as u8;
        let tab = record(0x0085, &[at, 0, 0, 0, 0, 0, 1, 0, b'S']);
        let size = record(0x0200, &[&[0; 4][..], &rows.to_le_bytes(), &[0, 0, 1, 0, 0, 0]].concat());
        let cell = record(0x0203, &[&[0; 6][..], &7_f64.to_le_bytes()].concat());
        let stream = [&begin[..], &tab, &end, &begin, &size, &cell, &end].concat();
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        file.create_stream("Workbook").unwrap().write_all(&stream).unwrap();
        let mut path = tempfile::NamedTempFile::new().unwrap();
        path.write_all(file.into_inner().get_ref()).unwrap();
        path
    }

    /// Not a test of its own: what the next test starts in a process that may die.
    #[test]
    fn as_a_child() {
        if let Some(file) = std::env::var_os("XLS_SHEET_FILE") {
            run(Path::new(&file), None, |_| Ok(0));
        }
    }

    fn read_as_a_child(file: &Path) -> Result<SheetCsv> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "commands::xls_sheet::tests::as_a_child", "--nocapture"]);
        command.env("XLS_SHEET_FILE", file);
        read_from(command)
    }

    #[test]
    fn a_workbook_that_wants_more_memory_than_allowed_ends_only_the_child() {
        let mut read = read_as_a_child(claiming(1).path()).unwrap();
        let mut csv = String::new();
        read.csv.read_to_string(&mut csv).unwrap();
        // The test runner of the child writes lines of its own around the sheet.
        assert!(read.sheet == "S" && csv.contains("7\n"), "{csv}");

        let error = read_as_a_child(claiming(1 << 27).path()).err().unwrap();
        assert_eq!(error.code, Code::TooLarge);
        assert!(error.message.contains("memory"), "{}", error.message);
    }
}
