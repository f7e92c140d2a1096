//! Sums that do not depend on the order of their terms.
//!
//! Every term is turned into a whole number of 10^-18 once; whole numbers add the same in any order, so the number
//! of threads, the ends of chunks and the order of rows cannot change a bit of a sum. A term of up to nine decimals
//! counts as the decimal that was written, so cents add up to cents; any other is off by less than 10^-18 or by
//! what its double is off.

/// Units of a sum in one.
const UNITS: f64 = 1e18;
/// Units of a sum in 10^-9, and 10^-9 in one: the same number.
pub(crate) const NANOS_IN_ONE: i64 = 1_000_000_000;
/// Whole numbers of magnitude below this are counted in 10^-9 by 64 bits.
const LARGEST_IN_NANOS: f64 = 9.2e9;
/// Units of a sum of quotients in one: a power of two, so that a quotient is rounded once. x²/n of one event in a million
/// keeps seven digits, and the rounding of many rows cancels out.
const QUOTIENT_UNITS: f64 = (1_u64 << 44) as f64;
/// Quotients below this are counted in such units by 64 bits.
const LARGEST_SMALL_QUOTIENT: f64 = 65_536.0;
/// The squares of terms of magnitude below this have room in 64 bits.
const LARGEST_SMALL_ROOT: f64 = 2_900_000.0;
/// Adding and taking away 1.5 x 2^52 rounds a double of magnitude below 2^51 to a whole number.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// Terms of this magnitude and above are not looked at for nine decimals.
const LARGEST_WITH_DECIMALS: f64 = 2e6;

/// A sum of magnitude below 1.7e20, in units of 10^-18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sum(i128);

impl Sum {
    pub(crate) const ZERO: Self = Self(0);

    /// Adds a term.
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        self.raise(units(value));
    }

    /// Adds what one term, NaN where there is none, has more than another.
    pub(crate) fn add_difference(&mut self, term: f64, other: Option<f64>) {
        if other == Some(term) {
            return;
        }
        if !term.is_nan() {
            self.raise(units(term));
        }
        if let Some(other) = other {
            self.raise(-units(other));
        }
    }

    /// A whole number of 10^-9.
    #[inline]
    pub(crate) fn of_nanos(nanos: i64) -> Self {
        Self(i128::from(nanos) * i128::from(NANOS_IN_ONE))
    }

    /// Units as they are.
    #[inline]
    pub(crate) fn of_units(units: i64) -> Self {
        Self(i128::from(units))
    }

    /// The square of the [root of a square](root_of_square), in units of 2^-20; a sum of such is read by
    /// [`Sum::of_squares`].
    pub(crate) fn square_of_root(root: i64) -> Self {
        Self(i128::from(root) * i128::from(root))
    }

    /// Adds the square of a term; the sum is then read by [`Sum::of_squares`].
    #[inline]
    pub(crate) fn add_square(&mut self, value: f64) {
        self.merge(Self::square_of_root(root_of_square(value)));
    }

    /// A quotient, which is not below 0, in units of 2^-44; a sum of such is read by [`Sum::of_quotients`].
    pub(crate) fn quotient(value: f64) -> Self {
        Self((value * QUOTIENT_UNITS + 0.5) as i128)
    }

    /// Counts one more.
    #[inline]
    pub(crate) fn count(&mut self) {
        self.raise(UNITS as i128);
    }

    /// Puts two sums together.
    #[inline]
    pub(crate) fn merge(&mut self, other: Self) {
        self.raise(other.0);
    }

    /// Adds units; a sum that leaves its range stays at the end of it.
    #[inline]
    fn raise(&mut self, units: i128) {
        // A branch that is never taken is quicker here than what `saturating_add` always computes.
        self.0 = match self.0.checked_add(units) {
            Some(sum) => sum,
            None => self.0.saturating_add(units),
        };
    }

    /// What is left when `part` is taken out; exact.
    pub(crate) fn without(self, part: Self) -> Self {
        Self(self.0.saturating_sub(part.0))
    }

    /// The sum as the nearest double.
    pub(crate) fn value(self) -> f64 {
        // Dividing a double and mending the remainder is far quicker than dividing 128 bits, and so is making the
        // double of two halves, whose last bit may be off, or of 64 bits.
        let halves = (self.0 >> 64) as i64 as f64 * 18_446_744_073_709_551_616.0 + self.0 as u64 as f64;
        let nanos = (halves / NANOS_IN_ONE as f64 + 0.5).floor() as i64;
        if let Some(value) = of_nanos(nanos).filter(|_| self == Self::of_nanos(nanos)) {
            return value;
        }
        let estimate = (halves / UNITS) as i64;
        let rest = self.0 - i128::from(estimate) * UNITS as i128;
        let rest = i64::try_from(rest).map_or_else(|_| rest as f64, |rest| rest as f64);
        estimate as f64 + rest / UNITS
    }

    /// The sum of squares, rounded once.
    pub(crate) fn of_squares(self) -> f64 {
        // Both round to the nearest double; 64 bits do it in one instruction.
        let squares = i64::try_from(self.0).map_or_else(|_| self.0 as f64, |squares| squares as f64);
        squares / 1_048_576.0
    }

    /// The sum of quotients, rounded once.
    pub(crate) fn of_quotients(self) -> f64 {
        let quotients = i64::try_from(self.0).map_or_else(|_| self.0 as f64, |quotients| quotients as f64);
        quotients / QUOTIENT_UNITS
    }
}

