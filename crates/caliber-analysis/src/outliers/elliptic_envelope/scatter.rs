//! Location and covariance of some rows, and distances under them.

use super::super::matrix::Matrix;
use super::Singular;

/// Variance of a standardised column below which nothing but rounding varies.
const LEAST_VARIANCE: f64 = 1e-26;
/// Share of a column's variance that the columns before it must leave unexplained.
const LEAST_UNEXPLAINED: f64 = 1e-12;
/// Coefficients from which a column is named among those that are one.
const NAMED: f64 = 1e-6;

/// Rows column by column, which distances are fastest on.
#[derive(Debug)]
pub(super) struct Rows {
    columns: Vec<Vec<f64>>,
    count: usize,
}

impl Rows {
    pub(super) fn new(matrix: &Matrix) -> Self {
        let column = |at: usize| matrix.cells.iter().skip(at).step_by(matrix.width).copied().collect();
        Self { columns: (0..matrix.width).map(column).collect(), count: matrix.rows }
    }

    /// The rows at these positions.
    pub(super) fn pick(&self, rows: &[usize]) -> Self {
        let pick = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect();
        Self { columns: self.columns.iter().map(pick).collect(), count: rows.len() }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn column(&self, at: usize) -> &[f64] {
        &self.columns[at]
    }
}

/// Where rows lie and how they spread; never singular.
#[derive(Clone, Debug)]
pub(super) struct Scatter {
    location: Vec<f64>,
    /// The inverse of the covariance's Cholesky factor, lower triangle, row after row.
    whitening: Vec<Vec<f64>>,
    /// Natural logarithm of the covariance's determinant.
    pub(super) log_determinant: f64,
}

impl Scatter {
    /// Of all rows.
    pub(super) fn of_all(rows: &Rows) -> Result<Self, Singular> {
        Self::of_those(rows, &vec![true; rows.count])
    }

    /// Of the rows that are marked; the covariance is divided by their number.
    pub(super) fn of_those(rows: &Rows, marked: &[bool]) -> Result<Self, Singular> {
        let columns: Vec<Vec<f64>> = rows
            .columns
            .iter()
            .map(|column| column.iter().zip(marked).filter(|(_, marked)| **marked).map(|(x, _)| *x).collect())
            .collect();
        Self::of_columns(columns)
    }

    fn of_columns(mut columns: Vec<Vec<f64>>) -> Result<Self, Singular> {
        let count = columns.first().map_or(0, Vec::len) as f64;
        let mut location = Vec::with_capacity(columns.len());
        for column in &mut columns {
            let mean = column.iter().sum::<f64>() / count;
            for value in column.iter_mut() {
                *value -= mean;
            }
            location.push(mean);
        }
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / count;
        let covariance: Vec<Vec<f64>> = (0..columns.len())
            .map(|row| columns[..=row].iter().map(|column| product(&columns[row], column)).collect())
            .collect();
        let factor = cholesky(&covariance)?;
        let log_determinant = factor.iter().filter_map(|row| row.last()).map(|x| 2.0 * libm::log(*x)).sum();
        Ok(Self { location, whitening: inverted(&factor), log_determinant })
    }

    /// Squared Mahalanobis distances of all rows.
    pub(super) fn squares(&self, rows: &Rows) -> Vec<f64> {
        let mut squares = vec![0.0; rows.count];
        let mut whitened = vec![0.0; rows.count];
        for coefficients in &self.whitening {
            whitened.fill(0.0);
            for ((coefficient, column), location) in
                coefficients.iter().zip(&rows.columns).zip(&self.location)
            {
                for (whitened, value) in whitened.iter_mut().zip(column) {
                    *whitened += coefficient * (value - location);
                }
            }
            for (square, whitened) in squares.iter_mut().zip(&whitened) {
                *square += whitened * whitened;
            }
        }
        squares
    }

    /// C-steps: the `support` rows nearest to this scatter make the next one, which has no greater determinant, until
    /// it falls no more. Where they lie on a plane, the determinant is 0: then the last one before that is
    /// returned with the columns that are one.
    pub(super) fn descend(&self, rows: &Rows, support: usize, steps: usize) -> (Self, Option<Singular>) {
        let mut current = match Self::of_those(rows, &nearest(&self.squares(rows), support)) {
            Ok(first) => first,
            Err(singular) => return (self.clone(), Some(singular)),
        };
        for _ in 0..steps {
            match Self::of_those(rows, &nearest(&current.squares(rows), support)) {
                Ok(next) if next.log_determinant < current.log_determinant => current = next,
                Ok(_) => break,
                Err(singular) => return (current, Some(singular)),
            }
        }
        (current, None)
    }
}

/// Marks the rows of the `support` least squares; of equals at the border the first.
fn nearest(squares: &[f64], support: usize) -> Vec<bool> {
    let mut sorted = squares.to_vec();
    let (below, border, _) = sorted.select_nth_unstable_by(support.saturating_sub(1), f64::total_cmp);
    let border = *border;
    let mut equals = support - below.iter().filter(|square| **square < border).count();
    squares
        .iter()
        .map(|&square| {
            let is_equal = square == border && equals > 0;
            equals -= usize::from(is_equal);
            square < border || is_equal
        })
        .collect()
}

/// The lower triangle L with L L' = the symmetric matrix of this lower triangle.
fn cholesky(matrix: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Singular> {
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (at, row) in matrix.iter().enumerate() {
        let mut line: Vec<f64> = Vec::with_capacity(at + 1);
        for (column, above) in factor.iter().enumerate() {
            let known: f64 = line.iter().zip(above).map(|(a, b)| a * b).sum();
            line.push((row[column] - known) / above[column]);
        }
        let left = row[at] - line.iter().map(|x| x * x).sum::<f64>();
        if !(row[at] > LEAST_VARIANCE && left > LEAST_UNEXPLAINED * row[at]) {
            return Err(Singular(dependent(&factor, &line, row[at])));
        }
        line.push(left.sqrt());
        factor.push(line);
    }
    Ok(factor)
}

/// The columns that a column is a sum of, and itself the last: `line` is its row of the factor as far as it goes.
fn dependent(factor: &[Vec<f64>], line: &[f64], variance: f64) -> Vec<usize> {
    let column = line.len();
    if variance <= LEAST_VARIANCE {
        return vec![column];
    }
    // Its coefficients solve L' w = line.
    let mut coefficients = line.to_vec();
    for at in (0..column).rev() {
        let later: f64 = (at + 1..column).map(|row| factor[row][at] * coefficients[row]).sum();
        coefficients[at] = (coefficients[at] - later) / factor[at][at];
    }
    let spread = |at: usize| factor[at].iter().map(|x| x * x).sum::<f64>().sqrt();
    let named = |&at: &usize| coefficients[at].abs() * spread(at) > NAMED * variance.sqrt();
    (0..column).filter(named).chain([column]).collect()
}

/// The inverse of a lower triangle.
fn inverted(factor: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut inverse: Vec<Vec<f64>> = Vec::with_capacity(factor.len());
    for (at, row) in factor.iter().enumerate() {
        let mut line: Vec<f64> = (0..at)
            .map(|column| {
                let known: f64 = (column..at).map(|between| row[between] * inverse[between][column]).sum();
                -known / row[at]
            })
            .collect();
        line.push(1.0 / row[at]);
        inverse.push(line);
    }
    inverse
}
