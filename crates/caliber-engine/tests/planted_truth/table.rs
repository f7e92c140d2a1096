//! The figures beside the limits they must keep.

use std::fmt::Write as _;

use caliber_sample::WorldKind;

use crate::campaign::Case;
use crate::judgement::Judgement;

/// What a figure must keep to.
#[derive(Clone, Copy, Debug)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
    Between(f64, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Percent,
    Times,
}

impl Unit {
    fn written(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{:.1}", 100.0 * value),
            Self::Times => format!("{value:.2}"),
        }
    }
}

/// A figure of one world and recipe.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    name: &'static str,
    /// `None` where there is nothing to judge.
    value: Option<f64>,
    unit: Unit,
    limit: Option<Limit>,
    /// Whether few seeds tell it.
    pub(crate) is_steady: bool,
}

impl Cell {
    fn percent(name: &'static str, value: Option<f64>) -> Self {
        Self { name, value, unit: Unit::Percent, limit: None, is_steady: false }
    }

    fn times(name: &'static str, evidence: Option<f64>, quartile: Option<f64>) -> Self {
        let value = evidence.zip(quartile).map(|(evidence, quartile)| evidence / quartile);
        Self { name, value, unit: Unit::Times, limit: None, is_steady: false }
    }

    fn limit(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    fn limit_if(self, holds: bool, limit: Limit) -> Self {
        if holds { self.limit(limit) } else { self }
    }

    fn steady(self) -> Self {
        Self { is_steady: true, ..self }
    }

    pub(crate) fn fails(&self) -> bool {
        let (Some(value), Some(limit)) = (self.value, self.limit) else { return false };
        !match limit {
            Limit::AtMost(most) => value <= most,
            Limit::AtLeast(least) => value >= least,
            Limit::Between(least, most) => (least..=most).contains(&value),
        }
    }

    /// `1.2 (<= 2.5)`, with a mark where it fails.
    fn shown(&self) -> String {
        let Some(value) = self.value else { return "-".to_owned() };
        let written = |value: f64| self.unit.written(value);
        let limit = match self.limit {
            None => return written(value),
            Some(Limit::AtMost(most)) => format!("<= {}", written(most)),
            Some(Limit::AtLeast(least)) => format!(">= {}", written(least)),
            Some(Limit::Between(least, most)) => format!("{} to {}", written(least), written(most)),
        };
        let mark = if self.fails() { " FAILS" } else { "" };
        format!("{} ({limit}){mark}", written(value))
    }

    pub(crate) fn described(&self) -> String {
        format!("{}: {}", self.name, self.shown())
    }
}

/// The figures of a world and recipe, in the order of the table; the limits are those that the lists are built for.
pub(crate) fn cells(world: WorldKind, case: Case, figures: &Judgement) -> Vec<Cell> {
    use Limit::{AtLeast, AtMost, Between};
    let near_drawn =
        Cell::percent("P within 0.03 of 20,000 draws, %", figures.near_drawn.share()).limit(AtLeast(0.99));
    let scales = Cell::percent("scales as priors are drawn, % of metrics", figures.scales_drawn.share())
        .limit(AtLeast(1.0));
    let blocked = Cell::percent("blocked, % of rows", figures.blocked.share());
    let allowed = Cell::percent("allowed, % of rows", figures.allowed.share());
    if world == WorldKind::Identical {
        let nothing = AtMost(0.005);
        let lists = [blocked.limit(nothing).steady(), allowed.limit(nothing).steady()];
        return lists.into_iter().chain([near_drawn.steady(), scales.steady()]).collect();
    }
    let is_action = case.is_action();
    let is_rich = case != Case::PulsePointAction;
    let wrong = figures.wrongly_blocked;
    let gains = figures.gains();
    let bad_allowed = figures.bad_allowed;
    vec![
        blocked,
        allowed,
        Cell::percent("blocked, % of spend", figures.blocked_spend.share()),
        Cell::percent("wrongly blocked by quartile, %", wrong.quartile.share()),
        Cell::percent("wrongly blocked, %", wrong.evidence.share()).limit(AtMost(if is_rich {
            0.025
        } else {
            0.12
        })),
        Cell::times("  of the quartile's", wrong.evidence.share(), wrong.quartile.share())
            .limit_if(is_action, AtMost(0.5))
            .steady(),
        Cell::percent("of P >= 0.95 truly below, %", figures.sure_and_below.share())
            .limit(AtLeast(if is_rich { 0.97 } else { 0.88 })),
        Cell::percent("90 % interval covers, median report, %", Some(figures.median_coverage()))
            .limit(Between(0.86, 0.96))
            .steady(),
        near_drawn.steady(),
        scales.steady(),
        Cell::percent("bad among blocked by quartile, %", figures.bad_blocked.quartile.share()),
        Cell::percent("bad among blocked, %", figures.bad_blocked.evidence.share()),
        Cell::percent("  with patterns, %", figures.bad_with_patterns.share()),
        Cell::percent("conversions per dollar gained by quartile, %", Some(gains.quartile)),
        Cell::percent("conversions per dollar gained, %", Some(gains.evidence)),
        Cell::times("  of the quartile's at its spend", Some(gains.evidence), Some(gains.quartile))
            .limit_if(is_action, AtLeast(1.0)),
        Cell::times(
            "bad spend caught, of the quartile's at its length",
            Some(figures.bad_spend.evidence),
            Some(figures.bad_spend.quartile),
        )
        .limit_if(is_action, AtLeast(1.4)),
        Cell::percent("mfa_pattern on good rows, %", figures.good_with_pattern.share())
            .limit(AtMost(0.04))
            .steady(),
        Cell::times(
            "mfa_pattern's precision, of the base rate",
            figures.pattern_is_right.share(),
            figures.made_for_advertising.share(),
        )
        .limit(AtLeast(3.0))
        .steady(),
        Cell::percent("truly below among allowed, %", figures.wrongly_allowed.share())
            .limit(AtMost(if is_rich { 0.02 } else { 0.06 })),
        Cell::percent("bad among allowed by quartile, %", bad_allowed.quartile.share()),
        Cell::percent("bad among allowed, %", bad_allowed.evidence.share())
            .limit(AtMost(bad_allowed.quartile.share().unwrap_or(0.0)))
            .steady(),
    ]
}

/// The gain in conversions per dollar over all action recipes and worlds, of the quartile's at the same spend.
pub(crate) fn lift_over_all(times: f64) -> Cell {
    Cell::times(
        "conversions per dollar gained over all action recipes, of the quartile's",
        Some(times),
        Some(1.0),
    )
    .limit(Limit::AtLeast(1.05))
}

/// A table of one world: a line for each figure, a column for each recipe.
pub(crate) fn printed(world: WorldKind, columns: &[(Case, Vec<Cell>)]) -> String {
    let mut text = format!("{:50}", world.name());
    for (case, _) in columns {
        let _ = write!(text, "{:26}", case.name());
    }
    let lines = columns.first().map_or(0, |(_, cells)| cells.len());
    for line in 0..lines {
        let _ = write!(text, "\n{:50}", columns[0].1[line].name);
        for (_, cells) in columns {
            let _ = write!(text, "{:26}", cells[line].shown());
        }
    }
    text
}
