//! Weights found by search, and judged on rows that the search has not seen.

use caliber_engine::parallel;
use serde::Serialize;

use super::objective::{Moments, Objective};
use super::search::{Iteration, Search, Searched};
use super::target::{Direction, Target};
use super::training::{Training, shares};
use crate::correlation::pearson;
use crate::draws::stream;
use crate::{ByMetric, DEFAULT_SEED, Error, Result, Subject};

/// Folds unless another number is asked for.
pub const DEFAULT_FOLDS: usize = 5;

/// What [`optimize`] goes by.
#[derive(Clone, Debug)]
pub struct OptimizeOptions {
    /// The column that the score is to follow. It is needed.
    pub target: Option<String>,
    /// How weights are searched for.
    pub method: Search,
    /// Parts that the rows are cut in, each to judge what was found on the others: from 2 to the rows with a target.
    /// The time grows with them.
    pub folds: usize,
    /// What to start from, the recipe's unless given; a metric that is not named has 0.
    pub weights: Option<Vec<(String, f64)>>,
    /// Of the draws.
    pub seed: u64,
    /// Threads at most; they change nothing but the time.
    pub threads: usize,
}

impl Default for OptimizeOptions {
    fn default() -> Self {
        Self {
            target: None,
            method: Search::default(),
            folds: DEFAULT_FOLDS,
            weights: None,
            seed: DEFAULT_SEED,
            threads: 1,
        }
    }
}

/// Optimised weights: the answer of [`optimize`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Optimized {
    /// How they were searched for.
    pub method: Search,
    /// The column they follow.
    pub target: String,
    /// Which way it is good.
    pub target_direction: Direction,
    /// Rows with a target.
    pub rows_used: usize,
    /// The metrics that were weighed.
    pub features: Vec<String>,
    /// Those that are themselves the target.
    pub left_out: Vec<String>,
    /// Number of folds.
    pub folds: usize,
    /// The seed.
    pub seed: u64,
    /// What the search started from.
    pub start_weights: ByMetric<f64>,
    /// What is best: found on all rows used, or the start where searching does not pay.
    pub best_weights: ByMetric<f64>,
    /// Whether searched weights do better than the start on rows they were not made from.
    pub improved: bool,
    /// r on rows that the search has not seen.
    pub held_out: HeldOut,
    /// r on the rows that the search has seen.
    pub training: OptimizedOnTraining,
    /// The search on all rows used, step by step; the first step is the start alone.
    pub optimization_history: Vec<Iteration>,
    /// Weights that this search tried.
    pub evaluations: u64,
    /// Where they were saved as a recipe; whoever saves them fills it in.
    pub saved_as: Option<String>,
    /// What came out, for a person.
    pub explanation: String,
}

/// How start and best do on rows that the search has not seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldOut {
    /// Mean r over the folds, of the start.
    pub start: f64,
    /// The same of what was found on the other folds; of the start where that is kept.
    pub best: f64,
    /// Fold by fold.
    pub folds: Vec<Fold>,
}

/// One part of the rows, judged by what was found on the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fold {
    /// Counted from 0.
    pub fold: usize,
    /// Its rows.
    pub rows: usize,
    /// What was found on the other folds; the start where that is kept.
    pub weights: ByMetric<f64>,
    /// r of the start with the target, 0 where undefined.
    pub start: f64,
    /// r of the weights with the target, 0 where undefined.
    pub best: f64,
}

/// How start and best do on all rows used; `None` where the weighted sum is constant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptimizedOnTraining {
    /// r of the start.
    pub start: Option<f64>,
    /// r of the best.
    pub best: Option<f64>,
}

