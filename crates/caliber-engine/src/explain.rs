//! Why a row scores as it does.

use crate::dictionary::Dictionary;
use crate::results::Results;

/// Explains rows by the exact Shapley value of a score that is linear in its metrics, with the campaign as
/// background: a metric's contribution to the row less its mean contribution (Shapley 1953).
#[derive(Debug)]
pub struct Explainer<'a> {
    results: &'a Results,
    dictionary: &'a Dictionary,
    means: Vec<f64>,
}

impl<'a> Explainer<'a> {
    /// Prepares to explain rows of `results`.
    pub fn new(results: &'a Results, dictionary: &'a Dictionary) -> Self {
        let rows = results.len().max(1) as f64;
        let means =
            results.metrics.iter().map(|metric| metric.contributions.iter().sum::<f64>() / rows).collect();
        Self { results, dictionary, means }
    }

    /// The Shapley values of a row, in the order of the metrics. They sum to its score less the mean score.
    pub fn shapley(&self, row: usize) -> impl Iterator<Item = f64> {
        self.results
            .metrics
            .iter()
            .zip(&self.means)
            .map(move |(metric, mean)| metric.contributions[row] - mean)
    }

    /// The metric that lifts a row most, in words.
    pub fn best_reason(&self, row: usize) -> String {
        self.reason(row, |value| value)
    }

    /// The metric that costs a row most, in words.
    pub fn worst_reason(&self, row: usize) -> String {
        self.reason(row, |value| -value)
    }

    fn reason(&self, row: usize, direction: impl Fn(f64) -> f64) -> String {
        let strongest = self
            .shapley(row)
            .enumerate()
            // The first of equals: max_by would give the last.
            .reduce(|best, next| if direction(next.1) > direction(best.1) { next } else { best });
        let Some((at, points)) = strongest else { return String::new() };
        let metric = &self.results.metrics[at];
        let verb = if points >= 0.0 { "adds" } else { "costs" };
        match metric.values[row] {
            Some(value) => format!(
                "{} {} {verb} {:.1} points against the average",
                metric.name,
                self.written(&metric.name, value),
                points.abs()
            ),
            None => format!(
                "{} is missing, which costs {:.1} points against the average",
                metric.name,
                points.abs()
            ),
        }
    }

    /// A value as a trader writes it: shares in percent, costs with cents.
    pub fn written(&self, metric: &str, value: f64) -> String {
        let definition = self.dictionary.metric(metric);
        if definition.as_ref().is_some_and(|definition| definition.share) {
            let percent = value * 100.0;
            return if percent.abs() < 1.0 { format!("{percent:.3} %") } else { format!("{percent:.1} %") };
        }
        format!("{value:.2}")
    }
}
