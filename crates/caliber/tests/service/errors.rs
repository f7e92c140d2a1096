//! The envelope and the codes, the same everywhere.

use std::io::Read;

use caliber_store::Backend;
use serde_json::json;

use crate::client::FORM;
use crate::people::report;
use crate::service::Service;

crate::on_both_databases! {
    what_is_not_there_is_404_in_the_envelope,
    a_method_that_an_address_does_not_take_is_405,
    bodies_are_judged_as_json_then_by_their_fields,
    queries_are_judged_by_their_parameters,
    too_much_is_413_by_length_and_in_chunks,
    a_slash_at_the_end_changes_nothing,
}

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

fn what_is_not_there_is_404_in_the_envelope(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    for path in ["/nothing", "/campaigns/x/y/z", "/auth/me/more", ""] {
        service.client().get(path).refused(404, "not_found");
    }
    service.client().at_root().get("/api/v2/campaigns").refused(404, "not_found");
    service.client().at_root().bare("POST", "/nothing").refused(404, "not_found");
    for id in [NOBODY, "17", "no-uuid", "%FF", "%00", &"x".repeat(2000)] {
        for path in [
            format!("/campaigns/{id}"),
            format!("/campaigns/templates/{id}"),
            format!("/reports/files/{id}"),
            format!("/reports/files/{id}/preview"),
            format!("/reports/files/{id}/validate"),
            format!("/scoring/progress/{id}"),
            format!("/scoring/progress/{id}/stream"),
            format!("/scoring/results/{id}"),
            format!("/scoring/results/{id}/news.example"),
            format!("/scoring/results/{NOBODY}/{id}"),
            format!("/scoring/summary/{id}"),
            format!("/scoring/whitelist/{id}"),
            format!("/scoring/blacklist/{id}"),
            format!("/scoring/lists/{id}/versions"),
            format!("/scoring/lists/{id}/versions/1"),
            format!("/scoring/lists/{NOBODY}/versions/{id}"),
            format!("/scoring/recipes/{id}"),
            format!("/jobs/{id}"),
        ] {
            ana.get(&path).refused(404, "not_found");
        }
        for path in [
            format!("/campaigns/{id}"),
            format!("/campaigns/templates/{id}"),
            format!("/reports/files/{id}"),
            format!("/scoring/recipes/{id}"),
            format!("/organizations/invitations/{id}"),
        ] {
            ana.delete(&path).refused(404, "not_found");
        }
        ana.put(&format!("/campaigns/{id}"), json!({"name": "x"})).refused(404, "not_found");
        ana.put(&format!("/campaigns/{id}/status"), json!({"status": "failed"})).refused(404, "not_found");
        ana.upload(&format!("/campaigns/{id}/upload"), "r.csv", b"a,b\n1,2\n").refused(404, "not_found");
        ana.bare("POST", &format!("/scoring/cancel/{id}")).refused(404, "not_found");
    }
    ana.post("/scoring/start", json!({"campaign_id": NOBODY})).refused(404, "not_found");
    ana.post("/scoring/optimization-list", json!({"campaign_id": NOBODY, "list_type": "whitelist"}))
        .refused(404, "not_found");
}

fn a_method_that_an_address_does_not_take_is_405(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let strangers = service.client();
    for client in [&ana, &strangers] {
        client.bare("PATCH", "/campaigns").refused(405, "method_not_allowed");
        client.delete("/auth/login").refused(405, "method_not_allowed");
        client.get("/auth/login").refused(405, "method_not_allowed");
        client.get("/scoring/start").refused(405, "method_not_allowed");
        client.at_root().bare("POST", "/health").refused(405, "method_not_allowed");
        client.at_root().bare("POST", "/").refused(405, "method_not_allowed");
        client.at_root().bare("POST", "/openapi.json").refused(405, "method_not_allowed");
    }
    let refused = ana.bare("PATCH", "/campaigns");
    let allowed = refused.header("allow").unwrap_or_default();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "Allow: {allowed}");
}

