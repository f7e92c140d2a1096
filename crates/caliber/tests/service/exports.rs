//! Exports: what a file says is what the results say, whoever reads it and however it is called.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, RecordBatch};
use calamine::{Data, DataType, Reader, Xlsx};
use caliber_store::Backend;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::background_exports::{asked, ended};
use crate::client::{Answer, Client};
use crate::people::{long_report, report};
use crate::service::Service;

crate::on_both_databases! {
    every_form_of_the_results_has_their_numbers,
    exports_keep_the_rows_and_the_order_that_pages_do,
    lists_are_exported_as_they_are_answered,
    forms_of_dsps_hold_the_names_of_the_list,
    the_summary_and_the_data_of_a_campaign_are_those_of_the_api,
    the_report_is_of_the_campaign_and_in_the_looks_of_the_organisation,
}

pub(crate) const RESULTS: [&str; 19] = [
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

const LIST: [&str; 11] = [
    "domain",
    "list_type",
    "campaign_name",
    "campaign_type",
    "goal",
    "channel",
    "min_impressions",
    "score",
    "impressions",
    "spend",
    "export_date",
];

const OBJECTS: [&str; 3] = ["raw_metrics", "normalized_metrics", "score_breakdown"];

/// A file as an answer: bare, named, tagged.
#[track_caller]
pub(crate) fn file(client: &Client, path: &str, kind: &str) -> Answer {
    let answer = client.get(&format!("/reports/{path}"));
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type").unwrap().split(';').next(), Some(kind), "{path}");
    let named = answer.header("content-disposition").unwrap();
    assert!(named.starts_with("attachment; filename=\"") && named.contains("; filename*=UTF-8''"), "{named}");
    let tag = answer.header("etag").unwrap();
    assert!(tag.len() > 20 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    answer
}

/// All rows of the results, page by page.
pub(crate) fn rows(client: &Client, id: &str, query: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let path = format!("/scoring/results/{id}?{query}&per_page=100&page={page}");
        let body = client.get(&path).body(200);
        rows.extend(body["data"].as_array().unwrap().iter().cloned());
        if body["has_next"] == false {
            return rows;
        }
    }
    unreachable!("pages end")
}

/// A CSV by its columns.
pub(crate) fn csv_rows(bytes: &[u8], columns: &[&str]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns);
    let headers = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        headers.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
    };
    reader.into_records().map(|record| row(record.unwrap())).collect()
}

/// What an export has to say of a row of the results.
fn expected(row: &Value, campaign: &Value) -> Value {
    let mut expected = json!({
        "campaign_name": campaign["name"], "campaign_type": campaign["campaign_type"], "goal": campaign["goal"],
        "channel": campaign["channel"],
    });
    for column in &RESULTS[4..18] {
        expected[column] = row[column].clone();
    }
    expected
}

#[track_caller]
pub(crate) fn same_number(cell: Option<f64>, expected: &Value, what: &str) {
    assert_eq!(cell, expected.as_f64(), "{what}");
}

fn is_day(date: &str) -> bool {
    date.len() == 20 && date.ends_with("T00:00:00Z") && date.starts_with("20")
}

