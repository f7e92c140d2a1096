//! Times explanation, changes and what-if: `cargo bench -p caliber-analysis --bench explain [-- ROWS]`.
#![expect(clippy::print_stderr, reason = "what a benchmark finds it prints")]

use std::error::Error;
use std::time::Instant;

use caliber_analysis::changes::changes;
use caliber_analysis::explanation::{Method, Options, explain, explain_domain};
use caliber_analysis::what_if::{self, ListRules, what_if};
use caliber_analysis::{DEFAULT_SEED, Subject};
use caliber_engine::dictionary::Dictionary;
use caliber_engine::evidence::Evidence;
use caliber_engine::normalize::{Normalization, normalize};
use caliber_engine::ranking::rank;
use caliber_engine::recipe::{Dimension, Recipe, RecipeBook};
use caliber_engine::results::{MetricColumn, Results};

const ROWS: usize = 1_000_000;
const THREADS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let rows = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(ROWS);
    let recipe = RecipeBook::shipped().by_name("trade_desk-display-awareness")?;
    let results = results(rows, recipe, 1)?;
    let later = self::results(rows, recipe, 2)?;
    let of = |results| Subject {
        results,
        recipe,
        dictionary: Dictionary::shipped(),
        normalization: Normalization::Minmax,
    };
    let subject = of(&results);
    for (word, method) in [("shapley", Method::Shapley), ("correlation", Method::Correlation)] {
        let options = Options { method, values: false, seed: DEFAULT_SEED, threads: THREADS };
        timed(word, || explain(&subject, options))?;
    }
    timed("one domain", || {
        let evidence = Evidence::of(subject.results, subject.dictionary, THREADS);
        let evidence = evidence.as_ref().map_err(ToString::to_string);
        explain_domain(&subject, &results.names[rows / 2], evidence)
    })?;
    timed("changes", || changes(&subject, &of(&later)))?;
    let weights = [("cpm".to_owned(), 0.3), ("ctr".to_owned(), 0.7)];
    let lists = ListRules { share: 0.25, min_impressions: 250.0, protected: &[] };
    let options = what_if::Options { weights: &weights, lists, page: 1, per_page: 100 };
    timed("what-if", || what_if(&subject, options))?;
    Ok(())
}

fn timed<T, E>(what: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let started = Instant::now();
    let done = work()?;
    eprintln!("{what}: {:.1} ms", started.elapsed().as_secs_f64() * 1000.0);
    Ok(done)
}

/// Rows whose figures no pattern repeats in, in the order of files.
fn results(rows: usize, recipe: &Recipe, seed: u64) -> Result<Results, Box<dyn Error>> {
    let mut state = seed;
    let mut figure = || {
        // Knuth's constants.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut metrics = Vec::new();
    for weighted in &recipe.metrics {
        let values: Vec<Option<f64>> = (0..rows).map(|_| Some(figure())).collect();
        let (normalized, _) = normalize(&values, weighted.better, Normalization::Minmax, None)?;
        metrics.push(MetricColumn {
            name: weighted.metric.clone(),
            weight: weighted.weight,
            better: weighted.better,
            contributions: normalized.iter().map(|value| weighted.weight * value).collect(),
            normalized,
            values,
            counts: None,
        });
    }
    let scores: Vec<f64> =
        (0..rows).map(|row| metrics.iter().map(|metric| metric.contributions[row]).sum()).collect();
    let (percentiles, statuses) = rank(&scores);
    let results = Results {
        dimension: Dimension::Domain,
        names: (0..rows).map(|row| format!("site{row}.example")).collect(),
        impressions: (0..rows).map(|_| (250.0 + 1e5 * figure()).round()).collect(),
        percentiles,
        statuses,
        clicks: None,
        conversions: None,
        spend: None,
        extras: Vec::new(),
        metrics,
        outlier_flags: vec![Vec::new(); rows],
        quality_flags: vec![Vec::new(); rows],
        evidence: None,
        scores,
    };
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_unstable_by(|&a, &b| results.scores[b].total_cmp(&results.scores[a]));
    Ok(results.rows(&order))
}
