//! The exact Shapley values of a campaign.

use caliber_engine::explain::Explainer;
use caliber_engine::parallel;
use serde::Serialize;

use super::{Options, words};
use crate::scale::Scale;
use crate::{ByMetric, Pair, Subject, ranked};

/// A campaign by the Shapley values of its rows.
///
/// The score is linear in the normalised metrics, so with the campaign as background the exact value of a metric is
/// its contribution to the row less its mean contribution (Shapley 1953; Strumbelj and Kononenko 2014).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shapley {
    /// `shapley`.
    pub method: &'static str,
    /// How many rows there are.
    pub rows: usize,
    /// The unweighted mean score.
    pub base_value: f64,
    /// The mean of the absolute values, in points of the score.
    pub feature_importance: ByMetric<f64>,
    /// The same, the weightiest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<(String, f64)>))]
    pub top_features: Vec<Pair>,
    /// Points of the score for one more unit of the raw value; `null` where that is no straight line.
    pub derivatives: ByMetric<Option<f64>>,
    /// The values, one a row; only where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shap_values: Option<ByMetric<Vec<f64>>>,
    /// The same in words.
    pub explanation: String,
}

/// What is found out about one metric.
struct OfMetric {
    importance: f64,
    derivative: Option<f64>,
    values: Option<Vec<f64>>,
}

impl Shapley {
    pub(super) fn of(subject: &Subject<'_>, options: Options) -> Self {
        let results = subject.results;
        let explainer = Explainer::new(results, subject.dictionary);
        let slopes: Vec<f64> = weight_shares(subject);
        let metrics: Vec<_> = results.metrics.iter().zip(explainer.means()).zip(slopes).collect();
        let found = parallel::map(options.threads, &metrics, |((metric, mean), share)| {
            let values = || metric.contributions.iter().map(|contribution| contribution - *mean);
            OfMetric {
                importance: values().map(f64::abs).sum::<f64>() / results.len() as f64,
                derivative: Scale::of(metric, subject.normalization).map(|scale| share * scale.slope()),
                values: options.values.then(|| values().collect()),
            }
        });
        let names = || results.metrics.iter().map(|metric| metric.name.clone());
        let feature_importance: ByMetric<f64> =
            names().zip(found.iter().map(|metric| metric.importance)).collect();
        let top_features = ranked(feature_importance.0.iter().cloned());
        let derivatives = names().zip(found.iter().map(|metric| metric.derivative)).collect();
        let values = found.into_iter().map(|metric| metric.values);
        let shap_values: Option<Vec<_>> =
            names().zip(values).map(|(name, values)| Some((name, values?))).collect();
        Self {
            method: "shapley",
            rows: results.len(),
            base_value: base_value(subject),
            explanation: words::of_campaign(subject, &top_features),
            feature_importance,
            top_features,
            derivatives,
            shap_values: shap_values.map(ByMetric),
        }
    }
}

/// The unweighted mean score; rows there are.
pub(super) fn base_value(subject: &Subject<'_>) -> f64 {
    caliber_engine::statistics::mean(&subject.results.scores).unwrap_or(0.0)
}

/// The weight of each metric as its share of all weights.
pub(super) fn weight_shares(subject: &Subject<'_>) -> Vec<f64> {
    let metrics = &subject.results.metrics;
    let sum: f64 = metrics.iter().map(|metric| metric.weight).sum();
    metrics.iter().map(|metric| metric.weight / sum).collect()
}
