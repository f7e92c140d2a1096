//! The straight line that took raw values of a metric to the scale of 0 to 100.

use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::Better;
use caliber_engine::results::MetricColumn;
use caliber_engine::statistics::is_constant;

/// The bounds that a metric was normalised between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    min: f64,
    max: f64,
    better: Better,
}

impl Scale {
    /// The scale of a metric. `None` where there is no such line: ranks, shrunk values, or no value at all.
    pub(crate) fn of(metric: &MetricColumn, normalization: Normalization) -> Option<Self> {
        let present = || metric.values.iter().copied().flatten();
        let (min, max) = match normalization {
            Normalization::Minmax => (present().reduce(f64::min)?, present().reduce(f64::max)?),
            Normalization::Winsorized => {
                let mut values: Vec<f64> = present().collect();
                (quantile(&mut values, 0.01)?, quantile(&mut values, 0.99)?)
            }
            Normalization::Rank | Normalization::Shrunk => return None,
        };
        Some(Self { min, max, better: metric.better })
    }

    /// Points of the scale for one more unit of the raw value; 0 for a constant metric.
    pub(crate) fn slope(self) -> f64 {
        if is_constant(self.min, self.max) {
            return 0.0;
        }
        let slope = 100.0 / (self.max - self.min);
        if self.better == Better::Higher { slope } else { -slope }
    }

    /// The raw value at a point of the scale.
    pub(crate) fn value_at(self, normalized: f64) -> f64 {
        let distance = normalized / 100.0 * (self.max - self.min);
        if self.better == Better::Higher { self.min + distance } else { self.max - distance }
    }
}

/// The quantile of values in any order, type 7 as everywhere; they are left in another order.
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    let position = share * values.len().checked_sub(1)? as f64;
    let (_, &mut below, above) = values.select_nth_unstable_by(position.floor() as usize, f64::total_cmp);
    let above = above.iter().copied().reduce(f64::min).unwrap_or(below);
    Some(below + (position - position.floor()) * (above - below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use caliber_engine::statistics;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quantile_is_the_engines_to_the_bit(mut values in prop::collection::vec(-1e3..1e3_f64, 0..200)) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for share in [0.0, 0.01, 0.5, 0.99, 1.0] {
                prop_assert_eq!(quantile(&mut values, share), statistics::quantile(&sorted, share));
            }
        }
    }
}
