//! The law of a row's score: what the counts leave open of it.

use super::posterior::Moments;
use super::regularised::{lower_gamma, phi, upper_gamma};
use super::root::{self, Tolerance};
use statrs::function::erf::erfc_inv;

/// Skews beyond this are taken for it: the law would have no lower end left.
const MOST_SKEW: f64 = 1.9;
/// Skews below this are none.
const LEAST_SKEW: f64 = 0.001;
/// So many standard deviations away leave a probability below 1e-13, at the greatest skew.
const FAR: f64 = 30.0;

/// A Pearson type III law (a gamma, shifted and maybe mirrored) by its first three moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// The mean: the evidence score, 0..100.
    pub mean: f64,
    /// The standard deviation, in points.
    pub sd: f64,
    /// Third central moment / sd³, within ±1.9.
    pub skew: f64,
}

impl Law {
    pub(super) fn of(moments: Moments) -> Self {
        let sd = moments.variance.max(0.0).sqrt();
        let skew = moments.third / (sd * sd * sd);
        let skew = if skew.is_finite() { skew.clamp(-MOST_SKEW, MOST_SKEW) } else { 0.0 };
        Self { mean: moments.mean, sd, skew }
    }

    /// The probability that the score is below `t`. A score that is known is below what is greater.
    pub fn probability_below(&self, t: f64) -> f64 {
        if self.sd <= 0.0 {
            return if self.mean < t { 1.0 } else { 0.0 };
        }
        let z = (t - self.mean) / self.sd;
        if z.abs() > FAR {
            return if z > 0.0 { 1.0 } else { 0.0 };
        }
        if self.skew.abs() < LEAST_SKEW {
            return phi(z);
        }
        let k = 4.0 / (self.skew * self.skew);
        let y = (k + z * k.sqrt() * self.skew.signum()).max(0.0);
        if self.skew > 0.0 { lower_gamma(k, y) } else { upper_gamma(k, y) }
    }

    /// The score that the law stays below with probability `p`, in (0, 1). It may lie a little outside 0..100.
    pub fn quantile(&self, p: f64) -> f64 {
        if self.sd <= 0.0 {
            return self.mean;
        }
        let excess = |t: f64| self.probability_below(t) - p;
        // Cornish and Fisher (1938): near the place, so that a few steps find it.
        let normal = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p);
        let near = self.mean + self.sd * (normal + self.skew / 6.0 * (normal * normal - 1.0));
        let point = |t: f64| (t, excess(t));
        let (mut low, mut high) = (point(near - 0.1 * self.sd), point(near + 0.1 * self.sd));
        let mut step = 0.2 * self.sd;
        while low.1 > 0.0 {
            (low, high, step) = (point(low.0 - step), low, step * 2.0);
        }
        while high.1 < 0.0 {
            (low, high, step) = (high, point(high.0 + step), step * 2.0);
        }
        let tolerance = Tolerance { place: 1e-9 * self.sd, value: 1e-9 };
        root::between(low, high, tolerance, excess)
    }
}
