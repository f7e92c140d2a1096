//! Lists taken out, kept, and changed by hand.

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::people::report;
use crate::service::Service;

crate::on_both_databases! {
    a_list_is_taken_out_by_the_runs_way_or_another,
    a_list_that_differs_is_kept_as_the_next_version,
    names_by_hand_are_allowed_blocked_and_protected,
    a_version_says_what_was_protected_and_until_when_it_holds,
}

fn names(list: &Value) -> Vec<String> {
    list["domains"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn a_list_is_taken_out_by_the_runs_way_or_another(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    for (path, list_type) in [("whitelist", "whitelist"), ("blacklist", "blacklist")] {
        let list = ana.get(&format!("/scoring/{path}/{id}")).data(200);
        assert_eq!((&list["list_type"], &list["campaign_id"]), (&json!(list_type), &json!(id)));
        let rows = list["rows"].as_array().unwrap();
        assert_eq!(rows.len(), names(&list).len());
        let sum = |of: &str| rows.iter().map(|row| row[of].as_f64().unwrap()).sum::<f64>();
        assert_eq!(list["total_impressions"].as_f64().unwrap(), sum("impressions"));
        assert!((list["total_spend"].as_f64().unwrap() - sum("spend")).abs() < 1e-9);
        assert!((list["average_score"].as_f64().unwrap() - sum("score") / rows.len() as f64).abs() < 1e-9);
        assert!(rows.iter().all(|row| !row["reason"].as_str().unwrap().is_empty()));
        let criteria = &list["criteria_used"];
        assert_eq!(
            (&criteria["policy"], &criteria["selected_count"]),
            (&json!("quartile"), &json!(rows.len()))
        );
        assert_eq!((&criteria["min_impressions"].as_f64(), &criteria["share"]), (&Some(250.0), &json!(0.25)));
        assert_eq!(criteria["total_candidates"], 33);
        let body = json!({"campaign_id": id, "list_type": list_type});
        assert_eq!(ana.post("/scoring/optimization-list", body).data(200), list, "the same by a body");
        assert_eq!(
            ana.at_root().get(&format!("/scoring/{path}/{id}")).data(200),
            list,
            "and without a version"
        );
        let few = ana.get(&format!("/scoring/{path}/{id}?share=0.1&min_impressions=1000")).data(200);
        assert!(
            few["rows"].as_array().unwrap().iter().all(|row| row["impressions"].as_f64().unwrap() >= 1000.0)
        );
        assert!(names(&few).len() < names(&list).len());
        for (query, field) in [
            ("share=0", "share"),
            ("share=0.51", "share"),
            ("share=NaN", "share"),
            ("policy=mood", "policy"),
            ("min_impressions=-1", "min_impressions"),
        ] {
            ana.get(&format!("/scoring/{path}/{id}?{query}")).invalid(field);
        }
    }
    let half = |path: &str| names(&ana.get(&format!("/scoring/{path}/{id}?share=0.5")).data(200));
    assert!(half("whitelist").iter().all(|name| !half("blacklist").contains(name)), "no name is on both");
    ana.post("/scoring/optimization-list", json!({"campaign_id": id, "list_type": "greylist"}))
        .invalid("list_type");
    ana.post("/scoring/optimization-list", json!({"campaign_id": id})).invalid("list_type");
    ana.post(
        "/scoring/optimization-list",
        json!({"campaign_id": id, "list_type": "whitelist", "share": 0.7}),
    )
    .invalid("share");
}

fn a_list_that_differs_is_kept_as_the_next_version(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let (whitelist, versions) = (format!("/scoring/whitelist/{id}"), format!("/scoring/lists/{id}/versions"));
    assert_eq!(ana.get(&versions).body(200)["total"], 0);
    let first = ana.get(&whitelist).data(200);
    ana.get(&whitelist).data(200);
    assert_eq!(ana.get(&versions).body(200)["total"], 1, "the same list again is no version");
    let second = ana.get(&format!("{whitelist}?share=0.1")).data(200);
    ana.get(&format!("/scoring/blacklist/{id}")).data(200);
    let kept = ana.get(&versions).body(200);
    let numbers: Vec<_> = kept["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| (version["number"].clone(), version["list_type"].clone()))
        .collect();
    assert_eq!(
        numbers,
        [(json!(3), json!("blacklist")), (json!(2), json!("whitelist")), (json!(1), json!("whitelist"))]
    );
    let version = ana.get(&format!("{versions}/2")).data(200);
    assert_eq!(version["names"], second["domains"]);
    let gone: Vec<String> = names(&first).into_iter().filter(|name| !names(&second).contains(name)).collect();
    assert_eq!((&version["removed"], &version["added"]), (&json!(gone), &json!([])));
    assert_eq!(
        (&version["removed_count"], &version["names_count"]),
        (&json!(gone.len()), &json!(names(&second).len()))
    );
    assert_eq!(
        (&version["author"], &version["policy"], &version["expires_at"]),
        (&json!("ana"), &json!("quartile"), &Value::Null)
    );
    assert_eq!(version["criteria"], second["criteria_used"]);
    assert_eq!(ana.get(&format!("{versions}/1")).data(200)["names"], first["domains"]);
    for number in ["0", "4", "-1", "one", "99999999999999999999"] {
        ana.get(&format!("{versions}/{number}")).refused(404, "not_found");
    }
    let page = ana.get(&format!("{versions}?page=2&per_page=2")).body(200);
    assert_eq!(
        (&page["data"][0]["number"], &page["has_prev"], &page["has_next"]),
        (&json!(1), &json!(true), &json!(false))
    );
}

fn names_by_hand_are_allowed_blocked_and_protected(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let list = |path: &str| names(&ana.get(&format!("/scoring/{path}/{id}")).data(200));
    let (white, black) = (list("whitelist"), list("blacklist"));
    let overrides = format!("/scoring/lists/{id}/overrides");
    let by_hand = json!({"allow": [black[0]], "block": [white[0]], "protect": [black[1]]});
    assert_eq!(ana.put(&overrides, by_hand.clone()).data(200), by_hand);
    let (white_now, black_now) = (list("whitelist"), list("blacklist"));
    assert!(white_now.contains(&black[0]) && !white_now.contains(&white[0]), "{white_now:?}");
    assert!(
        black_now.contains(&white[0]) && !black_now.contains(&black[0]) && !black_now.contains(&black[1]),
        "{black_now:?}"
    );
    let both = json!({"allow": ["a.example"], "block": ["A.example"]});
    ana.put(&overrides, both).invalid("allow");
    ana.put(&overrides, json!({"block": [""]})).invalid("block[0]");
    let none = json!({"allow": [], "block": [], "protect": []});
    assert_eq!(ana.put(&overrides, json!({})).data(200), none, "what is left out is none");
    assert_eq!((list("whitelist"), list("blacklist")), (white, black.clone()));
    ana.put("/organizations/current", json!({"protected_names": [black[0]]})).data(200);
    assert!(!list("blacklist").contains(&black[0]), "the organisation's names are never blocked");
}

fn a_version_says_what_was_protected_and_until_when_it_holds(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let path = format!("/scoring/blacklist/{id}");
    let version = |number: u64| ana.get(&format!("/scoring/lists/{id}/versions/{number}")).data(200);
    let open = ana.get(&path).data(200);
    assert_eq!((open["criteria_used"].get("protected"), &version(1)["protected"]), (None, &json!([])));
    assert_eq!(version(1)["expires_at"], Value::Null);
    let worst = &names(&open)[0];
    ana.put(&format!("/scoring/lists/{id}/overrides"), json!({"protect": [worst, "nowhere.example"]}))
        .data(200);
    let kept = ana.get(&path).data(200);
    assert!(!names(&kept).contains(worst));
    assert_eq!(
        kept["criteria_used"]["protected"],
        json!([worst]),
        "not those that nobody would have blocked"
    );
    let second = version(2);
    assert_eq!((&second["protected"], &second["removed"]), (&json!([worst]), &json!([worst])));
    assert_eq!((&second["author"], &second["added"]), (&json!("ana"), &json!([])));
    let white = ana.get(&format!("/scoring/whitelist/{id}")).data(200);
    assert_eq!(white["criteria_used"].get("protected"), None, "nothing is kept off a whitelist");

    let until = "2999-01-01T00:00:00Z";
    ana.get(&format!("{path}?expires_at={until}")).data(200);
    assert_eq!(version(4)["expires_at"], until, "the same names until another time are another version");
    let body = json!({"campaign_id": id, "list_type": "blacklist", "expires_at": until});
    ana.post("/scoring/optimization-list", body.clone()).data(200);
    ana.get(&path).data(200);
    let versions = ana.get(&format!("/scoring/lists/{id}/versions")).body(200);
    assert_eq!(versions["total"], 4, "the same again is no version");
    assert_eq!(versions["data"][0]["expires_at"], until);
    for past in ["2020-01-01T00:00:00Z", "tomorrow"] {
        ana.get(&format!("{path}?expires_at={past}")).invalid("expires_at");
    }
}
