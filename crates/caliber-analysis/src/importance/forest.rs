//! A random forest and what it says about its features.

use caliber_engine::parallel;
use rand::RngExt;

use super::tree::Tree;
use crate::draws::stream;

/// Trees of a forest.
const TREES: u64 = 100;

/// Times that each feature is shuffled.
const SHUFFLES: usize = 5;

/// Columns of equal length, and their rows in the order of each.
pub(super) struct Matrix {
    columns: Vec<Vec<f64>>,
    orders: Vec<Vec<u32>>,
}

impl Matrix {
    /// Fewer than 2^32 rows.
    pub(super) fn new(columns: Vec<Vec<f64>>) -> Self {
        let order = |column: &Vec<f64>| {
            let mut order: Vec<u32> = (0..column.len() as u32).collect();
            order.sort_by(|&a, &b| column[a as usize].total_cmp(&column[b as usize]));
            order
        };
        Self { orders: columns.iter().map(order).collect(), columns }
    }

    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn column(&self, at: usize) -> &[f64] {
        &self.columns[at]
    }

    /// Row numbers by each column, ascending.
    pub(super) fn orders(&self) -> &[Vec<u32>] {
        &self.orders
    }
}

/// A random forest (Breiman 2001).
pub(super) struct Forest {
    trees: Vec<Tree>,
}

impl Forest {
    /// Each tree has a stream of its own.
    pub(super) fn grow(matrix: &Matrix, values: &[f64], seed: u64, threads: usize) -> Self {
        let numbers: Vec<u64> = (0..TREES).collect();
        let trees =
            parallel::map(threads, &numbers, |&number| Tree::grow(matrix, values, stream(seed, number)));
        Self { trees }
    }

    /// Each feature's part of the sum of squares that a tree's splits took away, averaged over the trees that split
    /// (Breiman et al. 1984; Louppe 2014, 6.1). They sum to 1; all are 0 where no tree splits.
    pub(super) fn impurity_importance(&self) -> Vec<f64> {
        let features = self.trees.first().map_or(0, |tree| tree.gains.len());
        let mut importance = vec![0.0; features];
        for tree in &self.trees {
            let all: f64 = tree.gains.iter().sum();
            if all > 0.0 {
                importance.iter_mut().zip(&tree.gains).for_each(|(sum, gain)| *sum += gain / all);
            }
        }
        let all: f64 = importance.iter().sum();
        if all > 0.0 {
            for part in &mut importance {
                *part /= all;
            }
        }
        importance
    }

    /// How much R² falls on average when a feature's values are shuffled (Breiman 2001, section 10), and R² as it is.
    /// The values must not be all the same.
    pub(super) fn permutation_importance(
        &self,
        matrix: &Matrix,
        values: &[f64],
        seed: u64,
        threads: usize,
    ) -> (Vec<f64>, f64) {
        let all = || (0..matrix.columns()).map(|at| matrix.column(at)).collect::<Vec<_>>();
        let tasks: Vec<Option<(usize, usize)>> = std::iter::once(None)
            .chain((0..matrix.columns() * SHUFFLES).map(|at| Some((at / SHUFFLES, at % SHUFFLES))))
            .collect();
        let figures = parallel::map(threads, &tasks, |task| {
            let mut columns = all();
            let shuffled;
            if let Some((feature, time)) = *task {
                shuffled = shuffle(matrix.column(feature), seed, TREES + (feature * SHUFFLES + time) as u64);
                columns[feature] = &shuffled;
            }
            self.r_squared(&columns, values)
        });
        let r_squared = figures[0];
        let drop = |figures: &[f64]| {
            figures.iter().map(|figure| r_squared - figure).sum::<f64>() / figures.len() as f64
        };
        (figures[1..].chunks(SHUFFLES).map(drop).collect(), r_squared)
    }

    fn r_squared(&self, columns: &[&[f64]], values: &[f64]) -> f64 {
        let mut sums = vec![0.0; values.len()];
        for tree in &self.trees {
            tree.add_predictions(columns, &mut sums);
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let trees = self.trees.len() as f64;
        let left: f64 = values.iter().zip(&sums).map(|(value, sum)| (value - sum / trees).powi(2)).sum();
        let all: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        1.0 - left / all
    }
}

fn shuffle(column: &[f64], seed: u64, number: u64) -> Vec<f64> {
    let mut shuffled = column.to_vec();
    let mut bits = stream(seed, number);
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, bits.random_range(0..=at));
    }
    shuffled
}
