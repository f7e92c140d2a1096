//! `--list-policy evidence` and `--block-patterns`: what the lists hold, and what the files say of it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::call::{Place, assert_error, assert_says};
use crate::tables::{self, Table};

const COLUMNS: [&str; 10] = [
    "evidence_score",
    "score_low",
    "score_high",
    "p_below",
    "p_above",
    "decision",
    "decision_reason",
    "impressions_needed",
    "known_metrics",
    "patterns",
];

fn scored(layout: &str, more: &[&str]) -> (Place, Value) {
    let place = Place::new();
    place.sample(layout, 6000, 300, "report.csv", &[]);
    let mut args = vec!["report.csv", "--out", "out", "--format", "csv,json,xlsx"];
    args.extend(more);
    let summary = place.score(&args);
    (place, summary)
}

fn names_in(place: &Place, list: &str) -> Vec<String> {
    place.read(&format!("out/{list}.txt")).lines().map(str::to_owned).collect()
}

/// The names whose decision is this, in the order of the files.
fn decided(table: &Table, decision: &str) -> Vec<String> {
    let (names, decisions) = (table.names(), table.texts("decision"));
    names.into_iter().zip(decisions).filter(|(_, own)| own == decision).map(|(name, _)| name).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn a_list_holds_what_is_proven_and_the_watchlist_the_rest() {
    let (place, summary) = scored("trade_desk display", &["--list-policy", "evidence"]);
    let table = tables::csv(&place, "out");
    let (below, above) = (table.numbers("p_below"), table.numbers("p_above"));
    let (scores, needed) = (table.numbers("evidence_score"), table.numbers("impressions_needed"));
    let (low, high) = (table.numbers("score_low"), table.numbers("score_high"));
    let decisions = table.texts("decision");
    for row in 0..table.rows.len() {
        assert!((below[row] + above[row] - 1.0).abs() < 1e-12);
        assert!(low[row] < scores[row] && scores[row] < high[row]);
        match decisions[row].as_str() {
            "block" => assert!(below[row] >= 0.95 && needed[row].is_nan()),
            "allow" => assert!(above[row] >= 0.95 && needed[row].is_nan()),
            decision => assert_eq!(decision, "watch"),
        }
    }
    for (list, decision) in [("blocklist", "block"), ("allowlist", "allow")] {
        let names = names_in(&place, list);
        assert!(names.len() > 20, "{list}: {names:?}");
        assert_eq!(sorted(names), sorted(decided(&table, decision)), "{list}");
    }
    let watched = place.read("out/watchlist.csv");
    assert_eq!(watched.lines().count() - 1, decided(&table, "watch").len());
    let lists = &summary["lists"];
    assert_eq!(lists["policy"], "evidence");
    assert_eq!(lists["watchlist"]["count"], decided(&table, "watch").len());
    // Half of the rows are below the median, as far as anyone can tell.
    let share = below.iter().sum::<f64>() / below.len() as f64;
    assert!((share - 0.5).abs() < 1e-6, "{share}");
    let prior = lists["prior"].as_object().unwrap();
    let metrics: Vec<&str> = summary["recipe"]["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| metric["metric"].as_str().unwrap())
        .collect();
    assert_eq!(prior.keys().map(String::as_str).collect::<Vec<_>>(), metrics);
    for (metric, prior) in prior {
        assert_eq!(prior["a"].is_null(), metric == "cpm", "{metric}");
        assert!(prior["lo"].as_f64() < prior["hi"].as_f64(), "{metric}");
    }
}

#[test]
fn more_impressions_are_asked_for_only_where_they_would_decide() {
    let (place, _) = scored("trade_desk display", &["--list-policy", "evidence", "--goal", "action"]);
    let table = tables::csv(&place, "out");
    let (impressions, needed) = (table.numbers("impressions"), table.numbers("impressions_needed"));
    let scores = table.numbers("evidence_score");
    let mut order = scores.clone();
    order.sort_by(f64::total_cmp);
    let quarter = order.len() / 4;
    let (worst, best) = (order[quarter - 1], order[order.len() - quarter]);
    let mut asked = 0;
    for row in (0..table.rows.len()).filter(|&row| !needed[row].is_nan()) {
        assert!(needed[row] > impressions[row] && needed[row] <= (impressions[row] * 2000.0).ceil());
        assert!(scores[row] <= worst || scores[row] >= best, "{}", scores[row]);
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
}

#[test]
fn all_formats_hold_the_evidence_after_the_flags() {
    let (place, _) = scored("pulsepoint display", &["--list-policy", "evidence", "--goal", "action"]);
    let csv = tables::csv(&place, "out");
    assert_eq!(csv.columns[csv.columns.len() - COLUMNS.len()..], COLUMNS);
    assert_eq!(tables::json(&place, "out"), csv);
    assert_eq!(tables::xlsx(&place, "out"), csv);
    let parquet = tables::parquet(&place, "out");
    assert_eq!(parquet.columns[..csv.columns.len()], csv.columns);
    for (row, other) in parquet.rows.iter().zip(&csv.rows) {
        assert_eq!(row[..csv.columns.len()], other[..]);
    }
}

#[test]
fn without_the_policy_nothing_of_it_is_written() {
    let (place, summary) = scored("trade_desk display", &[]);
    let table = tables::csv(&place, "out");
    for column in COLUMNS {
        assert!(!table.columns.iter().any(|other| other == column), "{column}");
    }
    assert!(summary["lists"].get("watchlist").is_none());
    assert!(!place.path("out/watchlist.csv").exists());
}

#[test]
fn a_pattern_blocks_only_where_it_is_asked_to_and_says_so() {
    let (plain, _) = scored("trade_desk display", &["--list-policy", "evidence"]);
    let (asked, _) = scored(
        "trade_desk display",
        &["--list-policy", "evidence", "--block-patterns", "mfa_pattern,click_surge"],
    );
    let table = tables::csv(&plain, "out");
    let patterns = table.position("patterns");
    let shown: BTreeSet<String> = table
        .rows
        .iter()
        .filter(|row| row[patterns] != tables::Cell::Flags(Vec::new()))
        .map(|row| row[0].text().to_owned())
        .collect();
    assert!(shown.len() > 5, "{shown:?}");
    let (before, after) = (names_in(&plain, "blocklist"), names_in(&asked, "blocklist"));
    let before: BTreeSet<String> = before.into_iter().collect();
    let after: BTreeSet<String> = after.into_iter().collect();
    assert_eq!(after, before.union(&shown).cloned().collect());
    assert!(before.len() < after.len());
    assert!(names_in(&plain, "allowlist").iter().all(|name| !shown.contains(name)));
    let reasons = asked.read("out/blocklist.csv");
    let named = ["looks made for advertising: ", "more clicks than people make"];
    for name in after.difference(&before) {
        let line = reasons.lines().find(|line| line.starts_with(&format!("{name},"))).unwrap();
        assert!(named.iter().any(|reason| line.contains(reason)), "{line}");
    }
}

#[test]
fn quarters_with_patterns_say_what_the_score_says() {
    let (plain, _) = scored("trade_desk display", &[]);
    let (asked, _) = scored("trade_desk display", &["--block-patterns", "mfa_pattern"]);
    let by_score = plain.read("out/blocklist.csv");
    let lines: Vec<&str> = by_score.lines().collect();
    let with_patterns = asked.read("out/blocklist.csv");
    for line in with_patterns.lines() {
        assert!(lines.contains(&line) || line.contains("looks made for advertising: "), "{line}");
    }
    assert!(with_patterns.lines().count() > lines.len());
}

#[test]
fn a_protected_name_is_watched_and_not_blocked() {
    let (place, _) = scored("trade_desk display", &["--list-policy", "evidence"]);
    let worst = names_in(&place, "blocklist")[0].clone();
    place.write("ours.txt", &worst);
    let args = ["report.csv", "--out", "out", "--list-policy", "evidence", "--protect", "ours.txt"];
    let summary = place.score(&args);
    assert_eq!(summary["lists"]["protected"], serde_json::json!([worst]));
    assert!(!names_in(&place, "blocklist").contains(&worst));
    let table = tables::csv(&place, "out");
    let row = table.names().iter().position(|name| *name == worst).unwrap();
    assert_eq!(table.texts("decision")[row], "watch");
    assert_eq!(table.texts("decision_reason")[row], "would be blocked, but its name is protected");
}

#[test]
fn a_score_that_counts_do_not_speak_for_is_refused() {
    let place = Place::new();
    place.sample("trade_desk ctv", 400, 40, "report.csv", &[]);
    let error = place.refusal(&["report.csv", "--out", "out", "--list-policy", "evidence"]);
    assert_error(&error, "bad_option", Some("report.csv"), None);
    assert_says(&error, "message", &["100 %", "tv_quality_index_rate", "unique_id_ratio"]);
    assert_says(&error, "help", &["--list-policy quartile"]);
    assert!(!place.path("out/results.parquet").exists());
}

#[test]
fn a_report_that_cannot_show_the_pattern_says_so() {
    let (place, _) = scored("pulsepoint display", &["--list-policy", "evidence"]);
    let quality = place.json("out/quality.json");
    let codes: Vec<&str> =
        quality["warnings"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"mfa_cannot_be_judged"), "{codes:?}");
}

#[test]
fn the_thresholds_and_the_share_can_be_set() {
    let count = |more: &[&str]| {
        let args = [&["--list-policy", "evidence"], more].concat();
        let (_, summary) = scored("trade_desk display", &args);
        summary["lists"]["blocklist"]["count"].as_u64().unwrap()
    };
    let usual = count(&[]);
    assert!(count(&["--block-at", "0.999"]) < usual);
    assert!(count(&["--list-share", "0.1"]) < usual);
    let place = Place::new();
    place.sample("trade_desk display", 400, 40, "report.csv", &[]);
    for wrong in ["0.49", "1", "much"] {
        let error = place.refusal(&["report.csv", "--out", "out", "--block-at", wrong]);
        assert_says(&error, "message", &["--block-at", wrong]);
    }
}
