//! From sums to scored rows: derive, filter by volume, normalise, weigh, rank, flag.

use crate::dictionary::Dictionary;
use crate::lists::sort_by;
use crate::normalize::{Bounds, Counts, Normalization, normalize};
use crate::parallel;
use crate::ranking::{in_order, rank};
use crate::recipe::{Dimension, Recipe, WeightedMetric};
use crate::report::mapping::EXTRAS;
use crate::results::{CPM_ABOVE_1000, EffectiveCounts, ExtraColumn, MetricColumn, Results};
use crate::rollup::plan::TOTALS;
use crate::rollup::{MetricSums, NoiseSums, Rolled};
use crate::statistics::quantiles;
use crate::{Code, Error, Result};

/// Domains with at least two rows below which row noise is not estimated (evidence.md 1.2).
const LEAST_FOR_NOISE: usize = 10;
/// Costs per thousand above this are flagged.
const DEAR: f64 = 1000.0;

/// How rows are scored, beside the recipe's metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) dimension: Dimension,
    pub(crate) normalization: Normalization,
    /// The least impressions of a row; 0 keeps all, whatever the recipe's least share.
    pub(crate) min_impressions: f64,
    /// Threads that work on metrics side by side.
    pub(crate) threads: usize,
}

/// Rows below the volume filter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BelowMinimum {
    pub(crate) count: u64,
    pub(crate) impressions: f64,
    pub(crate) spend: f64,
    /// What a row needed.
    pub(crate) least: f64,
}

/// Scored rows and what was met on the way.
#[derive(Debug)]
pub(crate) struct ScoredRows {
    pub(crate) results: Results,
    pub(crate) bounds: Vec<(String, Bounds)>,
    pub(crate) below_minimum: BelowMinimum,
    /// How much rows of one name differ more than by chance, for each share; `None` where too few names tell.
    pub(crate) row_noise: Vec<(String, Option<f64>)>,
}

/// Which of the totals any file has, in the order of [`TOTALS`].
pub(crate) type TotalsPresent = [bool; TOTALS.len()];

/// Scores a rolled-up report, whose names it takes where they are scored.
///
/// # Errors
/// `NothingScored` where no row has enough impressions.
pub(crate) fn score(
    rolled: &mut Rolled,
    present: TotalsPresent,
    recipe: &Recipe,
    dictionary: &Dictionary,
    options: Options,
) -> Result<ScoredRows> {
    let (kept, below_minimum) = filter_by_volume(rolled, recipe, options)?;
    let weight_sum: f64 = recipe.metrics.iter().map(|metric| metric.weight).sum();
    let with_sums: Vec<_> = recipe.metrics.iter().zip(&rolled.metrics).collect();
    let columns = parallel::map(options.threads, &with_sums, |(metric, sums)| {
        score_metric(metric, weight_sum, sums, &kept, options.normalization)
    });
    let (mut metrics, mut bounds, mut fences) = (Vec::new(), Vec::new(), Vec::new());
    let mut row_noise = Vec::new();
    for column in columns {
        let scored = column?;
        if scored.column.counts.is_some() {
            row_noise.push((scored.column.name.clone(), scored.row_noise));
        }
        bounds.push((scored.column.name.clone(), scored.bounds));
        fences.push(scored.fences);
        metrics.push(scored.column);
    }
    let scores = total_scores(&metrics, kept.len());
    let (impressions, name) =
        (|at: usize| rolled.impressions[kept[at]], |at: usize| &*rolled.names[kept[at]]);
    let order = in_order(0..scores.len(), &scores, |a, b| b.total_cmp(a), impressions, name);
    // Ascending, so that nothing is left to sort.
    let ascending: Vec<f64> = order.iter().rev().map(|&row| scores[row]).collect();
    let (mut percentiles, mut statuses) = rank(&ascending);
    percentiles.reverse();
    statuses.reverse();
    let kept = pick(&kept, &order);
    let ((metrics, outlier_flags), (extras, names)) = parallel::join(
        || {
            let metrics: Vec<MetricColumn> = metrics.iter().map(|metric| metric.rows(&order)).collect();
            let flags = outlier_flags(&metrics, &fences, order.len());
            (metrics, flags)
        },
        || {
            let extras = extra_columns(rolled, recipe, &kept);
            let names = kept.iter().map(|&row| std::mem::take(&mut rolled.names[row])).collect();
            (extras, names)
        },
    );
    let total = |at: usize| present[at].then(|| pick(&rolled.totals[at], &kept));
    let results = Results {
        dimension: options.dimension,
        names,
        outlier_flags,
        quality_flags: quality_flags(&metrics, &extras, dictionary, kept.len()),
        evidence: None,
        scores: pick(&scores, &order),
        percentiles,
        statuses,
        impressions: pick(&rolled.impressions, &kept),
        clicks: total(0),
        conversions: total(1),
        spend: total(2),
        extras,
        metrics,
    };
    Ok(ScoredRows { results, bounds, below_minimum, row_noise })
}

