//! Samples as files: each format read back by a library that did not write it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use calamine::{Data, Reader, Xlsx, open_workbook};
use caliber_sample::{Mess, Request, SampleError, truth_path, write, write_csv, write_watched};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn request(mess: &[Mess]) -> Request {
    Request {
        rows: Some(300),
        domains: Some(30),
        mess: mess.to_vec(),
        ..Request::new("trade_desk", "display")
    }
}

/// The clean report as cells.
fn clean() -> Vec<Vec<String>> {
    let mut out = Vec::new();
    write_csv(&request(&[]), &mut out).unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn sheet(path: &Path, name: &str) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    let range = workbook.worksheet_range(name).unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

#[test]
fn packed_text_unpacks_to_the_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["a.csv", "b.csv.gz", "c.csv.zst", "d.tsv", "e.tsv.gz"] {
        write(&request(&[]), &at(name)).unwrap();
    }
    let plain = fs::read_to_string(at("a.csv")).unwrap();
    let mut unpacked = String::new();
    let packed = File::open(at("b.csv.gz")).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    let unpacked = zstd::decode_all(File::open(at("c.csv.zst")).unwrap()).unwrap();
    assert_eq!(String::from_utf8(unpacked).unwrap(), plain);
    let tabbed = fs::read_to_string(at("d.tsv")).unwrap();
    assert!(tabbed.starts_with("Date\tAdvertiser\t") && tabbed.lines().count() == plain.lines().count());
    for name in ["a", "b", "c", "d", "e"] {
        let truth = fs::read_to_string(at(&format!("{name}.truth.csv"))).unwrap();
        assert_eq!(truth.lines().count(), 31);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 10, "nothing else is left behind");
}

#[test]
fn a_workbook_holds_numbers_and_dates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xlsx");
    write(&request(&[]), &path).unwrap();
    let rows = sheet(&path, "Site Report_data");
    let clean = clean();
    assert_eq!(rows.len(), clean.len());
    for (row, clean) in rows.iter().zip(&clean).skip(1) {
        assert!(matches!(&row[0], Data::DateTime(date) if date.is_datetime()), "{:?}", row[0]);
        for (cell, clean) in row.iter().zip(clean).skip(1) {
            match cell {
                Data::String(text) => assert_eq!(text, clean),
                Data::Float(number) => assert_eq!(*number, clean.parse::<f64>().unwrap()),
                Data::Empty => assert_eq!(clean, ""),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(row[13], Data::Float(_)) && matches!(row[14], Data::Float(_)));
    }
}

#[test]
fn a_workbook_is_the_same_bytes_whenever_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["a.xlsx", "b.xlsx"].map(|name| folder.path().join(name));
    write(&request(&[]), &first).unwrap();
    // Workbooks keep times by the second.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    write(&request(&[]), &second).unwrap();
    assert!(fs::read(first).unwrap() == fs::read(second).unwrap());
}

#[test]
fn a_messy_workbook_has_metadata_first_and_text_for_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xlsx");
    write(&request(&[Mess::All]), &path).unwrap();
    let workbook: Xlsx<_> = open_workbook(&path).unwrap();
    assert_eq!(workbook.sheet_names(), ["Report Info", "Site Report_data"]);
    let rows = sheet(&path, "Site Report_data");
    let texts = rows.iter().flatten().filter_map(|cell| match cell {
        Data::String(text) => Some(text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect();
    for shown in ["Report Name: Site Performance, all vendors", "[tail aggregate]", "Report Time:"] {
        assert!(texts.contains(&shown), "{shown}");
    }
    assert!(texts.iter().any(|text| text.ends_with('%')));
}

#[test]
fn parquet_columns_are_typed_and_hold_what_the_text_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.parquet");
    write(&request(&[]), &path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    let clean = clean();
    let header: Vec<String> = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(header, clean[0]);
    let mut lines = clean[1..].iter();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let line = lines.next().unwrap();
            let day = batch.column(0).as_primitive::<Date32Type>().value(row);
            assert_eq!(format!("2025-09-{:02}", day - 20_331), line[0]);
            assert_eq!(batch.column(5).as_string::<i32>().value(row), line[5]);
            let impressions = batch.column(13).as_primitive::<Int64Type>().value(row);
            assert_eq!(impressions, line[13].parse::<i64>().unwrap());
            let cost = batch.column(14).as_primitive::<Float64Type>().value(row);
            assert_eq!(cost, line[14].parse::<f64>().unwrap());
        }
    }
    assert!(lines.next().is_none());
}

#[test]
fn messy_parquet_keeps_the_sum_of_spend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.parquet");
    let summary = write(&request(&[Mess::Parentheses, Mess::MissingWords, Mess::Urls]), &path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let mut cents = 0;
    let mut negative = 0;
    for batch in reader.build().unwrap().map(Result::unwrap) {
        for cost in batch.column(14).as_primitive::<Float64Type>().iter().flatten() {
            cents += (cost * 100.0).round() as i64;
            negative += i64::from(cost < 0.0);
        }
    }
    assert_eq!(cents, i64::try_from(summary.spend_cents).unwrap());
    assert!(negative > 0);
}

#[test]
fn a_failed_run_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv");
    fs::write(&path, "kept").unwrap();
    let error = write(&request(&[Mess::MetadataSheet]), &path).unwrap_err();
    assert!(error.is_input());
    // The truth cannot be put in the place of a folder that is not empty.
    let truth = truth_path(&path);
    fs::create_dir_all(truth.join("x")).unwrap();
    let error = write(&request(&[]), &path).unwrap_err();
    assert!(matches!(error, SampleError::File { .. }) && !error.is_input(), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_watch_sees_the_rows_and_may_break_off() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.csv.gz", "a.xlsx", "a.parquet"] {
        let request = Request { rows: Some(5_000), ..request(&[]) };
        let mut seen = Vec::new();
        let mut watch = |rows| {
            seen.push(rows);
            if rows > 2_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let error = write_watched(&request, &folder.path().join(name), &mut watch).unwrap_err();
        assert!(matches!(error, SampleError::Cancelled) && !error.is_input());
        assert_eq!(seen, [0, 1024, 2048]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn files_that_cannot_be_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let error = write(&request(&[]), Path::new("report.txt")).unwrap_err();
    let help = error.help().unwrap();
    for known in [".csv", ".tsv", ".gz", ".zst", ".xlsx", ".parquet"] {
        assert!(help.contains(known), "{help}");
    }
    let large = Request { rows: Some(1_048_576), ..request(&[]) };
    assert!(matches!(write(&large, &folder.path().join("a.xlsx")), Err(SampleError::SheetFull)));
    let error = write(&request(&[]), Path::new("no/such/folder/report.csv")).unwrap_err();
    assert!(error.to_string().starts_with("no/such/folder/report.csv:"), "{error}");
    assert!(matches!(error, SampleError::NoFolder { .. }) && error.is_input() && error.help().is_some());
}
