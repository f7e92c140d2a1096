//! What the counts behind the scores prove: the law of every score, and the median they are judged by.
//!
//! The exact definition is `evidence.md` 1; `docs/statistics.md` explains it. In short: every share has a Beta
//! posterior under a prior that the campaign itself gives, figures that are no share of a count are taken as known,
//! and the first three moments of what each metric is worth add up to the law of the score. Nothing is drawn at
//! random.

mod decisions;
mod law;
mod patterns;
mod posterior;
mod regularised;
mod root;

use std::ops::Range;

use argmin::core::Error as ArgminError;

use crate::dictionary::Dictionary;
use crate::normalize::Counts;
use crate::parallel;
use crate::recipe::Better;
use crate::results::{EffectiveCounts, MetricColumn, Results};
use crate::shrinkage::Prior;
use crate::statistics::{is_constant, quantile, quantiles, sorted_present};
use posterior::{Moments, Share};
use root::Tolerance;

pub use decisions::{Decided, Decision, EvidenceRows};
pub use law::Law;
pub use patterns::{Pattern, Sign};

/// Rows that a thread takes at a time.
const CHUNK: usize = 512;

/// Why the counts cannot speak for a recipe.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// More than half of the weight lies on figures without a sampling law.
    #[error(
        "{} % of the score comes from {}, of which the report holds no counts, so chance cannot be told from quality",
        (.weight * 100.0).round(),
        .metrics.join(", ")
    )]
    MostlyKnown {
        /// Metrics that are no share of a count.
        metrics: Vec<String>,
        /// Their part of the weight, 0..1.
        weight: f64,
    },
    /// The results do not hold the counts that their shares were made of.
    #[error("these results hold no counts; they are in results.parquet, for runs as scored")]
    NoCounts,
    /// The prior of a share could not be fitted, which finite counts do not bring about.
    #[error("the prior of {metric} cannot be fitted: {cause}")]
    NoPrior {
        /// The metric.
        metric: String,
        /// What the optimiser said.
        cause: ArgminError,
    },
}

/// What one metric goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricScale {
    /// Its name.
    pub metric: String,
    /// Its part of the score; all sum to 1.
    pub weight: f64,
    /// Which way it is good.
    pub better: Better,
    /// The law of its true shares over the campaign; `None` for a figure that is taken as known.
    pub prior: Option<Prior>,
    /// What is worth 0, or 100 where lower is better. `None` of a metric without a value.
    pub lo: Option<f64>,
    /// What is worth 100, or 0.
    pub hi: Option<f64>,
}

/// The law of every row's score.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The metrics, in the order of the recipe.
    pub metrics: Vec<MetricScale>,
    /// The score below which a row of the campaign is with probability 1/2.
    pub median: f64,
    laws: Vec<Law>,
    /// What each metric is worth to each row on average, 0..100: by metric, then by row.
    worth: Vec<Vec<f64>>,
}

impl Evidence {
    /// The evidence for the scores of these rows; so many threads work on it, and their number changes no bit.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn of(results: &Results, dictionary: &Dictionary, threads: usize) -> Result<Self, Refusal> {
        refuse(results, dictionary)?;
        let weights: f64 = results.metrics.iter().map(|metric| metric.weight).sum();
        let scales = parallel::map(threads, &results.metrics, |metric| {
            scale(metric, metric.weight / weights, threads)
        });
        let metrics: Vec<MetricScale> = scales.into_iter().collect::<Result<_, _>>()?;

        let chunks: Vec<Range<usize>> = (0..results.len())
            .step_by(CHUNK)
            .map(|start| start..(start + CHUNK).min(results.len()))
            .collect();
        let worked = parallel::map(threads, &chunks, |rows| laws(results, &metrics, rows.clone()));
        let mut laws = Vec::with_capacity(results.len());
        let mut worth = vec![Vec::with_capacity(results.len()); metrics.len()];
        for (of_rows, of_metrics) in worked {
            laws.extend(of_rows);
            for (all, some) in worth.iter_mut().zip(of_metrics) {
                all.extend(some);
            }
        }
        let median = median(&laws, &chunks, threads);
        Ok(Self { metrics, median, laws, worth })
    }

    /// The law of a row's score.
    pub fn law(&self, row: usize) -> Law {
        self.laws[row]
    }

    /// The laws of all rows.
    pub fn laws(&self) -> &[Law] {
        &self.laws
    }

    /// The probability that a row is below the median.
    pub fn p_below(&self, row: usize) -> f64 {
        self.laws[row].probability_below(self.median)
    }

    /// The probability that a row is above the median.
    pub fn p_above(&self, row: usize) -> f64 {
        self.sides(row).1
    }

    /// The probabilities that a row is below the median and above it.
    fn sides(&self, row: usize) -> (f64, f64) {
        let (law, below) = (&self.laws[row], self.p_below(row));
        let is_at_most = law.sd <= 0.0 && law.mean <= self.median;
        (below, if is_at_most { 0.0 } else { 1.0 - below })
    }

    /// Names of the metrics that are taken as known.
    pub fn known_metrics(&self) -> Vec<String> {
        let known = self.metrics.iter().filter(|metric| metric.prior.is_none());
        known.map(|metric| metric.metric.clone()).collect()
    }
}

