//! Which metrics a random forest needs to tell scores apart.

mod forest;
mod tree;

use caliber_engine::statistics::is_constant;
use rand::RngExt;
use serde::Serialize;

use crate::draws::stream;
use crate::{ByMetric, DEFAULT_SEED, Error, Pair, Result, Subject, ranked};

use forest::{Forest, Matrix};

/// More rows are not looked at: a sample of so many is drawn.
const MOST_ROWS: usize = 10_000;

/// Streams of the seed below this are those of the trees and shuffles.
const SAMPLE_STREAM: u64 = 1 << 32;

/// What [`feature_importance`] goes by.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Of the sample, the trees and the shuffles.
    pub seed: u64,
    /// Threads at most; they change nothing but the time.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: DEFAULT_SEED, threads: 1 }
    }
}

/// The one name of the method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ImportanceMethod))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A random forest of the score on the normalised metrics.
    FeatureImportance,
}

/// What a forest makes of the scores: the answer of [`feature_importance`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Importance {
    /// How it was found.
    pub method: Method,
    /// Rows there are.
    pub rows: usize,
    /// Rows the forest saw: all, or 10,000 drawn.
    pub rows_used: usize,
    /// The seed.
    pub seed: u64,
    /// Each metric's part of the variance that the splits took away, averaged over the trees; they sum to 1, and are
    /// all 0 where the scores do not vary.
    pub feature_importance: ByMetric<f64>,
    /// How much R² falls when a metric's values are shuffled, mean of five times, on the rows the forest was grown
    /// on; 0 where the scores do not vary.
    pub permutation_importance: ByMetric<f64>,
    /// R² of the forest on the same rows; `None` where the scores do not vary.
    pub r_squared: Option<f64>,
    /// The metrics by `feature_importance`.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<(String, f64)>))]
    pub top_features: Vec<Pair>,
    /// What came out, for a person.
    pub explanation: String,
}

/// Grows a random forest (Breiman 2001) of score on normalised metrics, as scikit-learn's `RandomForestRegressor`
/// does: 100 trees on bootstrap samples, every metric tried at every split, leaves of one row, any depth.
///
/// # Errors
/// On `method`, where there are fewer than two rows.
pub fn feature_importance(subject: &Subject<'_>, options: Options) -> Result<Importance> {
    let results = subject.results;
    if results.len() < 2 {
        let message = format!("feature_importance needs at least 2 rows, and there are {}", results.len());
        return Err(Error::option("method", message));
    }
    let rows = sample(results.len(), options.seed);
    let pick = |column: &[f64]| rows.iter().map(|&row| column[row]).collect::<Vec<f64>>();
    let features: Vec<Vec<f64>> = results.metrics.iter().map(|metric| pick(&metric.normalized)).collect();
    let scores = pick(&results.scores);
    let matrix = Matrix::new(features);
    let forest = Forest::grow(&matrix, &scores, options.seed, options.threads);
    let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let judged = if is_constant(least, greatest) {
        (vec![0.0; matrix.columns()], None)
    } else {
        let (drops, r_squared) =
            forest.permutation_importance(&matrix, &scores, options.seed, options.threads);
        (drops, Some(r_squared))
    };
    Ok(answer(subject, options.seed, rows.len(), &forest.impurity_importance(), judged))
}

/// The rows to look at, ascending.
fn sample(rows: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    if rows > MOST_ROWS {
        let mut bits = stream(seed, SAMPLE_STREAM);
        for at in 0..MOST_ROWS {
            order.swap(at, bits.random_range(at..rows));
        }
        order.truncate(MOST_ROWS);
        order.sort_unstable();
    }
    order
}

fn answer(
    subject: &Subject<'_>,
    seed: u64,
    rows_used: usize,
    impurity: &[f64],
    (permutation, r_squared): (Vec<f64>, Option<f64>),
) -> Importance {
    let names = || subject.results.metrics.iter().map(|metric| metric.name.clone());
    let top_features = ranked(names().zip(impurity.iter().copied()));
    Importance {
        method: Method::FeatureImportance,
        rows: subject.results.len(),
        rows_used,
        seed,
        feature_importance: names().zip(impurity.iter().copied()).collect(),
        permutation_importance: names().zip(permutation).collect(),
        r_squared,
        explanation: explanation(subject, &top_features, r_squared),
        top_features,
    }
}

fn explanation(subject: &Subject<'_>, top: &[Pair], r_squared: Option<f64>) -> String {
    let Some(r_squared) = r_squared else {
        return "All rows have the same score, so no metric tells them apart.".to_owned();
    };
    let part = |(name, part): &Pair| format!("{} ({:.0} %)", subject.dictionary.label(name), part * 100.0);
    let parts: Vec<String> = top.iter().take(3).filter(|(_, part)| *part >= 0.005).map(part).collect();
    format!(
        "What sets scores apart most is {}. A forest of the metrics explains {:.0} % of the differences between scores.",
        parts.join(", then "),
        r_squared.max(0.0) * 100.0
    )
}
