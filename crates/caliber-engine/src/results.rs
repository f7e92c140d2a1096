//! Scored results, column by column.

use serde::{Deserialize, Serialize};

use crate::evidence::EvidenceRows;
use crate::recipe::{Better, Dimension};

/// The quality flag of a CPM above 1,000 of the report's currency.
pub const CPM_ABOVE_1000: &str = "cpm_above_1000";

/// The band a row's percentile falls in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Percentile 75 and above.
    Good,
    /// Percentile 25 and above.
    Moderate,
    /// Below 25.
    Poor,
}

impl Status {
    /// The band of an unrounded percentile.
    pub fn of(percentile: f64) -> Self {
        match percentile {
            _ if percentile >= 75.0 => Self::Good,
            _ if percentile >= 25.0 => Self::Moderate,
            _ => Self::Poor,
        }
    }

    /// The word in files: `good`, `moderate`, `poor`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Moderate => "moderate",
            Self::Poor => "poor",
        }
    }
}

/// One metric of the recipe over all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricColumn {
    /// Its name.
    pub name: String,
    /// Its weight as the recipe has it.
    pub weight: f64,
    /// Which way it is good.
    pub better: Better,
    /// Rolled-up values; `None` where undefined.
    pub values: Vec<Option<f64>>,
    /// 0..100, higher is better; 0 where the value is missing.
    pub normalized: Vec<f64>,
    /// Points of the score: weight x normalised / sum of weights.
    pub contributions: Vec<f64>,
    /// Effective counts behind a share; `None` for metrics that are no share of a count.
    pub counts: Option<EffectiveCounts>,
}

/// Events and trials of a share, deflated by the noise between the report's rows of one domain.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveCounts {
    /// Effective numerators, one a row; 0 where the metric is missing.
    pub events: Vec<f64>,
    /// Effective denominators, one a row; 0 where the metric is missing.
    pub trials: Vec<f64>,
}

/// A column beside the recipe's metrics: `cpm`, `ctr`, `conversion_rate`, `cost_per_conversion`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtraColumn {
    /// Its name.
    pub name: &'static str,
    /// Rolled-up values; `None` where undefined.
    pub values: Vec<Option<f64>>,
    /// Effective counts behind a share; `None` for metrics that are no share of a count.
    pub counts: Option<EffectiveCounts>,
}

/// Scored rows. Every vector has one entry a row, in the order of the files: score descending, impressions
/// descending, name ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// What the rows are.
    pub dimension: Dimension,
    /// Domains as normalised, or vendors as mostly spelled.
    pub names: Vec<String>,
    /// 0..100.
    pub scores: Vec<f64>,
    /// 0..100, unrounded: average rank / rows x 100.
    pub percentiles: Vec<f64>,
    /// The band of the percentile.
    pub statuses: Vec<Status>,
    /// Summed impressions.
    pub impressions: Vec<f64>,
    /// Summed clicks; `None` where the report has none.
    pub clicks: Option<Vec<f64>>,
    /// Summed conversions; `None` where the report has none.
    pub conversions: Option<Vec<f64>>,
    /// Summed spend, in the report's currency; `None` where the report has none.
    pub spend: Option<Vec<f64>>,
    /// Those of `cpm`, `ctr`, `conversion_rate`, `cost_per_conversion` that are not metrics of the recipe, in this order.
    pub extras: Vec<ExtraColumn>,
    /// The recipe's metrics, in its order.
    pub metrics: Vec<MetricColumn>,
    /// Names of outlier flags, `<metric>_outlier`.
    pub outlier_flags: Vec<Vec<String>>,
    /// Names of quality flags, `ctr_above_1`, [`CPM_ABOVE_1000`].
    pub quality_flags: Vec<Vec<String>>,
    /// What the evidence says of the rows; `None` where it was not asked.
    pub evidence: Option<EvidenceRows>,
}

/// The entries of a column at these positions, in this order.
fn pick<T: Clone>(column: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|&row| column[row].clone()).collect()
}

impl EffectiveCounts {
    /// The counts at these positions, in this order.
    fn rows(&self, order: &[usize]) -> Self {
        Self { events: pick(&self.events, order), trials: pick(&self.trials, order) }
    }
}

impl MetricColumn {
    /// The column at these positions, in this order.
    pub(crate) fn rows(&self, order: &[usize]) -> Self {
        Self {
            name: self.name.clone(),
            weight: self.weight,
            better: self.better,
            values: pick(&self.values, order),
            normalized: pick(&self.normalized, order),
            contributions: pick(&self.contributions, order),
            counts: self.counts.as_ref().map(|counts| counts.rows(order)),
        }
    }
}

impl ExtraColumn {
    /// The column at these positions, in this order.
    fn rows(&self, order: &[usize]) -> Self {
        Self {
            name: self.name,
            values: pick(&self.values, order),
            counts: self.counts.as_ref().map(|counts| counts.rows(order)),
        }
    }
}

impl Results {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The rows at these positions, in this order.
    #[must_use]
    pub fn rows(&self, order: &[usize]) -> Self {
        let count = |column: &Option<Vec<f64>>| column.as_ref().map(|column| pick(column, order));
        Self {
            dimension: self.dimension,
            names: pick(&self.names, order),
            scores: pick(&self.scores, order),
            percentiles: pick(&self.percentiles, order),
            statuses: pick(&self.statuses, order),
            impressions: pick(&self.impressions, order),
            clicks: count(&self.clicks),
            conversions: count(&self.conversions),
            spend: count(&self.spend),
            extras: self.extras.iter().map(|extra| extra.rows(order)).collect(),
            metrics: self.metrics.iter().map(|metric| metric.rows(order)).collect(),
            outlier_flags: pick(&self.outlier_flags, order),
            quality_flags: pick(&self.quality_flags, order),
            evidence: self.evidence.as_ref().map(|evidence| evidence.rows(order)),
        }
    }

    /// `percentile_rank`: the percentile rounded half up to a whole number.
    pub fn percentile_rank(&self, row: usize) -> u8 {
        (self.percentiles[row] + 0.5).floor() as u8
    }

    /// Whether a metric of the row lies outside the interquartile fences.
    pub fn is_outlier(&self, row: usize) -> bool {
        !self.outlier_flags[row].is_empty()
    }
}
