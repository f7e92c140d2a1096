//! The form of a row of the results, for the document. The platform writes the row itself.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::words::{Decision, Pattern, QualityStatus};

/// What a metric adds to the score.
#[derive(Serialize, ToSchema)]
struct BreakdownView {
    #[schema(example = 2.41)]
    value: Option<f64>,
    /// 0 to 100, higher is better.
    #[schema(example = 71.2)]
    normalized: Option<f64>,
    #[schema(example = 0.15)]
    weight: f64,
    /// Points of the score.
    #[schema(example = 10.68)]
    contribution: f64,
}

/// A scored domain or supply vendor.
#[derive(Serialize, ToSchema)]
#[schema(as = ResultRow)]
pub(super) struct ResultRowView {
    #[schema(example = "news.example")]
    domain: String,
    /// In Unicode.
    #[schema(example = "news.example")]
    domain_display: String,
    #[schema(example = 120_000)]
    impressions: f64,
    clicks: Option<f64>,
    spend: Option<f64>,
    cpm: Option<f64>,
    ctr: Option<f64>,
    conversions: Option<f64>,
    conversion_rate: Option<f64>,
    cost_per_conversion: Option<f64>,
    /// 0 to 100.
    #[schema(example = 71.4)]
    score: f64,
    /// 0 to 100, unrounded.
    #[schema(example = 82.35)]
    percentile: f64,
    #[schema(example = 82)]
    percentile_rank: u8,
    quality_status: QualityStatus,
    raw_metrics: BTreeMap<String, Option<f64>>,
    normalized_metrics: BTreeMap<String, Option<f64>>,
    score_breakdown: BTreeMap<String, BreakdownView>,
    is_outlier: bool,
    outlier_flags: Vec<String>,
    quality_flags: Vec<String>,
    /// Only where the run's lists are made by evidence.
    evidence: Option<RowEvidenceView>,
}

/// What the counts prove of a row.
#[derive(Serialize, ToSchema)]
struct RowEvidenceView {
    /// The mean of the score's law, 0 to 100.
    #[schema(example = 69.8)]
    evidence_score: f64,
    /// Its 5 % quantile.
    #[schema(example = 64.1)]
    score_low: f64,
    /// Its 95 % quantile.
    #[schema(example = 75.0)]
    score_high: f64,
    /// The probability to be below the campaign's median.
    #[schema(example = 0.012)]
    p_below: f64,
    /// The probability to be above it.
    #[schema(example = 0.988)]
    p_above: f64,
    decision: Decision,
    #[schema(example = "98.8 % sure to be above the median; CTR 0.121 % helps it most")]
    decision_reason: String,
    /// Null where no number of impressions would decide, or none is needed.
    impressions_needed: Option<f64>,
    /// Metrics that are taken as known.
    known_metrics: Vec<String>,
    patterns: Vec<Pattern>,
    /// The shares of the recipe.
    metrics: BTreeMap<String, MetricEvidenceView>,
}

/// What is known of one share.
#[derive(Serialize, ToSchema)]
struct MetricEvidenceView {
    /// Effective trials.
    #[schema(example = 41_250.5)]
    n_eff: f64,
    #[schema(example = 0.00119)]
    posterior_mean: f64,
    /// How much more than by chance the report's rows of one name differ, 0 to 1.
    rho: Option<f64>,
}
