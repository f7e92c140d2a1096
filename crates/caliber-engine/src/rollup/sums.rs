//! The sums of all groups. They lie all over memory, and fetching them costs more than adding to them: so they are small,
//! and those of a group fill whole lines of the cache.
//!
//! Nearly every sum is one of decimals of up to nine places and below 9.2e9, which 64 bits hold in units of 10^-9; squares
//! and quotients are as small in theirs. What does not fit spills into a row of [`Sum`]s that its group gets when it first
//! needs one. The exact sum is both together.

use super::batch::BATCH;
use super::exact::{self, NANOS_IN_ONE, Sum, Term};
use super::prefetch::prefetch;

/// A group without such a row.
const NONE: u32 = u32::MAX;
/// Sums in a line of the cache.
const LINE: usize = 8;

/// A line of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([i64; LINE]);

const EMPTY_LINE: Line = Line([0; LINE]);

/// How many sums a group has, by kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Widths {
    /// Of terms that are decimals as a rule.
    pub(crate) usual: usize,
    /// Of squares.
    pub(crate) squares: usize,
    /// Of quotients, which are no decimals.
    pub(crate) quotients: usize,
}

impl Widths {
    fn all(self) -> usize {
        self.usual + self.squares + self.quotients
    }

    fn lines(self) -> usize {
        self.all().div_ceil(LINE)
    }
}

/// What a batch of rows adds to the sums of their groups, in the order of the rows.
#[derive(Default)]
pub(super) struct Terms {
    widths: Widths,
    /// Laid out as [`SumTable::small`].
    small: Vec<Line>,
    /// The terms of one slot.
    column: Vec<i64>,
}

impl Terms {
    pub(super) fn new(widths: Widths) -> Self {
        Self { widths, small: vec![EMPTY_LINE; BATCH * widths.lines()], column: vec![0; BATCH] }
    }

    /// A term each.
    pub(super) fn put(&mut self, slot: usize, groups: &[u32], terms: &[f64], sums: &mut SumTable) {
        self.put_with(
            slot,
            groups,
            |nanos| exact::nanos(terms, nanos),
            |at, group| sums.small_term(group, slot, terms[at]),
        );
    }

    /// One more each, where `counts` says so.
    pub(super) fn put_counts(&mut self, slot: usize, counts: impl Iterator<Item = bool>) {
        let lines = self.small.chunks_exact_mut(self.widths.lines());
        for (lines, counts) in lines.zip(counts) {
            lines[slot / LINE].0[slot % LINE] = if counts { NANOS_IN_ONE } else { 0 };
        }
    }

    /// The square of a term each.
    pub(super) fn put_squares(&mut self, slot: usize, groups: &[u32], terms: &[f64], sums: &mut SumTable) {
        let slot = self.widths.usual + slot;
        let one = |at: usize, group| sums.small_square(group, slot, terms[at]);
        self.put_with(slot, groups, |squares| exact::small_squares(terms, squares), one);
    }

    /// x²/n each, 0 where n is not above 0.
    pub(super) fn put_quotients(
        &mut self,
        slot: usize,
        groups: &[u32],
        x: &[f64],
        n: &[f64],
        sums: &mut SumTable,
    ) {
        let slot = self.widths.usual + self.widths.squares + slot;
        let one = |at: usize, group| {
            if n[at] > 0.0 { sums.small_quotient(group, slot, x[at] * x[at] / n[at]) } else { 0 }
        };
        self.put_with(slot, groups, |quotients| exact::small_quotients(x, n, quotients), one);
    }

    /// What `all` makes at once, or where it cannot, `one` by one by row and group.
    #[inline]
    fn put_with(
        &mut self,
        slot: usize,
        groups: &[u32],
        all: impl FnOnce(&mut [i64]) -> bool,
        mut one: impl FnMut(usize, usize) -> i64,
    ) {
        let column = &mut self.column[..groups.len()];
        if !all(column) {
            for (at, (term, &group)) in column.iter_mut().zip(groups).enumerate() {
                *term = one(at, group as usize);
            }
        }
        for (lines, term) in self.small.chunks_exact_mut(self.widths.lines()).zip(column) {
            lines[slot / LINE].0[slot % LINE] = *term;
        }
    }
}

/// A row of sums for every group.
pub(crate) struct SumTable {
    widths: Widths,
    /// Group by group: usual sums in units of 10^-9, squares in units of 2^-20, quotients in units of 2^-44, up to the end
    /// of a line.
    small: Vec<Line>,
    /// What did not fit into `small`.
    spilled: SparseRows,
}

impl SumTable {
    /// A table with room for so many groups.
    pub(super) fn with_capacity(widths: Widths, groups: usize) -> Self {
        let small = Vec::with_capacity(groups * widths.lines());
        Self { widths, small, spilled: SparseRows::new(widths.all()) }
    }

    /// Makes room for one more group.
    pub(super) fn push(&mut self) {
        self.small.resize(self.small.len() + self.widths.lines(), EMPTY_LINE);
        self.spilled.push();
    }

