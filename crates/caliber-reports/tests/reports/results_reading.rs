use bytes::Bytes;
use caliber_engine::Code;
use caliber_engine::evidence::{Decision, EvidenceRows, Pattern};
use caliber_engine::recipe::{Better, Dimension, Recipe, RecipeBook, WeightedMetric};
use caliber_engine::results::{EffectiveCounts, ExtraColumn, MetricColumn, Results, Status};
use caliber_reports::{
    read_results_csv, read_results_parquet, read_results_parquet_bytes, write_json_pretty, write_results_csv,
    write_results_parquet,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::sample::{NAMES, results};

fn written(results: &Results) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_results_parquet(results, &mut bytes).unwrap();
    bytes
}

fn recipe(results: &Results) -> Vec<WeightedMetric> {
    let metrics = results.metrics.iter();
    metrics
        .map(|metric| WeightedMetric {
            metric: metric.name.clone(),
            weight: metric.weight,
            better: metric.better,
        })
        .collect()
}

fn read(bytes: Vec<u8>, of: &Results) -> caliber_engine::Result<Results> {
    read_results_parquet_bytes(&Bytes::from(bytes), &recipe(of))
}

/// Writes bytes to a file and reads it as CSV.
fn read_csv(bytes: &[u8], of: &Results) -> caliber_engine::Result<Results> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.csv");
    std::fs::write(&path, bytes).unwrap();
    read_results_csv(&path, &recipe(of))
}

fn written_csv(results: &Results) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_results_csv(results, &mut bytes).unwrap();
    bytes
}

/// What CSV can hold of results: no counts, no empty words, and no name that looks neutralised already.
fn as_csv_holds_it(results: &Results) -> Results {
    let mut results = results.clone();
    for metric in &mut results.metrics {
        metric.counts = None;
    }
    for extra in &mut results.extras {
        extra.counts = None;
    }
    for flags in results.outlier_flags.iter_mut().chain(&mut results.quality_flags) {
        flags.retain(|flag| !flag.is_empty());
    }
    let reasons = results.evidence.iter_mut().flat_map(|evidence| &mut evidence.reasons);
    for text in results.names.iter_mut().chain(reasons) {
        *text = text.trim_start_matches('\'').to_owned();
    }
    if let Some(evidence) = &mut results.evidence {
        evidence.known_metrics.retain(|metric| !metric.is_empty());
    }
    results
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        (0..5).prop_map(f64::from),
        Just(-0.0)
    ]
}

fn metric(name: String, rows: usize) -> impl Strategy<Value = MetricColumn> {
    let shares = option::of((vec(finite(), rows), vec(finite(), rows)));
    let figures = (vec(option::of(finite()), rows), vec(finite(), rows), vec(finite(), rows));
    (finite(), any::<bool>(), figures, shares).prop_map(
        move |(weight, higher, (values, normalized, contributions), counts)| MetricColumn {
            name: name.clone(),
            weight,
            better: if higher { Better::Higher } else { Better::Lower },
            values,
            normalized,
            contributions,
            counts: counts.map(|(events, trials)| EffectiveCounts { events, trials }),
        },
    )
}

const DECISIONS: [Decision; 3] = [Decision::Block, Decision::Allow, Decision::Watch];

prop_compose! {
    fn any_evidence(rows: usize)(
        columns in vec(vec(finite(), rows), 5),
        impressions_needed in vec(option::of(finite()), rows),
        decisions in vec(0_usize..3, rows),
        reasons in vec(".{0,12}", rows),
        patterns in vec(proptest::sample::subsequence(Pattern::ALL.to_vec(), 0..=2), rows),
        known_metrics in vec("[a-z_]{1,9}", 0..3),
    ) -> EvidenceRows {
        let [scores, low, high, below, above] = columns.try_into().unwrap();
        let decisions = decisions.into_iter().map(|at| DECISIONS[at]).collect();
        EvidenceRows { scores, low, high, below, above, decisions, reasons, impressions_needed, patterns, known_metrics }
    }
}

const STATUSES: [Status; 3] = [Status::Good, Status::Moderate, Status::Poor];

