//! What an export is of, and in which form.

use serde::{Deserialize, Serialize};

use crate::lists::ListOptions;
use crate::results::{ListType, Query};

/// An export that is asked for. It is kept with exports that are made in the background, so that they are made as asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The rows of the results.
    Results {
        /// In which form.
        format: ResultsFormat,
        /// Which rows, in which order. Its page is not looked at.
        rows: Query,
    },
    /// One list.
    List {
        /// Which.
        list_type: ListType,
        /// In which form.
        format: ListFormat,
        /// How it is made.
        options: ListOptions,
    },
    /// One list, to be uploaded at a DSP.
    Dsp {
        /// Which.
        list_type: ListType,
        /// The name of a [`caliber_reports::UploadForm`].
        form: String,
        /// How it is made.
        options: ListOptions,
    },
    /// Both lists in one CSV.
    Lists {
        /// How they are made.
        options: ListOptions,
    },
    /// A header and one row of key figures.
    Summary,
    /// All that is known of the campaign, as JSON.
    Data {
        /// With the rows of the results.
        results: bool,
        /// With what was found about it in words.
        insights: bool,
    },
    /// The report for the client.
    Pdf {
        /// With pictures of the figures.
        charts: bool,
        /// With the first rows of the results.
        details: bool,
    },
}

/// A form of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultsFormat {
    /// Text, for everybody.
    Csv,
    /// A workbook of five sheets.
    Xlsx,
    /// Columns, for programs.
    Parquet,
    /// An array of rows.
    Json,
}

/// A form of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListFormat {
    /// Text, for everybody.
    Csv,
    /// One object.
    Json,
}

impl Asked {
    /// What the file is called after the campaign's name.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Results { .. } => "results",
            Self::List { list_type, .. } | Self::Dsp { list_type, .. } => match list_type {
                ListType::Whitelist => "whitelist",
                ListType::Blacklist => "blacklist",
            },
            Self::Lists { .. } => "optimization-lists",
            Self::Summary => "summary",
            Self::Data { .. } => "data",
            Self::Pdf { .. } => "report",
        }
    }
}