/// What adding a term adds.
pub(crate) enum Term {
    /// A decimal of up to nine places, in 10^-9.
    Nanos(i64),
    /// Any other, as a sum of itself.
    Units(Sum),
}

impl Term {
    #[inline]
    pub(crate) fn of(value: f64) -> Self {
        let (nanos, exact) = whole_nanos(value);
        if exact {
            Self::Nanos(nanos as i64)
        } else if value.abs() < LARGEST_IN_NANOS && value.fract() == 0.0 {
            Self::Nanos(value as i64 * NANOS_IN_ONE)
        } else {
            Self::Units(Sum(units(value)))
        }
    }
}

/// A quotient, which is not below 0, in units of 2^-44, where a sum of 64 bits takes many of its size.
#[inline]
pub(crate) fn small_quotient(value: f64) -> Option<i64> {
    (value < LARGEST_SMALL_QUOTIENT).then_some(units_of_quotient(value))
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "only within `small_quotients` is it built for newer processors too"
)]
fn units_of_quotient(value: f64) -> i64 {
    (value * QUOTIENT_UNITS + 0.5) as i64
}

/// x²/n of several rows in units of 2^-44, 0 where n is not above 0. Where not all are [small](small_quotient), `false`.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
    "x86_64+avx2+bmi1+bmi2+popcnt+lzcnt"
))]
pub(crate) fn small_quotients(x: &[f64], n: &[f64], quotients: &mut [i64]) -> bool {
    let mut all = true;
    for ((&x, &n), units) in x.iter().zip(n).zip(quotients) {
        let quotient = if n > 0.0 { x * x / n } else { 0.0 };
        all &= quotient < LARGEST_SMALL_QUOTIENT;
        *units = units_of_quotient(quotient);
    }
    all
}

/// The double nearest to so many 10^-9, where dividing by 10^9 rounds it once.
#[inline]
pub(crate) fn of_nanos(nanos: i64) -> Option<f64> {
    (nanos.unsigned_abs() < 1 << 51).then_some(nanos as f64 / NANOS_IN_ONE as f64)
}

/// The whole number whose square stands for that of a term, in units of 2^-20.
#[inline(always)]
#[expect(clippy::inline_always, reason = "only within `small_squares` is it built for newer processors too")]
pub(crate) fn root_of_square(value: f64) -> i64 {
    (value * 1024.0) as i64
}

/// The squares of several terms in units of 2^-20. Where 64 bits do not hold all, `false`.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
    "x86_64+avx2+bmi1+bmi2+popcnt+lzcnt"
))]
pub(crate) fn small_squares(terms: &[f64], squares: &mut [i64]) -> bool {
    let mut all = true;
    for (&term, square) in terms.iter().zip(squares) {
        all &= term.abs() < LARGEST_SMALL_ROOT;
        let root = root_of_square(term);
        *square = root.wrapping_mul(root);
    }
    all
}

