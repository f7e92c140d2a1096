//! What is said where, and with which exit code.

use std::fs::File;

use crate::call::{Call, GENERIC, Place, assert_error, assert_says, plain_report};

fn place() -> Place {
    let place = Place::new();
    place.write("r.csv", plain_report(40));
    place
}

fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["score", "r.csv"];
    args.extend(GENERIC);
    args.extend(more);
    args
}

#[test]
fn json_prints_what_summary_json_holds() {
    let place = place();
    let outcome = place.run(&args(&["--json", "--out", "out"])).done();
    assert_eq!(outcome.document(), place.json("out/summary.json"));
    assert_eq!(outcome.stderr, "", "nothing to say beside it");
}

#[test]
fn the_answer_is_on_standard_output_and_names_what_a_trader_asks_for() {
    let outcome = place().run(&args(&[])).done();
    assert_eq!(outcome.stderr, "", "{outcome}");
    for words in ["40", "generic", "Campaign score", "site0", "r-caliber", "allowlist", "results"] {
        assert!(outcome.stdout.contains(words), "{words:?} is not said: {outcome}");
    }
    assert!(!outcome.stdout.contains('\u{1b}'), "no colours where nobody looks: {outcome}");
}

#[test]
fn quiet_says_nothing_but_errors() {
    let place = place();
    let outcome = place.run(&args(&["--quiet"])).done();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    assert!(place.path("r-caliber/results.csv").is_file(), "and does its work");
    let outcome = place.run(&["score", "--quiet", "gone.csv"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("gone.csv"), "{outcome}");
}

#[test]
fn no_color_is_respected_even_where_colours_are_forced() {
    let place = place();
    let forced = Call::new(&place, &args(&[])).with("CLICOLOR_FORCE", "1").run().done();
    assert!(forced.stdout.contains('\u{1b}'), "forced colours are shown: {forced}");
    for call in [args(&[]), vec!["score", "gone.csv"], vec!["recipes"]] {
        let plain = Call::new(&place, &call).with("NO_COLOR", "1").run();
        assert!(!plain.stdout.contains('\u{1b}') && !plain.stderr.contains('\u{1b}'), "{plain}");
    }
}

#[test]
fn a_fault_of_the_input_or_the_call_ends_with_2() {
    let place = place();
    place.write("empty.csv", "");
    for call in [
        &["score", "gone.csv"][..],
        &["score", "empty.csv"],
        &["inspect", "empty.csv"],
        &["score", "gone-*.csv"],
        &["score"],
        &["score", "r.csv", "--nonsense"],
        &["nonsense"],
        &["score", "r.csv", "--channel", "radio"],
        &["score", "r.csv", "--goal", "fame"],
        &["score", "r.csv", "--dimension", "country"],
        &["score", "r.csv", "--normalization", "z"],
        &["score", "r.csv", "--list-share", "0"],
        &["score", "r.csv", "--list-share", "0.51"],
        &["score", "r.csv", "--min-impressions", "-1"],
        &["score", "r.csv", "--format", "pdf"],
        &["score", "r.csv", "--scale", "ctr=tenth"],
        &["score", "r.csv", "--scale", "nonsense=percent", "--platform", "generic", "--channel", "display"],
        &["score", "r.csv", "--where", "Campaign"],
        &["score", "r.csv", "--where", "Campaign=x", "--platform", "generic", "--channel", "display"],
        &["score", "r.csv", "--map", "clicks"],
        &["score", "r.csv", "--map", "nonsense=Clicks", "--platform", "generic", "--channel", "display"],
        &["score", "r.csv", "--map", "clicks=#99", "--platform", "generic", "--channel", "display"],
        &["score", "r.csv", "--map", "clicks=Gone", "--platform", "generic", "--channel", "display"],
        &["score", "r.csv", "--no-header"],
        &["score", "r.csv", "--platform", "nonsense"],
        &["score", "r.csv", "--platform", "pulsepoint", "--channel", "ctv"],
        &["score", "r.csv", "--platform", "pulsepoint", "--channel", "audio"],
        &["score", "r.csv", "--platform", "generic", "--channel", "display", "--ctr-sensitive"],
        &["score", "r.csv", "--recipe", "nonsense"],
        &["score", "r.csv", "--recipe", "gone.toml"],
        &["score", "r.csv", "--recipe-dir", "gone"],
        &["score", "r.csv", "--protect", "gone.txt", "--platform", "generic", "--channel", "display"],
        &["recipes", "show", "nonsense"],
        &["recipes", "check", "gone.toml"],
        &["sample", "--platform", "nonsense", "--channel", "display", "--out", "s.csv"],
        &["sample", "--platform", "generic", "--channel", "display", "--out", "s.txt"],
        &["sample", "--platform", "generic", "--channel", "display", "--out", "s.csv", "--mess", "total"],
    ] {
        let outcome = place.run(call);
        assert_eq!(outcome.code, Some(2), "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome}");
        let json: Vec<&str> = call.iter().copied().chain(["--json"]).collect();
        place.run(&json).error(2);
        assert!(!place.path("r-caliber").exists(), "a refused run left a folder: {outcome}");
    }
}

#[test]
fn an_error_in_words_says_where_what_and_what_to_do() {
    let outcome = place().run(&["score", "gone.csv"]);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(lines[0].starts_with("error: gone.csv: "), "{outcome}");
    assert!(lines[1].trim_start().starts_with("help: "), "{outcome}");
}

#[test]
fn a_platform_and_channel_without_a_recipe_lists_what_is_supported() {
    let error = place().refusal(&["r.csv", "--platform", "pulsepoint", "--channel", "ctv"]);
    assert_eq!(error["code"], "unknown_recipe");
    let text = error.to_string();
    assert!(text.contains("pulsepoint") && text.contains("video") && text.contains("display"), "{error}");
}

#[test]
fn missing_columns_are_named_with_the_headers_that_would_supply_them() {
    let place = place();
    let error = place.refusal(&["r.csv", "--platform", "trade_desk", "--channel", "ctv"]);
    assert_error(&error, "missing_columns", Some("r.csv"), error["line"].as_u64());
    assert_says(&error, "message", &["Supply Vendor", "TV Quality Index", "Unique IDs"]);
    assert_says(&error, "help", &["--map"]);
}

#[test]
fn nothing_scored_names_the_largest_row_and_the_flag() {
    let place = Place::new();
    place.write("r.csv", "Domain,Impressions,Spend,Clicks\na.example,200,2,3\nlargest.example,249,3,4\n");
    let mut call = vec!["r.csv"];
    call.extend(GENERIC);
    let error = place.refusal(&call);
    assert_eq!(error["code"], "nothing_scored");
    let text = error.to_string();
    assert!(text.contains("largest.example") && text.contains("--min-impressions"), "{error}");
}

#[test]
fn a_full_standard_output_is_a_fault_of_the_machine() {
    let place = place();
    for call in [args(&[]), args(&["--json"]), vec!["recipes", "list"], vec!["inspect", "r.csv"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let outcome = Call::new(&place, &call).stdout(full).run();
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.stderr.contains("standard output"), "{outcome}");
    }
    assert!(place.path("r-caliber/results.csv").is_file(), "the files of the run are there");
}

#[test]
fn a_reader_who_has_gone_is_no_fault() {
    let place = place();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = Call::new(&place, &["recipes", "list"]).command(writer, std::process::Stdio::piped());
    let mut child = child;
    let output = child.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
}

#[test]
fn inspect_gives_the_quality_report_what_is_recognised_and_the_first_rows() {
    let place = Place::new();
    place.sample("trade_desk display", 400, 30, "r.csv", &["--mess", "preamble"]);
    let inspected = place.run(&["inspect", "r.csv", "--json"]).done().document();
    place.score(&["r.csv", "--out", "out"]);
    let quality = place.json("out/quality.json");
    for key in ["files", "mapping", "unmapped_headers"] {
        assert_eq!(inspected[key], quality[key], "{key}");
    }
    assert!(inspected.get("unreadable_cells").is_some() && inspected.get("warnings").is_some());
    let preview = inspected["preview"].as_array().unwrap();
    assert_eq!(preview.len(), 10);
    assert_eq!(preview[0][0], "2025-09-30", "the first row below the header");
    assert!(!place.path("r-caliber").exists(), "it writes nothing");
}

#[test]
fn the_recipes_are_listed_and_shown_as_files_that_check() {
    let place = Place::new();
    let list = place.run(&["recipes", "list", "--json"]).done().document();
    let names: Vec<&str> =
        list.as_array().unwrap().iter().map(|recipe| recipe["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 12, "eight of the sources and four of ours: {names:?}");
    for name in names {
        let shown = place.run(&["recipes", "show", name]).done();
        // A shipped name cannot be taken again.
        place.write("mine.toml", shown.stdout.replace(&format!("\"{name}\""), "\"mine\""));
        let checked = place.run(&["recipes", "check", "mine.toml", "--json"]).done().document();
        assert_eq!(checked["valid"], true, "{name}");
        let json = place.run(&["recipes", "show", name, "--json"]).done().document();
        assert_eq!(json["metrics"], checked["recipe"]["metrics"], "{name}: what is shown is what is read");
        let sum: f64 =
            json["metrics"].as_array().unwrap().iter().map(|metric| metric["weight"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{name}: {sum}");
    }
}
