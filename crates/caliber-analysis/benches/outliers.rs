//! Times one method on a matrix: `cargo bench -p caliber-analysis --bench outliers -- METHOD FILE`.
//!
//! FILE has a row a line, six figures with commas between them. `cargo xtask bench --outliers` runs it in turns with
//! scikit-learn on the same file; the last line of standard error is for it.
#![expect(clippy::print_stderr, reason = "what a benchmark finds it prints")]

use std::error::Error;
use std::time::Instant;

use caliber_analysis::Subject;
use caliber_analysis::outliers::{Method, Options, detect};
use caliber_engine::dictionary::Dictionary;
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::{Better, Dimension, RecipeBook};
use caliber_engine::results::{MetricColumn, Results, Status};

const METRICS: [&str; 6] = [
    "cpm",
    "ias_display_fully_in_view_1s_rate",
    "ctr",
    "ad_load_xl_rate",
    "ad_refresh_below_15s_rate",
    "conversion_rate",
];

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [method, file] = arguments.as_slice() else {
        eprintln!("METHOD FILE are needed: see `cargo xtask bench --outliers`");
        return Ok(());
    };
    let results = read(&std::fs::read_to_string(file)?)?;
    let subject = Subject {
        results: &results,
        recipe: RecipeBook::shipped().by_name("trade_desk-display-awareness")?,
        dictionary: Dictionary::shipped(),
        normalization: Normalization::Minmax,
    };
    let options = Options { method: Method::of(method)?, ..Options::default() };
    let started = Instant::now();
    let found = detect(&subject, &options)?;
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{method}: {} of {} rows", found.outlier_count, found.rows);
    eprintln!(
        r#"{{"tool": "caliber", "version": "{}", "after_import_s": {seconds}}}"#,
        env!("CARGO_PKG_VERSION")
    );
    Ok(())
}

fn read(text: &str) -> Result<Results, Box<dyn Error>> {
    let mut columns = vec![Vec::new(); METRICS.len()];
    for line in text.lines() {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(Some(cell.parse::<f64>()?));
        }
    }
    let rows = columns[0].len();
    let metric = |(name, values): (&str, Vec<Option<f64>>)| MetricColumn {
        name: name.to_owned(),
        weight: 1.0 / METRICS.len() as f64,
        better: Better::Higher,
        values,
        normalized: vec![0.0; rows],
        contributions: vec![0.0; rows],
        counts: None,
    };
    Ok(Results {
        dimension: Dimension::Domain,
        names: (0..rows).map(|row| format!("{row}.example")).collect(),
        scores: vec![0.0; rows],
        percentiles: vec![0.0; rows],
        statuses: vec![Status::Moderate; rows],
        impressions: vec![1000.0; rows],
        clicks: None,
        conversions: None,
        spend: None,
        extras: Vec::new(),
        metrics: METRICS.into_iter().zip(columns).map(metric).collect(),
        outlier_flags: vec![Vec::new(); rows],
        quality_flags: vec![Vec::new(); rows],
        evidence: None,
    })
}
