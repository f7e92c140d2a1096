//! How values are written in pages: `{{ value|filter }}`.

#![expect(clippy::inline_always, clippy::unused_self, reason = "askama's `filter_fn` writes it so")]
#![expect(clippy::unnecessary_wraps, reason = "the form that askama asks of a filter")]
#![expect(unreachable_pub, reason = "askama makes public functions of a filter")]

use askama::filters::Safe;
use askama::{Result, Values};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::{assets, texts};

/// What can be written as a number; a template hands over values and references alike.
pub(crate) trait Number {
    fn get(self) -> f64;
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            fn get(self) -> f64 {
                self as f64
            }
        }
    )*};
}

numbers!(u64, i64, usize);

impl Number for u32 {
    fn get(self) -> f64 {
        self.into()
    }
}

impl Number for i32 {
    fn get(self) -> f64 {
        self.into()
    }
}

impl Number for f64 {
    fn get(self) -> f64 {
        self
    }
}

impl<N: Number + Copy> Number for &N {
    fn get(self) -> f64 {
        (*self).get()
    }
}

/// The text of a key.
#[askama::filter_fn]
pub(crate) fn t(key: &str, _: &dyn Values) -> Result<String> {
    Ok(texts::text(key))
}

/// The text of a key with a number in it.
#[askama::filter_fn]
pub(crate) fn t_count<N: Number>(key: &str, _: &dyn Values, name: &'static str, count: N) -> Result<String> {
    Ok(texts::with(key, &[(name, count.get().into())]))
}

/// The text of a key with another text in it.
#[askama::filter_fn]
pub(crate) fn t_with(key: &str, _: &dyn Values, name: &'static str, value: &str) -> Result<String> {
    Ok(texts::with(key, &[(name, value.into())]))
}

/// The address of a file of the pages.
#[askama::filter_fn]
pub(crate) fn asset(name: &str, _: &dyn Values) -> Result<String> {
    Ok(assets::url(name))
}

/// A picture beside a word: it says nothing by itself.
#[askama::filter_fn]
pub(crate) fn icon(name: &str, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(format!(
        "<svg class=\"icon\" aria-hidden=\"true\" focusable=\"false\"><use href=\"{}#{name}\"/></svg>",
        assets::url("icons.svg")
    )))
}

/// A count with its thousands apart.
#[askama::filter_fn]
pub(crate) fn count<N: Number>(value: N, _: &dyn Values) -> Result<String> {
    Ok(grouped(value.get(), 0))
}

/// A large count as people say it: `5.2 M`; below 10,000 as it is.
#[askama::filter_fn]
pub(crate) fn compact<N: Number>(value: N, _: &dyn Values) -> Result<String> {
    Ok(shortened(value.get()))
}

/// A figure with so many decimals.
#[askama::filter_fn]
pub(crate) fn decimals<N: Number>(value: N, _: &dyn Values, places: usize) -> Result<String> {
    Ok(grouped(value.get(), places))
}

/// A share as percent.
#[askama::filter_fn]
pub(crate) fn percent<N: Number>(value: N, _: &dyn Values, places: usize) -> Result<String> {
    Ok(format!("{}%", grouped(value.get() * 100.0, places)))
}

/// A size in bytes, in the unit that suits it.
#[askama::filter_fn]
pub(crate) fn bytes<N: Number>(value: N, _: &dyn Values) -> Result<String> {
    Ok(size(value.get()))
}

/// A time: in UTC as it stands, in the reader's zone where scripts run.
#[askama::filter_fn]
pub(crate) fn when(time: &DateTime<Utc>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(format!(
        r#"<time datetime="{}">{} UTC</time>"#,
        time.to_rfc3339_opts(SecondsFormat::Secs, true),
        time.format("%e %b %Y, %H:%M").to_string().trim_start()
    )))
}

