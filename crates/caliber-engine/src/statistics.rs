//! Order statistics, moments and ranks.

use std::iter;
use std::ops::Range;

/// The quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996). `None` of nothing.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (position - below as f64) * (sorted[above] - sorted[below]))
}

/// [`quantile`]s of values in any order, by ascending shares. `None` of nothing.
///
/// The values change places: as far as the shares ask for it, which takes a fraction of the time of sorting them.
pub fn quantiles<const N: usize>(values: &mut [f64], shares: [f64; N]) -> Option<[f64; N]> {
    let last = values.len().checked_sub(1)?;
    let mut start = 0;
    Some(shares.map(|share| {
        let position = share * last as f64;
        let below = (position.floor() as usize).clamp(start, last);
        // What stands before `start` is no greater than what stands behind.
        let (_, &mut at, greater) = values[start..].select_nth_unstable_by(below - start, f64::total_cmp);
        let above = greater.iter().copied().min_by(f64::total_cmp).unwrap_or(at);
        start = below;
        at + (position - below as f64) * (above - at)
    }))
}

/// The least and the greatest of values. `None` of nothing.
pub fn extremes(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    Some((least, values.iter().copied().max_by(f64::total_cmp)?))
}

/// The values that are present, ascending.
pub fn sorted_present(values: &[Option<f64>]) -> Vec<f64> {
    let mut present: Vec<f64> = values.iter().copied().flatten().collect();
    present.sort_unstable_by(f64::total_cmp);
    present
}

/// The arithmetic mean. `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The sample standard deviation, divided by n - 1. `None` under two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// Whether the bounds of a column are one value as far as doubles can tell.
pub fn is_constant(min: f64, max: f64) -> bool {
    max - min <= 1e-12 * min.abs().max(max.abs())
}

/// The groups of ties among ascending values: a value within `tolerance` of the first of its group belongs to it.
pub fn ties<'a, T>(
    sorted: &'a [T],
    value: impl Fn(&T) -> f64 + 'a,
    tolerance: f64,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut start = 0;
    iter::from_fn(move || {
        let first = value(sorted.get(start)?);
        let tied = sorted[start..].iter().take_while(|other| value(other) - first <= tolerance).count();
        // The first ties with itself, even where its difference from itself is not a number.
        let group = start..start + tied.max(1);
        start = group.end;
        Some(group)
    })
}

/// Groups of ties, ascending: a value within `tolerance` of the first of its group belongs to it.
/// Returns for each value its group, counted from 0, and the average rank (from 1) of each group.
pub fn tie_groups(values: &[f64], tolerance: f64) -> (Vec<usize>, Vec<f64>) {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut group_of = vec![0; values.len()];
    let mut ranks = Vec::new();
    for tied in ties(&order, |(value, _)| *value, tolerance) {
        for &(_, row) in &order[tied.clone()] {
            group_of[row] = ranks.len();
        }
        ranks.push((tied.start + 1 + tied.end) as f64 / 2.0);
    }
    (group_of, ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of `numpy.quantile` (default method, which is type 7) and `numpy.std(ddof=1)`.
    #[test]
    fn quantiles_and_moments_are_numpys() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!(quantile(&values, 0.25), Some(2.0));
        assert_eq!(quantile(&values, 0.1), Some(1.4));
        assert_eq!(quantile(&values, 0.99), Some(15.68));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(standard_deviation(&values), Some(6.099_180_272_790_763));
        assert_eq!(standard_deviation(&[3.0]), None);
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let values = [8.0, 1.0, 16.0, -0.0, 4.0, 0.0, 2.0, 4.0];
        for length in 1..=values.len() {
            let mut sorted = values[..length].to_vec();
            sorted.sort_by(f64::total_cmp);
            let shares = [0.0, 0.01, 0.25, 0.25, 0.5, 0.75, 0.99, 1.0];
            let expected = shares.map(|share| quantile(&sorted, share));
            assert_eq!(
                quantiles(&mut values[..length].to_vec(), shares).map(|all| all.map(Some)),
                Some(expected)
            );
            assert_eq!(extremes(&values[..length]), Some((sorted[0], sorted[length - 1])));
        }
        assert_eq!(quantiles(&mut [], [0.5]), None);
        assert_eq!(extremes(&[]), None);
    }

    #[test]
    fn ties_share_their_mean_rank() {
        let (groups, ranks) = tie_groups(&[5.0, 1.0, 5.0 + 5e-10, 9.0], 1e-9);
        assert_eq!(groups, [1, 0, 1, 2]);
        assert_eq!(ranks, [1.0, 2.5, 4.0]);
    }
}
