//! Which rows to buy and which to block.

use std::collections::BTreeSet;

use crate::ranking::TIE;
use crate::results::Results;
use crate::statistics::tie_groups;

/// The lists made of scored rows; entries are rows of the [`Results`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// The best first.
    pub allow: Vec<usize>,
    /// The worst first.
    pub block: Vec<usize>,
    /// Rows that would have been blocked and are protected.
    pub protected: Vec<usize>,
}

impl Lists {
    /// The best and the worst `share` of the rows: floor(n x share) each, at least one of two.
    ///
    /// Ties of score are settled by impressions, then by name. A protected name is taken off the blocklist and no
    /// other row takes its place. `share` is in (0, 0.5], so the lists cannot overlap.
    pub fn quartile(results: &Results, share: f64, is_protected: &dyn Fn(&str) -> bool) -> Self {
        let all: Vec<usize> = (0..results.len()).collect();
        Self::quartile_among(results, &all, share, is_protected)
    }

    /// As [`Lists::quartile`], of these rows only: as if the others had not been scored.
    pub fn quartile_among(
        results: &Results,
        candidates: &[usize],
        share: f64,
        is_protected: &dyn Fn(&str) -> bool,
    ) -> Self {
        Self::quartile_by(&results.scores, results, candidates, share, is_protected)
    }

    /// As [`Lists::quartile_among`], by these scores, one a row, instead of those of the results.
    pub fn quartile_by(
        scores: &[f64],
        results: &Results,
        candidates: &[usize],
        share: f64,
        is_protected: &dyn Fn(&str) -> bool,
    ) -> Self {
        let rows = candidates.len();
        let count = match (rows as f64 * share + 1e-9).floor() as usize {
            0 if rows >= 2 => 1,
            count => count.min(rows / 2),
        };
        let scores: Vec<f64> = candidates.iter().map(|&row| scores[row]).collect();
        let (groups, _) = tie_groups(&scores, TIE);
        let by_volume = |a: usize, b: usize| {
            let (a, b) = (candidates[a], candidates[b]);
            results.impressions[b]
                .total_cmp(&results.impressions[a])
                .then_with(|| results.names[a].cmp(&results.names[b]))
        };
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_unstable_by(|&a, &b| groups[b].cmp(&groups[a]).then_with(|| by_volume(a, b)));
        let allow: Vec<usize> = order.iter().map(|&at| candidates[at]).take(count).collect();
        order.sort_unstable_by(|&a, &b| groups[a].cmp(&groups[b]).then_with(|| by_volume(a, b)));
        // Where all tie, both orders begin with the same rows: the worst are then the last of the best.
        let taken: BTreeSet<usize> = allow.iter().copied().collect();
        let (protected, block) = order
            .into_iter()
            .map(|at| candidates[at])
            .filter(|row| !taken.contains(row))
            .take(count)
            .partition(|&row| is_protected(&results.names[row]));
        Self { allow, block, protected }
    }
}
