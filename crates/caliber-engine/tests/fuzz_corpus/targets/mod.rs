//! What must hold of the engine whatever it is given: one module for each fuzz target.

use std::path::Path;

use caliber_engine::evidence::Evidence;
use caliber_engine::lists::{ListPolicy, ListRule};
use caliber_engine::recipe::RecipeBook;
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::{Code, Context, Error, Inspection, Options, Progress, Result, Scored};

pub(crate) mod csv;
pub(crate) mod mapping;
pub(crate) mod numbers;
pub(crate) mod recipes;
pub(crate) mod sniff;
pub(crate) mod workbook;

/// Old workbooks are read in a process of their own, which is the command's matter.
fn no_sandbox(_: &Path, _: Option<&str>) -> Result<SheetCsv> {
    Err(Error::new(Code::WrongKind, "an old workbook").help("give another"))
}

fn score(source: Source, options: &Options) -> Result<Scored> {
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    caliber_engine::score(vec![source], options, &context)
}

fn inspect(source: Source, options: &Options) -> Result<Inspection> {
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    caliber_engine::inspect(source, options, &context)
}

/// A refusal must blame the input, since nothing else is at fault here, and say something.
fn is_sound_refusal(error: &Error) {
    assert!(error.code.is_input(), "{:?}: {error}", error.code);
    assert!(!error.message.trim().is_empty(), "{:?} without a message", error.code);
    assert_ne!(error.line, Some(0), "lines are counted from 1: {error}");
}

/// What holds of every scored report.
fn is_sound(scored: &Scored) {
    let results = &scored.results;
    let points = |figures: &[f64], what: &str| {
        assert!(figures.iter().all(|figure| (0.0..=100.0 + 1e-9).contains(figure)), "{what}: {figures:?}");
    };
    points(&results.scores, "scores");
    points(&results.percentiles, "percentiles");
    for metric in &results.metrics {
        points(&metric.normalized, &metric.name);
        points(&metric.contributions, &metric.name);
        assert!(metric.values.iter().flatten().all(|value| value.is_finite()), "{}", metric.name);
    }
    for row in 0..results.len() {
        let sum: f64 = results.metrics.iter().map(|metric| metric.contributions[row]).sum();
        assert!(
            (sum - results.scores[row]).abs() <= 1e-9,
            "contributions {sum}, score {}",
            results.scores[row]
        );
    }
    let totals = [Some(&results.impressions), results.clicks.as_ref(), results.spend.as_ref()];
    assert!(totals.into_iter().flatten().flatten().all(|total| total.is_finite()));
    assert!(results.extras.iter().flat_map(|extra| &extra.values).flatten().all(|value| value.is_finite()));
    assert!(results.scores.is_sorted_by(|a, b| a >= b), "not by score: {:?}", results.scores);

    let mut listed: Vec<usize> =
        [&scored.lists.allow, &scored.lists.block].into_iter().flatten().copied().collect();
    let all = listed.len();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), all, "a row is on both lists, or twice on one");
    assert!(listed.last().is_none_or(|&row| row < results.len()));
    is_sound_evidence(scored);
    serde_json::to_string(&scored.summary).expect("a summary is JSON");
    serde_json::to_string(&scored.quality).expect("a quality report is JSON");
}

/// What holds of what the counts prove, or why they prove nothing.
fn is_sound_evidence(scored: &Scored) {
    let results = &scored.results;
    let evidence = match Evidence::of(results, &scored.dictionary, 1) {
        Ok(evidence) => evidence,
        Err(refusal) => return assert!(!refusal.to_string().is_empty()),
    };
    let rule = ListRule { policy: ListPolicy::Evidence, ..ListRule::default() };
    let decided =
        evidence.decide(results, &scored.dictionary, &rule, &|_| false, 1).expect("counts are finite");
    let rows = &decided.rows;
    assert!((0.0..=100.0).contains(&evidence.median), "{}", evidence.median);
    for row in 0..results.len() {
        let (below, above) = (rows.below[row], rows.above[row]);
        assert!((0.0..=1.0).contains(&below) && (0.0..=1.0).contains(&above), "{below} and {above}");
        assert!((-1e-9..=100.0 + 1e-9).contains(&rows.scores[row]), "{}", rows.scores[row]);
        assert!(rows.low[row] <= rows.high[row], "{} to {}", rows.low[row], rows.high[row]);
        assert!(rows.impressions_needed[row].is_none_or(f64::is_finite));
    }
}