prop_compose! {
    /// Any results that scoring could leave; `spend` or `ctr` may be a metric, a column beside them, or neither.
    fn any_results()(rows in 1_usize..40)(
        names in vec(".{0,12}", rows),
        columns in vec(vec(finite(), rows), 6),
        present in any::<[bool; 7]>(),
        statuses in vec(0_usize..3, rows),
        extras in vec(vec(option::of(finite()), rows), 4),
        flags in vec((vec("[a-z_]{0,9}", 0..4), vec("[a-z_]{0,9}", 0..3)), rows),
        metrics in [metric("ctr".into(), rows), metric("spend".into(), rows), metric("view_rate".into(), rows)],
        kept in 1_usize..4,
        evidence in option::of(any_evidence(rows)),
        clicked in option::of((vec(finite(), rows), vec(finite(), rows))),
    ) -> Results {
        let [scores, percentiles, impressions, clicks, conversions, spend] = columns.try_into().unwrap();
        let mut metrics = metrics[..kept].to_vec();
        let spend = present[2].then_some(spend);
        if let Some(of_spend) = metrics.iter_mut().find(|metric| metric.name == "spend") {
            // A count that is scored by holds its own sums.
            of_spend.values = match &spend {
                Some(spend) => spend.iter().copied().map(Some).collect(),
                None => vec![None; scores.len()],
            };
        }
        let names_of_extras = ["cpm", "ctr", "conversion_rate", "cost_per_conversion"];
        let extras = names_of_extras.into_iter().zip(extras).zip(&present[3..]);
        let extras = extras.filter(|((name, _), present)| **present && metrics.iter().all(|metric| metric.name != *name));
        let (outlier_flags, quality_flags) = flags.into_iter().unzip();
        Results {
            dimension: if present[6] { Dimension::Domain } else { Dimension::SupplyVendor },
            names,
            statuses: statuses.into_iter().map(|at| STATUSES[at]).collect(),
            clicks: present[0].then_some(clicks),
            conversions: present[1].then_some(conversions),
            extras: extras
                .map(|((name, values), _)| {
                    let counts = clicked.clone().filter(|_| name == "ctr");
                    let counts = counts.map(|(events, trials)| EffectiveCounts { events, trials });
                    ExtraColumn { name, values, counts }
                })
                .collect(),
            evidence, spend, scores, percentiles, impressions, metrics, outlier_flags, quality_flags,
        }
    }
}

/// Every figure as text, so that 0 and -0 differ.
fn to_the_bit(results: &Results) -> String {
    format!("{results:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_written_is_read_to_the_bit(results in any_results()) {
        let read = read(written(&results), &results).unwrap();
        prop_assert_eq!(to_the_bit(&read), to_the_bit(&results));
    }

    #[test]
    fn what_was_written_as_csv_is_read_to_the_bit(results in any_results()) {
        let results = as_csv_holds_it(&results);
        let read = read_csv(&written_csv(&results), &results).unwrap();
        prop_assert_eq!(to_the_bit(&read), to_the_bit(&results));
    }

    #[test]
    fn damaged_csv_is_an_error_or_other_figures_but_no_panic(at in any::<prop::sample::Index>(), byte: u8, cut in any::<bool>()) {
        let results = as_csv_holds_it(&results());
        let mut bytes = written_csv(&results);
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(read) = read_csv(&bytes, &results) {
            // Every column has a cell for each row, or this would panic.
            prop_assert_eq!(read.rows(&[0]).len(), 1);
        }
    }

    #[test]
    fn damage_is_an_error_or_other_figures_but_no_panic(at in any::<prop::sample::Index>(), byte: u8, cut in any::<bool>()) {
        let results = results();
        let mut bytes = written(&results);
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
            prop_assert!(read(bytes, &results).is_err());
        } else {
            bytes[at] = byte;
            if let Ok(read) = read(bytes, &results) {
                // Every column has a cell for each row, or this would panic.
                prop_assert_eq!(read.rows(&[0, NAMES.len() - 1]).len(), 2);
            }
        }
    }
}

#[test]
fn a_file_of_several_row_groups_is_read_from_the_disk() {
    let sample = results();
    let order: Vec<usize> = (0..150_000).map(|row| row % sample.len()).collect();
    let many = sample.rows(&order);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.parquet");
    std::fs::write(&path, written(&many)).unwrap();
    assert_eq!(read_results_parquet(&path, &recipe(&many)).unwrap(), many);
}

#[test]
fn a_score_that_is_missing_is_damage() {
    let mut results = results();
    results.scores[1] = f64::NAN;
    let error = read(written(&results), &results).unwrap_err();
    assert!(error.code == Code::Malformed && error.message.contains("`score` has 8 cells"), "{error}");
}

#[test]
fn a_count_that_some_rows_lack_is_damage() {
    let mut results = results();
    results.spend.as_mut().unwrap()[4] = f64::INFINITY;
    let error = read(written(&results), &results).unwrap_err();
    assert!(error.code == Code::Malformed && error.message.contains("`spend`"), "{error}");
}

