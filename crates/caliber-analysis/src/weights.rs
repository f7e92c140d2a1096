//! Which weights the rows suggest for the metrics of a recipe.
//!
//! [`learn`] asks each metric by itself how much it says about a target; [`optimize`] searches for the weights whose
//! sum follows the target best, and judges them on rows that the search has not seen. [`learned_recipe`] makes a
//! recipe of either answer.

mod learned_recipe;
mod mutual_information;
mod neighbours;
mod nonnegative;
mod objective;
mod optimize;
mod search;
mod target;
mod training;

use caliber_engine::parallel;
use caliber_engine::statistics::{is_constant, standard_deviation};
use serde::Serialize;

use crate::correlation::pearson;
use crate::draws::stream;
use crate::error::chosen;
use crate::{ByMetric, DEFAULT_SEED, Error, Pair, Result, Subject, ranked};

use mutual_information::mutual_information;
use training::{Training, shares};

pub use learned_recipe::learned_recipe;
pub use optimize::{DEFAULT_FOLDS, Fold, HeldOut, OptimizeOptions, Optimized, OptimizedOnTraining, optimize};
pub use search::{Iteration, Search};
pub use target::Direction;

/// F of a correlation that is perfect, or as good as.
const GREATEST_F: f64 = 1e12;

/// How the weight of a metric is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = WeightsMethod))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The same for each.
    Equal,
    /// The absolute correlation with the target (Pearson 1896).
    #[default]
    Correlation,
    /// The F statistic of a regression of the target on the metric alone, at most 1e12.
    FScore,
    /// Mutual information with the target, in nats (Kraskov, Stögbauer and Grassberger 2004).
    MutualInfo,
    /// The variance of the normalised metric.
    Variance,
    /// As given.
    Custom,
}

impl Method {
    /// Every method, by its word in options and files.
    pub const ALL: [(&'static str, Self); 6] = [
        ("equal", Self::Equal),
        ("correlation", Self::Correlation),
        ("f_score", Self::FScore),
        ("mutual_info", Self::MutualInfo),
        ("variance", Self::Variance),
        ("custom", Self::Custom),
    ];

    /// The method of a word.
    ///
    /// # Errors
    /// On `method`, with the words there are.
    pub fn of(word: &str) -> Result<Self> {
        chosen("method", word, &Self::ALL)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }

    fn needs_target(self) -> bool {
        matches!(self, Self::Correlation | Self::FScore | Self::MutualInfo)
    }

    /// Fewer rows leave every weight undefined.
    fn least_rows(self) -> usize {
        match self {
            Self::FScore => 3,
            Self::MutualInfo => mutual_information::LEAST_ROWS,
            _ => 1,
        }
    }
}

/// What [`learn`] goes by.
#[derive(Clone, Debug)]
pub struct Options {
    /// The column that the weights are to follow: any numeric one of the results that does not come of the score.
    pub target: Option<String>,
    /// How they are made.
    pub method: Method,
    /// The weights of [`Method::Custom`], every feature named; with another method they are an error.
    pub weights: Option<Vec<(String, f64)>>,
    /// Of the noise that breaks ties for [`Method::MutualInfo`].
    pub seed: u64,
    /// Threads at most; they change nothing but the time.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { target: None, method: Method::default(), weights: None, seed: DEFAULT_SEED, threads: 1 }
    }
}

/// Learned weights: the answer of [`learn`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Learned {
    /// How they were made.
    pub method: Method,
    /// What they were learned from.
    pub target: Option<String>,
    /// Which way the target is good.
    pub target_direction: Option<Direction>,
    /// Rows with a target; all of them where there is none.
    pub rows_used: usize,
    /// The metrics that got a weight.
    pub features: Vec<String>,
    /// Those that are themselves the target.
    pub left_out: Vec<String>,
    /// The weights; they sum to 1.
    pub weights: ByMetric<f64>,
    /// What the method gave, 0 where that is undefined.
    pub raw_weights: ByMetric<f64>,
    /// r of the normalised metric with the turned target, where both are present; `None` without a target.
    pub correlations: Option<ByMetric<Option<f64>>>,
    /// The weights, the greatest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<(String, f64)>))]
    pub feature_importance: Vec<Pair>,
    /// The weights in figures.
    pub summary: Summary,
    /// Where they were saved as a recipe; whoever saves them fills it in.
    pub saved_as: Option<String>,
    /// What to think of before they are used.
    pub warnings: Vec<String>,
}

/// Weights in figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = WeightsSummary))]
pub struct Summary {
    /// How many there are.
    pub total_features: usize,
    /// Their sum: 1, but for the last digit.
    pub weight_sum: f64,
    /// Their mean.
    pub weight_mean: f64,
    /// Their population standard deviation.
    pub weight_std: f64,
    /// The least.
    pub weight_min: f64,
    /// The greatest.
    pub weight_max: f64,
}

