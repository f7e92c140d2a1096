//! `results.xlsx`: the campaign as a workbook. Its sheet `Results` holds what the other formats hold.

mod formats;
mod list_sheet;
mod method_sheet;
mod results_sheet;
mod sheet;
mod summary_sheet;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use caliber_engine::{Code, Error, Result};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use crate::columns::{Cells, Table};
use crate::failure::unwritten;
use crate::{CampaignReport, ListRow};
use formats::Formats;

/// What a sheet holds below its header.
const SHEET_ROWS: usize = 1_048_575;
/// Columns of a sheet.
const SHEET_COLUMNS: usize = 16_384;
/// An upper bound of a cell's own markup in a sheet, its number included.
const CELL_BYTES: u64 = 90;
/// Deflate level: higher ones take longer for a few percent.
const COMPRESSION: u8 = 3;

/// Writes `results.xlsx`: the sheets Summary, Results, Allowlist, Blocklist and Method. Rows go through nameless
/// temporary files in `scratch`, so that memory does not grow with them. The same report gives the same bytes, whenever
/// it is generated.
///
/// # Errors
/// [`Code::TooLarge`] for more rows than a sheet holds or text longer than a cell holds (32,767 characters);
/// [`Code::Machine`] where the disk is full or unwritable.
pub fn write_results_xlsx(report: &CampaignReport, scratch: &Path, writer: impl Write + Send) -> Result<()> {
    write(report, &Table::of(report.results), scratch, writer)
}

/// As [`write_results_xlsx`], with this table on the sheet `Results`.
pub(crate) fn write(
    report: &CampaignReport,
    table: &Table,
    scratch: &Path,
    writer: impl Write + Send,
) -> Result<()> {
    let room = fits_on_sheets(report, table)?;
    has_room(scratch, room)?;
    // The library panics where its temporary file cannot grow, as on a disk that fills up meanwhile.
    catch_unwind(AssertUnwindSafe(|| {
        let mut workbook = book(report, scratch, room)?;
        let formats = Formats::new(report);
        summary_sheet::add(&mut workbook, report, &formats)?;
        results_sheet::add(&mut workbook, table, &formats)?;
        list_sheet::add(&mut workbook, "Allowlist", report.allowlist, &formats)?;
        list_sheet::add(&mut workbook, "Blocklist", report.blocklist, &formats)?;
        method_sheet::add(&mut workbook, report, &formats)?;
        workbook.save_to_writer(writer)
    }))
    .map_or_else(|_| Err(outgrown(scratch)), |written| written.map_err(failure))
}

fn book(report: &CampaignReport, scratch: &Path, bytes: u64) -> std::result::Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_tempdir(scratch)?;
    // Sheets beyond 4 GB need the wider form, which not every reader knows.
    workbook.use_zip_large_file(bytes > u64::from(u32::MAX));
    workbook.set_zip_compression_level(COMPRESSION);
    // A clock would make each run's bytes differ.
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    // Excel takes titles of up to 255 characters.
    let title: String = report.name.chars().filter(|character| !character.is_control()).take(200).collect();
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&made));
    Ok(workbook)
}

/// Refuses what no sheet can hold; else an upper bound of the sheets' bytes.
fn fits_on_sheets(report: &CampaignReport, table: &Table) -> Result<u64> {
    let (rows, columns) = (table.rows.len(), &table.columns);
    let lists = [report.allowlist, report.blocklist];
    let most = lists.iter().map(|list| list.len()).max().unwrap_or(0).max(rows);
    if most > SHEET_ROWS || columns.len() > SHEET_COLUMNS {
        let size = format!("{most} rows of {} columns are more than a sheet holds", columns.len());
        return Err(Error::new(Code::TooLarge, size).help("take csv, json or parquet instead of xlsx"));
    }
    let texts = columns.iter().map(|column| match &column.cells {
        Cells::Names(names) | Cells::Texts(names) => names.iter().map(|name| name.len() as u64 * 6).sum(),
        Cells::Flags(flags) => flags.iter().flatten().map(|flag| flag.len() as u64 + 1).sum(),
        Cells::Words(words) => rows as u64 * words.iter().map(|word| word.len() as u64 + 1).sum::<u64>(),
        Cells::Patterns(patterns) => patterns.iter().flatten().count() as u64 * 12,
        Cells::Constant(text) => rows as u64 * text.len() as u64 * 6,
        Cells::OfMetrics(metrics, _) => {
            rows as u64 * metrics.iter().map(|metric| metric.name.len() as u64 + 160).sum::<u64>()
        }
        _ => 0,
    });
    let cells = (rows as u64 + 1) * columns.len() as u64 * CELL_BYTES;
    let listed = lists
        .into_iter()
        .flatten()
        .map(|row: &ListRow| (row.name.len() + row.reason.len()) as u64 * 6 + 5 * CELL_BYTES);
    Ok(texts.sum::<u64>() + cells + listed.sum::<u64>())
}

/// Refuses a disk on which the temporary files would not fit.
#[cfg(unix)]
fn has_room(scratch: &Path, bytes: u64) -> Result<()> {
    let Ok(disk) = rustix::fs::statvfs(scratch) else { return Ok(()) };
    // File systems that keep no account say 0 of 0.
    if disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < bytes {
        return Err(unwritten(rustix::io::Errno::NOSPC.into()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn has_room(_: &Path, _: u64) -> Result<()> {
    Ok(())
}

fn outgrown(scratch: &Path) -> Error {
    let place = scratch.display();
    Error::new(Code::Machine, format!("cannot write the file: its temporary file in {place} could not grow"))
        .help("see whether the disk is full, or choose another folder with --out DIR")
}

fn failure(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(cause) | XlsxError::TempFileError(_, cause) => unwritten(cause),
        XlsxError::ZipError(cause) => unwritten(cause.into()),
        XlsxError::MaxStringLengthExceeded => {
            Error::new(Code::TooLarge, "a name is longer than the 32,767 characters that a cell holds")
                .help("take csv, json or parquet instead of xlsx")
        }
        other => unwritten(io::Error::other(other)),
    }
}
