//! Searches for the weights of the greatest correlation.

mod bayesian;
mod genetic;
mod grid;

use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::nonnegative::optimum;
use super::objective::Objective;
use crate::{Error, Result};

/// How far a search may end below the exact optimum of the rows it was made on.
const TOLERANCE: f64 = 0.02;

/// How weights are searched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// All weights of a grid: steps of 0.05 up to six features, of 0.1 beyond.
    #[default]
    GridSearch,
    /// A genetic algorithm.
    Genetic,
    /// Bayesian optimisation: a Gaussian process of what was tried, and its expected improvement.
    Bayesian,
}

impl Search {
    /// Every search, by its word in options and files.
    pub const ALL: [(&'static str, Self); 3] =
        [("grid_search", Self::GridSearch), ("genetic", Self::Genetic), ("bayesian", Self::Bayesian)];

    /// The search of a word.
    ///
    /// # Errors
    /// On `method`, with the words there are.
    pub fn of(word: &str) -> Result<Self> {
        crate::error::chosen("method", word, &Self::ALL)
    }

    /// # Errors
    /// On `method`, where there are more features than it can serve.
    pub(crate) fn check(self, features: usize) -> Result<()> {
        let most = grid::MOST_FEATURES;
        if self == Self::GridSearch && features > most {
            return Err(Error::option(
                "method",
                format!(
                    "grid_search serves up to {most} metrics, and there are {features}; give genetic or bayesian"
                ),
            ));
        }
        Ok(())
    }

    /// Searches from `start`, which is the first candidate.
    ///
    /// A grid may be too coarse for metrics of very unlike spread. So a search that ends more than 0.02 below the
    /// exact optimum, which is known, goes there at last.
    pub(crate) fn run(self, objective: &Objective, start: &[f64], bits: ChaCha8Rng) -> Searched {
        let mut trail = Trail::new(objective, start);
        if !objective.varying().is_empty() {
            match self {
                Self::GridSearch => grid::search(&mut trail),
                Self::Genetic => genetic::search(&mut trail, bits),
                Self::Bayesian => bayesian::search(&mut trail, bits),
            }
        }
        if let Some(weights) = optimum(objective)
            && objective.r(&weights).is_some_and(|r| r - trail.best_r > TOLERANCE)
        {
            trail.consider(&weights);
            trail.end_iteration();
        }
        Searched { weights: trail.best, history: trail.history, evaluations: trail.evaluations }
    }
}

/// One step of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Iteration {
    /// Counted from 0, which is the start alone.
    pub iteration: usize,
    /// The greatest r so far; `None` where all sums were constant.
    pub best_score: Option<f64>,
    /// The mean r of what was tried in this step; `None` likewise.
    pub average_score: Option<f64>,
}

/// What a search found.
pub(crate) struct Searched {
    pub(crate) weights: Vec<f64>,
    pub(crate) history: Vec<Iteration>,
    /// Weights tried.
    pub(crate) evaluations: u64,
}

/// What was tried, step by step.
struct Trail<'a> {
    objective: &'a Objective,
    best: Vec<f64>,
    /// Minus infinity until something has an r.
    best_r: f64,
    history: Vec<Iteration>,
    evaluations: u64,
    /// Sum and number of what has an r in this step.
    step: (f64, f64),
}

impl<'a> Trail<'a> {
    fn new(objective: &'a Objective, start: &[f64]) -> Self {
        let mut trail = Self {
            objective,
            best: start.to_vec(),
            best_r: f64::NEG_INFINITY,
            history: Vec::new(),
            evaluations: 0,
            step: (0.0, 0.0),
        };
        trail.consider(start);
        trail.end_iteration();
        trail
    }

    /// Tries weights and returns their r; minus infinity where it is undefined.
    fn consider(&mut self, weights: &[f64]) -> f64 {
        let r = self.objective.r(weights);
        self.record(r, || weights.to_vec())
    }

    /// As [`Trail::consider`], of weights with a known r.
    fn record(&mut self, r: Option<f64>, weights: impl FnOnce() -> Vec<f64>) -> f64 {
        self.evaluations += 1;
        let Some(r) = r else { return f64::NEG_INFINITY };
        self.step = (self.step.0 + r, self.step.1 + 1.0);
        if r > self.best_r {
            (self.best_r, self.best) = (r, weights());
        }
        r
    }

    fn end_iteration(&mut self) {
        let (sum, count) = std::mem::take(&mut self.step);
        self.history.push(Iteration {
            iteration: self.history.len(),
            best_score: self.best_r.is_finite().then_some(self.best_r),
            average_score: (count > 0.0).then(|| sum / count),
        });
    }

    /// The best so far as shares of standard deviation of the features that vary; equal ones where it has none.
    fn best_standard(&self, varying: &[usize]) -> Vec<f64> {
        let parts: Vec<f64> =
            varying.iter().map(|&at| self.best[at] * self.objective.deviations[at]).collect();
        if parts.iter().any(|part| *part > 0.0) {
            super::shares(&parts)
        } else {
            vec![1.0 / varying.len() as f64; varying.len()]
        }
    }

    /// Tries shares of standard deviation of the features that vary.
    ///
    /// Searches move in these and not in weights: metrics differ in spread by orders of magnitude, and in shares of
    /// standard deviation none is out of sight.
    fn consider_standard(&mut self, varying: &[usize], shares: &[f64]) -> f64 {
        let mut standard = vec![0.0; self.objective.features()];
        for (&at, share) in varying.iter().zip(shares) {
            standard[at] = *share;
        }
        let weights = self.objective.weights_of(&standard);
        self.consider(&weights)
    }
}
