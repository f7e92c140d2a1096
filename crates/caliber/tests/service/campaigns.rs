//! Templates and campaigns.

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::people::{id_of, report};
use crate::service::{Service, at_once};

crate::on_both_databases! {
    a_template_lends_its_settings_and_stays_while_it_is_in_use,
    a_campaign_is_made_from_settings_or_from_a_template,
    what_is_scored_is_what_the_recipe_scores_unless_said,
    settings_that_no_recipe_serves_are_refused_with_what_is_supported,
    campaigns_are_listed_newest_first_and_found_by_part_of_their_name,
    a_name_changes_always_and_settings_while_pending_or_failed,
    workers_elsewhere_say_how_far_a_campaign_is,
    uploads_and_deletions_at_once_leave_nothing_behind,
    deleting_a_campaign_takes_its_files_and_results_along,
}

fn a_template_lends_its_settings_and_stays_while_it_is_in_use(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let new = json!({"name": "Video", "campaign_type": "trade_desk", "goal": "awareness", "channel": "video",
        "ctr_sensitivity": false, "analysis_level": "supply_vendor"});
    let template = ana.post("/campaigns/templates", new.clone()).data(201);
    for field in ["name", "campaign_type", "goal", "channel", "ctr_sensitivity", "analysis_level"] {
        assert_eq!(template[field], new[field]);
    }
    let id = id_of(&template);
    assert_eq!(ana.get(&format!("/campaigns/templates/{id}")).data(200), template);
    let listed = ana.get("/campaigns/templates").body(200);
    assert_eq!((&listed["data"], &listed["total"]), (&json!([template]), &json!(1)));
    for (field, value) in
        [("name", json!("")), ("channel", json!("print")), ("campaign_type", json!("nobody"))]
    {
        let mut wrong = new.clone();
        wrong[field] = value;
        ana.post("/campaigns/templates", wrong).invalid(field);
    }
    let campaign = ana.post("/campaigns", json!({"name": "x", "template_id": id})).data(201);
    for field in ["campaign_type", "goal", "channel", "ctr_sensitivity", "analysis_level"] {
        assert_eq!(campaign[field], new[field]);
    }
    assert_eq!(campaign["template_id"], id.as_str());
    ana.delete(&format!("/campaigns/templates/{id}")).refused(409, "in_use");
    ana.delete(&format!("/campaigns/{}", id_of(&campaign))).body(200);
    ana.delete(&format!("/campaigns/templates/{id}")).body(200);
    ana.get(&format!("/campaigns/templates/{id}")).refused(404, "not_found");
    ana.post("/campaigns", json!({"name": "x", "template_id": id})).invalid("template_id");
}