/// Searches for the weights, from 0 up and of sum 1, whose weighted sum of normalised metrics correlates most with
/// the target; a missing metric counts 0, as in the score. They are kept only where weights found so do better than
/// the start on rows they were not found on.
///
/// # Errors
/// On `target` where it is missing, unknown or constant; on `folds` where there are fewer than two or more than
/// rows; on `weights` where one is negative or unknown, or all are 0; on `method` where there are too many metrics
/// for it.
pub fn optimize(subject: &Subject<'_>, options: &OptimizeOptions) -> Result<Optimized> {
    if options.target.is_none() {
        return Err(Target::missing(subject, "searching for weights"));
    }
    let training = Training::new(subject, options.target.as_deref())?;
    let rows = training.rows.len();
    if options.folds < 2 || options.folds > rows {
        let message = format!(
            "the {rows} rows with a target cannot be cut in {} folds; give from 2 to {rows}",
            options.folds
        );
        return Err(Error::option("folds", message));
    }
    options.method.check(training.features.len())?;
    let start = start_weights(subject, &training, options.weights.as_deref())?;
    let sample = Sample::new(&training, options.folds);
    let searched = sample.search(&start, options);
    Ok(answer(subject, training, options, &start, &sample, searched))
}

fn start_weights(
    subject: &Subject<'_>,
    training: &Training<'_>,
    given: Option<&[(String, f64)]>,
) -> Result<Vec<f64>> {
    let weights = match given {
        Some(given) => {
            let weights = training.given(subject, given)?;
            weights.into_iter().map(|weight| weight.unwrap_or(0.0)).collect()
        }
        None => training.features.iter().map(|feature| feature.weight).collect::<Vec<f64>>(),
    };
    Ok(shares(&weights))
}

/// The rows used, cut in folds: a row's fold is its position modulo their number.
struct Sample {
    /// The features and, last, the target, over the rows used.
    columns: Vec<Vec<f64>>,
    folds: usize,
}

impl Sample {
    fn new(training: &Training<'_>, folds: usize) -> Self {
        let feature = |feature: &&caliber_engine::results::MetricColumn| -> Vec<f64> {
            training.rows.iter().map(|&row| feature.normalized[row]).collect()
        };
        let mut columns: Vec<Vec<f64>> = training.features.iter().map(feature).collect();
        columns.push(training.target_values());
        Self { columns, folds }
    }

    fn rows(&self) -> usize {
        self.columns[0].len()
    }

    fn fold(&self, fold: usize) -> Vec<usize> {
        (fold..self.rows()).step_by(self.folds).collect()
    }

    /// What is found on all rows, then on all but each fold.
    fn search(&self, start: &[f64], options: &OptimizeOptions) -> Vec<Searched> {
        let folds: Vec<usize> = (0..self.folds).collect();
        let moments =
            parallel::map(options.threads, &folds, |&fold| Moments::of(&self.columns, &self.fold(fold)));
        let searches: Vec<(u64, Moments)> = (0..).zip(all_and_all_but_each(&moments)).collect();
        parallel::map(options.threads, &searches, |(number, moments)| {
            options.method.run(&Objective::new(moments), start, stream(options.seed, *number))
        })
    }

    /// r of the weighted sum with the target over these rows.
    fn r(&self, weights: &[f64], rows: impl Iterator<Item = usize> + Clone) -> Option<f64> {
        let (target, features) = self.columns.split_last()?;
        let sum = |row: usize| weights.iter().zip(features).map(|(weight, z)| weight * z[row]).sum();
        let sums: Vec<f64> = rows.clone().map(sum).collect();
        pearson(&sums, &rows.map(|row| target[row]).collect::<Vec<f64>>())
    }
}

/// The moments of all parts, then of all but each; put together from both ends, since taking a part off again would
/// leave rounding behind.
fn all_and_all_but_each(parts: &[Moments]) -> Vec<Moments> {
    let none = Moments::none(parts[0].columns());
    let mut after = vec![none.clone()];
    for part in parts.iter().rev() {
        after.push(after[after.len() - 1].with(part));
    }
    after.reverse();
    let mut moments = vec![after[0].clone()];
    let mut before = none;
    for (part, after) in parts.iter().zip(&after[1..]) {
        moments.push(before.with(after));
        before = before.with(part);
    }
    moments
}

