//! Axes: where figures lie on them, and what stands at them.

use caliber_analysis::written::{number, short_count};
use serde::{Serialize, Serializer};

/// A place on an axis.
#[derive(Debug, Serialize)]
pub(super) struct Tick {
    #[serde(serialize_with = "finite")]
    pub(super) at: f64,
    pub(super) label: String,
}

/// A logarithmic axis.
pub(super) struct LogAxis {
    from: f64,
    to: f64,
}

impl LogAxis {
    /// From a little below the least figure to a little above the greatest; both are above 0.
    pub(super) fn around(least: f64, greatest: f64) -> Self {
        let (from, to) = (least.log10(), greatest.log10());
        let room = if to - from < 0.3 { 0.4 } else { (to - from) * 0.05 };
        Self { from: from - room, to: to + room }
    }

    /// The place of a figure, 0..1.
    pub(super) fn at(&self, figure: f64) -> f64 {
        ((figure.log10() - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// The powers of ten on it, and twice and five times these where it is short.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let steps: &[f64] = if self.to - self.from > 2.2 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let powers = (self.from.floor() as i32)..=(self.to.ceil() as i32);
        powers
            .flat_map(|power| steps.iter().map(move |step| (power, step * 10_f64.powi(power))))
            .filter(|(_, figure)| (self.from..=self.to).contains(&figure.log10()))
            .map(|(power, figure)| Tick {
                at: self.at(figure),
                label: match figure {
                    figure if figure >= 1e6 => short_count(figure).replace(".00 ", " ").replace(".0 ", " "),
                    _ => number(figure, usize::try_from(-power).unwrap_or(0)),
                },
            })
            .collect()
    }
}

/// The tens around these scores, twenty apart at least.
pub(super) fn score_range(scores: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut lowest, mut highest) = (100.0_f64, 0.0_f64);
    for score in scores.filter(|score| score.is_finite()) {
        (lowest, highest) = (lowest.min(score), highest.max(score));
    }
    let highest = (((highest + 2.0) / 10.0).ceil() * 10.0).clamp(20.0, 100.0);
    let lowest = (((lowest - 2.0) / 10.0).floor() * 10.0).clamp(0.0, highest - 20.0);
    (lowest, highest)
}

/// Every ten points, or every twenty where that is many.
pub(super) fn score_ticks(lowest: f64, highest: f64) -> Vec<Tick> {
    let step = if highest - lowest > 60.0 { 20.0 } else { 10.0 };
    let steps = ((highest - lowest) / step + 1e-9).floor() as usize;
    let figures = (0..=steps).map(|at| lowest + at as f64 * step);
    figures
        .map(|figure| Tick { at: (figure - lowest) / (highest - lowest), label: number(figure, 0) })
        .collect()
}

/// A place on the paper: what is no number lies at 0.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
pub(super) fn finite<S: Serializer>(place: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(if place.is_finite() { *place } else { 0.0 })
}

/// The end of an axis that holds this figure, and its ticks: steps of 1, 2 or 5 times a power of ten, at most six.
pub(super) fn ticks(greatest: f64, whole: bool) -> (f64, Vec<Tick>) {
    let greatest = if greatest.is_finite() && greatest > 0.0 { greatest } else { 1.0 };
    let rough = greatest / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= rough * (1.0 - 1e-9));
    let step = step.unwrap_or(rough);
    let step = if whole { step.max(1.0) } else { step };
    let steps = (greatest / step - 1e-9).ceil().max(1.0);
    let top = steps * step;
    let decimals = usize::try_from(-step.log10().floor() as i64).unwrap_or(0);
    let ticks = (0..=steps as usize)
        .map(|at| Tick { at: at as f64 / steps, label: number(at as f64 * step, decimals) })
        .collect();
    (top, ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_above_the_greatest_figure_in_round_steps() {
        let labels = |greatest, whole| {
            let (top, ticks) = ticks(greatest, whole);
            let labels: Vec<String> = ticks.into_iter().map(|tick| tick.label).collect();
            (top, labels.join(" "))
        };
        assert_eq!(labels(3.0, true), (3.0, "0 1 2 3".into()));
        assert_eq!(labels(47.0, true), (50.0, "0 10 20 30 40 50".into()));
        assert_eq!(labels(2600.0, true), (3000.0, "0 1,000 2,000 3,000".into()));
        assert_eq!(labels(0.7, false), (0.8, "0.0 0.2 0.4 0.6 0.8".into()));
        assert_eq!(labels(0.0, true).0, 1.0);
        assert_eq!(labels(f64::NAN, true).0, 1.0);
    }

    #[test]
    fn logarithmic_axes_hold_what_is_drawn_and_say_where_it_is() {
        for (least, greatest) in [(0.3, 4000.0), (10.0, 10.0), (1e-9, 1e15), (3.0, 4.0)] {
            let axis = LogAxis::around(least, greatest);
            assert!(axis.at(least) > 0.0 && axis.at(greatest) < 1.0, "{least} to {greatest}");
            assert!(!axis.ticks().is_empty(), "{least} to {greatest}");
        }
        let ticks = LogAxis::around(0.3, 4000.0).ticks();
        let labels: Vec<String> = ticks.into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["1", "10", "100", "1,000"]);
    }

    #[test]
    fn score_axes_hold_the_scores() {
        assert_eq!(score_range([41.0, 84.4].into_iter()), (30.0, 90.0));
        assert_eq!(score_range([0.0, 100.0].into_iter()), (0.0, 100.0));
        assert_eq!(score_range([50.0].into_iter()), (40.0, 60.0));
        assert_eq!(score_range([f64::NAN].into_iter()), (0.0, 20.0));
    }
}
