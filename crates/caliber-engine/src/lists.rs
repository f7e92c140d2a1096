//! Which rows to buy and which to block.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::evidence::{EvidenceRows, Pattern};
use crate::ranking::{TIE, in_order};
use crate::results::Results;
use crate::statistics::tie_groups;

/// How rows get on a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListPolicy {
    /// The best and the worst quarter by score.
    #[default]
    Quartile,
    /// Of the worst and the best quarter what the counts prove.
    Evidence,
}

impl ListPolicy {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Quartile, Self::Evidence];

    /// The word in options and files: `quartile`, `evidence`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quartile => "quartile",
            Self::Evidence => "evidence",
        }
    }

    /// The policy of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == word)
    }
}

/// What it takes to get on a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListRule {
    /// How.
    pub policy: ListPolicy,
    /// The share of rows at either end that may be listed, in (0, 0.5].
    pub share: f64,
    /// By evidence: the least probability to be below the median of a row that is blocked, in [0.5, 1).
    pub block_at: f64,
    /// By evidence: the least probability to be above the median of a row that is allowed, in [0.5, 1).
    pub allow_at: f64,
    /// Patterns that block on their own, whatever the policy.
    pub block_patterns: Vec<Pattern>,
}

impl ListRule {
    /// Whether it takes the evidence to make such lists.
    pub fn needs_evidence(&self) -> bool {
        self.policy == ListPolicy::Evidence || !self.block_patterns.is_empty()
    }
}

impl Default for ListRule {
    fn default() -> Self {
        Self {
            policy: ListPolicy::Quartile,
            share: 0.25,
            block_at: 0.95,
            allow_at: 0.95,
            block_patterns: Vec::new(),
        }
    }
}

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

/// The rows at either end of a figure.
pub(crate) struct Ends {
    /// The least first.
    pub(crate) worst: Vec<usize>,
    /// The greatest first.
    pub(crate) best: Vec<usize>,
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

    /// The lists of these rows by a rule; a protected name is taken off the blocklist.
    ///
    /// By [`ListPolicy::Evidence`], of the worst and the best share by evidence score those that are proven
    /// (evidence.md 1.7); rows that carry a pattern or an odd click-through rate are not allowed. Without `evidence`
    /// a rule that needs it lists nothing.
    pub fn among(
        results: &Results,
        evidence: Option<&EvidenceRows>,
        candidates: &[usize],
        rule: &ListRule,
        is_protected: &dyn Fn(&str) -> bool,
    ) -> Self {
        let Some(evidence) = evidence.filter(|_| rule.needs_evidence()) else {
            return match rule.policy {
                ListPolicy::Quartile => Self::quartile_among(results, candidates, rule.share, is_protected),
                ListPolicy::Evidence => Self::default(),
            };
        };
        let ends = Self::ends(results, &evidence.scores, candidates, rule.share);
        Self::weighed(results, evidence, candidates, &ends, rule, is_protected)
    }

    /// As [`Lists::among`], where the [ends](Lists::ends) by evidence score are known.
    pub(crate) fn weighed(
        results: &Results,
        evidence: &EvidenceRows,
        candidates: &[usize],
        ends: &Ends,
        rule: &ListRule,
        is_protected: &dyn Fn(&str) -> bool,
    ) -> Self {
        let (figures, mut lists) = match rule.policy {
            ListPolicy::Quartile => {
                (&results.scores, Self::quartile_among(results, candidates, rule.share, &|_| false))
            }
            ListPolicy::Evidence => (&evidence.scores, Self::proven(results, evidence, ends, rule)),
        };
        if !rule.block_patterns.is_empty() {
            let shows = |row: &usize| {
                evidence.patterns[*row].iter().any(|pattern| rule.block_patterns.contains(pattern))
            };
            let listed: BTreeSet<usize> = lists.block.iter().copied().collect();
            lists.block.extend(candidates.iter().filter(|row| !listed.contains(row) && shows(row)));
            lists.allow.retain(|row| !shows(row));
            sort_by(&mut lists.block, results, figures, f64::total_cmp);
        }
        let protected = |row: &usize| is_protected(&results.names[*row]);
        (lists.protected, lists.block) = lists.block.iter().partition(|row| protected(row));
        lists
    }

    fn proven(results: &Results, evidence: &EvidenceRows, ends: &Ends, rule: &ListRule) -> Self {
        let has_odd_clicks = |row: usize| results.outlier_flags[row].iter().any(|flag| flag == "ctr_outlier");
        Self {
            block: ends.worst.iter().copied().filter(|&row| evidence.below[row] >= rule.block_at).collect(),
            allow: ends
                .best
                .iter()
                .copied()
                .filter(|&row| evidence.above[row] >= rule.allow_at)
                .filter(|&row| evidence.patterns[row].is_empty() && !has_odd_clicks(row))
                .collect(),
            protected: Vec::new(),
        }
    }

    /// floor(n x share) rows of least figures, the least first, and as many of greatest, the greatest first; ties by
    /// impressions, then by name.
    pub(crate) fn ends(results: &Results, figures: &[f64], candidates: &[usize], share: f64) -> Ends {
        let count = (candidates.len() as f64 * share + 1e-9).floor() as usize;
        let mut order = candidates.to_vec();
        sort_by(&mut order, results, figures, f64::total_cmp);
        let worst = order.iter().copied().take(count).collect();
        sort_by(&mut order, results, figures, |a, b| b.total_cmp(a));
        order.truncate(count);
        Ends { worst, best: order }
    }
}

/// Sorts rows by a figure; ties by impressions descending, then by name.
pub(crate) fn sort_by(
    rows: &mut [usize],
    results: &Results,
    figures: &[f64],
    compare: impl Fn(&f64, &f64) -> Ordering,
) {
    let (impressions, name) = (|row: usize| results.impressions[row], |row: usize| &*results.names[row]);
    let sorted = in_order(rows.iter().copied(), figures, compare, impressions, name);
    rows.copy_from_slice(&sorted);
}