/// The columns beside the recipe's metrics, over the rows that are kept.
fn extra_columns(rolled: &Rolled, recipe: &Recipe, kept: &[usize]) -> Vec<ExtraColumn> {
    let beside = rolled.metrics.iter().skip(recipe.metrics.len());
    beside
        .filter_map(|sums| {
            let name = EXTRAS.into_iter().find(|extra| *extra == sums.name)?;
            let effective = sums.noise.as_ref().map(|noise| effective_counts(noise, kept));
            Some(ExtraColumn {
                name,
                values: derive(sums, kept),
                counts: effective.map(|(counts, _)| counts),
            })
        })
        .collect()
}

/// The rows with enough impressions, and what the others are together.
fn filter_by_volume(
    rolled: &Rolled,
    recipe: &Recipe,
    options: Options,
) -> Result<(Vec<usize>, BelowMinimum)> {
    let total: f64 = rolled.impressions.iter().sum();
    let least = if options.min_impressions > 0.0 {
        options.min_impressions.max(recipe.min_impression_share * total)
    } else {
        f64::NEG_INFINITY
    };
    let (kept, below): (Vec<usize>, Vec<usize>) =
        (0..rolled.names.len()).partition(|&row| rolled.impressions[row] >= least);
    if kept.is_empty() {
        return Err(nothing_scored(rolled, least));
    }
    // The standard library's sum of nothing is -0.
    let sum = |column: &[f64]| below.iter().map(|&row| column[row]).fold(0.0, |sum, figure| sum + figure);
    let below_minimum = BelowMinimum {
        count: below.len() as u64,
        impressions: sum(&rolled.impressions),
        spend: sum(&rolled.totals[2]),
        least: least.max(0.0),
    };
    Ok((kept, below_minimum))
}

fn nothing_scored(rolled: &Rolled, least: f64) -> Error {
    let largest =
        (0..rolled.names.len()).max_by(|&a, &b| rolled.impressions[a].total_cmp(&rolled.impressions[b]));
    match largest {
        Some(row) => Error::new(
            Code::NothingScored,
            format!(
                "no row has the {} impressions that are needed; the largest, {}, has {}",
                least.ceil(),
                rolled.names[row],
                rolled.impressions[row]
            ),
        )
        .help("--min-impressions 0 keeps all rows"),
        None => Error::new(Code::NothingScored, "no row is left: every row was dropped or sums up others")
            .help("look at the rows with `caliber inspect`; --map NAME=HEADER names other columns"),
    }
}

fn pick<T: Copy>(column: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| column[row]).collect()
}

/// The metric's values over the rows; x / 0 is missing.
fn derive(sums: &MetricSums, rows: &[usize]) -> Vec<Option<f64>> {
    rows.iter()
        .map(|&row| {
            let (x, n) = (sums.x[row], sums.n[row]);
            if sums.total { Some(x) } else { (n != 0.0).then(|| x / n * sums.per) }
        })
        .collect()
}

/// Counts deflated by the noise between rows (evidence.md 1.2), and that noise where there was enough to see it.
fn effective_counts(sums: &NoiseSums, kept: &[usize]) -> (EffectiveCounts, Option<f64>) {
    let noises = || kept.iter().map(|&name| sums.of(name));
    let (mut spread, mut expected, mut domains) = (0.0_f64, 0.0, 0);
    for noise in noises().filter(|noise| noise.rows >= 2.0 && noise.n > 0.0) {
        let p = noise.x / noise.n;
        if p > 0.0 && p < 1.0 {
            domains += 1;
            spread += (noise.q - noise.n * p * p) / (p * (1.0 - p)) - (noise.rows - 1.0);
            expected += (noise.n - noise.rows) - (noise.squares - noise.n) / noise.n;
        }
    }
    let rho = (domains >= LEAST_FOR_NOISE && expected > 0.0).then(|| (spread / expected).max(0.0));
    let counts = noises().map(|noise| {
        let deflated = noise.n + rho.unwrap_or(0.0) * (noise.squares - noise.n);
        let trials = if noise.n > 0.0 && deflated > 0.0 { noise.n * noise.n / deflated } else { 0.0 };
        (if noise.n > 0.0 { noise.x / noise.n * trials } else { 0.0 }, trials)
    });
    let (events, trials) = counts.unzip();
    (EffectiveCounts { events, trials }, rho)
}

