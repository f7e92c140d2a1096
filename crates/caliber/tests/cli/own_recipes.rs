//! Recipes of one's own: a fifth platform that is nothing but data, and refusals that point at the line.

use crate::call::{Call, Place, assert_error, assert_says};
use crate::tables;

/// A DSP that the program does not know: its own headers, a count of its own, and two metrics made of them.
const ACME: &str = r#"version = 1
name = "acme-display"
platform = "acme"
channel = "display"
goal = "either"
ctr_sensitive = false
dimension = "domain"
min_impressions = 100
min_impression_share = 0.0

[columns]
domain = ["Seite"]
impressions = ["Einblendungen"]
spend = ["Kosten"]
acme_attention_seconds = ["Aufmerksamkeit (s)"]

[[derived]]
name = "acme_attention"
numerator = "acme_attention_seconds"
denominator = "impressions"
per = 1

[[metrics]]
metric = "cpm"
weight = 0.4
better = "lower"

[[metrics]]
metric = "acme_attention"
weight = 0.6
better = "higher"
"#;

const REPORT: &str = "Seite,Einblendungen,Kosten,Aufmerksamkeit (s)\n\
    a.example,1000,1,4000\na.example,1000,3,2000\nb.example,500,1,500\nc.example,400,2,2000\nd.example,99,1,9\n";

/// A place with the report and the recipe in a folder.
fn acme() -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path("recipes")).unwrap();
    place.write("recipes/acme.toml", ACME);
    place.write("r.csv", REPORT);
    place
}

#[test]
fn a_fifth_platform_needs_a_folder_of_data_only() {
    let place = acme();
    assert_eq!(place.refusal(&["r.csv"])["code"], "no_header", "without the folder its words are unknown");
    let summary = place.score(&["r.csv", "--recipe-dir", "recipes", "--out", "out"]);
    assert_eq!((&summary["platform"], &summary["channel"]), (&"acme".into(), &"display".into()));
    assert_eq!((&summary["scored"], &summary["below_minimum"]["count"]), (&3.into(), &1.into()));
    let table = tables::csv(&place, "out");
    assert!(table.columns.contains(&"acme_attention_contribution".to_owned()), "{:?}", table.columns);
    let expected = [("c.example", 5.0, 5.0), ("a.example", 2.0, 3.0), ("b.example", 2.0, 1.0)];
    for (name, cpm, attention) in expected {
        let row = table.names().iter().position(|found| found == name).unwrap();
        assert_eq!(table.numbers("cpm")[row], cpm, "{name}");
        assert_eq!(table.numbers("acme_attention")[row], attention, "{name}");
        // cpm from 2 to 5, lower is better; attention from 1 to 5.
        let score = 0.4 * (5.0 - cpm) / 3.0 * 100.0 + 0.6 * (attention - 1.0) / 4.0 * 100.0;
        assert!((table.numbers("score")[row] - score).abs() < 1e-9, "{name}: not {score}");
    }
}

#[test]
fn ones_own_platform_is_known_by_flag_file_folder_and_data_folder() {
    let place = acme();
    let read = |folder: &str| place.read(&format!("{folder}/results.csv"));
    place.score(&["r.csv", "--recipe-dir", "recipes", "--out", "recognised"]);
    place.score(&[
        "r.csv",
        "--recipe-dir",
        "recipes",
        "--platform",
        "acme",
        "--channel",
        "display",
        "--out",
        "flag",
    ]);
    place.score(&["r.csv", "--recipe", "recipes/acme.toml", "--out", "file"]);
    place.score(&["r.csv", "--recipe-dir", "recipes", "--recipe", "acme-display", "--out", "name"]);
    for folder in ["flag", "file", "name"] {
        assert_eq!(read(folder), read("recognised"), "{folder}");
    }
    let call = ["score", "r.csv", "--out", "data"];
    std::fs::create_dir_all(place.path("home")).unwrap();
    std::fs::rename(place.path("recipes"), place.path("home/recipes")).unwrap();
    Call::new(&place, &call).with("CALIBER_DATA", "home").run().done();
    assert_eq!(read("data"), read("recognised"), "CALIBER_DATA/recipes");
    std::fs::rename(place.path("home"), place.path("caliber-data")).unwrap();
    place.score(&["r.csv", "--out", "usual"]);
    assert_eq!(read("usual"), read("recognised"), "./caliber-data/recipes");
    let list = place.run(&["recipes", "--json"]).done().stdout;
    assert!(list.contains("acme-display"), "{list}");
}

