//! Results that hold every kind of cell, and what is expected of each column.

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Better, Dimension, RecipeBook};
use caliber_engine::results::{EffectiveCounts, ExtraColumn, MetricColumn, Results, Status};
use caliber_reports::{CampaignReport, ListRow, QualityFacts, RunFacts};
use chrono::{TimeZone, Utc};
use serde_json::json;

/// The columns of [`results`], written out from the contract.
pub(crate) const HEADER: [&str; 20] = [
    "domain",
    "score",
    "percentile",
    "percentile_rank",
    "quality_status",
    "impressions",
    "clicks",
    "conversions",
    "spend",
    "conversion_rate",
    "cost_per_conversion",
    "cpm",
    "cpm_normalized",
    "cpm_contribution",
    "ctr",
    "ctr_normalized",
    "ctr_contribution",
    "is_outlier",
    "outlier_flags",
    "quality_flags",
];

/// Names that break careless writers, the first four of them formulas to a spreadsheet.
pub(crate) const NAMES: [&str; 9] = [
    "=HYPERLINK(\"http://x\")",
    "@sum.example",
    "-5 apps",
    "+1.example",
    "comma, \"quote\" and; semicolon",
    "two\nlines",
    "emoji 🎯 é",
    "291097",
    "'plain",
];

/// Nine rows: no conversions in the report, a metric missing in the third row, flags in the first two.
pub(crate) fn results() -> Results {
    let rows = NAMES.len();
    let falling = |top: f64| (0..rows).map(|row| top - row as f64 / 3.0).collect::<Vec<f64>>();
    Results {
        dimension: Dimension::Domain,
        names: NAMES.map(String::from).to_vec(),
        scores: vec![100.0, 0.1 + 0.2, 1.0 / 3.0, 5e-324, f64::MAX, 1e16, 9_007_199_254_740_993.0, 1e-7, 0.0],
        percentiles: vec![100.0, 87.5, 74.5, 62.5, 50.0, 37.5, 24.999_999, 12.5, 0.49],
        statuses: vec![Status::Good, Status::Good, Status::Moderate, Status::Moderate, Status::Moderate]
            .into_iter()
            .chain(vec![Status::Poor; 4])
            .collect(),
        impressions: vec![1077.0, 1e6, 250.0, 251.0, 1e15, 252.0, -3.0, 0.0, 255.5],
        clicks: Some((0..rows).map(|row| row as f64).collect()),
        conversions: None,
        spend: Some(falling(12.34)),
        extras: vec![
            ExtraColumn { name: "conversion_rate", values: vec![None; rows], counts: None },
            ExtraColumn { name: "cost_per_conversion", values: vec![None; rows], counts: None },
        ],
        metrics: vec![
            metric("cpm", None, &falling(2.5)),
            metric(
                "ctr",
                Some(EffectiveCounts { events: falling(9.0), trials: falling(999.0) }),
                &falling(0.7),
            ),
        ],
        outlier_flags: flags(&[&["cpm_outlier"], &["cpm_outlier", "ctr_outlier"]]),
        quality_flags: flags(&[&["ctr_above_1"]]),
        evidence: None,
    }
}

/// Results without a row.
pub(crate) fn nothing() -> Results {
    let mut results = results();
    results.names.clear();
    results
}

fn metric(name: &str, counts: Option<EffectiveCounts>, figures: &[f64]) -> MetricColumn {
    let mut values: Vec<_> = figures.iter().copied().map(Some).collect();
    values[2] = None;
    MetricColumn {
        name: name.into(),
        weight: 0.5,
        better: Better::Lower,
        values,
        normalized: figures.iter().map(|figure| figure * 7.0).collect(),
        contributions: figures.iter().map(|figure| figure * 3.5).collect(),
        counts,
    }
}

fn flags(first: &[&[&str]]) -> Vec<Vec<String>> {
    let mut flags: Vec<Vec<String>> =
        first.iter().map(|names| names.iter().map(|name| (*name).to_owned()).collect()).collect();
    flags.resize(NAMES.len(), Vec::new());
    flags
}

