//! Where an increasing function crosses zero.

/// Iterations that no continuous function needs.
const MOST: usize = 200;

/// How near is near enough: either will do.
#[derive(Clone, Copy)]
pub(super) struct Tolerance {
    /// Of the place.
    pub(super) place: f64,
    /// Of the function's value there.
    pub(super) value: f64,
}

/// A place, and the function's value there.
pub(super) type Point = (f64, f64);

/// The root between `low`, where the function is not above 0, and `high`, where it is not below: by the secant of ends
/// that are weighted down when they stay (Illinois; Dowell and Jarratt 1971).
pub(super) fn between(low: Point, high: Point, tolerance: Tolerance, function: impl Fn(f64) -> f64) -> f64 {
    let ((mut low, mut at_low), (mut high, mut at_high)) = (low, high);
    let mut stayed = 0_i8;
    for turn in 0..MOST {
        if high - low <= tolerance.place || at_low == 0.0 && at_high == 0.0 {
            break;
        }
        // A step in the function leaves the secant nothing to go by: every fourth turn halves.
        let share = if turn % 4 == 3 { 0.5 } else { at_low / (at_low - at_high) };
        let share = if share.is_finite() { share.clamp(1e-3, 1.0 - 1e-3) } else { 0.5 };
        let middle = low + share * (high - low);
        let value = function(middle);
        if value.abs() <= tolerance.value {
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
