//! Workbooks: XLSX and XLSM, read row by row.
//!
//! A workbook is untrusted: sizes, counts and dimensions it states are checked or not used, and at no time is
//! more of it in memory than its table of texts and one row. That is why its XML is read here token by token:
//! calamine opens a workbook by reserving what the file says it needs, clones fonts into every style, and gives
//! up a whole sheet at an error word it does not know (`#SPILL!`). It reads the older kinds ([`super::xls`]).

mod catalog;
mod formats;
mod package;
mod rows;
mod text;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use catalog::{Catalog, DESCRIPTION_BYTES_MAX};
use package::{Package, encrypted, unreadable};
pub use rows::SheetRow;
use rows::{Shared, each_row};

use super::cell::{Cell, Row};
use crate::{Code, Error, Result};

/// The kinds of workbook, told by their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkbookKind {
    /// XLSX, XLSM: read by [`Workbook`].
    OpenXml,
    /// XLSB, ODS or the old XLS: read by [`super::xls`], in a process of its own.
    Apart,
    /// Any of them behind a password.
    Encrypted,
}

/// What kind of workbook a file is; `None` where it is none, though it may be another zip. Leaves the file at
/// its start.
///
/// # Errors
/// [`Code::TooLarge`] for bombs, [`Code::NotReadable`] where the file cannot be read.
pub fn kind(file: &mut File) -> Result<Option<WorkbookKind>> {
    let kind = kind_of(file);
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    kind
}

/// Whether a file is a workbook of any kind, rather than a zip of something else.
pub fn is_workbook(file: &mut File) -> Result<bool> {
    Ok(kind(file)?.is_some())
}

fn kind_of(file: &mut File) -> Result<Option<WorkbookKind>> {
    let mut start = Vec::with_capacity(128);
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.by_ref().take(128).read_to_end(&mut start))
        .map_err(unreadable)?;
    if start.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return compound_kind(file).map_err(unreadable);
    }
    if !start.starts_with(b"PK") {
        return Ok(None);
    }
    let package = match Package::open(file.try_clone().map_err(unreadable)?) {
        Ok(package) => package,
        Err(error) if error.code == Code::TooLarge => return Err(error),
        // A broken zip is told by the name of its first part, so that opening it can say what is broken.
        Err(_) => return Ok(begins_as_open_xml(&start).then_some(WorkbookKind::OpenXml)),
    };
    if package.has("xl/workbook.bin") || (package.has("content.xml") && package.has("META-INF/manifest.xml"))
    {
        return Ok(Some(WorkbookKind::Apart));
    }
    let is_open_xml =
        package.has("xl/workbook.xml") || (package.has("[Content_Types].xml") && package.has("_rels/.rels"));
    Ok(is_open_xml.then_some(WorkbookKind::OpenXml))
}

/// Whether the first part of a zip, whose name stands at byte 30, is one that workbooks begin with.
fn begins_as_open_xml(start: &[u8]) -> bool {
    let name = start.get(30..).unwrap_or_default();
    ["[Content_Types].xml", "_rels/", "docProps/", "xl/"].iter().any(|part| name.starts_with(part.as_bytes()))
}

/// Looks for the streams of a workbook in an OLE compound file.
///
/// Its directory is made of entries of 128 bytes, aligned to as much, each beginning with its name in UTF-16 and
/// the name's length at byte 64 ([MS-CFB] 2.6.1). They are searched for instead of followed, so that no chain of
/// a hostile file leads anywhere.
fn compound_kind(file: &mut File) -> std::io::Result<Option<WorkbookKind>> {
    let mut reader = std::io::BufReader::with_capacity(64 << 10, file);
    reader.seek(SeekFrom::Start(0))?;
    let mut block = [0; 128];
    let mut kind = None;
    while let Ok(()) = reader.read_exact(&mut block) {
        if is_entry(&block, "EncryptedPackage") {
            return Ok(Some(WorkbookKind::Encrypted));
        }
        if is_entry(&block, "Workbook") || is_entry(&block, "Book") {
            kind = Some(WorkbookKind::Apart);
        }
    }
    Ok(kind)
}

fn is_entry(block: &[u8; 128], name: &str) -> bool {
    let length = (name.len() + 1) * 2;
    usize::from(u16::from_le_bytes([block[64], block[65]])) == length
        && name.encode_utf16().zip(block.chunks_exact(2)).all(|(unit, bytes)| unit.to_le_bytes() == bytes)
}

