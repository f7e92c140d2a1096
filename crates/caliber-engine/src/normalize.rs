//! From raw metrics to a common scale of 0 to 100 on which higher is better.

use argmin::core::Error as ArgminError;
use serde::{Deserialize, Serialize};

use crate::recipe::Better;
use crate::shrinkage;
use crate::statistics::{extremes, is_constant, quantiles, tie_groups};

/// How values are brought to the scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// Between the least and the greatest value.
    #[default]
    Minmax,
    /// Between the 1 % and the 99 % quantile, clipped.
    Winsorized,
    /// (average rank - 1) / (n - 1).
    Rank,
    /// Shares are shrunk toward the campaign's mean first, then winsorized.
    Shrunk,
}

impl Normalization {
    /// Every method, by its word in options and files.
    pub const ALL: [(&'static str, Self); 4] = [
        ("minmax", Self::Minmax),
        ("winsorized", Self::Winsorized),
        ("rank", Self::Rank),
        ("shrunk", Self::Shrunk),
    ];
}

/// The bounds a metric was normalised between, and how many values it had.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// What becomes 0, or 100 where lower is better. `None` where there is no value.
    pub min: Option<f64>,
    /// What becomes 100, or 0.
    pub max: Option<f64>,
    /// Values present.
    pub count: u64,
}

/// Numerators and denominators of a share, one a row.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a> {
    /// Numerators.
    pub events: &'a [f64],
    /// Denominators; 0 where the share is missing.
    pub trials: &'a [f64],
}

/// Normalises one metric. A missing value is 0, and so is a metric without any; a constant one is 50.
///
/// `counts` are those of a share; only [`Normalization::Shrunk`] looks at them.
///
/// # Errors
/// When the prior of a share cannot be fitted, which finite counts do not bring about.
pub fn normalize(
    values: &[Option<f64>],
    better: Better,
    method: Normalization,
    counts: Option<Counts<'_>>,
) -> Result<(Vec<f64>, Bounds), ArgminError> {
    let shrunk;
    let values = match (method, counts) {
        (Normalization::Shrunk, Some(counts)) => {
            shrunk = shrinkage::shrink(values, counts)?;
            &shrunk
        }
        _ => values,
    };
    let mut present: Vec<f64> = values.iter().copied().flatten().collect();
    let count = present.len() as u64;
    let Some((first, last)) = extremes(&present) else {
        return Ok((vec![0.0; values.len()], Bounds { min: None, max: None, count }));
    };
    if method == Normalization::Rank {
        return Ok((
            ranked(values, better, present.len()),
            Bounds { min: Some(first), max: Some(last), count },
        ));
    }
    let (min, max) = match method {
        Normalization::Minmax => (first, last),
        _ => quantiles(&mut present, [0.01, 0.99]).map_or((first, last), |[min, max]| (min, max)),
    };
    let scale = |value: f64| {
        if is_constant(min, max) {
            return 50.0;
        }
        let part = match better {
            Better::Higher => (value - min) / (max - min),
            Better::Lower => (max - value) / (max - min),
        };
        part.clamp(0.0, 1.0) * 100.0
    };
    let normalized = values.iter().map(|value| value.map_or(0.0, scale)).collect();
    Ok((normalized, Bounds { min: Some(min), max: Some(max), count }))
}

fn ranked(values: &[Option<f64>], better: Better, count: usize) -> Vec<f64> {
    let rows: Vec<usize> = (0..values.len()).filter(|&row| values[row].is_some()).collect();
    let present: Vec<f64> = values.iter().copied().flatten().collect();
    let (groups, ranks) = tie_groups(&present, 0.0);
    let mut normalized = vec![0.0; values.len()];
    for (row, group) in rows.into_iter().zip(groups) {
        let part = if count > 1 { (ranks[group] - 1.0) / (count - 1) as f64 } else { 0.5 };
        normalized[row] = 100.0 * if better == Better::Higher { part } else { 1.0 - part };
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(values: &[Option<f64>], better: Better, method: Normalization) -> Vec<f64> {
        normalize(values, better, method, None).expect("no fit is needed").0
    }

    #[test]
    fn minmax_runs_from_0_to_100_and_missing_is_0() {
        let values = [Some(1.0), Some(3.0), None, Some(2.0)];
        assert_eq!(normalized(&values, Better::Higher, Normalization::Minmax), [0.0, 100.0, 0.0, 50.0]);
        assert_eq!(normalized(&values, Better::Lower, Normalization::Minmax), [100.0, 0.0, 0.0, 50.0]);
    }

    #[test]
    fn a_constant_metric_is_50_and_an_empty_one_0() {
        for (_, method) in Normalization::ALL {
            assert_eq!(normalized(&[Some(0.1 + 0.2), Some(0.3), None], Better::Lower, method)[2], 0.0);
            assert_eq!(normalized(&[Some(7.0), Some(7.0)], Better::Lower, method), [50.0, 50.0]);
            assert_eq!(normalized(&[Some(7.0)], Better::Higher, method), [50.0]);
            assert_eq!(normalized(&[None, None], Better::Higher, method), [0.0, 0.0]);
        }
        assert_eq!(
            normalized(&[Some(0.1 + 0.2), Some(0.3)], Better::Higher, Normalization::Minmax),
            [50.0, 50.0]
        );
    }

    #[test]
    fn ranks_of_ties_are_shared() {
        let values = [Some(1.0), Some(1.0), Some(9.0), None];
        assert_eq!(normalized(&values, Better::Higher, Normalization::Rank), [25.0, 25.0, 100.0, 0.0]);
        assert_eq!(normalized(&values, Better::Lower, Normalization::Rank), [75.0, 75.0, 0.0, 0.0]);
    }

    #[test]
    fn winsorized_bounds_are_the_outer_percentiles() {
        let values: Vec<Option<f64>> = (0..=100).map(|value| Some(f64::from(value))).collect();
        let (normalized, bounds) =
            normalize(&values, Better::Higher, Normalization::Winsorized, None).expect("no fit is needed");
        assert_eq!((bounds.min, bounds.max, bounds.count), (Some(1.0), Some(99.0), 101));
        assert_eq!((normalized[0], normalized[50], normalized[100]), (0.0, 50.0, 100.0));
    }
}
