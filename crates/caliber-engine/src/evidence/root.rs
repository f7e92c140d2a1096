//! Where an increasing function crosses zero.

/// Iterations that no continuous function needs.
const MOST: usize = 200;

/// The root between `low`, where the function is not above 0, and `high`, where it is not below, to within
/// `tolerance`: by the secant of ends that are weighted down when they stay (Illinois; Dowell and Jarratt 1971).
pub(super) fn between(low: f64, high: f64, tolerance: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (low, high);
    let (mut at_low, mut at_high) = (function(low), function(high));
    let mut stayed = 0_i8;
    for turn in 0..MOST {
        if high - low <= tolerance || at_low == 0.0 && at_high == 0.0 {
            break;
        }
        // A step of such a function leaves the secant nothing to go by: every third turn halves.
        let share = if turn % 3 == 2 { 0.5 } else { at_low / (at_low - at_high) };
        let share = if share.is_finite() { share.clamp(1e-3, 1.0 - 1e-3) } else { 0.5 };
        let middle = low + share * (high - low);
        let value = function(middle);
        if value == 0.0 {
            return middle;
        }
        if value < 0.0 {
            (low, at_low) = (middle, value);
            if stayed == 1 {
                at_high *= 0.5;
            }
            stayed = 1;
        } else {
            (high, at_high) = (middle, value);
            if stayed == -1 {
                at_low *= 0.5;
            }
            stayed = -1;
        }
    }
    f64::midpoint(low, high)
}
