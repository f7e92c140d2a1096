//! Cells of a report, and how they are written as text.

use std::borrow::Cow;

use crate::layout::{DateStyle, RateStyle};

/// The first day of the period, in days since 1970-01-01: 2025-09-01.
pub(crate) const FIRST_DAY: i32 = 20_332;
pub(crate) const YEAR: u16 = 2025;
pub(crate) const MONTH: u8 = 9;

/// A cell. Decimals are whole numbers of units in their last place, so that no float is ever printed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Blank,
    Text(Cow<'a, str>),
    /// Text that goes out unquoted, whatever it holds.
    Verbatim(Cow<'a, str>),
    /// Day of the period, from 0.
    Date(u8),
    Count(i64),
    /// Money of so many decimals.
    Money {
        units: i64,
        places: u8,
    },
    /// A share, in millionths.
    Rate(i64),
    /// Any other decimal.
    Decimal {
        units: i64,
        places: u8,
    },
}

/// How cells are written as text.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own; all combinations are met")]
pub(crate) struct Style {
    pub(crate) dates: DateStyle,
    pub(crate) thousands: bool,
    pub(crate) decimal_comma: bool,
    pub(crate) currency_signs: bool,
    pub(crate) rates: RateStyle,
    pub(crate) parentheses: bool,
}

impl Style {
    /// Whether a number is written with nothing but digits, a sign and a point.
    pub(crate) fn is_plain(self, cell: &Cell<'_>) -> bool {
        let signed = matches!(cell, Cell::Rate(_)) && self.rates == RateStyle::Percent;
        !(self.thousands || self.decimal_comma || self.currency_signs || signed)
    }

    /// Appends the text of a cell.
    pub(crate) fn write(self, cell: &Cell<'_>, out: &mut Vec<u8>) {
        match cell {
            Cell::Blank => {}
            Cell::Text(text) | Cell::Verbatim(text) => out.extend_from_slice(text.as_bytes()),
            Cell::Date(day) => self.write_date(*day + 1, out),
            Cell::Count(count) => self.write_decimal(*count, 0, "", out),
            Cell::Money { units, places } => {
                self.write_decimal(*units, *places, if self.currency_signs { "$" } else { "" }, out);
            }
            // Percent is the same digits with the point moved by two.
            Cell::Rate(units) if self.rates == RateStyle::Fraction => self.write_decimal(*units, 6, "", out),
            Cell::Rate(units) => {
                self.write_decimal(*units, 4, "", out);
                if self.rates == RateStyle::Percent {
                    out.push(b'%');
                }
            }
            Cell::Decimal { units, places } => self.write_decimal(*units, *places, "", out),
        }
    }

    fn write_date(self, day: u8, out: &mut Vec<u8>) {
        let year = [b'2', b'0', b'2', b'5'];
        let day = [b'0' + day / 10, b'0' + day % 10];
        let month = [b'0' + MONTH / 10, b'0' + MONTH % 10];
        let (parts, mark): ([&[u8]; 3], u8) = match self.dates {
            DateStyle::Iso => ([&year, &month, &day], b'-'),
            DateStyle::Slashed => ([&year, &month, &day], b'/'),
            DateStyle::DayFirst => ([&day, &month, &year], b'/'),
            DateStyle::MonthFirst => ([&month, &day, &year], b'/'),
        };
        for (n, part) in parts.into_iter().enumerate() {
            if n > 0 {
                out.push(mark);
            }
            out.extend_from_slice(part);
        }
    }

    fn write_decimal(self, units: i64, places: u8, sign: &str, out: &mut Vec<u8>) {
        let bracket = units < 0 && self.parentheses;
        if units < 0 {
            out.push(if bracket { b'(' } else { b'-' });
        }
        out.extend_from_slice(sign.as_bytes());
        let (point, group) = if self.decimal_comma { (b',', b'.') } else { (b'.', b',') };
        let places = usize::from(places);
        // 20 digits, 6 group marks and a point fit.
        let mut digits = [0; 32];
        let mut at = digits.len();
        let mut left = units.unsigned_abs();
        let mut written = 0;
        while left > 0 || written <= places {
            if written == places && places > 0 {
                at -= 1;
                digits[at] = point;
            } else if self.thousands && written > places && (written - places).is_multiple_of(3) {
                at -= 1;
                digits[at] = group;
            }
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            written += 1;
        }
        out.extend_from_slice(&digits[at..]);
        if bracket {
            out.push(b')');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style {
        dates: DateStyle::Iso,
        thousands: false,
        decimal_comma: false,
        currency_signs: false,
        rates: RateStyle::Fraction,
        parentheses: false,
    };

    fn text(style: Style, cell: &Cell<'_>) -> String {
        let mut out = Vec::new();
        style.write(cell, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_in_their_style() {
        let money = |units| Cell::Money { units, places: 2 };
        assert_eq!(text(PLAIN, &money(123_456)), "1234.56");
        assert_eq!(text(PLAIN, &money(-5)), "-0.05");
        assert_eq!(text(PLAIN, &Cell::Count(0)), "0");
        assert_eq!(text(PLAIN, &Cell::Rate(459_500)), "0.459500");
        assert_eq!(text(PLAIN, &Cell::Count(i64::MIN)), i64::MIN.to_string());
        let fancy = Style {
            thousands: true,
            currency_signs: true,
            parentheses: true,
            rates: RateStyle::Percent,
            ..PLAIN
        };
        assert_eq!(text(fancy, &money(123_456_789)), "$1,234,567.89");
        assert_eq!(text(fancy, &money(-1_230)), "($12.30)");
        assert_eq!(text(fancy, &Cell::Count(999)), "999");
        assert_eq!(text(fancy, &Cell::Count(1_000)), "1,000");
        assert_eq!(text(fancy, &Cell::Count(i64::MAX)), "9,223,372,036,854,775,807");
        assert_eq!(text(fancy, &Cell::Rate(459_500)), "45.9500%");
        let comma = Style { thousands: true, decimal_comma: true, ..PLAIN };
        assert_eq!(text(comma, &money(123_456)), "1.234,56");
    }

    #[test]
    fn dates_are_written_in_their_style() {
        let styles = [DateStyle::Iso, DateStyle::Slashed, DateStyle::DayFirst, DateStyle::MonthFirst];
        let written = styles.map(|dates| text(Style { dates, ..PLAIN }, &Cell::Date(6)));
        assert_eq!(written, ["2025-09-07", "2025/09/07", "07/09/2025", "09/07/2025"]);
    }
}
