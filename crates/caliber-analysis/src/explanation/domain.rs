//! What makes the score of one row.

use caliber_engine::evidence::Evidence;
use caliber_engine::explain::Explainer;
use caliber_engine::names;
use caliber_engine::results::{Results, Status};
use serde::Serialize;

use super::certainty::Certainty;
use super::counterfactual::{Counterfactual, counterfactual};
use super::shapley::{base_value, weight_shares};
use super::words;
use crate::nearest::nearest_names;
use crate::scale::Scale;
use crate::{ByMetric, Error, Pair, Result, Subject, ranked};

/// Factors that are shown.
const FACTORS: usize = 5;

/// The score of one row explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DomainExplanation {
    /// The domain, or the supply vendor.
    pub domain: String,
    /// 0..100.
    pub score: f64,
    /// The unweighted mean score of the campaign.
    pub base_value: f64,
    /// 0..100, unrounded.
    pub percentile: f64,
    /// The band of the percentile.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "good"))]
    pub quality_status: Status,
    /// The Shapley values; they sum to the score less `base_value`.
    pub feature_contributions: ByMetric<f64>,
    /// The five largest of them.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<(String, f64)>))]
    pub top_factors: Vec<Pair>,
    /// What the score is made of.
    pub score_breakdown: ByMetric<Breakdown>,
    /// The same in words.
    pub explanation: String,
    /// The smallest change that takes the row to another band; `null` where no single metric can.
    pub counterfactual: Option<Counterfactual>,
    /// The probability that the row stays in its band, as far as the counts behind its rates can tell.
    pub confidence: Option<f64>,
    /// The 5 % quantile of that law of the score.
    pub score_low: Option<f64>,
    /// The 95 % quantile.
    pub score_high: Option<f64>,
    /// The probability that the row is below the campaign's median.
    pub p_below_median: Option<f64>,
    /// What a person should know beside.
    pub warnings: Vec<String>,
}

/// One metric of a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ScoreBreakdown))]
pub struct Breakdown {
    /// The raw value; `null` where it is missing.
    pub value: Option<f64>,
    /// 0..100, higher is better.
    pub normalized: f64,
    /// The weight as the recipe has it.
    pub weight: f64,
    /// Points of the score.
    pub contribution: f64,
    /// Points of the score for one more unit of the raw value; `null` where that is no straight line.
    pub derivative: Option<f64>,
}

/// Explains the score of the row that has this name, however it is written. `evidence` is that of these rows, or why
/// there is none.
///
/// # Errors
/// [`Error::UnknownName`] where no row has it.
pub fn explain_domain(
    subject: &Subject<'_>,
    domain: &str,
    evidence: std::result::Result<&Evidence, String>,
) -> Result<DomainExplanation> {
    let results = subject.results;
    let row = row_of(results, domain)?;
    let explainer = Explainer::new(results, subject.dictionary);
    let names = || results.metrics.iter().map(|metric| metric.name.clone());
    let feature_contributions: ByMetric<f64> = names().zip(explainer.shapley(row)).collect();
    let mut top_factors = ranked(feature_contributions.0.iter().cloned());
    top_factors.truncate(FACTORS);
    let breakdown = results.metrics.iter().zip(weight_shares(subject)).map(|(metric, share)| Breakdown {
        value: metric.values[row],
        normalized: metric.normalized[row],
        weight: metric.weight,
        contribution: metric.contributions[row],
        derivative: Scale::of(metric, subject.normalization).map(|scale| share * scale.slope()),
    });
    let counterfactual = counterfactual(subject, row);
    let (certainty, warnings) = match evidence {
        Ok(evidence) => (Some(Certainty::of(evidence, results, row)), Vec::new()),
        Err(refusal) => (None, vec![format!("how sure the score is cannot be told: {refusal}")]),
    };
    let base_value = base_value(subject);
    Ok(DomainExplanation {
        domain: results.names[row].clone(),
        score: results.scores[row],
        base_value,
        percentile: results.percentiles[row],
        quality_status: results.statuses[row],
        explanation: words::of_row(subject, row, base_value, &top_factors, counterfactual.as_ref()),
        score_breakdown: names().zip(breakdown).collect(),
        feature_contributions,
        top_factors,
        counterfactual,
        confidence: certainty.map(|certainty| certainty.confidence),
        score_low: certainty.map(|certainty| certainty.score_low),
        score_high: certainty.map(|certainty| certainty.score_high),
        p_below_median: certainty.map(|certainty| certainty.p_below_median),
        warnings,
    })
}

/// The row of a name as people write it: `https://www.A.example/x` is `a.example`.
fn row_of(results: &Results, given: &str) -> Result<usize> {
    let (mut scratch, mut other) = (String::new(), String::new());
    let key = names::normalise(given.as_bytes(), results.dimension, &mut scratch);
    let row = results
        .names
        .iter()
        .position(|name| names::normalise(name.as_bytes(), results.dimension, &mut other) == key);
    row.ok_or_else(|| Error::UnknownName { given: given.to_owned(), nearest: nearest_names(key, results) })
}
