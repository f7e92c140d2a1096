//! What `reference/weights.py` wrote.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::rows::Rows;

#[derive(Deserialize)]
struct Reference {
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
pub(crate) struct Case {
    z: serde_json::Map<String, serde_json::Value>,
    target: Vec<Option<f64>>,
    pub(crate) by_metric: ByMetric,
    pub(crate) searched: Searched,
    pub(crate) forest: Forest,
}

#[derive(Deserialize)]
pub(crate) struct ByMetric {
    pub(crate) correlation: Vec<f64>,
    pub(crate) f_score: Vec<f64>,
    pub(crate) variance: Vec<f64>,
    pub(crate) mutual_info: Vec<f64>,
    pub(crate) mutual_info_sd: Vec<f64>,
}

#[derive(Deserialize)]
pub(crate) struct Searched {
    pub(crate) optimum: f64,
    pub(crate) grid: f64,
    pub(crate) start: f64,
    pub(crate) start_by_fold: Vec<f64>,
}

#[derive(Deserialize)]
pub(crate) struct Forest {
    pub(crate) impurity: Spread<Vec<f64>>,
    pub(crate) permutation: Spread<Vec<f64>>,
    pub(crate) r_squared: Spread<f64>,
}

#[derive(Deserialize)]
pub(crate) struct Spread<T> {
    pub(crate) mean: T,
    pub(crate) sd: T,
}

pub(crate) fn cases() -> BTreeMap<String, Case> {
    serde_json::from_str::<Reference>(include_str!("../reference/weights.json")).unwrap().cases
}

impl Case {
    /// Its rows, with the target as `cost_per_conversion`: less is better of it, so it is written negated here and
    /// turned when it is learned from.
    pub(crate) fn rows(&self) -> Rows {
        let columns = self.z.iter().map(|(name, cells)| {
            let cells: Vec<Option<f64>> = serde_json::from_value(cells.clone()).unwrap();
            (name.as_str(), cells)
        });
        let target = self.target.iter().map(|value| value.map(|value| -value)).collect();
        Rows::of(columns.collect(), target)
    }
}

/// Within a part of the expected figure.
pub(crate) fn assert_close(found: f64, expected: f64, relative: f64, what: &str) {
    let allowed = relative * expected.abs().max(1e-300);
    assert!((found - expected).abs() <= allowed, "{what}: {found} and not {expected}");
}