/// What a numeric column must hold, by its name and from the results themselves.
pub(crate) fn figures(results: &Results, column: &str) -> Vec<Option<f64>> {
    let some = |figures: &[f64]| figures.iter().copied().map(Some).collect::<Vec<_>>();
    let count = |figures: &Option<Vec<f64>>| figures.as_deref().map_or(vec![None; results.len()], some);
    let metric = |name: &str| results.metrics.iter().find(|metric| metric.name == name).unwrap();
    match column {
        "score" => some(&results.scores),
        "percentile" => some(&results.percentiles),
        "percentile_rank" => [100, 88, 75, 63, 50, 38, 25, 13, 0].map(|rank| Some(f64::from(rank))).to_vec(),
        "impressions" => some(&results.impressions),
        "clicks" => count(&results.clicks),
        "conversions" => count(&results.conversions),
        "spend" => count(&results.spend),
        "cpm" | "ctr" => metric(column).values.clone(),
        "cpm_normalized" | "ctr_normalized" => some(&metric(&column[..3]).normalized),
        "cpm_contribution" | "ctr_contribution" => some(&metric(&column[..3]).contributions),
        "ctr_events" => some(&metric("ctr").counts.as_ref().unwrap().events),
        "ctr_trials" => some(&metric("ctr").counts.as_ref().unwrap().trials),
        _ => results.extras.iter().find(|extra| extra.name == column).unwrap().values.clone(),
    }
}

/// What a report of a campaign tells beside its results.
pub(crate) struct Facts {
    pub(crate) run: RunFacts,
    pub(crate) quality: QualityFacts,
    pub(crate) allow: Vec<ListRow>,
    pub(crate) block: Vec<ListRow>,
}

impl Facts {
    /// Dollars in March; the first two rows are allowed, the last two blocked.
    pub(crate) fn of(results: &Results) -> Self {
        let recipe = RecipeBook::shipped().by_name("generic-display-awareness").unwrap();
        let run = json!({
            "recipe": recipe, "normalization": "minmax", "currency": "USD",
            "period": {"from": "2026-03-01", "to": "2026-03-31"}, "platform": "generic", "channel": "display",
            "goal": "awareness", "dimension": "domain", "files": ["=evil.csv"], "rows_read": 12, "rows_used": 10,
            "rows_dropped": {"missing_impressions": 2}, "dimension_values": 9,
            "aggregate_rows": {"count": 1, "impressions": 5.0, "spend": 0.5},
            "normalization_stats": {"cpm": {"min": 0.5, "max": 2.5, "count": 8}},
            "lists": {"policy": "quartile", "share": 0.25, "min_impressions": 250},
        });
        let quality = json!({
            "mapping": [{"canonical": "domain", "header": "@Site", "how": "alias"}],
            "unmapped_headers": ["+Other"], "unreadable_cells": [{"column": "Clicks", "count": 3}],
            "warnings": [{"code": "scale_guessed", "message": "=a guess"}],
        });
        let listed = |rows: &[usize], reason: &str| {
            let rows = rows.iter().filter(|&&row| row < results.len());
            rows.map(|&row| ListRow::scored(results, row, reason.to_owned())).collect()
        };
        Self {
            run: RunFacts::of(run).unwrap(),
            quality: QualityFacts::of(quality).unwrap(),
            allow: listed(&[0, 1], "cpm 1.2 adds"),
            block: listed(&[8, 7], "=ctr costs"),
        }
    }

    pub(crate) fn report<'a>(&'a self, results: &'a Results) -> CampaignReport<'a> {
        CampaignReport {
            name: "=Spring",
            results,
            dictionary: Dictionary::shipped(),
            run: &self.run,
            quality: &self.quality,
            allowlist: &self.allow,
            blocklist: &self.block,
            scored_at: None,
            generated_at: Utc.with_ymd_and_hms(2026, 4, 1, 8, 0, 0).unwrap(),
        }
    }
}
