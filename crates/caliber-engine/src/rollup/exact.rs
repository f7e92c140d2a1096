//! Sums that do not depend on the order of their terms.
//!
//! Every term is turned into a fixed-point integer once; integers add the same in any order, so the number of
//! threads, the ends of chunks and the order of rows cannot change a bit of a sum. A double has 53 bits and the
//! fixed point 63 behind the point, so terms down to 1e-3 keep all of theirs and a term of 1e-9 keeps ten digits.

/// 2^63, the fixed point of [`Sum`].
const POINT: f64 = 9_223_372_036_854_775_808.0;

/// A sum of doubles of magnitude below 9.2e18, in units of 2^-64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sum(i128);

impl Sum {
    pub(crate) const ZERO: Self = Self(0);

    /// Adds a term.
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        let whole = value as i64;
        let rest = value - whole as f64;
        self.0 = self.0.saturating_add((i128::from(whole) << 64) + (i128::from((rest * POINT) as i64) << 1));
    }

    /// Adds the square of a term; the sum is then in units of 2^-20 and read by [`Sum::of_squares`].
    #[inline]
    pub(crate) fn add_square(&mut self, value: f64) {
        let scaled = i128::from((value * 1024.0) as i64);
        self.0 = self.0.saturating_add(scaled * scaled);
    }

    /// Counts one more.
    #[inline]
    pub(crate) fn count(&mut self) {
        self.0 = self.0.saturating_add(1 << 64);
    }

    /// Puts two sums together.
    #[inline]
    pub(crate) fn merge(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    /// What is left when `part` is taken out; exact.
    pub(crate) fn without(self, part: Self) -> Self {
        Self(self.0.saturating_sub(part.0))
    }

    /// The sum, rounded once.
    pub(crate) fn value(self) -> f64 {
        self.0 as f64 / (2.0 * POINT)
    }

    /// The sum of squares, rounded once.
    pub(crate) fn of_squares(self) -> f64 {
        self.0 as f64 / 1_048_576.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(terms: impl IntoIterator<Item = f64>) -> Sum {
        let mut sum = Sum::ZERO;
        for term in terms {
            sum.add(term);
        }
        sum
    }

    #[test]
    fn a_tenth_ten_times_is_one() {
        assert_eq!(sum([0.1; 10]).value(), 1.0);
        assert_eq!(sum([1e15, 0.01, -1e15]).value(), 0.01);
    }

    proptest! {
        #[test]
        fn order_and_splitting_change_no_bit(mut terms in prop::collection::vec(-1e9..1e9_f64, 1..50), at in 0_usize..50) {
            let straight = sum(terms.iter().copied());
            terms.rotate_left(at % terms.len());
            let (mut left, right) = (sum(terms[..at % terms.len()].iter().copied()), sum(terms[at % terms.len()..].iter().copied()));
            left.merge(right);
            prop_assert_eq!(straight, left);
        }

        #[test]
        fn a_single_term_comes_back(term in prop_oneof![-1e15..1e15_f64, -1.0..1.0_f64, Just(0.0)]) {
            let back = sum([term]).value();
            prop_assert!((back - term).abs() <= term.abs() * 1e-15 + 1e-18, "{} {}", term, back);
        }
    }
}