fn every_form_of_the_results_has_their_numbers(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let campaign = ana.get(&format!("/campaigns/{id}")).data(200);
    let all: Vec<Value> = rows(&ana, &id, "").iter().map(|row| expected(row, &campaign)).collect();
    let path = |form: &str| format!("export/campaigns/{id}/results/{form}");

    let found = file(&ana, &path("json"), "application/json").json();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), all.len());
    for (found, expected) in found.iter().zip(&all) {
        for column in &RESULTS[..18] {
            assert_eq!(found[column], expected[column], "{column} of {}", expected["domain"]);
        }
        assert!(is_day(found["export_date"].as_str().unwrap()), "{found}");
    }

    let found = csv_rows(&file(&ana, &path("csv"), "text/csv").bytes, &RESULTS);
    assert_eq!(found.len(), all.len());
    for (found, expected) in found.iter().zip(&all) {
        for (column, cell) in found.iter().filter(|(column, _)| *column != "export_date") {
            let expected = &expected[column];
            match expected {
                Value::Object(_) => assert_eq!(&serde_json::from_str::<Value>(cell).unwrap(), expected),
                Value::Array(flags) => {
                    let flags: Vec<&str> = flags.iter().map(|flag| flag.as_str().unwrap()).collect();
                    assert_eq!(*cell, flags.join(";"));
                }
                Value::String(text) => assert_eq!(cell, text),
                _ => same_number((!cell.is_empty()).then(|| cell.parse().unwrap()), expected, column),
            }
        }
    }

    let parquet = file(&ana, &path("parquet"), "application/vnd.apache.parquet").bytes;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap();
    let columns: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(columns, RESULTS);
    let mut at = 0;
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            is_in_parquet(&batch, row, &all[at]);
            at += 1;
        }
    }
    assert_eq!(at, all.len());

    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let workbook = file(&ana, &path("xlsx"), kind).bytes;
    let mut workbook = Xlsx::new(Cursor::new(workbook)).unwrap();
    assert_eq!(workbook.sheet_names(), ["Summary", "Results", "Allowlist", "Blocklist", "Method"]);
    let sheet = workbook.worksheet_range("Results").unwrap();
    let mut lines = sheet.rows();
    let header: Vec<String> = lines.next().unwrap().iter().map(ToString::to_string).collect();
    let place = |column: &str| header.iter().position(|name| name == column).unwrap();
    let lines: Vec<&[Data]> = lines.collect();
    assert_eq!(lines.len(), all.len());
    for (line, expected) in lines.iter().zip(&all) {
        assert_eq!(line[place("domain")].to_string(), expected["domain"].as_str().unwrap());
        for column in ["score", "percentile_rank", "impressions", "spend", "cpm", "ctr", "conversions"] {
            let cell = match &line[place(column)] {
                Data::Float(number) => Some(*number),
                Data::Int(number) => Some(*number as f64),
                Data::Empty => None,
                other => panic!("{column}: {other:?}"),
            };
            same_number(cell, &expected[column], column);
        }
    }
    let list = ana.get(&format!("/scoring/blacklist/{id}")).data(200);
    let blocked = workbook.worksheet_range("Blocklist").unwrap();
    for name in list["domains"].as_array().unwrap() {
        let is_there =
            blocked.rows().any(|row| row.iter().any(|cell| cell.as_string().as_deref() == name.as_str()));
        assert!(is_there, "{name}");
    }
    assert_eq!(
        ana.at_root().get(&format!("/reports/{}", path("csv"))).bytes,
        ana.get(&format!("/reports/{}", path("csv"))).bytes,
        "without a version too"
    );
}

fn is_in_parquet(batch: &RecordBatch, row: usize, expected: &Value) {
    for column in &RESULTS[..18] {
        let cells = batch.column_by_name(column).unwrap();
        let expected = &expected[column];
        match *column {
            "quality_flags" => {
                let flags = cells.as_list::<i32>().value(row);
                let flags: Vec<Option<&str>> = flags.as_string::<i32>().iter().collect();
                assert_eq!(json!(flags), *expected);
            }
            "percentile_rank" => {
                assert_eq!(json!(cells.as_primitive::<Int32Type>().value(row)), *expected);
            }
            _ if OBJECTS.contains(column) => {
                let text = cells.as_string::<i32>().value(row);
                assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *expected);
            }
            _ if expected.is_string() => {
                assert_eq!(cells.as_string::<i32>().value(row), expected.as_str().unwrap());
            }
            _ => {
                let cells = cells.as_primitive::<Float64Type>();
                same_number((!cells.is_null(row)).then(|| cells.value(row)), expected, column);
            }
        }
    }
}

fn exports_keep_the_rows_and_the_order_that_pages_do(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let some = rows(&ana, &id, "");
    let middle = some[some.len() / 2]["score"].as_f64().unwrap();
    for query in [
        "quality_status=poor".to_owned(),
        format!("min_score={middle}"),
        format!("max_score={middle}&sort_by=domain&sort_direction=asc"),
        "min_impressions=2000&sort_by=spend".to_owned(),
        "search=NEWS".to_owned(),
        "outliers_only=true&sort_by=metric.ctr&sort_direction=asc".to_owned(),
        "search=%25".to_owned(),
    ] {
        let expected: Vec<Value> = rows(&ana, &id, &query).iter().map(|row| row["domain"].clone()).collect();
        let path = |form: &str| format!("export/campaigns/{id}/results/{form}?{query}");
        let found = file(&ana, &path("json"), "application/json").json();
        let found: Vec<Value> = found.as_array().unwrap().iter().map(|row| row["domain"].clone()).collect();
        assert_eq!(found, expected, "{query}");
        let found = csv_rows(&file(&ana, &path("csv"), "text/csv").bytes, &RESULTS);
        let found: Vec<Value> = found.iter().map(|row| json!(row["domain"])).collect();
        assert_eq!(found, expected, "{query}");
    }
}

