//! What is known of one metric of one row: the law of its share, and the moments of what that is worth.

use super::regularised::{incomplete_beta, ln_beta};
use super::root::{self, Tolerance};

/// Mean, variance and third central moment; of independent quantities they add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) variance: f64,
    pub(super) third: f64,
}

impl Moments {
    /// Of a figure that is known.
    pub(super) fn known(value: f64) -> Self {
        Self { mean: value, variance: 0.0, third: 0.0 }
    }

    /// Of `weight` times the quantity.
    pub(super) fn weighted(self, weight: f64) -> Self {
        Self {
            mean: weight * self.mean,
            variance: weight * weight * self.variance,
            third: weight * weight * weight * self.third,
        }
    }

    /// Of 100 less the quantity.
    pub(super) fn turned(self) -> Self {
        Self { mean: 100.0 - self.mean, third: -self.third, ..self }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            mean: self.mean + other.mean,
            variance: self.variance + other.variance,
            third: self.third + other.third,
        }
    }
}

/// The Beta(a, b) law of a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Share {
    pub(super) fn mean(self) -> f64 {
        self.a / (self.a + self.b)
    }

    /// The probability that the share is at most `t`.
    pub(super) fn below(self, t: f64) -> f64 {
        incomplete_beta(self.a, self.b, t, ln_beta(self.a, self.b)).0
    }

    /// The share that the law is at most with probability `p`.
    pub(super) fn quantile(self, p: f64) -> f64 {
        // On the scale of logarithms: rare events have shares of 1e-6 and less, and a tolerance must not be 0 for them.
        let least = f64::MIN_POSITIVE.ln();
        let tolerance = Tolerance { place: 1e-12, value: 1e-12 };
        let excess = |log: f64| self.below(log.exp()) - p;
        root::between((least, excess(least)), (0.0, excess(0.0)), tolerance, excess).exp()
    }

    /// Moments of 100 clip((share - lo) / (hi - lo), 0, 1), for hi > lo.
    pub(super) fn clipped(self, lo: f64, hi: f64) -> Moments {
        let Self { a, b } = self;
        let n = a + b;
        let mean = self.mean();
        let sd = (a * b / (n + 1.0)).sqrt() / n;
        let narrow = a.min(b) > 25.0;
        // So far out, less than 1e-6 of a law lies beyond a bound.
        let (lo_is_far, hi_is_far) = (narrow && mean - lo > 6.5 * sd, narrow && hi - mean > 8.5 * sd);
        if lo_is_far && hi_is_far {
            return self.unclipped(lo, hi);
        }
        // Parts of the moments 0 to 3 that lie below a bound.
        let ln_beta = ln_beta(a, b);
        let below_lo = if lo_is_far { [0.0; 4] } else { self.parts_below(lo, ln_beta) };
        let below_hi = if hi_is_far { [1.0; 4] } else { self.parts_below(hi, ln_beta) };
        if below_lo[0] == 0.0 && below_hi[0] == 1.0 {
            return self.unclipped(lo, hi);
        }
        let raw =
            [1.0, mean, mean * (a + 1.0) / (n + 1.0), mean * (a + 1.0) / (n + 1.0) * (a + 2.0) / (n + 2.0)];
        let within: [f64; 4] = std::array::from_fn(|power| raw[power] * (below_hi[power] - below_lo[power]));
        let width = hi - lo;
        let above = 1.0 - below_hi[0];
        let first = (within[1] - lo * within[0]) / width + above;
        // About the mean, in the unit of the share: raw powers of a narrow law would cancel to nothing.
        let center = lo + first * width;
        let (c2, c3) = (center * center, center * center * center);
        let second = within[2] - 2.0 * center * within[1] + c2 * within[0];
        let third = within[3] - 3.0 * center * within[2] + 3.0 * c2 * within[1] - c3 * within[0];
        let (down, up) = (lo - center, hi - center);
        let second = second + below_lo[0] * down * down + above * up * up;
        let third = third + below_lo[0] * down * down * down + above * up * up * up;
        let unit = 100.0 / width;
        Moments {
            mean: (100.0 * first).clamp(0.0, 100.0),
            variance: (second * unit * unit).max(0.0),
            third: third * unit * unit * unit,
        }
    }

    /// As [`Share::clipped`], where all of the law lies between the bounds.
    fn unclipped(self, lo: f64, hi: f64) -> Moments {
        let Self { a, b } = self;
        let n = a + b;
        let unit = 100.0 / (hi - lo);
        let variance = a * b / (n * n * (n + 1.0));
        let third = 2.0 * variance * (b - a) / (n * (n + 2.0));
        Moments {
            mean: (self.mean() - lo) * unit,
            variance: variance * unit * unit,
            third: third * unit * unit * unit,
        }
    }

    /// `I_t(a + j, b)` for j = 0..3: the first by its function, the others by its recurrence (Abramowitz and Stegun
    /// 26.5.16).
    fn parts_below(self, t: f64, ln_beta: f64) -> [f64; 4] {
        let Self { a, b } = self;
        let (mut part, mut term) = incomplete_beta(a, b, t, ln_beta);
        let mut parts = [part; 4];
        for (power, slot) in parts.iter_mut().enumerate().skip(1) {
            part = (part - term).max(0.0);
            *slot = part;
            let at = a + power as f64;
            term *= t * (at - 1.0 + b) / at;
        }
        parts
    }
}
