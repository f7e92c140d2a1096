//! Shares shrunk toward the campaign's mean, as much as their counts are small (empirical Bayes).

use argmin::core::{CostFunction, Error, Executor};
use argmin::solver::neldermead::NelderMead;

use crate::normalize::Counts;
use crate::parallel;

/// Bounds of log(a + b), as in evidence.md 1.3.
const LOG_SIZE: std::ops::RangeInclusive<f64> = -2.0..=18.0;
const MAX_ITERATIONS: u64 = 400;
/// Newton's method needs three to six steps from a hill.
const MAX_STEPS: usize = 30;
/// Less of a fall, as a share of the likelihood, is rounding.
const LEAST_FALL: f64 = 1e-9;
/// Rows whose likelihoods are added up by one thread; it does not depend on their number, so that they change no bit.
const CHUNK: usize = 4096;
/// Rows on which the hill is looked for.
const SAMPLE: usize = 500;
/// From here on differences of the log-gamma function are taken before its values.
const FAR: f64 = 1e4;
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

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
    /// the mean and log(a + b); Beta(0.5, 0.5 + trials) where nothing happened at all.
    ///
    /// Nelder and Mead's simplex finds the hill, on a sample where there are many rows; Newton's method climbs it on
    /// all of them, at a tenth of the time. So many threads work on it, and their number changes no bit.
    ///
    /// # Errors
    /// Those of the optimiser; none for finite counts.
    pub fn fit(counts: Counts<'_>, threads: usize) -> Result<Self, Error> {
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
        let sample: Vec<(f64, f64)> =
            rows.iter().copied().step_by(rows.len().div_ceil(SAMPLE).max(1)).collect();
        let (all, some) = (Likelihood { rows: &rows, threads }, Likelihood { rows: &sample, threads });
        // The likelihood may have several hills, and domains that do not differ have none but a slope that never ends:
        // so the foot of the highest is looked for from end to end.
        let sizes = (0..=10).map(|step| LOG_SIZE.start() + 2.0 * f64::from(step));
        let foot = some.best(&sizes.map(|size| [center, size]).collect::<Vec<_>>());
        let start = some.best(&[some.hill(&foot, 1e-2)?, foot]);
        let (top, value) = match all.climb(start) {
            Some(found) => found,
            None => all.hill(&start, 1e-10).map(|top| (top, all.slope(&top).value))?,
        };
        let end = [top[0], *LOG_SIZE.end()];
        Ok(Self::of(if all.slope(&end).value > value { &end } else { &top }))
    }

    fn of(parameters: &[f64]) -> Self {
        let mean = 1.0 / (1.0 + (-parameters[0]).exp());
        let size = parameters[1].clamp(*LOG_SIZE.start(), *LOG_SIZE.end()).exp();
        Self { a: (mean * size).max(f64::MIN_POSITIVE), b: ((1.0 - mean) * size).max(f64::MIN_POSITIVE) }
    }

    /// The posterior mean of a share with these counts.
    pub fn posterior_mean(self, events: f64, trials: f64) -> f64 {
        let (a, b) = self.posterior(events, trials);
        a / (a + b)
    }

    /// The parameters of the Beta law of a share with these counts.
    pub fn posterior(self, events: f64, trials: f64) -> (f64, f64) {
        let trials = trials.max(0.0);
        // Adjustments and rounding may bring more events than trials, or less than none.
        let events = events.clamp(0.0, trials);
        (self.a + events, self.b + (trials - events))
    }
}

/// The shares as posterior means; missing ones stay missing.
pub(crate) fn shrink(values: &[Option<f64>], counts: Counts<'_>) -> Result<Vec<Option<f64>>, Error> {
    let prior = Prior::fit(counts, 1)?;
    let pairs = counts.events.iter().zip(counts.trials);
    Ok(values
        .iter()
        .zip(pairs)
        .map(|(value, (&events, &trials))| value.map(|_| prior.posterior_mean(events, trials)))
        .collect())
}

/// The beta-binomial likelihood of events and trials, as a function of logit of the mean and log(a + b).
#[derive(Clone, Copy)]
struct Likelihood<'a> {
    rows: &'a [(f64, f64)],
    threads: usize,
}

/// Its logarithm at one place, but for a constant, with its first and second derivatives.
struct Slope {
    value: f64,
    gradient: [f64; 2],
    /// d²/dm², d²/dm ds, d²/ds².
    hessian: [f64; 3],
}

