//! The exact optimum of an [`Objective`].

use super::objective::Objective;

/// A column that depends on those chosen before, as far as doubles can tell.
const DEPENDENT: f64 = 1e-11;

/// Weights of the greatest r there is, summing to 1; `None` where no feature varies.
///
/// Where any feature correlates positively, the direction of the greatest r is that of the least-squares fit of the
/// target with coefficients from 0 up (Lawson and Hanson 1974, chapter 23). Where none does, r is negative and a
/// ratio of a linear to a convex function, so its greatest value is at a single feature.
pub(crate) fn optimum(objective: &Objective) -> Option<Vec<f64>> {
    let varying = objective.varying();
    let best = *varying.iter().reduce(|best, next| {
        if objective.with_target[*next] > objective.with_target[*best] { next } else { best }
    })?;
    let mut standard = least_squares(objective, &varying);
    if standard.iter().all(|part| *part == 0.0) {
        standard[best] = 1.0;
    }
    Some(objective.weights_of(&standard))
}

/// Coefficients from 0 up of the standardised features that fit the standardised target best.
fn least_squares(objective: &Objective, varying: &[usize]) -> Vec<f64> {
    let features = objective.features();
    let mut fitted = vec![0.0; features];
    let mut passive: Vec<usize> = Vec::new();
    let mut dependent: Vec<usize> = Vec::new();
    // Each round but for the dependent ones lowers the error, so no set comes twice; the bound is for rounding.
    for _ in 0..10 * features {
        let gradient = |at: usize| {
            let row = &objective.between[at * features..][..features];
            objective.with_target[at] - row.iter().zip(&fitted).map(|(r, part)| r * part).sum::<f64>()
        };
        let next = varying
            .iter()
            .copied()
            .filter(|at| !passive.contains(at) && !dependent.contains(at))
            .map(|at| (at, gradient(at)))
            .filter(|(_, gradient)| *gradient > 1e-12)
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((next, _)) = next else { break };
        passive.push(next);
        if !fit_passive(objective, &mut passive, &mut fitted) {
            passive.retain(|&at| at != next);
        }
        // What leaves as soon as it comes in does so by rounding.
        if !passive.contains(&next) {
            dependent.push(next);
        }
    }
    fitted
}

/// Fits the passive features, and makes active again those that would fall below 0. False where they depend on each
/// other; nothing is changed then.
fn fit_passive(objective: &Objective, passive: &mut Vec<usize>, fitted: &mut [f64]) -> bool {
    while !passive.is_empty() {
        let Some(solution) = solve(objective, passive) else { return false };
        let step = passive
            .iter()
            .zip(&solution)
            .filter(|(_, wanted)| **wanted <= 0.0)
            .map(|(&at, wanted)| fitted[at] / (fitted[at] - wanted))
            .fold(1.0, f64::min);
        // A feature that has just come in and would leave at once gives 0 / 0, which min passes over.
        let leaves = solution.iter().any(|wanted| *wanted <= 0.0);
        for (&at, wanted) in passive.iter().zip(&solution) {
            fitted[at] += step * (wanted - fitted[at]);
        }
        if !leaves {
            return true;
        }
        let (gone, kept) = passive
            .iter()
            .zip(&solution)
            .map(|(&at, &wanted)| (at, wanted))
            .partition::<Vec<_>, _>(|&(at, wanted)| wanted <= 0.0 && fitted[at] <= 1e-14);
        if gone.is_empty() {
            return true;
        }
        for (at, _) in gone {
            fitted[at] = 0.0;
        }
        *passive = kept.into_iter().map(|(at, _)| at).collect();
    }
    true
}

/// Solves the normal equations of the passive features by Cholesky's factors.
fn solve(objective: &Objective, passive: &[usize]) -> Option<Vec<f64>> {
    let features = objective.features();
    let matrix: Vec<Vec<f64>> = passive
        .iter()
        .map(|&a| passive.iter().map(|&b| objective.between[a * features + b]).collect())
        .collect();
    let factor = cholesky(&matrix, DEPENDENT)?;
    let right: Vec<f64> = passive.iter().map(|&at| objective.with_target[at]).collect();
    Some(solve_upper(&factor, &solve_lower(&factor, &right)))
}

/// The lower factor of a symmetric matrix; `None` where a pivot is not above `least`.
pub(crate) fn cholesky(matrix: &[Vec<f64>], least: f64) -> Option<Vec<Vec<f64>>> {
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (at, row) in matrix.iter().enumerate() {
        let mut entries: Vec<f64> = Vec::with_capacity(at + 1);
        for before in 0..at {
            let known: f64 = entries.iter().zip(&factor[before]).map(|(a, b)| a * b).sum();
            entries.push((row[before] - known) / factor[before][before]);
        }
        let pivot = row[at] - entries.iter().map(|entry| entry * entry).sum::<f64>();
        if pivot.is_nan() || pivot <= least {
            return None;
        }
        entries.push(pivot.sqrt());
        factor.push(entries);
    }
    Some(factor)
}

/// Solves L x = b.
pub(crate) fn solve_lower(factor: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut solution: Vec<f64> = Vec::with_capacity(right.len());
    for (row, value) in factor.iter().zip(right) {
        let known: f64 = row.iter().zip(&solution).map(|(entry, x)| entry * x).sum();
        solution.push((value - known) / row[solution.len()]);
    }
    solution
}

/// Solves L' x = b.
pub(crate) fn solve_upper(factor: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut solution = right.to_vec();
    for at in (0..right.len()).rev() {
        solution[at] /= factor[at][at];
        for before in 0..at {
            solution[before] -= factor[at][before] * solution[at];
        }
    }
    solution
}
