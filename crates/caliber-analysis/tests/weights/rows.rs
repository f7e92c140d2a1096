//! Scored rows made of normalised metrics.

use caliber_analysis::Subject;
use caliber_engine::dictionary::Dictionary;
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Better, Channel, Dimension, Goal, Recipe, WeightedMetric};
use caliber_engine::results::{ExtraColumn, MetricColumn, Results, Status};

pub(crate) struct Rows {
    pub(crate) results: Results,
    pub(crate) recipe: Recipe,
}

impl Rows {
    /// Rows with these normalised metrics, weighed alike, and `cost_per_conversion` beside them.
    pub(crate) fn of(columns: Vec<(&str, Vec<Option<f64>>)>, cost_per_conversion: Vec<Option<f64>>) -> Self {
        let weights: &[f64] = if columns.len() == 5 { &[0.15, 0.2, 0.25, 0.2, 0.2] } else { &[] };
        let rows = cost_per_conversion.len();
        let metrics: Vec<MetricColumn> = columns
            .into_iter()
            .enumerate()
            .map(|(at, (name, z))| {
                let weight = weights.get(at).copied().unwrap_or(1.0);
                let normalized: Vec<f64> = z.iter().map(|z| z.unwrap_or(0.0)).collect();
                MetricColumn {
                    name: name.to_owned(),
                    weight,
                    better: if matches!(name, "cpm" | "ecpm") { Better::Lower } else { Better::Higher },
                    contributions: normalized.iter().map(|z| weight * z).collect(),
                    values: z,
                    normalized,
                    counts: None,
                }
            })
            .collect();
        let score = |row: usize| metrics.iter().map(|metric| metric.contributions[row]).sum();
        let recipe = recipe(&metrics);
        let results = Results {
            dimension: Dimension::Domain,
            names: (0..rows).map(|row| format!("{row}.example")).collect(),
            scores: (0..rows).map(score).collect(),
            percentiles: vec![50.0; rows],
            statuses: vec![Status::Moderate; rows],
            impressions: (0..rows).map(|row| 1000.0 + row as f64).collect(),
            clicks: None,
            conversions: None,
            spend: Some(vec![7.0; rows]),
            extras: vec![ExtraColumn {
                name: "cost_per_conversion",
                values: cost_per_conversion,
                counts: None,
            }],
            outlier_flags: vec![Vec::new(); rows],
            quality_flags: vec![Vec::new(); rows],
            evidence: None,
            metrics,
        };
        Self { results, recipe }
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            results: &self.results,
            recipe: &self.recipe,
            dictionary: Dictionary::shipped(),
            normalization: Normalization::Minmax,
        }
    }
}

fn recipe(metrics: &[MetricColumn]) -> Recipe {
    let sum: f64 = metrics.iter().map(|metric| metric.weight).sum();
    let weighted = |metric: &MetricColumn| WeightedMetric {
        metric: metric.name.clone(),
        weight: metric.weight / sum,
        better: metric.better,
    };
    Recipe {
        version: 1,
        name: "own-display".to_owned(),
        platform: "own".to_owned(),
        channels: vec![Channel::Display, Channel::Video],
        goal: Goal::Action,
        ctr_sensitive: false,
        dimension: Dimension::SupplyVendor,
        min_impressions: 100,
        min_impression_share: 0.001,
        metrics: metrics.iter().map(weighted).collect(),
        columns: std::collections::BTreeMap::new(),
        derived: Vec::new(),
    }
}

/// All present.
pub(crate) fn cells(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}
