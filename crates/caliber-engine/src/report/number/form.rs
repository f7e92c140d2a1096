//! How digits, separators and exponent are laid out, and what number that makes.

use std::io::Write;

use super::affix::Affixes;
use super::text::LONGEST;
use super::{Decimal, Evidence, Parsed, bounded, exact, lone_separator};

/// How the digits of a number are laid out.
pub(super) struct Form {
    pub(super) evidence: Evidence,
    /// Where the decimal separator stands, if it must be one or may be one.
    separator: Option<usize>,
    /// Where the digits and their separators end.
    end: usize,
    /// All digits as one number, where they fit.
    mantissa: Option<u64>,
    /// The written exponent of ten.
    exponent: i32,
}

impl Form {
    /// The layout of digits, separators and exponent; `None` where they make no number in any convention.
    pub(super) fn of(core: &[u8]) -> Option<Self> {
        let (mut end, mut mantissa, mut digits, mut separators) = (core.len(), Some(0_u64), 0, 0);
        let mut last = None;
        for (i, &byte) in core.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    let digit = u64::from(byte - b'0');
                    mantissa = mantissa.and_then(|value| value.checked_mul(10)?.checked_add(digit));
                }
                b'.' | b',' => {
                    separators += 1;
                    last = Some(i);
                }
                b' ' | b'\'' => separators += 1,
                b'e' | b'E' => {
                    end = i;
                    break;
                }
                _ => return None,
            }
        }
        let scientific = end < core.len();
        let exponent = if scientific { exponent(&core[end + 1..])? } else { 0 };
        if digits == 0 || (scientific && separators > 1) {
            return None;
        }
        let (evidence, separator) = layout(&core[..end], last, separators, scientific)?;
        Some(Self { evidence, separator, end, mantissa, exponent })
    }

    /// The value under a convention that the form allows.
    pub(super) fn value(&self, core: &[u8], decimal: Decimal, affixes: &Affixes) -> Option<Parsed> {
        let own = if decimal == Decimal::Point { b'.' } else { b',' };
        let separator = self.separator.filter(|&at| core[at] == own);
        // Behind a decimal separator there are only digits.
        let decimals = separator.map_or(0, |at| self.end - at - 1);
        let exponent = self.exponent - i32::try_from(decimals).ok()? - if affixes.percent { 2 } else { 0 };
        let exact = self.mantissa.and_then(|mantissa| exact(mantissa, exponent));
        let value = exact.or_else(|| rounded(&core[..self.end], exponent))?;
        Some(bounded(value, affixes.negative(), affixes.percent, affixes.currency))
    }
}

/// What the separators of a mantissa say, and where the decimal one is or may be. `last` is its last point or
/// comma, `separators` counts these and the blanks and apostrophes between thousands.
fn layout(
    mantissa: &[u8],
    last: Option<usize>,
    separators: usize,
    scientific: bool,
) -> Option<(Evidence, Option<usize>)> {
    let Some(at) = last else {
        let grouped = separators == 0 || (!scientific && is_grouped(mantissa));
        return grouped.then_some((Evidence::None, None));
    };
    let (before, after) = (&mantissa[..at], &mantissa[at + 1..]);
    let (own, other, separator) = if mantissa[at] == b'.' {
        (Evidence::Point, Evidence::Comma, Decimal::Point)
    } else {
        (Evidence::Comma, Evidence::Point, Decimal::Comma)
    };
    if separators == 1 {
        // Thousands are not written with an exponent.
        let first = before.first().copied().unwrap_or(b'0');
        let lone = lone_separator(before.len(), after.len(), first, separator);
        return Some((if scientific { own } else { lone }, Some(at)));
    }
    if before.contains(&mantissa[at]) {
        // The same separator again: it parts thousands, so the other one is the decimal.
        return is_grouped(mantissa).then_some((other, None));
    }
    (is_grouped(before) && after.iter().all(u8::is_ascii_digit)).then_some((own, Some(at)))
}

/// digits x 10^exponent where one exact operation does not do; whatever parts the digits is passed over.
#[cold]
fn rounded(digits: &[u8], exponent: i32) -> Option<f64> {
    let mut text = [0_u8; LONGEST + 8];
    let mut len = 0;
    for &byte in digits.iter().filter(|byte| byte.is_ascii_digit()) {
        *text.get_mut(len)? = byte;
        len += 1;
    }
    let mut rest = text.get_mut(len..)?;
    write!(rest, "e{exponent}").ok()?;
    let unused = rest.len();
    fast_float2::parse(&text[..text.len() - unused]).ok()
}

/// Up to three digits with an optional sign; more make no figure of a report.
fn exponent(text: &[u8]) -> Option<i32> {
    let negative = text.starts_with(b"-");
    let digits = if let [b'-' | b'+', digits @ ..] = text { digits } else { text };
    if !(1..=3).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0, |size, digit| size * 10 + i32::from(digit - b'0'));
    Some(if negative { -size } else { size })
}

/// Whether digits stand in groups parted by one kind of separator: threes, or by commas the Indian way
/// (`1,23,45,678`). Digits without any separator are one group.
fn is_grouped(text: &[u8]) -> bool {
    let (mut separator, mut first, mut inner, mut length) = (None, 0, (true, true), 0);
    for &byte in text {
        if byte.is_ascii_digit() {
            length += 1;
            continue;
        }
        if separator.is_none() {
            first = length;
            // Only commas part the Indian way.
            inner.1 = byte == b',';
        } else {
            inner = (inner.0 && length == 3, inner.1 && length == 2);
        }
        if *separator.get_or_insert(byte) != byte {
            return false;
        }
        length = 0;
    }
    let thirds = inner.0 && first <= 3;
    let indian = inner.1 && first <= 2;
    separator.is_none() || (length == 3 && first >= 1 && text[0] != b'0' && (thirds || indian))
}
