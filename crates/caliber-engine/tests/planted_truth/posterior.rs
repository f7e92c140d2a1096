//! Draws in the place of closed forms, written from evidence.md 1.3 to 1.6: P(below the median) from the posteriors,
//! and the scale from the priors.

use caliber_engine::evidence::MetricScale;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Beta, Distribution};

use crate::campaign::{Campaign, worth};

const DRAWS: usize = 20_000;

/// The share of draws of a row's score that are below the campaign's median.
pub(crate) fn drawn_below(campaign: &Campaign, row: usize, seed: u64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(row as u64);
    let mut scores = vec![0.0; DRAWS];
    for (at, scale) in campaign.laws().metrics.iter().enumerate() {
        let mut add = |share: &mut dyn FnMut() -> f64| {
            for score in &mut scores {
                *score += scale.weight * worth(scale, share());
            }
        };
        if let Some(law) = posterior(campaign, scale, at, row) {
            add(&mut || law.sample(&mut random));
        } else {
            let value = campaign.results().metrics[at].values[row].expect("a cost");
            add(&mut || value);
        }
    }
    scores.iter().filter(|score| **score < campaign.laws().median).count() as f64 / DRAWS as f64
}

/// Whether 1 % of the draws of a metric's prior are below its scale and 1 % above, as far as so many draws tell;
/// `None` of a metric without counts.
pub(crate) fn is_drawn_scale(scale: &MetricScale, seed: u64) -> Option<bool> {
    let (prior, lo, hi) = (scale.prior?, scale.lo?, scale.hi?);
    let law = Beta::new(prior.a, prior.b).expect("positive parameters");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut below, mut above) = (0, 0);
    for _ in 0..DRAWS {
        let share = law.sample(&mut random);
        below += usize::from(share < lo);
        above += usize::from(share > hi);
    }
    // Six standard deviations of a count that is 200 on average.
    Some([below, above].iter().all(|count| (115..=285).contains(count)))
}

/// Beta(a + x, b + n - x); `None` of a metric without counts.
fn posterior(campaign: &Campaign, scale: &MetricScale, at: usize, row: usize) -> Option<Beta<f64>> {
    let (prior, counts) = (scale.prior?, campaign.results().metrics[at].counts.as_ref()?);
    let (x, n) = (counts.events[row], counts.trials[row]);
    Some(Beta::new(prior.a + x, prior.b + n - x).expect("positive parameters"))
}
