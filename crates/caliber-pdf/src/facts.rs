//! A campaign as the parts of the report see it: its figures at hand, and how they are written.

use caliber_analysis::findings::{Campaign, rows_named};
use caliber_analysis::written::{count, counted, exact_money, number, unit};
use caliber_engine::explain::Explainer;
use caliber_engine::results::Results;
use caliber_engine::summary::{campaign_score, total};
use caliber_reports::{CampaignReport, ListRow};
use chrono::NaiveDate;

/// What several parts of the report need.
pub(crate) struct Facts<'a> {
    pub(crate) report: &'a CampaignReport<'a>,
    pub(crate) results: &'a Results,
    pub(crate) explainer: Explainer<'a>,
    pub(crate) campaign_score: Option<f64>,
    pub(crate) impressions: f64,
    pub(crate) spend: Option<f64>,
    /// Scored rows of the allowlist, in its order.
    pub(crate) allowed: Vec<usize>,
    /// Scored rows of the blocklist, in its order.
    pub(crate) blocked: Vec<usize>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(report: &'a CampaignReport<'a>) -> Self {
        let results = report.results;
        let rows = |list: &'a [ListRow]| rows_named(results, list.iter().map(|row| row.name.as_str()));
        Self {
            report,
            results,
            explainer: Explainer::new(results, report.dictionary),
            campaign_score: campaign_score(results).filter(|score| score.is_finite()),
            impressions: total(results.impressions.iter().copied()),
            spend: results.spend.as_ref().map(|spend| total(spend.iter().copied())),
            allowed: rows(report.allowlist),
            blocked: rows(report.blocklist),
        }
    }

    /// The campaign as its insights are found in it.
    pub(crate) fn campaign(&self) -> Campaign<'_> {
        Campaign {
            results: self.results,
            dictionary: self.report.dictionary,
            currency: self.currency(),
            allowlist: &self.allowed,
            blocklist: &self.blocked,
        }
    }

    pub(crate) fn currency(&self) -> Option<&'a str> {
        self.report.run.currency.as_deref().filter(|currency| !currency.trim().is_empty())
    }

    /// What rows are: `domain`, `supply vendor`.
    pub(crate) fn unit(&self) -> &'static str {
        unit(self.results.dimension)
    }

    /// `1 domain`, `25 domains`.
    pub(crate) fn counted(&self, rows: usize) -> String {
        counted(rows, self.unit())
    }

    /// A label with the currency it is in: `Spend (USD)`.
    pub(crate) fn money_label(&self, label: &str) -> String {
        match self.currency() {
            Some(currency) => format!("{label} ({})", crate::naming::shortened(currency, 12)),
            None => label.to_owned(),
        }
    }

    /// An amount in a column whose head says the currency.
    pub(crate) fn amount(amount: f64) -> String {
        exact_money(amount, None, 2)
    }

    /// The values of a metric, whether the recipe has it or it stands beside.
    pub(crate) fn values(&self, canonical: &str) -> Option<(&'a str, &'a [Option<f64>])> {
        let results: &'a Results = self.results;
        let of_recipe = results
            .metrics
            .iter()
            .find(|metric| self.report.dictionary.canonical(&metric.name) == canonical)
            .map(|metric| (metric.name.as_str(), metric.values.as_slice()));
        let beside = || results.extras.iter().find(|extra| extra.name == canonical);
        of_recipe.or_else(|| beside().map(|extra| (extra.name, extra.values.as_slice())))
    }

    /// What people call a metric, with a capital at its start.
    pub(crate) fn label(&self, metric: &str) -> String {
        capital(&self.report.dictionary.label(metric))
    }

    /// A metric's value, or a dash.
    pub(crate) fn value(&self, metric: &str, value: Option<f64>) -> String {
        match value {
            Some(0.0) if self.is_share(metric) => "0 %".to_owned(),
            Some(value) if value.is_finite() => self.explainer.written(metric, value),
            _ => "-".to_owned(),
        }
    }

    fn is_share(&self, metric: &str) -> bool {
        self.report.dictionary.metric(metric).is_some_and(|definition| definition.share)
    }

    /// The days of the report; `None` where nothing says so.
    pub(crate) fn period(&self) -> Option<String> {
        let period = &self.report.run.period;
        match (period.from.as_deref().map(day), period.to.as_deref().map(day)) {
            (Some(from), Some(to)) if from == to => Some(from),
            (Some(from), Some(to)) => Some(format!("{from} to {to}")),
            (Some(from), None) => Some(format!("from {from}")),
            (None, Some(to)) => Some(format!("to {to}")),
            (None, None) => None,
        }
    }
}

/// A score, with one decimal.
pub(crate) fn score(score: f64) -> String {
    number(score, 1)
}

/// A count that may not be known.
pub(crate) fn known_count(figure: Option<u64>) -> Option<String> {
    figure.map(|figure| count(figure as f64))
}

/// The words with a capital at their start.
pub(crate) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A word of the data as a title: `trade_desk` is Trade Desk, `dv360` DV360, `ctv` CTV.
pub(crate) fn title(word: &str) -> String {
    let words = word.split(['_', ' ']).filter(|word| !word.is_empty()).map(|word| {
        let is_code = word.len() <= 3 && !word.contains(['a', 'e', 'i', 'o', 'u']);
        if is_code || word.contains(|letter: char| letter.is_ascii_digit()) {
            word.to_uppercase()
        } else {
            capital(word)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `2025-01-31` as `31 January 2025`; what is no such day as it is.
fn day(text: &str) -> String {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_or_else(|_| crate::naming::clean(text), |day| day.format("%-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_data_become_titles() {
        for (word, expected) in [
            ("trade_desk", "Trade Desk"),
            ("dv360", "DV360"),
            ("ctv", "CTV"),
            ("display", "Display"),
            ("", ""),
        ] {
            assert_eq!(title(word), expected);
        }
        assert_eq!(day("2025-01-31"), "31 January 2025");
        assert_eq!(day("last week"), "last week");
    }
}
