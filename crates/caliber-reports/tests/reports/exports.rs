//! Exports of the API, read back by other libraries and compared with the results.

use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use bytes::Bytes;
use calamine::{Data, Reader, Xlsx};
use caliber_engine::results::Results;
use caliber_reports::{
    ExportedCampaign, ListExport, ListRow, ResultsExport, restore, write_lists_csv, write_summary_csv,
};
use chrono::{TimeZone, Utc};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::sample::{Facts, NAMES, results};

/// Written out from the contract.
const COLUMNS: [&str; 19] = [
    "campaign_name",
    "campaign_type",
    "goal",
    "channel",
    "domain",
    "score",
    "quality_status",
    "percentile_rank",
    "impressions",
    "spend",
    "cpm",
    "ctr",
    "conversions",
    "conversion_rate",
    "raw_metrics",
    "normalized_metrics",
    "score_breakdown",
    "quality_flags",
    "export_date",
];
const LIST_COLUMNS: &str = "domain,list_type,campaign_name,campaign_type,goal,channel,min_impressions,score,impressions,spend,export_date";

/// Not in the order of the results, and not all.
const ROWS: [usize; 4] = [2, 0, 8, 1];

fn campaign() -> ExportedCampaign {
    let at = Utc.with_ymd_and_hms(2026, 4, 1, 8, 30, 5).unwrap();
    ExportedCampaign::new("=Spring", "generic", "awareness", "display", at)
}

fn export<'a>(campaign: &'a ExportedCampaign, results: &'a Results) -> ResultsExport<'a> {
    ResultsExport { campaign, results, rows: &ROWS }
}

