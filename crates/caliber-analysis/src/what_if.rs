//! The scores that other weights would give. Nothing is normalised again and nothing is stored.

use caliber_engine::lists::Lists;
use caliber_engine::parallel;
use caliber_engine::ranking::rank;
use caliber_engine::results::{Results, Status};
use caliber_engine::summary::{StatusCounts, campaign_score, total};
use serde::Serialize;

use crate::correlation::pearson;
use crate::{ByMetric, Error, Result, Subject};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Weights by metric, not negative and not all 0; a metric that is not named weighs 0. Only their proportions
    /// count.
    pub weights: &'a [(String, f64)],
    /// How the lists of the run were made.
    pub lists: ListRules<'a>,
    /// The page of rows, counted from 1.
    pub page: usize,
    /// Rows of a page, at least 1.
    pub per_page: usize,
}

/// How lists are made.
#[derive(Clone, Copy, Debug)]
pub struct ListRules<'a> {
    /// The share of the candidates on each list, in (0, 0.5].
    pub share: f64,
    /// The least impressions of a candidate.
    pub min_impressions: f64,
    /// Names that are never blocked, as the results have them.
    pub protected: &'a [String],
}

/// What other weights would change.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhatIf {
    /// The weights of all metrics; they sum to 1.
    pub weights: ByMetric<f64>,
    /// `null` where there are no impressions.
    pub campaign_score_before: Option<f64>,
    /// The same by the new weights.
    pub campaign_score_after: Option<f64>,
    /// After less before.
    pub campaign_score_change: Option<f64>,
    /// Rows in each band by the new weights.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, usize>))]
    pub status_counts: StatusCounts,
    /// Rows whose band is another.
    pub status_changed: usize,
    /// Spearman's correlation of new and old scores; `null` where one of them is constant.
    pub rank_correlation: Option<f64>,
    /// Names that come to the allowlist and that leave it.
    pub whitelist: ListChange,
    /// The same of the blocklist.
    pub blacklist: ListChange,
    /// The rows of the page, by score descending, impressions descending, name ascending.
    pub results: Vec<Row>,
    /// Rows on all pages.
    pub total: usize,
    /// The page, counted from 1.
    pub page: usize,
    /// Rows of a page.
    pub per_page: usize,
}

/// Names that come to a list and that leave it, each in the order of the list they are on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListChange {
    /// On the new list only.
    pub entered: Vec<String>,
    /// On the old list only.
    pub left: Vec<String>,
}

/// A row by old and new weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = WhatIfRow))]
pub struct Row {
    /// The domain, or the supply vendor.
    pub domain: String,
    /// Its impressions.
    pub impressions: f64,
    /// The new score.
    pub score: f64,
    /// The old one.
    pub score_before: f64,
    /// By the new score.
    pub percentile: f64,
    /// By the new score.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "good"))]
    pub quality_status: Status,
    /// By the old one.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "good"))]
    pub quality_status_before: Status,
    /// The place by the new score, from 1.
    pub rank: usize,
    /// The place by the old one.
    pub rank_before: usize,
}

/// Scores the rows by other weights.
///
/// # Errors
/// [`Error::Option`] `weights` for a metric that the recipe lacks or that is named twice, a negative weight, or
/// nothing but 0; `page`, `per_page` where they are 0.
pub fn what_if(subject: &Subject<'_>, options: Options<'_>) -> Result<WhatIf> {
    let results = subject.results;
    for (option, figure) in [("page", options.page), ("per_page", options.per_page)] {
        if figure == 0 {
            return Err(Error::option(option, "0 is not at least 1"));
        }
    }
    let weights = weights_of(results, options.weights)?;
    let scores = scores(results, &weights);
    let (percentiles, statuses) = rank(&scores);
    // The lists, which sort most, beside the rest.
    let (lists, (order, order_before)) = parallel::join(
        || list_changes(results, &scores, options.lists),
        || (order_by(results, &scores), order_by(results, &results.scores)),
    );
    let mut ranks_before = vec![0; results.len()];
    for (place, &row) in order_before.iter().enumerate() {
        ranks_before[row] = place + 1;
    }
    let skipped = (options.page - 1).saturating_mul(options.per_page);
    let page = order.iter().enumerate().skip(skipped).take(options.per_page).map(|(place, &row)| Row {
        domain: results.names[row].clone(),
        impressions: results.impressions[row],
        score: scores[row],
        score_before: results.scores[row],
        percentile: percentiles[row],
        quality_status: statuses[row],
        quality_status_before: results.statuses[row],
        rank: place + 1,
        rank_before: ranks_before[row],
    });
    let (before, after) = (campaign_score(results), campaign_score_by(results, &scores));
    let (whitelist, blacklist) = lists;
    Ok(WhatIf {
        campaign_score_before: before,
        campaign_score_after: after,
        campaign_score_change: after.zip(before).map(|(after, before)| after - before),
        status_counts: count_statuses(&statuses),
        status_changed: statuses.iter().zip(&results.statuses).filter(|(new, old)| new != old).count(),
        // Percentiles are average ranks, ties and all.
        rank_correlation: pearson(&percentiles, &results.percentiles),
        whitelist,
        blacklist,
        results: page.collect(),
        total: results.len(),
        page: options.page,
        per_page: options.per_page,
        weights: results.metrics.iter().map(|metric| metric.name.clone()).zip(shares(&weights)).collect(),
    })
}

