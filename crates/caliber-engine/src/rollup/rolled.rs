//! The sums of all rows, as columns in the order of the names' keys.

use super::RollUp;
use super::exact::Sum;
use super::groups::Groups;
use super::plan::{EMPTY_ROWS, FIRST_TOTAL, IMPRESSIONS, MetricSlots, ROWS, SQUARES, TOTALS, total_of};
use crate::names::NameKind;
use crate::parallel;

/// Numerators, denominators and row noise of one metric, one entry a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetricSums {
    pub(crate) name: String,
    pub(crate) per: f64,
    /// The metric is a summed column itself: its value is `x`.
    pub(crate) total: bool,
    /// Sum of numerators over rows where numerator and denominator are present.
    pub(crate) x: Vec<f64>,
    /// Sum of denominators over the same rows.
    pub(crate) n: Vec<f64>,
    /// For shares: the sums of evidence.md 1.2.
    pub(crate) noise: Option<Vec<RowNoise>>,
}

/// Sums over one name's report rows with n > 0: x its numerators, n its denominators.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowNoise {
    pub(crate) x: f64,
    pub(crate) n: f64,
    /// Sum of x²/n.
    pub(crate) q: f64,
    /// Sum of n².
    pub(crate) squares: f64,
    /// Number of rows.
    pub(crate) rows: f64,
}

/// Rows that sum up others or name nobody.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Aggregates {
    pub(crate) rows: u64,
    pub(crate) impressions: f64,
    pub(crate) spend: f64,
    /// Their labels.
    pub(crate) names: Vec<String>,
}

/// A rolled-up report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rolled {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<f64>,
    pub(crate) impressions: Vec<f64>,
    pub(crate) totals: [Vec<f64>; TOTALS.len()],
    pub(crate) metrics: Vec<MetricSums>,
    pub(crate) aggregates: Aggregates,
}

/// What metrics share of the sums, rounded once.
struct Base {
    rows: Vec<f64>,
    impressions: Vec<f64>,
    /// Of impressions.
    squares: Vec<f64>,
    totals: [Vec<f64>; TOTALS.len()],
}

impl RollUp {
    /// Rounds every sum once, in the order of the keys; so many threads do it.
    pub(crate) fn finish(self, threads: usize) -> Rolled {
        let groups = &self.groups;
        let (named, others): (Vec<usize>, Vec<usize>) = groups
            .in_order()
            .into_iter()
            .filter(|&group| groups.kind(group) != NameKind::Missing)
            .partition(|&group| groups.kind(group) != NameKind::Aggregate);
        let base = Base::of(groups, &named, threads);
        let slots: Vec<(&MetricSlots, bool)> =
            self.layout.metrics.iter().zip(self.is_absent.iter().copied()).collect();
        let metrics = parallel::map(threads, &slots, |&(slots, is_absent)| {
            if is_absent { absent_metric(named.len(), slots) } else { metric(groups, &named, &base, slots) }
        });
        Rolled {
            names: parallel::map_chunks(threads, &named, |&group| groups.name(group)),
            rows: base.rows,
            impressions: base.impressions,
            totals: base.totals,
            metrics,
            aggregates: aggregates(groups, &others),
        }
    }
}

impl Base {
    fn of(groups: &Groups, named: &[usize], threads: usize) -> Self {
        let slots: [Option<usize>; 3 + TOTALS.len()] = std::array::from_fn(|at| match at {
            0 => Some(ROWS),
            1 => Some(IMPRESSIONS),
            2 => None,
            total => Some(FIRST_TOTAL + total - 3),
        });
        let mut columns = parallel::map(threads, &slots, |slot| -> Vec<f64> {
            let value = |group: usize| match slot {
                Some(slot) => groups.sums.value(group, *slot),
                None => groups.sums.squares(group, SQUARES).of_squares(),
            };
            named.iter().map(|&group| value(group)).collect()
        })
        .into_iter();
        let mut next = || columns.next().unwrap_or_default();
        Self { rows: next(), impressions: next(), squares: next(), totals: std::array::from_fn(|_| next()) }
    }

    /// The column of a usual sum, if it is one of these.
    fn column(&self, slot: usize) -> Option<&[f64]> {
        match total_of(slot) {
            Some(total) => Some(&self.totals[total]),
            None => (slot == IMPRESSIONS).then_some(&self.impressions),
        }
    }
}

