use caliber_reports::{restore, write_results_csv};
use proptest::prelude::*;

use crate::sample::{HEADER, NAMES, figures, nothing, results};

fn text(results: &caliber_engine::results::Results) -> String {
    let mut bytes = Vec::new();
    write_results_csv(results, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn rows(text: &str) -> Vec<csv::StringRecord> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes())
        .records()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn the_columns_are_those_of_the_contract_in_order() {
    assert_eq!(rows(&text(&results()))[0], HEADER.to_vec());
}

#[test]
fn every_figure_reads_back_bit_for_bit_and_missing_ones_are_empty() {
    let results = results();
    let rows = rows(&text(&results));
    assert_eq!(rows.len(), results.len() + 1);
    for (position, name) in
        HEADER.iter().enumerate().filter(|(position, _)| ![0, 4, 17, 18, 19].contains(position))
    {
        for (row, expected) in figures(&results, name).into_iter().enumerate() {
            let cell = &rows[row + 1][position];
            let read = (!cell.is_empty()).then(|| cell.parse::<f64>().unwrap().to_bits());
            assert_eq!(read, expected.map(f64::to_bits), "{name} of row {row}: {cell}");
        }
    }
}

#[test]
fn whole_numbers_have_no_fraction() {
    let rows = rows(&text(&results()));
    assert_eq!(
        [&rows[1][5], &rows[2][5], &rows[5][5], &rows[7][5], &rows[9][5]],
        ["1077", "1000000", "1000000000000000", "-3", "255.5"]
    );
    assert_eq!([&rows[1][1], &rows[6][1], &rows[7][1]], ["100", "1e+16", "9007199254740992"]);
}

#[test]
fn words_and_flags_stand_as_they_are() {
    let rows = rows(&text(&results()));
    assert_eq!([&rows[1][4], &rows[3][4], &rows[9][4]], ["good", "moderate", "poor"]);
    assert_eq!([&rows[1][17], &rows[1][18], &rows[1][19]], ["true", "cpm_outlier", "ctr_above_1"]);
    assert_eq!([&rows[2][17], &rows[2][18], &rows[2][19]], ["true", "cpm_outlier;ctr_outlier", ""]);
    assert_eq!([&rows[3][17], &rows[3][18], &rows[3][19]], ["false", "", ""]);
}

#[test]
fn formulas_are_neutralised_and_every_name_can_be_restored() {
    let rows = rows(&text(&results()));
    for (row, name) in NAMES.iter().enumerate() {
        let cell = &rows[row + 1][0];
        assert_eq!(cell.starts_with('\'') && cell.len() == name.len() + 1, row < 4, "{cell}");
        assert_eq!(restore(cell), *name);
    }
    // Negative numbers are numbers.
    assert_eq!(&rows[7][5], "-3");
}

#[test]
fn lines_end_in_a_line_feed_alone() {
    let text = text(&results());
    assert!(text.ends_with('\n') && !text.contains('\r'));
}

#[test]
fn no_row_leaves_the_header() {
    assert_eq!(text(&nothing()), format!("{}\n", HEADER.join(",")));
}

#[test]
fn a_metric_that_is_a_count_has_no_second_column_of_that_name() {
    let mut results = results();
    results.metrics[0].name = "spend".into();
    let header = rows(&text(&results))[0].iter().map(String::from).collect::<Vec<_>>();
    assert_eq!(header[11..14], ["spend_normalized", "spend_contribution", "ctr"]);
    assert_eq!(header.iter().filter(|name| *name == "spend").count(), 1);
}

#[test]
fn vendors_are_under_their_own_name() {
    let mut results = results();
    results.dimension = caliber_engine::recipe::Dimension::SupplyVendor;
    assert!(text(&results).starts_with("supply_vendor,score,"));
}

#[test]
fn what_is_not_finite_is_missing() {
    let mut results = results();
    results.scores[0] = f64::NAN;
    results.scores[1] = f64::INFINITY;
    let rows = rows(&text(&results));
    assert_eq!([&rows[1][1], &rows[2][1]], ["", ""]);
}

#[test]
fn a_full_disk_is_an_error_of_the_machine() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = write_results_csv(&results(), full).unwrap_err();
    assert_eq!(error.code, caliber_engine::Code::Machine);
    assert!(error.message.contains("No space left on device"), "{error}");
    assert!(error.help.unwrap().contains("--out"));
}

proptest! {
    #[test]
    fn any_finite_number_reads_back_bit_equal(bits: [u64; 9]) {
        let mut results = results();
        results.scores = bits.map(f64::from_bits).to_vec();
        let rows = rows(&text(&results));
        for (row, score) in results.scores.iter().enumerate() {
            let cell = &rows[row + 1][1];
            if score.is_finite() {
                prop_assert_eq!(cell.parse::<f64>().unwrap().to_bits(), score.to_bits());
            } else {
                prop_assert_eq!(cell, "");
            }
        }
    }

    #[test]
    fn any_name_reads_back(names in proptest::collection::vec("(?s)[,\"\r\n=a-c]{0,6}|(?s).*", 9)) {
        let mut results = results();
        results.names = names;
        let rows = rows(&text(&results));
        for (row, name) in results.names.iter().enumerate() {
            // `'=x` as it stands cannot be told from a neutralised `=x`.
            if !name.starts_with('\'') {
                prop_assert_eq!(restore(&rows[row + 1][0]), name);
            }
        }
    }
}
