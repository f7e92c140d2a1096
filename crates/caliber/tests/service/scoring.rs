//! Runs: begun, watched, cancelled, repeated.

use std::collections::BTreeSet;

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::people::{id_of, report};
use crate::service::{Service, at_once, eventually};

crate::on_both_databases! {
    a_run_is_begun_watched_and_published,
    of_twenty_starts_at_once_one_is_taken,
    a_run_is_cancelled_and_begun_again,
    results_of_the_run_before_stay_while_the_next_waits_and_after_it_failed,
    a_run_that_cannot_be_ends_with_the_message_of_the_command_line,
    the_stream_says_how_it_goes_and_ends,
    jobs_of_ones_organisation_are_shown,
}

fn a_run_is_begun_watched_and_published(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.campaign("x");
    let path = format!("/scoring/progress/{id}");
    let before = json!({"status": "pending", "progress_percentage": 0.0, "current_step": null, "total_records": null,
        "processed_records": 0, "estimated_completion": null, "error_message": null});
    let mut watched = ana.get(&path).data(200);
    watched.as_object_mut().unwrap().retain(|field, _| before.get(field).is_some());
    assert_eq!(watched, before);
    ana.get(&format!("/scoring/results/{id}")).refused(409, "not_scored");
    ana.get(&format!("/scoring/summary/{id}")).refused(409, "not_scored");
    ana.get(&format!("/scoring/whitelist/{id}")).refused(409, "not_scored");
    ana.post("/scoring/optimization-list", json!({"campaign_id": id, "list_type": "blacklist"}))
        .refused(409, "not_scored");
    ana.post("/scoring/start", json!({"campaign_id": id})).refused(409, "no_file");
    ana.bare("POST", &format!("/scoring/cancel/{id}")).refused(409, "wrong_state");
    ana.upload(&format!("/campaigns/{id}/upload"), "report.csv", &report()).data(201);
    let body = json!({"campaign_id": id, "normalization": "winsorized", "min_impressions": 100, "list_share": 0.1, "list_policy": "quartile"});
    let started = ana.post("/scoring/start", body).data(202);
    assert_eq!((&started["status"], &started["estimated_completion"]), (&json!("started"), &Value::Null));
    let config = &started["config_used"];
    assert_eq!(
        (&config["normalization"], &config["min_impressions"], &config["list_share"]),
        (&json!("winsorized"), &json!(100), &json!(0.1))
    );
    assert_eq!(config["recipe"], "trade_desk-display-awareness");
    let done = ana.settled(&id);
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(
        (&done["total_records"], &done["processed_records"], &done["progress_percentage"]),
        (&json!(300), &json!(300), &json!(100.0))
    );
    assert_eq!((&done["current_step"], &done["error_message"]), (&json!("completed"), &Value::Null));
    assert_eq!(&done["scoring_config_snapshot"], config);
    assert!(done["campaign_score"].as_f64().unwrap() > 0.0);
    assert!(done["completed_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(done["data_quality_report"]["mapping"], done["column_mapping_used"]);
    assert!(
        done["column_mapping_used"].as_array().unwrap().iter().any(|it| it["canonical"] == "impressions")
    );
    let watched = ana.get(&path).data(200);
    assert_eq!((&watched["status"], &watched["current_step"]), (&json!("completed"), &json!("completed")));
    let summary = ana.get(&format!("/scoring/summary/{id}")).data(200);
    assert_eq!((&summary["run_id"], &summary["campaign_id"]), (&started["run_id"], &json!(id)));
    assert_eq!(summary["completed_at"], done["completed_at"]);
    ana.post("/scoring/start", json!({"campaign_id": id})).refused(409, "already_scored");
}

fn of_twenty_starts_at_once_one_is_taken(on: Backend) {
    let service = Service::with(on, &[("CALIBER_WORKERS", "0")]);
    let ana = service.manager("ana");
    let id = ana.campaign_with(&report());
    let answers = at_once(20, |_| {
        let ana = service.client().with("authorization", ana.credential());
        ana.post("/scoring/start", json!({"campaign_id": id}))
    });
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 202);
    assert_eq!((taken.len(), refused.len()), (1, 19));
    for answer in refused {
        answer.refused(409, "already_running");
    }
    let jobs = ana.get("/jobs").body(200);
    assert_eq!((&jobs["total"], &jobs["data"][0]["run_id"]), (&json!(1), &taken[0].data(202)["run_id"]));
}

fn a_run_is_cancelled_and_begun_again(on: Backend) {
    let mut service = Service::with(on, &[("CALIBER_WORKERS", "0")]);
    let ana = service.manager("ana");
    let id = ana.campaign_with(&report());
    let started = ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    ana.post("/scoring/start", json!({"campaign_id": id, "force_reprocess": true}))
        .refused(409, "already_running");
    ana.put(&format!("/campaigns/{id}/status"), json!({"status": "failed"})).refused(409, "wrong_state");
    ana.put(&format!("/campaigns/{id}/progress"), json!({"progress_percentage": 1}))
        .refused(409, "wrong_state");
    let cancelled = ana.bare("POST", &format!("/scoring/cancel/{id}")).data(200);
    assert_eq!((&cancelled["status"], &cancelled["error_message"]), (&json!("failed"), &json!("cancelled")));
    let job = ana.get(&format!("/jobs/{}", started["job_id"].as_str().unwrap())).data(200);
    assert_eq!(job["status"], "cancelled");
    ana.bare("POST", &format!("/scoring/cancel/{id}")).refused(409, "wrong_state");
    service.stop();
    service.set("CALIBER_WORKERS", "1");
    service.start_again();
    let ana = service.signed_in("ana@example.com");
    let again = ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    assert_ne!(again["run_id"], started["run_id"]);
    assert_eq!(ana.settled(&id)["status"], "completed");
}

fn results_of_the_run_before_stay_while_the_next_waits_and_after_it_failed(on: Backend) {
    let mut service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let shown = |ana: &crate::client::Client| {
        let results = ana.get(&format!("/scoring/results/{id}")).body(200);
        let summary = ana.get(&format!("/scoring/summary/{id}")).data(200);
        let list = ana.get(&format!("/scoring/whitelist/{id}")).data(200);
        (results["data"].clone(), summary["run_id"].clone(), list["domains"].clone())
    };
    let first = shown(&ana);
    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let ana = service.signed_in("ana@example.com");
    let again = json!({"campaign_id": id, "force_reprocess": true, "normalization": "rank"});
    ana.post("/scoring/start", again.clone()).data(202);
    assert_eq!(ana.get(&format!("/scoring/progress/{id}")).data(200)["status"], "processing");
    assert_eq!(shown(&ana), first, "while the next waits");
    let cancelled = ana.bare("POST", &format!("/scoring/cancel/{id}")).data(200);
    assert_eq!(
        (&cancelled["status"], shown(&ana)),
        (&json!("completed"), first.clone()),
        "an older run stands"
    );
    service.stop();
    service.set("CALIBER_WORKERS", "1");
    service.start_again();
    let ana = service.signed_in("ana@example.com");
    let failing =
        json!({"campaign_id": id, "force_reprocess": true, "mapping": {"impressions": "No Such Header"}});
    ana.post("/scoring/start", failing).data(202);
    let failed = ana.settled(&id);
    assert_eq!(failed["status"], "failed");
    assert!(failed["error_message"].as_str().unwrap().contains("No Such Header"), "{failed}");
    assert_eq!(shown(&ana), first, "after it failed");
    ana.post("/scoring/start", again).data(202);
    assert_eq!(ana.settled(&id)["status"], "completed");
    let second = shown(&ana);
    assert!(second.0 != first.0 && second.1 != first.1);
}

fn a_run_that_cannot_be_ends_with_the_message_of_the_command_line(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let strange = b"Colour,Height\nred,3\nblue,4\n";
    let id = ana.campaign_with(strange);
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    let failed = ana.settled(&id);
    assert_eq!(failed["status"], "failed");
    let file = service.folder().join("report.csv");
    std::fs::write(&file, strange).unwrap();
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_caliber"))
        .args(["score", "--json", "--platform", "trade_desk", "--channel", "display"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(2));
    let said: Value = serde_json::from_slice(&said.stderr).unwrap();
    let message = failed["error_message"].as_str().unwrap();
    assert!(message.contains(said["error"]["message"].as_str().unwrap()), "{message}\n{said}");
    assert!(message.contains(said["error"]["help"].as_str().unwrap()), "{message}\n{said}");
    ana.get(&format!("/scoring/results/{id}")).refused(409, "not_scored");
    ana.upload(&format!("/campaigns/{id}/upload"), "report.csv", &report()).data(201);
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    assert_eq!(ana.settled(&id)["status"], "completed", "mended, it is scored");
}

fn the_stream_says_how_it_goes_and_ends(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.campaign_with(&report());
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    let events = ana.events(&format!("/scoring/progress/{id}/stream"));
    let (last, before) = events.split_last().unwrap();
    assert!(!before.is_empty() && before.iter().all(|event| event.name == "progress"), "{events:?}");
    assert_eq!((last.name.as_str(), &last.data["status"]), ("done", &json!("completed")));
    let percentages: Vec<f64> =
        events.iter().map(|event| event.data["progress_percentage"].as_f64().unwrap()).collect();
    assert!(percentages.is_sorted(), "{percentages:?}");
    let steps = [
        "initializing",
        "loading_data",
        "preprocessing",
        "normalizing",
        "scoring",
        "finalizing",
        "completed",
    ];
    for event in &events {
        let step = event.data["current_step"].as_str();
        assert!(step.is_none_or(|step| steps.contains(&step)), "{event:?}");
    }
    let after = ana.events(&format!("/scoring/progress/{id}/stream"));
    let names: Vec<&str> = after.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["progress", "done"], "of what is done there is no more to say");
    let failing =
        json!({"campaign_id": id, "force_reprocess": true, "mapping": {"impressions": "No Such Header"}});
    ana.post("/scoring/start", failing).data(202);
    let events = ana.events(&format!("/scoring/progress/{id}/stream"));
    assert_eq!(events.last().unwrap().name, "error");
    assert!(events.last().unwrap().data["error_message"].as_str().unwrap().contains("No Such Header"));
}

fn jobs_of_ones_organisation_are_shown(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let jobs = ana.get("/jobs").body(200);
    assert_eq!(jobs["total"], 1);
    let job = &jobs["data"][0];
    assert_eq!(
        (&job["kind"], &job["queue"], &job["status"]),
        (&json!("score_campaign"), &json!("scoring"), &json!("completed"))
    );
    assert_eq!(
        (&job["campaign_id"], &job["attempts"], &job["deliveries"]),
        (&json!(id), &json!(0), &json!(1))
    );
    assert_eq!(&ana.get(&format!("/jobs/{}", id_of(job))).data(200), job);
    assert_eq!(ana.get("/jobs?status=completed&queue=scoring").body(200)["total"], 1);
    assert_eq!(ana.get("/jobs?status=failed").body(200)["total"], 0);
    let bob = service.manager("bob");
    assert_eq!(bob.get("/jobs").body(200)["total"], 0);
    bob.get(&format!("/jobs/{}", id_of(job))).refused(404, "not_found");
    let failing =
        json!({"campaign_id": id, "force_reprocess": true, "mapping": {"impressions": "No Such Header"}});
    ana.post("/scoring/start", failing).data(202);
    ana.settled(&id);
    let dead = eventually("the dead letter is kept", || {
        let dead = ana.get("/jobs?status=failed").body(200);
        (dead["total"] == 1).then(|| dead["data"][0].clone())
    });
    assert!(dead["last_error"].as_str().unwrap().contains("No Such Header"));
    let ids: BTreeSet<String> =
        ana.get("/jobs").body(200)["data"].as_array().unwrap().iter().map(id_of).collect();
    assert_eq!(ids.len(), 2);
}
