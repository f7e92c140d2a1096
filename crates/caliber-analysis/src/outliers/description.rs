//! The outliers beside the other rows, in figures and in words.

use caliber_engine::explain::Explainer;
use caliber_engine::results::Results;
use caliber_engine::statistics::{mean, standard_deviation};
use serde::Serialize;

use super::matrix::{Column, Columns, Skipped};
use super::{Scored, joined};
use crate::{ByMetric, Pair, Subject, ranked};

/// Metrics that are shown of an outlier.
const SHOWN: usize = 3;
/// Metrics that the recommendations compare.
const COMPARED: usize = 2;

/// One of the strangest rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopOutlier {
    /// The row, counted from 0.
    pub index: usize,
    /// Its name.
    pub domain: String,
    /// Higher is stranger.
    pub score: f64,
    /// Up to three metrics with its largest z, the largest absolute first; missing cells have none.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<(String, f64)>))]
    pub columns: Vec<Pair>,
}

/// How many outliers there are and how they differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OutlierAnalysis))]
pub struct Analysis {
    /// Rows that are outliers.
    pub total_outliers: usize,
    /// Of all rows, 0..100.
    pub outlier_percentage: f64,
    /// That percentage in a word.
    pub severity: Severity,
    /// Raw values of each metric that took part.
    pub columns_analysis: ByMetric<ColumnAnalysis>,
}

/// A percentage of outliers in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// At most 5.
    Minimal,
    /// At most 10.
    Low,
    /// At most 20.
    Moderate,
    /// More.
    High,
}

impl Severity {
    fn of(percentage: f64) -> Self {
        match percentage {
            _ if percentage <= 5.0 => Self::Minimal,
            _ if percentage <= 10.0 => Self::Low,
            _ if percentage <= 20.0 => Self::Moderate,
            _ => Self::High,
        }
    }
}

/// A metric in outliers and in other rows: present raw values; `None` where there are too few.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ColumnAnalysis {
    /// Mean of the outliers.
    pub outlier_mean: Option<f64>,
    /// Their sample standard deviation.
    pub outlier_std: Option<f64>,
    /// Mean of the other rows.
    pub non_outlier_mean: Option<f64>,
    /// Their sample standard deviation.
    pub non_outlier_std: Option<f64>,
    /// The first mean less the second.
    pub mean_difference: Option<f64>,
}

impl ColumnAnalysis {
    fn of(column: &Column<'_>, scored: &Scored) -> Self {
        let values = |outliers: bool| -> Vec<f64> {
            let rows = (0..scored.scores.len()).filter(|&row| scored.is_outlier(row) == outliers);
            rows.filter_map(|row| column.value(row)).collect()
        };
        let (strange, usual) = (values(true), values(false));
        let finite = |figure: Option<f64>| figure.filter(|figure| figure.is_finite());
        let (outlier_mean, non_outlier_mean) = (finite(mean(&strange)), finite(mean(&usual)));
        Self {
            outlier_mean,
            outlier_std: finite(standard_deviation(&strange)),
            non_outlier_mean,
            non_outlier_std: finite(standard_deviation(&usual)),
            mean_difference: finite(outlier_mean.zip(non_outlier_mean).map(|(a, b)| a - b)),
        }
    }
}

/// The outliers of highest score, ties by index, at most `limit`.
pub(super) fn top_outliers(
    subject: &Subject<'_>,
    columns: &Columns<'_>,
    scored: &Scored,
    limit: usize,
) -> Vec<TopOutlier> {
    let mut outliers: Vec<usize> = scored.outliers().collect();
    outliers.sort_by(|&a, &b| scored.scores[b].total_cmp(&scored.scores[a]));
    let top = outliers.into_iter().take(limit);
    top.map(|index| TopOutlier {
        index,
        domain: subject.results.names[index].clone(),
        score: scored.scores[index],
        columns: largest_z(columns, index),
    })
    .collect()
}

/// The metrics in which a row lies farthest from the mean.
fn largest_z(columns: &Columns<'_>, row: usize) -> Vec<Pair> {
    let pairs = columns.used.iter().filter_map(|column| Some((column.metric.name.clone(), column.z(row)?)));
    let mut pairs = ranked(pairs);
    pairs.truncate(SHOWN);
    pairs
}

pub(super) fn analysis(columns: &Columns<'_>, scored: &Scored) -> Analysis {
    let total_outliers = scored.outliers().count();
    let outlier_percentage = total_outliers as f64 / scored.scores.len().max(1) as f64 * 100.0;
    Analysis {
        total_outliers,
        outlier_percentage,
        severity: Severity::of(outlier_percentage),
        columns_analysis: columns
            .used
            .iter()
            .map(|column| (column.metric.name.clone(), ColumnAnalysis::of(column, scored)))
            .collect(),
    }
}

