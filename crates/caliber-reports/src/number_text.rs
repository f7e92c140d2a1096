//! Numbers as text that reads back the same.

/// Whole numbers below this print in full; from here on the shortest text has an exponent.
const WHOLE_LIMIT: f64 = 1e16;

/// The number as an integer where it is whole and prints in full. Minus zero is none: its sign would be lost.
pub(crate) fn whole(number: f64) -> Option<i64> {
    let whole = number as i64;
    let same = (whole as f64).to_bits() == number.to_bits();
    (same && number.abs() < WHOLE_LIMIT).then_some(whole)
}

/// Buffers for the shortest texts of numbers.
#[derive(Default)]
pub(crate) struct NumberText {
    whole: itoa::Buffer,
    fraction: zmij::Buffer,
}

impl NumberText {
    /// The shortest text that reads back as the same finite number: `1077`, `0.1`, `2.5e-7`.
    pub(crate) fn of(&mut self, number: f64) -> &str {
        match whole(number) {
            Some(whole) => self.whole.format(whole),
            None => self.fraction.format_finite(number),
        }
    }
}
