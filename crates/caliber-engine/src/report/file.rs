//! One file of a report, opened: its format, its header row, its first rows.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::cell::{Cell, OwnedRow, Row};
use super::header_row::{header_score, surest};
use super::mapping::{ColumnPeek, Override};
use super::parquet::ParquetReport;
use super::source::{Format, Source};
use super::text::{self, Encoding, TextRows};
use super::workbook::Workbook;
use super::xls::{Sandbox, SheetCsv};
use crate::dictionary::Dictionary;
use crate::names;
use crate::{Code, Error, Result};

/// Rows in which the header is looked for.
pub(crate) const HEADER_ROWS: usize = 200;
/// Rows that are looked at before all are read.
const PREVIEW_ROWS: usize = 500;
const EXPORT_AGAIN: &str = "export the report again, or name another sheet with --sheet";
/// The most columns: those of a spreadsheet.
pub(crate) const MAX_COLUMNS: usize = 16_384;

/// Where the rows of an opened file are.
#[derive(Debug)]
pub(crate) enum Body {
    /// Delimited text; the data begin after so many bytes and lines of the decoded stream.
    Text { encoding: Encoding, delimiter: u8, skip_bytes: u64, skip_lines: u64 },
    /// A sheet of a workbook.
    Sheet(String),
    /// Parquet, whose header is its schema.
    Parquet,
}

/// One file of a report, opened.
#[derive(Debug)]
pub(crate) struct ReportFile {
    pub(crate) source: Source,
    /// The format as given; an old workbook is read as text.
    pub(crate) format: Format,
    pub(crate) sheet: Option<String>,
    pub(crate) body: Body,
    /// Empty texts where there is no header row.
    pub(crate) headers: Vec<String>,
    pub(crate) header_line: Option<u64>,
    pub(crate) skipped_before: u64,
    /// The first rows below the header.
    pub(crate) preview: Vec<OwnedRow>,
    /// Whether there may be rows beyond the preview.
    pub(crate) has_more: bool,
    /// Sheets that fit as well as the one that is read.
    pub(crate) other_sheets: Vec<String>,
    /// All sheets of a workbook, in the order to prefer them.
    pub(crate) sheets: Vec<String>,
}

/// What the call says about how files are opened.
pub(crate) struct Opening<'a> {
    pub(crate) dictionary: &'a Dictionary,
    pub(crate) overrides: &'a [Override],
    pub(crate) no_header: bool,
    pub(crate) sheet: Option<&'a str>,
    pub(crate) sandbox: &'a Sandbox<'a>,
}

impl ReportFile {
    /// Opens a source: finds sheet, delimiter and header row.
    ///
    /// # Errors
    /// `NoHeader`, `HeaderOnly`, `NotFound` for the sheet, and those of the formats.
    pub(crate) fn open(source: Source, opening: &Opening<'_>) -> Result<Self> {
        let name = source.name().to_owned();
        let opened = match source.format() {
            Format::Csv => open_text(source, opening),
            Format::Xlsx => open_workbook(source, opening),
            Format::Xls => open_xls(&source, opening),
            Format::Parquet => open_parquet(source),
        };
        opened.and_then(Self::checked).map_err(|error| error.in_file(name))
    }

    fn checked(self) -> Result<Self> {
        if self.headers.len() > MAX_COLUMNS {
            let error = Error::new(
                Code::TooLarge,
                format!("{} columns; a report has at most {MAX_COLUMNS}", self.headers.len()),
            );
            return Err(error
                .at_line(self.header_line.unwrap_or(1))
                .help("export the report with the columns that scoring needs"));
        }
        if self.preview.is_empty() && !self.has_more {
            let error = Error::new(Code::HeaderOnly, "there is a header and no row below it");
            return Err(error
                .at_line(self.header_line.unwrap_or(1))
                .help("export the report again, for a period in which the campaign ran"));
        }
        Ok(self)
    }

    /// What a column is called in messages: its header, or its position.
    pub(crate) fn column_name(&self, column: usize) -> String {
        match self.headers.get(column) {
            Some(header) if !header.is_empty() => header.clone(),
            _ => format!("#{}", column + 1),
        }
    }
}

/// The header among rows.
fn find_header(rows: &[OwnedRow], opening: &Opening<'_>) -> Option<usize> {
    surest(rows.iter().take(HEADER_ROWS).map(|row| points(row, opening).1))
}

