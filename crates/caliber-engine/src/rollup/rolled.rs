//! The sums of all rows, as columns in the order of the names' keys.

use super::RollUp;
use super::exact::Sum;
use super::groups::Groups;
use super::plan::{EMPTY_ROWS, FIRST_TOTAL, IMPRESSIONS, MetricSlots, ROWS, SQUARES, TOTALS};
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

impl RollUp {
    /// Rounds every sum once, in the order of the keys; so many threads do it.
    pub(crate) fn finish(self, threads: usize) -> Rolled {
        let groups = &self.groups;
        let (named, others): (Vec<usize>, Vec<usize>) = groups
            .in_order()
            .into_iter()
            .filter(|&group| groups.kind(group) != NameKind::Missing)
            .partition(|&group| groups.kind(group) != NameKind::Aggregate);
        let column = |slot: &usize| -> Vec<f64> {
            named.iter().map(|&group| groups.sums_of(group)[*slot].value()).collect()
        };
        let metrics = parallel::map(threads, &self.layout.metrics, |slots| metric(groups, &named, slots));
        let slots: [usize; 2 + TOTALS.len()] = std::array::from_fn(|slot| match slot {
            0 => ROWS,
            1 => IMPRESSIONS,
            total => FIRST_TOTAL + total - 2,
        });
        let mut columns = parallel::map(threads, &slots, column).into_iter();
        let mut next = || columns.next().unwrap_or_default();
        Rolled {
            names: named.iter().map(|&group| groups.name(group)).collect(),
            rows: next(),
            impressions: next(),
            totals: std::array::from_fn(|_| next()),
            metrics,
            aggregates: aggregates(groups, &others),
        }
    }
}

fn metric(groups: &Groups, named: &[usize], slots: &MetricSlots) -> MetricSums {
    let mut sums = MetricSums {
        name: slots.name.clone(),
        per: slots.per,
        total: slots.total,
        noise: slots.noise.as_ref().map(|_| Vec::with_capacity(named.len())),
        ..MetricSums::default()
    };
    for &group in named {
        let (usual, rare) = (groups.sums_of(group), groups.rare_of(group));
        let rarely = |slot: usize| rare.map_or(Sum::ZERO, |rare| rare[slot]);
        let n = match slots.n {
            Some(slot) => usual[slot],
            None => usual[IMPRESSIONS].without(rarely(slots.absent)),
        };
        let mut x = usual[slots.x];
        if let Some(slot) = slots.reported {
            x.merge(rarely(slot));
        }
        sums.x.push(x.value());
        sums.n.push(n.value());
        if let (Some(noise), Some(column)) = (&slots.noise, &mut sums.noise) {
            let (squares, rows) = match noise.own {
                Some((squares, rows)) => (usual[squares], usual[rows]),
                None => (
                    usual[SQUARES].without(rarely(slots.absent + 1)),
                    usual[ROWS].without(rarely(EMPTY_ROWS)).without(rarely(slots.absent + 2)),
                ),
            };
            column.push(RowNoise {
                x: x.without(rarely(noise.without_trials)).value(),
                n: n.without(rarely(noise.without_trials + 1)).value(),
                q: usual[noise.q].value(),
                squares: squares.of_squares(),
                rows: rows.value(),
            });
        }
    }
    sums
}

fn aggregates(groups: &Groups, others: &[usize]) -> Aggregates {
    let (mut rows, mut impressions, mut spend) = (Sum::ZERO, Sum::ZERO, Sum::ZERO);
    for &group in others {
        let sums = groups.sums_of(group);
        rows.merge(sums[ROWS]);
        impressions.merge(sums[IMPRESSIONS]);
        spend.merge(sums[FIRST_TOTAL + 2]);
    }
    Aggregates {
        rows: rows.value() as u64,
        impressions: impressions.value(),
        spend: spend.value(),
        names: others.iter().map(|&group| String::from_utf8_lossy(groups.key(group)).into_owned()).collect(),
    }
}
