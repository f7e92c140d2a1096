//! What can go wrong while a sample is written.

use std::path::PathBuf;

use crate::Mess;

/// Why no sample was written. Where the call is at fault, [`SampleError::help`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// No report of that platform and channel.
    #[error("there is no sample report for platform `{platform}` and channel `{channel}`")]
    UnknownLayout {
        /// The platform asked for.
        platform: String,
        /// The channel asked for.
        channel: String,
        /// The platforms and channels there are.
        known: String,
    },
    /// A word that is no kind of mess.
    #[error("`{word}` is not a kind of mess")]
    UnknownMess {
        /// The word given.
        word: String,
        /// The kind that is spelled most like it.
        nearest: Option<String>,
        /// The kinds there are.
        known: String,
    },
    /// A word that names no world.
    #[error("`{word}` is not a world of samples")]
    UnknownWorld {
        /// The word given.
        word: String,
        /// The worlds there are.
        known: String,
    },
    /// Two kinds that exclude each other.
    #[error("`{first}` and `{second}` cannot both be planted in one file")]
    MessConflict {
        /// One kind.
        first: Mess,
        /// The other.
        second: Mess,
    },
    /// A kind that the format has no way to show.
    #[error("`{kind}` cannot be planted in {format}")]
    MessFormat {
        /// The kind.
        kind: Mess,
        /// The format.
        format: &'static str,
    },
    /// The file name does not end in a known extension.
    #[error("`{path}` does not say which format to write")]
    Extension {
        /// The path given.
        path: PathBuf,
    },
    /// No rows, no domains, or more domains than rows.
    #[error(
        "a report of {rows} {} and {domains} {} cannot be",
        if *.rows == 1 { "row" } else { "rows" },
        if *.domains == 1 { "domain" } else { "domains" }
    )]
    Size {
        /// Rows asked for.
        rows: u64,
        /// Domains asked for.
        domains: u64,
    },
    /// More rows than a sheet holds.
    #[error("a sheet holds 1,048,576 rows, and the report has more")]
    SheetFull,
    /// The file's folder does not exist.
    #[error("{path}: cannot be written: there is no folder `{folder}`")]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// The folder it should stand in.
        folder: PathBuf,
    },
    /// The file could not be written.
    #[error("{path}: cannot be written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The stream could not be written.
    #[error("the report could not be written: {0}")]
    Stream(#[from] std::io::Error),
    /// The workbook could not be made.
    #[error("the workbook could not be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The Parquet file could not be made.
    #[error("the Parquet file could not be written: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The watch broke off.
    #[error("the sample was cancelled; nothing was written")]
    Cancelled,
    /// A shipped layout does not parse: a bug.
    #[error("the layout of {platform} {channel} is broken: {source}")]
    Layout {
        /// Its platform.
        platform: String,
        /// Its channel.
        channel: String,
        /// Where it breaks.
        source: Box<toml::de::Error>,
    },
}

impl SampleError {
    /// What to do about it; `None` where only the machine's own words help.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnknownLayout { known, .. } => format!("there is: {known}"),
            Self::UnknownWorld { known, .. } => format!("there are: {known}"),
            Self::UnknownMess { nearest, known, .. } => {
                let near =
                    nearest.as_ref().map(|kind| format!("did you mean `{kind}`? ")).unwrap_or_default();
                format!("{near}the kinds are: {known}")
            }
            Self::MessConflict { .. } => "leave one out".to_owned(),
            Self::MessFormat { .. } => "leave it out, or write another format".to_owned(),
            Self::Extension { .. } => {
                "end it in .csv, .tsv (each also with .gz or .zst), .xlsx or .parquet".to_owned()
            }
            Self::Size { .. } => "give at least one domain, and a row for each".to_owned(),
            Self::SheetFull => "ask for fewer rows, or write .csv or .parquet".to_owned(),
            Self::NoFolder { .. } => "make the folder first, or write to another".to_owned(),
            Self::File { .. } => {
                "check the rights and the room in its folder, or write to another".to_owned()
            }
            Self::Layout { .. } => "this is a bug of ours; please report it".to_owned(),
            Self::Stream(_) | Self::Workbook(_) | Self::Parquet(_) | Self::Cancelled => return None,
        })
    }

    /// Whether the call is at fault, rather than the machine, a bug or a person who cancelled.
    pub fn is_input(&self) -> bool {
        !matches!(
            self,
            Self::Cancelled
                | Self::File { .. }
                | Self::Stream(_)
                | Self::Workbook(_)
                | Self::Parquet(_)
                | Self::Layout { .. }
        )
    }
}
