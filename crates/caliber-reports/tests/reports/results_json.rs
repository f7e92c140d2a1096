use caliber_engine::results::Results;
use caliber_reports::{write_json_pretty, write_results_json};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sample::{HEADER, NAMES, figures, nothing, results};

fn text(results: &Results) -> String {
    let mut bytes = Vec::new();
    write_results_json(results, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn rows(results: &Results) -> Vec<Value> {
    serde_json::from_str(&text(results)).unwrap()
}

#[test]
fn every_object_is_flat_and_has_the_columns_of_the_contract_in_order() {
    for row in rows(&results()) {
        assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), HEADER);
    }
}

#[test]
fn every_figure_reads_back_bit_for_bit_and_missing_ones_are_null() {
    let results = results();
    let rows = rows(&results);
    assert_eq!(rows.len(), results.len());
    for name in HEADER.iter().filter(|name| !["domain", "quality_status"].contains(*name)).take(15) {
        for (row, expected) in figures(&results, name).into_iter().enumerate() {
            match expected {
                Some(figure) => {
                    assert_eq!(rows[row][name].as_f64().unwrap().to_bits(), figure.to_bits(), "{name} {row}");
                }
                None => assert_eq!(rows[row][name], Value::Null, "{name} of row {row}"),
            }
        }
    }
}

#[test]
fn whole_numbers_have_no_fraction() {
    let text = text(&results());
    assert!(text.contains("\"impressions\":1077,") && text.contains("\"score\":100,"), "{text}");
    assert!(text.contains("\"score\":9007199254740992,") && text.contains("\"percentile_rank\":88,"));
}

#[test]
fn names_are_never_neutralised_and_flags_are_arrays() {
    let rows = rows(&results());
    for (row, name) in NAMES.iter().enumerate() {
        assert_eq!(rows[row]["domain"], *name);
    }
    assert_eq!(rows[1]["outlier_flags"], json!(["cpm_outlier", "ctr_outlier"]));
    assert_eq!(rows[1]["quality_flags"], json!([]));
    assert_eq!([&rows[1]["is_outlier"], &rows[2]["is_outlier"]], [true, false]);
    assert_eq!(rows[0]["quality_status"], "good");
}

#[test]
fn no_row_is_an_empty_array() {
    assert_eq!(text(&nothing()), "[]\n");
}

#[test]
fn what_is_not_finite_is_null() {
    let mut results = results();
    results.scores[0] = f64::NEG_INFINITY;
    assert_eq!(rows(&results)[0]["score"], Value::Null);
}

#[test]
fn documents_are_indented_and_end_their_line() {
    let mut bytes = Vec::new();
    write_json_pretty(&json!({"scored": 2, "top": []}), &mut bytes).unwrap();
    assert_eq!(bytes, b"{\n  \"scored\": 2,\n  \"top\": []\n}\n");
}

#[test]
fn a_full_disk_is_an_error_of_the_machine() {
    for write in [
        |full: std::fs::File| write_results_json(&results(), full),
        |full: std::fs::File| write_json_pretty(&json!({}), full),
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = write(full).unwrap_err();
        assert_eq!(error.code, caliber_engine::Code::Machine);
        assert!(error.message.contains("No space left on device"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_finite_number_reads_back_bit_equal(bits: [u64; 9]) {
        let mut results = results();
        results.scores = bits.map(f64::from_bits).to_vec();
        for (row, score) in rows(&results).iter().zip(&results.scores) {
            prop_assert_eq!(row["score"].as_f64().map(f64::to_bits), score.is_finite().then(|| score.to_bits()));
        }
    }
}
