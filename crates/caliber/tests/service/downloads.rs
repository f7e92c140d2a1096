//! Exports on their way to a client: what files are called, how they are known, and what is refused.

use std::fmt::Write;

use caliber_store::Backend;
use serde_json::json;

use crate::background_exports::{asked, ended};
use crate::exports::{RESULTS, csv_rows, file};
use crate::people::{long_report, report};
use crate::service::Service;

crate::on_both_databases! {
    names_of_files_are_safe_in_every_script,
    who_has_a_file_is_told_so,
    exports_refuse_what_they_cannot_give,
    what_a_workbook_cannot_hold_is_said,
}

fn names_of_files_are_safe_in_every_script(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let long = "名".repeat(255);
    ana.put(&format!("/campaigns/{id}"), json!({"name": "a\r\nb"})).invalid("name");
    for (name, full) in [
        ("../../Ünïcode \"名前\".csv", "Ünïcode 名前_.csv-results.csv"),
        ("Весна / ربيع / Άνοιξη", "Весна ربيع Άνοιξη-results.csv"),
        ("\u{202e}cod.exe", "cod.exe-results.csv"),
        ("=cmd|'/c calc'!A1", "=cmd_c calc_!A1-results.csv"),
        ("...", "campaign-results.csv"),
        ("विज्ञापन अभियान", "विज्ञापन अभियान-results.csv"),
        (&long, &format!("{}-results.csv", "名".repeat(60))),
    ] {
        ana.put(&format!("/campaigns/{id}"), json!({"name": name})).data(200);
        let answer = file(&ana, &format!("export/campaigns/{id}/results/csv"), "text/csv");
        let named = answer.header("content-disposition").unwrap();
        let (plain, encoded) = named.split_once("; filename*=UTF-8''").unwrap();
        let plain = plain.strip_prefix("attachment; filename=\"").unwrap().strip_suffix('"').unwrap();
        assert!(
            plain.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\/%".contains(&byte)),
            "{plain}"
        );
        assert_eq!(decoded(encoded), full, "{name:?}");
        let upload = ana.get(&format!("/reports/export/campaigns/{id}/blacklist/dsp?format=dv360"));
        let uploaded =
            upload.header("content-disposition").unwrap().split_once("UTF-8''").unwrap().1.to_owned();
        let start = full.strip_suffix("-results.csv").unwrap();
        assert!(decoded(&uploaded).starts_with(&format!("{start}-blacklist")), "{}", decoded(&uploaded));
        let first = &csv_rows(&answer.bytes, &RESULTS)[0]["campaign_name"];
        let must = if name.starts_with('=') { format!("'{name}") } else { name.to_owned() };
        assert_eq!(*first, must, "neutralised where a spreadsheet would run it");
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn who_has_a_file_is_told_so(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let mut tags = Vec::new();
    for of in [
        "results/csv",
        "results/json",
        "results/xlsx",
        "results/csv?quality_status=poor",
        "whitelist/csv",
        "blacklist/json",
        "blacklist/dsp?format=text",
        "summary/csv",
        "data/json",
    ] {
        let path = format!("/reports/export/campaigns/{id}/{of}");
        let first = ana.get(&path);
        let tag = first.header("etag").unwrap().to_owned();
        let again = ana.get(&path);
        assert_eq!(
            (again.header("etag"), &again.bytes),
            (Some(tag.as_str()), &first.bytes),
            "{of}: a strong tag"
        );
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let unchanged = ana.with("if-none-match", &known).get(&path);
            assert_eq!((unchanged.status, unchanged.bytes.len()), (304, 0), "{of} {known}");
            assert_eq!(unchanged.header("etag"), Some(tag.as_str()));
        }
        assert_eq!(ana.with("if-none-match", "\"other\"").get(&path).status, 200);
        assert!(!tags.contains(&tag), "{of}");
        tags.push(tag);
    }
    let path = format!("/reports/export/campaigns/{id}/results/csv");
    let packed = ana.with("accept-encoding", "gzip").get(&path);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("etag"), Some(format!("W/{}", tags[0]).as_str()), "packed they are other bytes");
    ana.put(&format!("/campaigns/{id}"), json!({"name": "Autumn"})).data(200);
    let renamed = ana.with("if-none-match", &tags[0]).get(&path);
    assert_eq!(renamed.status, 200, "the name is in every row");
    ana.put(&format!("/scoring/lists/{id}/overrides"), json!({"block": ["bad.example"]})).data(200);
    let list =
        ana.with("if-none-match", &tags[4]).get(&format!("/reports/export/campaigns/{id}/whitelist/csv"));
    assert_eq!(list.status, 200);
}

