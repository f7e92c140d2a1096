//! Several files are one report; standard input and patterns are files too.

use std::collections::BTreeMap;

use crate::call::{Call, GENERIC, Place, assert_says, plain_report};
use crate::tables;

/// A sample cut in three by rows: as it is, with its columns the other way round, and with semicolons.
fn cut_in_three(place: &Place, layout: &str) {
    place.sample(layout, 1200, 60, "whole.csv", &[]);
    let text = place.read("whole.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let third = rows.len() / 3;
    let parts = [&rows[..third], &rows[third..2 * third], &rows[2 * third..]];
    for (part, rows) in parts.into_iter().enumerate() {
        let delimiter = if part == 2 { b';' } else { b',' };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        for row in std::iter::once(&header).chain(rows) {
            let cells: Vec<&str> = if part == 1 { row.iter().rev().collect() } else { row.iter().collect() };
            writer.write_record(cells).unwrap();
        }
        place.write(&format!("part-{part}.csv"), writer.into_inner().unwrap());
    }
}

#[test]
fn a_report_in_three_files_of_other_columns_and_delimiters_scores_like_the_whole() {
    for layout in ["trade_desk display", "trade_desk ctv", "pulsepoint video"] {
        let place = Place::new();
        cut_in_three(&place, layout);
        place.score(&["whole.csv", "--out", "whole"]);
        let summary = place.score(&["part-0.csv", "part-1.csv", "part-2.csv", "--out", "parts"]);
        assert_eq!(summary["files"].as_array().unwrap().len(), 3);
        assert_eq!(summary["rows_read"], 1200);
        let (whole, parts) = (tables::csv(&place, "whole"), tables::csv(&place, "parts"));
        parts.assert_close(&whole, 1e-12, layout);
        assert_eq!(whole.names(), parts.names(), "{layout}");
        for list in ["allowlist.txt", "blocklist.txt"] {
            assert_eq!(
                place.read(&format!("whole/{list}")),
                place.read(&format!("parts/{list}")),
                "{layout}"
            );
        }
        let quality = place.json("parts/quality.json");
        let delimiters: Vec<_> = quality["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["delimiter"].as_str().unwrap())
            .collect();
        assert_eq!(delimiters, [",", ",", ";"]);
    }
}

/// What rows say of a site's conversions, summed by hand.
#[derive(Default)]
struct HandSums {
    conversions: f64,
    impressions: f64,
    /// Of the rows that count them.
    counted: f64,
    spend: f64,
}

/// Of every site: rows that count conversions, and rows that give only a rate.
fn conversions_by_hand(counted: &[StringMap], rated: &[StringMap]) -> BTreeMap<String, HandSums> {
    let number = |row: &StringMap, column: &str| row[column].parse::<f64>().unwrap();
    let mut sites: BTreeMap<String, HandSums> = BTreeMap::new();
    for row in counted {
        let site = sites.entry(row["Site"].clone()).or_default();
        site.conversions += number(row, CONVERSIONS);
        site.counted += number(row, CONVERSIONS);
        site.impressions += number(row, "Impressions");
        site.spend += number(row, "Advertiser Cost");
    }
    for row in rated {
        let site = sites.entry(row["Site"].clone()).or_default();
        site.conversions += number(row, CONVERSION_RATE) * number(row, "Impressions");
        site.impressions += number(row, "Impressions");
    }
    sites
}

/// Whether a figure is this quotient, missing where it divides by nothing.
fn is_quotient(figure: f64, x: f64, n: f64) -> bool {
    if n == 0.0 { figure.is_nan() } else { (figure - x / n).abs() <= 1e-12 * (x / n) }
}

type StringMap = BTreeMap<String, String>;

const CONVERSIONS: &str = "All Last Click + View Conversions";
const CONVERSION_RATE: &str = "All Last Click + View Conversion Rate";

/// Rows as a file of these columns, in which some cells are blank.
fn write_rows(place: &Place, name: &str, rows: &[StringMap], columns: &[&String], blank: &[&str]) {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).unwrap();
    for row in rows {
        let cell =
            |column: &&String| if blank.contains(&column.as_str()) { "" } else { row[*column].as_str() };
        writer.write_record(columns.iter().map(cell)).unwrap();
    }
    place.write(name, writer.into_inner().unwrap());
}

#[test]
fn a_column_that_only_one_file_has_counts_where_it_stands() {
    let place = Place::new();
    place.sample("trade_desk display", 2000, 40, "whole.csv", &[]);
    let text = place.read("whole.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<StringMap> = reader.deserialize().map(|row| row.unwrap()).collect();
    let (first, second) = rows.split_at(900);
    let without = |dropped: &[&str]| -> Vec<&String> {
        header.iter().filter(|column| !dropped.contains(&column.as_str())).collect()
    };
    let both = [CONVERSIONS, CONVERSION_RATE];
    write_rows(&place, "counts.csv", first, &without(&[CONVERSION_RATE]), &[]);
    write_rows(&place, "lacking.csv", second, &without(&both), &[]);
    write_rows(&place, "blank.csv", second, &without(&[]), &both);
    write_rows(&place, "rates.csv", second, &without(&[CONVERSIONS]), &[]);
    for (files, rated) in [
        (["counts.csv", "lacking.csv"], &[][..]),
        (["lacking.csv", "counts.csv"], &[]),
        (["counts.csv", "blank.csv"], &[]),
        (["blank.csv", "counts.csv"], &[]),
        (["counts.csv", "rates.csv"], second),
        (["rates.csv", "counts.csv"], second),
    ] {
        place.score(&[files[0], files[1], "--min-impressions", "0", "--out", "out"]);
        let table = tables::csv(&place, "out");
        let by_hand = conversions_by_hand(first, rated);
        let none = HandSums::default();
        let (rates, costs) = (table.numbers("conversion_rate"), table.numbers("cost_per_conversion"));
        for ((name, rate), cost) in table.names().iter().zip(rates).zip(costs) {
            let site = by_hand.get(name).unwrap_or(&none);
            assert!(is_quotient(rate, site.conversions, site.impressions), "{files:?}: {name} {rate}");
            assert!(is_quotient(cost, site.spend, site.counted), "{files:?}: {name} {cost}");
        }
    }
    place.score(&["lacking.csv", "--min-impressions", "0", "--out", "out"]);
    let table = tables::csv(&place, "out");
    assert!(table.numbers("conversion_rate").iter().all(|rate| rate.is_nan()));
    assert!(table.numbers("clicks").iter().any(|clicks| *clicks > 0.0));
}

#[test]
fn files_of_several_kinds_are_one_report() {
    let place = Place::new();
    for (seed, file) in ["a.csv", "b.xlsx", "c.parquet", "d.csv.gz"].iter().enumerate() {
        place.sample("trade_desk display", 200, 30, file, &["--seed", &seed.to_string()]);
    }
    let summary = place.score(&["a.csv", "b.xlsx", "c.parquet", "d.csv.gz", "--out", "out"]);
    assert_eq!(summary["rows_used"], 800);
    assert!(!place.path("a-caliber").exists() && place.path("out/results.csv").is_file());
}

#[test]
fn a_quoted_pattern_stands_for_its_files() {
    let place = Place::new();
    cut_in_three(&place, "trade_desk display");
    place.score(&["part-?.csv", "--out", "pattern"]);
    place.score(&["part-0.csv", "part-1.csv", "part-2.csv", "--out", "named"]);
    assert_eq!(place.read("pattern/results.csv"), place.read("named/results.csv"));
    let error = place.refusal(&["none-*.csv"]);
    assert_eq!((error["code"].as_str(), error["file"].as_str()), (Some("not_readable"), Some("none-*.csv")));
}

#[test]
fn without_out_the_folder_stands_beside_the_first_report() {
    let place = Place::new();
    std::fs::create_dir(place.path("in")).unwrap();
    place.sample("trade_desk display", 300, 30, "in/may.csv.gz", &[]);
    place.score(&["in/may.csv.gz"]);
    assert!(place.path("in/may-caliber/summary.json").is_file());
}

#[test]
fn standard_input_is_a_report_and_writes_to_report_caliber() {
    for file in ["r.csv", "r.xlsx", "r.csv.zst", "r.parquet"] {
        let place = Place::new();
        place.sample("pulsepoint display", 300, 30, file, &[]);
        let bytes = std::fs::read(place.path(file)).unwrap();
        Call::new(&place, &["score", "-"]).stdin(&bytes).run().done();
        place.score(&[file, "--out", "out"]);
        assert_eq!(place.read("report-caliber/results.csv"), place.read("out/results.csv"), "{file}");
    }
}

#[test]
fn the_same_bytes_twice_are_refused_under_any_name() {
    let place = Place::new();
    place.write("a.csv", plain_report(30));
    place.write("b.csv", plain_report(30));
    for files in [["a.csv", "b.csv"], ["a.csv", "a.csv"], ["a.csv", "./a.csv"]] {
        let mut args = files.to_vec();
        args.extend(GENERIC);
        let error = place.refusal(&args);
        assert_eq!(error["code"], "same_file_twice", "{files:?}: {error}");
        assert_says(&error, "message", &["a.csv"]);
        assert!(!place.path("a-caliber").exists());
    }
}

#[test]
fn a_fault_in_one_of_several_files_names_that_file() {
    let place = Place::new();
    place.write("a.csv", plain_report(30));
    place.write("b.csv", "Domain,Impressions,Spend,Clicks\n");
    let mut args = vec!["a.csv", "b.csv"];
    args.extend(GENERIC);
    let error = place.refusal(&args);
    assert_eq!(
        (error["code"].as_str(), error["file"].as_str()),
        (Some("header_only"), Some("b.csv")),
        "{error}"
    );
}