/// The sums of a metric that no file has.
fn absent_metric(names: usize, slots: &MetricSlots) -> MetricSums {
    MetricSums {
        name: slots.name.clone(),
        per: slots.per,
        total: slots.total,
        x: vec![0.0; names],
        n: vec![0.0; names],
        noise: slots.noise.as_ref().map(|_| vec![RowNoise::default(); names]),
    }
}

fn metric(groups: &Groups, named: &[usize], base: &Base, slots: &MetricSlots) -> MetricSums {
    let mut columns = MetricSums {
        name: slots.name.clone(),
        per: slots.per,
        total: slots.total,
        x: Vec::with_capacity(named.len()),
        n: Vec::with_capacity(named.len()),
        noise: slots.noise.as_ref().map(|_| Vec::with_capacity(named.len())),
    };
    for (at, &group) in named.iter().enumerate() {
        let row = match groups.rare.get(group) {
            None => usual_row(groups, group, base, at, slots),
            Some(rare) => rare_row(groups, group, rare, slots),
        };
        columns.x.push(row.x);
        columns.n.push(row.n);
        if let Some(noise) = &mut columns.noise {
            noise.push(row.noise);
        }
    }
    columns
}

/// Numerator, denominator and row noise of one metric and name.
struct MetricRow {
    x: f64,
    n: f64,
    noise: RowNoise,
}

/// A row of a metric whose group has no rare sums: most of it is the same for all metrics.
fn usual_row(groups: &Groups, group: usize, base: &Base, at: usize, slots: &MetricSlots) -> MetricRow {
    let sums = &groups.sums;
    let value = |slot| base.column(slot).map_or_else(|| sums.value(group, slot), |column| column[at]);
    let (x, n) = (value(slots.x), value(slots.n));
    let noise = slots.noise.as_ref().map(|noise| {
        let (squares, rows) = match noise.own {
            Some((squares, rows)) => (sums.squares(group, squares).of_squares(), sums.value(group, rows)),
            None => (base.squares[at], base.rows[at]),
        };
        RowNoise { x, n, q: sums.quotient(group, noise.q).of_quotients(), squares, rows }
    });
    MetricRow { x, n, noise: noise.unwrap_or_default() }
}

fn rare_row(groups: &Groups, group: usize, rare: &[Sum], slots: &MetricSlots) -> MetricRow {
    let sums = &groups.sums;
    let apart = |at: usize| slots.apart.map_or(Sum::ZERO, |apart| rare[apart + at]);
    let (x, n) = (sums.sum(group, slots.x).without(apart(0)), sums.sum(group, slots.n).without(apart(1)));
    let noise = slots.noise.as_ref().map(|noise| {
        let (squares, rows) = match noise.own {
            Some((squares, rows)) => (sums.squares(group, squares), sums.sum(group, rows)),
            None => (
                sums.squares(group, SQUARES).without(apart(2)),
                sums.sum(group, ROWS).without(rare[EMPTY_ROWS]).without(apart(3)),
            ),
        };
        RowNoise {
            x: x.without(rare[noise.without_trials]).value(),
            n: n.without(rare[noise.without_trials + 1]).value(),
            q: sums.quotient(group, noise.q).of_quotients(),
            squares: squares.of_squares(),
            rows: rows.value(),
        }
    });
    MetricRow { x: x.value(), n: n.value(), noise: noise.unwrap_or_default() }
}

fn aggregates(groups: &Groups, others: &[usize]) -> Aggregates {
    let (mut rows, mut impressions, mut spend) = (Sum::ZERO, Sum::ZERO, Sum::ZERO);
    for &group in others {
        rows.merge(groups.sums.sum(group, ROWS));
        impressions.merge(groups.sums.sum(group, IMPRESSIONS));
        spend.merge(groups.sums.sum(group, FIRST_TOTAL + 2));
    }
    Aggregates {
        rows: rows.value() as u64,
        impressions: impressions.value(),
        spend: spend.value(),
        names: others.iter().map(|&group| String::from_utf8_lossy(groups.key(group)).into_owned()).collect(),
    }
}
