//! Figures as people write them, the same in every sentence and document: commas between thousands, a blank before
//! `%`, the currency before the amount.

use caliber_engine::recipe::Dimension;
use caliber_engine::results::CPM_ABOVE_1000;

/// Amounts from here on are written without cents.
const WHOLE_MONEY: f64 = 10_000.0;

/// A number with so many decimals and commas between thousands: `1,234.5`. What is not finite is a dash.
pub fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let whole = text.find('.').unwrap_or(text.len());
    let is_zero = text.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    let mut written = if value < 0.0 && !is_zero { "-".to_owned() } else { String::new() };
    for (at, digit) in text.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// A count: `12,345`.
pub fn count(value: f64) -> String {
    number(value, 0)
}

/// A share of 0..1 in percent with one decimal: `12.3 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0, 1))
}

/// An amount in a currency: `USD 1,234.56`, `$0.40`, and without cents from 10,000 on.
pub fn money(amount: f64, currency: Option<&str>) -> String {
    let decimals = if amount.abs() >= WHOLE_MONEY { 0 } else { 2 };
    exact_money(amount, currency, decimals)
}

/// A figure of a million and more in three digits: `3.24 bn`; below as a count.
pub fn short_count(value: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e12, "tn"), (1e9, "bn"), (1e6, "m")];
    let unit = UNITS.into_iter().find(|(unit, _)| value.is_finite() && value.abs() >= *unit);
    let Some((unit, name)) = unit else { return count(value) };
    let scaled = value / unit;
    let decimals = match scaled.abs() {
        scaled if scaled >= 100.0 => 0,
        scaled if scaled >= 10.0 => 1,
        _ => 2,
    };
    format!("{} {name}", number(scaled, decimals))
}

/// An amount in a currency, from a million on in three digits: `IDR 3.24 bn`.
pub fn short_money(amount: f64, currency: Option<&str>) -> String {
    if amount.abs() < 1e6 { money(amount, currency) } else { in_currency(short_count(amount), currency) }
}

/// An amount in a currency with so many decimals.
pub fn exact_money(amount: f64, currency: Option<&str>, decimals: usize) -> String {
    in_currency(number(amount, decimals), currency)
}

fn in_currency(written: String, currency: Option<&str>) -> String {
    match currency.map(str::trim).filter(|currency| !currency.is_empty()) {
        None => written,
        Some(code) if code.chars().all(|letter| letter.is_ascii_alphabetic()) => format!("{code} {written}"),
        Some(sign) => match written.strip_prefix('-') {
            Some(amount) => format!("-{sign}{amount}"),
            None => format!("{sign}{written}"),
        },
    }
}

/// Currencies of which a unit is worth a quarter of a US dollar and more.
const LARGE_UNITS: [&str; 31] = [
    "$", "AED", "AUD", "AZN", "BBD", "BHD", "BMD", "BND", "BSD", "CAD", "CHF", "EUR", "FJD", "GBP", "GEL",
    "GIP", "ILS", "JOD", "KWD", "KYD", "NZD", "OMR", "PAB", "PEN", "PLN", "QAR", "SAR", "SGD", "USD",
    "\u{20ac}", "\u{a3}",
];

/// Whether a CPM above 1,000 in this currency cannot be right; in yen, rupiah or won it is usual, and where the report
/// names no currency nobody knows.
pub fn is_high_cpm_wrong(currency: Option<&str>) -> bool {
    currency.is_some_and(|currency| LARGE_UNITS.contains(&currency.trim().to_ascii_uppercase().as_str()))
}

/// Whether a row with this quality flag has a figure that no honest report in this currency has.
pub fn is_impossible(flag: &str, currency: Option<&str>) -> bool {
    flag != CPM_ABOVE_1000 || is_high_cpm_wrong(currency)
}

/// The words with a capital at their start.
pub fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What rows are, in the singular: `domain`, `supply vendor`.
pub fn unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Domain => "domain",
        Dimension::SupplyVendor => "supply vendor",
    }
}

/// So many of them: `1 domain`, `1,250 domains`.
pub fn counted(rows: usize, unit: &str) -> String {
    let plural = if rows == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", count(rows as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_write_them() {
        assert_eq!(number(1_234_567.891, 1), "1,234,567.9");
        assert_eq!(number(-999.996, 2), "-1,000.00");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(f64::NAN, 2), "-");
        assert_eq!(percent(0.123_45), "12.3 %");
        assert_eq!(money(9_999.5, Some("USD")), "USD 9,999.50");
        assert_eq!(money(12_345.6, Some("USD")), "USD 12,346");
        assert_eq!(money(-3.0, Some("$")), "-$3.00");
        assert_eq!(money(3.0, None), "3.00");
        assert_eq!(short_money(3_238_215_762.0, Some("IDR")), "IDR 3.24 bn");
        assert_eq!(short_money(-12_345_678.0, Some("$")), "-$12.3 m");
        assert_eq!(short_money(999_999.0, None), "999,999");
        assert_eq!(short_count(1e15), "1,000 tn");
        assert_eq!(counted(1, "domain"), "1 domain");
        assert_eq!(counted(1250, "supply vendor"), "1,250 supply vendors");
    }
}
