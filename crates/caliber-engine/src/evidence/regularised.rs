//! The regularised incomplete beta and gamma functions, at a bounded cost whatever the counts are.
//!
//! Continued fractions need terms in proportion to the root of their parameters. Beyond [`LARGE`] the normal
//! approximations of Peizer and Pratt (1968) take over; there they are off by less than 2e-5, and far cheaper.
//!
//! The beta's fraction is not the library's: laws by evidence ask for it at two places of one law, and always for its
//! first factor too, which the library finds anew each time; and this form of it takes half the divisions.

use statrs::function::erf::erfc;
use statrs::function::gamma::{checked_gamma_lr, checked_gamma_ur};

/// Parameters of a beta from which on its approximation is used.
const LARGE: f64 = 60.0;
/// Terms of the beta's fraction, which needs no more up to [`LARGE`].
const MOST_TERMS: i32 = 500;
/// The shape of a gamma from which on its approximation is used, which is off by less than 1e-5 there.
const LARGE_SHAPE: f64 = 12.0;

/// The logarithm of the beta function.
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// `I_t(a, b)`, the probability that a Beta(a, b) is at most `t`, and by how much it falls where a grows by one (Abramowitz
/// and Stegun 26.5.16).
pub(super) fn incomplete_beta(a: f64, b: f64, t: f64, ln_beta: f64) -> (f64, f64) {
    if t <= 0.0 {
        return (0.0, 0.0);
    }
    if t >= 1.0 {
        return (1.0, 0.0);
    }
    let factor = (a * t.ln() + b * (-t).ln_1p() - ln_beta).exp();
    let below = if a.min(b) > LARGE {
        normal_of_beta(a, b, t)
    } else if t * (a + b + 2.0) < a + 1.0 {
        factor / beta_fraction(a, b, t)
    } else {
        1.0 - factor / beta_fraction(b, a, 1.0 - t)
    };
    (below.clamp(0.0, 1.0), factor / a)
}

/// `t^a (1 - t)^b / (B(a, b) I_t(a, b))` as a continued fraction (DiDonato and Morris 1992), by the method of Lentz
/// (1976). It is found quickly for t < (a + 1) / (a + b + 2).
fn beta_fraction(a: f64, b: f64, t: f64) -> f64 {
    let near = a + 1.0 - (a + b) * t;
    let mut one_before = 1.0 / (a + 1.0);
    let first = a * near * one_before;
    let (mut fraction, mut of_tops, mut of_bottoms) = (first, first, 0.0);
    for term in (1..MOST_TERMS).map(f64::from) {
        let one = 1.0 / (a + 2.0 * term + 1.0);
        let part = term * (b - term) * t * one_before;
        let numerator = part * (a + term - 1.0) * (a + b + term - 1.0) * t * one_before;
        let denominator = term + part + (a + term) * (near + term * (2.0 - t)) * one;
        of_tops = denominator + numerator / of_tops;
        of_bottoms = 1.0 / (denominator + numerator * of_bottoms);
        let change = of_tops * of_bottoms;
        fraction *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
        one_before = one;
    }
    fraction
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
    // Farther out than this nothing is left (by Chernoff's bound less than 1e-300), and the approximation would
    // lose all its digits there.
    let mean = a / (a + b);
    if t < 0.01 * mean {
        return 0.0;
    }
    if 1.0 - t < 0.01 * (1.0 - mean) {
        return 1.0;
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::function::beta::checked_beta_reg;

    use super::*;

    proptest! {
        #[test]
        fn the_incomplete_beta_is_the_librarys(
            a in prop_oneof![1e-3..3.0_f64, 0.1..59.0_f64],
            b in prop_oneof![1e-3..3.0_f64, 0.1..1e4_f64],
            t in prop_oneof![1e-12..1.0_f64, 1e-6..1e-2_f64],
        ) {
            let library = checked_beta_reg(a, b, t).expect("parameters above 0");
            let (below, fall) = incomplete_beta(a, b, t, ln_beta(a, b));
            prop_assert!((below - library).abs() < 1e-10, "{a} {b} {t}: {below} {library}");
            let next = checked_beta_reg(a + 1.0, b, t).expect("parameters above 0");
            prop_assert!((below - fall - next).abs() < 1e-10, "{a} {b} {t}: {fall}");
        }
    }
}
