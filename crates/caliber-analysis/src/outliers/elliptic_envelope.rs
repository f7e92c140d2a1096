//! Elliptic envelope: distances under the covariance of the most compact half of the rows.
//!
//! The minimum covariance determinant by fast-MCD (Rousseeuw and Van Driessen 1999), made consistent at the normal
//! law (Croux and Haesbroeck 1999), reweighted and made consistent again: scikit-learn's `EllipticEnvelope` from 1.8.

mod scatter;

use caliber_engine::parallel;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::matrix::Matrix;
use scatter::{Rows, Scatter};

/// Random starts, all samples together.
const STARTS: usize = 500;
/// Steps of a start before the best are told from the others.
const FIRST_STEPS: usize = 2;
/// Steps to convergence; "never" more than 20 by the paper.
const LAST_STEPS: usize = 200;
/// Starts of a sample that go on.
const BEST: usize = 10;
/// Rows above which starts are made in samples.
const NESTED: usize = 500;
/// Rows of a sample.
const SAMPLE: usize = 300;
/// Samples, at most.
const SAMPLES: usize = 10;
/// Rows of the merged sample.
const MERGED: usize = 1500;
/// Share of rows of a normal law that the second estimate is made of.
const REWEIGHTED: f64 = 0.975;

/// Rows that the covariance is made of: h.
pub(super) fn support(rows: usize, columns: usize) -> usize {
    (rows + columns + 1).div_ceil(2).min(rows)
}

/// Columns that are one, as far as the rows tell: their positions in the matrix.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Singular(pub(super) Vec<usize>);

/// Squared distances of the rows.
///
/// # Errors
/// [`Singular`] where all rows, or the most compact half of them, lie on a plane.
pub(super) fn scores(matrix: &Matrix, seed: u64, threads: usize) -> Result<Vec<f64>, Singular> {
    let rows = Rows::new(matrix);
    let (count, width) = (matrix.rows, matrix.width);
    Scatter::of_all(&rows)?;
    let support = support(count, width);
    let raw = if width == 1 {
        densest_interval(&rows, support)?
    } else {
        Search { rows: &rows, share: support as f64 / count as f64, seed, threads }.best(support)?
    };
    let law = ChiSquared::new(width as f64).map_err(|_| Singular(Vec::new()))?;
    let far = law.inverse_cdf(REWEIGHTED) * consistency(&law, width, support as f64 / count as f64);
    let near: Vec<bool> = raw.squares(&rows).into_iter().map(|square| square < far).collect();
    let reweighted = Scatter::of_those(&rows, &near)?;
    let factor = consistency(&law, width, REWEIGHTED);
    Ok(reweighted.squares(&rows).into_iter().map(|square| square / factor).collect())
}

/// c(a) = a / `F_{p+2}(F_p^-1(a))`, which makes the covariance of the inner share `a` of a normal law that of the law.
fn consistency(law: &ChiSquared, width: usize, share: f64) -> f64 {
    match ChiSquared::new(width as f64 + 2.0) {
        Ok(wider) if share < 1.0 => share / wider.cdf(law.inverse_cdf(share)),
        _ => 1.0,
    }
}

/// In one dimension the rows of least variance stand side by side, so that all such runs can be looked at.
fn densest_interval(rows: &Rows, support: usize) -> Result<Scatter, Singular> {
    let column = rows.column(0);
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_unstable_by(|&a, &b| column[a].total_cmp(&column[b]).then(a.cmp(&b)));
    let mut best: Option<(f64, &[usize])> = None;
    let (mut sum, mut squares) = (0.0, 0.0);
    for (at, &row) in order.iter().enumerate() {
        sum += column[row];
        squares += column[row] * column[row];
        if let Some(gone) = at.checked_sub(support) {
            sum -= column[order[gone]];
            squares -= column[order[gone]] * column[order[gone]];
        }
        let variance = squares - sum * sum / support as f64;
        if at + 1 >= support && best.is_none_or(|(least, _)| variance < least) {
            best = Some((variance, &order[at + 1 - support..=at]));
        }
    }
    let mut chosen = vec![false; column.len()];
    for &row in best.map_or(order.as_slice(), |(_, run)| run) {
        chosen[row] = true;
    }
    Scatter::of_those(rows, &chosen)
}