/// A day: in UTC as it stands, in the reader's zone where scripts run.
#[askama::filter_fn]
pub(crate) fn day(time: &DateTime<Utc>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(format!(
        r#"<time datetime="{}" data-day>{}</time>"#,
        time.to_rfc3339_opts(SecondsFormat::Secs, true),
        time.format("%e %b %Y").to_string().trim_start()
    )))
}

fn shortened(value: f64) -> String {
    let (unit, name) = match value.abs() {
        size if size < 1e4 => return grouped(value, 0),
        size if size < 999_500.0 => (1e3, "k"),
        size if size < 999_500_000.0 => (1e6, "M"),
        _ => (1e9, "B"),
    };
    let size = value / unit;
    format!("{}\u{a0}{name}", grouped(size, usize::from(size.abs() < 100.0)))
}

/// A number with its thousands apart and so many decimals.
pub(crate) fn grouped(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "\u{2013}".to_owned();
    }
    let text = format!("{:.places$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::with_capacity(text.len() + 8);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero {
        grouped.push('\u{2212}');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// An amount of money, in the report's currency where it says one.
pub(crate) fn money(value: f64, currency: Option<&str>) -> String {
    money_to(value, currency, if value.abs() < 1000.0 { 2 } else { 0 })
}

/// An amount of money to so many decimals: those of a column have the same.
pub(crate) fn money_to(value: f64, currency: Option<&str>, places: usize) -> String {
    let amount = grouped(value, places);
    match currency {
        None => amount,
        Some("USD") => signed("$", &amount),
        Some("EUR") => signed("\u{20ac}", &amount),
        Some("GBP") => signed("\u{a3}", &amount),
        Some(other) => format!("{other} {amount}"),
    }
}

/// The sign of a currency between the minus and the digits.
fn signed(currency: &str, amount: &str) -> String {
    match amount.strip_prefix('\u{2212}') {
        Some(digits) => format!("\u{2212}{currency}{digits}"),
        None => format!("{currency}{amount}"),
    }
}

fn size(bytes: f64) -> String {
    let bytes = bytes.max(0.0);
    let (unit, name) = match bytes {
        size if size < 1e3 => return format!("{size:.0} B"),
        size if size < 1e6 => (1e3, "kB"),
        size if size < 1e9 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    let size = bytes / unit;
    if size < 10.0 { format!("{size:.1} {name}") } else { format!("{size:.0} {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart_and_what_is_no_number_is_a_dash() {
        assert_eq!(grouped(0.0, 0), "0");
        assert_eq!(grouped(999.0, 0), "999");
        assert_eq!(grouped(1_000.0, 0), "1,000");
        assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(grouped(-1_234.0, 0), "\u{2212}1,234");
        assert_eq!(grouped(-0.001, 1), "0.0");
        assert_eq!(grouped(f64::NAN, 1), "\u{2013}");
    }

    #[test]
    fn money_has_cents_where_they_count() {
        assert_eq!(money(12.5, Some("USD")), "$12.50");
        assert_eq!(money(12_345.6, Some("EUR")), "\u{20ac}12,346");
        assert_eq!(money(-3.0, Some("USD")), "\u{2212}$3.00");
        assert_eq!(money(3.0, Some("SEK")), "SEK 3.00");
        assert_eq!(money(3.0, None), "3.00");
    }

    #[test]
    fn large_counts_are_shortened() {
        let short = [0.0, 9_999.0, 12_345.0, 999_499.0, 999_500.0, 123_456_789.0, 5.2e9].map(shortened);
        let said = ["0", "9,999", "12.3\u{a0}k", "999\u{a0}k", "1.0\u{a0}M", "123\u{a0}M", "5.2\u{a0}B"];
        assert_eq!(short, said);
    }

    #[test]
    fn sizes_are_in_the_unit_that_suits_them() {
        assert_eq!([0.0, 999.0, 1_500.0, 48_256_000.0].map(size), ["0 B", "999 B", "1.5 kB", "48 MB"]);
    }
}
