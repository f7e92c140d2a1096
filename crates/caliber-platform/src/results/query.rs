//! What is asked of the results: order, filters, page.

use std::fmt;
use std::str::FromStr;

use caliber_engine::results::Status;
use serde::{Deserialize, Serialize};

use super::RowId;

/// Which rows of the results, in which order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The column that rows are sorted by. Ties are settled by impressions descending, then name ascending.
    pub sort_by: SortBy,
    /// Which way; rows without a value come last in both.
    pub direction: Direction,
    /// Which rows.
    pub filter: Filter,
    /// The page, counted from 1.
    pub page: usize,
    /// Rows on a page.
    pub per_page: usize,
}

/// Which rows are kept: those that pass everything that is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Only this band.
    pub quality_status: Option<Status>,
    /// The least score that is kept.
    pub min_score: Option<f64>,
    /// The greatest score that is kept.
    pub max_score: Option<f64>,
    /// The least impressions that are kept.
    pub min_impressions: Option<f64>,
    /// A part of the name, or of the Unicode form of a punycode name; upper and lower case are one. Empty keeps all.
    pub search: Option<String>,
    /// Only rows with an outlier flag.
    pub outliers_only: bool,
}

impl Filter {
    /// Whether every row passes.
    pub fn is_empty(&self) -> bool {
        let Self { quality_status, min_score, max_score, min_impressions, search, outliers_only } = self;
        let bounds = [min_score, max_score, min_impressions];
        let searched = search.as_ref().is_some_and(|search| !search.is_empty());
        quality_status.is_none() && bounds.iter().all(|bound| bound.is_none()) && !searched && !outliers_only
    }
}

/// What rows can be sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum SortBy {
    /// The score.
    #[default]
    Score,
    /// Impressions.
    Impressions,
    /// Spend.
    Spend,
    /// Cost per thousand impressions.
    Cpm,
    /// Click-through rate.
    Ctr,
    /// Conversions a click.
    ConversionRate,
    /// The percentile as a whole number.
    PercentileRank,
    /// The name.
    Domain,
    /// The value of a metric of the recipe, by its name.
    Metric(String),
    /// The probability of being below the campaign's level, where the run has it.
    PBelow,
}

impl SortBy {
    /// The words that every table sorts by.
    pub(super) const WORDS: [&str; 8] =
        ["score", "impressions", "spend", "cpm", "ctr", "conversion_rate", "percentile_rank", "domain"];
}

impl fmt::Display for SortBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Score => "score",
            Self::Impressions => "impressions",
            Self::Spend => "spend",
            Self::Cpm => "cpm",
            Self::Ctr => "ctr",
            Self::ConversionRate => "conversion_rate",
            Self::PercentileRank => "percentile_rank",
            Self::Domain => "domain",
            Self::PBelow => "p_below",
            Self::Metric(name) => return write!(f, "metric.{name}"),
        })
    }
}

impl From<SortBy> for String {
    fn from(sort_by: SortBy) -> Self {
        sort_by.to_string()
    }
}

impl TryFrom<String> for SortBy {
    type Error = InvalidQuery;

    fn try_from(word: String) -> Result<Self, InvalidQuery> {
        word.parse()
    }
}

impl FromStr for SortBy {
    type Err = InvalidQuery;

    fn from_str(word: &str) -> Result<Self, InvalidQuery> {
        Ok(match word {
            "score" => Self::Score,
            "impressions" => Self::Impressions,
            "spend" => Self::Spend,
            "cpm" => Self::Cpm,
            "ctr" => Self::Ctr,
            "conversion_rate" => Self::ConversionRate,
            "percentile_rank" => Self::PercentileRank,
            "domain" => Self::Domain,
            "p_below" => Self::PBelow,
            _ => match word.strip_prefix("metric.") {
                Some(name) if !name.is_empty() => Self::Metric(name.to_owned()),
                _ => {
                    let known = Self::WORDS.join(", ");
                    let message = format!("rows sort by {known}, p_below or metric.<name>");
                    return Err(InvalidQuery { field: "sort_by", message });
                }
            },
        })
    }
}

/// Which way rows are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The greatest first.
    #[default]
    Descending,
}

impl FromStr for Direction {
    type Err = InvalidQuery;

    fn from_str(word: &str) -> Result<Self, InvalidQuery> {
        match word {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(InvalidQuery { field: "sort_direction", message: "it is `asc` or `desc`".to_owned() }),
        }
    }
}

/// One page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its rows, in order.
    pub rows: Vec<RowId>,
    /// Rows on all pages together.
    pub total: usize,
}

/// A question that these results have no answer to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidQuery {
    /// The parameter.
    pub field: &'static str,
    /// What is wrong with it, and what would be right.
    pub message: String,
}