fn exports_refuse_what_they_cannot_give(on: Backend) {
    let service = Service::start(on);
    let (ana, eve) = (service.manager("ana"), service.manager("eve"));
    let unscored = ana.campaign("x");
    let scored = ana.scored(&report());
    let all = [
        "export/campaigns/ID/results/csv",
        "export/campaigns/ID/results/xlsx",
        "export/campaigns/ID/results/parquet",
        "export/campaigns/ID/results/json",
        "export/campaigns/ID/whitelist/csv",
        "export/campaigns/ID/whitelist/json",
        "export/campaigns/ID/blacklist/csv",
        "export/campaigns/ID/blacklist/json",
        "export/campaigns/ID/summary/csv",
        "export/campaigns/ID/optimization-lists/csv",
        "export/campaigns/ID/data/json",
        "export/campaigns/ID/whitelist/dsp?format=text",
        "export/campaigns/ID/blacklist/dsp?format=dv360",
        "campaigns/ID/pdf",
        "reports/campaigns/ID/pdf",
    ];
    for path in all {
        let of = |id: &str| format!("/reports/{}", path.replace("ID", id));
        ana.get(&of(&unscored)).refused(409, "not_scored");
        eve.get(&of(&scored)).refused(404, "not_found");
        ana.get(&of("0198c0de-0000-7000-8000-000000000000")).refused(404, "not_found");
        ana.get(&of("x")).refused(404, "not_found");
        service.client().get(&of(&scored)).refused(401, "not_signed_in");
    }
    let of = |path: &str| ana.get(&format!("/reports/export/campaigns/{scored}/{path}"));
    for (path, field) in [
        ("results/csv?sort_by=luck", "sort_by"),
        ("results/xlsx?sort_by=metric.luck", "sort_by"),
        ("results/json?quality_status=bad", "quality_status"),
        ("results/parquet?min_score=NaN", "min_score"),
        ("whitelist/csv?share=0.6", "share"),
        ("blacklist/json?policy=luck", "policy"),
        ("optimization-lists/csv?share=0", "share"),
        ("blacklist/csv?expires_at=2020-01-01T00:00:00Z", "expires_at"),
        ("blacklist/dsp?format=luck", "format"),
        ("blacklist/dsp", "format"),
        ("data/json?include_results=maybe", "include_results"),
    ] {
        of(path).invalid(field);
    }

    for (filters, field) in [
        (json!({"list": "whitelist"}), "filters.list"),
        (json!({"share": "half"}), "filters.share"),
        (json!([]), "filters"),
    ] {
        let asked = json!({"campaign_id": scored, "kind": "dsp", "format": "yahoo", "filters": filters});
        ana.post("/reports/exports", asked).invalid(field);
    }
    ana.post("/reports/exports", json!({"campaign_id": "x", "kind": "pdf"})).invalid("campaign_id");

    let new = json!({"name": "vendors", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display",
        "analysis_level": "supply_vendor"});
    let vendors = crate::people::id_of(&ana.post("/campaigns", new).data(201));
    ana.upload(&format!("/campaigns/{vendors}/upload"), "report.csv", &report()).data(201);
    ana.post("/scoring/start", json!({"campaign_id": vendors})).data(202);
    assert_eq!(ana.settled(&vendors)["status"], "completed");
    let form =
        |form: &str| ana.get(&format!("/reports/export/campaigns/{vendors}/blacklist/dsp?format={form}"));
    for sites_only in ["trade_desk_csv", "trade_desk_json", "dv360", "xandr", "amazon", "yahoo", "basis"] {
        let why = form(sites_only).invalid("format");
        assert!(why.contains("vendor"), "{why}");
    }
    assert_eq!(form("text").status, 200);
    ana.post("/reports/exports", json!({"campaign_id": vendors, "kind": "dsp", "format": "dv360"}))
        .invalid("format");
}

fn what_a_workbook_cannot_hold_is_said(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let long = "x".repeat(33_000);
    let mut report = String::from_utf8(long_report(5)).unwrap();
    writeln!(report, "{long},5000,10.5,3,0.5,1,1").unwrap();
    let id = ana.scored(report.as_bytes());
    let why = ana.get(&format!("/reports/export/campaigns/{id}/results/xlsx")).refused(413, "too_large");
    let why = why["message"].as_str().unwrap();
    assert!(why.contains("32,767") && why.contains("csv, json or parquet"), "{why}");
    let asked = asked(&ana, json!({"campaign_id": id, "kind": "results", "format": "xlsx"}));
    let ended = ended(&ana, &asked);
    assert_eq!(ended["status"], "failed");
    assert_eq!(ended["error_message"], why, "at once, and with the reason");
}
