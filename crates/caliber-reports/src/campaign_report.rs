//! A scored campaign as documents for people tell it: what the workbook and the PDF are made of.

use std::collections::BTreeMap;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::lists::ListPolicy;
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Dimension, Recipe};
use caliber_engine::results::Results;
use caliber_engine::{Code, Error, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Figure;

/// A scored campaign, ready to be told. Figures that follow from the results are worked out from them and stand
/// nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct CampaignReport<'a> {
    /// The campaign's name.
    pub name: &'a str,
    /// The rows, in the order of the results.
    pub results: &'a Results,
    /// How metrics are called and written.
    pub dictionary: &'a Dictionary,
    /// What `summary.json` knows beyond the results.
    pub run: &'a RunFacts,
    /// What was met while the report was read.
    pub quality: &'a QualityFacts,
    /// What to buy, in list order.
    pub allowlist: &'a [ListRow],
    /// What to block, in list order.
    pub blocklist: &'a [ListRow],
    /// When the campaign was scored, as far as known.
    pub scored_at: Option<DateTime<Utc>>,
    /// Now, by the caller's clock.
    pub generated_at: DateTime<Utc>,
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListRow {
    /// The domain or vendor.
    pub name: String,
    /// 0..100; `null` for a name by hand that was not scored.
    pub score: Option<Figure>,
    /// Summed impressions; `null` for a name by hand that was not scored.
    pub impressions: Option<Figure>,
    /// Summed spend; `null` where the report has none.
    pub spend: Option<Figure>,
    /// Why it is on the list, in words.
    pub reason: String,
}

impl ListRow {
    /// A scored row on a list.
    pub fn scored(results: &Results, row: usize, reason: String) -> Self {
        Self {
            name: results.names[row].clone(),
            score: Some(Figure(results.scores[row])),
            impressions: Some(Figure(results.impressions[row])),
            spend: results.spend.as_ref().map(|spend| Figure(spend[row])),
            reason,
        }
    }

    /// A name that somebody put on a list and that was not scored.
    pub fn unscored(name: String, reason: String) -> Self {
        Self { name, score: None, impressions: None, spend: None, reason }
    }
}

/// What `summary.json` says of a run that cannot be told from its results. A run whose report nobody has read (treated
/// results of a file without summary) knows little of it.
#[derive(Clone, Debug, Deserialize)]
pub struct RunFacts {
    /// By what rows were scored.
    pub recipe: Recipe,
    /// How metrics were normalised.
    pub normalization: Normalization,
    /// The code or sign of the report's money.
    #[serde(default)]
    pub currency: Option<String>,
    /// The days of the report.
    #[serde(default)]
    pub period: Period,
    /// The DSP.
    pub platform: String,
    /// ctv, display, video or audio.
    pub channel: String,
    /// awareness or action.
    pub goal: String,
    /// What rows are.
    pub dimension: Dimension,
    /// The files, as given.
    #[serde(default)]
    pub files: Vec<String>,
    /// Rows of the report.
    #[serde(default)]
    pub rows_read: Option<u64>,
    /// Rows that were summed.
    #[serde(default)]
    pub rows_used: Option<u64>,
    /// Rows that were not, by reason.
    #[serde(default)]
    pub rows_dropped: BTreeMap<String, u64>,
    /// Rows that sum up others or name nobody.
    #[serde(default)]
    pub aggregate_rows: PortionFacts,
    /// Names before the volume filter.
    #[serde(default)]
    pub dimension_values: u64,
    /// Names that it took out.
    #[serde(default)]
    pub below_minimum: PortionFacts,
    /// {metric: {min, max, count}}: the bounds that were normalised between.
    #[serde(default)]
    pub normalization_stats: serde_json::Map<String, Value>,
    /// How the lists were made.
    pub lists: ListFacts,
}

/// First and last day, `YYYY-MM-DD`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Period {
    /// The first day.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
}

/// A part of the report.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PortionFacts {
    /// Rows or names.
    pub count: u64,
    /// Their impressions.
    pub impressions: f64,
    /// Their spend.
    pub spend: f64,
}

/// How the lists of a run were made.
#[derive(Clone, Debug, Deserialize)]
pub struct ListFacts {
    /// The rule.
    #[serde(default)]
    pub policy: ListPolicy,
    /// The share of the candidates on each.
    pub share: f64,
    /// The least impressions of a candidate.
    pub min_impressions: f64,
    /// Names that would have been blocked and are protected.
    #[serde(default)]
    pub protected: Vec<String>,
}

/// What `quality.json` says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct QualityFacts {
    /// Which header serves which canonical column.
    pub mapping: Vec<MappingFacts>,
    /// Headers that serve nothing.
    pub unmapped_headers: Vec<String>,
    /// Cells that hold something and yet no number.
    pub unreadable_cells: Vec<UnreadableFacts>,
    /// What a person should look at.
    pub warnings: Vec<WarningFacts>,
}

/// A header and the canonical column it serves.
#[derive(Clone, Debug, Deserialize)]
pub struct MappingFacts {
    /// The canonical name.
    pub canonical: String,
    /// The header as it stands.
    pub header: String,
    /// exact, alias, similar or given.
    pub how: String,
}

/// Cells of one column that could not be read.
#[derive(Clone, Debug, Deserialize)]
pub struct UnreadableFacts {
    /// The header.
    pub column: String,
    /// How many.
    pub count: u64,
}

/// What a person should look at.
#[derive(Clone, Debug, Deserialize)]
pub struct WarningFacts {
    /// Which kind.
    pub code: String,
    /// In words.
    pub message: String,
}

impl RunFacts {
    /// Of `summary.json`.
    ///
    /// # Errors
    /// [`Code::Malformed`] where it is no summary of a run.
    pub fn of(summary: Value) -> Result<Self> {
        read(summary, "this is no summary of a scored run")
    }
}

impl QualityFacts {
    /// Of `quality.json`.
    ///
    /// # Errors
    /// [`Code::Malformed`] where it is not about the reading of a report.
    pub fn of(quality: Value) -> Result<Self> {
        read(quality, "this does not say how a report was read")
    }
}

fn read<T: for<'de> Deserialize<'de>>(document: Value, otherwise: &str) -> Result<T> {
    serde_json::from_value(document).map_err(|cause| {
        Error::new(Code::Malformed, format!("{otherwise}: {cause}"))
            .help("score the report again")
            .caused_by(cause)
    })
}
