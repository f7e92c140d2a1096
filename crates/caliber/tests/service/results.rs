//! Results: the truth of the fixtures, and of the command line, a page at a time.

use std::collections::BTreeMap;

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::Client;
use crate::people::fixture;
use crate::service::Service;

crate::on_both_databases! {
    results_are_those_of_the_fixtures,
    results_summary_and_quality_are_those_of_the_command_line,
    results_are_sorted_filtered_searched_and_paged,
    a_row_is_found_by_its_name_however_it_is_written,
    vendors_are_scored_where_the_campaign_says_so,
}

fn campaign(client: &Client, name: &str, expected: &Value, level: &str) -> String {
    let new = json!({"name": name, "campaign_type": expected["platform"], "goal": expected["goal"],
        "channel": expected["channel"], "ctr_sensitivity": expected["ctr_sensitive"], "analysis_level": level});
    let id = crate::people::id_of(&client.post("/campaigns", new).data(201));
    client.upload(&format!("/campaigns/{id}/upload"), name, &fixture(name)).data(201);
    client.post("/scoring/start", json!({"campaign_id": id})).data(202);
    let settled = client.settled(&id);
    assert_eq!(settled["status"], "completed", "{name}: {settled}");
    id
}

/// All rows, in order.
fn rows(client: &Client, id: &str, query: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let body = client.get(&format!("/scoring/results/{id}?per_page=7&page={page}&{query}")).body(200);
        rows.extend(body["data"].as_array().unwrap().iter().cloned());
        if body["has_next"] == false {
            assert_eq!(body["total"], rows.len());
            return rows;
        }
    }
    unreachable!()
}

fn near(is: &Value, must: &Value, what: &str) {
    match (is.as_f64(), must.as_f64()) {
        (Some(is), Some(must)) => {
            assert!((is - must).abs() <= 1e-6 * must.abs().max(1.0), "{what}: {is} and not {must}");
        }
        _ => assert_eq!(is, must, "{what}"),
    }
}

fn results_are_those_of_the_fixtures(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    for name in
        ["ttd_display", "ttd_ctv", "ttd_audio", "ttd_display-ctr_sensitive", "pp_video", "ttd_display-action"]
    {
        let expected: Value = serde_json::from_slice(&fixture(&format!("{name}.expected.json"))).unwrap();
        // PulsePoint's fixtures are scored by vendor where their rows say so.
        let id = campaign(&ana, &format!("{name}.csv"), &expected, level_of(&ana, &expected));
        let rows: BTreeMap<String, Value> = rows(&ana, &id, "")
            .into_iter()
            .map(|row| (row["domain"].as_str().unwrap().to_owned(), row))
            .collect();
        let must = expected["rows"].as_array().unwrap();
        assert_eq!(rows.len(), must.len(), "{name}");
        for must in must {
            let entity = must["entity"].as_str().unwrap();
            let row = &rows[entity];
            for (field, theirs) in [
                ("score", "score"),
                ("percentile", "percentile_rank"),
                ("impressions", "impressions"),
                ("spend", "spend"),
                ("cpm", "cpm"),
            ] {
                if must.get(theirs).is_some() {
                    near(&row[field], &must[theirs], &format!("{name} {entity} {field}"));
                }
            }
            for (metric, normalized) in row["normalized_metrics"].as_object().unwrap() {
                near(
                    normalized,
                    &must[&format!("{metric}_normalized")],
                    &format!("{name} {entity} {metric} normalised"),
                );
                near(&row["raw_metrics"][metric], &must[metric], &format!("{name} {entity} {metric}"));
            }
            assert_eq!(row["quality_status"], must["quality_status"], "{name} {entity}");
            assert_eq!(row["is_outlier"], must["is_outlier"], "{name} {entity}");
            let parts = row["score_breakdown"].as_object().unwrap().values();
            let sum: f64 = parts.map(|part| part["contribution"].as_f64().unwrap()).sum();
            near(&json!(sum), &row["score"], &format!("{name} {entity}: its parts make the score"));
        }
        for (path, list) in [("whitelist", "whitelist"), ("blacklist", "blacklist")] {
            let taken = ana.get(&format!("/scoring/{path}/{id}")).data(200);
            assert_eq!(taken["domains"], expected[list], "{name} {list}");
        }
        let summary = ana.get(&format!("/scoring/summary/{id}")).data(200);
        near(&summary["campaign_score"], &expected["campaign"]["campaign_level_score"], name);
        near(&summary["total_spend"], &expected["campaign"]["total_spend"], name);
    }
}

