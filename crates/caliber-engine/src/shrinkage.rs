//! Shares shrunk toward the campaign's mean, as much as their counts are small (empirical Bayes).

use argmin::core::{CostFunction, Error, Executor};
use argmin::solver::neldermead::NelderMead;

use crate::normalize::Counts;

/// Bounds of log(a + b), as in evidence.md 1.3.
const LOG_SIZE: std::ops::RangeInclusive<f64> = -2.0..=18.0;
const MAX_ITERATIONS: u64 = 400;

/// A Beta(a, b) law of the true shares of a campaign's rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Pseudo-events.
    pub a: f64,
    /// Pseudo-trials without an event.
    pub b: f64,
}

impl Prior {
    /// The prior of greatest beta-binomial likelihood (Skellam 1948) over rows with trials, searched in logit of
    /// the mean and log(a + b) by Nelder and Mead's simplex; Beta(0.5, 0.5 + trials) where nothing happened at all.
    ///
    /// # Errors
    /// Those of the optimiser; none for finite counts.
    pub fn fit(counts: Counts<'_>) -> Result<Self, Error> {
        let rows: Vec<(f64, f64)> = counts
            .events
            .iter()
            .zip(counts.trials)
            .filter(|(_, trials)| **trials > 0.0)
            // Adjustments and rounding may bring more events than trials, or less than none.
            .map(|(&events, &trials)| (events.clamp(0.0, trials), trials))
            .collect();
        let events: f64 = rows.iter().map(|(events, _)| events).sum();
        let trials: f64 = rows.iter().map(|(_, trials)| trials).sum();
        if events <= 0.0 {
            return Ok(Self { a: 0.5, b: 0.5 + trials });
        }
        let mean = (events / trials).clamp(1e-9, 1.0 - 1e-9);
        let center = (mean / (1.0 - mean)).ln();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for size in [2.0, 7.0, 12.0] {
            let simplex = vec![vec![center, size], vec![center + 0.5, size], vec![center, size + 2.0]];
            let solver = NelderMead::new(simplex).with_sd_tolerance(1e-10)?;
            let found = Executor::new(Likelihood { rows: &rows }, solver)
                .configure(|state| state.max_iters(MAX_ITERATIONS))
                .run()?;
            let state = found.state();
            if let Some(parameters) = &state.best_param
                && best.as_ref().is_none_or(|(cost, _)| state.best_cost < *cost)
            {
                best = Some((state.best_cost, parameters.clone()));
            }
        }
        Ok(best.map_or(Self { a: 0.5, b: 0.5 + trials }, |(_, parameters)| Self::of(&parameters)))
    }

    fn of(parameters: &[f64]) -> Self {
        let mean = 1.0 / (1.0 + (-parameters[0]).exp());
        let size = parameters[1].clamp(*LOG_SIZE.start(), *LOG_SIZE.end()).exp();
        Self { a: (mean * size).max(f64::MIN_POSITIVE), b: ((1.0 - mean) * size).max(f64::MIN_POSITIVE) }
    }

    /// The posterior mean of a share with these counts.
    pub fn posterior_mean(self, events: f64, trials: f64) -> f64 {
        let trials = trials.max(0.0);
        // Adjustments and rounding may bring more events than trials, or less than none.
        (self.a + events.clamp(0.0, trials)) / (self.a + self.b + trials)
    }
}

/// The shares as posterior means; missing ones stay missing.
pub(crate) fn shrink(values: &[Option<f64>], counts: Counts<'_>) -> Result<Vec<Option<f64>>, Error> {
    let prior = Prior::fit(counts)?;
    let pairs = counts.events.iter().zip(counts.trials);
    Ok(values
        .iter()
        .zip(pairs)
        .map(|(value, (&events, &trials))| value.map(|_| prior.posterior_mean(events, trials)))
        .collect())
}

struct Likelihood<'a> {
    rows: &'a [(f64, f64)],
}

impl CostFunction for Likelihood<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    /// The negative log-likelihood but for its constant.
    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        let Prior { a, b } = Prior::of(parameters);
        let alone = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
        let likelihood: f64 = self
            .rows
            .iter()
            .map(|&(events, trials)| {
                alone + libm::lgamma(a + events) + libm::lgamma(b + trials - events)
                    - libm::lgamma(a + b + trials)
            })
            .sum();
        Ok(-likelihood)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prior that `scipy.optimize.minimize` (Nelder-Mead, xatol 1e-10) of the sum of
    /// `scipy.special.betaln` gives for these counts.
    #[test]
    fn the_prior_is_scipys() {
        let events = [3.0, 0.0, 12.0, 5.0, 1.0, 30.0, 7.0, 2.0];
        let trials = [100.0, 80.0, 150.0, 120.0, 90.0, 200.0, 60.0, 110.0];
        let prior = Prior::fit(Counts { events: &events, trials: &trials }).expect("finite counts");
        assert!((prior.a - 1.208_385_354).abs() < 1e-5, "{prior:?}");
        assert!((prior.b - 20.148_684_438).abs() < 1e-4, "{prior:?}");
    }

    #[test]
    fn a_campaign_without_an_event_has_a_prior_too() {
        let prior = Prior::fit(Counts { events: &[0.0, 0.0], trials: &[10.0, 20.0] }).expect("finite counts");
        assert_eq!(prior, Prior { a: 0.5, b: 30.5 });
    }
}
