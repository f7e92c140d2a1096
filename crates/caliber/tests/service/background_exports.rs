//! Exports in the background: made as they were asked for, whatever is killed, and kept for a day.

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::Client;
use crate::people::{id_of, long_report, report};
use crate::service::{Service, at_once, eventually};

crate::on_both_databases! {
    an_export_is_made_in_the_background,
    a_killed_export_is_made_after_all,
    exports_in_the_background_are_bounded_and_go_with_their_campaign,
}

/// The export, once it is no longer under way.
pub(crate) fn ended(client: &Client, id: &str) -> Value {
    eventually("the export is made", || {
        let export = client.get(&format!("/reports/exports/{id}")).data(200);
        let is_under_way = export["status"] == "pending" || export["status"] == "processing";
        (!is_under_way).then_some(export)
    })
}

/// The id of an export that was asked for.
pub(crate) fn asked(client: &Client, body: Value) -> String {
    let begun = client.post("/reports/exports", body).data(202);
    assert_eq!(begun["status"], "pending");
    id_of(&begun)
}

fn an_export_is_made_in_the_background(on: Backend) {
    let mut service = Service::start(on);
    let (ana, eve) = (service.manager("ana"), service.manager("eve"));
    let id = ana.scored(&report());
    for (body, path) in [
        (json!({"kind": "results"}), "results/csv"),
        (
            json!({"kind": "results", "format": "xlsx", "filters": {"quality_status": "poor"}}),
            "results/xlsx?quality_status=poor",
        ),
        (json!({"kind": "results", "format": "parquet"}), "results/parquet"),
        (
            json!({"kind": "results", "format": "json", "filters": {"min_score": 50, "sort_by": "spend"}}),
            "results/json?min_score=50&sort_by=spend",
        ),
        (json!({"kind": "whitelist", "filters": {"share": 0.1}}), "whitelist/csv?share=0.1"),
        (
            json!({"kind": "blacklist", "format": "json", "filters": {"min_impressions": 1500}}),
            "blacklist/json?min_impressions=1500",
        ),
        (json!({"kind": "lists"}), "optimization-lists/csv"),
        (json!({"kind": "summary", "format": "csv"}), "summary/csv"),
        (json!({"kind": "data", "filters": {"include_insights": true}}), "data/json?include_insights=true"),
        (
            json!({"kind": "dsp", "format": "trade_desk_csv", "filters": {"list_type": "whitelist"}}),
            "whitelist/dsp?format=trade_desk_csv",
        ),
    ] {
        let mut body = body;
        body["campaign_id"] = json!(id);
        let export = asked(&ana, body);
        let done = ended(&ana, &export);
        assert_eq!(
            (&done["status"], &done["progress_percentage"]),
            (&json!("completed"), &json!(100.0)),
            "{done}"
        );
        assert_eq!(done["download_url"], format!("/api/v1/reports/exports/{export}/download"));
        let made: chrono::DateTime<chrono::Utc> = done["completed_at"].as_str().unwrap().parse().unwrap();
        let until: chrono::DateTime<chrono::Utc> = done["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(until - made, chrono::TimeDelta::hours(24));
        let fetched = ana.get(&format!("/reports/exports/{export}/download"));
        let direct = ana.get(&format!("/reports/export/campaigns/{id}/{path}"));
        assert_eq!(fetched.status, 200, "{}", fetched.text());
        assert!(fetched.bytes == direct.bytes, "{path} is the same file");
        for header in ["content-type", "content-disposition"] {
            assert_eq!(fetched.header(header), direct.header(header), "{path}");
        }
        let tag = fetched.header("etag").unwrap();
        assert_eq!(
            ana.with("if-none-match", tag).get(&format!("/reports/exports/{export}/download")).status,
            304
        );
        eve.get(&format!("/reports/exports/{export}")).refused(404, "not_found");
        eve.get(&format!("/reports/exports/{export}/download")).refused(404, "not_found");
    }
    for (body, field) in [
        (json!({"kind": "luck"}), "kind"),
        (json!({"kind": "results", "format": "pdf"}), "format"),
        (json!({"kind": "summary", "format": "json"}), "format"),
        (json!({"kind": "dsp"}), "format"),
        (json!({"kind": "results", "filters": {"sort_by": "luck"}}), "filters.sort_by"),
        (json!({"kind": "results", "filters": {"sort_by": "metric.luck"}}), "sort_by"),
        (json!({"kind": "lists", "filters": {"share": 0.7}}), "share"),
        (json!({"kind": "lists", "filters": {"min_impressions": 0.5}}), "filters.min_impressions"),
    ] {
        let mut body = body;
        body["campaign_id"] = json!(id);
        ana.post("/reports/exports", body).invalid(field);
    }
    eve.post("/reports/exports", json!({"campaign_id": id, "kind": "results"})).refused(404, "not_found");
    let unscored = ana.campaign("x");
    ana.post("/reports/exports", json!({"campaign_id": unscored, "kind": "results"}))
        .refused(409, "not_scored");
    // It is of the run that was shown when it was asked for.
    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let ana = service.signed_in("ana@example.com");
    let export = asked(&ana, json!({"campaign_id": id, "kind": "results", "format": "json"}));
    let waiting = ana.get(&format!("/reports/exports/{export}")).data(200);
    assert_eq!(
        (&waiting["status"], &waiting["download_url"], &waiting["expires_at"]),
        (&json!("pending"), &Value::Null, &Value::Null)
    );
    ana.get(&format!("/reports/exports/{export}/download")).refused(409, "wrong_state");
}

fn a_killed_export_is_made_after_all(on: Backend) {
    let mut service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&long_report(30_000));
    let mut made = Vec::new();
    for (turn, format) in ["json", "csv", "parquet", "json"].iter().enumerate() {
        let ana = service.signed_in("ana@example.com");
        let export = asked(&ana, json!({"campaign_id": id, "kind": "results", "format": format}));
        eventually("a worker has it", || {
            let status = ana.get(&format!("/reports/exports/{export}")).data(200)["status"].clone();
            (status != "pending").then_some(())
        });
        std::thread::sleep(std::time::Duration::from_millis(40 * turn as u64));
        service.kill();
        service.start_again();
        made.push((export, *format));
    }
    let ana = service.signed_in("ana@example.com");
    let jobs = ana.get("/jobs?queue=exports").body(200);
    let again = jobs["data"].as_array().unwrap().iter().filter(|job| job["deliveries"] != 1).count();
    assert!(again > 0, "no kill came in the middle: {jobs}");
    for (export, format) in made {
        let done = ended(&ana, &export);
        assert_eq!(done["status"], "completed", "{done}");
        let fetched = ana.get(&format!("/reports/exports/{export}/download"));
        let direct = ana.get(&format!("/reports/export/campaigns/{id}/results/{format}"));
        assert!(fetched.bytes == direct.bytes, "{format}: whole, and as if nothing had happened");
    }
}

fn exports_in_the_background_are_bounded_and_go_with_their_campaign(on: Backend) {
    let mut service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let done = asked(&ana, json!({"campaign_id": id, "kind": "summary"}));
    assert_eq!(ended(&ana, &done)["status"], "completed");
    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let ana = service.signed_in("ana@example.com");
    let body = json!({"campaign_id": id, "kind": "results"});
    let answers = at_once(14, |_| {
        service.client().with("authorization", ana.credential()).post("/reports/exports", body.clone())
    });
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 202);
    assert_eq!((taken.len(), refused.len()), (10, 4));
    for answer in refused {
        answer.refused(409, "conflict");
    }
    let before = service.stored_files();
    ana.delete(&format!("/campaigns/{id}?force=true")).data(200);
    for answer in taken {
        let export = id_of(&answer.data(202));
        ana.get(&format!("/reports/exports/{export}")).refused(404, "not_found");
    }
    ana.get(&format!("/reports/exports/{done}/download")).refused(404, "not_found");
    assert!(service.stored_files() < before);
    assert_eq!(service.stored_files(), 0, "the bytes went too");
}
