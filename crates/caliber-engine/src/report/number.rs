//! Numbers in cells: the value of the text, and what its form says about the column's decimal separator.
//!
//! `1,234` is a thousand or one and a bit, and no cell alone can tell. So [`parse`] is told the convention of
//! the whole column and never guesses; beside the value it returns the [`Evidence`] of the form, from which
//! the caller learns the convention.

mod affix;
mod currency;
mod form;
pub(crate) mod short;
#[cfg(test)]
mod tests;
mod text;

pub use currency::Currency;
pub(crate) use text::windows_1252;

/// Beyond this magnitude a cell is an identifier in the wrong column, not a figure.
const LARGEST: f64 = 1e15;

/// The decimal separator a column follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decimal {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// What the form of a cell says about the decimal separator, whatever convention it was read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// Nothing: `59`, `1 234`, no number at all.
    None,
    /// The point is the decimal separator: `1.5`, `0.123`, `1,234,567`.
    Point,
    /// The comma is: `12,5`, `0,123`, `1.234.567`.
    Comma,
    /// It has a separator that may be either: `1,234`, `1.234`.
    Ambiguous,
}

/// A number read from a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// The value; where `percent`, already divided by 100.
    pub value: f64,
    /// Whether the cell carries a percent sign.
    pub percent: bool,
    /// The currency sign or code beside the amount.
    pub currency: Option<Currency>,
}

/// A cell as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parsed {
    /// Blank, dashes, or a word for nothing: `n/a`, `null`, `#DIV/0!`.
    Missing,
    /// A finite number of magnitude up to 1e15.
    Number(Number),
    /// Anything else, `inf` and numbers of the other convention included. Never silently 0.
    Unreadable,
}

/// Reads a cell as a number under the column's convention.
///
/// `1.234` is 1.234 under [`Decimal::Point`] and 1234 under [`Decimal::Comma`]; `12,5` is unreadable under
/// [`Decimal::Point`]. The evidence does not depend on `decimal`. Bytes that are no UTF-8 are Windows-1252.
#[inline]
pub fn parse(cell: &[u8], decimal: Decimal) -> (Parsed, Evidence) {
    match parse_plain(cell, decimal) {
        Some(plain) => plain,
        None => text::parse(cell, decimal),
    }
}

/// A cell of nothing but digits and at most the column's own separator between them, which is nearly every cell;
/// `None` leaves it to [`parse`].
#[inline]
pub(crate) fn plain(cell: &[u8], decimal: Decimal) -> Option<(f64, Evidence)> {
    match parse_plain(cell, decimal)? {
        (Parsed::Number(number), evidence) => Some((number.value, evidence)),
        _ => None,
    }
}

/// Whether a text says that there is nothing: blank, dashes or a word such as `n/a`, in any case.
pub fn is_missing(cell: &[u8]) -> bool {
    text::is_missing(cell)
}

/// Digits with at most the column's own separator between them, which is nearly every cell.
#[inline]
fn parse_plain(cell: &[u8], decimal: Decimal) -> Option<(Parsed, Evidence)> {
    // 19 digits fit a u64 whatever they are.
    if cell.len() > 19 || cell.is_empty() {
        return cell.is_empty().then_some((Parsed::Missing, Evidence::None));
    }
    let separator = if decimal == Decimal::Point { b'.' } else { b',' };
    let (mut mantissa, mut at) = (0_u64, usize::MAX);
    for (i, &byte) in cell.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa * 10 + u64::from(digit);
        } else if byte == separator && at == usize::MAX {
            at = i;
        } else {
            return None;
        }
    }
    if at == usize::MAX {
        return Some((plain_number(cell, decimal, mantissa, 0)?, Evidence::None));
    }
    if cell.len() == 1 {
        return None;
    }
    let decimals = cell.len() - at - 1;
    let evidence = lone_separator(at, decimals, cell[0], decimal);
    Some((plain_number(cell, decimal, mantissa, -i32::try_from(decimals).ok()?)?, evidence))
}

#[inline]
fn plain_number(cell: &[u8], decimal: Decimal, mantissa: u64, exponent: i32) -> Option<Parsed> {
    let value = match exact(mantissa, exponent) {
        Some(value) => value,
        None if decimal == Decimal::Point => fast_float2::parse(cell).ok()?,
        None => return None,
    };
    Some(bounded(value, false, false, None))
}

/// The evidence of one separator with `before` and `after` digits around it.
#[inline]
fn lone_separator(before: usize, after: usize, first: u8, separator: Decimal) -> Evidence {
    if after == 3 && (1..=3).contains(&before) && first != b'0' {
        return Evidence::Ambiguous;
    }
    match separator {
        Decimal::Point => Evidence::Point,
        Decimal::Comma => Evidence::Comma,
    }
}

/// mantissa x 10^exponent, correctly rounded, where one exact division or multiplication does it.
#[inline]
fn exact(mantissa: u64, exponent: i32) -> Option<f64> {
    // Both operands are exact below these limits, so IEEE division rounds once.
    if mantissa >= 1 << 53 {
        return None;
    }
    let power = *POWERS_OF_TEN.get(exponent.unsigned_abs() as usize)?;
    Some(if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power })
}

/// The number, unless it is out of range.
#[inline]
fn bounded(value: f64, negative: bool, percent: bool, currency: Option<Currency>) -> Parsed {
    if value > LARGEST {
        return Parsed::Unreadable;
    }
    let value = if negative && value != 0.0 { -value } else { value };
    Parsed::Number(Number { value, percent, currency })
}

/// The powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