/// Whether a row has a dimension and impressions, which a report needs, and how many headers it has in all.
fn points(row: &impl Row, opening: &Opening<'_>) -> (bool, usize) {
    let cells: Vec<Cell<'_>> = (0..row.len()).map(|column| row.cell(column)).collect();
    let bytes: Vec<Cow<'_, [u8]>> = cells.iter().map(Cell::text).collect();
    let texts: Vec<Cow<'_, str>> = bytes.iter().map(|bytes| names::text_of(bytes)).collect();
    let score = header_score(texts.iter().map(|text| &**text), opening.dictionary, opening.overrides);
    (score.is_whole, score.points())
}

fn no_header(rows: &[OwnedRow]) -> Error {
    let first = rows.first().map(|row| {
        let texts = row.cells.iter().take(6).map(|cell| names::text_of(&cell.text()).into_owned());
        format!("; the first row is: {}", texts.collect::<Vec<_>>().join(" | "))
    });
    Error::new(
        Code::NoHeader,
        format!("no row looks like the header of a report{}", first.unwrap_or_default()),
    )
    .at_line(rows.first().map_or(1, |row| row.line))
    .help(
        "if the file has no header, give --no-header and --map domain=#1 --map impressions=#2 ...; \
             if its headers are unknown, name them with --map NAME=HEADER",
    )
}

/// Header texts of a row, and the rows around it.
struct Split {
    headers: Vec<String>,
    header: Option<usize>,
    header_line: Option<u64>,
    skipped_before: u64,
}

fn split(rows: &[OwnedRow], header: Option<usize>, opening: &Opening<'_>) -> Result<Split> {
    if opening.no_header {
        let width = rows.iter().map(Row::len).max().unwrap_or(0);
        return Ok(Split {
            headers: vec![String::new(); width],
            header: None,
            header_line: None,
            skipped_before: 0,
        });
    }
    let header = header.ok_or_else(|| no_header(rows))?;
    Ok(Split {
        headers: rows[header].cells.iter().map(|cell| names::text_of(&cell.text()).into_owned()).collect(),
        header: Some(header),
        header_line: Some(rows[header].line),
        skipped_before: rows[..header].iter().filter(|row| !row.cells.iter().all(Cell::is_blank)).count()
            as u64,
    })
}

fn open_text(source: Source, opening: &Opening<'_>) -> Result<ReportFile> {
    let sample = text::sample(&source)?;
    let (delimiter, header) = sample.delimiter(&|row| points(row, opening).1);
    let TextRows { mut rows, ends } =
        sample.rows(delimiter, header.map_or(0, |header| header + 1) + PREVIEW_ROWS);
    let split = split(&rows, header, opening)?;
    let (skip_bytes, skip_lines) = split.header.map_or((0, 0), |header| ends[header]);
    rows.drain(..split.header.map_or(0, |header| header + 1));
    Ok(ReportFile {
        source,
        format: Format::Csv,
        sheet: None,
        body: Body::Text { encoding: sample.encoding, delimiter, skip_bytes, skip_lines },
        headers: split.headers,
        header_line: split.header_line,
        skipped_before: split.skipped_before,
        preview: rows,
        has_more: !sample.is_whole,
        other_sheets: Vec::new(),
        sheets: Vec::new(),
    })
}

fn open_workbook(source: Source, opening: &Opening<'_>) -> Result<ReportFile> {
    let file = std::fs::File::open(source.path())
        .map_err(|error| Error::new(Code::NotReadable, format!("cannot be read: {error}")))?;
    let mut workbook = Workbook::open(file)?;
    let all_sheets = workbook.sheet_names();
    let sheets = match opening.sheet {
        Some(sheet) => vec![named(&all_sheets, sheet)],
        None => all_sheets.clone(),
    };
    let mut best: Option<((bool, usize), String, Vec<OwnedRow>)> = None;
    let mut as_good = Vec::new();
    for sheet in sheets {
        let rows: Vec<OwnedRow> = workbook
            .preview(&sheet, HEADER_ROWS + PREVIEW_ROWS)?
            .into_iter()
            .map(|(line, cells)| OwnedRow { line, cells })
            .collect();
        let points = find_header(&rows, opening).map_or((false, 0), |at| points(&rows[at], opening));
        // With no header anywhere, the first sheet that holds something is it.
        if best.as_ref().is_none_or(|(most, _, kept)| points > *most || kept.is_empty()) {
            as_good.clear();
            best = Some((points, sheet, rows));
        } else if points.0 && best.as_ref().is_some_and(|(most, ..)| points == *most) {
            as_good.push(sheet);
        }
    }
    let (_, sheet, mut rows) =
        best.ok_or_else(|| Error::new(Code::Empty, "the workbook has no sheet of cells").help(EXPORT_AGAIN))?;
    if rows.is_empty() {
        return Err(Error::new(Code::Empty, "the sheet is empty").in_sheet(sheet).help(EXPORT_AGAIN));
    }
    let header = find_header(&rows, opening);
    let split = split(&rows, header, opening).map_err(|error| error.in_sheet(&sheet))?;
    rows.drain(..split.header.map_or(0, |header| header + 1));
    Ok(ReportFile {
        source,
        format: Format::Xlsx,
        sheet: Some(sheet.clone()),
        body: Body::Sheet(sheet),
        headers: split.headers,
        header_line: split.header_line,
        skipped_before: split.skipped_before,
        preview: rows,
        has_more: false,
        other_sheets: as_good,
        sheets: all_sheets,
    })
}

