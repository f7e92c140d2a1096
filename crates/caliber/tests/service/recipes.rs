//! Recipes of one's own.

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::people::{id_of, report};
use crate::service::Service;

crate::on_both_databases! {
    a_recipe_is_added_as_json_or_toml_used_and_deleted,
    what_breaks_a_recipes_rules_is_refused_with_its_line,
    a_recipe_that_ships_is_known_by_its_name_and_stays,
}

fn ours(name: &str) -> Value {
    json!({"name": name, "platform": "trade_desk", "channel": "display", "goal": "awareness", "dimension": "domain",
        "min_impressions": 100, "metrics": [{"metric": "cpm", "weight": 0.4, "better": "lower"},
        {"metric": "ctr", "weight": 0.6, "better": "higher"}]})
}

const TOML: &str = r#"version = 1
name = "our-toml"
platform = "trade_desk"
channel = "display"
goal = "awareness"
ctr_sensitive = false
dimension = "domain"
min_impressions = 0
min_impression_share = 0.0

[[metrics]]
metric = "ctr"
weight = 1.0
better = "higher"
"#;

fn a_recipe_is_added_as_json_or_toml_used_and_deleted(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let made = ana.post("/scoring/recipes", ours("our-json")).data(201);
    for (field, value) in ours("our-json").as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    assert_eq!((&made["shipped"], &made["ctr_sensitive"]), (&json!(false), &json!(false)));
    let from_toml = ana.send("POST", "/scoring/recipes", "application/toml", TOML.into()).data(201);
    assert_eq!(from_toml["metrics"], json!([{"metric": "ctr", "weight": 1.0, "better": "higher"}]));
    ana.post("/scoring/recipes", ours("our-json")).refused(409, "conflict");
    ana.post("/scoring/recipes", ours("trade_desk-display-awareness")).refused(409, "conflict");
    let path = format!("/scoring/recipes/{}", id_of(&made));
    assert_eq!(ana.get(&path).data(200), made);
    let bob = service.manager("bob");
    bob.get(&path).refused(404, "not_found");
    bob.delete(&path).refused(404, "not_found");
    bob.post("/scoring/recipes", ours("our-json")).data(201);

    let id = ana.campaign_with(&report());
    let started = ana.post("/scoring/start", json!({"campaign_id": id, "recipe": "our-json"})).data(202);
    assert_eq!(started["config_used"]["recipe"], "our-json");
    assert_eq!(ana.settled(&id)["status"], "completed");
    let row = &ana.get(&format!("/scoring/results/{id}")).body(200)["data"][0];
    let metrics: Vec<&String> = row["score_breakdown"].as_object().unwrap().keys().collect();
    assert_eq!(metrics, ["cpm", "ctr"]);

    let mut changed = made;
    changed["name"] = json!("our-second");
    ana.post("/scoring/recipes", changed).data(201);
    ana.delete(&path).body(200);
    ana.get(&path).refused(404, "not_found");
    ana.get(&format!("/scoring/results/{id}")).body(200);
    ana.post("/scoring/start", json!({"campaign_id": id, "recipe": "our-json", "force_reprocess": true}))
        .invalid("recipe");
    // What was added does not change what is started without a name.
    let again = ana.post("/scoring/start", json!({"campaign_id": id, "force_reprocess": true})).data(202);
    assert_eq!(again["config_used"]["recipe"], "trade_desk-display-awareness");
}

fn what_breaks_a_recipes_rules_is_refused_with_its_line(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let toml = |text: &str| ana.send("POST", "/scoring/recipes", "application/toml", text.into());
    for (was, is, line) in [
        ("weight = 1.0", "weight = 0.7", ""),
        ("metric = \"ctr\"", "metric = \"luck\"", "line 12"),
        ("goal = \"awareness\"", "goal = \"fame\"", "line 5"),
        ("better = \"higher\"", "better = \"much\"", "line 14"),
        ("min_impressions = 0", "min_impresions = 0", "line 8"),
        ("channel = \"display\"", "channel = ", "line 4"),
    ] {
        let refused = toml(&TOML.replace(was, is)).refused(422, "invalid");
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(line), "{is}: {message}");
    }
    let mut heavy = ours("x");
    heavy["metrics"][0]["weight"] = json!(0.5);
    ana.post("/scoring/recipes", heavy).refused(422, "invalid");
    let mut unknown = ours("x");
    unknown["colour"] = json!("red");
    ana.post("/scoring/recipes", unknown).refused(422, "invalid");
    for wrong in [json!([]), json!(17), json!({}), json!({"name": 17}), json!({"metrics": {"a": [null]}})] {
        ana.post("/scoring/recipes", wrong).refused(422, "invalid");
    }
    ana.send("POST", "/scoring/recipes", "application/toml", vec![0xFF, 0xFE]).refused(422, "invalid");
}

fn a_recipe_that_ships_is_known_by_its_name_and_stays(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let recipes = ana.get("/scoring/recipes").body(200);
    let shipped = recipes["data"].as_array().unwrap();
    assert!(shipped.len() >= 12 && shipped.iter().all(|recipe| recipe["shipped"] == true));
    assert!(shipped.iter().all(|recipe| recipe["id"] == recipe["name"]));
    let one = ana.get("/scoring/recipes/trade_desk-display-awareness").data(200);
    let weights: f64 =
        one["metrics"].as_array().unwrap().iter().map(|metric| metric["weight"].as_f64().unwrap()).sum();
    assert!((weights - 1.0).abs() < 1e-9);
    ana.delete("/scoring/recipes/trade_desk-display-awareness").refused(409, "wrong_state");
    ana.get("/scoring/recipes/no-such-recipe").refused(404, "not_found");
}
