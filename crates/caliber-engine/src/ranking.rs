//! Where a score stands among the others.

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
