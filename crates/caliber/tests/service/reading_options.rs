//! What a call says of how a report is read: scales, rows, a file without headers; as the command line has it.

use std::process::Command;

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::Client;
use crate::people::id_of;
use crate::service::Service;

crate::on_both_databases! {
    a_scale_by_hand_changes_the_results_as_on_the_command_line,
    rows_of_one_currency_are_scored_where_a_report_has_two,
    a_file_without_headers_is_read_by_position,
    what_cannot_be_said_of_a_report_is_refused_with_its_field,
}

/// Nothing tells whether its CTR is percent: no counts, no `%`, and no value above 1.
const OPEN_SCALE: &str =
    "Domain,Impressions,Spend,CTR\na.example,1000,1,0.5\nb.example,1000,2,0.25\nc.example,1000,3,0.75\n";
const TWO_CURRENCIES: &str = "Domain,Currency,Impressions,Spend,Clicks\na.example,USD,1000,1,1\n\
                              a.example,EUR,2000,1,1\nb.example,USD,4000,1,2\nb.example,EUR,800,1,2\n";
const NO_HEADER: &str = "a.example,1000,1,10\nb.example,900,2,20\nc.example,800,3,15\n";

/// A campaign for a report of no platform, with that report.
fn campaign(ana: &Client, report: &str) -> String {
    let new = json!({"name": "x", "campaign_type": "generic", "goal": "awareness", "channel": "display"});
    let id = id_of(&ana.post("/campaigns", new).data(201));
    ana.upload(&format!("/campaigns/{id}/upload"), "report.csv", report.as_bytes()).data(201);
    id
}

/// Scores; what the run went by, and the summary, of which what differs from run to run is taken out.
fn scored(ana: &Client, id: &str, how: &Value) -> (Value, Value) {
    let mut start = json!({"campaign_id": id, "force_reprocess": true, "min_impressions": 0});
    start.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
    let config = ana.post("/scoring/start", start).data(202)["config_used"].clone();
    let settled = ana.settled(id);
    assert_eq!(settled["status"], "completed", "{settled}");
    (config, comparable(ana.get(&format!("/scoring/summary/{id}")).data(200)))
}

/// The summary of the same on the command line.
fn printed(service: &Service, report: &str, flags: &[&str]) -> Value {
    std::fs::write(service.folder().join("report.csv"), report).unwrap();
    let call = ["score", "report.csv", "--quiet", "--out", "out", "--min-impressions", "0"];
    let platform = ["--platform", "generic", "--channel", "display"];
    let done = Command::new(env!("CARGO_BIN_EXE_caliber"))
        .args([&call[..], &platform, flags].concat())
        .current_dir(service.folder())
        .output()
        .unwrap();
    assert!(done.status.success(), "{flags:?}: {}", String::from_utf8_lossy(&done.stderr));
    let summary = std::fs::read(service.folder().join("out/summary.json")).unwrap();
    comparable(serde_json::from_slice(&summary).unwrap())
}

fn comparable(mut summary: Value) -> Value {
    let fields = summary.as_object_mut().unwrap();
    for of_one_run in ["campaign_id", "run_id", "completed_at", "elapsed_ms"] {
        fields.remove(of_one_run);
    }
    assert!(fields.contains_key("normalization_stats") && fields.contains_key("rows_dropped"));
    numbers_alike(&mut summary);
    summary
}

/// Writes every number as a fraction: 3 and 3.0 are the same.
fn numbers_alike(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64().unwrap()),
        Value::Array(parts) => parts.iter_mut().for_each(numbers_alike),
        Value::Object(fields) => fields.values_mut().for_each(numbers_alike),
        _ => {}
    }
}

fn a_scale_by_hand_changes_the_results_as_on_the_command_line(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = campaign(&ana, OPEN_SCALE);
    let mut seen = Vec::new();
    for (how, flags, highest) in [
        (json!({}), vec![], 0.75),
        (json!({"scales": {"ctr": "percent"}}), vec!["--scale", "ctr=percent"], 0.0075),
        (json!({"scales": {"ctr": "fraction"}}), vec!["--scale", "ctr=fraction"], 0.75),
    ] {
        let (config, summary) = scored(&ana, &id, &how);
        assert_eq!(config["scales"], how.get("scales").cloned().unwrap_or_else(|| json!({})));
        assert_eq!(summary, printed(&service, OPEN_SCALE, &flags), "{how}");
        let rows = ana.get(&format!("/scoring/results/{id}")).data(200);
        let ctr = rows.as_array().unwrap().iter().map(|row| row["ctr"].as_f64().unwrap());
        assert!((ctr.fold(0.0, f64::max) - highest).abs() < 1e-12, "{how}: {rows}");
        let quality = ana.get(&format!("/campaigns/{id}")).data(200)["data_quality_report"].clone();
        seen.push(quality["warnings"].to_string().contains("scale_guessed"));
    }
    assert_eq!(seen, [true, false, false], "what was said is no guess");
    let (config, _) = scored(&ana, &id, &json!({"scales": {"completion_rate": "percent"}}));
    assert_eq!(
        config["scales"],
        json!({"player_completion_rate": "percent"}),
        "by the dictionary's own name"
    );
}

