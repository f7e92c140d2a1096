//! Figures of results in a trader's words: shares in percent, money in the report's currency.

use std::fmt::Write as _;

use caliber_platform::analysis::{AnalysedRun, capital};
use caliber_platform::results::{ResultsTable, Status};

use crate::pages::filters::{grouped, money};

/// What a figure that is missing is written as.
pub(super) const MISSING: &str = "\u{2013}";

/// The canonical names of metrics that are money.
const MONEY: [&str; 2] = ["cpm", "cost_per_conversion"];

/// The canonical names of metrics whose usual values are parts of a percent.
const RATES: [&str; 2] = ["ctr", "conversion_rate"];

/// How the figures of a run are written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    currency: Option<String>,
}

impl Written {
    /// In the currency of the run's report.
    pub(super) fn of(summary: Option<&serde_json::Value>) -> Self {
        let currency = summary.and_then(|summary| summary["currency"].as_str());
        Self { currency: currency.map(str::to_owned) }
    }

    /// As [`Written::of`], of a run that is analysed.
    pub(super) fn of_run(run: &AnalysedRun) -> Self {
        Self::of(run.run.summary.as_deref())
    }

    /// An amount of money.
    pub(super) fn money(&self, amount: f64) -> String {
        money(amount, self.currency.as_deref())
    }

    /// A value of a metric, with its unit.
    pub(super) fn metric(&self, table: &ResultsTable, metric: &str, value: Option<f64>) -> String {
        let Some(value) = value else { return MISSING.to_owned() };
        let dictionary = table.dictionary();
        if MONEY.contains(&dictionary.canonical(metric)) {
            return self.money(value);
        }
        if RATES.contains(&dictionary.canonical(metric)) {
            return rate(value);
        }
        if dictionary.metric(metric).is_some_and(|definition| definition.share) {
            return share(value);
        }
        grouped(value, if value.abs() >= 1000.0 || value.fract() == 0.0 { 0 } else { 2 })
    }
}

/// A metric as the head of a column or of a line has it.
pub(super) fn metric_name(table: &ResultsTable, metric: &str) -> String {
    capital(&table.dictionary().label(metric))
}

/// A share as percent.
pub(super) fn share(value: f64) -> String {
    format!("{}%", grouped(value * 100.0, 1))
}

/// A share that is usually a part of a percent, with the places that tell such apart.
pub(super) fn rate(value: f64) -> String {
    format!("{}%", grouped(value * 100.0, 3))
}

/// A probability as percent: what is not certain is never written as if it were.
pub(super) fn probability(value: f64) -> String {
    match value {
        value if value > 0.999 => "> 99.9%".to_owned(),
        value if value < 0.001 => "< 0.1%".to_owned(),
        value => format!("{}%", grouped(value * 100.0, 1)),
    }
}

/// The colour of a difference, beside its sign: none where it is written as zero.
pub(super) fn way(difference: f64, places: usize) -> &'static str {
    match signed(difference, places).chars().next() {
        Some('+') => "good",
        Some('\u{2212}') => "poor",
        _ => "none",
    }
}

/// A difference with its sign: `+3.2`.
pub(super) fn signed(value: f64, places: usize) -> String {
    let text = grouped(value, places);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// The key of the text that names a band.
pub(super) fn band_key(status: Status) -> &'static str {
    match status {
        Status::Good => "band-good",
        Status::Moderate => "band-moderate",
        Status::Poor => "band-poor",
    }
}

/// A name as a part of an address.
pub(super) fn in_path(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_differences_are_written_with_what_they_need() {
        assert_eq!([0.0, 0.5, 1.2].map(share), ["0.0%", "50.0%", "120.0%"]);
        assert_eq!([0.0, 0.00123, 0.02].map(rate), ["0.000%", "0.123%", "2.000%"]);
        assert_eq!([0.99999, 0.00001, 0.5, 1.0].map(probability), ["> 99.9%", "< 0.1%", "50.0%", "> 99.9%"]);
        assert_eq!([3.2, -0.04, -0.06].map(|value| way(value, 1)), ["good", "none", "poor"]);
        assert_eq!([3.21, -3.21, 0.01].map(|value| signed(value, 1)), ["+3.2", "\u{2212}3.2", "0.0"]);
    }

    #[test]
    fn any_name_fits_into_an_address() {
        assert_eq!(in_path("news.example"), "news.example");
        assert_eq!(in_path("Acme / TV?"), "Acme%20%2F%20TV%3F");
    }
}
