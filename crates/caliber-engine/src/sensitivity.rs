//! How much the bands of the rows hang on the exact weights.

use serde::Serialize;

use crate::parallel;
use crate::ranking::{TIE, percentile};
use crate::results::{Results, Status};
use crate::statistics::ties;

/// By how much each weight is changed, up and down.
const CHANGE: f64 = 0.2;
/// How far from a score others are looked at for ties: many times [`TIE`], and so little that there are few.
const NEAR: f64 = 1e-6;

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
    let mut places = scores.clone();
    let moderate = least_of(&mut places, |status| status != Status::Poor);
    let good = least_of(&mut places, |status| status == Status::Good);
    let band = |score: f64| match score {
        _ if score >= good => Status::Good,
        _ if score >= moderate => Status::Moderate,
        _ => Status::Poor,
    };
    scores.into_iter().map(band).collect()
}

/// The least score of a band and those above it, or infinity: by ranks as in the score itself, without a rank for every
/// row. The scores change places; only those around the band's end are sorted.
fn least_of(scores: &mut [f64], belongs: impl Fn(Status) -> bool) -> f64 {
    let rows = scores.len();
    let reaches = |rank: f64| belongs(Status::of(percentile(rank, rows)));
    // The first place, counted from 0, whose row belongs to the band if it ties with none.
    let Some(place) = first(rows, |place| reaches((place + 1) as f64)) else { return f64::INFINITY };
    let (below, &mut at, above) = scores.select_nth_unstable_by(place, f64::total_cmp);
    let is_near = |score: &&f64| (**score - at).abs() <= NEAR;
    let before = below.iter().filter(is_near).count();
    let near = below.iter().filter(is_near).chain([&at]).chain(above.iter().filter(is_near));
    let mut near: Vec<f64> = near.copied().collect();
    near.sort_unstable_by(f64::total_cmp);
    // A score that is more than a tie above the one below it begins a group of ties.
    let after_gap = (1..=before).rev().find(|&score| near[score] - near[score - 1] > TIE);
    let begins = || (before == below.len() || near[0] - (at - NEAR) > TIE).then_some(0);
    let Some(start) = after_gap.or_else(begins) else {
        scores.sort_unstable_by(f64::total_cmp);
        return least_reaching(scores, 0, reaches).unwrap_or(f64::INFINITY);
    };
    least_reaching(&near[start..], place - before + start, reaches).unwrap_or_else(|| {
        above.iter().copied().filter(|score| score - at > NEAR).fold(f64::INFINITY, f64::min)
    })
}

/// The first of these that holds, as all behind it do.
fn first(count: usize, holds: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut start, mut end) = (0, count);
    while start < end {
        let middle = usize::midpoint(start, end);
        if holds(middle) {
            end = middle;
        } else {
            start = middle + 1;
        }
    }
    (start < count).then_some(start)
}

/// The first score of the first group of ties whose rank reaches a band. The scores are sorted, and there are so many
/// below them.
fn least_reaching(sorted: &[f64], below: usize, reaches: impl Fn(f64) -> bool) -> Option<f64> {
    let mut groups = ties(sorted, |score| *score, TIE);
    let group = groups.find(|tied| reaches((below + tied.start + 1 + below + tied.end) as f64 / 2.0))?;
    Some(sorted[group.start])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// Scores that are far apart, tie, and tie in rows, each near enough to the next.
    fn scores() -> impl Strategy<Value = Vec<f64>> {
        let score = prop_oneof![
            (0..40_u32).prop_map(|step| f64::from(step) * 2.5),
            (0..40_u32).prop_map(|step| 50.0 + f64::from(step) * 4e-10),
            (0..4000_u32).prop_map(|step| 50.0 + f64::from(step) * 6e-10),
        ];
        prop::collection::vec(score, 0..120)
    }

    proptest! {
        #[test]
        fn the_ends_of_bands_are_those_of_ranks(scores in scores(), dense in 0..5000_usize) {
            for scores in [scores, (0..dense).map(|step| 20.0 + step as f64 * 9e-10).collect()] {
                let (_, statuses) = rank(&scores);
                let least = |belongs: fn(Status) -> bool| {
                    let rows = scores.iter().zip(&statuses).filter(|(_, status)| belongs(**status));
                    rows.map(|(score, _)| *score).fold(f64::INFINITY, f64::min)
                };
                for belongs in [|status| status != Status::Poor, |status| status == Status::Good] {
                    prop_assert_eq!(least_of(&mut scores.clone(), belongs), least(belongs));
                }
            }
        }
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
