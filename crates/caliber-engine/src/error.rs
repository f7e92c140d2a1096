//! What can go wrong between a report and its scores, said so that a person can act on it.

use std::fmt;

use serde::Serialize;

/// The kind of a failure. Its snake-case name is the `code` of every machine-readable error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// The file is not there or cannot be opened.
    NotReadable,
    /// Not a single byte, or nothing but blanks.
    Empty,
    /// A header row without a data row below it.
    HeaderOnly,
    /// The bytes are not a report: a picture, a PDF, a program.
    WrongKind,
    /// The file ends in the middle: a broken download.
    Truncated,
    /// The content contradicts its own format.
    Malformed,
    /// The workbook is protected by a password.
    Encrypted,
    /// A limit on rows, columns, cells or unpacked bytes was passed.
    TooLarge,
    /// No row of the file looks like the header of a report.
    NoHeader,
    /// The named sheet, column or value is not in the file.
    NotFound,
    /// Several headers fit one column equally well.
    Ambiguous,
    /// The recipe needs columns that the report does not have.
    MissingColumns,
    /// No recipe fits the headers.
    NotRecognised,
    /// Several recipes fit the headers equally well.
    SeveralRecipes,
    /// No recipe of that name, platform, channel or goal.
    UnknownRecipe,
    /// A recipe file breaks a rule.
    BadRecipe,
    /// The money column holds more than one currency.
    SeveralCurrencies,
    /// The same bytes were given twice.
    SameFileTwice,
    /// No row survived: all dropped, or all below the minimum of impressions.
    NothingScored,
    /// An option of the call is wrong.
    BadOption,
    /// The reading was cancelled.
    Cancelled,
    /// The machine failed: disk full, unwritable, out of handles.
    Machine,
}

impl Code {
    /// Whether the input or the call is at fault, rather than the machine or a person's Ctrl-C.
    pub fn is_input(self) -> bool {
        !matches!(self, Self::Cancelled | Self::Machine)
    }

    /// The snake-case name.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => format!("{self:?}"),
        }
    }
}

/// A failure with everything known about where it happened and what to do.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// The kind of failure.
    pub code: Code,
    /// What was wrong, one sentence without a full stop.
    pub message: String,
    /// The file, as it was given.
    pub file: Option<String>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The line of the file, counted from 1.
    pub line: Option<u64>,
    /// The column: a header, or a position in the line counted from 1.
    pub column: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// What caused it.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of which only the kind and a message are known yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            file: None,
            sheet: None,
            line: None,
            column: None,
            help: None,
            source: None,
        }
    }

    /// Adds the file, unless a deeper place already named one.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file.get_or_insert_with(|| file.into());
        self
    }

    /// Adds the sheet.
    #[must_use]
    pub fn in_sheet(mut self, sheet: impl Into<String>) -> Self {
        self.sheet.get_or_insert_with(|| sheet.into());
        self
    }

    /// Adds the line, counted from 1.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Adds the column.
    #[must_use]
    pub fn at_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}")?;
            if let Some(sheet) = &self.sheet {
                write!(f, ", sheet {sheet}")?;
            }
            if let Some(line) = self.line {
                write!(f, ", line {line}")?;
            }
            if let Some(column) = &self.column {
                write!(f, ", column {column}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.message)
    }
}

/// The result of everything that can fail in this crate.
pub type Result<T> = std::result::Result<T, Error>;
