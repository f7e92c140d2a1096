//! The regularised incomplete beta and gamma functions, at a bounded cost whatever the counts are.
//!
//! The library's continued fractions need terms in proportion to the root of their parameters, and it stops after 140
//! of them. Beyond [`LARGE`] the normal approximations of Peizer and Pratt (1968) take over; there they are off by
//! less than 2e-5, and far cheaper.

use statrs::function::beta::checked_beta_reg;
use statrs::function::erf::erfc;
use statrs::function::gamma::{checked_gamma_lr, checked_gamma_ur};

/// Parameters of a beta from which on its approximation is used.
const LARGE: f64 = 60.0;
/// The shape of a gamma from which on its approximation is used, which is off by less than 1e-5 there.
const LARGE_SHAPE: f64 = 12.0;

/// `I_t(a, b)`: the probability that a Beta(a, b) is at most `t`.
pub(super) fn incomplete_beta(a: f64, b: f64, t: f64) -> f64 {
    if t <= 0.0 {
        return 0.0;
    }
    if t >= 1.0 {
        return 1.0;
    }
    if a.min(b) > LARGE {
        // Farther out than this nothing is left (by Chernoff's bound less than 1e-300), and the approximation would
        // lose all its digits there.
        let mean = a / (a + b);
        if t < 0.01 * mean {
            return 0.0;
        }
        if 1.0 - t < 0.01 * (1.0 - mean) {
            return 1.0;
        }
        return normal_of_beta(a, b, t);
    }
    checked_beta_reg(a, b, t).map_or(f64::NAN, |probability| probability.clamp(0.0, 1.0))
}

/// P(k, y): the probability that a Gamma(k) is at most `y`.
pub(super) fn lower_gamma(k: f64, y: f64) -> f64 {
    if y <= 0.0 {
        return 0.0;
    }
    if k > LARGE_SHAPE {
        return phi(-normal_of_gamma(k, y));
    }
    checked_gamma_lr(k, y).map_or(1.0, |probability| probability.clamp(0.0, 1.0))
}

/// Q(k, y) = 1 - P(k, y), without the loss of digits.
pub(super) fn upper_gamma(k: f64, y: f64) -> f64 {
    if y <= 0.0 {
        return 1.0;
    }
    if k > LARGE_SHAPE {
        return phi(normal_of_gamma(k, y));
    }
    checked_gamma_ur(k, y).map_or(0.0, |probability| probability.clamp(0.0, 1.0))
}

/// The probability that a standard normal is at most `z`.
pub(super) fn phi(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// Peizer and Pratt (1968), with their refinement of the mean.
fn normal_of_beta(a: f64, b: f64, t: f64) -> f64 {
    let (size, rest) = (a + b - 1.0, 1.0 - t);
    let distance =
        b - 1.0 / 3.0 - (size + 1.0 / 3.0) * rest + 0.02 * (rest / b - t / a + (0.5 - t) / (a + b));
    let bend = 1.0 + rest * bend((a - 0.5) / (size * t)) + t * bend((b - 0.5) / (size * rest));
    phi(distance * (bend / ((size + 1.0 / 6.0) * t * rest)).max(0.0).sqrt())
}

/// As [`normal_of_beta`], of a gamma: the normal deviate of Q(k, y).
fn normal_of_gamma(k: f64, y: f64) -> f64 {
    let d = k - 1.0 / 3.0 - y + 0.02 / k;
    d * ((1.0 + bend((k - 0.5) / y)) / y).max(0.0).sqrt()
}

/// (1 - x² + 2 x ln x) / (1 - x)²: how far from a normal's the deviance runs; 0 at 1.
fn bend(x: f64) -> f64 {
    let from_one = 1.0 - x;
    if from_one.abs() < 1e-3 {
        // The first terms of the series: the fraction would lose all digits.
        return from_one / 3.0 + from_one * from_one / 6.0;
    }
    (1.0 - x * x + 2.0 * x * x.ln()) / (from_one * from_one)
}
