//! A genetic algorithm (Holland 1975) with real-valued genes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Trail;
use crate::draws::{shares, standard_normal};

/// Weights that live at a time.
const POPULATION: usize = 60;
/// Times that they are replaced.
const GENERATIONS: usize = 60;
/// The best ones, which live on as they are.
const ELITE: usize = 4;
/// Of so many drawn the best becomes a parent.
const TOURNAMENT: usize = 3;

struct Individual {
    genes: Vec<f64>,
    r: f64,
}

/// Breeds shares of standard deviation: parents by tournament, children between them (blend crossover, Eshelman and
/// Schaffer 1993), genes changed by a factor, dropped or brought in; the spread of the changes shrinks.
pub(super) fn search(trail: &mut Trail<'_>, mut bits: ChaCha8Rng) {
    let varying = trail.objective.varying();
    let mut first = vec![trail.best_standard(&varying), vec![1.0 / varying.len() as f64; varying.len()]];
    for at in 0..varying.len() {
        first.push((0..varying.len()).map(|other| f64::from(u8::from(other == at))).collect());
    }
    while first.len() < POPULATION {
        first.push(shares(&mut bits, varying.len()));
    }
    let mut population = tried(trail, &varying, first);
    for generation in 0..GENERATIONS {
        let spread = 1.0 - generation as f64 / GENERATIONS as f64;
        let children = (ELITE..POPULATION).map(|_| child(&population, spread, &mut bits)).collect();
        population.truncate(ELITE);
        population.extend(tried(trail, &varying, children));
        population.sort_by(|a, b| b.r.total_cmp(&a.r));
    }
}

/// The individuals of these genes, the best first.
fn tried(trail: &mut Trail<'_>, varying: &[usize], genes: Vec<Vec<f64>>) -> Vec<Individual> {
    let mut individuals: Vec<Individual> = genes
        .into_iter()
        .map(|genes| Individual { r: trail.consider_standard(varying, &genes), genes })
        .collect();
    trail.end_iteration();
    individuals.sort_by(|a, b| b.r.total_cmp(&a.r));
    individuals
}

fn child(population: &[Individual], spread: f64, bits: &mut ChaCha8Rng) -> Vec<f64> {
    // The best stand first.
    let mut parent =
        || (0..TOURNAMENT).map(|_| bits.random_range(0..population.len())).min().map_or(0, |at| at);
    let (mother, father) = (&population[parent()].genes, &population[parent()].genes);
    let mut genes: Vec<f64> = mother
        .iter()
        .zip(father)
        .map(|(a, b)| (a + bits.random_range(-0.5..1.5) * (b - a)).max(0.0))
        .collect();
    let chance = 1.0 / genes.len() as f64;
    for gene in &mut genes {
        if bits.random::<f64>() < chance {
            *gene = match bits.random_range(0..4) {
                0 => 0.0,
                1 => bits.random::<f64>() * spread,
                _ => *gene * libm::exp(spread * standard_normal(bits)),
            };
        }
    }
    if genes.iter().any(|gene| *gene > 0.0) { super::super::shares(&genes) } else { mother.clone() }
}
