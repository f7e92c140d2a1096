//! What an optimiser maximises: Pearson's r of a weighted sum with the target.

/// Deviations of a metric below this count as none; metrics go from 0 to 100.
const LEAST_DEVIATION: f64 = 1e-10;

/// Count, means and sums of products of deviations of some columns. Those of rows here and there can be put together,
/// so that a sum over all folds but one needs no second look at the rows (Chan, Golub and `LeVeque` 1983).
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    count: f64,
    means: Vec<f64>,
    /// Sums of products of deviations, row by row of a square matrix.
    products: Vec<f64>,
}

impl Moments {
    pub(crate) fn none(columns: usize) -> Self {
        Self { count: 0.0, means: vec![0.0; columns], products: vec![0.0; columns * columns] }
    }

    pub(crate) fn columns(&self) -> usize {
        self.means.len()
    }

    /// Of these rows of the columns, in two passes.
    pub(crate) fn of(columns: &[Vec<f64>], rows: &[usize]) -> Self {
        let mut moments = Self::none(columns.len());
        if rows.is_empty() {
            return moments;
        }
        moments.count = rows.len() as f64;
        for (mean, column) in moments.means.iter_mut().zip(columns) {
            *mean = rows.iter().map(|&row| column[row]).sum::<f64>() / rows.len() as f64;
        }
        let mut deviations = vec![0.0; columns.len()];
        for &row in rows {
            for ((deviation, column), mean) in deviations.iter_mut().zip(columns).zip(&moments.means) {
                *deviation = column[row] - mean;
            }
            add_products(&mut moments.products, &deviations, 1.0);
        }
        moments
    }

    /// Of the rows of both.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self.clone();
        }
        let between: Vec<f64> = self.means.iter().zip(&other.means).map(|(a, b)| b - a).collect();
        let mut products: Vec<f64> = self.products.iter().zip(&other.products).map(|(a, b)| a + b).collect();
        add_products(&mut products, &between, self.count * other.count / count);
        let part = other.count / count;
        let means = self.means.iter().zip(&between).map(|(mean, between)| mean + between * part).collect();
        Self { count, means, products }
    }
}

fn add_products(products: &mut [f64], deviations: &[f64], factor: f64) {
    for (row, a) in products.chunks_exact_mut(deviations.len()).zip(deviations) {
        for (product, b) in row.iter_mut().zip(deviations) {
            *product += factor * a * b;
        }
    }
}

/// r of a weighted sum of features with the target as a function of the weights, from covariances alone: one
/// evaluation costs the square of the number of features, whatever the number of rows.
#[derive(Clone, Debug)]
pub(crate) struct Objective {
    /// Population standard deviations of the features; 0 where one is constant.
    pub(crate) deviations: Vec<f64>,
    /// Correlations between the features, row by row; 0 for a constant one.
    pub(crate) between: Vec<f64>,
    /// Correlations with the target; 0 for a constant one.
    pub(crate) with_target: Vec<f64>,
}

impl Objective {
    /// Of the moments of the features and, as the last column, the target.
    pub(crate) fn new(moments: &Moments) -> Self {
        let columns = moments.means.len();
        let features = columns - 1;
        let product = |a: usize, b: usize| moments.products[a * columns + b];
        let deviation = |at: usize| (product(at, at) / moments.count).sqrt();
        let deviations: Vec<f64> = (0..features)
            .map(|at| Some(deviation(at)).filter(|deviation| *deviation > LEAST_DEVIATION).unwrap_or(0.0))
            .collect();
        // A target may have any unit, so its noise is told by its own size.
        let target = Some(deviation(features))
            .filter(|deviation| *deviation > 1e-13 * moments.means[features].abs())
            .unwrap_or(0.0);
        let r = |a: usize, b: usize, by: f64| {
            let scale = deviations[a] * by;
            if scale > 0.0 { product(a, b) / moments.count / scale } else { 0.0 }
        };
        let between = (0..features * features)
            .map(|at| r(at / features, at % features, deviations[at % features]))
            .collect();
        let with_target = (0..features).map(|at| r(at, features, target)).collect();
        Self { deviations, between, with_target }
    }

    pub(crate) fn features(&self) -> usize {
        self.deviations.len()
    }

    /// Features that vary.
    pub(crate) fn varying(&self) -> Vec<usize> {
        (0..self.features()).filter(|&at| self.deviations[at] > 0.0).collect()
    }

    /// r; `None` where the weighted sum is constant.
    pub(crate) fn r(&self, weights: &[f64]) -> Option<f64> {
        let standard: Vec<f64> =
            weights.iter().zip(&self.deviations).map(|(weight, deviation)| weight * deviation).collect();
        let along: f64 = standard.iter().zip(&self.with_target).map(|(part, r)| part * r).sum();
        let rows = self.between.chunks_exact(self.features());
        let square = standard
            .iter()
            .zip(rows)
            .map(|(part, row)| part * row.iter().zip(&standard).map(|(r, part)| r * part).sum::<f64>())
            .sum();
        correlation(along, square, standard.iter().sum())
    }

    /// The weights whose features contribute with these shares of standard deviation.
    pub(crate) fn weights_of(&self, standard: &[f64]) -> Vec<f64> {
        let weights: Vec<f64> = standard
            .iter()
            .zip(&self.deviations)
            .map(|(part, deviation)| if *deviation > 0.0 { part / deviation } else { 0.0 })
            .collect();
        super::shares(&weights)
    }
}

/// r of a sum with this covariance with the (standardised) target, this variance, and this sum of its parts' standard
/// deviations. `None` where the parts cancel out as far as doubles can tell.
pub(crate) fn correlation(along: f64, variance: f64, parts: f64) -> Option<f64> {
    (variance > 1e-14 * parts * parts).then(|| (along / variance.sqrt()).clamp(-1.0, 1.0))
}
