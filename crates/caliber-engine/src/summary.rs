//! A scored campaign in figures: `summary.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, Pattern};
use crate::lists::{ListPolicy, ListRule, Lists, sort_by};
use crate::normalize::{Bounds, Normalization};
use crate::recipe::{Dimension, Recipe};
use crate::results::{Results, Status};
use crate::rollup::exact::Sum;
use crate::sensitivity::WeightSensitivity;
use crate::statistics::{mean, quantile, standard_deviation};

/// A scored campaign in figures. Money is in the report's currency.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The recipe, whole.
    pub recipe: Recipe,
    /// The bounds each metric was normalised between.
    pub normalization_stats: serde_json::Map<String, serde_json::Value>,
    /// The code or sign of the report's money; `null` where nothing says so.
    pub currency: Option<String>,
    /// The days of the report.
    pub period: PeriodOfReport,
    /// The recipe's platform.
    pub platform: String,
    /// The channel, recognised or said.
    pub channel: String,
    /// The goal that was said, `awareness` unless.
    pub goal: String,
    /// What rows are.
    pub dimension: Dimension,
    /// How metrics were normalised.
    pub normalization: Normalization,
    /// The files, as given.
    pub files: Vec<String>,
    /// Rows below the header, notes at the end left out.
    pub rows_read: u64,
    /// Rows that were summed.
    pub rows_used: u64,
    /// Rows that were not, by reason; aggregates are apart.
    pub rows_dropped: BTreeMap<&'static str, u64>,
    /// Rows that sum up others or name nobody.
    pub aggregate_rows: AggregateRows,
    /// Names before the volume filter.
    pub dimension_values: u64,
    /// Names after it.
    pub scored: u64,
    /// Names that it took out.
    pub below_minimum: Portion,
    /// Mean score, weighted by impressions; `null` where there are none.
    pub campaign_score: Option<f64>,
    /// Over scored rows, like all that follows.
    pub total_impressions: f64,
    /// `null` where the report has no clicks.
    pub total_clicks: Option<f64>,
    /// `null` where the report has no conversions.
    pub total_conversions: Option<f64>,
    /// `null` where the report has no spend.
    pub total_spend: Option<f64>,
    /// Spend / impressions x 1000.
    pub average_cpm: Option<f64>,
    /// Rows in each band.
    pub status_counts: StatusCounts,
    /// The law of the scores.
    pub scores: ScoreStatistics,
    /// The five best.
    pub top: Vec<NamedScore>,
    /// The five worst, the worst first.
    pub bottom: Vec<NamedScore>,
    /// What the lists hold.
    pub lists: ListsSummary,
    /// How much the bands hang on the exact weights.
    pub weight_sensitivity: WeightSensitivity,
    /// From the start to the scores, in milliseconds; this file is written after.
    pub elapsed_ms: u64,
    /// The version that scored.
    pub caliber_version: &'static str,
}

/// First and last day, `YYYY-MM-DD`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PeriodOfReport {
    /// The first day.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
}

/// Rows that sum up others, and what they carry.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AggregateRows {
    /// How many.
    pub count: u64,
    /// Their impressions.
    pub impressions: f64,
    /// Their spend.
    pub spend: f64,
}

/// A part of the campaign.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Portion {
    /// Names.
    pub count: u64,
    /// Their impressions.
    pub impressions: f64,
    /// Their spend.
    pub spend: f64,
}

/// Rows in each band.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatusCounts {
    /// Percentile 75 and above.
    pub good: u64,
    /// 25 and above.
    pub moderate: u64,
    /// Below 25.
    pub poor: u64,
}

/// The law of the scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ScoreStatistics {
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// 50 % quantile.
    pub median: Option<f64>,
    /// Divided by n - 1; `null` for one row.
    pub std: Option<f64>,
    /// Least.
    pub min: Option<f64>,
    /// Greatest.
    pub max: Option<f64>,
    /// 25 % quantile.
    pub q25: Option<f64>,
    /// 75 % quantile.
    pub q75: Option<f64>,
}

/// A name and its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedScore {
    /// The domain or vendor.
    pub name: String,
    /// 0..100.
    pub score: f64,
}

/// What the lists hold, and by which rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListsSummary {
    /// How rows got on them.
    pub policy: ListPolicy,
    /// The share of rows that each list may hold.
    pub share: f64,
    /// The least impressions of a candidate.
    pub min_impressions: f64,
    /// Rows to buy.
    pub allowlist: ListSummary,
    /// Rows to block.
    pub blocklist: ListSummary,
    /// Names that would have been blocked and are protected.
    pub protected: Vec<String>,
    /// All scored names that are protected, whatever the list.
    pub never_blocked: Vec<String>,
    /// What the evidence goes by; only where the lists are made by it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceSummary>,
}

/// What lists by evidence go by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidenceSummary {
    /// Rows that are not proven either way.
    pub watchlist: ListSummary,
    /// The score below which a row of the campaign is with probability 1/2.
    pub median: f64,
    /// The least probability of a row that is blocked.
    pub block_at: f64,
    /// The least probability of a row that is allowed.
    pub allow_at: f64,
    /// Patterns that blocked on their own.
    pub block_patterns: Vec<Pattern>,
    /// {metric: [`PriorSummary`]}, in the order of the recipe.
    pub prior: serde_json::Map<String, serde_json::Value>,
    /// Metrics that are taken as known.
    pub known_metrics: Vec<String>,
}