/// Whether all terms are decimals of up to nine places; then `nanos` is them in 10^-9. Both are as long. Without a
/// branch a term, so that the compiler does several at once.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
    "x86_64+avx2+bmi1+bmi2+popcnt+lzcnt"
))]
pub(crate) fn nanos(terms: &[f64], nanos: &mut [i64]) -> bool {
    let mut all = true;
    for (&term, nanos) in terms.iter().zip(nanos) {
        let (whole, exact) = whole_nanos(term);
        all &= exact;
        // The last bits of what was rounded are the whole number.
        *nanos = (whole + ROUNDER).to_bits().cast_signed() - ROUNDER.to_bits().cast_signed();
    }
    all
}

/// The whole number of 10^-9 nearest to a term, and whether the term is that decimal.
#[inline(always)]
#[expect(clippy::inline_always, reason = "only within `nanos` is it built for newer processors too")]
fn whole_nanos(term: f64) -> (f64, bool) {
    let nanos = term * 1e9;
    let whole = (nanos + ROUNDER) - ROUNDER;
    // Twice what multiplying can be off, so that it is the decimal that was meant.
    (whole, (term.abs() < LARGEST_WITH_DECIMALS) & ((nanos - whole).abs() <= nanos.abs() * 3e-16))
}

/// A term in units.
#[inline]
fn units(value: f64) -> i128 {
    let (nanos, exact) = whole_nanos(value);
    let whole = value as i64;
    let rest = ((value - whole as f64) * UNITS) as i64;
    // One of the two, chosen without a branch: which it is nobody can foresee.
    let (count, unit, rest) =
        if exact { (nanos as i64, NANOS_IN_ONE, 0) } else { (whole, UNITS as i64, rest) };
    i128::from(count) * i128::from(unit) + i128::from(rest)
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
        assert_eq!(sum([0.94, 0.94]).value(), 1.88);
        assert_eq!(sum([12345.67; 3]).value(), 37037.01);
    }

    proptest! {
        #[test]
        fn terms_side_by_side_are_the_terms_one_by_one(
            terms in prop::collection::vec(
                prop_oneof![(-2_000_000_000..2_000_000_000_i64).prop_map(|cents| cents as f64 / 1000.0), -3e6..3e6_f64, Just(f64::NAN)],
                0..9,
            )
        ) {
            let mut whole = [0; 9];
            let all = nanos(&terms, &mut whole);
            prop_assert_eq!(all, terms.iter().all(|&term| whole_nanos(term).1));
            for (&term, whole) in terms.iter().zip(whole).filter(|_| all) {
                prop_assert_eq!(Sum::of_nanos(whole), sum([term]));
            }
        }

        #[test]
        fn a_term_is_the_sum_of_itself(
            term in prop_oneof![-1e15..1e15_f64, -3.0..3.0_f64, (-20_000_000_000..20_000_000_000_i64).prop_map(|whole| whole as f64)]
        ) {
            let itself = match Term::of(term) {
                Term::Nanos(nanos) => Sum::of_nanos(nanos),
                Term::Units(units) => units,
            };
            prop_assert_eq!(itself, sum([term]));
        }

        #[test]
        fn order_and_splitting_change_no_bit(mut terms in prop::collection::vec(-1e9..1e9_f64, 1..50), at in 0_usize..50) {
            let straight = sum(terms.iter().copied());
            let by = at % terms.len();
            terms.rotate_left(by);
            let (mut left, right) = (sum(terms[..at % terms.len()].iter().copied()), sum(terms[at % terms.len()..].iter().copied()));
            left.merge(right);
            prop_assert_eq!(straight, left);
        }

        #[test]
        fn a_single_term_comes_back(term in prop_oneof![-1e15..1e15_f64, -1.0..1.0_f64, Just(0.0)]) {
            let back = sum([term]).value();
            prop_assert!((back - term).abs() <= term.abs() * 1e-15 + 1e-17, "{} {}", term, back);
        }
    }
}
