//! The sums of all rows, as columns in the order of the names' keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RollUp;
use super::exact::Sum;
use super::groups::Groups;
use super::plan::{EMPTY_ROWS, FIRST_TOTAL, IMPRESSIONS, MetricSlots, NoiseSlots, ROWS, SQUARES, TOTALS};
use crate::names::NameKind;
use crate::parallel;

/// Names whose sums are rounded together.
const AT_ONCE: usize = 256;

/// One figure a name. Metrics share what is the same for them: impressions, clicks, how many rows.
pub(crate) type Column = Arc<Vec<f64>>;

/// Numerators, denominators and row noise of one metric.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetricSums {
    pub(crate) name: String,
    pub(crate) per: f64,
    /// The metric is a summed column itself: its value is `x`.
    pub(crate) total: bool,
    /// Sum of numerators over rows where numerator and denominator are present.
    pub(crate) x: Column,
    /// Sum of denominators over the same rows.
    pub(crate) n: Column,
    /// For shares: the sums of evidence.md 1.2.
    pub(crate) noise: Option<NoiseSums>,
}

/// The columns of [`RowNoise`].
#[derive(Clone, Debug, Default)]
pub(crate) struct NoiseSums {
    x: Column,
    n: Column,
    q: Column,
    squares: Column,
    rows: Column,
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

impl NoiseSums {
    /// The sums of a name.
    pub(crate) fn of(&self, name: usize) -> RowNoise {
        RowNoise {
            x: self.x[name],
            n: self.n[name],
            q: self.q[name],
            squares: self.squares[name],
            rows: self.rows[name],
        }
    }

    fn set(&mut self, name: usize, noise: RowNoise) {
        let Self { x, n, q, squares, rows } = self;
        let figures = [noise.x, noise.n, noise.q, noise.squares, noise.rows];
        for (column, figure) in [x, n, q, squares, rows].into_iter().zip(figures) {
            Arc::make_mut(column)[name] = figure;
        }
    }
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
    pub(crate) rows: Column,
    pub(crate) impressions: Column,
    pub(crate) totals: [Column; TOTALS.len()],
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
        let slots: Vec<(&MetricSlots, bool)> =
            self.layout.metrics.iter().zip(self.is_absent.iter().copied()).collect();
        let present = slots.iter().filter(|(_, is_absent)| !is_absent).map(|(slots, _)| *slots);
        let columns = Columns::of(groups, &named, present, threads);
        let with_rare = |(name, &group): (usize, &usize)| Some((name, groups.rare.get(group)?));
        let rare: Vec<(usize, &[Sum])> = named.iter().enumerate().filter_map(with_rare).collect();
        let metrics =
            parallel::map(if rare.is_empty() { 1 } else { threads }, &slots, |&(slots, is_absent)| {
                if is_absent {
                    columns.absent_metric(slots)
                } else {
                    columns.metric(groups, &named, &rare, slots)
                }
            });
        Rolled {
            rows: columns.of_part(Part::Usual(ROWS)),
            impressions: columns.of_part(Part::Usual(IMPRESSIONS)),
            totals: std::array::from_fn(|total| columns.of_part(Part::Usual(FIRST_TOTAL + total))),
            metrics,
            aggregates: aggregates(groups, &others),
            names: columns.names,
        }
    }
}

/// A sum that every group has, by its kind and its slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Usual(usize),
    Squares(usize),
    Quotient(usize),
}

impl Part {
    /// The sums of a metric: x, n, and for shares q, squares and rows.
    fn all_of(slots: &MetricSlots) -> impl Iterator<Item = Self> {
        let noise = slots.noise.iter().flat_map(Self::of_noise);
        [Self::Usual(slots.x), Self::Usual(slots.n)].into_iter().chain(noise)
    }

    fn of_noise(noise: &NoiseSlots) -> [Self; 3] {
        let (squares, rows) = noise.own.unwrap_or((SQUARES, ROWS));
        [Self::Quotient(noise.q), Self::Squares(squares), Self::Usual(rows)]
    }

