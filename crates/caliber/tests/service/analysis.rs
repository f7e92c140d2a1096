//! Questions to results: the answers are those of the command line, word for word, and treated results are shown.

use std::process::Command;

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::Client;
use crate::people::report;
use crate::service::Service;

crate::on_both_databases! {
    every_answer_is_that_of_the_command_line,
    a_wrong_question_names_its_field,
    treated_results_become_the_ones_that_are_shown,
    learned_weights_are_saved_as_a_recipe,
    lists_by_evidence_are_made_and_explained,
    somebody_elses_results_answer_nothing,
}

/// What the command line prints.
fn printed(service: &Service, args: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_caliber")).args(args).current_dir(service.folder()).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// A campaign that is scored, and the folder that the command line left of the same report.
fn scored(service: &Service, ana: &Client, policy: &str) -> (String, String) {
    let id = ana.campaign_with(&report());
    ana.post("/scoring/start", json!({"campaign_id": id, "list_policy": policy})).data(202);
    assert_eq!(ana.settled(&id)["status"], "completed");
    std::fs::write(service.folder().join("report.csv"), report()).unwrap();
    printed(service, &["score", "report.csv", "--quiet", "--out", policy, "--list-policy", policy]);
    (id, service.folder().join(policy).display().to_string())
}

fn every_answer_is_that_of_the_command_line(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let (id, out) = scored(&service, &ana, "quartile");
    let command = |args: &[&str]| -> Value {
        let args = [&args[..1], &[&out], &args[1..], &["--json"]].concat();
        serde_json::from_str(&printed(&service, &args)).unwrap()
    };
    let ask = |path: &str| ana.get(&format!("/scoring/{path}")).data(200);
    let worst = ask(&format!("results/{id}?sort_direction=asc"))[0]["domain"].as_str().unwrap().to_owned();
    for (path, args) in [
        (format!("explain/{id}"), vec!["explain"]),
        (format!("explain/{id}?method=correlation"), vec!["explain", "--method", "correlation"]),
        (format!("explain/{id}?values=true"), vec!["explain", "--values"]),
        (
            format!("explain/{id}?method=feature_importance&seed=7"),
            vec!["explain", "--method", "feature_importance", "--seed", "7"],
        ),
        (format!("explain/{id}/{worst}"), vec!["explain", "--domain", &worst]),
        (format!("outliers/{id}?scores=true"), vec!["outliers", "--scores"]),
        (
            format!("outliers/{id}?method=combined&contamination=0.05&limit=3"),
            vec!["outliers", "--method", "combined", "--contamination", "0.05", "--limit", "3"],
        ),
    ] {
        assert_eq!(ask(&path), command(&args), "{path}");
    }
    let post = |path: &str, body: Value| ana.post(&format!("/scoring/{path}"), body).data(200);
    let learned = post("weights", json!({"campaign_id": id, "target": "ctr", "method": "correlation"}));
    assert_eq!(learned, command(&["weights", "--target", "ctr"]));
    let best = post("weights/optimize", json!({"campaign_id": id, "target": "conversion_rate", "folds": 3}));
    // `optimize` stands before the results.
    let args = ["weights", "optimize", &out, "--target", "conversion_rate", "--folds", "3", "--json"];
    assert_eq!(best, serde_json::from_str::<Value>(&printed(&service, &args)).unwrap());
    let other =
        post("what-if", json!({"campaign_id": id, "weights": {"cpm": 0.3, "ctr": 0.7}, "per_page": 5}));
    assert_eq!(other, command(&["what-if", "--weights", "cpm=.3,ctr=.7", "--per-page", "5"]));
    let treated = post(&format!("outliers/{id}/treat"), json!({"treatment": "cap", "publish": false}));
    assert_eq!(treated, command(&["outliers", "--treat", "cap"]));
    let timing = ana.get(&format!("/scoring/explain/{id}"));
    let timing = timing.header("server-timing").unwrap();
    assert!(["read;dur=", "compute;dur=", "write;dur="].iter().all(|part| timing.contains(part)), "{timing}");
}

fn a_wrong_question_names_its_field(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let unscored = ana.campaign("empty");
    for path in ["explain", "outliers"] {
        ana.get(&format!("/scoring/{path}/{unscored}")).refused(409, "not_scored");
    }
    ana.post("/scoring/what-if", json!({"campaign_id": unscored, "weights": {"cpm": 1}}))
        .refused(409, "not_scored");
    let (id, _) = scored(&service, &ana, "quartile");
    for (path, field) in [
        ("explain/{id}?method=magic", "method"),
        ("outliers/{id}?method=magic", "method"),
        ("outliers/{id}?contamination=0.6", "contamination"),
        ("outliers/{id}?contamination=0", "contamination"),
    ] {
        ana.get(&format!("/scoring/{}", path.replace("{id}", &id))).invalid(field);
    }
    for (path, body, field) in [
        ("weights", json!({"campaign_id": id}), "target"),
        ("weights", json!({"campaign_id": id, "target": "score"}), "target"),
        ("weights", json!({"campaign_id": id, "method": "custom", "weights": {"cpm": "x"}}), "weights.cpm"),
        ("weights/optimize", json!({"campaign_id": id, "target": "ctr", "folds": 1}), "folds"),
        ("weights/optimize", json!({"campaign_id": id, "target": "ctr", "folds": 101}), "folds"),
        ("what-if", json!({"campaign_id": id, "weights": {"magic": 1}}), "weights"),
        ("what-if", json!({"campaign_id": id, "weights": {"cpm": -1}}), "weights"),
        ("what-if", json!({"campaign_id": id, "weights": {"cpm": 1}, "per_page": 101}), "per_page"),
    ] {
        ana.post(&format!("/scoring/{path}"), body).invalid(field);
    }
    let treat = format!("/scoring/outliers/{id}/treat");
    ana.post(&treat, json!({"treatment": "burn"})).invalid("treatment");
    ana.post(&treat, json!({"treatment": "cap", "contamination": 0.6})).invalid("contamination");
    let missing = ana.get(&format!("/scoring/explain/{id}/nobody.example")).refused(404, "not_found");
    assert!(missing["message"].as_str().unwrap().contains("nobody.example"), "{missing}");
}

fn treated_results_become_the_ones_that_are_shown(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let (id, _) = scored(&service, &ana, "quartile");
    let before = ana.get(&format!("/scoring/summary/{id}")).data(200);
    let treated = ana.post(&format!("/scoring/outliers/{id}/treat"), json!({"treatment": "drop"})).data(200);
    assert!(treated["rows_after"].as_u64() < treated["rows_before"].as_u64(), "{treated}");
    let after = ana.get(&format!("/scoring/summary/{id}")).data(200);
    assert_ne!(before["run_id"], after["run_id"]);
    assert_eq!(after["campaign_score"], treated["campaign_score_after"]);
    assert_eq!(after["scored"], treated["rows_after"]);
    assert_eq!(after["treatment"], treated);
    assert_eq!(after["rows_read"], before["rows_read"]);
    let shown = ana.get(&format!("/scoring/results/{id}")).body(200);
    assert_eq!(shown["total"], treated["rows_after"]);
    assert_eq!(ana.get(&format!("/campaigns/{id}")).data(200)["status"], "completed");
    // What a row is sure of cannot be told any more, and what changed can.
    let row = shown["data"][0]["domain"].as_str().unwrap();
    let explained = ana.get(&format!("/scoring/explain/{id}/{row}")).data(200);
    assert_eq!(explained["confidence"], Value::Null);
    assert_eq!(explained["warnings"].as_array().unwrap().len(), 1);
    let path = |a: &Value, b: &Value| {
        let (a, b) = (a.as_str().unwrap(), b.as_str().unwrap());
        format!("/scoring/explain/changes?before={a}&after={b}")
    };
    let changed = ana.get(&path(&before["run_id"], &after["run_id"])).data(200);
    assert_eq!(changed["before"]["campaign_score"], before["campaign_score"]);
    assert_eq!(changed["after"]["campaign_score"], after["campaign_score"]);
    assert_eq!(changed["counts"]["new"], 0);
    let by_campaign = ana.get(&path(&before["run_id"], &json!(id))).data(200);
    assert_eq!(by_campaign, changed);
    // The report itself can be scored again.
    ana.post("/scoring/start", json!({"campaign_id": id, "force_reprocess": true})).data(202);
    assert_eq!(ana.settled(&id)["campaign_score"], before["campaign_score"]);
}

fn learned_weights_are_saved_as_a_recipe(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let (id, _) = scored(&service, &ana, "quartile");
    let body = json!({"campaign_id": id, "target": "conversion_rate", "save_as": "ours-learned"});
    let learned = ana.post("/scoring/weights", body.clone()).data(200);
    assert_eq!(learned["saved_as"], "ours-learned");
    ana.post("/scoring/weights", body).refused(409, "conflict");
    let recipes = ana.get("/scoring/recipes").data(200);
    let saved = recipes.as_array().unwrap().iter().find(|recipe| recipe["name"] == "ours-learned").unwrap();
    assert_eq!((&saved["platform"], &saved["shipped"]), (&json!("trade_desk"), &json!(false)));
    let weights: f64 =
        saved["metrics"].as_array().unwrap().iter().map(|metric| metric["weight"].as_f64().unwrap()).sum();
    assert!((weights - 1.0).abs() < 1e-9);
    let body = json!({"campaign_id": id, "recipe": "ours-learned", "force_reprocess": true});
    ana.post("/scoring/start", body).data(202);
    assert_eq!(ana.settled(&id)["status"], "completed");
    ana.post("/scoring/weights", json!({"campaign_id": id, "method": "variance", "save_as": "no name!"}))
        .invalid("save_as");
}

fn lists_by_evidence_are_made_and_explained(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let (id, out) = scored(&service, &ana, "evidence");
    let rows = ana.get(&format!("/scoring/results/{id}?per_page=100")).data(200);
    let file: Value = serde_json::from_slice(&std::fs::read(format!("{out}/summary.json")).unwrap()).unwrap();
    for row in rows.as_array().unwrap() {
        let evidence = &row["evidence"];
        let below = evidence["p_below"].as_f64().unwrap();
        assert!((below + evidence["p_above"].as_f64().unwrap() - 1.0).abs() < 1e-12);
        assert!(["block", "allow", "watch"].contains(&evidence["decision"].as_str().unwrap()));
        assert_eq!(evidence["known_metrics"], json!(["cpm"]));
        let ctr = &evidence["metrics"]["ctr"];
        assert!(ctr["n_eff"].as_f64().unwrap() <= row["impressions"].as_f64().unwrap() + 1e-6);
        assert_eq!(ctr["rho"], file["lists"]["prior"]["ctr"]["rho"]);
        assert!(evidence["metrics"].get("cpm").is_none());
    }
    let sorted = ana.get(&format!("/scoring/results/{id}?sort_by=p_below&per_page=100")).data(200);
    let below: Vec<f64> =
        sorted.as_array().unwrap().iter().map(|row| row["evidence"]["p_below"].as_f64().unwrap()).collect();
    assert!(below.is_sorted_by(|a, b| a >= b));
    for (path, list) in [("whitelist", "allowlist"), ("blacklist", "blocklist")] {
        let taken = ana.get(&format!("/scoring/{path}/{id}")).data(200);
        assert_eq!(taken["criteria_used"]["policy"], "evidence");
        let names = std::fs::read_to_string(format!("{out}/{list}.txt")).unwrap();
        let names: Vec<&str> = names.lines().collect();
        assert_eq!(taken["domains"], json!(names), "{list}");
    }
    // A run by quarters can be asked for the evidence afterwards.
    let (plain, _) = scored(&service, &ana, "quartile");
    let later = ana.get(&format!("/scoring/blacklist/{plain}?policy=evidence")).data(200);
    assert_eq!(later["domains"], ana.get(&format!("/scoring/blacklist/{id}")).data(200)["domains"]);
    assert!(ana.get(&format!("/scoring/results/{plain}")).data(200)[0].get("evidence").is_none());
}

fn somebody_elses_results_answer_nothing(on: Backend) {
    let service = Service::start(on);
    let (ana, ben) = (service.manager("ana"), service.manager("ben"));
    let (id, _) = scored(&service, &ana, "quartile");
    let run = ana.get(&format!("/scoring/summary/{id}")).data(200)["run_id"].as_str().unwrap().to_owned();
    for path in [
        format!("explain/{id}"),
        format!("explain/{id}/x.example"),
        format!("outliers/{id}"),
        format!("explain/changes?before={id}&after={id}"),
        format!("explain/changes?before={run}&after={run}"),
    ] {
        ben.get(&format!("/scoring/{path}")).refused(404, "not_found");
    }
    for (path, body) in [
        ("weights", json!({"campaign_id": id, "target": "ctr"})),
        ("weights/optimize", json!({"campaign_id": id, "target": "ctr"})),
        ("what-if", json!({"campaign_id": id, "weights": {"cpm": 1}})),
        (&format!("outliers/{id}/treat"), json!({"treatment": "cap"})),
    ] {
        ben.post(&format!("/scoring/{path}"), body).refused(404, "not_found");
    }
}
