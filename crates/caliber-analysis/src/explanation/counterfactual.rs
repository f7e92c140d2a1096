//! The smallest change of one metric that takes a row to another band.

use caliber_engine::ranking::{TIE, percentile};
use caliber_engine::results::Status;
use caliber_engine::statistics::ties;
use serde::Serialize;

use super::shapley::weight_shares;
use crate::Subject;
use crate::scale::Scale;

/// How far a row goes past another to be no tie with it.
const PAST: f64 = 1e-6;

/// One metric changed, and what would become of the row. Statuses are ranks, so somebody must be passed; the other
/// scores and all bounds are held.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Counterfactual {
    /// The metric.
    pub feature: String,
    /// Its raw value; `null` where it is missing, and under `rank` and `shrunk`.
    pub from: Option<f64>,
    /// The raw value it would need; `null` under `rank` and `shrunk`.
    pub to: Option<f64>,
    /// Its normalised value.
    pub from_normalized: f64,
    /// The normalised value it would need.
    pub to_normalized: f64,
    /// The score of the row then.
    pub score_after: f64,
    /// The band of the row then.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "good"))]
    pub quality_status_after: Status,
}

/// The metric that takes a row to the next better band, or out of the best, with the smallest move. `None` where no
/// single metric can.
pub(super) fn counterfactual(subject: &Subject<'_>, row: usize) -> Option<Counterfactual> {
    let results = subject.results;
    let (score_after, status) = Others::of(&results.scores, row).next_band(results.statuses[row])?;
    let gap = score_after - results.scores[row];
    let mut best: Option<(f64, usize, f64)> = None;
    for (at, (metric, share)) in results.metrics.iter().zip(weight_shares(subject)).enumerate() {
        let to = metric.normalized[row] + gap / share;
        let distance = (gap / share).abs();
        let is_nearer = best.is_none_or(|(least, ..)| distance < least);
        if (0.0..=100.0).contains(&to) && is_nearer && varies(&metric.values, &metric.normalized) {
            best = Some((distance, at, to));
        }
    }
    let (_, at, to_normalized) = best?;
    let metric = &results.metrics[at];
    let scale = Scale::of(metric, subject.normalization);
    Some(Counterfactual {
        feature: metric.name.clone(),
        from: scale.and_then(|_| metric.values[row]),
        to: scale.map(|scale| scale.value_at(to_normalized)),
        from_normalized: metric.normalized[row],
        to_normalized,
        score_after,
        quality_status_after: status,
    })
}

/// Whether the normalised value moves with the raw one: a constant metric is 50 whatever its value.
fn varies(values: &[Option<f64>], normalized: &[f64]) -> bool {
    let mut present = values.iter().zip(normalized).filter(|(value, _)| value.is_some());
    let Some((_, first)) = present.next() else { return false };
    present.any(|(_, other)| other != first)
}

/// The scores of the other rows, and their groups of ties.
struct Others {
    /// Ascending.
    scores: Vec<f64>,
    /// Where in `scores` each group begins.
    starts: Vec<usize>,
}

impl Others {
    fn of(scores: &[f64], row: usize) -> Self {
        let mut scores = scores.to_vec();
        scores.swap_remove(row);
        scores.sort_unstable_by(f64::total_cmp);
        let starts = ties(&scores, |score| *score, TIE).map(|tied| tied.start).collect();
        Self { scores, starts }
    }

    /// The status of the row if its score were this one.
    fn status_at(&self, score: f64) -> Status {
        let group = self.starts.partition_point(|&start| self.scores[start] <= score).checked_sub(1);
        let joined = group.filter(|&group| score - self.scores[self.starts[group]] <= TIE);
        let (before, tied) = if let Some(group) = joined {
            let start = self.starts[group];
            (start, self.starts.get(group + 1).copied().unwrap_or(self.scores.len()) - start)
        } else {
            // The first of a group of its own, which takes in whoever is just above.
            let before = self.scores.partition_point(|other| *other < score);
            (before, self.scores[before..].partition_point(|other| other - score <= TIE))
        };
        let average_rank = before as f64 + (tied + 2) as f64 / 2.0;
        Status::of(percentile(average_rank, self.scores.len() + 1))
    }

    /// The score at which the row, now in this band, is in the next: just above another row for a better band, just
    /// below another for less than `good`.
    ///
    /// A status never falls where a score rises, so the first such row is found by halving.
    fn next_band(&self, status: Status) -> Option<(f64, Status)> {
        let (score, next) = match status {
            Status::Good => {
                let below = self.scores.partition_point(|other| self.status_at(other - PAST) != Status::Good);
                (self.scores[below.checked_sub(1)?] - PAST, Status::Moderate)
            }
            Status::Moderate | Status::Poor => {
                let next = if status == Status::Poor { Status::Moderate } else { Status::Good };
                let reached = |score: f64| match self.status_at(score) {
                    Status::Good => true,
                    Status::Moderate => next == Status::Moderate,
                    Status::Poor => false,
                };
                let at = self.scores.partition_point(|other| !reached(other + PAST));
                (self.scores.get(at)? + PAST, next)
            }
        };
        (self.status_at(score) == next).then_some((score, next))
    }
}

#[cfg(test)]
mod tests {
    use caliber_engine::ranking::rank;
    use proptest::prelude::*;

    use super::*;

    /// The definition, word by word: every score just past another row's, ranked with all the others.
    fn by_definition(scores: &[f64], row: usize) -> Option<f64> {
        let status = rank(scores).1[row];
        let past = if status == Status::Good { -PAST } else { PAST };
        let next = if status == Status::Moderate { Status::Good } else { Status::Moderate };
        let others = (0..scores.len()).filter(|&other| other != row).map(|other| scores[other] + past);
        let reaching = others.filter(|&score| {
            let mut moved = scores.to_vec();
            moved[row] = score;
            rank(&moved).1[row] == next
        });
        if status == Status::Good { reaching.reduce(f64::max) } else { reaching.reduce(f64::min) }
    }

    /// Scores with ties, with near ties of some 1e-10, and with gaps of about 1e-6 where a row that just passed one
    /// meets the next.
    fn scores() -> impl Strategy<Value = Vec<f64>> {
        let score = prop_oneof![
            0.0..100.0_f64,
            (0..6).prop_map(|step| f64::from(step) * 10.0),
            (0..4, -3..4).prop_map(|(step, off)| f64::from(step) * 10.0 + f64::from(off) * 4e-10),
            (0..4, -2..3, -2..3).prop_map(|(step, micros, off)| {
                f64::from(step) * 10.0 + f64::from(micros) * 1e-6 + f64::from(off) * 4e-10
            }),
        ];
        prop::collection::vec(score, 1..30)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_score_after_is_the_one_of_the_definition(scores in scores()) {
            let statuses = rank(&scores).1;
            for (row, status) in statuses.into_iter().enumerate() {
                let found = Others::of(&scores, row).next_band(status);
                prop_assert_eq!(found.map(|(score, _)| score), by_definition(&scores, row), "{:?} {}", &scores, row);
            }
        }
    }
}
