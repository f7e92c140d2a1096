//! Reads one sheet of an older workbook in a process of its own, so that a hostile file ends that one.
//!
//! [`read_apart`] starts this program again with the hidden subcommand [`SUBCOMMAND`], which calls [`run`]. The
//! child writes the sheet as CSV to standard output, a file without a name, and then one line of JSON to
//! standard error: `{"sheet"}` when all went well, else `{"error": {"code", "message", "help"}}`.
//!
//! On Unix the child limits its own memory, time and output before it touches the file. Elsewhere no such limit
//! can be set from within: the child can then take as much memory as the system gives it, but still dies alone.

use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use caliber_engine::report::xls::{SheetCsv, SheetPreview, named, to_csv};
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
const WORDS_BYTES_MAX: u64 = 64 << 10;

/// What the child says at the end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Sheet(String),
    Error { code: String, message: String, help: Option<String> },
}

/// The child's part: writes the named sheet, or the one that `best` picks, to standard output.
pub(crate) fn run(
    file: &Path,
    sheet: Option<&str>,
    best: impl Fn(&[SheetPreview]) -> Result<usize>,
) -> ExitCode {
    let choose = |sheets: &[SheetPreview]| sheet.map_or_else(|| best(sheets), |name| named(sheets, name));
    let written = limit_self().and_then(|()| to_csv(file, choose, BufWriter::new(std::io::stdout().lock())));
    let (outcome, exit) = match written {
        Ok(sheet) => (Outcome::Sheet(sheet), ExitCode::SUCCESS),
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
        Some(Outcome::Sheet(sheet)) if status.success() => {
            csv.rewind().map_err(|error| not_started(&error))?;
            Ok(SheetCsv { sheet, csv: Box::new(csv) })
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
