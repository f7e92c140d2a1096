//! Draws by seed.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The stream of this number of a seed. Streams are independent of each other, so whatever is made by a stream of
/// its own comes out the same whichever thread makes it.
pub(crate) fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut bits = ChaCha8Rng::seed_from_u64(seed);
    bits.set_stream(number);
    bits
}

/// One draw from N(0, 1), by the polar method (Marsaglia and Bray 1964).
pub(crate) fn standard_normal(bits: &mut impl Rng) -> f64 {
    loop {
        let (u, v) = (bits.random_range(-1.0..1.0), bits.random_range(-1.0..1.0));
        let square: f64 = u * u + v * v;
        if square > 0.0 && square < 1.0 {
            return u * (-2.0 * libm::log(square) / square).sqrt();
        }
    }
}

/// One draw from the simplex, uniformly: shares of `count` that sum to 1 (exponential spacings; Devroye 1986).
pub(crate) fn shares(bits: &mut impl Rng, count: usize) -> Vec<f64> {
    // 1 - u is in (0, 1], so its logarithm is finite; at least one part is above 0 but for a draw of probability 0.
    let parts: Vec<f64> = (0..count).map(|_| -libm::log(1.0 - bits.random::<f64>())).collect();
    let sum: f64 = parts.iter().sum();
    if sum > 0.0 { parts.iter().map(|part| part / sum).collect() } else { vec![1.0 / count as f64; count] }
}