/// The law of a metric's true shares over the campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorSummary {
    /// Pseudo-events; `null` of a metric that is taken as known, like `b`.
    pub a: Option<f64>,
    /// Pseudo-trials without an event.
    pub b: Option<f64>,
    /// How much more than by chance the report's rows of one name differ, 0..1.
    pub rho: Option<f64>,
    /// What is worth 0, or 100 where lower is better.
    pub lo: Option<f64>,
    /// What is worth 100, or 0.
    pub hi: Option<f64>,
}

/// One list in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListSummary {
    /// Names.
    pub count: u64,
    /// Their impressions.
    pub impressions: f64,
    /// Their spend; `null` where the report has none.
    pub spend: Option<f64>,
    /// The mean of their scores; `null` for an empty list.
    pub average_score: Option<f64>,
}

/// The sum of a column, rounded once: the same whatever the order. Terms are taken to 10^-18 and their sum has to
/// stay below 1.7e20.
pub fn total(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = Sum::ZERO;
    for value in values {
        sum.add(value);
    }
    sum.value()
}

/// Mean score, weighted by impressions.
pub fn campaign_score(results: &Results) -> Option<f64> {
    let impressions = total(results.impressions.iter().copied());
    let weighted =
        total(results.scores.iter().zip(&results.impressions).map(|(score, volume)| score * volume));
    (impressions != 0.0).then(|| weighted / impressions)
}

impl StatusCounts {
    /// Counts the bands of all rows.
    pub fn of(results: &Results) -> Self {
        let count = |status| results.statuses.iter().filter(|&&other| other == status).count() as u64;
        Self { good: count(Status::Good), moderate: count(Status::Moderate), poor: count(Status::Poor) }
    }
}

impl ScoreStatistics {
    /// The law of these scores.
    pub fn of(scores: &[f64]) -> Self {
        let mut sorted = scores.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |share| quantile(&sorted, share);
        Self {
            mean: mean(&sorted),
            median: at(0.5),
            std: standard_deviation(&sorted),
            min: at(0.0),
            max: at(1.0),
            q25: at(0.25),
            q75: at(0.75),
        }
    }
}

impl ListSummary {
    /// These rows in figures.
    pub fn of(results: &Results, rows: &[usize]) -> Self {
        Self {
            count: rows.len() as u64,
            impressions: total(rows.iter().map(|&row| results.impressions[row])),
            spend: results.spend.as_ref().map(|spend| total(rows.iter().map(|&row| spend[row]))),
            average_score: mean(&rows.iter().map(|&row| results.scores[row]).collect::<Vec<_>>()),
        }
    }
}

impl ListsSummary {
    pub(crate) fn of(
        results: &Results,
        lists: &Lists,
        rule: &ListRule,
        min_impressions: f64,
        is_protected: &dyn Fn(&str) -> bool,
    ) -> Self {
        Self {
            policy: rule.policy,
            share: rule.share,
            min_impressions,
            allowlist: ListSummary::of(results, &lists.allow),
            blocklist: ListSummary::of(results, &lists.block),
            protected: lists.protected.iter().map(|&row| results.names[row].clone()).collect(),
            never_blocked: results.names.iter().filter(|name| is_protected(name)).cloned().collect(),
            evidence: None,
        }
    }

    /// Adds what the evidence goes by, where there is any. `row_noise` is that of the shares.
    pub(crate) fn with_evidence(
        self,
        results: &Results,
        evidence: Option<&Evidence>,
        rule: &ListRule,
        row_noise: &[(String, Option<f64>)],
    ) -> Self {
        let (Some(evidence), Some(rows)) = (evidence, &results.evidence) else { return self };
        let watched: Vec<usize> = rows.watched().collect();
        let prior = evidence.metrics.iter().map(|scale| {
            let noise = row_noise.iter().find(|(metric, _)| *metric == scale.metric);
            let prior = PriorSummary {
                a: scale.prior.map(|prior| prior.a),
                b: scale.prior.map(|prior| prior.b),
                rho: noise.map(|(_, noise)| noise.unwrap_or(0.0)),
                lo: scale.lo,
                hi: scale.hi,
            };
            (scale.metric.clone(), serde_json::to_value(prior).unwrap_or_default())
        });
        let evidence = EvidenceSummary {
            watchlist: ListSummary::of(results, &watched),
            median: evidence.median,
            block_at: rule.block_at,
            allow_at: rule.allow_at,
            block_patterns: rule.block_patterns.clone(),
            prior: prior.collect(),
            known_metrics: rows.known_metrics.clone(),
        };
        Self { evidence: Some(evidence), ..self }
    }
}

/// The five best and the five worst.
pub fn extremes(results: &Results) -> (Vec<NamedScore>, Vec<NamedScore>) {
    let named = |row: usize| NamedScore { name: results.names[row].clone(), score: results.scores[row] };
    let rows = results.len();
    let mut bottom: Vec<usize> = (0..rows).collect();
    sort_by(&mut bottom, results, &results.scores, f64::total_cmp);
    ((0..rows.min(5)).map(named).collect(), bottom.into_iter().take(5).map(named).collect())
}

/// `normalization_stats`, in the order of the recipe.
pub fn normalization_stats(bounds: &[(String, Bounds)]) -> serde_json::Map<String, serde_json::Value> {
    bounds
        .iter()
        .map(|(name, bounds)| {
            let object = serde_json::json!({"min": bounds.min, "max": bounds.max, "count": bounds.count});
            (name.clone(), object)
        })
        .collect()
}
