//! What a person should know of a scored campaign: its level, and a few insights with the figures behind them.
//!
//! Each insight has a cause in the results, and is not told where the cause is missing. Figures are those of the
//! engine or sums over its rows; none is estimated.

mod delivery;
mod of_inventory;
mod of_lists;
mod of_metrics;

use std::collections::HashMap;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::results::Results;
use serde::{Serialize, Serializer};

use crate::written::unit;
use delivery::Delivery;

/// Insights that are told of one campaign at most.
pub const MOST_FINDINGS: usize = 5;
/// Names that one insight gives as examples at most.
const MOST_NAMES: usize = 3;

/// How well a campaign's money is placed, told by the campaign score: the mean score of its impressions.
///
/// Scores are relative: 100 is what the campaign's own best inventory reaches in every metric, so the level says
/// how close the average impression comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PerformanceLevel {
    /// A campaign score of 75 and above.
    Excellent,
    /// 50 and above.
    Good,
    /// 25 and above.
    Moderate,
    /// Below 25.
    Poor,
}

impl PerformanceLevel {
    /// All of them with the least campaign score of each, the best first.
    pub const ALL: [(Self, f64); 4] =
        [(Self::Excellent, 75.0), (Self::Good, 50.0), (Self::Moderate, 25.0), (Self::Poor, 0.0)];

    /// The level of an unrounded campaign score.
    pub fn of(campaign_score: f64) -> Self {
        let reached = Self::ALL.into_iter().find(|(_, least)| campaign_score >= *least);
        reached.map_or(Self::Poor, |(level, _)| level)
    }

    /// The word for people: `Excellent`, `Good`, `Moderate`, `Poor`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Excellent => "Excellent",
            Self::Good => "Good",
            Self::Moderate => "Moderate",
            Self::Poor => "Poor",
        }
    }
}

/// A scored campaign with its lists.
#[derive(Clone, Copy, Debug)]
pub struct Campaign<'a> {
    /// The scored rows.
    pub results: &'a Results,
    /// How metrics are called and written.
    pub dictionary: &'a Dictionary,
    /// The code or sign of the money.
    pub currency: Option<&'a str>,
    /// Rows to buy.
    pub allowlist: &'a [usize],
    /// Rows to block.
    pub blocklist: &'a [usize],
}

/// What an insight is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Delivery that went to rows of poor quality.
    SpendAtRisk,
    /// The metric that takes most from the campaign score.
    CostliestMetric,
    /// What goes and what stays where the lists are used.
    EffectOfLists,
    /// Few rows that carry half of the delivery.
    Concentration,
    /// Rows that look made for advertising, or whose clicks people do not make.
    SuspiciousPatterns,
    /// Delivery to rows without a conversion, where the score counts conversions.
    NoConversions,
    /// Rows with figures that no honest report has.
    ImplausibleFigures,
    /// A metric that much of the delivery lacks, which scores 0 there.
    MissingValues,
    /// Many rows too small to judge one by one.
    ThinVolume,
}

/// An insight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub kind: Kind,
    /// The same in a few words, for a heading.
    pub title: String,
    /// What was found, in whole sentences without names.
    pub sentence: String,
    /// The figures behind it, unrounded; shares are fractions.
    pub figures: Figures,
    /// Rows that it concerns most, the most concerned first; few.
    pub names: Vec<String>,
}

/// Figures by name; serialised as an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(pub Vec<(&'static str, f64)>);

impl Figures {
    /// The figure of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, figure)| *figure)
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, figure)| (name, figure)))
    }
}

impl Campaign<'_> {
    /// The insights that the campaign gives cause for, the weightiest kinds first, at most [`MOST_FINDINGS`].
    pub fn findings(&self) -> Vec<Finding> {
        let Some(delivery) = Delivery::of(self) else { return Vec::new() };
        let ways: [fn(&Campaign<'_>, &Delivery<'_>) -> Option<Finding>; 9] = [
            of_inventory::spend_at_risk,
            of_metrics::costliest_metric,
            of_lists::effect_of_lists,
            of_inventory::concentration,
            of_inventory::suspicious_patterns,
            of_metrics::no_conversions,
            of_inventory::implausible_figures,
            of_metrics::missing_values,
            of_inventory::thin_volume,
        ];
        ways.into_iter().filter_map(|find| find(self, &delivery)).take(MOST_FINDINGS).collect()
    }

    /// What rows are, in the singular.
    fn unit(&self) -> &'static str {
        unit(self.results.dimension)
    }

    /// The names of the rows with the greatest figure, as examples.
    fn examples(&self, rows: &[usize], figure: impl Fn(usize) -> f64) -> Vec<String> {
        let mut order = rows.to_vec();
        order.sort_by(|&a, &b| figure(b).total_cmp(&figure(a)).then(a.cmp(&b)));
        order.iter().take(MOST_NAMES).map(|&row| self.results.names[row].clone()).collect()
    }
}

/// The rows of these names, in their order; names that were not scored have none.
pub fn rows_named<'n>(results: &Results, names: impl IntoIterator<Item = &'n str>) -> Vec<usize> {
    let rows: HashMap<&str, usize> = results.names.iter().map(String::as_str).zip(0..).collect();
    names.into_iter().filter_map(|name| rows.get(name).copied()).collect()
}
