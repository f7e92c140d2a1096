//! The metrics as a matrix without gaps, on a common scale.

use caliber_engine::results::{MetricColumn, Results};
use caliber_engine::statistics::{is_constant, quantile};
use serde::Serialize;

use crate::ByMetric;

/// Why a metric takes no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// It has no value in any row.
    Empty,
    /// It has one value in all rows.
    Constant,
    /// So many rows share one value that the elliptic envelope is flat (`elliptic_envelope` only).
    Repeated,
}

/// The metrics that vary.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) used: Vec<Column<'a>>,
    pub(super) skipped: ByMetric<Skipped>,
}

/// A metric that varies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'a> {
    pub(super) metric: &'a MetricColumn,
    /// By its present values; what a z is measured with.
    pub(super) standard: Standard,
}

impl<'a> Columns<'a> {
    pub(super) fn of(results: &'a Results) -> Self {
        let (mut used, mut skipped) = (Vec::new(), ByMetric(Vec::new()));
        for metric in &results.metrics {
            match standard(metric) {
                Ok(standard) => used.push(Column { metric, standard }),
                Err(reason) => skipped.0.push((metric.name.clone(), reason)),
            }
        }
        Self { used, skipped }
    }

    /// Leaves out those columns of the matrix in which so many rows share one value that what `most` gives for the
    /// number of columns is reached; fewer columns may lower it, so it is asked again. Returns the rest.
    pub(super) fn without_repeated(mut self, results: &Results, most: impl Fn(usize) -> usize) -> Self {
        let rows = results.len();
        let shared: Vec<usize> = self.used.iter().map(|column| most_shared(&column.filled(rows))).collect();
        let mut kept: Vec<usize> = (0..self.used.len()).collect();
        loop {
            let limit = most(kept.len());
            let before = kept.len();
            kept.retain(|&at| shared[at] < limit);
            if kept.len() == before {
                break;
            }
        }
        let repeated = (0..self.used.len()).filter(|at| !kept.contains(at));
        self.skipped.0.extend(repeated.map(|at| (self.used[at].metric.name.clone(), Skipped::Repeated)));
        let place = |name: &str| results.metrics.iter().position(|metric| metric.name == name);
        self.skipped.0.sort_by_key(|(name, _)| place(name));
        self.used = kept.into_iter().map(|at| self.used[at]).collect();
        self
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.used.iter().map(|column| column.metric.name.clone()).collect()
    }

    /// The metrics as one matrix: missing cells become the median of their column, and each column is centred and
    /// divided by its population standard deviation.
    pub(super) fn matrix(&self, rows: usize) -> Matrix {
        let width = self.used.len();
        let mut cells = vec![0.0; rows * width];
        for (at, column) in self.used.iter().enumerate() {
            let filled = column.filled(rows);
            let standard = Standard::of(&filled, 1.0);
            for (row, value) in filled.into_iter().enumerate() {
                cells[row * width + at] = standard.z(value);
            }
        }
        Matrix { rows, width, cells }
    }
}

impl Column<'_> {
    /// The values with their median in the gaps, in units of a power of two that keeps every sum finite.
    fn filled(&self, rows: usize) -> Vec<f64> {
        let unit = self.standard.unit;
        let cells = (0..rows).map(|row| self.value(row).map(|value| value * unit));
        if let Some(whole) = cells.clone().collect::<Option<Vec<f64>>>() {
            return whole;
        }
        let mut present: Vec<f64> = cells.clone().flatten().collect();
        present.sort_unstable_by(f64::total_cmp);
        let median = quantile(&present, 0.5).unwrap_or(0.0);
        cells.map(|value| value.unwrap_or(median)).collect()
    }

    /// The cell, `None` where it is missing.
    pub(super) fn value(&self, row: usize) -> Option<f64> {
        self.metric.values[row].filter(|value| value.is_finite())
    }

    /// How many population standard deviations the cell lies above the mean of the present cells.
    pub(super) fn z(&self, row: usize) -> Option<f64> {
        self.value(row).map(|value| self.standard.z(value))
    }
}

/// Rows x columns of finite numbers, row after row.
#[derive(Debug)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) cells: Vec<f64>,
}

impl Matrix {
    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.width..(row + 1) * self.width]
    }
}

/// Mean and population standard deviation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standard {
    /// The power of two that values are multiplied by first. It changes no digit of a z, and squares of values at
    /// the ends of the range of doubles stay finite.
    unit: f64,
    mean: f64,
    deviation: f64,
}

impl Standard {
    /// Of values that are not all one.
    fn of(values: &[f64], unit: f64) -> Self {
        let count = values.len() as f64;
        let rough = values.iter().map(|value| value * unit).sum::<f64>() / count;
        // What rounding left in the first mean shows in the mean of what remains.
        let mean = rough + values.iter().map(|value| value * unit - rough).sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value * unit - mean).powi(2)).sum();
        Self { unit, mean, deviation: (squares / count).sqrt() }
    }

    pub(super) fn z(&self, value: f64) -> f64 {
        (value * self.unit - self.mean) / self.deviation
    }
}

fn standard(metric: &MetricColumn) -> Result<Standard, Skipped> {
    let values: Vec<f64> = present(&metric.values).collect();
    let min = values.iter().copied().reduce(f64::min).ok_or(Skipped::Empty)?;
    let max = values.iter().copied().fold(min, f64::max);
    if is_constant(min, max) {
        return Err(Skipped::Constant);
    }
    let (_, exponent) = libm::frexp(min.abs().max(max.abs()));
    Ok(Standard::of(&values, libm::ldexp(1.0, (-exponent).min(1000))))
}

pub(super) fn present(values: &[Option<f64>]) -> impl Iterator<Item = f64> {
    values.iter().copied().flatten().filter(|value| value.is_finite())
}

/// How many rows share the commonest value.
fn most_shared(values: &[f64]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).max().unwrap_or(0)
}
