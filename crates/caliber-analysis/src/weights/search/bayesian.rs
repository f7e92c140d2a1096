//! Bayesian optimisation: a Gaussian process tells where to try next.

use std::f64::consts::{PI, SQRT_2};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::nonnegative::{cholesky, solve_lower, solve_upper};
use super::Trail;
use crate::draws::{shares, standard_normal};

/// Tries beyond the first design.
const ITERATIONS: usize = 40;
/// Points among which the expected improvement is maximised: half anywhere, half near the best.
const CANDIDATES: usize = 128;
/// Length scales among which the likelihood chooses, as Euclidean distances between shares.
const LENGTHS: [f64; 4] = [0.15, 0.3, 0.6, 1.2];
/// Keeps the factors of near neighbours apart.
const NUGGET: f64 = 1e-8;

/// Tries a first design (the start, equal shares, each feature alone, draws), then, again and again, where the
/// expected improvement is greatest (Mockus 1975; Jones, Schonlau and Welch 1998), in shares of standard deviation.
pub(super) fn search(trail: &mut Trail<'_>, mut bits: ChaCha8Rng) {
    let varying = trail.objective.varying();
    let features = varying.len();
    let mut design = vec![trail.best_standard(&varying), vec![1.0 / features as f64; features]];
    design.extend((0..features).map(|at| alone(at, features)));
    design.extend((0..features.max(4)).map(|_| shares(&mut bits, features)));
    let mut tried: Vec<(Vec<f64>, f64)> = Vec::new();
    for point in design {
        let r = trail.consider_standard(&varying, &point);
        tried.push((point, r));
    }
    trail.end_iteration();
    for _ in 0..ITERATIONS {
        // Parts that cancel out have no r; the process sees what has one.
        tried.retain(|(_, r)| r.is_finite());
        let Some(process) = Process::of(&tried) else { return };
        let next = propose(&process, &tried, &mut bits);
        let r = trail.consider_standard(&varying, &next);
        tried.push((next, r));
        trail.end_iteration();
    }
}

fn alone(at: usize, features: usize) -> Vec<f64> {
    (0..features).map(|other| f64::from(u8::from(other == at))).collect()
}

/// The candidate with the greatest expected improvement.
fn propose(process: &Process<'_>, tried: &[(Vec<f64>, f64)], bits: &mut ChaCha8Rng) -> Vec<f64> {
    let best = tried.iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
    let features = tried[0].0.len();
    let mut proposed = (f64::NEG_INFINITY, vec![1.0 / features as f64; features]);
    for number in 0..CANDIDATES {
        let candidate = match best {
            Some((best, _)) if number % 2 == 1 => near(best, bits),
            _ => shares(bits, features),
        };
        let improvement = process.expected_improvement(&candidate);
        if improvement > proposed.0 {
            proposed = (improvement, candidate);
        }
    }
    proposed.1
}

/// Shares near these: some moved, some dropped.
fn near(best: &[f64], bits: &mut ChaCha8Rng) -> Vec<f64> {
    let reach = libm::exp(bits.random_range(-4.0..-1.0));
    let moved: Vec<f64> = best
        .iter()
        .map(|share| match bits.random_range(0..8) {
            0 => 0.0,
            _ => (share + reach * standard_normal(bits)).max(0.0),
        })
        .collect();
    if moved.iter().any(|share| *share > 0.0) { super::super::shares(&moved) } else { best.to_vec() }
}

/// A Gaussian process with a squared exponential covariance, of standardised r (Rasmussen and Williams 2006, 2.3).
struct Process<'a> {
    tried: &'a [(Vec<f64>, f64)],
    length: f64,
    factor: Vec<Vec<f64>>,
    /// Inverse covariance times the standardised values.
    solved: Vec<f64>,
    /// The greatest standardised value.
    best: f64,
}

impl<'a> Process<'a> {
    /// With the length scale of the greatest likelihood. `None` where nothing was tried or all gave the same.
    fn of(tried: &'a [(Vec<f64>, f64)]) -> Option<Self> {
        let count = tried.len() as f64;
        let mean = tried.iter().map(|(_, r)| r).sum::<f64>() / count;
        let deviation = (tried.iter().map(|(_, r)| (r - mean).powi(2)).sum::<f64>() / count).sqrt();
        if deviation.is_nan() || deviation <= 1e-12 {
            return None;
        }
        let values: Vec<f64> = tried.iter().map(|(_, r)| (r - mean) / deviation).collect();
        let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let with_length = |length: f64| {
            let row = |a: &Vec<f64>| tried.iter().map(|(b, _)| covariance(a, b, length)).collect();
            let mut matrix: Vec<Vec<f64>> = tried.iter().map(|(a, _)| row(a)).collect();
            matrix.iter_mut().enumerate().for_each(|(at, row)| row[at] += NUGGET);
            let factor = cholesky(&matrix, 0.0)?;
            let solved = solve_upper(&factor, &solve_lower(&factor, &values));
            let fit: f64 = values.iter().zip(&solved).map(|(value, solved)| value * solved).sum();
            let volume: f64 = factor.iter().enumerate().map(|(at, row)| libm::log(row[at])).sum();
            Some((-0.5 * fit - volume, Self { tried, length, factor, solved, best }))
        };
        let processes = LENGTHS.into_iter().filter_map(with_length);
        let best = processes.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, process)| process)
    }

    /// How much above the best a try here is expected to be, in standardised units.
    fn expected_improvement(&self, at: &[f64]) -> f64 {
        let with: Vec<f64> = self.tried.iter().map(|(point, _)| covariance(point, at, self.length)).collect();
        let mean: f64 = with.iter().zip(&self.solved).map(|(with, solved)| with * solved).sum();
        let known: f64 = solve_lower(&self.factor, &with).iter().map(|part| part * part).sum();
        let deviation = (1.0 + NUGGET - known).max(0.0).sqrt();
        let above = mean - self.best;
        if deviation < 1e-9 {
            return above.max(0.0);
        }
        let z = above / deviation;
        let density = libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt();
        above * 0.5 * libm::erfc(-z / SQRT_2) + deviation * density
    }
}

fn covariance(a: &[f64], b: &[f64], length: f64) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    libm::exp(-0.5 * square / (length * length))
}
