//! Files made to exhaust: refused in the memory that every run here is held to, and large honest ones that pass.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rust_xlsxwriter::Workbook;
use serde_json::Value;

use crate::call::{Call, GENERIC, Place, assert_error, plain_report};

const HEADER: &str = "Domain,Impressions,Spend,Clicks\n";

/// Scores a file of the place in small memory: it must be refused by name, and leave nothing.
#[track_caller]
fn refused(place: &Place, name: &str) -> Value {
    let mut args = vec![name, "--out", "out"];
    args.extend(GENERIC);
    let error = place.refusal(&args);
    assert_eq!(error["file"], name, "{error}");
    assert!(!place.path("out").exists(), "{name}: something is left of the run");
    error
}

fn create(place: &Place, name: &str) -> BufWriter<File> {
    BufWriter::new(File::create(place.path(name)).unwrap())
}

fn repeat(out: &mut impl Write, bytes: &[u8], megabytes: usize) {
    let block: Vec<u8> =
        bytes.iter().copied().cycle().take(bytes.len() * ((1 << 20) / bytes.len())).collect();
    for _ in 0..megabytes {
        out.write_all(&block).unwrap();
    }
}

#[test]
fn a_line_of_100_mb() {
    let place = Place::new();
    let mut file = create(&place, "r.csv");
    file.write_all(HEADER.as_bytes()).unwrap();
    file.write_all(b"a.example,1000,1,1\n").unwrap();
    repeat(&mut file, b"x", 100);
    drop(file);
    assert_error(&refused(&place, "r.csv"), "too_large", Some("r.csv"), Some(3));
}

#[test]
fn a_first_line_of_100_mb() {
    let place = Place::new();
    let mut file = create(&place, "r.csv");
    repeat(&mut file, b"Domain", 100);
    drop(file);
    assert_error(&refused(&place, "r.csv"), "too_large", Some("r.csv"), Some(1));
}

#[test]
fn a_quoted_cell_of_100_mb_of_lines() {
    let place = Place::new();
    let mut file = create(&place, "r.csv");
    file.write_all(format!("{HEADER}\"").as_bytes()).unwrap();
    repeat(&mut file, b"a.example,1000,1,1\n", 100);
    drop(file);
    let error = refused(&place, "r.csv");
    assert!(["too_large", "malformed"].contains(&error["code"].as_str().unwrap()), "{error}");
    assert_eq!(error["line"], 2, "{error}");
}

#[test]
fn a_hundred_thousand_columns() {
    let place = Place::new();
    let wide = |cell: &dyn Fn(usize) -> String| (0..100_000).map(cell).collect::<Vec<_>>().join(",");
    let text = format!(
        "Domain,Impressions,Spend,Clicks,{}\na.example,1000,1,1,{}\n",
        wide(&|column| format!("c{column}")),
        wide(&|_| "1".into())
    );
    place.write("r.csv", text);
    assert_error(&refused(&place, "r.csv"), "too_large", Some("r.csv"), Some(1));
}

#[test]
fn a_row_of_a_million_columns() {
    let place = Place::new();
    place
        .write("r.csv", format!("{HEADER}a.example,1000,1,1\nb.example,900,1,1{}\n", ",1".repeat(1_000_000)));
    let mut args = vec!["score", "--json", "r.csv", "--out", "out"];
    args.extend(GENERIC);
    let outcome = Call::new(&place, &args).within_memory().run();
    let error = outcome.error(2);
    assert_error(&error, "too_large", Some("r.csv"), Some(3));
}

/// Packs an endless line, or an endless report, of so many megabytes.
fn bomb(place: &Place, name: &str, megabytes: usize, bytes: &[u8]) {
    let file = create(place, name);
    if Path::new(name).extension().unwrap() == "gz" {
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packed.write_all(HEADER.as_bytes()).unwrap();
        repeat(&mut packed, bytes, megabytes);
        packed.finish().unwrap().flush().unwrap();
    } else {
        let mut packed = zstd::Encoder::new(file, 1).unwrap();
        packed.write_all(HEADER.as_bytes()).unwrap();
        repeat(&mut packed, bytes, megabytes);
        packed.finish().unwrap().flush().unwrap();
    }
}

#[test]
fn a_packed_line_without_end() {
    for name in ["r.csv.gz", "r.csv.zst"] {
        let place = Place::new();
        bomb(&place, name, 1000, b"x");
        let packed = std::fs::metadata(place.path(name)).unwrap().len();
        assert!(packed < 10 << 20, "{name}: {packed}");
        assert_error(&refused(&place, name), "too_large", Some(name), Some(2));
    }
}

