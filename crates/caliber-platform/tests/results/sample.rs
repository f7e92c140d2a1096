//! Results to ask questions of.

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Better, Dimension};
use caliber_engine::results::{ExtraColumn, MetricColumn, Results, Status};
use caliber_platform::results::{Page, Query, ResultsTable};

/// What differs between the rows of a sample; all else follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) score: f64,
    pub(crate) impressions: f64,
    pub(crate) spend: f64,
    pub(crate) ctr: Option<f64>,
    pub(crate) view_rate: Option<f64>,
    pub(crate) percentile: f64,
    pub(crate) status: Status,
    pub(crate) outlier: bool,
}

impl Row {
    pub(crate) fn new(name: &str, score: f64, impressions: f64) -> Self {
        Self {
            name: name.to_owned(),
            score,
            impressions,
            spend: impressions / 500.0,
            ctr: Some(score / 1000.0),
            view_rate: None,
            percentile: score,
            status: Status::Moderate,
            outlier: false,
        }
    }
}

/// Rows with a CTR beside the recipe's one metric, and with spend unless told otherwise. They stand as given.
pub(crate) fn results(rows: &[Row], dimension: Dimension, with_spend: bool) -> Results {
    fn column<T>(rows: &[Row], cell: impl Fn(&Row) -> T) -> Vec<T> {
        rows.iter().map(cell).collect()
    }
    let normalized = column(rows, |row| row.view_rate.map_or(0.0, |rate| rate * 100.0));
    Results {
        dimension,
        names: column(rows, |row| row.name.clone()),
        scores: column(rows, |row| row.score),
        percentiles: column(rows, |row| row.percentile),
        statuses: column(rows, |row| row.status),
        impressions: column(rows, |row| row.impressions),
        clicks: None,
        conversions: None,
        spend: with_spend.then(|| column(rows, |row| row.spend)),
        extras: vec![ExtraColumn { name: "ctr", values: column(rows, |row| row.ctr), counts: None }],
        metrics: vec![MetricColumn {
            name: "view_rate".into(),
            weight: 1.0,
            better: Better::Higher,
            values: column(rows, |row| row.view_rate),
            contributions: normalized.clone(),
            normalized,
            counts: None,
        }],
        outlier_flags: column(rows, |row| {
            if row.outlier { vec!["view_rate_outlier".to_owned()] } else { Vec::new() }
        }),
        quality_flags: vec![Vec::new(); rows.len()],
        evidence: None,
    }
}

pub(crate) fn table_of(results: Results) -> ResultsTable {
    ResultsTable::new(results, Dictionary::shipped().clone()).unwrap()
}

pub(crate) fn table(rows: &[Row]) -> ResultsTable {
    table_of(results(rows, Dimension::Domain, true))
}

/// The names on a page.
pub(crate) fn names(table: &ResultsTable, page: &Page) -> Vec<String> {
    page.rows.iter().map(|&row| table.row(row).domain.to_owned()).collect()
}

pub(crate) fn first_page() -> Query {
    Query { page: 1, per_page: 100, ..Query::default() }
}