#[test]
fn a_recipe_that_breaks_a_rule_is_refused_at_its_line() {
    for (from, to, says) in [
        ("weight = 0.6", "weight = 0.5", "0.9"),
        ("weight = 0.6", "weight = 1.6", "1.6"),
        ("weight = 0.6", "weight = 0", "0"),
        ("weight = 0.6", "weight = -0.6", "-0.6"),
        ("metric = \"cpm\"", "metric = \"cpmm\"", "cpmm"),
        ("metric = \"cpm\"", "metric = \"acme_attention\"", "acme_attention"),
        ("better = \"lower\"", "better = \"less\"", "less"),
        ("goal = \"either\"", "goal = \"fame\"", "fame"),
        ("channel = \"display\"", "channel = \"radio\"", "radio"),
        ("dimension = \"domain\"", "dimension = \"country\"", "country"),
        ("version = 1", "version = 2", "2"),
        ("min_impressions = 100", "min_impresions = 100", "min_impresions"),
        ("min_impressions = 100", "min_impressions = -1", "-1"),
        ("min_impression_share = 0.0", "min_impression_share = 1.5", "1.5"),
        ("per = 1", "per = 10", "10"),
        ("numerator = \"acme_attention_seconds\"", "numerator = \"gone\"", "gone"),
        ("ctr_sensitive = false", "ctr_sensitive = \"no\"", "ctr_sensitive"),
        ("goal = \"either\"", "goal = either", ""),
    ] {
        assert!(ACME.contains(from), "{from}");
        let text = ACME.replacen(from, to, 1);
        let place = acme();
        place.write("bad.toml", &text);
        let error = place.run(&["recipes", "check", "bad.toml", "--json"]).error(2);
        let line = error["line"].as_u64();
        let changed = ACME.lines().zip(text.lines()).position(|(before, after)| before != after).unwrap();
        // A sum, and what a metric given twice or a word elsewhere is at odds with, stand at a line near by.
        let elsewhere = ["weight = 0.5", "metric = \"acme_attention\"", "numerator = \"gone\""].contains(&to);
        if elsewhere {
            assert!(line.is_some(), "{to}: {error}");
        } else {
            assert_eq!(line, Some(changed as u64 + 1), "{to}: {error}");
        }
        assert_error(&error, "bad_recipe", Some("bad.toml"), line);
        assert_says(&error, "message", &[says]);
        let scored = place.refusal(&["r.csv", "--recipe", "bad.toml"]);
        assert_eq!(scored, error, "scoring with it says the same");
        std::fs::rename(place.path("bad.toml"), place.path("recipes/bad.toml")).unwrap();
        let error = place.refusal(&["r.csv", "--recipe-dir", "recipes"]);
        assert_error(&error, "bad_recipe", Some("recipes/bad.toml"), line);
    }
}

#[test]
fn a_recipe_without_metrics_or_that_is_no_recipe_is_refused() {
    let place = acme();
    let head = ACME.split("[columns]").next().unwrap();
    for (name, bytes) in [
        ("no-metric.toml", head.as_bytes().to_vec()),
        ("empty.toml", Vec::new()),
        ("binary.toml", vec![0xFF, 0, 0xFE, 7]),
        ("huge.toml", vec![b'#'; 2 << 20]),
        ("deep.toml", format!("x = {}", "[".repeat(100_000)).into_bytes()),
    ] {
        place.write(name, bytes);
        let error = place.run(&["recipes", "check", name, "--json"]).error(2);
        assert_error(&error, "bad_recipe", Some(name), error["line"].as_u64());
    }
    let error = place.run(&["recipes", "check", "recipes", "--json"]).error(2);
    assert_eq!(error["file"], "recipes", "a folder is no recipe: {error}");
}

#[test]
fn a_shipped_name_cannot_be_taken_by_a_recipe_of_ones_own() {
    let place = acme();
    place.write("recipes/acme.toml", ACME.replace("acme-display", "dv360-display"));
    let outcome = place.run(&["score", "r.csv", "--recipe-dir", "recipes", "--json"]);
    let error = outcome.error(2);
    assert_eq!(error["code"], "bad_recipe", "{error}");
    assert_says(&error, "message", &["dv360-display"]);
}

#[test]
fn a_recipe_and_a_flag_that_contradict_each_other_are_refused() {
    let place = acme();
    for flags in [["--platform", "dv360"], ["--channel", "ctv"]] {
        let mut args = vec!["r.csv", "--recipe", "recipes/acme.toml"];
        args.extend(flags);
        assert_eq!(place.refusal(&args)["code"], "bad_option", "{flags:?}");
    }
}