fn answer(
    subject: &Subject<'_>,
    training: Training<'_>,
    options: &OptimizeOptions,
    start: &[f64],
    sample: &Sample,
    mut searched: Vec<Searched>,
) -> Optimized {
    let by_fold = searched.split_off(1);
    let on_all = searched.swap_remove(0);
    let judged = |weights: &[f64], fold: usize| {
        sample.r(weights, (fold..sample.rows()).step_by(sample.folds)).unwrap_or(0.0)
    };
    let mean = |figures: &[f64]| figures.iter().sum::<f64>() / figures.len() as f64;
    let of_start: Vec<f64> = (0..sample.folds).map(|fold| judged(start, fold)).collect();
    let of_found: Vec<f64> =
        by_fold.iter().enumerate().map(|(fold, found)| judged(&found.weights, fold)).collect();
    let improved = mean(&of_found) > mean(&of_start);
    let explanation = Explanation {
        subject,
        training: &training,
        improved,
        found: mean(&of_found),
        start: mean(&of_start),
    };
    let best = if improved { on_all.weights } else { start.to_vec() };
    let explanation = explanation.sentence(start, &best);
    let names = training.names();
    let by_metric =
        |weights: &[f64]| -> ByMetric<f64> { names.iter().cloned().zip(weights.iter().copied()).collect() };
    let folds = (0..sample.folds).map(|fold| Fold {
        fold,
        rows: sample.fold(fold).len(),
        weights: by_metric(if improved { &by_fold[fold].weights } else { start }),
        start: of_start[fold],
        best: if improved { of_found[fold] } else { of_start[fold] },
    });
    let held_out = HeldOut {
        start: mean(&of_start),
        best: mean(if improved { &of_found } else { &of_start }),
        folds: folds.collect(),
    };
    let (target, target_direction) = training
        .target
        .map_or((String::new(), Direction::HigherIsBetter), |target| (target.name, target.direction));
    Optimized {
        method: options.method,
        target,
        target_direction,
        rows_used: sample.rows(),
        left_out: training.left_out,
        folds: sample.folds,
        seed: options.seed,
        start_weights: by_metric(start),
        best_weights: by_metric(&best),
        improved,
        held_out,
        training: OptimizedOnTraining {
            start: sample.r(start, 0..sample.rows()),
            best: sample.r(&best, 0..sample.rows()),
        },
        optimization_history: on_all.history,
        evaluations: on_all.evaluations,
        saved_as: None,
        explanation,
        features: names,
    }
}

/// What came out, in words.
struct Explanation<'a> {
    subject: &'a Subject<'a>,
    training: &'a Training<'a>,
    improved: bool,
    found: f64,
    start: f64,
}

impl Explanation<'_> {
    fn sentence(&self, start: &[f64], best: &[f64]) -> String {
        let label = |name: &str| self.subject.dictionary.label(name);
        let target = self.training.target.as_ref().map_or(String::new(), |target| label(&target.name));
        let (found, before) = (self.found, self.start);
        if !self.improved {
            return format!(
                "The weights stay as they are: on rows not searched, others follow {target} with r = {found:.2}, and these with {before:.2}."
            );
        }
        let mut changes: Vec<(String, f64, f64)> = self
            .training
            .features
            .iter()
            .zip(start.iter().zip(best))
            .map(|(feature, (&start, &best))| (label(&feature.name), start, best))
            .collect();
        changes.sort_by(|a, b| (b.2 - b.1).abs().total_cmp(&(a.2 - a.1).abs()));
        let percent = |weight: f64| format!("{:.0} %", weight * 100.0);
        let changes: Vec<String> = changes
            .iter()
            .take(3)
            .map(|(label, start, best)| format!("{label} from {} to {}", percent(*start), percent(*best)))
            .collect();
        format!(
            "On rows not searched, the new weights follow {target} with r = {found:.2} instead of {before:.2}. The greatest changes: {}.",
            changes.join(", ")
        )
    }
}