impl Summary {
    fn of(weights: &[f64]) -> Self {
        let count = weights.len() as f64;
        let sum: f64 = weights.iter().sum();
        let mean = sum / count;
        Self {
            total_features: weights.len(),
            weight_sum: sum,
            weight_mean: mean,
            weight_std: (weights.iter().map(|weight| (weight - mean).powi(2)).sum::<f64>() / count).sqrt(),
            weight_min: weights.iter().copied().fold(f64::INFINITY, f64::min),
            weight_max: weights.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// Weighs each metric by what it says about the target over the rows in which both are present.
///
/// # Errors
/// On `target` where it is unknown, constant, or missing though the method needs one; on `weights` where those given
/// are not one number from 0 up for every feature, or not all 0, or not asked for; on `method` where there are too
/// few rows for it.
pub fn learn(subject: &Subject<'_>, options: &Options) -> Result<Learned> {
    let method = options.method;
    if options.target.is_none() && method.needs_target() {
        return Err(target::Target::missing(subject, method.name()));
    }
    let training = Training::new(subject, options.target.as_deref())?;
    let rows = training.rows.len();
    if rows < method.least_rows() {
        let (name, least) = (method.name(), method.least_rows());
        return Err(Error::option(
            "method",
            format!("{name} needs at least {least} rows with a target, and there are {rows}"),
        ));
    }
    let raw = match (method, &options.weights) {
        (Method::Custom, weights) => custom(subject, &training, weights.as_deref().unwrap_or_default())?,
        (_, Some(_)) => {
            let name = method.name();
            return Err(Error::option(
                "weights",
                format!("weights are given for the method custom, and the method is {name}"),
            ));
        }
        (_, None) => raw_weights(&training, options),
    };
    Ok(answer(training, method, &raw))
}

fn custom(
    subject: &Subject<'_>,
    training: &Training<'_>,
    weights: &[(String, f64)],
) -> Result<Vec<Option<f64>>> {
    let names = training.names().join(", ");
    if weights.is_empty() {
        return Err(Error::option("weights", format!("custom needs a weight for each of {names}")));
    }
    let given = training.given(subject, weights)?;
    match given.iter().position(Option::is_none) {
        None => Ok(given),
        Some(at) => {
            let missing = &training.features[at].name;
            Err(Error::option(
                "weights",
                format!(
                    "`{missing}` has no weight; custom needs one for each of {names}, 0 if it is not to count"
                ),
            ))
        }
    }
}

/// What the method gives each feature; `None` where that is undefined.
fn raw_weights(training: &Training<'_>, options: &Options) -> Vec<Option<f64>> {
    let features: Vec<(u64, _)> = (0..).zip(&training.features).collect();
    parallel::map(options.threads, &features, |&(number, feature)| {
        let (z, target) = training.present_pairs(feature);
        match options.method {
            Method::Equal => Some(1.0 / training.features.len() as f64),
            Method::Correlation => pearson(&z, &target).map(f64::abs),
            Method::FScore => f_score(&z, &target),
            Method::MutualInfo => varies(&z)
                .then(|| mutual_information(&z, &target, &mut stream(options.seed, number)))
                .flatten(),
            Method::Variance => {
                varies(&z).then(|| standard_deviation(&z).map(|deviation| deviation.powi(2))).flatten()
            }
            Method::Custom => None,
        }
    })
}

/// F of a simple regression with 1 and n - 2 degrees of freedom. `None` under three rows and where r is undefined.
fn f_score(z: &[f64], target: &[f64]) -> Option<f64> {
    let degrees = z.len().checked_sub(2).filter(|&degrees| degrees > 0)?;
    let square = pearson(z, target)?.powi(2);
    Some((square / (1.0 - square) * degrees as f64).min(GREATEST_F))
}

fn varies(values: &[f64]) -> bool {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    !values.is_empty() && !is_constant(least, greatest)
}

fn answer(training: Training<'_>, method: Method, raw: &[Option<f64>]) -> Learned {
    let names = training.names();
    let by_metric =
        |figures: &[f64]| -> ByMetric<f64> { names.iter().cloned().zip(figures.iter().copied()).collect() };
    let raw_weights: Vec<f64> = raw.iter().map(|raw| raw.unwrap_or(0.0)).collect();
    let none_counts = raw_weights.iter().all(|&raw| raw == 0.0);
    let weights = shares(&if none_counts { vec![1.0; names.len()] } else { raw_weights.clone() });
    let correlations: Option<Vec<Option<f64>>> = training.target.is_some().then(|| {
        let r = |feature: &_| {
            let (z, target) = training.present_pairs(feature);
            pearson(&z, &target)
        };
        training.features.iter().map(|&feature| r(feature)).collect()
    });
    let warnings = warnings(&training, raw, correlations.as_deref(), none_counts);
    Learned {
        method,
        target_direction: training.target.as_ref().map(|target| target.direction),
        target: training.target.map(|target| target.name),
        rows_used: training.rows.len(),
        left_out: training.left_out,
        weights: by_metric(&weights),
        raw_weights: by_metric(&raw_weights),
        correlations: correlations.map(|r| names.iter().cloned().zip(r).collect()),
        feature_importance: ranked(names.iter().cloned().zip(weights.iter().copied())),
        summary: Summary::of(&weights),
        saved_as: None,
        warnings,
        features: names,
    }
}

fn warnings(
    training: &Training<'_>,
    raw: &[Option<f64>],
    correlations: Option<&[Option<f64>]>,
    none_counts: bool,
) -> Vec<String> {
    let mut warnings = Vec::new();
    for (at, feature) in training.features.iter().enumerate() {
        let name = &feature.name;
        if raw[at].is_none() {
            warnings.push(format!(
                "`{name}` does not vary, or is in too few rows, so it says nothing and its weight is 0"
            ));
        }
        let r = correlations.and_then(|correlations| correlations[at]);
        if let Some(r) = r.filter(|&r| r < 0.0) {
            let warning = format!(
                "`{name}` runs against the target (r = {r:.2}): rows that are better by it do worse, so its weight pulls the wrong way"
            );
            warnings.push(warning);
        }
    }
    if none_counts {
        warnings.push("no metric says anything, so all weights are equal".to_owned());
    }
    warnings
}
