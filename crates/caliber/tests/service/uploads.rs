//! Reports' files: what is taken, what is refused, what is known of one.

use std::io::Write;

use caliber_store::Backend;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::client::{FORM, form};
use crate::people::{id_of, report};
use crate::service::Service;

crate::on_both_databases! {
    every_kind_of_report_is_taken_for_what_it_is,
    what_is_no_report_or_contradicts_its_name_is_refused,
    a_new_report_replaces_the_one_before_and_its_bytes,
    nothing_is_replaced_while_a_campaign_is_scored,
    an_upload_over_the_limit_is_refused_and_nothing_of_it_stays,
    a_large_upload_does_not_fill_memory,
    a_report_is_looked_at_before_it_is_scored,
    a_file_goes_to_one_campaign,
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

/// An old workbook of text cells, which no crate writes ([MS-XLS] 2.4).
fn xls(rows: &[Vec<String>]) -> Vec<u8> {
    let begin =
        |kind: u16| record(0x0809, &[&0x0600_u16.to_le_bytes()[..], &kind.to_le_bytes(), &[0; 12]].concat());
    let end = record(0x000A, &[]);
    let mut sheet = begin(0x0010);
    for (y, row) in rows.iter().enumerate() {
        for (x, cell) in row.iter().enumerate() {
            let place = [y as u16, x as u16, 0, cell.len() as u16].map(u16::to_le_bytes).concat();
            sheet.extend(record(0x0204, &[&place[..], &[0], cell.as_bytes()].concat()));
        }
    }
    sheet.extend(&end);
    let globals = begin(0x0005);
    let at = (globals.len() + 4 + 8 + 5 + end.len()) as u32;
    let tab = record(0x0085, &[&at.to_le_bytes()[..], &[0, 0, 5, 0], b"Sheet"].concat());
    let mut file =
        cfb::CompoundFile::create_with_version(cfb::Version::V3, std::io::Cursor::new(Vec::new())).unwrap();
    let content = [globals, tab, end, sheet].concat();
    file.create_stream("Workbook").unwrap().write_all(&content).unwrap();
    file.into_inner().into_inner()
}

fn cells(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn every_kind_of_report_is_taken_for_what_it_is(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let text = String::from_utf8(report()).unwrap();
    let ascii: String = text.chars().map(|char| if char.is_ascii() { char } else { '?' }).collect();
    let tsv: Vec<u8> = {
        let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_writer(Vec::new());
        for row in cells(text.as_bytes()) {
            writer.write_record(row).unwrap();
        }
        writer.into_inner().unwrap()
    };
    let sample = |name: &str| {
        let path = service.folder().join(name);
        let arguments = [
            "sample",
            "--platform",
            "trade_desk",
            "--channel",
            "display",
            "--rows",
            "300",
            "--domains",
            "20",
            "--out",
        ];
        let mut command = service.command(&[]);
        let program = command.get_program().to_owned();
        command = std::process::Command::new(program);
        assert!(command.args(arguments).arg(&path).output().unwrap().status.success());
        std::fs::read(path).unwrap()
    };
    let kinds: Vec<(&str, Vec<u8>, &str)> = vec![
        ("report.csv", text.clone().into_bytes(), "csv"),
        ("REPORT.TSV", tsv, "csv"),
        ("report.csv.gz", gz(text.as_bytes()), "csv"),
        ("report.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap(), "csv"),
        ("report.xlsx", sample("report.xlsx"), "xlsx"),
        ("report.xls", xls(&cells(ascii.as_bytes())), "xls"),
        ("report.parquet", sample("report.parquet"), "parquet"),
    ];
    for (name, bytes, format) in kinds {
        let id = ana.campaign(name);
        let campaign = ana.upload(&format!("/campaigns/{id}/upload"), name, &bytes).data(201);
        assert_eq!(
            (&campaign["file"]["filename"], &campaign["file"]["size"]),
            (&json!(name), &json!(bytes.len()))
        );
        assert_eq!(campaign["file"]["sha256"].as_str().unwrap().len(), 64);
        let file = ana.get(&format!("/reports/files/{}", id_of(&campaign["file"]))).data(200);
        assert_eq!((&file["format"], &file["status"]), (&json!(format), &json!("assigned")), "{name}");
        assert_eq!(file["campaign_id"], id.as_str());
        ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
        let settled = ana.settled(&id);
        assert_eq!(settled["status"], "completed", "{name}: {settled}");
        let path = settled["file_path"].as_str().unwrap();
        assert!(!path.starts_with('/') && !path.contains(".."), "{path}");
    }
}

fn what_is_no_report_or_contradicts_its_name_is_refused(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let csv = report();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0".to_vec();
    for (name, bytes) in [
        ("report.png", png.clone()),
        ("report.csv", png.clone()),
        ("report.csv", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj".to_vec()),
        ("report.csv", b"PK\x03\x04 no zip".to_vec()),
        ("report.xlsx", csv.clone()),
        ("report.parquet", csv.clone()),
        ("report.csv.gz", gz(&png)),
        ("report.csv.gz", b"\x1f\x8b nonsense".to_vec()),
        ("report.exe", csv.clone()),
    ] {
        ana.upload("/reports/upload", name, &bytes).refused(415, "wrong_kind");
    }
    for (name, bytes) in [
        ("report.csv", &b""[..]),
        ("report.csv", b"\n\n"),
        ("report.csv", b"Site,Impressions,Advertiser Cost\n"),
        ("report.csv.gz", &gz(b"")),
        ("", b"Site,Impressions\na.example,1\n"),
    ] {
        ana.upload("/reports/upload", name, bytes).invalid("file");
    }
    let nothing = b"------caliber-test--\r\n".to_vec();
    ana.send("POST", "/reports/upload", FORM, nothing).invalid("file");
    let other = b"------caliber-test\r\ncontent-disposition: form-data; name=\"other\"\r\n\r\nx\r\n------caliber-test--\r\n";
    ana.send("POST", "/reports/upload", FORM, other.to_vec()).invalid("file");
    let mut cut = form(&[], "report.csv", &csv);
    cut.truncate(cut.len() / 2);
    ana.send("POST", "/reports/upload", FORM, cut).refused(400, "malformed_json");
    ana.send("POST", "/reports/upload", "multipart/form-data", form(&[], "report.csv", &csv))
        .refused(415, "wrong_kind");
    let odd = ana.upload("/reports/upload", "../../etc/report.csv", &csv).data(201);
    assert_eq!(odd["filename"], "report.csv");
    assert_eq!(ana.get("/reports/files").body(200)["total"], 1);
    assert_eq!(service.stored_files(), 1, "nothing of what was refused stays");
}

fn a_new_report_replaces_the_one_before_and_its_bytes(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.campaign_with(&report());
    let path = format!("/campaigns/{id}/upload");
    let first = ana.get(&format!("/campaigns/{id}")).data(200);
    ana.upload(&path, "broken.csv", b"").invalid("file");
    assert_eq!(
        ana.get(&format!("/campaigns/{id}")).data(200)["file"],
        first["file"],
        "what is refused replaces nothing"
    );
    let second = ana.upload(&path, "next.csv", &report()).data(201);
    assert_ne!(first["file"]["id"], second["file"]["id"]);
    ana.get(&format!("/reports/files/{}", id_of(&first["file"]))).refused(404, "not_found");
    assert_eq!(service.stored_files(), 1);
    ana.delete(&format!("/reports/files/{}", id_of(&second["file"]))).body(200);
    assert_eq!(ana.get(&format!("/campaigns/{id}")).data(200)["file"], Value::Null);
    assert_eq!(service.stored_files(), 0);
    ana.post("/scoring/start", json!({"campaign_id": id})).refused(409, "no_file");
}

fn nothing_is_replaced_while_a_campaign_is_scored(on: Backend) {
    let service = Service::with(on, &[("CALIBER_WORKERS", "0")]);
    let ana = service.manager("ana");
    let id = ana.campaign_with(&report());
    let file = id_of(&ana.get(&format!("/campaigns/{id}")).data(200)["file"]);
    let spare = id_of(&ana.upload("/reports/upload", "spare.csv", &report()).data(201));
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    ana.upload(&format!("/campaigns/{id}/upload"), "next.csv", &report()).refused(409, "wrong_state");
    ana.send("POST", "/reports/upload", FORM, form(&[("campaign_id", &id)], "next.csv", &report()))
        .refused(409, "wrong_state");
    ana.post(&format!("/reports/files/{spare}/assign-campaign"), json!({"campaign_id": id}))
        .refused(409, "wrong_state");
    ana.delete(&format!("/reports/files/{file}")).refused(409, "wrong_state");
    assert_eq!(service.stored_files(), 2);
    assert_eq!(ana.get(&format!("/campaigns/{id}")).data(200)["file"]["id"], file.as_str());
}

fn an_upload_over_the_limit_is_refused_and_nothing_of_it_stays(on: Backend) {
    let service = Service::with(on, &[("CALIBER_MAX_UPLOAD", "100kB")]);
    let ana = service.manager("ana");
    let id = ana.campaign("x");
    let line = "news.example,1200,3.50\n";
    let much = format!("Site,Impressions,Advertiser Cost\n{}", line.repeat(8000)).into_bytes();
    ana.upload(&format!("/campaigns/{id}/upload"), "report.csv", &much).refused(413, "too_large");
    let chunked = std::io::Cursor::new(form(&[], "report.csv", &much));
    ana.send_chunked("POST", "/reports/upload", FORM, chunked).refused(413, "too_large");
    assert_eq!(service.stored_files(), 0);
    ana.upload(&format!("/campaigns/{id}/upload"), "report.csv", &much[..99_000]).data(201);
}

/// The most memory that a process had so far, in kB.
#[cfg(target_os = "linux")]
fn peak_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
fn a_large_upload_does_not_fill_memory(on: Backend) {
    let service = Service::with(on, &[("CALIBER_MAX_UPLOAD", "200MB")]);
    let ana = service.manager("ana");
    let before = peak_kb(service.process());
    // Bytes that are no report, so that it is their taking in that is measured, and not their reading.
    let (head, bytes) = (b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; 120 << 20]);
    let form = form(&[], "report.csv", &[head, bytes].concat());
    ana.send("POST", "/reports/upload", FORM, form).refused(415, "wrong_kind");
    // The kernel counts its peaks in strides, so that a later one may read a little less.
    let grown = peak_kb(service.process()).saturating_sub(before) / 1024;
    assert!(grown < 40, "120 MB came in and memory grew by {grown} MB");
    assert_eq!(service.stored_files(), 0);
}

fn a_report_is_looked_at_before_it_is_scored(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let file = ana.upload("/reports/upload", "report.csv", &report()).data(201);
    assert_eq!((&file["status"], &file["campaign_id"]), (&json!("uploaded"), &Value::Null));
    let path = format!("/reports/files/{}", id_of(&file));
    let preview = ana.get(&format!("{path}/preview")).data(200);
    let cells = cells(&report());
    assert_eq!(preview["columns"], json!(cells[0]));
    assert_eq!(preview["rows"].as_array().unwrap().len(), 10);
    assert_eq!(preview["rows"][0][5], cells[1][5].as_str());
    assert_eq!(preview["total_rows"], cells.len() - 1);
    assert_eq!(ana.get(&format!("{path}/preview?rows=100")).data(200)["rows"].as_array().unwrap().len(), 100);
    for rows in ["0", "101", "-1", "many"] {
        ana.get(&format!("{path}/preview?rows={rows}")).invalid("rows");
    }
    let valid = ana.get(&format!("{path}/validate")).data(200);
    assert_eq!((&valid["valid"], &valid["errors"]), (&json!(true), &json!([])), "{valid}");
    assert_eq!(
        (&valid["recognised"]["platform"], &valid["recognised"]["channel"]),
        (&json!("trade_desk"), &json!("display"))
    );
    assert!(valid["mapping"].as_array().unwrap().iter().any(|it| it["canonical"] == "impressions"));
    assert_eq!(ana.get(&path).data(200)["status"], "validated");
    assert_eq!(ana.at_root().get(&format!("{path}/preview")).data(200), preview, "without a version too");

    let strange = ana.upload("/reports/upload", "strange.csv", b"Colour,Height\nred,3\n").data(201);
    let strange = format!("/reports/files/{}", id_of(&strange));
    let invalid = ana.get(&format!("{strange}/validate")).data(200);
    assert_eq!(invalid["valid"], false);
    assert!(!invalid["errors"].as_array().unwrap().is_empty());
    assert_eq!(ana.get(&strange).data(200)["status"], "rejected");
}

fn a_file_goes_to_one_campaign(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let (one, other) = (ana.campaign("one"), ana.campaign("other"));
    let file = id_of(&ana.upload("/reports/upload", "report.csv", &report()).data(201));
    let assign = |campaign: &str| {
        ana.post(&format!("/reports/files/{file}/assign-campaign"), json!({"campaign_id": campaign}))
    };
    assert_eq!(assign(&one).data(200)["campaign_id"], one.as_str());
    assert_eq!(assign(&one).data(200)["status"], "assigned", "said twice is said once");
    assign(&other).refused(409, "in_use");
    assign("0198c0de-0000-7000-8000-000000000000").refused(404, "not_found");
    ana.post(&format!("/reports/files/{file}/assign-campaign"), json!({"campaign_id": 17}))
        .invalid("campaign_id");
    assert_eq!(ana.get(&format!("/campaigns/{one}")).data(200)["file"]["id"], file.as_str());
    let with_form = ana
        .send("POST", "/reports/upload", FORM, form(&[("campaign_id", &other)], "r.csv", &report()))
        .data(201);
    assert_eq!(with_form["campaign_id"], other.as_str());
    let wrong = form(&[("campaign_id", "17")], "r.csv", &report());
    ana.send("POST", "/reports/upload", FORM, wrong).invalid("campaign_id");
    let mut behind = form(&[], "r.csv", &report());
    behind.truncate(behind.len() - "--\r\n".len());
    behind.extend(
        format!("\r\ncontent-disposition: form-data; name=\"campaign_id\"\r\n\r\n{one}\r\n------caliber-test--\r\n").bytes(),
    );
    let replaced = ana.send("POST", "/reports/upload", FORM, behind).data(201);
    assert_eq!(replaced["campaign_id"], one.as_str());
    assert_eq!(ana.get("/reports/files").body(200)["total"], 2);
    assert_eq!(service.stored_files(), 2);
}