/// What a trader should know and do.
pub(super) fn recommendations(
    subject: &Subject<'_>,
    columns: &Columns<'_>,
    scored: &Scored,
    analysis: &Analysis,
) -> Vec<String> {
    let words =
        Words { subject: *subject, explainer: Explainer::new(subject.results, subject.dictionary), columns };
    let mut sentences = Vec::new();
    if analysis.total_outliers == 0 {
        sentences.push(words.nothing());
    } else {
        let compared = words.compared(analysis);
        sentences.extend(compared.iter().map(|(_, sentence)| sentence.clone()));
        sentences.extend(words.strangest(scored));
        let labels: Vec<String> = compared.into_iter().map(|(label, _)| label).collect();
        sentences.push(words.advice(analysis, &labels, scored));
    }
    sentences.extend(words.left_out());
    sentences
}

struct Words<'a> {
    subject: Subject<'a>,
    explainer: Explainer<'a>,
    columns: &'a Columns<'a>,
}

impl Words<'_> {
    fn label(&self, metric: &str) -> String {
        self.subject.dictionary.label(metric)
    }

    fn labels(&self) -> String {
        let names = self.subject.results.metrics.iter().map(|metric| self.label(&metric.name));
        joined(&names.collect::<Vec<_>>())
    }

    fn nothing(&self) -> String {
        format!("No row stands out in {}: the scores need no treatment.", self.labels())
    }

    /// The metrics in which outliers differ most from other rows, by label, with a sentence on each.
    fn compared(&self, analysis: &Analysis) -> Vec<(String, String)> {
        let apart = |(metric, figures): &(String, ColumnAnalysis)| {
            let spread = figures.non_outlier_std.filter(|spread| *spread > 0.0).unwrap_or(f64::MIN_POSITIVE);
            Some((metric.clone(), figures.mean_difference? / spread))
        };
        let columns = &analysis.columns_analysis;
        let apart = ranked(columns.0.iter().filter_map(apart));
        let sentence = |(metric, apart): Pair| {
            let figures = columns.get(&metric)?;
            let label = self.label(&metric);
            let sentence = format!(
                "Check {label}: the outliers average {}, {} the {} of other rows.",
                self.explainer.written(&metric, figures.outlier_mean?),
                if apart >= 0.0 { "above" } else { "below" },
                self.explainer.written(&metric, figures.non_outlier_mean?),
            );
            Some((label, sentence))
        };
        apart.into_iter().take(COMPARED).filter_map(sentence).collect()
    }

    /// The strangest row, and the metric that sets it apart most.
    fn strangest(&self, scored: &Scored) -> Option<String> {
        let row = scored
            .outliers()
            .reduce(|best, row| if scored.scores[row] > scored.scores[best] { row } else { best })?;
        let (metric, z) = largest_z(self.columns, row).into_iter().next()?;
        let value = self.columns.used.iter().find(|column| column.metric.name == metric)?.value(row)?;
        Some(format!(
            "Start with {}: its {} of {} is {:.1} standard deviations {} the mean.",
            self.subject.results.names[row],
            self.label(&metric),
            self.explainer.written(&metric, value),
            z.abs(),
            if z >= 0.0 { "above" } else { "below" },
        ))
    }

    fn advice(&self, analysis: &Analysis, labels: &[String], scored: &Scored) -> String {
        let labels = if labels.is_empty() { self.labels() } else { joined(labels) };
        let share = impressions_share(self.subject.results, scored)
            .map_or_else(String::new, |share| format!(" and {share:.1} % of the impressions"));
        let size = format!("{:.1} % of the rows{share}", analysis.outlier_percentage);
        match analysis.severity {
            Severity::Minimal | Severity::Low => format!(
                "The outliers are {size}: read their {labels} before a list is sent, and drop them if the figures are wrong."
            ),
            Severity::Moderate | Severity::High => format!(
                "The outliers are {size}, too many to drop: cap or winsorize, so that extremes of {labels} do not set the scale."
            ),
        }
    }

    /// One sentence on the metrics that took no part.
    fn left_out(&self) -> Option<String> {
        let reasons: Vec<String> = self
            .columns
            .skipped
            .0
            .iter()
            .map(|(metric, reason)| {
                let reason = match reason {
                    Skipped::Empty => "has no value",
                    Skipped::Constant => "is the same in every row",
                    Skipped::Repeated => "has one value in most rows",
                };
                format!("{} {reason}", self.label(metric))
            })
            .collect();
        (!reasons.is_empty()).then(|| format!("Left out: {}.", joined(&reasons)))
    }
}

/// The outliers' share of the impressions, 0..100; `None` where there are none or adjustments make it senseless.
fn impressions_share(results: &Results, scored: &Scored) -> Option<f64> {
    let total: f64 = results.impressions.iter().sum();
    let strange: f64 = scored.outliers().map(|row| results.impressions[row]).sum();
    Some(strange / total * 100.0).filter(|share| (0.0..=100.0).contains(share))
}