#[test]
fn what_is_no_results_file_is_named() {
    let results = results();
    for bytes in [Vec::new(), b"PAR1".to_vec(), b"domain,score\na.example,1\n".to_vec()] {
        let error = read(bytes, &results).unwrap_err();
        assert_eq!(error.code, Code::Malformed, "{error}");
        assert!(error.help.is_some());
    }
    let error = read_results_parquet(std::path::Path::new("/no/such/file"), &[]).unwrap_err();
    assert_eq!(error.code, Code::NotReadable);
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}

#[test]
fn a_metric_that_was_not_scored_by_is_named() {
    let results = results();
    let stranger = WeightedMetric { metric: "roas".into(), weight: 1.0, better: Better::Higher };
    let error = read_results_parquet_bytes(&written(&results).into(), &[stranger]).unwrap_err();
    assert_eq!((error.code, error.message.contains("`roas")), (Code::Malformed, true), "{error}");
}

#[test]
fn a_recipe_is_read_back_from_the_summary() {
    for recipe in RecipeBook::shipped().iter() {
        let mut json = Vec::new();
        write_json_pretty(recipe, &mut json).unwrap();
        let read: Recipe = serde_json::from_slice(&json).unwrap();
        assert_eq!(&read, recipe);
    }
}

#[test]
fn what_is_wrong_with_csv_is_named_with_its_line_and_column() {
    let results = as_csv_holds_it(&results());
    let text = String::from_utf8(written_csv(&results)).unwrap();
    let with = |from: &str, to: &str| read_csv(text.replacen(from, to, 1).as_bytes(), &results).unwrap_err();
    for (error, line, column, words) in [
        (with("1000000", "lots"), Some(3), Some("impressions"), "`lots` is no number"),
        (with("1000000", ""), Some(3), Some("impressions"), "empty"),
        (with("1000000", "NaN"), Some(3), Some("impressions"), "`NaN`"),
        (with("1000000", "1e999"), Some(3), Some("impressions"), "`1e999`"),
        (with(",moderate,", ",fair,"), Some(4), Some("quality_status"), "`fair`"),
        (with("1000000", "1000000,7"), Some(3), None, "21 cells under 20 columns"),
        (with(",score,", ",cpm,"), Some(1), None, "two columns are named `cpm`"),
        (with(",score,", ",points,"), None, None, "no column `score`"),
        (with("domain,", "site,"), None, None, "no column `domain`"),
    ] {
        assert_eq!(error.code, Code::Malformed, "{error}");
        assert_eq!((error.line, error.column.as_deref()), (line, column), "{error}");
        assert!(error.message.contains(words) && error.help.is_some(), "{error}");
        assert!(error.file.is_some(), "{error}");
    }
}

#[test]
fn a_line_within_a_name_counts_as_a_line() {
    let results = as_csv_holds_it(&results());
    let text = String::from_utf8(written_csv(&results)).unwrap();
    // The sixth name has a line end; the seventh row begins on line 9.
    let error = read_csv(text.replacen("emoji", "\u{1f3af}\",\"", 1).as_bytes(), &results).unwrap_err();
    assert_eq!(error.line, Some(9), "{error}");
}

#[test]
fn hostile_csv_costs_an_error_and_no_memory() {
    let results = as_csv_holds_it(&results());
    let text = String::from_utf8(written_csv(&results)).unwrap();
    let header = text.lines().next().unwrap();
    let cases: [(Vec<u8>, Code); 7] = [
        (Vec::new(), Code::Empty),
        (b"\n\n".to_vec(), Code::Empty),
        (format!("{header}\n").into_bytes(), Code::HeaderOnly),
        (format!("{header}\n\"{}", "x".repeat(3 << 20)).into_bytes(), Code::TooLarge),
        (",".repeat(1 << 20).into_bytes(), Code::TooLarge),
        (format!("{header}\n{}", ",".repeat(1 << 20)).into_bytes(), Code::TooLarge),
        ([header.as_bytes(), b"\n\xff\xfe", ",1".repeat(19).as_bytes(), b"\n"].concat(), Code::Malformed),
    ];
    for (bytes, code) in cases {
        let error = read_csv(&bytes, &results).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.help.is_some());
    }
    let error = read_results_csv(std::path::Path::new("/no/such/file"), &[]).unwrap_err();
    assert_eq!(error.code, Code::NotReadable);
}

#[test]
fn csv_that_a_spreadsheet_saved_is_read() {
    let results = as_csv_holds_it(&results());
    let text = String::from_utf8(written_csv(&results)).unwrap();
    let lines = format!("\u{feff}{}", text.replace("two\nlines", "two lines").replace('\n', "\r\n"));
    let mut expected = results.clone();
    expected.names[5] = "two lines".into();
    assert_eq!(read_csv(lines.as_bytes(), &expected).unwrap(), expected);
}
