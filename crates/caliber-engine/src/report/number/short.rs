//! Cells of one to eight bytes of one column, which nearly all cells with figures are, read many at a time: a cell is a
//! word, and nothing branches on what is in it, so that the compiler reads several side by side.

use super::{Decimal, Evidence, POWERS_OF_TEN};

const ONES: u64 = 0x0101_0101_0101_0101;
const ZEROS: u64 = b'0' as u64 * ONES;
const HIGH_HALVES: u64 = 0xf0 * ONES;
const HIGH_BITS: u64 = 0x80 * ONES;

/// How many of the cells read have which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forms {
    /// All that were read.
    pub(crate) read: u64,
    /// Those with a separator.
    separated: u64,
    /// Those whose separator may be either.
    ambiguous: u64,
}

impl Forms {
    /// How many cells say what of the separator; the index is an [`Evidence`].
    pub(crate) fn evidence(self, decimal: Decimal) -> [u64; 4] {
        let mut evidence = [0; 4];
        let settled = if decimal == Decimal::Point { Evidence::Point } else { Evidence::Comma };
        evidence[Evidence::None as usize] = self.read - self.separated;
        evidence[settled as usize] = self.separated - self.ambiguous;
        evidence[Evidence::Ambiguous as usize] = self.ambiguous;
        evidence
    }
}

/// Reads cells of nothing but digits and at most the column's own separator, as [`plain`](super::plain) does; all others
/// are NaN. Each is the last `lens` bytes of its word, the first the lowest; of length 0 where the cell is no such word.
pub(crate) fn read(words: &[u64], lens: &[u64], decimal: Decimal, values: &mut [f64]) -> Forms {
    let separator = if decimal == Decimal::Point { b'.' } else { b',' };
    read_words(words, lens, u64::from(separator) * ONES, values)
}

/// Built once more for processors that do four or eight at once.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
    "x86_64+avx2+bmi1+bmi2+popcnt+lzcnt"
))]
fn read_words(words: &[u64], lens: &[u64], separators: u64, values: &mut [f64]) -> Forms {
    let found = |(&word, &len): (&u64, &u64)| separator_in(digits_of(word, len), separators);
    // Most columns are whole numbers, which need no division.
    if words.iter().zip(lens).map(found).fold(0, |any, found| any | found) == 0 {
        read_each::<false>(words, lens, separators, values)
    } else {
        read_each::<true>(words, lens, separators, values)
    }
}

/// The cell's bytes; what stands before them becomes leading zeros.
#[inline(always)]
#[expect(clippy::inline_always, reason = "only within `read_words` is it built for newer processors too")]
fn digits_of(word: u64, len: u64) -> u64 {
    let cell = !0 << ((64 - 8 * len) & 63);
    (word & cell) | (ZEROS & !cell)
}

/// The lowest high bit that is set marks the first byte that is the separator; 0 where none is.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `digits_of`")]
fn separator_in(digits: u64, separators: u64) -> u64 {
    let other = digits ^ separators;
    other.wrapping_sub(ONES) & !other & HIGH_BITS
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as `digits_of`")]
fn read_each<const SEPARATED: bool>(
    words: &[u64],
    lens: &[u64],
    separators: u64,
    values: &mut [f64],
) -> Forms {
    let (mut read, mut separated, mut ambiguous) = (0, 0, 0);
    for ((&word, &len), value) in words.iter().zip(lens).zip(values) {
        let mut digits = digits_of(word, len);
        let (mut decimals, mut is_separated) = (0, false);
        if SEPARATED {
            let found = separator_in(digits, separators);
            let first = found & found.wrapping_neg();
            is_separated = found != 0;
            decimals = if is_separated { u64::from(first.leading_zeros()) / 8 } else { 0 };
            // The digits before the separator move up over it.
            let whole = (first >> 7).wrapping_sub(1);
            let closed = (digits & !((whole << 8) | 0xff)) | ((digits & whole) << 8) | u64::from(b'0');
            digits = if is_separated { closed } else { digits };
        }
        // Neighbours are put together: digits to pairs, pairs to fours, fours to eight.
        let ones = digits.wrapping_sub(ZEROS);
        let pairs = (ones.wrapping_mul(10).wrapping_add(ones >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
        let mantissa = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) as u32;
        let are_digits = (digits & HIGH_HALVES) | ((digits.wrapping_add(0x06 * ONES) & HIGH_HALVES) >> 4);
        let is_read = are_digits == 0x33 * ONES && len != 0 && !(is_separated && len == 1);
        let whole = f64::from(mantissa.cast_signed());
        // Both are exact, so IEEE division rounds once.
        let number = if SEPARATED { whole / POWERS_OF_TEN[(decimals & 7) as usize] } else { whole };
        *value = if is_read { number } else { f64::NAN };
        read += u64::from(is_read);
        if SEPARATED {
            let starts_with_zero = (word >> ((64 - 8 * len) & 63)) & 0xff == u64::from(b'0');
            let may_group = decimals == 3 && (5..=7).contains(&len) && !starts_with_zero;
            separated += u64::from(is_read && is_separated);
            ambiguous += u64::from(is_read && is_separated && may_group);
        }
    }
    Forms { read, separated, ambiguous }
}
