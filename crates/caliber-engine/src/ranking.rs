//! Where a score stands among the others.

use std::cmp::Ordering;

use crate::results::Status;
use crate::statistics::tie_groups;

/// Scores closer than this to the first of their group are one.
pub const TIE: f64 = 1e-9;

/// Percentile (average rank / rows x 100) and status of every score.
pub fn rank(scores: &[f64]) -> (Vec<f64>, Vec<Status>) {
    let (groups, ranks) = tie_groups(scores, TIE);
    let percentiles: Vec<f64> = groups.iter().map(|&group| percentile(ranks[group], scores.len())).collect();
    let statuses = percentiles.iter().map(|&percentile| Status::of(percentile)).collect();
    (percentiles, statuses)
}

/// The percentile of an average rank, counted from 1, among so many rows.
pub fn percentile(rank: f64, rows: usize) -> f64 {
    rank / rows as f64 * 100.0
}

/// Rows by a figure; ties by impressions descending, then by name.
pub(crate) fn in_order<'a>(
    rows: impl Iterator<Item = usize>,
    figures: &[f64],
    compare: impl Fn(&f64, &f64) -> Ordering,
    impressions: impl Fn(usize) -> f64,
    name: impl Fn(usize) -> &'a str,
) -> Vec<usize> {
    let mut order: Vec<(f64, usize)> = rows.map(|row| (figures[row], row)).collect();
    // First by the figures alone, which nearly always settle it, and sooner than together with what lies elsewhere.
    order.sort_unstable_by(|(a, _), (b, _)| compare(a, b));
    for tied in order.chunk_by_mut(|(a, _), (b, _)| compare(a, b).is_eq()) {
        tied.sort_unstable_by(|&(_, a), &(_, b)| {
            impressions(b).total_cmp(&impressions(a)).then_with(|| name(a).cmp(name(b)))
        });
    }
    order.into_iter().map(|(_, row)| row).collect()
}
