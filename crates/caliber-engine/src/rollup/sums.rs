//! The sums of all groups. They lie all over memory, and fetching them costs more than adding to them: so they are small.
//!
//! Nearly every sum is one of decimals of up to nine places and below 9.2e9, which 64 bits hold in units of 10^-9; squares
//! are as small in theirs. What does not fit spills into a row of [`Sum`]s that its group gets when it first needs
//! one. The exact sum is both together.

use super::batch::BATCH;
use super::exact::{self, NANOS_IN_ONE, Sum, Term};

/// A group without such a row.
const NONE: u32 = u32::MAX;

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

/// A row of sums for every group.
pub(crate) struct SumTable {
    widths: Widths,
    /// Usual sums in units of 10^-9, then squares in units of 2^-20, group by group.
    small: Vec<i64>,
    /// What did not fit into `small`.
    spilled: SparseRows,
    quotients: Vec<Sum>,
}

impl SumTable {
    pub(super) fn new(widths: Widths) -> Self {
        Self {
            widths,
            small: Vec::new(),
            spilled: SparseRows::new(widths.usual + widths.squares),
            quotients: Vec::new(),
        }
    }

    /// Makes room for one more group.
    pub(super) fn push(&mut self) {
        self.small.resize(self.small.len() + self.width(), 0);
        self.quotients.resize(self.quotients.len() + self.widths.quotients, Sum::ZERO);
        self.spilled.push();
    }

    #[inline]
    fn width(&self) -> usize {
        self.widths.usual + self.widths.squares
    }

    /// Brings the sums of several groups into the cache side by side.
    pub(super) fn touch(&self, groups: &[u32]) {
        let (width, mut seen) = (self.width(), 0);
        for &group in groups {
            let row = &self.small[group as usize * width..][..width];
            // Eight of them are a line of the cache.
            for sum in row.iter().step_by(8).chain(row.last()) {
                seen |= *sum;
            }
        }
        std::hint::black_box(seen);
    }

    /// Adds a term each to one sum of several groups.
    #[inline]
    pub(super) fn add_each(&mut self, slot: usize, groups: &[u32], terms: &[f64]) {
        let mut nanos = [0; BATCH];
        if exact::nanos(terms, &mut nanos) {
            for (&group, nanos) in groups.iter().zip(nanos) {
                self.add_small(group as usize, slot, nanos);
            }
        } else {
            for (&group, &term) in groups.iter().zip(terms) {
                self.add(group as usize, slot, term);
            }
        }
    }

    /// Adds the square of a term each to one sum of several groups.
    #[inline]
    pub(super) fn add_each_square(&mut self, slot: usize, terms: impl Iterator<Item = (u32, f64)>) {
        for (group, term) in terms {
            self.add_square(group as usize, slot, term);
        }
    }

    /// Adds a quotient each to one sum of several groups; most are 0.
    #[inline]
    pub(super) fn add_each_quotient(&mut self, slot: usize, groups: &[u32], terms: &[f64]) {
        for (&group, &term) in groups.iter().zip(terms).filter(|(_, term)| **term != 0.0) {
            self.add_quotient(group as usize, slot, term);
        }
    }

    /// Counts one more in one sum of several groups.
    #[inline]
    pub(super) fn count_each(&mut self, slot: usize, groups: impl Iterator<Item = u32>) {
        for group in groups {
            self.count(group as usize, slot);
        }
    }

    /// Adds a term.
    #[inline]
    pub(super) fn add(&mut self, group: usize, slot: usize, term: f64) {
        match Term::of(term) {
            Term::Nanos(nanos) => self.add_small(group, slot, nanos),
            Term::Units(units) => self.spilled.row(group)[slot].merge(units),
        }
    }

    /// Counts one more.
    #[inline]
    pub(super) fn count(&mut self, group: usize, slot: usize) {
        self.add_small(group, slot, NANOS_IN_ONE);
    }

    /// Adds the square of a term.
    #[inline]
    pub(super) fn add_square(&mut self, group: usize, slot: usize, term: f64) {
        let slot = self.widths.usual + slot;
        let root = exact::root_of_square(term);
        match root.checked_mul(root) {
            Some(square) => self.add_small(group, slot, square),
            None => self.spilled.row(group)[slot].add_square(term),
        }
    }

    /// Adds a quotient.
    #[inline]
    pub(super) fn add_quotient(&mut self, group: usize, slot: usize, term: f64) {
        self.quotients[group * self.widths.quotients + slot].add(term);
    }

    #[inline]
    fn add_small(&mut self, group: usize, slot: usize, more: i64) {
        let at = group * self.width() + slot;
        match self.small[at].checked_add(more) {
            Some(sum) => self.small[at] = sum,
            None => self.spill(group, slot, more),
        }
    }

    /// Makes room in a small sum for what it cannot take.
    #[cold]
    fn spill(&mut self, group: usize, slot: usize, more: i64) {
        let at = group * self.width() + slot;
        let full = self.whole(slot, self.small[at]);
        self.small[at] = more;
        self.spilled.row(group)[slot].merge(full);
    }

    /// A small sum in the units of its kind.
    #[inline]
    fn whole(&self, slot: usize, small: i64) -> Sum {
        if slot < self.widths.usual { Sum::of_nanos(small) } else { Sum::of_units(small) }
    }

    /// A usual sum.
    pub(super) fn sum(&self, group: usize, slot: usize) -> Sum {
        let mut sum = self.whole(slot, self.small[group * self.width() + slot]);
        if let Some(spilled) = self.spilled.get(group) {
            sum.merge(spilled[slot]);
        }
        sum
    }

    /// A sum of squares, to be read by [`Sum::of_squares`].
    pub(super) fn squares(&self, group: usize, slot: usize) -> Sum {
        self.sum(group, self.widths.usual + slot)
    }

    /// A sum of quotients.
    pub(super) fn quotient(&self, group: usize, slot: usize) -> Sum {
        self.quotients[group * self.widths.quotients + slot]
    }

    /// Adds the sums of a group of another table.
    pub(super) fn merge(&mut self, group: usize, other: &Self, theirs: usize) {
        let width = self.width();
        for slot in 0..width {
            self.add_small(group, slot, other.small[theirs * width + slot]);
        }
        self.spilled.merge(group, &other.spilled, theirs);
        let width = self.widths.quotients;
        let ours = &mut self.quotients[group * width..][..width];
        for (sum, more) in ours.iter_mut().zip(&other.quotients[theirs * width..]) {
            sum.merge(*more);
        }
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