/// Effective counts of a share, as the fit takes them.
fn counts(counts: &EffectiveCounts) -> Counts<'_> {
    Counts { events: &counts.events, trials: &counts.trials }
}

fn refuse(results: &Results, dictionary: &Dictionary) -> Result<(), Refusal> {
    let unknown = results.metrics.iter().filter(|metric| metric.counts.is_none());
    let (shares, known): (Vec<_>, Vec<_>) = unknown
        .partition(|metric| dictionary.metric(&metric.name).is_some_and(|definition| definition.share));
    if !shares.is_empty() {
        return Err(Refusal::NoCounts);
    }
    let weight = |metrics: &mut dyn Iterator<Item = &MetricColumn>| metrics.map(|metric| metric.weight).sum();
    let all: f64 = weight(&mut results.metrics.iter());
    let part = weight(&mut known.iter().copied()) / all;
    // Weights sum to 1 within 1e-9 only.
    if part > 0.5 + 1e-9 {
        let metrics = known.into_iter().map(|metric| metric.name.clone()).collect();
        return Err(Refusal::MostlyKnown { metrics, weight: part });
    }
    Ok(())
}

/// evidence.md 1.3 and 1.4: the prior, and between which values a metric is worth 0 to 100.
fn scale(metric: &MetricColumn, weight: f64, threads: usize) -> Result<MetricScale, Refusal> {
    let (prior, lo, hi) = if let Some(effective) = &metric.counts {
        let prior = Prior::fit(counts(effective), threads)
            .map_err(|cause| Refusal::NoPrior { metric: metric.name.clone(), cause })?;
        let law = Share { a: prior.a, b: prior.b };
        (Some(prior), Some(law.quantile(0.01)), Some(law.quantile(0.99)))
    } else {
        let present = sorted_present(&metric.values);
        (None, quantile(&present, 0.01), quantile(&present, 0.99))
    };
    Ok(MetricScale { metric: metric.name.clone(), weight, better: metric.better, prior, lo, hi })
}

impl MetricScale {
    /// What the metric is worth to a row, with what is open about it.
    fn worth(&self, value: Option<f64>, posterior: Option<Share>) -> Moments {
        let (Some(lo), Some(hi)) = (self.lo, self.hi) else { return Moments::known(0.0) };
        if is_constant(lo, hi) {
            return Moments::known(50.0);
        }
        let moments = match (posterior, value) {
            (Some(posterior), _) => posterior.clipped(lo, hi),
            (None, Some(value)) => Moments::known(100.0 * ((value - lo) / (hi - lo)).clamp(0.0, 1.0)),
            // As in the score: what is missing and has no prior is worth nothing.
            (None, None) => return Moments::known(0.0),
        };
        if self.better == Better::Lower { moments.turned() } else { moments }
    }

    /// The posterior of a row's share; its prior where nothing was counted.
    fn posterior(&self, column: &MetricColumn, row: usize) -> Option<Share> {
        let (prior, counts) = (self.prior?, column.counts.as_ref()?);
        let (a, b) = prior.posterior(counts.events[row], counts.trials[row]);
        Some(Share { a, b })
    }
}

/// The laws of some rows, and what their metrics are worth on average, by metric.
fn laws(results: &Results, scales: &[MetricScale], rows: Range<usize>) -> (Vec<Law>, Vec<Vec<f64>>) {
    let mut sums = vec![Moments::default(); rows.len()];
    let worth = scales
        .iter()
        .zip(&results.metrics)
        .map(|(scale, column)| {
            let of_row = |(sum, row): (&mut Moments, usize)| {
                let worth = scale.worth(column.values[row], scale.posterior(column, row));
                *sum = sum.plus(worth.weighted(scale.weight));
                worth.mean
            };
            sums.iter_mut().zip(rows.clone()).map(of_row).collect()
        })
        .collect();
    (sums.into_iter().map(Law::of).collect(), worth)
}

/// evidence.md 1.6: the score below which the rows are with probability 1/2 on average.
fn median(laws: &[Law], chunks: &[Range<usize>], threads: usize) -> f64 {
    let excess = |t: f64| {
        let below = parallel::map(threads, chunks, |rows| {
            laws[rows.clone()].iter().map(|law| law.probability_below(t)).sum::<f64>()
        });
        below.into_iter().sum::<f64>() / laws.len() as f64 - 0.5
    };
    let point = |t: f64| (t, excess(t));
    // It is near the middle one of the means, so that a few steps find it.
    let mut means: Vec<f64> = laws.iter().map(|law| law.mean).collect();
    let near = quantiles(&mut means, [0.5]).map_or(50.0, |[middle]| middle);
    let (mut low, mut high) = (point(near - 1.0), point(near + 1.0));
    while low.1 > 0.0 && low.0 > 0.0 {
        (low, high) = (point((low.0 - 10.0).max(0.0)), low);
    }
    while high.1 < 0.0 && high.0 < 100.0 {
        (low, high) = (high, point((high.0 + 10.0).min(100.0)));
    }
    root::between(low, high, Tolerance { place: 1e-9, value: 1e-10 }, excess)
}
