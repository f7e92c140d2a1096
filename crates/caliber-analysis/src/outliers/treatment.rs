//! Scores without the outliers, or with their extremes cut off.

use std::collections::HashMap;

use caliber_engine::normalize::Normalization;
use caliber_engine::rescore;
use caliber_engine::results::{MetricColumn, Results, Status};
use caliber_engine::statistics::quantile;
use caliber_engine::summary::{StatusCounts, campaign_score};
use serde::Serialize;

use super::matrix::present;
use super::{Method, Options, check_contamination, find};
use crate::error::chosen;
use crate::{ByMetric, Error, Result, Subject};

/// The share of a metric's values, at either end, that winsorizing changes: one in 20.
const WINSORIZED: usize = 20;
/// The quantiles that capping clips to.
const CAPS: (f64, f64) = (0.01, 0.99);

/// What is done about outliers. It acts on the recipe's raw metrics; missing stays missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Rows that the method finds are removed.
    Drop,
    /// Every metric is clipped to its 1 % and 99 % quantile.
    Cap,
    /// The 5 % lowest and highest values of every metric become the next ones.
    Winsorize,
}

impl Treatment {
    /// Every treatment, by its word in options and answers.
    pub const ALL: [(&'static str, Self); 3] =
        [("drop", Self::Drop), ("cap", Self::Cap), ("winsorize", Self::Winsorize)];

    /// The treatment of a word.
    ///
    /// # Errors
    /// [`Error::Option`] where there is none.
    pub fn of(word: &str) -> Result<Self> {
        chosen("treatment", word, &Self::ALL)
    }
}

/// Scores after a treatment.
#[derive(Clone, Debug, PartialEq)]
pub struct Treated {
    /// What it changed.
    pub answer: TreatmentAnswer,
    /// The rows that are left, scored again, without effective counts; lists are made of them anew.
    pub results: Results,
}

/// What a treatment changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TreatmentAnswer {
    /// What was done.
    pub treatment: Treatment,
    /// How outliers were found; `None` where the treatment needs none.
    pub method: Option<Method>,
    /// The share of rows taken for outliers; `None` where it is not used.
    pub contamination: Option<f64>,
    /// The seed of the draws; `None` where nothing is drawn.
    pub seed: Option<u64>,
    /// Rows before.
    pub rows_before: usize,
    /// Rows after.
    pub rows_after: usize,
    /// Cells that have another value now.
    pub cells_changed: ByMetric<usize>,
    /// Impression-weighted mean score before.
    pub campaign_score_before: Option<f64>,
    /// The same after.
    pub campaign_score_after: Option<f64>,
    /// Rows by status before.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, usize>))]
    pub status_counts_before: StatusCounts,
    /// The same after.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, usize>))]
    pub status_counts_after: StatusCounts,
    /// Rows kept whose status is another one.
    pub status_changed: usize,
}

/// Treats outliers and scores what is left again, with the same recipe and normalisation.
///
/// # Errors
/// [`Error::Option`]: `treatment` where shares were shrunk, which cannot be redone from results, or where nothing is
/// left; those of [`super::detect`] for [`Treatment::Drop`].
pub fn treat(subject: &Subject<'_>, treatment: Treatment, options: &Options) -> Result<Treated> {
    if subject.normalization == Normalization::Shrunk {
        let message = "scores by the shrunk normalisation cannot be redone from results; score with minmax, winsorized or rank first";
        return Err(Error::option("treatment", message));
    }
    check_contamination(options.contamination)?;
    let before = subject.results;
    let drops = treatment == Treatment::Drop;
    let mut rows = if drops { without_outliers(subject, options)? } else { before.clone() };
    let mut cells_changed = ByMetric::default();
    for metric in &mut rows.metrics {
        let changed = bounds(metric, treatment).map_or(0, |bounds| clip(metric, bounds));
        cells_changed.0.push((metric.name.clone(), changed));
    }
    let results = rescore(rows, subject.dictionary, subject.normalization)?;
    let method = drops.then_some(options.method);
    let answer = TreatmentAnswer {
        treatment,
        method,
        contamination: method.filter(|method| method.uses_contamination()).map(|_| options.contamination),
        seed: method.filter(|method| method.uses_seed()).map(|_| options.seed),
        rows_before: before.len(),
        rows_after: results.len(),
        cells_changed,
        campaign_score_before: campaign_score(before),
        campaign_score_after: campaign_score(&results),
        status_counts_before: StatusCounts::of(before),
        status_counts_after: StatusCounts::of(&results),
        status_changed: status_changed(before, &results),
    };
    Ok(Treated { answer, results })
}

fn without_outliers(subject: &Subject<'_>, options: &Options) -> Result<Results> {
    let found = find(subject, options)?;
    let rows = subject.results.len();
    let kept: Vec<usize> = (0..rows).filter(|&row| !found.scored.is_outlier(row)).collect();
    if kept.is_empty() {
        let message = format!(
            "by {} all {rows} rows are outliers and nothing would be left; cap and winsorize keep them",
            options.method.name()
        );
        return Err(Error::option("treatment", message));
    }
    Ok(subject.results.rows(&kept))
}

/// The least and the greatest value that a treatment leaves; `None` where it changes no cell.
fn bounds(metric: &MetricColumn, treatment: Treatment) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = present(&metric.values).collect();
    values.sort_unstable_by(f64::total_cmp);
    match treatment {
        Treatment::Drop => None,
        Treatment::Cap => quantile(&values, CAPS.0).zip(quantile(&values, CAPS.1)),
        Treatment::Winsorize => {
            let cut = values.len() / WINSORIZED;
            let last = values.len().checked_sub(1 + cut)?;
            Some((values[cut], values[last]))
        }
    }
}

/// Clips the values; returns how many changed.
fn clip(metric: &mut MetricColumn, (least, greatest): (f64, f64)) -> usize {
    let mut changed = 0;
    for value in metric.values.iter_mut().flatten() {
        let clipped = value.max(least).min(greatest);
        changed += usize::from(clipped != *value);
        *value = clipped;
    }
    changed
}

fn status_changed(before: &Results, after: &Results) -> usize {
    let statuses: HashMap<&str, Status> =
        before.names.iter().map(String::as_str).zip(before.statuses.iter().copied()).collect();
    let kept = after.names.iter().zip(&after.statuses);
    kept.filter(|(name, status)| statuses.get(name.as_str()).is_some_and(|before| before != *status)).count()
}