/// A sheet of a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its name on the tab.
    pub name: String,
    /// Whether the tab is hidden: to be taken only where no other sheet fits.
    pub hidden: bool,
}

/// An open XLSX or XLSM.
pub struct Workbook {
    package: Package,
    catalog: Catalog,
    shared: Shared,
}

impl Workbook {
    /// Opens a workbook and reads its table of texts; sheets are read when asked for.
    ///
    /// # Errors
    /// [`Code::Encrypted`] behind a password, [`Code::Truncated`] where the zip ends early, [`Code::TooLarge`] for
    /// bombs and for more than 256 MB of texts, [`Code::WrongKind`] for another kind of file, [`Code::Malformed`]
    /// with the part's name for other damage.
    pub fn open(mut file: File) -> Result<Self> {
        let mut magic = [0; 8];
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.by_ref().take(8).read(&mut magic))
            .map_err(unreadable)?;
        if !magic.starts_with(b"PK") {
            return match kind(&mut file)? {
                Some(WorkbookKind::Encrypted) => Err(encrypted()),
                _ => Err(Error::new(Code::WrongKind, "the file is no XLSX workbook")
                    .help("Give an XLSX, CSV or Parquet report.")),
            };
        }
        let mut package = Package::open(file)?;
        let catalog = Catalog::read(&mut package)?;
        let formats = match &catalog.styles_part {
            Some(part) => {
                package.xml(part, DESCRIPTION_BYTES_MAX)?.map(formats::Formats::read).transpose()?
            }
            None => None,
        };
        let strings = match &catalog.strings_part {
            Some(part) => package.xml(part, u64::MAX)?.map(text::Strings::read).transpose()?,
            None => None,
        };
        let shared = Shared {
            strings: strings.unwrap_or_default(),
            formats: formats.unwrap_or_default(),
            from_1904: catalog.from_1904,
        };
        Ok(Self { package, catalog, shared })
    }

    /// The sheets of cells in the order to prefer them: visible ones as their tabs stand, then hidden ones.
    pub fn sheets(&self) -> Vec<Sheet> {
        let mut sheets: Vec<Sheet> =
            self.catalog.sheets.iter().map(|s| Sheet { name: s.name.clone(), hidden: s.hidden }).collect();
        sheets.sort_by_key(|sheet| sheet.hidden);
        sheets
    }

    /// The names of [`Self::sheets`], in the same order.
    pub fn sheet_names(&self) -> Vec<String> {
        self.sheets().into_iter().map(|sheet| sheet.name).collect()
    }

    /// The first rows of a sheet that hold anything, each with its line counted from 1.
    pub fn preview(&mut self, sheet: &str, rows_max: usize) -> Result<Vec<(u64, Vec<Cell<'static>>)>> {
        let mut rows = Vec::new();
        if rows_max == 0 {
            return Ok(rows);
        }
        self.rows(sheet, &mut |line, row| {
            rows.push((line, (0..row.len()).map(|column| row.cell(column).into_owned()).collect()));
            Ok(if rows.len() == rows_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(rows)
    }

    /// Hands every row of a sheet that holds anything to `on_row`, with its line in the sheet counted from 1,
    /// until that breaks or fails.
    ///
    /// Numbers come as numbers (a percentage as its fraction), days as days; times, durations and days beyond
    /// the year 9999 as numbers; booleans and error words (`#N/A`) as text. The stated dimension is not used.
    ///
    /// # Errors
    /// [`Code::NotFound`] without such a sheet, [`Code::Malformed`] and [`Code::TooLarge`] with the part's name,
    /// and whatever `on_row` returns; all with the sheet's name.
    pub fn rows(
        &mut self,
        sheet: &str,
        on_row: &mut dyn FnMut(u64, &SheetRow<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let Some(entry) = self.catalog.sheets.iter().find(|entry| entry.name == sheet) else {
            return Err(Error::new(Code::NotFound, format!("the workbook has no sheet {sheet:?}"))
                .help(format!("Its sheets are: {}.", self.sheet_names().join(", "))));
        };
        let xml = self.package.xml(&entry.part, u64::MAX)?;
        // Catalog::read keeps only sheets whose part is there.
        let Some(xml) = xml else { return Ok(()) };
        each_row(xml, &self.shared, on_row).map_err(|error| error.in_sheet(sheet))
    }
}