    /// Begins to bring the sums of several groups into the cache.
    pub(super) fn prefetch(&self, groups: &[u32]) {
        let lines = self.widths.lines();
        for &group in groups {
            self.small[group as usize * lines..][..lines].iter().for_each(prefetch);
        }
    }

    /// Adds the terms of several groups.
    pub(super) fn add_each(&mut self, groups: &[u32], terms: &Terms) {
        for (&group, terms) in groups.iter().zip(terms.small.chunks_exact(self.widths.lines())) {
            self.add_row(group as usize, terms);
        }
    }

    /// Adds to all sums of a group.
    #[inline]
    fn add_row(&mut self, group: usize, terms: &[Line]) {
        let lines = self.widths.lines();
        let mut overflow = 0;
        for (sums, terms) in self.small[group * lines..][..lines].iter_mut().zip(terms) {
            for (sum, term) in sums.0.iter_mut().zip(terms.0) {
                let raised = sum.wrapping_add(term);
                // The sign is wrong where both had the other one.
                overflow |= (*sum ^ raised) & (term ^ raised);
                *sum = raised;
            }
        }
        if overflow < 0 {
            self.spill_row(group, terms);
        }
    }

    /// Makes room in those sums of a group that have just taken more than they can.
    #[cold]
    fn spill_row(&mut self, group: usize, terms: &[Line]) {
        for slot in 0..self.widths.all() {
            let term = terms[slot / LINE].0[slot % LINE];
            let sum = self.small_mut(group, slot);
            *sum = sum.wrapping_sub(term);
            self.add_small(group, slot, term);
        }
    }

    /// Adds a term.
    pub(super) fn add(&mut self, group: usize, slot: usize, term: f64) {
        let small = self.small_term(group, slot, term);
        self.add_small(group, slot, small);
    }

    /// Counts one more.
    pub(super) fn count(&mut self, group: usize, slot: usize) {
        self.add_small(group, slot, NANOS_IN_ONE);
    }

    /// Adds the square of a term.
    pub(super) fn add_square(&mut self, group: usize, slot: usize, term: f64) {
        let slot = self.widths.usual + slot;
        let small = self.small_square(group, slot, term);
        self.add_small(group, slot, small);
    }

    /// Adds a quotient.
    pub(super) fn add_quotient(&mut self, group: usize, slot: usize, term: f64) {
        let slot = self.widths.usual + self.widths.squares + slot;
        let small = self.small_quotient(group, slot, term);
        self.add_small(group, slot, small);
    }

    /// What a term adds to a small sum; what cannot be part of one is added to the spilled.
    #[inline]
    fn small_term(&mut self, group: usize, slot: usize, term: f64) -> i64 {
        match Term::of(term) {
            Term::Nanos(nanos) => nanos,
            Term::Units(units) => self.spill(group, slot, units),
        }
    }

    #[inline]
    fn small_square(&mut self, group: usize, slot: usize, term: f64) -> i64 {
        let root = exact::root_of_square(term);
        root.checked_mul(root).unwrap_or_else(|| self.spill(group, slot, Sum::square_of_root(root)))
    }

    #[inline]
    fn small_quotient(&mut self, group: usize, slot: usize, term: f64) -> i64 {
        exact::small_quotient(term).unwrap_or_else(|| self.spill(group, slot, Sum::quotient(term)))
    }

    /// Adds to what did not fit; nothing of it is left for the small sum.
    #[cold]
    fn spill(&mut self, group: usize, slot: usize, more: Sum) -> i64 {
        self.spilled.row(group)[slot].merge(more);
        0
    }

    #[inline]
    fn add_small(&mut self, group: usize, slot: usize, more: i64) {
        let sum = self.small_mut(group, slot);
        if let Some(raised) = sum.checked_add(more) {
            *sum = raised;
        } else {
            let full = std::mem::replace(sum, more);
            let full = self.whole(slot, full);
            self.spill(group, slot, full);
        }
    }

    #[inline]
    fn small_mut(&mut self, group: usize, slot: usize) -> &mut i64 {
        &mut self.small[group * self.widths.lines() + slot / LINE].0[slot % LINE]
    }

    #[inline]
    fn small(&self, group: usize, slot: usize) -> i64 {
        self.small[group * self.widths.lines() + slot / LINE].0[slot % LINE]
    }

    /// A small sum in the units that the spilled of its kind has.
    #[inline]
    fn whole(&self, slot: usize, small: i64) -> Sum {
        if slot < self.widths.usual { Sum::of_nanos(small) } else { Sum::of_units(small) }
    }

    /// A usual sum.
    pub(super) fn sum(&self, group: usize, slot: usize) -> Sum {
        let mut sum = self.whole(slot, self.small(group, slot));
        if let Some(spilled) = self.spilled.get(group) {
            sum.merge(spilled[slot]);
        }
        sum
    }

    /// A usual sum as the nearest double.
    pub(super) fn value(&self, group: usize, slot: usize) -> f64 {
        let quick =
            if self.spilled.get(group).is_none() { exact::of_nanos(self.small(group, slot)) } else { None };
        quick.unwrap_or_else(|| self.sum(group, slot).value())
    }

