//! Which raw metrics go with the score.

use caliber_engine::parallel;
use serde::Serialize;

use super::words;
use crate::correlation::pearson;
use crate::{ByMetric, Pair, Subject, ranked};

/// A campaign by the correlation of each raw metric with the score.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Correlations {
    /// `correlation`.
    pub method: &'static str,
    /// How many rows there are.
    pub rows: usize,
    /// Pearson's r over the rows where the metric is present; `null` where it is undefined.
    pub correlations: ByMetric<Option<f64>>,
    /// Those that are defined, the strongest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<(String, f64)>))]
    pub top_features: Vec<Pair>,
    /// The same in words.
    pub explanation: String,
}

impl Correlations {
    pub(super) fn of(subject: &Subject<'_>, threads: usize) -> Self {
        let results = subject.results;
        let found = parallel::map(threads, &results.metrics, |metric| {
            let present = metric.values.iter().zip(&results.scores);
            let (values, scores): (Vec<f64>, Vec<f64>) =
                present.filter_map(|(value, &score)| Some(((*value)?, score))).unzip();
            pearson(&values, &scores)
        });
        let names = results.metrics.iter().map(|metric| metric.name.clone());
        let correlations: ByMetric<Option<f64>> = names.zip(found).collect();
        let defined = correlations.0.iter().filter_map(|(name, r)| Some((name.clone(), (*r)?)));
        let top_features = ranked(defined);
        Self {
            method: "correlation",
            rows: results.len(),
            explanation: words::of_correlations(subject, &top_features),
            correlations,
            top_features,
        }
    }
}