fn lists_are_exported_as_they_are_answered(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let taken = |client: &Client| {
        client.get(&format!("/scoring/lists/{id}/versions?per_page=100")).body(200)["total"].clone()
    };
    let export = |of: &str| format!("export/campaigns/{id}/{of}");
    file(&ana, &export("blacklist/csv?share=0.3"), "text/csv");
    assert_eq!(taken(&ana), 1, "a list that is exported is taken out");
    file(
        &ana,
        &export("blacklist/text?share=0.3").replace("/text", "/dsp").replace('?', "?format=text&"),
        "text/plain",
    );
    assert_eq!(taken(&ana), 1, "it is the same list");
    let mut both = Vec::new();
    for list_type in ["whitelist", "blacklist"] {
        for query in ["?", "?min_impressions=1500&share=0.1", "?policy=quartile&share=0.5"] {
            let list = ana.get(&format!("/scoring/{list_type}/{id}{query}")).data(200);
            let found =
                csv_rows(&file(&ana, &export(&format!("{list_type}/csv{query}")), "text/csv").bytes, &LIST);
            let listed = list["rows"].as_array().unwrap();
            assert_eq!(found.len(), listed.len());
            for (found, listed) in found.iter().zip(listed) {
                assert_eq!(found["domain"], listed["name"].as_str().unwrap());
                assert_eq!(found["list_type"], list_type);
                assert_eq!(found["campaign_name"], "Spring launch");
                for column in ["score", "impressions", "spend"] {
                    same_number(found[column].parse().ok(), &listed[column], column);
                }
                same_number(
                    found["min_impressions"].parse().ok(),
                    &list["criteria_used"]["min_impressions"],
                    "least",
                );
            }
            let document =
                file(&ana, &export(&format!("{list_type}/json{query}")), "application/json").json();
            for field in
                ["domains", "criteria_used", "total_impressions", "total_spend", "average_score", "list_type"]
            {
                assert_eq!(document[field], list[field], "{field}");
            }
            assert_eq!(document["campaign_name"], "Spring launch");
            if query == "?" {
                both.extend(found.iter().map(|row| (row["list_type"].clone(), row["domain"].clone())));
            }
        }
    }
    let found = csv_rows(&file(&ana, &export("optimization-lists/csv"), "text/csv").bytes, &LIST);
    let found: Vec<_> = found.iter().map(|row| (row["list_type"].clone(), row["domain"].clone())).collect();
    assert_eq!(found, both);
}

fn forms_of_dsps_hold_the_names_of_the_list(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&long_report(5000));
    let list = ana.get(&format!("/scoring/blacklist/{id}")).data(200);
    let names: Vec<&str> =
        list["domains"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names.len(), 1250);
    let form = |form: &str| ana.get(&format!("/reports/export/campaigns/{id}/blacklist/dsp?format={form}"));
    assert_eq!(form("text").text().lines().collect::<Vec<_>>(), names);
    let desk = form("trade_desk_csv");
    let mut lines = csv::Reader::from_reader(desk.bytes.as_slice());
    assert_eq!(lines.headers().unwrap().iter().collect::<Vec<_>>(), ["Domain", "Adjustment"]);
    let found: Vec<String> = lines.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert_eq!(found, names);
    let desk = form("trade_desk_json").text();
    serde_json::from_str::<Value>(&desk).unwrap();
    for name in &names {
        assert!(desk.contains(&format!("\"{name}\"")), "{name}");
    }
    for name in ["dv360", "amazon", "yahoo", "basis"] {
        let text = form(name);
        assert_eq!(text.status, 200, "{name}: {}", text.text());
        let text = text.text();
        assert!(names.iter().all(|name| text.contains(name)), "{name}");
    }
    let many = form("xandr");
    assert_eq!(many.header("content-type"), Some("application/zip"));
    assert!(many.header("content-disposition").unwrap().contains("Spring launch-blacklist.zip"));
    let mut archive = zip::ZipArchive::new(Cursor::new(many.bytes)).unwrap();
    let mut parts: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    parts.sort();
    assert_eq!(parts.len(), 3, "1,250 names are two batches, and a manifest: {parts:?}");
    assert!(parts.contains(&"manifest.json".to_owned()));
    let mut all = String::new();
    for part in parts.iter().filter(|part| *part != "manifest.json") {
        archive.by_name(part).unwrap().read_to_string(&mut all).unwrap();
    }
    assert!(names.iter().all(|name| all.contains(name)));
}

/// The one row of the summary as CSV, by column.
fn summary_row(client: &Client, id: &str) -> BTreeMap<String, String> {
    let answer = file(client, &format!("export/campaigns/{id}/summary/csv"), "text/csv");
    let mut reader = csv::Reader::from_reader(answer.bytes.as_slice());
    let mut rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1, "a header and one row");
    rows.remove(0)
}