    /// A sum of squares, to be read by [`Sum::of_squares`].
    pub(super) fn squares(&self, group: usize, slot: usize) -> Sum {
        self.sum(group, self.widths.usual + slot)
    }

    /// A sum of quotients, to be read by [`Sum::of_quotients`].
    pub(super) fn quotient(&self, group: usize, slot: usize) -> Sum {
        self.sum(group, self.widths.usual + self.widths.squares + slot)
    }

    /// Adds the sums of a group of another table.
    pub(super) fn merge(&mut self, group: usize, other: &Self, theirs: usize) {
        let lines = self.widths.lines();
        self.add_row(group, &other.small[theirs * lines..][..lines]);
        self.spilled.merge(group, &other.spilled, theirs);
    }
}

/// Rows of sums that few groups have.
pub(super) struct SparseRows {
    width: usize,
    at: Vec<u32>,
    sums: Vec<Sum>,
}

impl SparseRows {
    pub(super) fn new(width: usize) -> Self {
        Self { width, at: Vec::new(), sums: Vec::new() }
    }

    /// One more group, which has none yet.
    pub(super) fn push(&mut self) {
        self.at.push(NONE);
    }

    /// A group's row, made now if it was not.
    pub(super) fn row(&mut self, group: usize) -> &mut [Sum] {
        if self.at[group] == NONE {
            self.at[group] = (self.sums.len() / self.width.max(1)) as u32;
            self.sums.resize(self.sums.len() + self.width, Sum::ZERO);
        }
        &mut self.sums[self.at[group] as usize * self.width..][..self.width]
    }

    /// A group's row, if it has one.
    pub(super) fn get(&self, group: usize) -> Option<&[Sum]> {
        let at = self.at[group];
        (at != NONE).then(|| &self.sums[at as usize * self.width..][..self.width])
    }

    /// Adds the row of a group of other rows.
    pub(super) fn merge(&mut self, group: usize, other: &Self, theirs: usize) {
        let Some(more) = other.get(theirs) else { return };
        for (sum, more) in self.row(group).iter_mut().zip(more) {
            sum.merge(*more);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDTHS: Widths = Widths { usual: 9, squares: 1, quotients: 2 };

    /// Rows of groups and terms: decimals, numbers near what 64 bits hold, and others.
    fn rows() -> impl Strategy<Value = Vec<(u32, f64)>> {
        let term = prop_oneof![
            (0..2_000_000_000_i64).prop_map(|cents| cents as f64 / 1000.0),
            8e9..9.3e9_f64,
            (0..9_000_000_000_i64).prop_map(|whole| whole as f64),
            0.0..1e12_f64,
        ];
        prop::collection::vec((0..3_u32, term), 0..60)
    }

    fn empty_table() -> SumTable {
        let mut table = SumTable::with_capacity(WIDTHS, 1);
        (0..3).for_each(|_| table.push());
        table
    }

    /// A table to which batches of so many rows were added.
    fn table(rows: &[(u32, f64)], batch: usize) -> SumTable {
        let (mut table, mut terms) = (empty_table(), Terms::new(WIDTHS));
        for rows in rows.chunks(batch) {
            let (groups, x): (Vec<u32>, Vec<f64>) = rows.iter().copied().unzip();
            let ones = vec![1.0; x.len()];
            terms.put(8, &groups, &x, &mut table);
            terms.put_counts(0, x.iter().map(|x| *x > 1e6));
            terms.put_squares(0, &groups, &x, &mut table);
            terms.put_quotients(1, &groups, &x, &ones, &mut table);
            table.add_each(&groups, &terms);
        }
        table
    }

    proptest! {
        #[test]
        fn sums_are_exact_in_batches_and_row_by_row_and_merged(rows in rows(), batch in 1..=BATCH, cut in 0..60_usize) {
            let batched = table(&rows, batch);
            let mut one_by_one = empty_table();
            let mut exact = [[Sum::ZERO; 4]; 3];
            for &(group, x) in &rows {
                let group = group as usize;
                one_by_one.add(group, 8, x);
                one_by_one.add_square(group, 0, x);
                one_by_one.add_quotient(group, 1, x * x);
                exact[group][0].add(x);
                exact[group][1].add_square(x);
                exact[group][2].merge(Sum::quotient(x * x));
                if x > 1e6 {
                    one_by_one.count(group, 0);
                    exact[group][3].count();
                }
            }
            let (first, second) = rows.split_at(cut.min(rows.len()));
            let mut merged = table(first, batch);
            let second = table(second, batch);
            (0..3).for_each(|group| merged.merge(group, &second, group));
            for table in [batched, one_by_one, merged] {
                for (group, [sum, squares, quotients, count]) in exact.into_iter().enumerate() {
                    prop_assert_eq!(table.sum(group, 8), sum);
                    prop_assert_eq!(table.value(group, 8), sum.value());
                    prop_assert_eq!(table.squares(group, 0), squares);
                    prop_assert_eq!(table.quotient(group, 1), quotients);
                    prop_assert_eq!(table.sum(group, 0), count);
                    prop_assert_eq!(table.value(group, 5), 0.0);
                }
            }
        }
    }
}