    /// The sum of a group, rounded.
    #[inline]
    fn value(self, groups: &Groups, group: usize) -> f64 {
        match self {
            Self::Usual(slot) => groups.sums.value(group, slot),
            Self::Squares(slot) => groups.sums.squares(group, slot).of_squares(),
            Self::Quotient(slot) => groups.sums.quotient(group, slot).of_quotients(),
        }
    }
}

/// All names and their sums, as they are for most: without what few rows add and take away.
struct Columns {
    names: Vec<String>,
    parts: BTreeMap<Part, Column>,
}

impl Columns {
    /// The names, the totals and the parts of these metrics.
    fn of<'a>(
        groups: &Groups,
        named: &[usize],
        metrics: impl Iterator<Item = &'a MetricSlots>,
        threads: usize,
    ) -> Self {
        let totals = (0..TOTALS.len()).map(|total| FIRST_TOTAL + total);
        let shown = [ROWS, IMPRESSIONS].into_iter().chain(totals).map(Part::Usual);
        let parts: BTreeSet<Part> = shown.chain(metrics.flat_map(Part::all_of)).collect();
        let parts: Vec<Part> = parts.into_iter().collect();
        // Some names at a time, so that their sums are fetched once for all parts.
        let chunks: Vec<&[usize]> = named.chunks(AT_ONCE).collect();
        let made = parallel::map(threads, &chunks, |chunk| {
            let of_part = |part: &Part| chunk.iter().map(|&group| part.value(groups, group)).collect();
            let texts = chunk.iter().map(|&group| groups.name(group)).collect();
            (texts, parts.iter().map(of_part).collect())
        });
        let (texts, values): (Vec<Vec<String>>, Vec<Vec<Vec<f64>>>) = made.into_iter().unzip();
        let column = |at: usize| values.iter().map(|values| &values[at][..]).collect::<Vec<_>>().concat();
        let columns = (0..parts.len()).map(|at| Column::new(column(at)));
        let parts = parts.iter().copied().zip(columns).collect();
        Self { names: texts.into_iter().flatten().collect(), parts }
    }

    /// One of the parts that [`Columns::of`] has gathered.
    fn of_part(&self, part: Part) -> Column {
        Arc::clone(&self.parts[&part])
    }

    /// The sums of a metric that no file has.
    fn absent_metric(&self, slots: &MetricSlots) -> MetricSums {
        let zeros = Column::new(vec![0.0; self.names.len()]);
        let zeros = || Arc::clone(&zeros);
        let noise = slots.noise.as_ref().map(|_| NoiseSums {
            x: zeros(),
            n: zeros(),
            q: zeros(),
            squares: zeros(),
            rows: zeros(),
        });
        MetricSums {
            name: slots.name.clone(),
            per: slots.per,
            total: slots.total,
            x: zeros(),
            n: zeros(),
            noise,
        }
    }

    /// The sums of a metric; `rare` are the names that have rare sums, and these.
    fn metric(
        &self,
        groups: &Groups,
        named: &[usize],
        rare: &[(usize, &[Sum])],
        slots: &MetricSlots,
    ) -> MetricSums {
        let (mut x, mut n) = (self.of_part(Part::Usual(slots.x)), self.of_part(Part::Usual(slots.n)));
        let mut noise = slots.noise.as_ref().map(|noise| {
            let [q, squares, rows] = Part::of_noise(noise).map(|part| self.of_part(part));
            NoiseSums { x: Arc::clone(&x), n: Arc::clone(&n), q, squares, rows }
        });
        for &(name, sums) in rare {
            let row = rare_row(groups, named[name], sums, slots);
            Arc::make_mut(&mut x)[name] = row.x;
            Arc::make_mut(&mut n)[name] = row.n;
            if let Some(noise) = &mut noise {
                noise.set(name, row.noise);
            }
        }
        MetricSums { name: slots.name.clone(), per: slots.per, total: slots.total, x, n, noise }
    }
}

/// Numerator, denominator and row noise of one metric and name.
struct MetricRow {
    x: f64,
    n: f64,
    noise: RowNoise,
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
        names: others.iter().map(|&group| groups.key(group).to_owned()).collect(),
    }
}
