//! All weights that are whole steps and sum to 1.

use super::super::objective::correlation;
use super::Trail;

/// Beyond, even steps of 0.1 are more than 20 million weights.
pub(super) const MOST_FEATURES: usize = 20;

/// Tries all of the grid; a step of the history is all weights that give the first feature the same.
pub(super) fn search(trail: &mut Trail<'_>) {
    let features = trail.objective.features();
    let steps = if features <= 6 { 20 } else { 10 };
    if features == 1 {
        trail.consider(&[1.0]);
        trail.end_iteration();
        return;
    }
    for first in 0..=steps {
        let mut grid = Grid { steps, counts: vec![0; features], trail };
        let sums = Sums::none(features).with(grid.trail, 0, first as f64 / steps as f64);
        grid.counts[0] = first;
        grid.descend(1, steps - first, &sums);
        trail.end_iteration();
    }
}

struct Grid<'t, 'o> {
    steps: usize,
    /// Steps that each feature has so far.
    counts: Vec<usize>,
    trail: &'t mut Trail<'o>,
}

impl Grid<'_, '_> {
    /// Shares the steps that are left among the features from this one on.
    fn descend(&mut self, feature: usize, left: usize, sums: &Sums) {
        let weight = |count: usize| count as f64 / self.steps as f64;
        if feature + 1 == self.counts.len() {
            let (along, square, parts) = sums.closed(self.trail, feature, weight(left));
            self.counts[feature] = left;
            let weights = || self.counts.iter().map(|&count| weight(count)).collect();
            self.trail.record(correlation(along, square, parts), weights);
            return;
        }
        for count in 0..=left {
            self.counts[feature] = count;
            let sums = sums.with(self.trail, feature, count as f64 / self.steps as f64);
            self.descend(feature + 1, left - count, &sums);
        }
    }
}

/// What r is made of, for the features that have their weight already: so the last one costs no more than itself.
struct Sums {
    along: f64,
    square: f64,
    parts: f64,
    /// Correlation of the sum with each feature, times its standard deviation.
    with_features: Vec<f64>,
}

impl Sums {
    fn none(features: usize) -> Self {
        Self { along: 0.0, square: 0.0, parts: 0.0, with_features: vec![0.0; features] }
    }

    fn with(&self, trail: &Trail<'_>, feature: usize, weight: f64) -> Self {
        let (along, square, parts) = self.closed(trail, feature, weight);
        let part = weight * trail.objective.deviations[feature];
        let features = self.with_features.len();
        let row = &trail.objective.between[feature * features..][..features];
        let with_features = self.with_features.iter().zip(row).map(|(sum, r)| sum + part * r).collect();
        Self { along, square, parts, with_features }
    }

    fn closed(&self, trail: &Trail<'_>, feature: usize, weight: f64) -> (f64, f64, f64) {
        let part = weight * trail.objective.deviations[feature];
        let along = self.along + part * trail.objective.with_target[feature];
        // A feature's correlation with itself is 1.
        let square = self.square + part * (2.0 * self.with_features[feature] + part);
        (along, square, self.parts + part)
    }
}
