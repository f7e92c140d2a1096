//! Linear correlation.

use caliber_engine::statistics::{is_constant, mean};

/// Pearson's r of two columns of equal length, in -1..1 (Pearson 1896), in two passes: means first, then products of
/// deviations. `None` where it is undefined: fewer than two values, a column that is constant as far as doubles can
/// tell, or figures that are not finite.
pub(crate) fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    debug_assert_eq!(x.len(), y.len(), "pairs");
    if is_flat(x) || is_flat(y) {
        return None;
    }
    let (x_mean, y_mean) = (mean(x)?, mean(y)?);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (dx, dy) = (x - x_mean, y - y_mean);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    // Two roots, since the product of the sums may overflow.
    let r = xy / (xx.sqrt() * yy.sqrt());
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// Whether there is nothing but one value, or nothing.
fn is_flat(values: &[f64]) -> bool {
    let bounds = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max): (f64, f64), &value| {
        (min.min(value), max.max(value))
    });
    values.is_empty() || is_constant(bounds.0, bounds.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_correlates_fully_whichever_way_it_goes() {
        let x = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(pearson(&x, &x.map(|x| 3.0 * x - 7.0)), Some(1.0));
        assert_eq!(pearson(&x, &x.map(|x| -x)), Some(-1.0));
    }

    /// `numpy.corrcoef([1, 2, 4, 8], [3, 1, 4, 1])`.
    #[test]
    fn r_is_numpys() {
        let r = pearson(&[1.0, 2.0, 4.0, 8.0], &[3.0, 1.0, 4.0, 1.0]).unwrap();
        assert!((r - -0.340_975_204_636_838_17).abs() < 1e-15, "{r}");
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        let x = [1.0, 2.0, 3.0];
        for constant in [[5.0; 3], [0.3, 0.1 + 0.2, 0.3], [0.0; 3]] {
            assert_eq!(pearson(&x, &constant), None);
            assert_eq!(pearson(&constant, &x), None);
        }
        assert_eq!(pearson(&[], &[]), None);
        assert_eq!(pearson(&[1.0], &[2.0]), None);
        assert_eq!(pearson(&x, &[1.0, f64::NAN, 2.0]), None);
        assert_eq!(pearson(&x, &[1.0, f64::INFINITY, 2.0]), None);
    }

    #[test]
    fn figures_of_any_size_correlate() {
        let x = [1.0, 2.0, 4.0, 8.0];
        for scale in [1e-150, 1e-12, 1e150] {
            let r = pearson(&x.map(|x| x * scale), &x).unwrap();
            assert!((r - 1.0).abs() < 1e-15, "{scale}: {r}");
        }
    }
}