/// The search for the rows whose covariance has the least determinant.
struct Search<'a> {
    rows: &'a Rows,
    /// h / n, the same in samples.
    share: f64,
    seed: u64,
    threads: usize,
}

impl Search<'_> {
    fn best(&self, support: usize) -> Result<Scatter, Singular> {
        let count = self.rows.count();
        let mut found = if count > NESTED { self.in_samples()? } else { self.started(self.rows, 0, STARTS) };
        if count > MERGED {
            let merged = self.rows.pick(&self.drawn(u64::MAX, MERGED));
            let support = self.support(MERGED);
            found =
                parallel::map(self.threads, &found, |start| start.descend(&merged, support, LAST_STEPS).0);
            keep_best(&mut found, BEST);
        }
        if found.is_empty() {
            found.push(Scatter::of_all(self.rows)?);
        }
        let ended =
            parallel::map(self.threads, &found, |start| start.descend(self.rows, support, LAST_STEPS));
        let mut best: Option<Scatter> = None;
        for (scatter, flat) in ended {
            if let Some(singular) = flat {
                return Err(singular);
            }
            if best.as_ref().is_none_or(|best| scatter.log_determinant < best.log_determinant) {
                best = Some(scatter);
            }
        }
        best.map_or_else(|| Scatter::of_all(self.rows), Ok)
    }

    /// The best starts of each of several samples.
    fn in_samples(&self) -> Result<Vec<Scatter>, Singular> {
        let count = self.rows.count();
        let samples = (count / SAMPLE).min(SAMPLES);
        let size = (count / samples).min(SAMPLE * 2);
        let shuffled = self.drawn(u64::MAX - 1, samples * size);
        let mut found = Vec::new();
        for (at, sample) in shuffled.chunks_exact(size).enumerate() {
            found.extend(self.started(&self.rows.pick(sample), at * STARTS, STARTS / samples));
        }
        if found.is_empty() {
            found.push(Scatter::of_all(self.rows)?);
        }
        Ok(found)
    }

    /// The best of so many random starts among some rows, after a few steps.
    ///
    /// Half of them are as small as can be, since few rows are the likeliest to hold no stranger; half have the final
    /// size, as scikit-learn's. A start among rows that lie on a plane comes to nothing.
    fn started(&self, rows: &Rows, first: usize, starts: usize) -> Vec<Scatter> {
        let support = self.support(rows.count());
        let numbers: Vec<usize> = (first..first + starts).collect();
        let mut found: Vec<Scatter> = parallel::map(self.threads, &numbers, |&number| {
            let order = self.shuffled(number as u64, rows.count());
            let size = if number.is_multiple_of(2) { rows.width() + 1 } else { support };
            let start = Scatter::of_first(rows, &order, size)?;
            Some(start.descend(rows, support, FIRST_STEPS).0)
        })
        .into_iter()
        .flatten()
        .collect();
        keep_best(&mut found, BEST);
        found
    }

    fn support(&self, rows: usize) -> usize {
        ((rows as f64 * self.share).ceil() as usize).min(rows)
    }

    fn drawn(&self, stream: u64, rows: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream);
        index::sample(&mut random, self.rows.count(), rows.min(self.rows.count())).into_vec()
    }

    fn shuffled(&self, stream: u64, rows: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream);
        index::sample(&mut random, rows, rows).into_vec()
    }
}

/// Those of least determinant; what two starts came to alike stays once.
fn keep_best(found: &mut Vec<Scatter>, most: usize) {
    found.sort_by(|a, b| a.log_determinant.total_cmp(&b.log_determinant));
    found.dedup_by(|a, b| a.log_determinant == b.log_determinant);
    found.truncate(most);
}