#[test]
fn a_packed_report_of_one_row_over_and_over_takes_no_memory() {
    let place = Place::new();
    bomb(&place, "r.csv.gz", 20, b"a.example,1000,1,1\nb.example,1000,2,1\n");
    let mut args = vec!["score", "--json", "r.csv.gz", "--out", "out"];
    args.extend(GENERIC);
    let summary = Call::new(&place, &args).within_memory().run().done().document();
    assert_eq!(summary["scored"], 2);
}

/// A workbook whose sheet is replaced by so many rows of markup.
fn workbook(place: &Place, name: &str, row: impl Fn(usize) -> String, rows: usize) -> (u64, u64) {
    let mut book = Workbook::new();
    book.add_worksheet().write(0, 0, "x").unwrap();
    let mut whole = zip::ZipArchive::new(std::io::Cursor::new(book.save_to_buffer().unwrap())).unwrap();
    let mut made = zip::ZipWriter::new(create(place, name));
    for part in 0..whole.len() {
        let part = whole.by_index(part).unwrap();
        if !part.name().unwrap().ends_with("sheet1.xml") {
            made.raw_copy_file(part).unwrap();
        }
    }
    made.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<worksheet xmlns=\"http://schemas.openxmlformats.org/\
                spreadsheetml/2006/main\"><sheetData>";
    let mut written = head.len();
    made.write_all(head.as_bytes()).unwrap();
    for at in 1..=rows {
        let text = row(at);
        written += text.len();
        made.write_all(text.as_bytes()).unwrap();
    }
    made.write_all(b"</sheetData></worksheet>").unwrap();
    made.finish().unwrap().flush().unwrap();
    (std::fs::metadata(place.path(name)).unwrap().len(), written as u64)
}

fn cells(at: usize, values: [&str; 4]) -> String {
    let cell = |(column, value): (char, &str)| match value.parse::<f64>() {
        Ok(_) => format!("<c r=\"{column}{at}\"><v>{value}</v></c>"),
        Err(_) => format!("<c r=\"{column}{at}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"),
    };
    format!("<row r=\"{at}\">{}</row>", "ABCD".chars().zip(values).map(cell).collect::<String>())
}

#[test]
fn a_workbook_that_unpacks_a_thousandfold() {
    let place = Place::new();
    let blanks = " ".repeat(1 << 20);
    let (packed, unpacked) = workbook(
        &place,
        "r.xlsx",
        |at| match at {
            1 => cells(1, ["Domain", "Impressions", "Spend", "Clicks"]),
            _ => blanks.clone(),
        },
        300,
    );
    assert!(unpacked / packed > 900, "{unpacked} in {packed}");
    assert_error(&refused(&place, "r.xlsx"), "too_large", Some("r.xlsx"), None);
}

#[test]
fn a_real_workbook_of_twenty_to_one_passes() {
    let place = Place::new();
    let names: Vec<String> = (0..50).map(|site| format!("site{site:03}.example")).collect();
    let (packed, unpacked) = workbook(
        &place,
        "r.xlsx",
        |at| match at {
            1 => cells(1, ["Domain", "Impressions", "Spend", "Clicks"]),
            _ => {
                let row =
                    cells(at, [&names[at / 600 % 50], "100", "1.5", if at % 3 == 0 { "2" } else { "1" }]);
                let label = "Autumn 2025, United States, Prospecting";
                let cell =
                    |column| format!("<c r=\"{column}{at}\" t=\"inlineStr\"><is><t>{label}</t></is></c>");
                let more: String = ('E'..='Z').map(cell).collect();
                row.replace("</row>", &format!("{more}</row>"))
            }
        },
        15_001,
    );
    let ratio = unpacked / packed;
    assert!((14..60).contains(&ratio), "{ratio} to one");
    let mut args = vec!["score", "--json", "r.xlsx", "--out", "out"];
    args.extend(GENERIC);
    let summary = Call::new(&place, &args).within_memory().run().done().document();
    assert_eq!((&summary["rows_used"], &summary["scored"]), (&15_000.into(), &26.into()));
}

#[test]
fn a_zip_that_unpacks_a_thousandfold() {
    let place = Place::new();
    let mut made = zip::ZipWriter::new(create(&place, "r.zip"));
    made.start_file("r.csv", zip::write::SimpleFileOptions::default()).unwrap();
    made.write_all(HEADER.as_bytes()).unwrap();
    repeat(&mut made, b"x", 300);
    made.finish().unwrap().flush().unwrap();
    assert_eq!(refused(&place, "r.zip")["code"], "too_large");
}

#[test]
fn as_many_names_as_rows_stay_in_memory() {
    let place = Place::new();
    place.write("r.csv", plain_report(60_000));
    let mut args = vec!["score", "--json", "r.csv", "--out", "out"];
    args.extend(GENERIC);
    let summary = Call::new(&place, &args).within_memory().run().done().document();
    assert_eq!(summary["scored"], 60_000);
}
