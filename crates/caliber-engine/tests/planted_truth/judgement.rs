//! What the lists of a campaign are worth against its truth. Figures of several campaigns are pooled: sums of what
//! is counted, and the median over reports where it says so.

use std::collections::BTreeSet;

use caliber_engine::evidence::Pattern;

use crate::campaign::{Campaign, median};
use crate::posterior::{drawn_below, is_drawn_scale};

/// P at which a row is taken as proven.
const SURE: f64 = 0.95;
/// What P may differ from the drawn one.
const DRAWN_TOLERANCE: f64 = 0.03;
/// One row in so many is drawn, the rows standing in the order of their scores.
const ROWS_A_DRAW: usize = 16;

/// Some of all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    some: f64,
    all: f64,
}

impl Part {
    fn of<'a>(rows: impl IntoIterator<Item = &'a usize>, counts: impl Fn(usize) -> bool) -> Self {
        let mut part = Self::default();
        for &row in rows {
            part.all += 1.0;
            part.some += f64::from(counts(row));
        }
        part
    }

    fn with(self, other: Self) -> Self {
        Self { some: self.some + other.some, all: self.all + other.all }
    }

    /// The share; `None` of nothing.
    pub(crate) fn share(self) -> Option<f64> {
        (self.all > 0.0).then(|| self.some / self.all)
    }
}

/// One figure by each policy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policies<T> {
    pub(crate) evidence: T,
    pub(crate) quartile: T,
}

impl Policies<Part> {
    fn with(self, other: Self) -> Self {
        Self { evidence: self.evidence.with(other.evidence), quartile: self.quartile.with(other.quartile) }
    }
}

impl Policies<f64> {
    fn with(self, other: Self) -> Self {
        Self { evidence: self.evidence + other.evidence, quartile: self.quartile + other.quartile }
    }
}

/// The figures of one campaign, or of several together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judgement {
    /// Rows on the blocklist, of all rows.
    pub(crate) blocked: Part,
    /// Rows on the allowlist, of all rows.
    pub(crate) allowed: Part,
    /// Spend of the rows on the blocklist, of all spend.
    pub(crate) blocked_spend: Part,
    /// Rows truly above the median, of those blocked.
    pub(crate) wrongly_blocked: Policies<Part>,
    /// Rows truly below the median, of those whose P is at least [`SURE`].
    pub(crate) sure_and_below: Part,
    /// By report: rows whose 90 % interval holds the true score, of all rows.
    coverages: Vec<f64>,
    /// Rows whose P is within [`DRAWN_TOLERANCE`] of the drawn one, of those drawn.
    pub(crate) near_drawn: Part,
    /// Metrics whose scale is the one that draws of the prior have, of those with counts.
    pub(crate) scales_drawn: Part,
    /// Bad rows, of those blocked.
    pub(crate) bad_blocked: Policies<Part>,
    /// Bad rows, of those blocked by evidence or for a pattern.
    pub(crate) bad_with_patterns: Part,
    /// Spend on bad rows that is blocked; the quartile's list is cut at the length of the other, the worst first.
    pub(crate) bad_spend: Policies<f64>,
    /// By how much true conversions per dollar rise where the blocked spend moves to the other rows in proportion to
    /// what they spend already; summed over reports. The quartile's list is cut at the same spend, the worst first
    /// and the last of it in part.
    gains: Policies<f64>,
    /// Rows truly below the median, of those allowed.
    pub(crate) wrongly_allowed: Part,
    /// Bad rows, of those allowed.
    pub(crate) bad_allowed: Policies<Part>,
    /// Good rows that show `mfa_pattern`, of the good; of reports that can be judged.
    pub(crate) good_with_pattern: Part,
    /// Rows made for advertising, of those that show `mfa_pattern`.
    pub(crate) pattern_is_right: Part,
    /// Rows made for advertising, of all rows.
    pub(crate) made_for_advertising: Part,
}

impl Judgement {
    pub(crate) fn of(campaign: &Campaign, seed: u64) -> Self {
        let all: Vec<usize> = (0..campaign.sites.len()).collect();
        let (rows, sites) = (campaign.rows(), &campaign.sites);
        let (blocked, allowed) = (campaign.blocked(), campaign.allowed());
        let is_bad = |row: usize| sites[row].is_bad();
        let wrong = |row: usize| campaign.is_truly_above(row);
        let spend = |rows: &[usize]| rows.iter().map(|&row| campaign.spend(row)).sum::<f64>();
        let sure: Vec<usize> = all.iter().copied().filter(|&row| rows.below[row] >= SURE).collect();
        let is_covered = |row: usize| (rows.low[row]..=rows.high[row]).contains(&campaign.true_scores[row]);
        let with_patterns: BTreeSet<usize> = blocked
            .iter()
            .copied()
            .chain(all.iter().copied().filter(|&row| !rows.patterns[row].is_empty()))
            .collect();
        let part_of_all = |list: &[usize]| Part { some: list.len() as f64, all: all.len() as f64 };
        Self {
            blocked: part_of_all(blocked),
            allowed: part_of_all(allowed),
            blocked_spend: Part { some: spend(blocked), all: spend(&all) },
            wrongly_blocked: Policies {
                evidence: Part::of(blocked, wrong),
                quartile: Part::of(campaign.quartile_blocked(), wrong),
            },
            sure_and_below: Part::of(&sure, |row| campaign.is_truly_below(row)),
            coverages: Part::of(&all, is_covered).share().into_iter().collect(),
            near_drawn: near_drawn(campaign, seed),
            scales_drawn: scales_drawn(campaign, seed),
            bad_blocked: Policies {
                evidence: Part::of(blocked, is_bad),
                quartile: Part::of(campaign.quartile_blocked(), is_bad),
            },
            bad_with_patterns: Part::of(&with_patterns, is_bad),
            bad_spend: bad_spend(campaign),
            gains: gains(campaign),
            wrongly_allowed: Part::of(allowed, |row| campaign.is_truly_below(row)),
            bad_allowed: Policies {
                evidence: Part::of(allowed, is_bad),
                quartile: Part::of(campaign.quartile_allowed(), is_bad),
            },
            ..Self::of_patterns(campaign, &all)
        }
    }