fn bodies_are_judged_as_json_then_by_their_fields(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    for text in ["", "{", "nope", "{\"name\": }", "{} {}", "\u{feff}"] {
        let bytes = text.as_bytes().to_vec();
        ana.send("POST", "/campaigns", "application/json", bytes.clone()).refused(400, "malformed_json");
        ana.send("POST", "/scoring/recipes", "application/json", bytes.clone())
            .refused(400, "malformed_json");
        service
            .client()
            .send("POST", "/auth/login", "application/json", bytes)
            .refused(400, "malformed_json");
    }
    ana.send("POST", "/campaigns", "application/json", vec![b'"', 0xFF, b'"']).refused(400, "malformed_json");
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded", FORM] {
        for path in ["/campaigns", "/scoring/start", "/auth/register", "/scoring/recipes"] {
            ana.send("POST", path, kind, b"{}".to_vec()).refused(415, "wrong_kind");
        }
    }
    ana.bare("POST", "/campaigns").refused(415, "wrong_kind");
    ana.send("POST", "/reports/upload", "application/json", b"{}".to_vec()).refused(415, "wrong_kind");
    let good = json!({"name": "x", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"});
    ana.send("POST", "/campaigns", "application/json; charset=utf-8", good.to_string().into_bytes())
        .data(201);
    for (field, value) in [
        ("name", json!(17)),
        ("name", json!(null)),
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!("x".repeat(256))),
        ("goal", json!("fame")),
        ("channel", json!("print")),
        ("ctr_sensitivity", json!("yes")),
        ("analysis_level", json!("page")),
        ("campaign_type", json!("no_such_dsp")),
        ("template_id", json!("17")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        ana.post("/campaigns", body).invalid(field);
    }
    let mut nameless = good.clone();
    nameless.as_object_mut().unwrap().remove("name");
    ana.post("/campaigns", nameless).invalid("name");
    ana.post("/campaigns", json!([])).refused(422, "invalid");
    let id = ana.campaign_with(&report());
    for (field, value) in [
        ("list_share", json!(0.0)),
        ("list_share", json!(0.51)),
        ("list_share", json!("much")),
        ("min_impressions", json!(-1)),
        ("normalization", json!("log")),
        ("list_policy", json!("mood")),
        ("recipe", json!("no-such-recipe")),
        ("force_reprocess", json!("yes")),
        ("mapping", json!([])),
        ("mapping.cpm", json!({"cpm": 17})),
        ("mapping.no_such_column", json!({"no_such_column": "Site"})),
    ] {
        let mut body = json!({"campaign_id": id});
        body[field.split('.').next().unwrap()] = value;
        ana.post("/scoring/start", body).invalid(field);
    }
    let overrides = format!("/scoring/lists/{id}/overrides");
    ana.put(&overrides, json!({"allow": ["a.example", 17]})).invalid("allow[1]");
    ana.put("/organizations/current", json!({"ai_budget": -1})).invalid("ai_budget");
}

fn queries_are_judged_by_their_parameters(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.campaign("x");
    for (path, field) in [
        ("/campaigns?skip=-1".to_owned(), "skip"),
        ("/campaigns?limit=0".to_owned(), "limit"),
        ("/campaigns?limit=101".to_owned(), "limit"),
        ("/campaigns?limit=ten".to_owned(), "limit"),
        ("/campaigns?status=lost".to_owned(), "status"),
        ("/campaigns/templates?page=0".to_owned(), "page"),
        ("/reports/files?per_page=101".to_owned(), "per_page"),
        ("/reports/files?per_page=0".to_owned(), "per_page"),
        ("/jobs?page=-1".to_owned(), "page"),
        ("/jobs?status=lost".to_owned(), "status"),
        ("/jobs?queue=lost".to_owned(), "queue"),
        (format!("/scoring/results/{id}?page=0"), "page"),
        (format!("/scoring/results/{id}?per_page=101"), "per_page"),
        (format!("/scoring/results/{id}?sort_by=luck"), "sort_by"),
        (format!("/scoring/results/{id}?sort_direction=up"), "sort_direction"),
        (format!("/scoring/results/{id}?quality_status=fine"), "quality_status"),
        (format!("/scoring/results/{id}?min_score=low"), "min_score"),
        (format!("/scoring/results/{id}?max_score=NaN"), "max_score"),
        (format!("/scoring/results/{id}?min_impressions=inf"), "min_impressions"),
        (format!("/scoring/results/{id}?outliers_only=maybe"), "outliers_only"),
        (format!("/scoring/lists/{id}/versions?page=x"), "page"),
    ] {
        ana.get(&path).invalid(field);
    }
    ana.post("/auth/login?session=paper", json!({"email": "a", "password": "b"})).invalid("session");
    let listed = ana.get("/campaigns?colour=red&skip=0").data(200);
    assert_eq!(listed["total"], 1, "an unknown parameter is ignored");
    let beyond = ana.get("/reports/files?page=9999999999").body(200);
    assert_eq!(beyond["data"], json!([]), "a page past the end is an empty list");
    assert_eq!(beyond["has_next"], false);
    let beyond = ana.get("/campaigns?skip=9223372036854775807").data(200);
    assert_eq!((&beyond["campaigns"], &beyond["total"]), (&json!([]), &json!(1)));
}

fn too_much_is_413_by_length_and_in_chunks(on: Backend) {
    let service = Service::with(on, &[("CALIBER_MAX_UPLOAD", "1MB")]);
    let ana = service.manager("ana");
    let much = || std::io::repeat(b' ').take(6 << 20);
    let mut whole = Vec::new();
    much().read_to_end(&mut whole).unwrap();
    for (path, kind) in [
        ("/campaigns", "application/json"),
        ("/auth/login", "application/json"),
        ("/auth/verify", "application/json"),
        ("/scoring/recipes", "application/json"),
        ("/scoring/recipes", "application/toml"),
    ] {
        ana.send("POST", path, kind, whole.clone()).refused(413, "too_large");
        ana.send_chunked("POST", path, kind, much()).refused(413, "too_large");
    }
    let head = crate::client::form(&[], "report.csv", b"Site,Impressions\n");
    let end = head.len() - "\r\n------caliber-test--\r\n".len();
    let (start, rest) = (head[..end].to_vec(), head[end..].to_vec());
    let line = b"a.example,1200\n".repeat(100_000);
    let form = [start, line, rest].concat();
    ana.send("POST", "/reports/upload", FORM, form.clone()).refused(413, "too_large");
    ana.send_chunked("POST", "/reports/upload", FORM, std::io::Cursor::new(form)).refused(413, "too_large");
    assert_eq!(ana.get("/reports/files").body(200)["total"], 0);
}

fn a_slash_at_the_end_changes_nothing(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    ana.get("/campaigns/").data(200);
    ana.get("/auth/me/?x=1").data(200);
    let new = json!({"name": "x", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"});
    ana.post("/campaigns/", new).data(201);
    ana.at_root().get("/health/").data(200);
}