fn the_summary_and_the_data_of_a_campaign_are_those_of_the_api(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let summary = ana.get(&format!("/scoring/summary/{id}")).data(200);
    let told = summary_row(&ana, &id);
    let cell = |column: &str| &told[column];
    assert_eq!(cell("campaign_name"), "Spring launch");
    for column in ["scored", "campaign_score", "total_impressions", "total_spend", "average_cpm"] {
        same_number(cell(column).parse().ok(), &summary[column], column);
    }
    for band in ["good", "moderate", "poor"] {
        same_number(
            cell(&format!("status_counts_{band}")).parse().ok(),
            &summary["status_counts"][band],
            band,
        );
    }

    // Names moved by hand after the run are on other lists than the run's own.
    let blocked = ana.get(&format!("/scoring/blacklist/{id}")).data(200);
    let moved = json!({"allow": [blocked["domains"][0]], "block": [], "protect": []});
    ana.put(&format!("/scoring/lists/{id}/overrides"), moved).data(200);
    let told = summary_row(&ana, &id);
    for (list, column) in [("whitelist", "allowlist"), ("blacklist", "blocklist")] {
        let list = ana.get(&format!("/scoring/{list}/{id}")).data(200);
        for (of_list, name) in [
            (&json!(list["domains"].as_array().unwrap().len()), "count"),
            (&list["total_impressions"], "impressions"),
            (&list["total_spend"], "spend"),
            (&list["average_score"], "average_score"),
        ] {
            let column = format!("lists_{column}_{name}");
            same_number(told[&column].parse().ok(), of_list, &column);
        }
    }

    let path = format!("export/campaigns/{id}/data/json");
    let data = file(&ana, &path, "application/json").json();
    let campaign = ana.get(&format!("/campaigns/{id}")).data(200);
    for field in [
        "id",
        "name",
        "campaign_type",
        "goal",
        "channel",
        "status",
        "created_at",
        "completed_at",
        "scoring_config_snapshot",
        "data_quality_report",
        "campaign_score",
    ] {
        assert_eq!(data["campaign"][field], campaign[field], "{field}");
    }
    for (field, value) in data["campaign_summary"].as_object().unwrap() {
        assert_eq!(*value, summary[field], "{field}");
    }
    assert_eq!(data["scoring_results"], json!(rows(&ana, &id, "")));
    assert!(data.get("ai_insights").is_none() && is_day(data["export_date"].as_str().unwrap()));
    let data =
        file(&ana, &format!("{path}?include_results=false&include_insights=true"), "application/json").json();
    assert!(data.get("scoring_results").is_none());
    assert_eq!(data["ai_insights"], json!([]));
}

fn the_report_is_of_the_campaign_and_in_the_looks_of_the_organisation(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    ana.put("/organizations/current", json!({"name": "Northlight", "colours": {"primary": "#0f5c4a"}}))
        .data(200);
    let id = ana.scored(&report());
    let path = format!("campaigns/{id}/pdf");
    let whole = file(&ana, &path, "application/pdf");
    assert!(whole.bytes.starts_with(b"%PDF-"));
    assert_eq!(whole.header("content-length"), Some(whole.bytes.len().to_string().as_str()));
    let text = pdf_extract::extract_text_from_mem(&whole.bytes).unwrap();
    assert!(text.contains("Spring launch") && text.contains("Northlight"), "{text}");
    let all = rows(&ana, &id, "");
    for row in all[..10].iter().chain(&all[all.len() - 10..]) {
        let name = row["domain"].as_str().unwrap();
        assert!(text.contains(name), "{name} in {text}");
    }
    let summary = ana.get(&format!("/scoring/summary/{id}")).data(200);
    let score = format!("{:.1}", summary["campaign_score"].as_f64().unwrap());
    assert!(text.contains(&score), "{score} in {text}");

    let tag = whole.header("etag").unwrap();
    let again = file(&ana, &path, "application/pdf");
    assert!(again.bytes == whole.bytes && again.header("etag") == Some(tag), "a strong tag");
    let below = file(&ana, &format!("reports/{path}"), "application/pdf");
    assert!(below.bytes == whole.bytes);
    for less in ["include_charts=false", "include_details=false"] {
        let shorter = file(&ana, &format!("{path}?{less}"), "application/pdf");
        assert!(shorter.bytes.len() < whole.bytes.len() && shorter.header("etag") != Some(tag), "{less}");
    }
    let export = asked(&ana, json!({"campaign_id": id, "kind": "pdf"}));
    assert_eq!(ended(&ana, &export)["status"], "completed");
    assert!(ana.get(&format!("/reports/exports/{export}/download")).bytes == whole.bytes);

    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"><rect width=\"8\" height=\"8\"/></svg>";
    ana.send("PUT", "/organizations/current/logo", "image/svg+xml", svg.to_vec()).data(200);
    let with_logo = ana.with("if-none-match", tag).get(&format!("/reports/{path}"));
    assert_eq!(with_logo.status, 200);
    assert!(with_logo.bytes != whole.bytes);
}
