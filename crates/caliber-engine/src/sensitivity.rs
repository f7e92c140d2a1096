//! How much the bands of the rows hang on the exact weights.

use serde::Serialize;

use crate::parallel;
use crate::ranking::{TIE, percentile};
use crate::results::{Results, Status};
use crate::statistics::ties;

/// By how much each weight is changed, up and down.
const CHANGE: f64 = 0.2;

/// Shares of rows, 0..1, whose band survives a change of 20 % in either direction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightSensitivity {
    /// {metric: share}: that weight alone is changed, the others in proportion so that the sum stays.
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// Rows that survive the change of any one weight.
    pub together: f64,
}

impl WeightSensitivity {
    /// Of these rows, in their bands as scored.
    pub fn of(results: &Results, threads: usize) -> Self {
        let all: Vec<usize> = (0..results.metrics.len()).collect();
        let survived = parallel::map(threads, &all, |&changed| {
            let (less, more) = (bands(results, changed, 1.0 - CHANGE), bands(results, changed, 1.0 + CHANGE));
            let rows = results.statuses.iter().zip(less.iter().zip(&more));
            rows.map(|(own, (less, more))| own == less && own == more).collect::<Vec<bool>>()
        });
        let rows = results.len().max(1) as f64;
        let share = |survives: &dyn Fn(usize) -> bool| {
            (0..results.len()).filter(|&row| survives(row)).count() as f64 / rows
        };
        let metrics = results.metrics.iter().zip(&survived);
        Self {
            metrics: metrics
                .map(|(metric, survived)| (metric.name.clone(), share(&|row| survived[row]).into()))
                .collect(),
            together: share(&|row| survived.iter().all(|survived| survived[row])),
        }
    }
}

/// The bands if the weight of one metric were so many times what it is.
fn bands(results: &Results, changed: usize, factor: f64) -> Vec<Status> {
    let weight = |at: usize| results.metrics[at].weight * if at == changed { factor } else { 1.0 };
    let sum: f64 = (0..results.metrics.len()).map(weight).sum();
    let mut scores = vec![0.0; results.len()];
    for (at, metric) in results.metrics.iter().enumerate() {
        let part = weight(at) / sum;
        for (score, normalized) in scores.iter_mut().zip(&metric.normalized) {
            *score += part * normalized;
        }
    }
    let mut sorted = scores.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let (moderate, good) = thresholds(&sorted);
    let band = |score: f64| match score {
        _ if score >= good => Status::Good,
        _ if score >= moderate => Status::Moderate,
        _ => Status::Poor,
    };
    scores.into_iter().map(band).collect()
}

/// The least scores that are moderate and good: ranks as in the score itself, without a rank for every row.
fn thresholds(sorted: &[f64]) -> (f64, f64) {
    let (mut moderate, mut good) = (f64::INFINITY, f64::INFINITY);
    for tied in ties(sorted, |score| *score, TIE) {
        let (first, rank) = (sorted[tied.start], (tied.start + 1 + tied.end) as f64 / 2.0);
        match Status::of(percentile(rank, sorted.len())) {
            Status::Good => {
                good = good.min(first);
                moderate = moderate.min(first);
            }
            Status::Moderate => moderate = moderate.min(first),
            Status::Poor => {}
        }
    }
    (moderate, good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::rank;
    use crate::recipe::{Better, Dimension};
    use crate::results::MetricColumn;

    /// Rows of two metrics, weighed 0.6 and 0.4.
    fn results(columns: [Vec<f64>; 2]) -> Results {
        let rows = columns[0].len();
        let weights = [0.6, 0.4];
        let scores: Vec<f64> =
            (0..rows).map(|row| weights[0] * columns[0][row] + weights[1] * columns[1][row]).collect();
        let (percentiles, statuses) = rank(&scores);
        let metric = |(at, normalized): (usize, Vec<f64>)| MetricColumn {
            name: ["cpm", "ctr"][at].into(),
            weight: weights[at],
            better: Better::Higher,
            values: normalized.iter().copied().map(Some).collect(),
            contributions: normalized.iter().map(|value| weights[at] * value).collect(),
            normalized,
            counts: None,
        };
        Results {
            dimension: Dimension::Domain,
            names: (0..rows).map(|row| format!("{row}.example")).collect(),
            scores,
            percentiles,
            statuses,
            impressions: vec![1000.0; rows],
            clicks: None,
            conversions: None,
            spend: None,
            extras: Vec::new(),
            metrics: columns.into_iter().enumerate().map(metric).collect(),
            outlier_flags: vec![Vec::new(); rows],
            quality_flags: vec![Vec::new(); rows],
            evidence: None,
        }
    }

    /// Every row ranked anew, as the score does it.
    fn by_ranks(results: &Results, changed: usize) -> Vec<bool> {
        let survives = |factor: f64| -> Vec<Status> {
            let weights: Vec<f64> = (0..2)
                .map(|at| results.metrics[at].weight * if at == changed { factor } else { 1.0 })
                .collect();
            let sum = weights[0] + weights[1];
            let score = |row: usize| {
                (0..2).map(|at| weights[at] / sum * results.metrics[at].normalized[row]).sum::<f64>()
            };
            rank(&(0..results.len()).map(score).collect::<Vec<f64>>()).1
        };
        let (less, more) = (survives(0.8), survives(1.2));
        (0..results.len())
            .map(|row| results.statuses[row] == less[row] && results.statuses[row] == more[row])
            .collect()
    }

    #[test]
    fn rows_that_stand_apart_in_every_metric_keep_their_bands() {
        let columns = [0, 1].map(|_| (0..40).map(f64::from).collect());
        let sensitivity = WeightSensitivity::of(&results(columns), 2);
        assert_eq!(sensitivity.together, 1.0);
        assert_eq!(sensitivity.metrics["cpm"], 1.0);
    }

    #[test]
    fn the_shares_are_those_of_ranking_every_row_anew() {
        // Metrics that disagree, with ties: 0, 7, 14, ... modulo 23 against 0, 5, 10, ... modulo 11.
        let columns = [
            (0..97).map(|row| f64::from(row * 7 % 23)).collect(),
            (0..97).map(|row| f64::from(row * 5 % 11) * 2.0).collect(),
        ];
        let results = results(columns);
        let sensitivity = WeightSensitivity::of(&results, 1);
        let survived: Vec<Vec<bool>> = (0..2).map(|changed| by_ranks(&results, changed)).collect();
        let share = |survived: &[bool]| survived.iter().filter(|one| **one).count() as f64 / 97.0;
        assert_eq!(sensitivity.metrics["cpm"], share(&survived[0]));
        assert_eq!(sensitivity.metrics["ctr"], share(&survived[1]));
        let both: Vec<bool> = survived[0].iter().zip(&survived[1]).map(|(a, b)| *a && *b).collect();
        assert_eq!(sensitivity.together, share(&both));
        assert!(sensitivity.together < 1.0 && sensitivity.together > 0.0);
    }
}