/// A sheet as its tab has it; case does not matter, as in a spreadsheet.
fn named(sheets: &[String], wanted: &str) -> String {
    let same = |sheet: &&String| sheet.trim().to_lowercase() == wanted.trim().to_lowercase();
    let exact = sheets.iter().find(|sheet| *sheet == wanted);
    exact.or_else(|| sheets.iter().find(same)).map_or(wanted, String::as_str).to_owned()
}

/// Old workbooks are read in a process of their own, which gives the sheet as text.
fn open_xls(source: &Source, opening: &Opening<'_>) -> Result<ReportFile> {
    let SheetCsv { sheet, sheets, csv } = (opening.sandbox)(source.path(), opening.sheet)?;
    let text = Source::from_stream(csv, source.name())?;
    let mut file = open_text(text, opening).map_err(|error| error.in_sheet(&sheet))?;
    file.format = Format::Xls;
    file.sheet = Some(sheet);
    file.sheets = sheets;
    Ok(file)
}

fn open_parquet(source: Source) -> Result<ReportFile> {
    let file = std::fs::File::open(source.path())
        .map_err(|error| Error::new(Code::NotReadable, format!("cannot be read: {error}")))?;
    let parquet = ParquetReport::open(file)?;
    let preview = parquet.preview(PREVIEW_ROWS)?;
    Ok(ReportFile {
        source,
        format: Format::Parquet,
        sheet: None,
        body: Body::Parquet,
        headers: parquet.headers().to_vec(),
        header_line: None,
        skipped_before: 0,
        preview: preview.into_iter().zip(1..).map(|(cells, line)| OwnedRow { line, cells }).collect(),
        has_more: false,
        other_sheets: Vec::new(),
        sheets: Vec::new(),
    })
}

/// The sheet of an old workbook that looks most like a report, of its first rows.
pub fn best_sheet(sheets: &[super::xls::SheetPreview], dictionary: &Dictionary) -> usize {
    let points = |rows: &[Vec<String>]| {
        rows.iter()
            .map(|row| header_score(row.iter().map(String::as_str), dictionary, &[]).points())
            .max()
            .unwrap_or(0)
    };
    let judged = sheets.iter().map(|(_, rows)| (points(rows), !rows.is_empty())).enumerate();
    judged.reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(0, |(at, _)| at)
}

/// What the first rows say of columns.
pub(crate) struct Peek<'a> {
    rows: &'a [OwnedRow],
    /// Whether cells carry percent signs, by column: every recipe that is judged asks it of every header.
    percent: Vec<OnceCell<bool>>,
}

impl<'a> Peek<'a> {
    /// A look at the first rows of a file. `percent` are columns whose cells turned out to carry percent signs when
    /// all were read.
    pub(crate) fn of(file: &'a ReportFile, percent: &BTreeSet<usize>) -> Self {
        let known = |column| if percent.contains(&column) { OnceCell::from(true) } else { OnceCell::new() };
        Self { rows: &file.preview, percent: (0..file.headers.len()).map(known).collect() }
    }

    fn cells_carry_percent(&self, column: usize) -> bool {
        let (mut percent, mut plain) = (0, 0);
        for row in self.rows {
            let cell = row.cell(column);
            let text = cell.text();
            let text = text.trim_ascii();
            if text.ends_with(b"%") || text.starts_with(b"%") {
                percent += 1;
            } else if text.iter().any(u8::is_ascii_digit) {
                plain += 1;
            }
        }
        percent > 0 && percent >= plain
    }
}

impl ColumnPeek for Peek<'_> {
    fn equal(&self, a: usize, b: usize) -> bool {
        self.rows.iter().all(|row| row.cell(a).text() == row.cell(b).text())
    }

    fn carries_percent(&self, column: usize) -> bool {
        let Some(known) = self.percent.get(column) else { return false };
        *known.get_or_init(|| self.cells_carry_percent(column))
    }
}