    fn of_patterns(campaign: &Campaign, all: &[usize]) -> Self {
        let is_mfa = |row: usize| campaign.sites[row].is_made_for_advertising();
        let made_for_advertising = Part::of(all, is_mfa);
        if !campaign.can_judge_mfa() {
            return Self { made_for_advertising, ..Self::default() };
        }
        let shows = |row: usize| campaign.rows().patterns[row].contains(&Pattern::MfaPattern);
        let good: Vec<usize> = all.iter().copied().filter(|&row| !campaign.sites[row].is_bad()).collect();
        let flagged: Vec<usize> = all.iter().copied().filter(|&row| shows(row)).collect();
        Self {
            good_with_pattern: Part::of(&good, shows),
            pattern_is_right: Part::of(&flagged, is_mfa),
            made_for_advertising,
            ..Self::default()
        }
    }

    /// Both together.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.coverages.extend(other.coverages);
        Self {
            blocked: self.blocked.with(other.blocked),
            allowed: self.allowed.with(other.allowed),
            blocked_spend: self.blocked_spend.with(other.blocked_spend),
            wrongly_blocked: self.wrongly_blocked.with(other.wrongly_blocked),
            sure_and_below: self.sure_and_below.with(other.sure_and_below),
            coverages: self.coverages,
            near_drawn: self.near_drawn.with(other.near_drawn),
            scales_drawn: self.scales_drawn.with(other.scales_drawn),
            bad_blocked: self.bad_blocked.with(other.bad_blocked),
            bad_with_patterns: self.bad_with_patterns.with(other.bad_with_patterns),
            bad_spend: self.bad_spend.with(other.bad_spend),
            gains: self.gains.with(other.gains),
            wrongly_allowed: self.wrongly_allowed.with(other.wrongly_allowed),
            bad_allowed: self.bad_allowed.with(other.bad_allowed),
            good_with_pattern: self.good_with_pattern.with(other.good_with_pattern),
            pattern_is_right: self.pattern_is_right.with(other.pattern_is_right),
            made_for_advertising: self.made_for_advertising.with(other.made_for_advertising),
        }
    }

    /// The part of the rows whose 90 % interval holds the true score, in the median report.
    pub(crate) fn median_coverage(&self) -> f64 {
        median(self.coverages.clone())
    }

    /// By how much true conversions per dollar rise in the average report.
    pub(crate) fn gains(&self) -> Policies<f64> {
        let reports = self.coverages.len() as f64;
        Policies { evidence: self.gains.evidence / reports, quartile: self.gains.quartile / reports }
    }
}

fn near_drawn(campaign: &Campaign, seed: u64) -> Part {
    let drawn: Vec<usize> = (0..campaign.sites.len()).step_by(ROWS_A_DRAW).collect();
    Part::of(&drawn, |row| {
        (drawn_below(campaign, row, seed) - campaign.rows().below[row]).abs() <= DRAWN_TOLERANCE
    })
}

fn scales_drawn(campaign: &Campaign, seed: u64) -> Part {
    let scales = campaign.laws().metrics.iter().filter_map(|scale| is_drawn_scale(scale, seed));
    let right: Vec<bool> = scales.collect();
    let all: Vec<usize> = (0..right.len()).collect();
    Part::of(&all, |at| right[at])
}

fn bad_spend(campaign: &Campaign) -> Policies<f64> {
    let caught = |rows: &[usize]| -> f64 {
        rows.iter().filter(|&&row| campaign.sites[row].is_bad()).map(|&row| campaign.spend(row)).sum()
    };
    let blocked = campaign.blocked();
    Policies { evidence: caught(blocked), quartile: caught(&campaign.worst_first()[..blocked.len()]) }
}

fn gains(campaign: &Campaign) -> Policies<f64> {
    let blocked = campaign.blocked();
    let mut left: f64 = blocked.iter().map(|&row| campaign.spend(row)).sum();
    let mut cut = vec![0.0; campaign.sites.len()];
    for row in campaign.worst_first() {
        let spend = campaign.spend(row);
        cut[row] = if spend > 0.0 { (left / spend).clamp(0.0, 1.0) } else { 1.0 };
        left -= spend * cut[row];
        if left <= 0.0 {
            break;
        }
    }
    let mut listed = vec![0.0; campaign.sites.len()];
    for &row in blocked {
        listed[row] = 1.0;
    }
    Policies { evidence: gain(campaign, &listed), quartile: gain(campaign, &cut) }
}

/// By how much conversions per dollar rise without these parts of the rows.
fn gain(campaign: &Campaign, without: &[f64]) -> f64 {
    let per_dollar = |part: &dyn Fn(usize) -> f64| {
        let rows = 0..campaign.sites.len();
        let spend: f64 = rows.clone().map(|row| campaign.spend(row) * part(row)).sum();
        rows.map(|row| campaign.true_conversions(row) * part(row)).sum::<f64>() / spend
    };
    per_dollar(&|row| 1.0 - without[row]) / per_dollar(&|_| 1.0) - 1.0
}
