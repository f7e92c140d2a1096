//! The form of a row of the results, for the document. The platform writes the row itself.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::words::QualityStatus;

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
}