fn json(results: &Results) -> Vec<Value> {
    let mut bytes = Vec::new();
    export(&campaign(), results).write_json(&mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn json_has_the_columns_in_order_and_the_figures_of_the_results() {
    let results = results();
    let rows = json(&results);
    assert_eq!(rows.len(), ROWS.len());
    for (object, row) in rows.iter().zip(ROWS) {
        assert_eq!(object.as_object().unwrap().keys().collect::<Vec<_>>(), COLUMNS);
        assert_eq!(object["domain"], NAMES[row]);
        assert_eq!(object["campaign_name"], "=Spring", "JSON runs no formulas");
        assert_eq!(object["score"].as_f64(), Some(results.scores[row]));
        assert_eq!(object["impressions"].as_f64(), Some(results.impressions[row]));
        assert_eq!(object["spend"].as_f64(), Some(results.spend.as_ref().unwrap()[row]));
        assert_eq!(object["conversions"], Value::Null, "the report has none");
        assert_eq!(object["cpm"].as_f64(), results.metrics[0].values[row]);
        assert_eq!(object["ctr"].as_f64(), results.metrics[1].values[row]);
        assert_eq!(object["raw_metrics"]["cpm"].as_f64(), results.metrics[0].values[row]);
        let breakdown = &object["score_breakdown"]["ctr"];
        assert_eq!(breakdown["value"].as_f64(), results.metrics[1].values[row]);
        assert_eq!(breakdown["weight"], 0.5);
        assert_eq!(breakdown["contribution"].as_f64(), Some(results.metrics[1].contributions[row]));
        assert_eq!(object["export_date"], "2026-04-01T08:30:05Z");
    }
    assert_eq!(rows[0]["normalized_metrics"], json!({"cpm": null, "ctr": null}), "a missing value is no 0");
    assert_eq!(rows[1]["quality_flags"], json!(["ctr_above_1"]));
}

#[test]
fn csv_holds_the_same_with_json_text_and_neutralised_names() {
    let results = results();
    let mut bytes = Vec::new();
    export(&campaign(), &results).write_csv(&mut bytes).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    for ((record, object), row) in records.iter().zip(json(&results)).zip(ROWS) {
        assert_eq!(&record[0], "'=Spring");
        assert_eq!(restore(&record[4]), NAMES[row]);
        for (at, column) in COLUMNS.iter().enumerate().skip(5) {
            let cell = &record[at];
            match &object[column] {
                Value::Null => assert_eq!(cell, "", "{column}"),
                Value::Number(number) => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{column}"),
                Value::String(text) => assert_eq!(cell, text, "{column}"),
                Value::Array(flags) => {
                    assert_eq!(cell.split(';').filter(|flag| !flag.is_empty()).count(), flags.len());
                }
                of_metrics => {
                    assert_eq!(&serde_json::from_str::<Value>(cell).unwrap(), of_metrics, "{column}");
                }
            }
        }
    }
    assert_eq!(records.len(), ROWS.len());
}

#[test]
fn parquet_holds_the_same_with_json_text() {
    let results = results();
    let mut bytes = Vec::new();
    export(&campaign(), &results).write_parquet(&mut bytes).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    let names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, COLUMNS);
    let batch = reader.build().unwrap().next().unwrap().unwrap();
    for (at, row) in ROWS.into_iter().enumerate() {
        let text =
            |column: &str| batch.column_by_name(column).unwrap().as_string::<i32>().value(at).to_owned();
        assert_eq!((text("domain").as_str(), text("campaign_name").as_str()), (NAMES[row], "=Spring"));
        let scores = batch.column_by_name("score").unwrap().as_primitive::<Float64Type>();
        assert_eq!(scores.value(at).to_bits(), results.scores[row].to_bits());
        let ranks = batch.column_by_name("percentile_rank").unwrap().as_primitive::<Int32Type>();
        assert_eq!(ranks.value(at), i32::from(results.percentile_rank(row)));
        let breakdown: Value = serde_json::from_str(&text("score_breakdown")).unwrap();
        assert_eq!(breakdown, json(&results)[at]["score_breakdown"]);
    }
}

#[test]
fn the_workbook_has_the_exported_rows_on_its_sheet_of_results() {
    let results = results();
    let (facts, scratch) = (Facts::of(&results), tempfile::tempdir().unwrap());
    let mut bytes = Vec::new();
    export(&campaign(), &results).write_xlsx(&facts.report(&results), scratch.path(), &mut bytes).unwrap();
    let mut workbook = Xlsx::new(Cursor::new(bytes)).unwrap();
    assert_eq!(workbook.sheet_names(), ["Summary", "Results", "Allowlist", "Blocklist", "Method"]);
    let sheet = workbook.worksheet_range("Results").unwrap();
    let rows: Vec<&[Data]> = sheet.rows().collect();
    assert_eq!(rows[0].iter().map(ToString::to_string).collect::<Vec<_>>(), COLUMNS);
    assert_eq!(rows.len(), ROWS.len() + 1);
    for (cells, row) in rows[1..].iter().zip(ROWS) {
        assert_eq!(restore(&cells[4].to_string()), NAMES[row]);
        assert_eq!(cells[5], Data::Float(results.scores[row]));
        assert_eq!(cells[0], Data::String("'=Spring".into()));
    }
}

#[test]
fn no_row_leaves_a_header_or_an_empty_array() {
    let (results, campaign) = (results(), campaign());
    let export = ResultsExport { campaign: &campaign, results: &results, rows: &[] };
    let (mut csv, mut json, mut parquet) = (Vec::new(), Vec::new(), Vec::new());
    export.write_csv(&mut csv).unwrap();
    export.write_json(&mut json).unwrap();
    export.write_parquet(&mut parquet).unwrap();
    assert_eq!(String::from_utf8(csv).unwrap(), COLUMNS.join(",") + "\n");
    assert_eq!(json, b"[]\n");
    assert!(parquet.starts_with(b"PAR1"));
}

#[test]
fn lists_stand_below_each_other_under_one_header() {
    let (results, campaign) = (results(), campaign());
    let allow = [ListRow::scored(&results, 0, String::new())];
    let block = [
        ListRow::scored(&results, 8, String::new()),
        ListRow::unscored("@hand.example".into(), String::new()),
    ];
    let list = |list_type, rows| ListExport { campaign: &campaign, list_type, min_impressions: 250.0, rows };
    let mut bytes = Vec::new();
    write_lists_csv(&[list("whitelist", &allow), list("blacklist", &block)], &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], LIST_COLUMNS);
    assert!(
        lines[1].ends_with(
            ",whitelist,'=Spring,generic,awareness,display,250,100,1077,12.34,2026-04-01T08:30:05Z"
        )
    );
    assert!(lines[2].starts_with("'plain,blacklist,"));
    assert_eq!(
        lines[3],
        "'@hand.example,blacklist,'=Spring,generic,awareness,display,250,,,,2026-04-01T08:30:05Z"
    );

    let mut bytes = Vec::new();
    let about = json!({"criteria_used": {"share": 0.25}, "total_impressions": 255.5});
    list("blacklist", &block).write_json(about.as_object().unwrap(), &mut bytes).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["domains"], json!(["'plain", "@hand.example"]));
    assert_eq!(document["criteria_used"]["share"], 0.25);
    let columns: Vec<&str> = document["rows"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(columns.join(","), LIST_COLUMNS);
    assert_eq!(document["rows"][1]["score"], Value::Null);
}

#[test]
fn the_summary_is_a_header_and_one_row_of_its_figures() {
    let summary = json!({
        "currency": "USD", "scored": 9, "campaign_score": 51.5, "total_clicks": null,
        "scores": {"median": 50.25}, "lists": {"allowlist": {"count": 2}}, "recipe": {"name": "=mine"},
    });
    let mut bytes = Vec::new();
    write_summary_csv(&campaign(), summary.as_object().unwrap(), &mut bytes).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let headers = reader.headers().unwrap().clone();
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 1);
    let cell = |name: &str| records[0][headers.iter().position(|header| header == name).unwrap()].to_owned();
    for (name, expected) in [
        ("campaign_name", "'=Spring"),
        ("currency", "USD"),
        ("scored", "9"),
        ("campaign_score", "51.5"),
        ("total_clicks", ""),
        ("scores_median", "50.25"),
        ("lists_allowlist_count", "2"),
        ("recipe_name", "'=mine"),
        ("export_date", "2026-04-01T08:30:05Z"),
    ] {
        assert_eq!(cell(name), expected, "{name}");
    }
}