/// What a metric adds to the score of every row.
pub(crate) fn contributions(normalized: &[f64], weight: f64, weight_sum: f64) -> Vec<f64> {
    normalized.iter().map(|value| weight * value / weight_sum).collect()
}

/// The score of every row: the sum of its contributions.
pub(crate) fn total_scores(metrics: &[MetricColumn], rows: usize) -> Vec<f64> {
    (0..rows)
        .map(|row| metrics.iter().map(|metric| metric.contributions[row]).sum::<f64>().clamp(0.0, 100.0))
        .collect()
}

/// One metric over the rows that are kept.
struct ScoredMetric {
    column: MetricColumn,
    bounds: Bounds,
    fences: Option<(f64, f64)>,
    row_noise: Option<f64>,
}

fn score_metric(
    metric: &WeightedMetric,
    weight_sum: f64,
    sums: &MetricSums,
    kept: &[usize],
    normalization: Normalization,
) -> Result<ScoredMetric> {
    let values = derive(sums, kept);
    let (events, trials) = (pick(&sums.x, kept), pick(&sums.n, kept));
    let counts = sums.noise.as_ref().map(|_| Counts { events: &events, trials: &trials });
    let (normalized, bounds) = normalize(&values, metric.better, normalization, counts).map_err(|error| {
        Error::new(Code::Machine, format!("{} cannot be shrunk", metric.metric)).caused_by(error.to_string())
    })?;
    let effective = sums.noise.as_ref().map(|noise| effective_counts(noise, kept));
    Ok(ScoredMetric {
        bounds,
        fences: fences(&values),
        row_noise: effective.as_ref().and_then(|(_, noise)| *noise),
        column: MetricColumn {
            name: metric.metric.clone(),
            weight: metric.weight,
            better: metric.better,
            contributions: contributions(&normalized, metric.weight, weight_sum),
            values,
            normalized,
            counts: effective.map(|(counts, _)| counts),
        },
    })
}

/// The interquartile fences of Tukey (1977); `None` without values.
pub(crate) fn fences(values: &[Option<f64>]) -> Option<(f64, f64)> {
    let mut present: Vec<f64> = values.iter().copied().flatten().collect();
    let [q1, q3] = quantiles(&mut present, [0.25, 0.75])?;
    let fence = 1.5 * (q3 - q1);
    Some((q1 - fence, q3 + fence))
}

/// Values outside the fences of their metric.
pub(crate) fn outlier_flags(
    metrics: &[MetricColumn],
    fences: &[Option<(f64, f64)>],
    rows: usize,
) -> Vec<Vec<String>> {
    let mut flags = vec![Vec::new(); rows];
    for (metric, fences) in metrics.iter().zip(fences) {
        let Some((lower, upper)) = *fences else { continue };
        let flag = format!("{}_outlier", metric.name);
        for (flags, value) in flags.iter_mut().zip(&metric.values) {
            if value.is_some_and(|value| value < lower || value > upper) {
                flags.push(flag.clone());
            }
        }
    }
    flags
}

/// Values that no honest report has: shares above 1, costs per thousand above 1000.
pub(crate) fn quality_flags(
    metrics: &[MetricColumn],
    extras: &[ExtraColumn],
    dictionary: &Dictionary,
    rows: usize,
) -> Vec<Vec<String>> {
    let mut flags = vec![Vec::new(); rows];
    let columns = metrics
        .iter()
        .map(|metric| (metric.name.as_str(), &metric.values))
        .chain(extras.iter().map(|extra| (extra.name, &extra.values)));
    for (name, values) in columns {
        let canonical = dictionary.canonical(name);
        let is_share = dictionary.metric(name).is_some_and(|definition| definition.share);
        let (flag, limit) = match canonical {
            "cpm" => (CPM_ABOVE_1000.to_owned(), DEAR),
            _ if is_share || canonical == "unique_id_ratio" => (format!("{name}_above_1"), 1.0),
            _ => continue,
        };
        for (flags, value) in flags.iter_mut().zip(values) {
            if value.is_some_and(|value| value > limit) && !flags.contains(&flag) {
                flags.push(flag.clone());
            }
        }
    }
    flags
}

/// Rows in the order of the files.
pub(crate) fn in_file_order(results: &Results) -> Results {
    let mut rows: Vec<usize> = (0..results.len()).collect();
    sort_by(&mut rows, results, &results.scores, |a, b| b.total_cmp(a));
    results.rows(&rows)
}
