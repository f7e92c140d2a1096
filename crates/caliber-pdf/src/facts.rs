//! A campaign as the parts of the report see it: its figures at hand, and how they are written.

use caliber_analysis::findings::{Campaign, rows_named};
use caliber_analysis::written::{capital, count, counted, number, unit};
use caliber_engine::explain::Explainer;
use caliber_engine::results::{EffectiveCounts, Results};
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

    /// A metric's values as a column of a table: what stands above them, and how they are written there.
    pub(crate) fn column_of(&self, metric: &str) -> FigureColumn<'_> {
        let canonical = self.report.dictionary.canonical(metric);
        let is_money = matches!(canonical, "cpm" | "cost_per_conversion");
        let label = if is_money { self.money_label(&self.label(metric)) } else { self.label(metric) };
        let values = self.values(canonical).map_or(&[][..], |(_, values)| values);
        let scale = (!self.is_share(metric)).then(|| Scale::of(values.iter().flatten().copied(), 2));
        let scale = scale.filter(|scale| *scale != Scale::plain(2));
        FigureColumn { facts: self, metric: metric.to_owned(), label, scale }
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

    /// The counts behind a share, whether the recipe has it or it stands beside.
    pub(crate) fn counts(&self, canonical: &str) -> Option<&'a EffectiveCounts> {
        let results: &'a Results = self.results;
        let metrics = results.metrics.iter().map(|metric| (metric.name.as_str(), metric.counts.as_ref()));
        let extras = results.extras.iter().map(|extra| (extra.name, extra.counts.as_ref()));
        let mut known = metrics.chain(extras);
        known.find(|(name, _)| self.report.dictionary.canonical(name) == canonical)?.1
    }

    /// Whether a row has a value of the metric; so also of a metric that the results do not keep.
    pub(crate) fn has_any(&self, canonical: &str) -> bool {
        self.values(canonical).is_none_or(|(_, values)| values.iter().any(Option::is_some))
    }

    /// A share over the whole campaign: from sums over the rows where both of its counts are present.
    pub(crate) fn rate(&self, canonical: &str) -> Option<f64> {
        let (events, trials) = match (self.counts(canonical), self.values(canonical)) {
            (Some(counts), _) => (total(counts.events.iter().copied()), total(counts.trials.iter().copied())),
            // Results that were read from a file without counts.
            (None, Some((_, values))) => {
                let present = || {
                    values
                        .iter()
                        .zip(&self.results.impressions)
                        .filter_map(|(value, row)| Some(((*value)?, *row)))
                };
                (total(present().map(|(rate, row)| rate * row)), total(present().map(|(_, row)| row)))
            }
            (None, None) => return None,
        };
        (trials > 0.0).then(|| events / trials).filter(|rate| rate.is_finite())
    }

    /// Spend by conversion, over the rows that have both.
    pub(crate) fn cost_per_conversion(&self) -> Option<f64> {
        let (spend, conversions) = (self.results.spend.as_ref()?, self.results.conversions.as_ref()?);
        let rates = self.values("conversion_rate").map(|(_, values)| values);
        let costs = self.values("cost_per_conversion").map(|(_, values)| values);
        let is_known = |row: usize| rates.is_none_or(|rates| rates[row].is_some());
        let rows: Vec<usize> = (0..self.results.len()).filter(|&row| is_known(row)).collect();
        // A row may have spend of days without a figure for conversions: its own cost leaves that out.
        let paid = |row: usize| match costs.and_then(|costs| costs[row]) {
            Some(cost) => cost * conversions[row],
            None => spend[row],
        };
        let conversions = total(rows.iter().map(|&row| conversions[row]));
        let cost = total(rows.iter().map(|&row| paid(row))) / conversions;
        (conversions > 0.0).then_some(cost).filter(|cost| cost.is_finite())
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

/// A column of figures.
pub(crate) struct FigureColumn<'a> {
    facts: &'a Facts<'a>,
    metric: String,
    label: String,
    /// `None` where figures are written as everywhere.
    scale: Option<Scale>,
}

impl FigureColumn<'_> {
    /// What stands above it.
    pub(crate) fn label(&self) -> String {
        self.scale.map_or_else(|| self.label.clone(), |scale| scale.label(&self.label))
    }

    /// Its value in a row.
    pub(crate) fn value(&self, row: usize) -> Option<f64> {
        let canonical = self.facts.report.dictionary.canonical(&self.metric);
        self.facts.values(canonical).and_then(|(_, values)| values[row])
    }

    /// A value of it, or a dash.
    pub(crate) fn write(&self, value: Option<f64>) -> String {
        match (self.scale, value) {
            (Some(scale), Some(value)) => scale.write(value),
            _ => self.facts.value(&self.metric, value),
        }
    }
}

/// How the figures of a column are written, so that the greatest has no more than a dozen digits: with cents, without,
/// in millions or more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    unit: f64,
    name: Option<&'static str>,
    decimals: usize,
}

impl Scale {
    fn plain(decimals: usize) -> Self {
        Self { unit: 1.0, name: None, decimals }
    }

    /// For these figures, which usually have so many decimals.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>, decimals: usize) -> Self {
        let greatest = figures
            .into_iter()
            .filter(|figure| figure.is_finite())
            .fold(0.0, |greatest: f64, figure| greatest.max(figure.abs()));
        let in_units = |unit, name| Self { unit, name: Some(name), decimals: 1 };
        match greatest {
            greatest if greatest >= 1e16 => in_units(1e12, "trillion"),
            greatest if greatest >= 1e13 => in_units(1e9, "billion"),
            greatest if greatest >= 1e10 => in_units(1e6, "million"),
            greatest if greatest >= 1e6 => Self::plain(0),
            _ => Self::plain(decimals),
        }
    }

    /// The label with the unit: `Spend (IDR million)`.
    pub(crate) fn label(self, label: &str) -> String {
        match (self.name, label.strip_suffix(')')) {
            (None, _) => label.to_owned(),
            (Some(name), Some(open)) if label.contains('(') => format!("{open} {name})"),
            (Some(name), _) => format!("{label} ({name})"),
        }
    }

    /// A figure; one that rounds to nothing without being nothing says so.
    pub(crate) fn write(self, figure: f64) -> String {
        let scaled = figure / self.unit;
        let least = 10_f64.powi(-i32::try_from(self.decimals).unwrap_or(0));
        if figure != 0.0 && scaled.abs() < least / 2.0 {
            let sign = if figure < 0.0 { "> -" } else { "< " };
            return format!("{sign}{}", number(least, self.decimals));
        }
        number(scaled, self.decimals)
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

    #[test]
    fn columns_are_written_as_large_as_their_greatest_figure_asks() {
        let written = |greatest: f64, figure: f64| {
            let scale = Scale::of([0.0, f64::NAN, greatest, figure], 2);
            (scale.label("Spend (IDR)"), scale.write(figure))
        };
        let is = |label: &str, figure: &str| (label.to_owned(), figure.to_owned());
        assert_eq!(written(9e5, 1234.5), is("Spend (IDR)", "1,234.50"));
        assert_eq!(written(-449_448_436.7, 1234.5), is("Spend (IDR)", "1,234"));
        assert_eq!(written(2e9, 0.2), is("Spend (IDR)", "< 1"));
        assert_eq!(written(5e11, 1_234_567.0), is("Spend (IDR million)", "1.2"));
        assert_eq!(written(5e17, 0.0), is("Spend (IDR trillion)", "0.0"));
        assert_eq!(Scale::of([1e13], 0).label("Impressions"), "Impressions (billion)");
    }
}
