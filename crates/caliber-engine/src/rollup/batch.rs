//! Rows that are read and summed together, column by column.

use super::groups::Groups;
use super::plan::{
    EMPTY_ROWS, FIRST_TOTAL, IMPRESSIONS, Layout, MetricSlots, MetricSource, Plan, ROWS, SQUARES, sum_of,
    total_of,
};
use super::sums::{SumTable, Terms, Widths};
use crate::report::cell::Row;

/// Rows of a batch: enough to hide how long each name and each sum takes to come from memory.
pub(crate) const BATCH: usize = 64;

/// A number a row.
type Numbers = [f64; BATCH];

/// Rows with impressions, their groups and their numbers.
#[derive(Default)]
pub(super) struct Batch {
    /// Where in a row the numbers stand. So narrow that the column after one cannot overflow, which spares a check a cell.
    columns: Vec<u32>,
    /// By column the words of [`Row::word`] and their lengths, 0 where a cell has none: of all rows at hand, and once
    /// [kept](Self::keep_short_cells) of those in `rows`.
    words: Vec<[u64; BATCH]>,
    lens: Vec<[u64; BATCH]>,
    /// Positions among the rows at hand.
    pub(super) rows: Vec<u32>,
    pub(super) groups: Vec<u32>,
    /// By column as in [`Plan::numbers`]; NaN where missing.
    pub(super) values: Vec<Numbers>,
    terms: Terms,
}

impl Batch {
    /// A batch of numbers that stand in these columns, for so many sums.
    pub(super) fn new(columns: impl Iterator<Item = usize>, widths: Widths) -> Self {
        let columns: Vec<u32> = columns.map(|column| column as u32).collect();
        Self {
            words: vec![[0; BATCH]; columns.len()],
            lens: vec![[0; BATCH]; columns.len()],
            rows: Vec::with_capacity(BATCH),
            groups: Vec::with_capacity(BATCH),
            values: vec![[f64::NAN; BATCH]; columns.len()],
            columns,
            terms: Terms::new(widths),
        }
    }

    /// Fetches the short cells of the rows at hand, row by row: those of a row lie side by side.
    pub(super) fn fetch<R: Row>(&mut self, rows: &[R]) {
        for (at, row) in rows.iter().enumerate() {
            for ((words, lens), &column) in self.words.iter_mut().zip(&mut self.lens).zip(&self.columns) {
                (words[at], lens[at]) = row.word(column as usize);
            }
        }
    }

    /// Leaves only the short cells of the batch's rows.
    pub(super) fn keep_short_cells(&mut self) {
        if self.rows.last().is_none_or(|&last| last as usize + 1 == self.rows.len()) {
            return;
        }
        for (words, lens) in self.words.iter_mut().zip(&mut self.lens) {
            for (to, &from) in self.rows.iter().enumerate() {
                (words[to], lens[to]) = (words[from as usize], lens[from as usize]);
            }
        }
    }

    /// The first short cells of a column.
    pub(super) fn short_cells(&self, column: usize, count: usize) -> (&[u64], &[u64]) {
        (&self.words[column][..count], &self.lens[column][..count])
    }

    /// Puts in a row and its impressions.
    #[inline]
    pub(super) fn push(&mut self, row: usize, impressions: f64) {
        self.values[0][self.rows.len()] = impressions;
        self.rows.push(row as u32);
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.groups.clear();
    }

    /// Adds all rows to the sums of their groups.
    pub(super) fn sum(&mut self, layout: &Layout, plan: &Plan, groups: &mut Groups) {
        if plan.has_rare || !self.is_whole() {
            self.sum_rare(layout, plan, groups);
        }
        self.sum_columns(layout, plan, groups);
    }

