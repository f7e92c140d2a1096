//! How digits, separators and exponent are laid out, and what number that makes.

use std::io::Write;

use super::affix::Affixes;
use super::text::LONGEST;
use super::{Decimal, Evidence, Parsed, bounded, finish, lone_separator};

/// How the digits of a number are laid out.
pub(super) struct Form {
    pub(super) evidence: Evidence,
    /// Where the decimal separator stands, if it must be one or may be one.
    separator: Option<usize>,
    /// Where the mantissa ends.
    end: usize,
    /// The written exponent of ten.
    exponent: i32,
}

impl Form {
    /// The layout of digits, separators and exponent; `None` where they make no number in any convention.
    pub(super) fn of(core: &[u8]) -> Option<Self> {
        let end = core.iter().position(|&byte| byte == b'e' || byte == b'E').unwrap_or(core.len());
        let scientific = end < core.len();
        let exponent = if scientific { exponent(&core[end + 1..])? } else { 0 };
        let mantissa = &core[..end];
        let is_separator = |byte: u8| byte == b'.' || byte == b',';
        let valid = |&byte: &u8| byte.is_ascii_digit() || is_separator(byte) || byte == b' ' || byte == b'\'';
        if !mantissa.iter().all(valid) || !mantissa.iter().any(u8::is_ascii_digit) {
            return None;
        }
        let last = mantissa.iter().rposition(|&byte| is_separator(byte));
        let form = |evidence, separator| Some(Self { evidence, separator, end, exponent });
        let Some(at) = last else {
            let whole = scientific && mantissa.iter().all(u8::is_ascii_digit);
            return (whole || (!scientific && is_grouped(mantissa))).then(|| form(Evidence::None, None))?;
        };
        let separator = if mantissa[at] == b'.' { Decimal::Point } else { Decimal::Comma };
        let (before, after) = (&mantissa[..at], &mantissa[at + 1..]);
        if !after.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let evidence_of = |decimal| if decimal == Decimal::Point { Evidence::Point } else { Evidence::Comma };
        if before.iter().all(u8::is_ascii_digit) {
            let first = before.first().copied().unwrap_or(b'0');
            let evidence = lone_separator(before.len(), after.len(), first, separator);
            let evidence = if scientific { evidence_of(separator) } else { evidence };
            return form(evidence, Some(at));
        }
        if scientific {
            return None;
        }
        if before.contains(&mantissa[at]) {
            // The same separator again: it parts thousands, so the other one is the decimal.
            let other = if separator == Decimal::Point { Decimal::Comma } else { Decimal::Point };
            return is_grouped(mantissa).then(|| form(evidence_of(other), None))?;
        }
        is_grouped(before).then(|| form(evidence_of(separator), Some(at)))?
    }

    /// The value under a convention that the form allows.
    pub(super) fn value(&self, core: &[u8], decimal: Decimal, affixes: &Affixes) -> Option<Parsed> {
        let own = if decimal == Decimal::Point { b'.' } else { b',' };
        let separator = self.separator.filter(|&at| core[at] == own);
        let mut digits = [0_u8; LONGEST + 8];
        let (mut len, mut decimals, mut mantissa) = (0, 0_i32, Some(0_u64));
        for (i, &byte) in core[..self.end].iter().enumerate() {
            if byte.is_ascii_digit() {
                digits[len] = byte;
                len += 1;
                decimals += i32::from(separator.is_some_and(|at| i > at));
                let digit = u64::from(byte - b'0');
                mantissa = mantissa.and_then(|value| value.checked_mul(10)?.checked_add(digit));
            }
        }
        let exponent = self.exponent - decimals;
        let Affixes { percent, currency, .. } = *affixes;
        let negative = affixes.negative();
        if let Some(parsed) =
            mantissa.and_then(|mantissa| finish(mantissa, exponent, negative, percent, currency))
        {
            return Some(parsed);
        }
        let exponent = if percent { exponent - 2 } else { exponent };
        write!(&mut digits[len..], "e{exponent}").ok()?;
        let written = digits.iter().position(|&byte| byte == 0).unwrap_or(digits.len());
        let value = fast_float2::parse::<f64, _>(&digits[..written]).ok()?;
        Some(bounded(value, negative, percent, currency))
    }
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
    let Some(separator) = text.iter().copied().find(|byte| !byte.is_ascii_digit()) else { return true };
    let groups = || text.split(|&byte| byte == separator);
    let all_digits = groups().all(|group| group.iter().all(u8::is_ascii_digit));
    let first = groups().next().map_or(0, <[u8]>::len);
    let count = groups().count();
    let last = groups().next_back().map_or(0, <[u8]>::len);
    let inner = |size: usize| groups().skip(1).take(count.saturating_sub(2)).all(|group| group.len() == size);
    let thirds = (1..=3).contains(&first) && inner(3);
    let indian = separator == b',' && count > 2 && (1..=2).contains(&first) && inner(2);
    all_digits && text[0] != b'0' && last == 3 && (thirds || indian)
}
