//! What was met while a report was read: `quality.json`.

use serde::Serialize;

use super::mapping::{How, Warning};
use super::source::{Compression, Format};
use super::text::Encoding;

/// Everything worth knowing about how a report was read.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Quality {
    /// One entry a file.
    pub files: Vec<FileQuality>,
    /// Which header serves which canonical column, file after file.
    pub mapping: Vec<MappedColumn>,
    /// Headers that serve nothing.
    pub unmapped_headers: Vec<String>,
    /// Cells that hold something and yet no number.
    pub unreadable_cells: Vec<UnreadableCells>,
    /// What a person should look at.
    pub warnings: Vec<Warning>,
}

/// How one file was read.
#[derive(Clone, Debug, Serialize)]
pub struct FileQuality {
    /// The file, as it was given.
    pub file: String,
    /// The kind of file.
    pub format: Format,
    /// How it is packed; `null` if it is not.
    pub compression: Option<Compression>,
    /// How characters are bytes; `null` for files that say so themselves.
    pub encoding: Option<Encoding>,
    /// Of delimited text.
    pub delimiter: Option<char>,
    /// Of a workbook.
    pub sheet: Option<String>,
    /// Line of the header, counted from 1; `null` without one.
    pub header_row: Option<u64>,
    /// Lines before the header that hold something.
    pub rows_skipped_before: u64,
    /// Lines below the data that hold notes.
    pub rows_skipped_after: u64,
}

/// A header and the canonical column it serves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MappedColumn {
    /// The canonical name.
    pub canonical: String,
    /// The header as it stands; `#3` where there is no header row.
    pub header: String,
    /// How it was found.
    pub how: How,
    /// What plain numbers of a rate are divided by: 1 or 100; `null` for what is no rate.
    pub scale: Option<u32>,
}

/// Cells of one column that could not be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnreadableCells {
    /// The header.
    pub column: String,
    /// How many.
    pub count: u64,
    /// The lines of the first five.
    pub lines: Vec<u64>,
}
