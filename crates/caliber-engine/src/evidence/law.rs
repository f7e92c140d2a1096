//! The law of a row's score: what the counts leave open of it.

use super::posterior::Moments;
use super::regularised::{lower_gamma, phi, upper_gamma};
use statrs::function::erf::erfc_inv;

/// Skews beyond this are taken for it: the law would have no lower end left.
const MOST_SKEW: f64 = 1.9;
/// Skews below this are none.
const LEAST_SKEW: f64 = 0.001;
/// Steps that no quantile needs.
const MOST_STEPS: usize = 50;
/// Where a quantile is looked for at the least, as a share of the mean.
const LEAST_START: f64 = 1e-3;
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
        let k = self.shape();
        self.probability_at(k, (k + z * k.sqrt() * self.skew.signum()).max(0.0))
    }

    /// The score that the law stays below with probability `p`, in (0, 1). It may lie a little outside 0..100.
    pub fn quantile(&self, p: f64) -> f64 {
        if self.sd <= 0.0 {
            return self.mean;
        }
        let normal = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p);
        if self.skew.abs() < LEAST_SKEW {
            return self.mean + self.sd * normal;
        }
        // In the units of the gamma, whose cube root is nearly normal (Wilson and Hilferty 1931): from so near, the
        // method of Halley takes two steps or three.
        let k = self.shape();
        let ninth = 1.0 / (9.0 * k);
        let cube_root = 1.0 - ninth + self.skew.signum() * normal * ninth.sqrt();
        let (mut y, ln_gamma) = ((k * cube_root.powi(3)).max(LEAST_START * k), libm::lgamma(k));
        for _ in 0..MOST_STEPS {
            let excess = self.probability_at(k, y) - p;
            let density = ((k - 1.0) * y.ln() - y - ln_gamma).exp() * self.skew.signum();
            let newton = excess / density;
            let step = newton / (1.0 - 0.5 * newton * ((k - 1.0) / y - 1.0)).max(0.5);
            // Half the way to the end rather than beyond it.
            y = if step < y { y - step } else { 0.5 * y };
            if excess.abs() <= 1e-9 || step.abs() <= 1e-9 * k.sqrt() {
                break;
            }
        }
        self.mean + self.sd * (y - k) / k.sqrt() * self.skew.signum()
    }

    /// The shape of the gamma that the law is but for place and scale.
    fn shape(&self) -> f64 {
        4.0 / (self.skew * self.skew)
    }

    /// The probability below what is `y` in the units of that gamma.
    fn probability_at(&self, k: f64, y: f64) -> f64 {
        if self.skew > 0.0 { lower_gamma(k, y) } else { upper_gamma(k, y) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn below_a_quantile_lies_its_probability(
            mean in 0.0..100.0_f64,
            sd in 1e-3..30.0_f64,
            skew in -MOST_SKEW..MOST_SKEW,
            p in prop_oneof![Just(0.05), Just(0.95), 1e-4..0.9999_f64],
        ) {
            let law = Law { mean, sd, skew };
            let below = law.probability_below(law.quantile(p));
            prop_assert!((below - p).abs() < 1e-8, "{law:?} {p} {below}");
        }
    }
}
