//! Files that are no report, or broken: each is refused by name, and what an earlier run left is untouched.

use std::io::Write;

use rust_xlsxwriter::Workbook;
use serde_json::Value;

use crate::call::{GENERIC, Place, assert_error, plain_report};

/// Scores bytes under a name into a folder with earlier results, which must stay as they are.
#[track_caller]
fn refused(name: &str, bytes: &[u8]) -> Value {
    let place = Place::new();
    place.write("good.csv", plain_report(30));
    let mut args = vec!["good.csv", "--out", "out", "--format", "csv,json,xlsx"];
    args.extend(GENERIC);
    place.score(&args);
    let before = place.files_in("out");
    place.write(name, bytes);
    args[0] = name;
    let error = place.refusal(&args);
    assert!(place.files_in("out") == before, "{name}: the earlier results are not as they were");
    assert_eq!(error["file"], name, "{error}");
    let again = place.run(&["inspect", "--json", name]).error(2);
    assert_eq!(again["code"], error["code"], "inspecting says the same: {again}");
    error
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(bytes).unwrap();
    archive.finish().unwrap().into_inner()
}

fn sample(file: &str) -> Vec<u8> {
    let place = Place::new();
    place.sample("trade_desk display", 3000, 60, file, &[]);
    std::fs::read(place.path(file)).unwrap()
}

#[test]
fn an_empty_file() {
    assert_error(&refused("r.csv", b""), "empty", Some("r.csv"), None);
}

#[test]
fn nothing_but_blanks() {
    for bytes in [&b" \n\t\r\n   \n"[..], b"\xEF\xBB\xBF", b"\xEF\xBB\xBF\n\n", b"\xFF\xFE\n\0"] {
        assert_eq!(refused("r.csv", bytes)["code"], "empty", "{bytes:?}");
    }
    assert_eq!(refused("r.csv.gz", &gzip(b""))["code"], "empty", "packed");
}

#[test]
fn a_header_only() {
    for bytes in [
        &b"Domain,Impressions,Spend,Clicks\n"[..],
        b"Domain,Impressions,Spend,Clicks",
        b"Domain,Impressions,Spend,Clicks\n\n\n",
    ] {
        assert_eq!(refused("r.csv", bytes)["code"], "header_only", "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn no_header() {
    let error = refused("r.csv", b"a.example,1000,1,10\nb.example,900,2,20\n");
    assert_error(&error, "no_header", Some("r.csv"), Some(1));
}

#[test]
fn binaries_of_several_kinds() {
    let program = std::fs::read("/bin/sh").unwrap();
    let mut noise = Vec::new();
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..4000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    for (name, bytes) in [
        ("r.csv", &program[..]),
        ("noise.csv", &noise),
        ("r.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"),
        ("r.jpg", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
    ] {
        assert_eq!(refused(name, bytes)["code"], "wrong_kind", "{name}");
    }
}

#[test]
fn a_pdf() {
    let pdf =
        b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 1\ntrailer\n%%EOF\n";
    for name in ["r.pdf", "r.csv"] {
        let error = refused(name, pdf);
        assert_eq!(error["code"], "wrong_kind");
        assert!(error["message"].as_str().unwrap().contains("PDF"), "{error}");
    }
}

#[test]
fn a_web_page() {
    let page = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Your session, expired</body></html>\n";
    assert_eq!(refused("r.csv", page)["code"], "wrong_kind");
}

#[test]
fn a_folder() {
    let place = Place::new();
    std::fs::create_dir(place.path("r.csv")).unwrap();
    let error = place.refusal(&["r.csv"]);
    assert_error(&error, "not_readable", Some("r.csv"), None);
}

#[test]
fn truncated_gzip_zstd_zip_xlsx_and_parquet() {
    let csv = sample("r.csv");
    for (name, whole) in [
        ("r.csv.gz", sample("r.csv.gz")),
        ("r.csv.zst", sample("r.csv.zst")),
        ("r.zip", zipped("r.csv", &csv)),
        ("r.xlsx", sample("r.xlsx")),
        ("r.parquet", sample("r.parquet")),
    ] {
        for (part, keep) in
            [("half", whole.len() / 2), ("all but one byte", whole.len() - 1), ("the first 30 bytes", 30)]
        {
            let error = refused(name, &whole[..keep]);
            let code = error["code"].as_str().unwrap();
            let known = ["truncated", "malformed"].contains(&code) || (keep == 30 && code == "wrong_kind");
            assert!(known, "{part} of {name}: {error}");
        }
    }
}

#[test]
fn damage_in_the_middle_of_a_packed_file() {
    // Gzip and zip carry a checksum; what carries none cannot always be told.
    for (name, mut bytes) in [("r.csv.gz", sample("r.csv.gz")), ("r.zip", zipped("r.csv", &sample("r.csv")))]
    {
        let middle = bytes.len() / 2;
        for byte in &mut bytes[middle..middle + 40] {
            *byte ^= 0xA5;
        }
        let error = refused(name, &bytes);
        assert!(["truncated", "malformed"].contains(&error["code"].as_str().unwrap()), "{name}: {error}");
    }
}

#[test]
fn an_encrypted_workbook() {
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    for stream in ["/EncryptionInfo", "/EncryptedPackage"] {
        file.create_stream(stream).unwrap().write_all(&[4; 4096]).unwrap();
    }
    file.flush().unwrap();
    let bytes = file.into_inner().into_inner();
    for name in ["r.xlsx", "r.csv"] {
        let error = refused(name, &bytes);
        assert_eq!(error["code"], "encrypted", "{error}");
        assert!(error["help"].as_str().unwrap().contains("password"), "{error}");
    }
}

#[test]
fn zips_of_several_files_or_none() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["a.csv", "b.csv"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(plain_report(10).as_bytes()).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    let error = refused("r.zip", &bytes);
    assert!(
        error.to_string().contains("a.csv") || error["message"].as_str().unwrap().contains('2'),
        "{error}"
    );
    let none = zip::ZipWriter::new(std::io::Cursor::new(Vec::new())).finish().unwrap().into_inner();
    refused("none.zip", &none);
}

#[test]
fn a_zip_of_one_file_is_a_report() {
    let place = Place::new();
    place.write("r.zip", zipped("may.csv", plain_report(30).as_bytes()));
    let mut args = vec!["r.zip"];
    args.extend(GENERIC);
    assert_eq!(place.score(&args)["scored"], 30);
}

#[test]
fn workbooks_without_a_report() {
    let mut empty = Workbook::new();
    empty.add_worksheet();
    let error = refused("r.xlsx", &empty.save_to_buffer().unwrap());
    assert_eq!(error["code"], "empty", "{error}");
    let mut notes = Workbook::new();
    notes.add_worksheet().write(0, 0, "a note").unwrap().write(1, 0, "another").unwrap();
    let error = refused("r.xlsx", &notes.save_to_buffer().unwrap());
    assert!(["no_header", "header_only"].contains(&error["code"].as_str().unwrap()), "{error}");
    let mut header = Workbook::new();
    let sheet = header.add_worksheet();
    for (column, text) in ["Domain", "Impressions", "Spend", "Clicks"].into_iter().enumerate() {
        sheet.write(0, column as u16, text).unwrap();
    }
    let error = refused("r.xlsx", &header.save_to_buffer().unwrap());
    assert_eq!(error["code"], "header_only", "{error}");
}