fn a_campaign_is_made_from_settings_or_from_a_template(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let me = ana.get("/auth/me").data(200);
    let new = json!({"name": "Frühling 🚀", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"});
    let campaign = ana.post("/campaigns", new.clone()).data(201);
    let expected = json!({
        "id": campaign["id"], "user_id": me["id"], "name": "Frühling 🚀", "campaign_type": "trade_desk",
        "goal": "awareness", "channel": "display", "ctr_sensitivity": false, "analysis_level": "domain",
        "status": "pending", "template_id": null, "file": null, "file_path": null, "total_records": null,
        "processed_records": 0, "progress_percentage": 0.0, "current_step": null, "error_message": null,
        "campaign_score": null, "scoring_config_snapshot": null, "data_quality_report": null,
        "column_mapping_used": null, "created_at": campaign["created_at"], "updated_at": campaign["updated_at"],
        "completed_at": null,
    });
    assert_eq!(campaign, expected);
    assert_eq!(ana.get(&format!("/campaigns/{}", id_of(&campaign))).data(200), expected);
    let template = ana
        .post(
            "/campaigns/templates",
            json!({"name": "t", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"}),
        )
        .data(201);
    for (field, value) in
        [("goal", json!("action")), ("ctr_sensitivity", json!(false)), ("campaign_type", json!("trade_desk"))]
    {
        let mut both = json!({"name": "x", "template_id": template["id"]});
        both[field] = value;
        ana.post("/campaigns", both).invalid(field);
    }
    for field in ["campaign_type", "goal", "channel"] {
        let mut without = new.clone();
        without.as_object_mut().unwrap().remove(field);
        ana.post("/campaigns", without).invalid(field);
    }
    let mut longest = new;
    longest["name"] = json!("ä".repeat(255));
    ana.post("/campaigns", longest).data(201);
}

fn what_is_scored_is_what_the_recipe_scores_unless_said(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let made = |path: &str, channel: &str, more: Value| {
        let mut new =
            json!({"name": "x", "campaign_type": "trade_desk", "goal": "awareness", "channel": channel});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ana.post(path, new).data(201)["analysis_level"].clone()
    };
    for path in ["/campaigns", "/campaigns/templates"] {
        assert_eq!(made(path, "ctv", json!({})), "supply_vendor");
        assert_eq!(made(path, "display", json!({})), "domain");
        assert_eq!(made(path, "display", json!({"analysis_level": "supply_vendor"})), "supply_vendor");
    }
}

fn settings_that_no_recipe_serves_are_refused_with_what_is_supported(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let new = |kind: &str, channel: &str, ctr: bool| json!({"name": "x", "campaign_type": kind, "goal": "awareness", "channel": channel, "ctr_sensitivity": ctr});
    let message = ana.post("/campaigns", new("nobody", "display", false)).invalid("campaign_type");
    for known in ["trade_desk", "pulsepoint", "dv360", "generic"] {
        assert!(message.contains(known), "{message}");
    }
    let message = ana.post("/campaigns", new("pulsepoint", "audio", false)).invalid("campaign_type");
    assert!(message.contains("display") && message.contains("video"), "{message}");
    let message = ana.post("/campaigns", new("trade_desk", "audio", true)).invalid("campaign_type");
    assert!(!message.is_empty());
    for kind in ["trade_desk", "pulsepoint", "dv360", "generic"] {
        ana.post("/campaigns", new(kind, "display", false)).data(201);
    }
}

fn campaigns_are_listed_newest_first_and_found_by_part_of_their_name(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    for name in ["100% reach", "1000 reach", "under_score", "underscore", "Straße ÄRA", "back\\slash"] {
        ana.campaign(name);
    }
    let names = |query: &str| {
        let found = ana.get(&format!("/campaigns{query}")).data(200);
        let names: Vec<String> = found["campaigns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        (names, found["total"].as_u64().unwrap())
    };
    let all = ["back\\slash", "Straße ÄRA", "underscore", "under_score", "1000 reach", "100% reach"];
    assert_eq!(names(""), (all.map(str::to_owned).to_vec(), 6));
    assert_eq!(names("?skip=1&limit=2"), (all[1..3].iter().map(|&name| name.to_owned()).collect(), 6));
    for (search, found) in [
        ("100%25", vec!["100% reach"]),
        ("under_", vec!["under_score"]),
        ("UNDER", vec!["underscore", "under_score"]),
        ("%C3%A4ra", vec!["Straße ÄRA"]),
        ("%5C", vec!["back\\slash"]),
        ("nothing", vec![]),
        ("", all.to_vec()),
    ] {
        let (names, total) = names(&format!("?search={search}"));
        assert_eq!(
            (names, total),
            (found.iter().map(|&name| name.to_owned()).collect(), found.len() as u64),
            "{search}"
        );
    }
    assert_eq!(names("?status=pending").1, 6);
    assert_eq!(names("?status=completed").1, 0);
    let bob = service.manager("bob");
    assert_eq!(bob.get("/campaigns").data(200), json!({"campaigns": [], "total": 0}), "not another's");
}

fn a_name_changes_always_and_settings_while_pending_or_failed(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let path = format!("/campaigns/{id}");
    assert_eq!(ana.put(&path, json!({"name": "Autumn"})).data(200)["name"], "Autumn");
    ana.put(&path, json!({"channel": "video"})).refused(409, "wrong_state");
    ana.put(&path, json!({"name": "Winter", "goal": "action"})).refused(409, "wrong_state");
    assert_eq!(ana.get(&path).data(200)["name"], "Autumn", "all or nothing");
    ana.put(&path, json!({"name": "Autumn", "channel": "display"})).data(200);

    let pending = format!("/campaigns/{}", ana.campaign("x"));
    let changed = ana.put(&pending, json!({"channel": "video", "analysis_level": "supply_vendor"})).data(200);
    assert_eq!((&changed["channel"], &changed["analysis_level"]), (&json!("video"), &json!("supply_vendor")));
    ana.put(&pending, json!({"campaign_type": "nobody"})).invalid("campaign_type");
    ana.put(&pending, json!({"name": ""})).invalid("name");
    ana.put(&pending, json!({})).data(200);
    ana.put(&format!("{pending}/status"), json!({"status": "processing"})).data(200);
    ana.put(&pending, json!({"channel": "display"})).refused(409, "wrong_state");
    ana.put(&format!("{pending}/status"), json!({"status": "failed"})).data(200);
    assert_eq!(ana.put(&pending, json!({"channel": "display"})).data(200)["channel"], "display");
}

fn workers_elsewhere_say_how_far_a_campaign_is(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.campaign("x");
    let (status, progress) = (format!("/campaigns/{id}/status"), format!("/campaigns/{id}/progress"));
    ana.put(&progress, json!({"progress_percentage": 10})).refused(409, "wrong_state");
    for wrong in ["pending", "completed", "failed"] {
        ana.put(&status, json!({"status": wrong})).refused(409, "wrong_state");
    }
    assert_eq!(ana.put(&status, json!({"status": "processing"})).data(200)["status"], "processing");
    let said = json!({"progress_percentage": 40.5, "current_step": "scoring", "total_records": 100, "processed_records": 40});
    let campaign = ana.put(&progress, said.clone()).data(200);
    for (field, value) in said.as_object().unwrap() {
        assert_eq!(&campaign[field], value);
    }
    let watched = ana.get(&format!("/scoring/progress/{id}")).data(200);
    assert_eq!((&watched["status"], &watched["progress_percentage"]), (&json!("processing"), &json!(40.5)));
    let by_query =
        ana.bare("PUT", &format!("{progress}?progress_percentage=60&current_step=finalizing")).data(200);
    assert_eq!(
        (&by_query["progress_percentage"], &by_query["current_step"]),
        (&json!(60.0), &json!("finalizing"))
    );
    for wrong in [json!({"progress_percentage": 101}), json!({"progress_percentage": -1}), json!({})] {
        ana.put(&progress, wrong).invalid("progress_percentage");
    }
    ana.put(&progress, json!({"progress_percentage": 1, "processed_records": -1}))
        .invalid("processed_records");
    ana.bare("PUT", &format!("{progress}?progress_percentage=much")).invalid("progress_percentage");
    ana.put(&status, json!({"status": "completed"})).refused(409, "wrong_state");
    let failed = ana.bare("PUT", &format!("{status}?status=failed&error_message=no%20power")).data(200);
    assert_eq!((&failed["status"], &failed["error_message"]), (&json!("failed"), &json!("no power")));
    ana.bare("PUT", &format!("{status}?status=lost")).invalid("status");
    ana.put(&status, json!({})).invalid("status");
    let again = ana.put(&status, json!({"status": "processing"})).data(200);
    assert_eq!(again["error_message"], Value::Null);
}

fn uploads_and_deletions_at_once_leave_nothing_behind(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.campaign("x");
    let uploaded = at_once(6, |_| ana.upload(&format!("/campaigns/{id}/upload"), "r.csv", &report()).status);
    assert!(uploaded.iter().all(|status| [201, 409].contains(status)), "{uploaded:?}");
    assert_eq!((service.stored_files(), ana.get("/reports/files").body(200)["total"].clone()), (1, json!(1)));
    let path = format!("/campaigns/{id}");
    let mixed = at_once(6, |at| match at {
        0 | 1 => ana.delete(&path).status,
        2 => ana.post("/scoring/start", json!({"campaign_id": id})).status,
        _ => ana.upload(&format!("{path}/upload"), "r.csv", &report()).status,
    });
    assert!(mixed.iter().all(|status| [200, 201, 202, 404, 409].contains(status)), "{mixed:?}");
    if ana.get(&path).status == 200 {
        ana.settled(&id);
        ana.delete(&format!("{path}?force=true")).body(200);
    }
    assert_eq!((service.stored_files(), ana.get("/reports/files").body(200)["total"].clone()), (0, json!(0)));
}

fn deleting_a_campaign_takes_its_files_and_results_along(on: Backend) {
    let mut service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let path = format!("/campaigns/{id}");
    ana.get(&format!("/scoring/whitelist/{id}")).data(200);
    let file = ana.get(&path).data(200)["file"]["id"].as_str().unwrap().to_owned();
    assert!(service.stored_files() >= 3, "report, results, list");
    ana.delete(&path).refused(409, "wrong_state");
    ana.delete(&format!("{path}?force=false")).refused(409, "wrong_state");
    ana.delete(&format!("{path}?force=true")).body(200);
    for gone in [
        path.clone(),
        format!("/reports/files/{file}"),
        format!("/scoring/results/{id}"),
        format!("/scoring/progress/{id}"),
    ] {
        ana.get(&gone).refused(404, "not_found");
    }
    ana.delete(&path).refused(404, "not_found");
    assert_eq!(service.stored_files(), 0, "the bytes are gone too");

    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let ana = service.signed_in("ana@example.com");
    let id = ana.campaign_with(&report());
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    ana.delete(&format!("/campaigns/{id}?force=true")).refused(409, "wrong_state");
    ana.bare("POST", &format!("/scoring/cancel/{id}")).data(200);
    ana.delete(&format!("/campaigns/{id}")).body(200);
    assert_eq!(service.stored_files(), 0);
}
