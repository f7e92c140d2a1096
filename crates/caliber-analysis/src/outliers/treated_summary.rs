//! The lists and the summary of a treated run.

use caliber_engine::lists::{ListPolicy, Lists};
use caliber_engine::normalize::{Bounds, Normalization, normalize};
use caliber_engine::results::Results;
use caliber_engine::sensitivity::WeightSensitivity;
use caliber_engine::summary::{
    ListSummary, ListsSummary, ScoreStatistics, StatusCounts, campaign_score, extremes, normalization_stats,
    total,
};
use caliber_engine::{Code, Error};
use serde_json::{Map, Value, json};

use crate::what_if::ListRules;
use crate::{Result, Subject};

/// The lists of treated rows, and `summary.json` of the run as it was scored with all that treating changed. What says
/// how the report was read stays. Lists are the plain quarters: treated figures have no counts to prove anything.
///
/// # Errors
/// [`Code::Machine`] where a metric cannot be normalised, which finite figures do not bring about.
pub fn treated_summary(
    mut before: Map<String, Value>,
    subject: &Subject<'_>,
    results: &Results,
    rules: ListRules<'_>,
) -> Result<(Lists, Map<String, Value>)> {
    let candidates: Vec<usize> =
        (0..results.len()).filter(|&row| results.impressions[row] >= rules.min_impressions).collect();
    let is_protected = |name: &str| rules.protected.iter().any(|protected| protected == name);
    let lists = Lists::quartile_among(results, &candidates, rules.share, &is_protected);
    let sum = |column: &Option<Vec<f64>>| column.as_ref().map(|column| total(column.iter().copied()));
    let impressions = total(results.impressions.iter().copied());
    let spend = sum(&results.spend);
    let (top, bottom) = extremes(results);
    let of_lists = ListsSummary {
        policy: ListPolicy::Quartile,
        share: rules.share,
        min_impressions: rules.min_impressions,
        allowlist: ListSummary::of(results, &lists.allow),
        blocklist: ListSummary::of(results, &lists.block),
        protected: lists.protected.iter().map(|&row| results.names[row].clone()).collect(),
        never_blocked: rules.protected.to_vec(),
        evidence: None,
    };
    let changed = json!({
        "normalization_stats": normalization_stats(&bounds(results, subject.normalization)?),
        "scored": results.len(),
        "campaign_score": campaign_score(results),
        "total_impressions": impressions,
        "total_clicks": sum(&results.clicks),
        "total_conversions": sum(&results.conversions),
        "total_spend": spend,
        "average_cpm": spend.filter(|_| impressions != 0.0).map(|spend| spend / impressions * 1000.0),
        "status_counts": StatusCounts::of(results),
        "scores": ScoreStatistics::of(&results.scores),
        "top": top,
        "bottom": bottom,
        "lists": of_lists,
        "weight_sensitivity": WeightSensitivity::of(results, 1),
        "caliber_version": env!("CARGO_PKG_VERSION"),
    });
    if let Value::Object(changed) = changed {
        // Keys that are there keep their places.
        before.extend(changed);
    }
    Ok((lists, before))
}

/// The bounds that the treated metrics were normalised between.
fn bounds(results: &Results, normalization: Normalization) -> Result<Vec<(String, Bounds)>> {
    let of_metric = |metric: &caliber_engine::results::MetricColumn| {
        let normalized = normalize(&metric.values, metric.better, normalization, None);
        let (_, bounds) = normalized.map_err(|error| {
            Error::new(Code::Machine, format!("{} cannot be normalised", metric.name))
                .help("this is a bug of ours; please report it")
                .caused_by(error.to_string())
        })?;
        Ok((metric.name.clone(), bounds))
    };
    results.metrics.iter().map(of_metric).collect()
}
