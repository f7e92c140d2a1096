//! Insights about the metrics behind the score.

use caliber_engine::results::MetricColumn;
use caliber_engine::summary::total;

use super::{Campaign, Delivery, Figures, Finding, Kind};
use crate::written::{capital, counted, number, percent};

/// Points that a metric must cost the campaign to be worth an insight.
const LEAST_POINTS: f64 = 1.0;
/// The least share of the delivery without a value, or without a conversion.
const LEAST_SHARE: f64 = 0.1;
/// Metrics that count conversions.
const OF_CONVERSIONS: [&str; 2] = ["conversion_rate", "cost_per_conversion"];

/// The points that a metric takes from a row's score, as it lies below 100.
fn lost(metric: &MetricColumn, weights: f64, row: usize) -> f64 {
    100.0 * metric.weight / weights - metric.contributions[row]
}

/// The metric whose distance from 100 takes most from the campaign score. The losses of all metrics sum to 100 less
/// the campaign score. A metric that is the same for all rows says nothing about them and is passed over.
pub(super) fn costliest_metric(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let results = campaign.results;
    let impressions = total(results.impressions.iter().copied());
    if impressions <= 0.0 {
        return None;
    }
    let weights: f64 = results.metrics.iter().map(|metric| metric.weight).sum();
    let mean = |figure: &dyn Fn(usize) -> f64| {
        total((0..results.len()).map(|row| figure(row) * results.impressions[row])) / impressions
    };
    let varies =
        |metric: &&MetricColumn| metric.normalized.iter().any(|value| *value != metric.normalized[0]);
    let (metric, points) = results
        .metrics
        .iter()
        .filter(varies)
        .map(|metric| (metric, mean(&|row| lost(metric, weights, row))))
        .reduce(|worst, next| if next.1 > worst.1 { next } else { worst })?;
    if points < LEAST_POINTS {
        return None;
    }
    let all_points = 100.0 - mean(&|row| results.scores[row]);
    let level = mean(&|row| metric.normalized[row]);
    let missing = metric.values.iter().filter(|value| value.is_none()).count();
    let label = campaign.dictionary.label(&metric.name);
    let without = match missing {
        0 => String::new(),
        _ => format!(" It is missing for {}, which counts as 0.", counted(missing, campaign.unit())),
    };
    let all: Vec<usize> = (0..results.len()).collect();
    Some(Finding {
        kind: Kind::CostliestMetric,
        title: format!("{} costs most score: {} points", capital(&label), number(points, 1)),
        sentence: format!(
            "The campaign is {} points short of 100, and {} of them are lost in {label}: it has {} of the weight, and the average impression stands at {} of 100 in it.{without}",
            number(all_points, 1),
            number(points, 1),
            percent(metric.weight / weights),
            number(level, 1),
        ),
        figures: Figures(vec![
            ("points", points),
            ("all_points", all_points),
            ("share", points / all_points),
            ("weight", metric.weight / weights),
            ("average_normalized", level),
            ("missing", missing as f64),
        ]),
        names: campaign.examples(&all, |row| lost(metric, weights, row) * delivery.row(row)),
    })
}

/// Delivery to rows without a conversion, where conversions make part of the score.
pub(super) fn no_conversions(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let results = campaign.results;
    let conversions = results.conversions.as_ref()?;
    let counts = results
        .metrics
        .iter()
        .any(|metric| OF_CONVERSIONS.contains(&campaign.dictionary.canonical(&metric.name)));
    if !counts || total(conversions.iter().copied()) <= 0.0 {
        return None;
    }
    let without: Vec<usize> = (0..results.len()).filter(|&row| conversions[row] == 0.0).collect();
    let sum = delivery.sum(&without);
    let share = delivery.share(sum);
    if without.is_empty() || share < LEAST_SHARE {
        return None;
    }
    Some(Finding {
        kind: Kind::NoConversions,
        title: format!("{} of the {} brought no conversion", percent(share), delivery.name),
        sentence: format!(
            "{} went to {} without a single conversion. Small ones among them may only need more time; the largest are named.",
            delivery.written(sum),
            counted(without.len(), campaign.unit()),
        ),
        figures: Figures(vec![(delivery.name, sum), ("share", share), ("rows", without.len() as f64)]),
        names: campaign.examples(&without, |row| delivery.row(row)),
    })
}

/// The metric that is missing for most of the delivery.
pub(super) fn missing_values(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let results = campaign.results;
    let without = |metric: &MetricColumn| -> Vec<usize> {
        (0..results.len()).filter(|&row| metric.values[row].is_none()).collect()
    };
    let (metric, rows, sum) = results
        .metrics
        .iter()
        .map(|metric| {
            let rows = without(metric);
            let sum = delivery.sum(&rows);
            (metric, rows, sum)
        })
        .reduce(|most, next| if next.2 > most.2 { next } else { most })?;
    let share = delivery.share(sum);
    if rows.is_empty() || share < LEAST_SHARE {
        return None;
    }
    let label = campaign.dictionary.label(&metric.name);
    Some(Finding {
        kind: Kind::MissingValues,
        title: format!("{} is missing for {} of the {}", capital(&label), percent(share), delivery.name),
        sentence: format!(
            "The report gives no {label} for {}, which counts as 0 in their score. With that figure their places may change.",
            counted(rows.len(), campaign.unit()),
        ),
        figures: Figures(vec![("rows", rows.len() as f64), (delivery.name, sum), ("share", share)]),
        names: campaign.examples(&rows, |row| delivery.row(row)),
    })
}