/// What the recipe scores that the fixture was made with.
fn level_of(client: &Client, expected: &Value) -> &'static str {
    let recipes = client.get("/scoring/recipes").body(200);
    let is_it = |recipe: &&Value| {
        recipe["platform"] == expected["platform"]
            && recipe["ctr_sensitive"] == expected["ctr_sensitive"]
            && [&expected["goal"], &json!("either")].contains(&&recipe["goal"])
            && recipe["channel"].to_string().contains(expected["channel"].as_str().unwrap())
    };
    let recipe = recipes["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no recipe for {expected}"));
    if recipe["dimension"] == "supply_vendor" { "supply_vendor" } else { "domain" }
}

fn results_summary_and_quality_are_those_of_the_command_line(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let expected: Value = serde_json::from_slice(&fixture("ttd_display.expected.json")).unwrap();
    let id = campaign(&ana, "ttd_display.csv", &expected, "domain");
    let (file, out) = (service.folder().join("ttd_display.csv"), service.folder().join("out"));
    std::fs::write(&file, fixture("ttd_display.csv")).unwrap();
    let scored = std::process::Command::new(env!("CARGO_BIN_EXE_caliber"))
        .args(["score", "--platform", "trade_desk", "--channel", "display", "--format", "json", "--out"])
        .args([&out, &file])
        .output()
        .unwrap();
    assert!(scored.status.success());
    let read =
        |name: &str| -> Value { serde_json::from_slice(&std::fs::read(out.join(name)).unwrap()).unwrap() };

    let (theirs, ours) = (read("results.json"), rows(&ana, &id, ""));
    assert_eq!(ours.len(), theirs.as_array().unwrap().len());
    for (ours, theirs) in ours.iter().zip(theirs.as_array().unwrap()) {
        for (field, value) in theirs.as_object().unwrap() {
            let same = match field.strip_suffix("_normalized") {
                Some(metric) => &ours["normalized_metrics"][metric],
                None => match field.strip_suffix("_contribution") {
                    Some(metric) => &ours["score_breakdown"][metric]["contribution"],
                    None => ours.get(field).unwrap_or(&ours["raw_metrics"][field]),
                },
            };
            let is_number = value.is_number() && same.as_f64() == value.as_f64();
            assert!(is_number || same == value, "{}: {field} is {same} and not {value}", ours["domain"]);
        }
    }
    let mut summary = ana.get(&format!("/scoring/summary/{id}")).data(200);
    let mut theirs = read("summary.json");
    for own in ["campaign_id", "run_id", "completed_at"] {
        assert!(summary.as_object_mut().unwrap().remove(own).unwrap().is_string(), "{own}");
    }
    for document in [&mut summary, &mut theirs] {
        document["elapsed_ms"] = json!(0);
        document["files"].as_array_mut().unwrap().iter_mut().for_each(|file| *file = Value::Null);
    }
    assert_eq!(in_floats(summary), in_floats(theirs));
    let mut quality = ana.get(&format!("/campaigns/{id}")).data(200)["data_quality_report"].clone();
    let mut theirs = read("quality.json");
    for document in [&mut quality, &mut theirs] {
        document["files"][0]["file"] = Value::Null;
    }
    assert_eq!(in_floats(quality), in_floats(theirs));
}

/// The document with `1` and `1.0` as one.
fn in_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(values) => values.into_iter().map(in_floats).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, in_floats(value))).collect(),
        other => other,
    }
}