impl Likelihood<'_> {
    /// The nearest hill, as far up as the likelihood still rises by more than `tolerance`.
    fn hill(&self, start: &[f64; 2], tolerance: f64) -> Result<[f64; 2], Error> {
        let [center, size] = *start;
        let simplex = vec![vec![center, size], vec![center + 0.5, size], vec![center, size + 2.0]];
        let solver = NelderMead::new(simplex).with_sd_tolerance(tolerance)?;
        let found = Executor::new(*self, solver).configure(|state| state.max_iters(MAX_ITERATIONS)).run()?;
        Ok(found.state().best_param.as_ref().map_or(*start, |best| [best[0], best[1]]))
    }

    /// The place of greatest likelihood among these; of equals the first.
    fn best(&self, places: &[[f64; 2]]) -> [f64; 2] {
        let valued = places.iter().map(|place| (self.slope(place).value, *place));
        valued
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or([0.0, 0.0], |(_, place)| place)
    }

    /// The top of the hill by Newton's method, and the value there. `None` where the place is on no hill.
    fn climb(&self, start: [f64; 2]) -> Option<([f64; 2], f64)> {
        let (mut place, mut here) = (start, self.slope(&start));
        for _ in 0..MAX_STEPS {
            let ([gm, gs], [mm, ms, ss]) = (here.gradient, here.hessian);
            let determinant = mm * ss - ms * ms;
            if mm >= 0.0 || determinant <= 0.0 || !determinant.is_finite() {
                return None;
            }
            let step = [(ms * gs - ss * gm) / determinant, (ms * gm - mm * gs) / determinant];
            let next = [place[0] + step[0], place[1] + step[1]];
            let there = self.slope(&next);
            if !LOG_SIZE.contains(&next[1])
                || there.value.is_nan()
                || there.value < here.value - LEAST_FALL * (1.0 + here.value.abs())
            {
                return None;
            }
            (place, here) = (next, there);
            if step.iter().all(|step| step.abs() < 1e-6) {
                return Some((place, here.value));
            }
        }
        None
    }

    fn slope(&self, place: &[f64; 2]) -> Slope {
        let prior = Prior::of(place);
        let Prior { a, b } = prior;
        let chunks: Vec<&[(f64, f64)]> = self.rows.chunks(CHUNK).collect();
        let [value, la, lb, laa, lbb, lab] = parallel::map(self.threads, &chunks, |rows| sums(rows, prior))
            .into_iter()
            .reduce(|all, some| std::array::from_fn(|at| all[at] + some[at]))
            .unwrap_or_default();
        let (mean, rest) = (a / (a + b), b / (a + b));
        let scale = (a + b) * mean * rest;
        Slope {
            value,
            gradient: [scale * (la - lb), a * la + b * lb],
            hessian: [
                scale * scale * (laa - 2.0 * lab + lbb) + scale * (rest - mean) * (la - lb),
                scale * (a * laa + b * lab - a * lab - b * lbb) + scale * (la - lb),
                a * a * laa + 2.0 * a * b * lab + b * b * lbb + a * la + b * lb,
            ],
        }
    }
}

/// The logarithm of the likelihood of some rows, and its derivatives by a, b, twice by a, twice by b, and by both.
fn sums(rows: &[(f64, f64)], Prior { a, b }: Prior) -> [f64; 6] {
    let (of_a, of_b, of_size) = (LnGamma::at(a), LnGamma::at(b), LnGamma::at(a + b));
    let (mut value, mut la, mut lb) = (0.0, 0.0, 0.0);
    let (mut laa, mut lbb, mut lab) = (0.0, 0.0, 0.0);
    for &(events, trials) in rows {
        let happened = LnGamma::at(a + events).less(&of_a, a, events);
        let not = LnGamma::at(b + (trials - events)).less(&of_b, b, trials - events);
        let tried = LnGamma::at(a + b + trials).less(&of_size, a + b, trials);
        value += happened.value + not.value - tried.value;
        la += happened.first - tried.first;
        lb += not.first - tried.first;
        laa += happened.second - tried.second;
        lbb += not.second - tried.second;
        lab -= tried.second;
    }
    [value, la, lb, laa, lbb, lab]
}

impl CostFunction for Likelihood<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        Ok(-self.slope(&[parameters[0], parameters[1]]).value)
    }
}

/// The logarithm of the gamma function with its first two derivatives (digamma, trigamma).
///
/// Libraries give them one by one; together they need one logarithm, which is most of what they cost.
struct LnGamma {
    value: f64,
    first: f64,
    second: f64,
}

impl LnGamma {
    /// At `x` > 0: Stirling's series (Abramowitz and Stegun 6.1.40, 6.3.18, 6.4.12) from 10 on, where its terms here
    /// leave less than 1e-13; below, the recurrence leads there.
    fn at(x: f64) -> Self {
        let (mut z, mut product, mut first, mut second) = (x, 1.0, 0.0, 0.0);
        while z < 10.0 {
            let one = 1.0 / z;
            product *= z;
            first -= one;
            second += one * one;
            z += 1.0;
        }
        let (log, one) = (z.ln(), 1.0 / z);
        let square = one * one;
        let series = one
            * (1.0 / 12.0
                - square
                    * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
        let mut value = (z - 0.5) * log - z + HALF_LN_TWO_PI + series;
        if x < 10.0 {
            value -= product.ln();
        }
        first += log
            - 0.5 * one
            - square
                * (1.0 / 12.0
                    - square
                        * (1.0 / 120.0 - square * (1.0 / 252.0 - square * (1.0 / 240.0 - square / 132.0))));
        second += one
            + 0.5 * square
            + one
                * square
                * (1.0 / 6.0
                    - square
                        * (1.0 / 30.0 - square * (1.0 / 42.0 - square * (1.0 / 30.0 - square * 5.0 / 66.0))));
        Self { value, first, second }
    }

    /// What is gained from `start` to `start + by`, of which `self` and `at_start` are the values.
    fn less(mut self, at_start: &Self, start: f64, by: f64) -> Self {
        self.value = if start > FAR {
            // Two values of a billion would leave no digit of their difference.
            let after = start + by;
            by * start.ln() + (after - 0.5) * (by / start).ln_1p() - by - by / (12.0 * start * after)
        } else {
            self.value - at_start.value
        };
        self.first -= at_start.first;
        self.second -= at_start.second;
        self
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
        let prior = Prior::fit(Counts { events: &events, trials: &trials }, 2).expect("finite counts");
        assert!((prior.a - 1.208_385_354).abs() < 1e-5, "{prior:?}");
        assert!((prior.b - 20.148_684_438).abs() < 1e-4, "{prior:?}");
    }

    #[test]
    fn a_campaign_without_an_event_has_a_prior_too() {
        let prior =
            Prior::fit(Counts { events: &[0.0, 0.0], trials: &[10.0, 20.0] }, 1).expect("finite counts");
        assert_eq!(prior, Prior { a: 0.5, b: 30.5 });
    }
}