    /// Whether all rows have impressions and miss nothing that the file has.
    fn is_whole(&self) -> bool {
        // Counted rather than looked for: that does several at once.
        let numbers = Columns { values: &self.values, rows: self.groups.len() };
        let missing = |column: usize| numbers.column(column).iter().filter(|value| value.is_nan()).count();
        let unseen = numbers.column(0).iter().filter(|&&impressions| impressions <= 0.0).count();
        unseen == 0 && (1..self.values.len()).all(|column| missing(column) == 0)
    }

    /// Adds to the rare sums. Rows in which something is missing are added to all sums, one by one, and leave their
    /// places to others.
    fn sum_rare(&mut self, layout: &Layout, plan: &Plan, groups: &mut Groups) {
        let mut row_values = vec![f64::NAN; self.values.len()];
        for row in (0..self.groups.len()).rev() {
            let is_whole =
                self.values[0][row] > 0.0 && !self.values.iter().any(|values| values[row].is_nan());
            if is_whole && !plan.has_rare {
                continue;
            }
            for (value, values) in row_values.iter_mut().zip(&self.values) {
                *value = values[row];
            }
            add_rare_sums(layout, plan, groups, self.groups[row] as usize, &row_values);
            if !is_whole {
                add_sums(layout, plan, &mut groups.sums, self.groups[row] as usize, &row_values);
                let last = self.groups.len() - 1;
                self.groups.swap_remove(row);
                for values in &mut self.values {
                    values[row] = values[last];
                }
            }
        }
    }

    /// Adds rows that have impressions and miss nothing that the file has.
    fn sum_columns(&mut self, layout: &Layout, plan: &Plan, groups: &mut Groups) {
        let (ids, terms, sums) = (&self.groups[..], &mut self.terms, &mut groups.sums);
        let numbers = Columns { values: &self.values, rows: ids.len() };
        let impressions = numbers.column(0);
        terms.put(IMPRESSIONS, ids, impressions, sums);
        terms.put_squares(SQUARES, ids, impressions, sums);
        terms.put_counts(ROWS, ids.iter().map(|_| true));
        let mut made = [[0.0; BATCH]; 2];
        for (slot, columns) in plan.totals.iter().enumerate() {
            if let Some(of_rows) = numbers.sum_of(columns, &mut made[0]) {
                terms.put(FIRST_TOTAL + slot, ids, of_rows, sums);
            }
        }
        for (metric, source) in layout.metrics.iter().zip(&plan.metrics) {
            numbers.put_metric(metric, source, ids, terms, sums, &mut made);
        }
        sums.add_each(ids, terms);
    }
}

/// The numbers of a batch's rows.
#[derive(Clone, Copy)]
struct Columns<'a> {
    values: &'a [Numbers],
    rows: usize,
}

impl<'a> Columns<'a> {
    /// The numbers of a column, one a row.
    fn column(self, column: usize) -> &'a [f64] {
        &self.values[column][..self.rows]
    }

    /// The sums of columns row by row; `None` of no column.
    fn sum_of<'s>(self, columns: &[usize], sum: &'s mut Numbers) -> Option<&'s [f64]>
    where
        'a: 's,
    {
        let (&first, others) = columns.split_first()?;
        if others.is_empty() {
            return Some(self.column(first));
        }
        *sum = self.values[first];
        for &other in others {
            for (sum, value) in sum.iter_mut().zip(self.column(other)) {
                *sum += value;
            }
        }
        Some(&sum[..self.rows])
    }

    /// What the rows add to the sums of a metric. `made` is room for numbers that no column holds.
    fn put_metric(
        self,
        metric: &MetricSlots,
        source: &MetricSource,
        ids: &[u32],
        terms: &mut Terms,
        sums: &mut SumTable,
        [x, n]: &mut [Numbers; 2],
    ) {
        let impressions = self.column(0);
        let (x, n): (&[f64], &[f64]) = match source {
            MetricSource::Absent => return,
            MetricSource::Reported(column) => {
                for ((x, value), impressions) in x.iter_mut().zip(self.column(*column)).zip(impressions) {
                    *x = value * impressions / metric.per;
                }
                (&x[..self.rows], impressions)
            }
            MetricSource::Counts { numerator, denominator } => {
                let Some(x) = self.sum_of(numerator, x) else { return };
                if denominator.is_empty() {
                    (x, impressions)
                } else {
                    let Some(n) = self.sum_of(denominator, n) else { return };
                    (x, n)
                }
            }
        };
        // Totals and impressions were added already.
        if !metric.shares_x() {
            terms.put(metric.x, ids, x, sums);
        }
        if !metric.shares_n() {
            terms.put(metric.n, ids, n, sums);
        }
        let Some(noise) = &metric.noise else { return };
        terms.put_quotients(noise.q, ids, x, n, sums);
        if let Some((squares, rows)) = noise.own {
            let mut trials = [0.0; BATCH];
            for (trials, &n) in trials.iter_mut().zip(n) {
                *trials = n.max(0.0);
            }
            terms.put_squares(squares, ids, &trials[..self.rows], sums);
            terms.put_counts(rows, n.iter().map(|&n| n > 0.0));
        }
    }
}

