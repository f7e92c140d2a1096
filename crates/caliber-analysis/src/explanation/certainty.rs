//! How sure the score of a row is, by the counts behind its rates.

use caliber_engine::evidence::Evidence;
use caliber_engine::results::{Results, Status};
use caliber_engine::statistics::quantile;

/// What the law of a row's score (evidence.md 1.6) says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Certainty {
    /// The probability that the row stays in its band.
    pub(super) confidence: f64,
    /// The 5 % quantile of the score.
    pub(super) score_low: f64,
    /// The 95 % quantile.
    pub(super) score_high: f64,
    /// The probability that the row is below the campaign's median.
    pub(super) p_below_median: f64,
}

impl Certainty {
    /// How sure the score of this row is. Bands are cut at the quartiles of what the rows score on average.
    pub(super) fn of(evidence: &Evidence, results: &Results, row: usize) -> Self {
        let law = evidence.law(row);
        let mut means: Vec<f64> = evidence.laws().iter().map(|law| law.mean).collect();
        means.sort_unstable_by(f64::total_cmp);
        // There is a row, so there are quartiles.
        let below = |share| quantile(&means, share).map_or(0.0, |cut| law.probability_below(cut));
        let confidence = match results.statuses[row] {
            Status::Poor => below(0.25),
            Status::Moderate => below(0.75) - below(0.25),
            Status::Good => 1.0 - below(0.75),
        };
        Self {
            confidence: confidence.clamp(0.0, 1.0),
            score_low: law.quantile(0.05),
            score_high: law.quantile(0.95),
            p_below_median: evidence.p_below(row),
        }
    }
}