/// The weights in the order of the metrics, as they were given.
fn weights_of(results: &Results, given: &[(String, f64)]) -> Result<Vec<f64>> {
    let wrong = |message: String| Err(Error::option("weights", message));
    let mut weights = vec![None; results.metrics.len()];
    for (name, weight) in given {
        let Some(at) = results.metrics.iter().position(|metric| metric.name == *name) else {
            let known: Vec<&str> = results.metrics.iter().map(|metric| metric.name.as_str()).collect();
            return wrong(format!("`{name}` is no metric of the recipe; there are {}", known.join(", ")));
        };
        if !(weight.is_finite() && *weight >= 0.0) {
            return wrong(format!("{weight} for `{name}` is not a number of 0 or more"));
        }
        if weights[at].replace(*weight).is_some() {
            return wrong(format!("`{name}` is given twice"));
        }
    }
    let weights: Vec<f64> = weights.into_iter().map(|weight| weight.unwrap_or(0.0)).collect();
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    if greatest == 0.0 {
        return wrong("all are 0; at least one metric needs a weight above 0".to_owned());
    }
    // Only proportions count, and these never overflow a sum.
    let is_extreme = !(1e-100..=1e100).contains(&greatest);
    let scale = if is_extreme { greatest } else { 1.0 };
    Ok(weights.into_iter().map(|weight| weight / scale).collect())
}

fn shares(weights: &[f64]) -> impl Iterator<Item = f64> {
    let sum: f64 = weights.iter().sum();
    weights.iter().map(move |weight| weight / sum)
}

/// As the engine scores, in the same order of operations: the recipe's own weights give the same bits.
fn scores(results: &Results, weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    let mut scores = vec![0.0; results.len()];
    for (metric, weight) in results.metrics.iter().zip(weights) {
        for (score, normalized) in scores.iter_mut().zip(&metric.normalized) {
            *score += weight * normalized / sum;
        }
    }
    for score in &mut scores {
        *score = score.clamp(0.0, 100.0);
    }
    scores
}

fn campaign_score_by(results: &Results, scores: &[f64]) -> Option<f64> {
    let impressions = total(results.impressions.iter().copied());
    let weighted = total(scores.iter().zip(&results.impressions).map(|(score, volume)| score * volume));
    (impressions != 0.0).then(|| weighted / impressions)
}

fn count_statuses(statuses: &[Status]) -> StatusCounts {
    let count = |status| statuses.iter().filter(|&&other| other == status).count() as u64;
    StatusCounts { good: count(Status::Good), moderate: count(Status::Moderate), poor: count(Status::Poor) }
}

/// Rows by score descending, impressions descending, name ascending.
fn order_by(results: &Results, scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<(f64, usize)> = scores.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|&(a_score, a), &(b_score, b)| {
        let by_volume = || results.impressions[b].total_cmp(&results.impressions[a]);
        let by_name = || results.names[a].cmp(&results.names[b]);
        b_score.total_cmp(&a_score).then_with(by_volume).then_with(by_name).then(a.cmp(&b))
    });
    order.into_iter().map(|(_, row)| row).collect()
}

/// The changes of the allowlist and of the blocklist.
fn list_changes(results: &Results, scores: &[f64], rules: ListRules<'_>) -> (ListChange, ListChange) {
    let candidates: Vec<usize> =
        (0..results.len()).filter(|&row| results.impressions[row] >= rules.min_impressions).collect();
    let is_protected = |name: &str| rules.protected.iter().any(|protected| protected == name);
    let lists = |scores: &[f64]| Lists::quartile_by(scores, results, &candidates, rules.share, &is_protected);
    let (before, after) = (lists(&results.scores), lists(scores));
    (list_change(results, &before.allow, &after.allow), list_change(results, &before.block, &after.block))
}

fn list_change(results: &Results, before: &[usize], after: &[usize]) -> ListChange {
    let only = |list: &[usize], other: &[usize]| -> Vec<String> {
        let mut is_there = vec![false; results.len()];
        for &row in other {
            is_there[row] = true;
        }
        list.iter().filter(|&&row| !is_there[row]).map(|&row| results.names[row].clone()).collect()
    };
    ListChange { entered: only(after, before), left: only(before, after) }
}
