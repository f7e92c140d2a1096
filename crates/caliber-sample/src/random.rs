//! Draws that are the same on every machine: `ChaCha` for the bits, `libm` for every transcendental function
//! (those of the platform differ in the last place from one system to the next).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One step of `SplitMix64`: spreads a seed over 64 bits.
pub(crate) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A stream of draws.
pub(crate) struct Draws {
    bits: ChaCha8Rng,
    /// The second value of the last Box-Muller pair.
    spare: Option<f64>,
}

impl Draws {
    /// The stream named by a seed and a number; streams of one seed are independent of each other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut state = seed;
        let mut key = [0; 32];
        for chunk in key.chunks_exact_mut(8) {
            chunk.copy_from_slice(&split_mix(&mut state).to_le_bytes());
        }
        let mut bits = ChaCha8Rng::from_seed(key);
        bits.set_stream(stream);
        Self { bits, spare: None }
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in 0..n; 0 when n is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // The bias of n / 2^64 is far below anything a report shows.
        ((u128::from(self.bits.next_u64()) * n as u128) >> 64) as usize
    }

    /// A whole number in 0..n; 0 when n is 0.
    pub(crate) fn count_below(&mut self, n: u32) -> i64 {
        ((u128::from(self.bits.next_u64()) * u128::from(n)) >> 64) as i64
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Standard normal, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        let (sin, cos) = libm::sincos(2.0 * std::f64::consts::PI * self.uniform());
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Log-normal of mean 1 whose logarithm has the standard deviation `sigma`.
    pub(crate) fn log_normal(&mut self, sigma: f64) -> f64 {
        libm::exp(sigma * self.normal() - sigma * sigma / 2.0)
    }

    /// Gamma of scale 1, by Marsaglia and Tsang (2000); `shape` > 0.
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(1.0 - self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let centre = shape - 1.0 / 3.0;
        let width = 1.0 / (9.0 * centre).sqrt();
        loop {
            let x = self.normal();
            let v = 1.0 + width * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            let u = 1.0 - self.uniform();
            let x2 = x * x;
            if u < 1.0 - 0.0331 * x2 * x2 || libm::log(u) < 0.5 * x2 + centre * (1.0 - v + libm::log(v)) {
                return centre * v;
            }
        }
    }

    /// Beta of the given mean and size (alpha + beta); a mean of 0 or 1 is returned as it is.
    pub(crate) fn beta(&mut self, mean: f64, size: f64) -> f64 {
        if mean <= 0.0 || mean >= 1.0 {
            return mean.clamp(0.0, 1.0);
        }
        let a = self.gamma(mean * size);
        let b = self.gamma((1.0 - mean) * size);
        if a + b > 0.0 { a / (a + b) } else { mean }
    }

    /// How many of `n` trials succeed with probability `p`. Exact by inversion where few are expected, the
    /// normal approximation above.
    pub(crate) fn binomial(&mut self, n: i64, p: f64) -> i64 {
        if n <= 0 || p <= 0.0 {
            return 0;
        }
        if p >= 1.0 {
            return n;
        }
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        let mean = n as f64 * p;
        if mean < 16.0 {
            return self.binomial_by_inversion(n, p);
        }
        let drawn = (mean + (mean * (1.0 - p)).sqrt() * self.normal() + 0.5).floor();
        (drawn as i64).clamp(0, n)
    }

    fn binomial_by_inversion(&mut self, n: i64, p: f64) -> i64 {
        let odds = p / (1.0 - p);
        let mut density = libm::exp(n as f64 * libm::log1p(-p));
        let mut left = self.uniform();
        let mut successes = 0;
        // The cap bounds the loop where rounding leaves a sliver of probability behind.
        while left >= density && successes < n.min(200) {
            left -= density;
            density *= odds * (n - successes) as f64 / (successes + 1) as f64;
            successes += 1;
        }
        successes
    }

    /// A whole number whose mean is `x` >= 0: rounded up as often as its fraction says, so that many small
    /// roundings do not add up to a bias.
    pub(crate) fn round(&mut self, x: f64) -> i64 {
        let floor = x.floor();
        floor as i64 + i64::from(self.uniform() < x - floor)
    }
}

/// A shuffle of 0..n that needs no memory: a four-round Feistel network, walked until it lands inside.
pub(crate) struct Shuffle {
    n: u64,
    half_bits: u32,
    keys: [u64; 4],
}

impl Shuffle {
    pub(crate) fn new(n: u64, seed: u64) -> Self {
        let bits = (64 - n.saturating_sub(1).leading_zeros()).max(2);
        let mut state = seed ^ 0x5851_F42D_4C95_7F2D;
        let keys = std::array::from_fn(|_| split_mix(&mut state));
        Self { n, half_bits: bits.div_ceil(2), keys }
    }

    /// Where `position` < n goes.
    pub(crate) fn at(&self, position: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let mut value = position;
        loop {
            let (mut left, mut right) = (value >> self.half_bits, value & mask);
            for key in self.keys {
                let mut state = right ^ key;
                (left, right) = (right, left ^ (split_mix(&mut state) & mask));
            }
            value = (left << self.half_bits) | right;
            // A permutation of the larger set: walking it from a point inside comes back inside.
            if value < self.n {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_variance(draws: impl Iterator<Item = f64>) -> (f64, f64) {
        let values: Vec<f64> = draws.collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64)
    }

    #[test]
    fn a_shuffle_reaches_every_place_once() {
        for n in [1, 2, 3, 10, 1000, 4097] {
            let shuffle = Shuffle::new(n, 7);
            let mut seen: Vec<u64> = (0..n).map(|i| shuffle.at(i)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn draws_have_the_moments_of_their_law() {
        let mut draws = Draws::new(1, 0);
        let (mean, variance) = mean_and_variance((0..40_000).map(|_| draws.normal()));
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "normal {mean} {variance}");
        let (mean, variance) = mean_and_variance((0..40_000).map(|_| draws.gamma(0.6)));
        assert!((mean - 0.6).abs() < 0.02 && (variance - 0.6).abs() < 0.04, "gamma {mean} {variance}");
        let (mean, variance) = mean_and_variance((0..40_000).map(|_| draws.beta(0.3, 9.0)));
        assert!((mean - 0.3).abs() < 0.005 && (variance - 0.021).abs() < 0.001, "beta {mean} {variance}");
        for (n, p) in [(40, 0.1), (400, 0.7), (100_000, 0.0008)] {
            let (mean, variance) = mean_and_variance((0..40_000).map(|_| draws.binomial(n, p) as f64));
            let (m, v) = (n as f64 * p, n as f64 * p * (1.0 - p));
            assert!(
                (mean / m - 1.0).abs() < 0.01 && (variance / v - 1.0).abs() < 0.04,
                "{n} {p}: {mean} {variance}"
            );
        }
    }

    #[test]
    fn streams_of_one_seed_differ() {
        assert_ne!(Draws::new(1, 0).uniform(), Draws::new(1, 1).uniform());
        assert_eq!(Draws::new(1, 5).uniform(), Draws::new(1, 5).uniform());
    }
}
