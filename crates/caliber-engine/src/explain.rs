//! Why a row scores as it does.

use crate::dictionary::Dictionary;
use crate::results::Results;

/// Points that round to 0.0 are no reason.
const LEAST_POINTS: f64 = 0.05;

/// Explains rows by the exact Shapley value of a score that is linear in its metrics, with the campaign as
/// background: a metric's contribution to the row less its mean contribution (Shapley 1953).
#[derive(Debug)]
pub struct Explainer<'a> {
    results: &'a Results,
    dictionary: &'a Dictionary,
    means: Vec<f64>,
    /// What people call each metric, and whether it is a share: asked of the dictionary once, not for every row.
    words: Vec<(String, bool)>,
}

impl<'a> Explainer<'a> {
    /// Prepares to explain rows of `results`.
    pub fn new(results: &'a Results, dictionary: &'a Dictionary) -> Self {
        let rows = results.len().max(1) as f64;
        let means =
            results.metrics.iter().map(|metric| metric.contributions.iter().sum::<f64>() / rows).collect();
        let words = results
            .metrics
            .iter()
            .map(|metric| (dictionary.label(&metric.name), is_share(dictionary, &metric.name)));
        Self { results, dictionary, means, words: words.collect() }
    }

    /// The mean contribution of each metric, in the order of the metrics.
    pub fn means(&self) -> &[f64] {
        &self.means
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

    /// The metric that sets a row apart most, whichever way, in words.
    pub fn main_reason(&self, row: usize) -> String {
        self.reason(row, f64::abs)
    }

    fn reason(&self, row: usize, direction: impl Fn(f64) -> f64) -> String {
        let Some((mut at, mut points)) = self.strongest(row, &direction) else { return String::new() };
        if direction(points) < LEAST_POINTS {
            // Nothing speaks for the row: what speaks against it is the truth about it.
            (at, points) = self.strongest(row, &f64::abs).unwrap_or((at, points));
        }
        if points.abs() < LEAST_POINTS {
            return "as average as the campaign".to_owned();
        }
        let (label, share) = &self.words[at];
        let verb = if points >= 0.0 { "adds" } else { "costs" };
        match self.results.metrics[at].values[row] {
            Some(value) => format!(
                "{label} {} {verb} {:.1} points against the average",
                written(value, *share),
                points.abs()
            ),
            None => {
                format!("{label} is missing, which {verb} {:.1} points against the average", points.abs())
            }
        }
    }

    /// The metric with the largest Shapley value in a direction, and that value. Of equals the first.
    fn strongest(&self, row: usize, direction: &dyn Fn(f64) -> f64) -> Option<(usize, f64)> {
        self.shapley(row)
            .enumerate()
            // max_by would give the last of equals.
            .reduce(|best, next| if direction(next.1) > direction(best.1) { next } else { best })
    }

    /// A value as a trader writes it: shares in percent, costs with cents and commas between thousands.
    pub fn written(&self, metric: &str, value: f64) -> String {
        written(value, is_share(self.dictionary, metric))
    }
}

fn is_share(dictionary: &Dictionary, metric: &str) -> bool {
    dictionary.metric(metric).is_some_and(|definition| definition.share)
}

fn written(value: f64, share: bool) -> String {
    if !share {
        return grouped(value);
    }
    let percent = value * 100.0;
    if percent.abs() < 1.0 { format!("{percent:.3} %") } else { format!("{percent:.1} %") }
}

/// Two decimals, and commas between thousands.
fn grouped(value: f64) -> String {
    let text = format!("{value:.2}");
    let digits = text.trim_start_matches('-');
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut grouped = text[..text.len() - digits.len()].to_owned();
    for (at, digit) in digits.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Better, Dimension};
    use crate::results::{MetricColumn, Status};

    /// Rows whose one metric is the CPM, worth these points.
    fn results(cpms: &[Option<f64>], points: &[f64]) -> Results {
        let rows = cpms.len();
        Results {
            dimension: Dimension::Domain,
            names: (0..rows).map(|row| format!("{row}.example")).collect(),
            scores: points.to_vec(),
            percentiles: vec![50.0; rows],
            statuses: vec![Status::Moderate; rows],
            impressions: vec![1000.0; rows],
            clicks: None,
            conversions: None,
            spend: None,
            extras: Vec::new(),
            metrics: vec![MetricColumn {
                name: "cpm".into(),
                weight: 1.0,
                better: Better::Lower,
                values: cpms.to_vec(),
                normalized: points.to_vec(),
                contributions: points.to_vec(),
                counts: None,
            }],
            outlier_flags: vec![Vec::new(); rows],
            quality_flags: vec![Vec::new(); rows],
            evidence: None,
        }
    }

    #[test]
    fn a_reason_is_in_a_traders_words() {
        let results = results(&[Some(1.5), Some(12_345.678), None], &[100.0, 20.0, 0.0]);
        let explainer = Explainer::new(&results, Dictionary::shipped());
        assert_eq!(explainer.best_reason(0), "CPM 1.50 adds 60.0 points against the average");
        assert_eq!(explainer.worst_reason(1), "CPM 12,345.68 costs 20.0 points against the average");
        assert_eq!(explainer.worst_reason(2), "CPM is missing, which costs 40.0 points against the average");
        // Nothing lifts the row, so the reason says what holds it down.
        assert_eq!(explainer.best_reason(1), explainer.worst_reason(1));
        assert_eq!(explainer.main_reason(0), explainer.best_reason(0));
    }

    #[test]
    fn no_points_are_no_reason() {
        let results = results(&[Some(1.0), Some(1.0)], &[50.04, 50.0]);
        let explainer = Explainer::new(&results, Dictionary::shipped());
        for row in [0, 1] {
            assert_eq!(explainer.best_reason(row), "as average as the campaign");
            assert_eq!(explainer.worst_reason(row), "as average as the campaign");
        }
    }

    #[test]
    fn every_metric_has_a_label_that_reads_as_words() {
        let dictionary = Dictionary::shipped();
        for name in dictionary.metric_names() {
            assert!(!dictionary.label(name).contains('_'), "{name}");
        }
        assert_eq!(dictionary.label("ias_display_fully_in_view_1s_rate"), "in view (IAS, 1 s)");
        assert_eq!(dictionary.label("ecpm"), "CPM");
        assert_eq!(dictionary.label("conversion_rate"), "conversion rate");
        assert_eq!(dictionary.label("of_a_recipe"), "of a recipe");
    }
}
