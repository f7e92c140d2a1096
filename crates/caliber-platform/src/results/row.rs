//! One row of the results, as clients see it.

use caliber_engine::evidence::{Decision, Pattern};
use caliber_engine::names;
use caliber_engine::results::{MetricColumn, Status};
use caliber_engine::shrinkage::Prior;
use caliber_reports::Figure;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Place, ResultsTable};

/// A row with all its figures. Numbers are written as in the files of the command line.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ResultRow<'a> {
    /// The domain as normalised, or the vendor's name.
    pub domain: &'a str,
    /// For people: punycode in Unicode.
    pub domain_display: String,
    /// Summed impressions.
    pub impressions: Figure,
    /// Summed clicks; `null` where the report has none.
    pub clicks: Option<Figure>,
    /// Summed spend; `null` where the report has none.
    pub spend: Option<Figure>,
    /// Cost per thousand impressions.
    pub cpm: Option<Figure>,
    /// Clicks an impression.
    pub ctr: Option<Figure>,
    /// Summed conversions; `null` where the report has none.
    pub conversions: Option<Figure>,
    /// Conversions an impression.
    pub conversion_rate: Option<Figure>,
    /// Spend a conversion.
    pub cost_per_conversion: Option<Figure>,
    /// 0..100.
    pub score: Figure,
    /// 0..100, unrounded.
    pub percentile: Figure,
    /// The percentile as a whole number.
    pub percentile_rank: u8,
    /// The band of the percentile.
    pub quality_status: Status,
    /// The metrics' values.
    pub raw_metrics: ByMetric<'a, Option<Figure>>,
    /// The metrics on a scale of 0..100; `null` where the value is missing.
    pub normalized_metrics: ByMetric<'a, Option<Figure>>,
    /// What each metric gives to the score.
    pub score_breakdown: ByMetric<'a, Breakdown>,
    /// Whether there is an outlier flag.
    pub is_outlier: bool,
    /// Metrics outside the interquartile fences.
    pub outlier_flags: &'a [String],
    /// Values that no honest report has.
    pub quality_flags: &'a [String],
    /// What the counts prove; only where the run's lists are made by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<RowEvidence<'a>>,
}

/// What the counts prove of a row.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct RowEvidence<'a> {
    /// The mean of the score's law, 0..100.
    pub evidence_score: Figure,
    /// Its 5 % quantile.
    pub score_low: Figure,
    /// Its 95 % quantile.
    pub score_high: Figure,
    /// The probability to be below the campaign's median.
    pub p_below: Figure,
    /// The probability to be above it.
    pub p_above: Figure,
    /// What to do.
    pub decision: Decision,
    /// Why, in words.
    pub decision_reason: &'a str,
    /// Impressions that would decide; `null` where none would, or need not.
    pub impressions_needed: Option<Figure>,
    /// Metrics that are taken as known.
    pub known_metrics: &'a [String],
    /// Patterns that the row shows.
    pub patterns: &'a [Pattern],
    /// What is known of each share.
    pub metrics: ByMetric<'a, MetricEvidence>,
}

/// What is known of one share of a row.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct MetricEvidence {
    /// Effective trials: fewer than were counted where rows of one name differ more than by chance.
    pub n_eff: Figure,
    /// The mean of its posterior.
    pub posterior_mean: Figure,
    /// How much more than by chance the report's rows of one name differ, 0..1.
    pub rho: Option<Figure>,
}

/// What one metric gives to the score of a row.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Breakdown {
    /// The metric's value; `null` where it is missing.
    pub value: Option<Figure>,
    /// 0..100; `null` where the value is missing.
    pub normalized: Option<Figure>,
    /// The recipe's weight.
    pub weight: Figure,
    /// Points of the score.
    pub contribution: Figure,
}

/// Something for each metric, in the order of the recipe; an object in JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct ByMetric<'a, T>(pub Vec<(&'a str, T)>);

impl<T: Serialize> Serialize for ByMetric<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (metric, of_metric) in &self.0 {
            object.serialize_entry(metric, of_metric)?;
        }
        object.end()
    }
}

impl<'a> ResultRow<'a> {
    pub(super) fn of(table: &'a ResultsTable, row: usize) -> Self {
        let results = &table.results;
        let count = |column: &Option<Vec<f64>>| column.as_ref().map(|column| Figure(column[row]));
        let figure = |place: Place| table.figure(place, row).map(Figure);
        Self {
            domain: table.name(row),
            domain_display: names::display_unicode(table.name(row)),
            impressions: Figure(results.impressions[row]),
            clicks: count(&results.clicks),
            spend: count(&results.spend),
            cpm: figure(table.places.cpm),
            ctr: figure(table.places.ctr),
            conversions: count(&results.conversions),
            conversion_rate: figure(table.places.conversion_rate),
            cost_per_conversion: figure(table.places.cost_per_conversion),
            score: Figure(results.scores[row]),
            percentile: Figure(results.percentiles[row]),
            percentile_rank: results.percentile_rank(row),
            quality_status: results.statuses[row],
            raw_metrics: by_metric(&results.metrics, |metric| metric.values[row].map(Figure)),
            normalized_metrics: by_metric(&results.metrics, |metric| normalized(metric, row)),
            score_breakdown: by_metric(&results.metrics, |metric| Breakdown {
                value: metric.values[row].map(Figure),
                normalized: normalized(metric, row),
                weight: Figure(metric.weight),
                contribution: Figure(metric.contributions[row]),
            }),
            is_outlier: results.is_outlier(row),
            outlier_flags: &results.outlier_flags[row],
            quality_flags: &results.quality_flags[row],
            evidence: results.evidence.as_ref().map(|evidence| RowEvidence {
                evidence_score: Figure(evidence.scores[row]),
                score_low: Figure(evidence.low[row]),
                score_high: Figure(evidence.high[row]),
                p_below: Figure(evidence.below[row]),
                p_above: Figure(evidence.above[row]),
                decision: evidence.decisions[row],
                decision_reason: &evidence.reasons[row],
                impressions_needed: evidence.impressions_needed[row].map(Figure),
                known_metrics: &evidence.known_metrics,
                patterns: &evidence.patterns[row],
                metrics: shares(table, row),
            }),
        }
    }
}

/// What is known of the shares of a row, under the priors of the run.
fn shares(table: &ResultsTable, row: usize) -> ByMetric<'_, MetricEvidence> {
    let of = |metric: &str| table.priors.iter().find(|(name, _)| name == metric).map(|(_, prior)| prior);
    let shares = table.results.metrics.iter().filter_map(|metric| {
        let (counts, summary) = (metric.counts.as_ref()?, of(&metric.name)?);
        let prior = Prior { a: summary.a?, b: summary.b? };
        let (events, trials) = (counts.events[row], counts.trials[row]);
        let known = MetricEvidence {
            n_eff: Figure(trials),
            posterior_mean: Figure(prior.posterior_mean(events, trials)),
            rho: summary.rho.map(Figure),
        };
        Some((metric.name.as_str(), known))
    });
    ByMetric(shares.collect())
}

/// A missing value counts 0 in the score and is no 0 to the reader.
fn normalized(metric: &MetricColumn, row: usize) -> Option<Figure> {
    metric.values[row].map(|_| Figure(metric.normalized[row]))
}

fn by_metric<T>(metrics: &[MetricColumn], of_metric: impl Fn(&MetricColumn) -> T) -> ByMetric<'_, T> {
    ByMetric(metrics.iter().map(|metric| (metric.name.as_str(), of_metric(metric))).collect())
}
