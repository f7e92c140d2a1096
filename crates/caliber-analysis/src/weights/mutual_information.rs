//! Mutual information of two continuous columns, from distances to nearest neighbours.

use caliber_engine::statistics::mean;
use rand::Rng;

use super::neighbours::Plane;
use crate::draws::standard_normal;

/// Neighbours looked at.
const NEIGHBOURS: usize = 3;

/// Noise that breaks ties, as a part of the mean size of the values or of 1.
const NOISE: f64 = 1e-10;

/// Fewer rows have not enough neighbours.
pub(crate) const LEAST_ROWS: usize = NEIGHBOURS + 1;

/// Mutual information in nats, not below 0, by the first estimator of Kraskov, Stögbauer and Grassberger (Physical
/// Review E 69, 2004) with three neighbours. `None` of fewer than four rows and of a constant column.
///
/// Both columns are scaled to a population standard deviation of 1, without centring, and get a little noise.
pub(crate) fn mutual_information(x: &[f64], y: &[f64], bits: &mut impl Rng) -> Option<f64> {
    let rows = x.len();
    if rows < LEAST_ROWS {
        return None;
    }
    let (x, y) = (scaled(x, bits)?, scaled(y, bits)?);
    let distances = Plane::new(&x, &y).distances(NEIGHBOURS);
    let digamma = digammas(rows);
    let term = |column: &[f64]| {
        let nearer = counts_nearer(column, &distances);
        nearer.into_iter().map(|count| digamma[count + 1]).sum::<f64>() / rows as f64
    };
    let information = digamma[rows] + digamma[NEIGHBOURS] - term(&x) - term(&y);
    Some(information.max(0.0))
}

fn scaled(values: &[f64], bits: &mut impl Rng) -> Option<Vec<f64>> {
    let mean_value = mean(values)?;
    let variance = values.iter().map(|value| (value - mean_value).powi(2)).sum::<f64>() / values.len() as f64;
    let deviation = variance.sqrt();
    if !(deviation > 0.0 && deviation.is_finite()) {
        return None;
    }
    let mut scaled: Vec<f64> = values.iter().map(|value| value / deviation).collect();
    let size = scaled.iter().map(|value| value.abs()).sum::<f64>() / scaled.len() as f64;
    let noise = NOISE * size.max(1.0);
    for value in &mut scaled {
        *value += noise * standard_normal(bits);
    }
    Some(scaled)
}

/// How many other values differ from each by strictly less than its distance.
fn counts_nearer(values: &[f64], distances: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = |(&value, &distance): (&f64, &f64)| {
        // Differences are what is compared: value - distance rounds, and the very neighbour that set the distance
        // would come in or stay out by chance.
        let from = sorted.partition_point(|other| value - other >= distance);
        let to = sorted.partition_point(|other| other - value < distance);
        // The value itself is among them unless the distance is 0.
        to.saturating_sub(from + 1)
    };
    values.iter().zip(distances).map(count).collect()
}

/// The digamma function of 0 (which is not looked at) and the whole numbers up to `greatest`.
fn digammas(greatest: usize) -> Vec<f64> {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let mut digammas = vec![f64::NAN; greatest + 1];
    let mut harmonic = 0.0;
    for (n, digamma) in digammas.iter_mut().enumerate().skip(1) {
        *digamma = if n < 16 { harmonic - EULER } else { digamma_of_large(n as f64) };
        harmonic += 1.0 / n as f64;
    }
    digammas
}

/// The asymptotic series (Abramowitz and Stegun 1964, 6.3.18); from 16 on its error is below 1e-16.
fn digamma_of_large(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    let series = square
        * (1.0 / 12.0
            - square * (1.0 / 120.0 - square * (1.0 / 252.0 - square * (1.0 / 240.0 - square / 132.0))));
    libm::log(x) - 0.5 / x - series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of `scipy.special.digamma`.
    #[test]
    fn digamma_is_scipys() {
        let digammas = digammas(100_000);
        for (n, expected) in DIGAMMAS {
            assert!((digammas[n] - expected).abs() <= 4e-16 * expected.abs(), "{n}: {}", digammas[n]);
        }
    }

    const DIGAMMAS: [(usize, f64); 7] = [
        (1, -0.577_215_664_901_532_9),
        (2, 0.422_784_335_098_467_13),
        (3, 0.922_784_335_098_467_1),
        (15, 2.674_346_661_660_793_6),
        (16, 2.741_013_328_327_460_5),
        (17, 2.803_513_328_327_460_5),
        (100_000, 11.512_920_464_961_896),
    ];
}