fn results_are_sorted_filtered_searched_and_paged(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&crate::people::report());
    let all = rows(&ana, &id, "");
    let names = |query: &str| -> Vec<String> {
        rows(&ana, &id, query).iter().map(|row| row["domain"].as_str().unwrap().to_owned()).collect()
    };
    let number = |row: &Value, of: &str| match of.strip_prefix("metric.") {
        Some(metric) => row["raw_metrics"][metric].as_f64(),
        None => row[of].as_f64(),
    };
    for of in [
        "score",
        "impressions",
        "spend",
        "cpm",
        "ctr",
        "conversion_rate",
        "percentile_rank",
        "metric.ctr",
        "metric.ad_load_xl_rate",
    ] {
        for direction in ["asc", "desc"] {
            let mut must = all.clone();
            must.sort_by(|a, b| {
                let (x, y) = (number(a, of), number(b, of));
                let by = match (x, y) {
                    (Some(x), Some(y)) if direction == "asc" => x.total_cmp(&y),
                    (Some(x), Some(y)) => y.total_cmp(&x),
                    (x, y) => y.is_some().cmp(&x.is_some()),
                };
                by.then(number(b, "impressions").unwrap().total_cmp(&number(a, "impressions").unwrap()))
                    .then(a["domain"].as_str().cmp(&b["domain"].as_str()))
            });
            let must: Vec<&str> = must.iter().map(|row| row["domain"].as_str().unwrap()).collect();
            assert_eq!(names(&format!("sort_by={of}&sort_direction={direction}")), must, "{of} {direction}");
        }
    }
    let mut by_name: Vec<&str> = all.iter().map(|row| row["domain"].as_str().unwrap()).collect();
    by_name.sort_unstable();
    assert_eq!(names("sort_by=domain&sort_direction=asc"), by_name);
    ana.get(&format!("/scoring/results/{id}?sort_by=metric.luck")).invalid("sort_by");

    let kept = |keep: &dyn Fn(&Value) -> bool| -> Vec<String> {
        all.iter().filter(|row| keep(row)).map(|row| row["domain"].as_str().unwrap().to_owned()).collect()
    };
    let middle = &all[all.len() / 2];
    let (score, impressions) = (middle["score"].as_f64().unwrap(), middle["impressions"].as_f64().unwrap());
    assert_eq!(
        names(&format!("min_score={score}")),
        kept(&|row| row["score"].as_f64().unwrap() >= score),
        "inclusive"
    );
    assert_eq!(
        names(&format!("max_score={score}")),
        kept(&|row| row["score"].as_f64().unwrap() <= score),
        "inclusive"
    );
    assert_eq!(
        names(&format!("min_impressions={impressions}")),
        kept(&|row| row["impressions"].as_f64().unwrap() >= impressions)
    );
    for status in ["good", "moderate", "poor"] {
        let found = names(&format!("quality_status={status}"));
        assert!(!found.is_empty());
        assert_eq!(found, kept(&|row| row["quality_status"] == status));
    }
    assert_eq!(names("outliers_only=true"), kept(&|row| row["is_outlier"] == true));
    assert_eq!(names("search=NEWS"), kept(&|row| row["domain"].as_str().unwrap().contains("news")));
    assert_eq!(names("search=%25"), [""; 0]);
    assert_eq!(
        names("search=news&quality_status=good&min_score=1").len(),
        kept(&|row| row["quality_status"] == "good" && row["domain"].as_str().unwrap().contains("news"))
            .len()
    );
    let second = ana.get(&format!("/scoring/results/{id}?page=2&per_page=10")).body(200);
    assert_eq!(second["data"], json!(all[10..20]));
    assert_eq!(
        (&second["page"], &second["per_page"], &second["has_next"], &second["has_prev"]),
        (&json!(2), &json!(10), &json!(true), &json!(true))
    );
    let beyond = ana.get(&format!("/scoring/results/{id}?page=1000&per_page=100")).body(200);
    assert_eq!((&beyond["data"], &beyond["total"]), (&json!([]), &json!(all.len())));
    assert_eq!(
        ana.at_root().get(&format!("/scoring/results/{id}?per_page=100")).body(200)["data"],
        json!(all),
        "without a version too"
    );
}

fn a_row_is_found_by_its_name_however_it_is_written(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let report = "Site,Impressions,Advertiser Cost,Clicks,IAS Display Fully In View 1 Second Rate,Ad Load - XL (Excessive) - Impressions,Ad Refresh - Below 15s - Impressions\n\
        bücher.example,1000,3,4,0.5,1,1\nnews.example,2000,5,9,0.6,2,3\nsport.example,3000,5,9,0.7,2,3\nweather.example,1500,5,3,0.4,2,5\n";
    let id = ana.scored(report.as_bytes());
    let path = format!("/scoring/results/{id}");
    let found = |name: &str| ana.get(&format!("{path}/{name}")).data(200);
    let row = found("xn--bcher-kva.example");
    assert_eq!(
        (&row["domain"], &row["domain_display"]),
        (&json!("xn--bcher-kva.example"), &json!("bücher.example"))
    );
    for name in ["b%C3%BCcher.example", "B%C3%9CCHER.example", "https%3A%2F%2Fwww.b%C3%BCcher.example%2Fpage"]
    {
        assert_eq!(found(name), row, "{name}");
    }
    assert_eq!(found("NEWS.example")["domain"], "news.example");
    let missing = ana.get(&format!("{path}/newz.example")).refused(404, "not_found");
    assert!(missing["message"].as_str().unwrap().contains("news.example"), "{missing}");
    for odd in ["%20", "%2F", "%00", "..%2F..", &"x".repeat(3000)] {
        ana.get(&format!("{path}/{odd}")).refused(404, "not_found");
    }
    assert_eq!(rows(&ana, &id, "search=%C3%BC").len(), 1, "found as it is displayed too");
}

fn vendors_are_scored_where_the_campaign_says_so(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let expected =
        json!({"platform": "trade_desk", "goal": "awareness", "channel": "display", "ctr_sensitive": false});
    let id = campaign(&ana, "ttd_display.csv", &expected, "supply_vendor");
    let rows = rows(&ana, &id, "");
    assert!(rows.iter().any(|row| row["domain"] == "Magnite"), "{rows:?}");
    assert_eq!(ana.get(&format!("/scoring/results/{id}/Magnite")).data(200)["domain_display"], "Magnite");
    assert_eq!(ana.get(&format!("/scoring/summary/{id}")).data(200)["dimension"], "supply_vendor");
}
