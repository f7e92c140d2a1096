//! Rows that are read and summed together, column by column.

use super::groups::Groups;
use super::plan::{
    EMPTY_ROWS, FIRST_TOTAL, IMPRESSIONS, Layout, MetricSlots, MetricSource, Plan, ROWS, SQUARES, sum_of,
};
use super::sums::SumTable;

/// Rows of a batch: enough to hide how long each name and each sum takes to come from memory.
pub(super) const BATCH: usize = 64;

/// The terms of one sum, one a row.
type Terms = [f64; BATCH];

/// Rows with impressions, their groups and their numbers.
#[derive(Default)]
pub(super) struct Batch {
    /// Positions among the rows at hand.
    pub(super) rows: Vec<u32>,
    pub(super) groups: Vec<u32>,
    /// By column as in [`Plan::numbers`]; NaN where missing.
    pub(super) values: Vec<Terms>,
}

impl Batch {
    /// A batch of so many columns of numbers.
    pub(super) fn new(columns: usize) -> Self {
        Self {
            rows: Vec::with_capacity(BATCH),
            groups: Vec::with_capacity(BATCH),
            values: vec![[f64::NAN; BATCH]; columns],
        }
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
        groups.sums.touch(&self.groups);
        if plan.has_rare || !self.is_whole() {
            self.sum_rare(layout, plan, groups);
        }
        self.sum_columns(layout, plan, groups);
    }

    /// Whether all rows have impressions and miss nothing that the file has.
    fn is_whole(&self) -> bool {
        // Counted rather than looked for: that does several at once.
        let missing = |column: usize| self.column(column).iter().filter(|value| value.is_nan()).count();
        let unseen = self.column(0).iter().filter(|&&impressions| impressions <= 0.0).count();
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
    fn sum_columns(&self, layout: &Layout, plan: &Plan, groups: &mut Groups) {
        let (ids, impressions) = (&self.groups, self.column(0));
        let sums = &mut groups.sums;
        sums.add_each(IMPRESSIONS, ids, impressions);
        sums.add_each_square(SQUARES, ids.iter().copied().zip(impressions.iter().copied()));
        sums.count_each(ROWS, ids.iter().copied());
        let mut total = [0.0; BATCH];
        for (slot, columns) in plan.totals.iter().enumerate() {
            if let Some(terms) = self.sum_of(columns, &mut total) {
                sums.add_each(FIRST_TOTAL + slot, ids, terms);
            }
        }
        for (metric, source) in layout.metrics.iter().zip(&plan.metrics) {
            self.sum_metric(metric, source, sums);
        }
    }

    fn sum_metric(&self, metric: &MetricSlots, source: &MetricSource, sums: &mut SumTable) {
        let (ids, impressions) = (&self.groups, self.column(0));
        let (mut x, mut n) = ([0.0; BATCH], [0.0; BATCH]);
        let (x, n): (&[f64], &[f64]) = match source {
            MetricSource::Absent => return,
            MetricSource::Reported(column) => {
                for ((x, value), impressions) in x.iter_mut().zip(self.column(*column)).zip(impressions) {
                    *x = value * impressions / metric.per;
                }
                (&x[..ids.len()], impressions)
            }
            MetricSource::Counts { numerator, denominator } => {
                let Some(x) = self.sum_of(numerator, &mut x) else { return };
                if denominator.is_empty() {
                    (x, impressions)
                } else {
                    let Some(n) = self.sum_of(denominator, &mut n) else { return };
                    (x, n)
                }
            }
        };
        // A count over impressions that is a total was added with the totals.
        if metric.reported.is_none() {
            sums.add_each(metric.x, ids, x);
        }
        if let Some(slot) = metric.n {
            sums.add_each(slot, ids, n);
        }
        let Some(noise) = &metric.noise else { return };
        let mut q = [0.0; BATCH];
        for ((q, &x), &n) in q.iter_mut().zip(x).zip(n) {
            *q = if n > 0.0 { x * x / n } else { 0.0 };
        }
        sums.add_each_quotient(noise.q, ids, &q[..ids.len()]);
        if let Some((squares, rows)) = noise.own {
            let with_trials = || ids.iter().copied().zip(n.iter().copied()).filter(|&(_, n)| n > 0.0);
            sums.add_each_square(squares, with_trials());
            sums.count_each(rows, with_trials().map(|(group, _)| group));
        }
    }

    /// The numbers of a column, one a row.
    fn column(&self, column: usize) -> &[f64] {
        &self.values[column][..self.groups.len()]
    }

    /// The sums of columns row by row; `None` of no column.
    fn sum_of<'a>(&'a self, columns: &[usize], sum: &'a mut Terms) -> Option<&'a [f64]> {
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
        Some(&sum[..self.groups.len()])
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
        // A count over impressions that is a total was added with the totals.
        if metric.reported.is_none() {
            sums.add(group, metric.x, x);
        }
        if let Some(slot) = metric.n {
            sums.add(group, slot, n);
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
        let (x, n) = source.of(values, impressions, metric.per);
        if x.is_nan() || n.is_nan() {
            if metric.n.is_none() {
                rare[metric.absent].add(impressions);
                if impressions > 0.0 {
                    rare[metric.absent + 1].add_square(impressions);
                    rare[metric.absent + 2].count();
                }
            }
            continue;
        }
        if let (Some(slot), MetricSource::Reported(_)) = (metric.reported, source) {
            rare[slot].add(x);
        }
        if let Some(noise) = &metric.noise
            && n <= 0.0
        {
            rare[noise.without_trials].add(x);
            rare[noise.without_trials + 1].add(n);
        }
    }
}