/// The sums of a row whose numbers stand in `values`.
fn add_sums(layout: &Layout, plan: &Plan, sums: &mut SumTable, group: usize, values: &[f64]) {
    let impressions = values[0];
    sums.add(group, IMPRESSIONS, impressions);
    sums.count(group, ROWS);
    if impressions > 0.0 {
        sums.add_square(group, SQUARES, impressions);
    }
    for (total, columns) in plan.totals.iter().enumerate() {
        let value = sum_of(values, columns);
        if !value.is_nan() {
            sums.add(group, FIRST_TOTAL + total, value);
        }
    }
    for (metric, source) in layout.metrics.iter().zip(&plan.metrics) {
        let (x, n) = source.of(values, impressions, metric.per);
        if x.is_nan() || n.is_nan() {
            continue;
        }
        // Totals and impressions were added already.
        if !metric.shares_x() {
            sums.add(group, metric.x, x);
        }
        if !metric.shares_n() {
            sums.add(group, metric.n, n);
        }
        if let Some(noise) = &metric.noise
            && n > 0.0
        {
            sums.add_quotient(group, noise.q, x * x / n);
            if let Some((squares, rows)) = noise.own {
                sums.add_square(group, squares, n);
                sums.count(group, rows);
            }
        }
    }
}

/// What few rows add to: numbers that are missing, rows without impressions.
fn add_rare_sums(layout: &Layout, plan: &Plan, groups: &mut Groups, group: usize, values: &[f64]) {
    let impressions = values[0];
    let rare = groups.rare.row(group);
    if impressions <= 0.0 {
        rare[EMPTY_ROWS].count();
    }
    for (metric, source) in layout.metrics.iter().zip(&plan.metrics) {
        if *source == MetricSource::Absent {
            continue;
        }
        let (x, n) = source.of(values, impressions, metric.per);
        let terms = if x.is_nan() || n.is_nan() { None } else { Some((x, n)) };
        if let Some(apart) = metric.apart {
            let added = |slot: usize| match total_of(slot) {
                Some(total) => sum_of(values, &plan.totals[total]),
                None => impressions,
            };
            if metric.shares_x() {
                rare[apart].add_difference(added(metric.x), terms.map(|(x, _)| x));
            }
            if metric.shares_n() {
                rare[apart + 1].add_difference(added(metric.n), terms.map(|(_, n)| n));
            }
            if metric.is_over_impressions() && terms.is_none() && impressions > 0.0 {
                rare[apart + 2].add_square(impressions);
                rare[apart + 3].count();
            }
        }
        if let (Some(noise), Some((x, n))) = (&metric.noise, terms)
            && n <= 0.0
        {
            rare[noise.without_trials].add(x);
            rare[noise.without_trials + 1].add(n);
        }
    }
}
