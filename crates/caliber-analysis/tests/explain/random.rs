//! Any rows that a scoring run could leave: ties, missing cells, constant metrics.

use caliber_engine::normalize::{Normalization, normalize};
use caliber_engine::ranking::rank;
use caliber_engine::recipe::{Better, Dimension, RecipeBook, WeightedMetric};
use caliber_engine::results::{MetricColumn, Results};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::scored::Run;

const METRICS: [(&str, Better); 3] =
    [("cpm", Better::Lower), ("ctr", Better::Higher), ("conversion_rate", Better::Higher)];

/// Runs scored by all ways of normalising but `shrunk`, which needs counts.
pub(crate) fn runs() -> impl Strategy<Value = Run> {
    let cell = prop_oneof![
        1 => Just(None),
        3 => (0..5).prop_map(|step| Some(f64::from(step) / 4.0)),
        4 => (0.0..1.0_f64).prop_map(Some),
    ];
    let columns =
        move |rows| vec(prop_oneof![4 => vec(cell.clone(), rows), 1 => vec(Just(Some(0.3)), rows)], 3);
    (1_usize..40)
        .prop_flat_map(move |rows| {
            let impressions = vec(prop_oneof![Just(250.0), (1.0..1e6_f64).prop_map(f64::round)], rows);
            (columns(rows), impressions, vec(0.01..1.0_f64, 3), 0_usize..3, vec(0_u32..100, rows))
        })
        .prop_map(|(columns, impressions, weights, method, names)| {
            run(&columns, impressions, &weights, Normalization::ALL[method].1, &names)
        })
}

/// A row for each of the names that is not a repetition.
fn run(
    columns: &[Vec<Option<f64>>],
    impressions: Vec<f64>,
    weights: &[f64],
    normalization: Normalization,
    names: &[u32],
) -> Run {
    let sum: f64 = weights.iter().sum();
    let rows = impressions.len();
    let metrics: Vec<MetricColumn> = METRICS
        .iter()
        .zip(columns)
        .zip(weights)
        .map(|(((name, better), values), weight)| {
            let normalized = normalize(values, *better, normalization, None).unwrap().0;
            MetricColumn {
                name: (*name).into(),
                weight: weight / sum,
                better: *better,
                values: values.clone(),
                contributions: normalized.iter().map(|value| weight / sum * value).collect(),
                normalized,
                counts: None,
            }
        })
        .collect();
    let scores: Vec<f64> =
        (0..rows).map(|row| metrics.iter().map(|metric| metric.contributions[row]).sum()).collect();
    let (percentiles, statuses) = rank(&scores);
    let mut recipe = RecipeBook::shipped().by_name("pulsepoint-display-awareness").unwrap().clone();
    let weighted = |metric: &MetricColumn| WeightedMetric {
        metric: metric.name.clone(),
        weight: metric.weight,
        better: metric.better,
    };
    recipe.metrics = metrics.iter().map(weighted).collect();
    let results = Results {
        dimension: Dimension::Domain,
        names: names.iter().map(|name| format!("{name}.example")).collect(),
        scores,
        percentiles,
        statuses,
        impressions,
        clicks: None,
        conversions: None,
        spend: None,
        extras: Vec::new(),
        metrics,
        outlier_flags: vec![Vec::new(); rows],
        quality_flags: vec![Vec::new(); rows],
        evidence: None,
    };
    let mut seen = std::collections::HashSet::new();
    let order: Vec<usize> = (0..rows).filter(|&row| seen.insert(names[row])).collect();
    let mut results = results.rows(&order);
    (results.percentiles, results.statuses) = rank(&results.scores);
    Run { results, recipe, normalization }
}