fn rows_of_one_currency_are_scored_where_a_report_has_two(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = campaign(&ana, TWO_CURRENCIES);
    let file = ana.get("/reports/files").data(200)[0]["id"].as_str().unwrap().to_owned();
    let validation = ana.get(&format!("/reports/files/{file}/validate")).data(200);
    assert_eq!(validation["valid"], false, "{validation}");
    assert!(validation["errors"][0].as_str().unwrap().contains("EUR and USD"), "{validation}");
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    let failed = ana.settled(&id);
    assert!(failed["error_message"].as_str().unwrap().contains("EUR and USD"), "{failed}");

    for (how, flag, impressions) in [
        (json!({"Currency": "EUR"}), "Currency=EUR", 2800.0),
        (json!({"currency": "us*"}), "currency=us*", 5000.0),
        (json!({"#2": "EUR"}), "#2=EUR", 2800.0),
    ] {
        let (config, summary) = scored(&ana, &id, &json!({"where": how}));
        assert_eq!(config["where"], how);
        assert_eq!(summary["total_impressions"], impressions, "{how}: {summary}");
        assert_eq!(summary, printed(&service, TWO_CURRENCIES, &["--where", flag]), "{how}");
    }
    for (how, said) in [(json!({"Nation": "DE"}), "Nation"), (json!({"Currency": "GBP"}), "no row matches")] {
        ana.post("/scoring/start", json!({"campaign_id": id, "force_reprocess": true, "where": how}))
            .data(202);
        let failed = ana.settled(&id);
        assert!(failed["error_message"].as_str().unwrap().contains(said), "{failed}");
    }
}

fn a_file_without_headers_is_read_by_position(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = campaign(&ana, NO_HEADER);
    let mapping = json!({"domain": "#1", "impressions": "#2", "spend": "#3", "clicks": "#4"});
    let (config, summary) = scored(&ana, &id, &json!({"no_header": true, "mapping": mapping}));
    assert_eq!((&config["no_header"], &config["mapping"]), (&json!(true), &mapping));
    assert_eq!((&summary["rows_read"], &summary["total_impressions"]), (&json!(3.0), &json!(2700.0)));
    let maps = ["domain=#1", "impressions=#2", "spend=#3", "clicks=#4"];
    let mut flags = vec!["--no-header"];
    flags.extend(maps.iter().flat_map(|map| ["--map", map]));
    assert_eq!(summary, printed(&service, NO_HEADER, &flags));
}

fn what_cannot_be_said_of_a_report_is_refused_with_its_field(on: Backend) {
    let service = Service::with(on, &[("CALIBER_WORKERS", "0")]);
    let ana = service.manager("ana");
    let id = campaign(&ana, OPEN_SCALE);
    for (how, field) in [
        (json!({"scales": {"ctr": "tenth"}}), "scales.ctr"),
        (json!({"scales": {"nonsense": "percent"}}), "scales.nonsense"),
        (json!({"scales": {"clicks": "percent"}}), "scales.clicks"),
        (
            json!({"scales": {"completion_rate": "percent", "player_completion_rate": "fraction"}}),
            "scales.player_completion_rate",
        ),
        (json!({"scales": ["ctr"]}), "scales"),
        (json!({"where": {"Country": 3}}), "where.Country"),
        (json!({"where": {"": "DE"}}), "where"),
        (json!({"where": {"Country": "D".repeat(501)}}), "where.Country"),
        (json!({"no_header": "yes"}), "no_header"),
        (json!({"no_header": true}), "no_header"),
    ] {
        let mut start = json!({"campaign_id": id});
        start.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
        let message = ana.post("/scoring/start", start).invalid(field);
        assert!(!message.contains("--"), "a flag is of the command line: {message}");
    }
    assert_eq!(ana.get("/jobs").body(200)["total"], 0, "nothing was begun");
}
