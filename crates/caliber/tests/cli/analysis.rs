//! Questions to a scored run: `explain`, `compare`, `what-if`; what they print, take and refuse.

use serde_json::Value;

use crate::call::{Call, Outcome, Place, assert_error, assert_says};
use crate::tables;

/// Two runs of a campaign, of two parts of a report that overlap, scored into `a` and `b`.
fn place() -> Place {
    let place = Place::new();
    place.sample("trade_desk display", 4000, 150, "whole.csv", &[]);
    let whole = place.read("whole.csv");
    let (header, rows) = whole.split_once('\n').unwrap();
    for (run, left_out) in [("a", 0), ("b", 1)] {
        let rows = rows.lines().enumerate().filter(|(at, _)| at % 3 != left_out);
        let part: Vec<&str> = std::iter::once(header).chain(rows.map(|(_, row)| row)).collect();
        place.write(&format!("{run}.csv"), part.join("\n"));
        place.score(&[&format!("{run}.csv"), "--out", run]);
    }
    place
}

fn document(place: &Place, args: &[&str]) -> Value {
    let outcome = place.run(&[args, &["--json"]].concat()).done();
    assert_eq!(outcome.stderr, "", "nothing beside the document: {outcome}");
    outcome.document()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

const WEIGHTS: [&str; 2] = ["--weights", "cpm=3,ctr=1"];

/// A call of each command on results.
fn calls(results: &str) -> Vec<Vec<String>> {
    let calls: [&[&str]; 9] = [
        &["explain"],
        &["explain", "--method", "correlation"],
        &["explain", "--method", "feature_importance"],
        &["explain", "--values"],
        &["what-if"],
        &["outliers", "--scores"],
        &["outliers", "--method", "combined"],
        &["outliers", "--treat", "cap"],
        &["weights", "--target", "conversion_rate"],
    ];
    let with = |call: &[&str]| {
        let mut args: Vec<String> = call.iter().map(|arg| (*arg).to_owned()).collect();
        args.insert(1, results.to_owned());
        if call[0] == "what-if" {
            args.extend(WEIGHTS.map(str::to_owned));
        }
        args
    };
    calls.iter().map(|call| with(call)).collect()
}

#[test]
fn csv_parquet_and_the_folder_give_the_same_bytes() {
    let place = place();
    for (parquet, (csv, folder)) in
        calls("a/results.parquet").into_iter().zip(calls("a/results.csv").into_iter().zip(calls("a")))
    {
        let bytes = |call: &[String]| {
            let mut args: Vec<&str> = call.iter().map(String::as_str).collect();
            args.push("--json");
            place.run(&args).done().stdout
        };
        assert_eq!(bytes(&parquet), bytes(&csv), "{csv:?}");
        assert_eq!(bytes(&parquet), bytes(&folder), "{folder:?}");
    }
    let compared = |a: &str, b: &str| document(&place, &["compare", a, b]);
    assert_eq!(compared("a/results.csv", "b"), compared("a", "b/results.csv"));
}

#[test]
fn an_explanation_sums_to_the_scores_of_the_results() {
    let place = place();
    let table = tables::csv(&place, "a");
    let scores = table.numbers("score");
    let explanation = document(&place, &["explain", "a", "--values"]);
    let base = explanation["base_value"].as_f64().unwrap();
    for (row, score) in scores.iter().enumerate() {
        let values = explanation["shap_values"].as_object().unwrap();
        let sum: f64 = values.values().map(|values| values[row].as_f64().unwrap()).sum();
        assert!((sum - (score - base)).abs() < 1e-9, "row {row}");
    }
    assert_eq!(explanation["rows"], scores.len());
    assert!(document(&place, &["explain", "a"]).get("shap_values").is_none());
}

#[test]
fn a_domain_is_explained_however_it_is_written() {
    let place = place();
    let names = tables::csv(&place, "a").names();
    let name = names.last().unwrap();
    let explained = document(&place, &["explain", "a", "--domain", name]);
    assert_eq!(explained["domain"], name.as_str());
    assert_eq!(explained["quality_status"], "poor");
    let url = format!("https://www.{}/page?x=1", name.to_uppercase());
    assert_eq!(document(&place, &["explain", "a", "--domain", &url]), explained);
    for key in ["confidence", "score_low", "score_high", "p_below_median"] {
        let csv = document(&place, &["explain", "a/results.csv", "--domain", name]);
        assert_eq!(csv[key], Value::Null, "{key}: CSV holds no counts");
        assert_eq!(csv["warnings"].as_array().map(Vec::len), Some(1), "{csv}");
    }
}

#[test]
fn an_unknown_domain_is_refused_with_the_nearest() {
    let place = place();
    let name = tables::csv(&place, "a").names()[0].clone();
    let (first, rest) = name.split_at(1);
    let mistyped = format!("{first}{first}{rest}");
    let error = place.run(&["explain", "a", "--domain", &mistyped, "--json"]).error(2);
    assert_error(&error, "not_found", None, None);
    assert_says(&error, "message", &["--domain", &mistyped]);
    assert_says(&error, "help", &[&name]);
}

#[test]
fn changes_sum_to_the_change_and_the_way_back_is_the_negative() {
    let place = place();
    let (there, back) = (document(&place, &["compare", "a", "b"]), document(&place, &["compare", "b", "a"]));
    let figure = |value: &Value| value.as_f64().unwrap();
    let drivers: f64 = there["change_drivers"].as_array().unwrap().iter().map(|pair| figure(&pair[1])).sum();
    assert!((drivers - figure(&there["campaign_score_change"])).abs() < 1e-9);
    for (metric, change) in there["feature_changes"].as_object().unwrap() {
        let other = &back["feature_changes"][metric];
        assert!((figure(&change["points"]) + figure(&other["points"])).abs() < 1e-9, "{metric}");
        assert_eq!(change["before"], other["after"], "{metric}");
    }
    assert_eq!(there["counts"]["new"], back["counts"]["gone"]);
    assert!(figure(&there["counts"]["same"]) > 0.0);
}

#[test]
fn what_if_pages_through_all_rows() {
    let place = place();
    let mut args = vec!["what-if", "a", "--per-page", "50", "--page", "2"];
    args.extend(WEIGHTS);
    let answer = document(&place, &args);
    let rows = tables::csv(&place, "a").rows.len();
    assert_eq!(
        (&answer["total"], &answer["page"], &answer["per_page"]),
        (&rows.into(), &2.into(), &50.into())
    );
    assert_eq!(answer["results"][0]["rank"], 51);
    assert_eq!(answer["weights"]["cpm"], 0.75);
    assert_eq!(keys(&answer["weights"]).len(), 5, "every metric of the recipe");
}

#[test]
fn a_treated_run_is_a_run() {
    let place = place();
    let answer = document(&place, &["outliers", "a", "--treat", "drop", "--out", "treated"]);
    let names =
        |folder: &str| -> Vec<String> { place.files_in(folder).into_iter().map(|(name, _)| name).collect() };
    assert_eq!(names("treated"), names("a"));
    let (was, is) = (place.json("a/summary.json"), place.json("treated/summary.json"));
    assert_eq!(keys(&is), keys(&was), "a summary has its keys in their order");
    assert_eq!(keys(&is["lists"]), keys(&was["lists"]));
    assert_eq!(is["scored"], answer["rows_after"]);
    assert!(answer["rows_after"].as_u64() < answer["rows_before"].as_u64(), "{answer}");
    assert_eq!(is["campaign_score"], answer["campaign_score_after"]);
    assert_eq!(is["status_counts"], answer["status_counts_after"]);
    assert_eq!(is["files"], was["files"], "the report is the same");
    let table = tables::csv(&place, "treated");
    let scores = table.numbers("score");
    assert_eq!(is["scored"], scores.len());
    assert_eq!(is["scores"]["max"].as_f64(), scores.first().copied());
    let blocked = place.read("treated/blocklist.txt");
    assert_eq!(is["lists"]["blocklist"]["count"], blocked.lines().count());
    let warnings = place.json("treated/quality.json")["warnings"].to_string();
    assert!(warnings.contains("outliers_treated"), "{warnings}");
    // It is read as any other run.
    assert_eq!(document(&place, &["explain", "treated"])["rows"], answer["rows_after"]);
    let name = &table.names()[0];
    let explained = document(&place, &["explain", "treated", "--domain", name]);
    assert_eq!(explained["confidence"], Value::Null, "its counts are not known");
}

#[test]
fn a_run_without_its_summary_is_treated_all_the_same() {
    let place = place();
    std::fs::create_dir(place.path("alone")).unwrap();
    std::fs::copy(place.path("a/results.csv"), place.path("alone/results.csv")).unwrap();
    let args = ["outliers", "alone/results.csv", "--treat", "winsorize", "--out", "treated"];
    let told = ["--recipe", "trade_desk-display-awareness", "--normalization", "minmax"];
    let answer = document(&place, &[&args[..], &told[..]].concat());
    let summary = place.json("treated/summary.json");
    assert_eq!(keys(&summary), keys(&place.json("a/summary.json")));
    assert_eq!(summary["campaign_score"], answer["campaign_score_after"]);
    assert_eq!(document(&place, &["explain", "treated"])["rows"], answer["rows_after"]);
}

#[test]
fn nothing_is_written_without_a_folder_to_write_to() {
    let place = place();
    let before = place.files_in("a");
    document(&place, &["outliers", "a", "--treat", "drop"]);
    assert_eq!(place.files_in("a"), before);
}

#[test]
fn learned_weights_are_saved_as_a_recipe_that_scores() {
    let place = place();
    for (call, file) in
        [(&["weights", "a"][..], "learned.toml"), (&["weights", "optimize", "a"], "searched.toml")]
    {
        let args = [call, &["--target", "conversion_rate", "--save-recipe", file]].concat();
        let answer = document(&place, &args);
        assert_eq!(answer["saved_as"], file);
        place.run(&["recipes", "check", file]).done();
        let scored = place.score(&["whole.csv", "--recipe", file, "--out", "again"]);
        assert_eq!(scored["recipe"]["name"], file.trim_end_matches(".toml"));
        let text = place.read(file);
        let error = place.run(&[&args[..], &["--json"]].concat()).error(2);
        assert_says(&error, "message", &["--save-recipe", file]);
        assert_eq!(place.read(file), text, "nothing is overwritten");
    }
}

#[test]
fn what_is_wrong_is_refused_by_the_name_of_its_option() {
    let place = place();
    for (args, words) in [
        (&["explain", "a", "--method", "lime"][..], &["--method", "`lime`", "shapley", "correlation"][..]),
        (&["explain", "a", "--seed", "x"], &["--seed"]),
        (&["what-if", "a"], &["--weights"]),
        (&["what-if", "a", "--weights", "cpc=1"], &["--weights", "`cpc`", "cpm"]),
        (&["what-if", "a", "--weights", "cpm=-1"], &["--weights", "-1"]),
        (&["what-if", "a", "--weights", "cpm=0"], &["--weights", "above 0"]),
        (&["what-if", "a", "--weights", "cpm"], &["--weights", "METRIC=NUMBER"]),
        (&["outliers", "a", "--method", "magic"], &["--method", "`magic`", "isolation_forest"]),
        (&["outliers", "a", "--contamination", "0"], &["--contamination", "0", "0.5"]),
        (&["outliers", "a", "--contamination", "-0.1"], &["--contamination", "-0.1", "0.5"]),
        (&["outliers", "a", "--contamination", "NaN"], &["--contamination", "NaN", "0.5"]),
        (&["outliers", "a", "--treat", "hide"], &["--treat", "`hide`", "winsorize"]),
        (&["weights", "a"], &["--target"]),
        (&["weights", "a", "--target", "fame"], &["--target", "`fame`"]),
        (&["weights", "a", "--target", "score"], &["--target", "`score`"]),
        (&["weights", "a", "--target", "ctr", "--method", "magic"], &["--method", "`magic`", "mutual_info"]),
        (&["weights", "a", "--method", "custom", "--weights", "cpm=-1"], &["--weights", "-1"]),
        (&["weights", "optimize", "a"], &["--target"]),
        (
            &["weights", "optimize", "a", "--target", "ctr", "--method", "magic"],
            &["--method", "`magic`", "bayesian"],
        ),
        (&["weights", "optimize", "a", "--target", "ctr", "--folds", "1"], &["--folds", "1", "2"]),
        (&["weights"], &["<RESULTS>"]),
        (&["what-if", "a", "--weights", "cpm=1", "--page", "0"], &["--page", "at least 1"]),
        (&["what-if", "a", "--weights", "cpm=1", "--per-page", "0"], &["--per-page", "at least 1"]),
    ] {
        let error = place.run(&[args, &["--json"]].concat()).error(2);
        assert_says(&error, "message", words);
    }
}

#[test]
fn results_apart_from_their_summary_need_to_be_told_how_they_were_scored() {
    let place = place();
    std::fs::create_dir(place.path("alone")).unwrap();
    for file in ["results.csv", "results.parquet"] {
        std::fs::copy(place.path("a").join(file), place.path("alone").join(file)).unwrap();
    }
    let recipe = ["--recipe", "trade_desk-display-awareness"];
    let normalization = ["--normalization", "minmax"];
    let file = "alone/results.csv";
    for (flags, missing) in
        [(&[][..], "--recipe"), (&recipe[..], "--normalization"), (&normalization[..], "--recipe")]
    {
        let error = place.run(&[&["explain", file, "--json"], flags].concat()).error(2);
        assert_error(&error, "bad_option", Some(file), None);
        assert_says(&error, "message", &[missing]);
    }
    let told = document(&place, &[&["explain", "alone"], &recipe[..], &normalization[..]].concat());
    assert_eq!(told, document(&place, &["explain", "a"]));
    place.write("own.toml", place.run(&["recipes", "show", recipe[1]]).done().stdout);
    let told = document(&place, &[&["explain", file, "--recipe", "own.toml"], &normalization[..]].concat());
    assert_eq!(told, document(&place, &["explain", "a"]));
}

#[test]
fn what_are_no_results_is_refused_and_nothing_breaks_down() {
    let place = place();
    let csv = place.read("a/results.csv");
    std::fs::copy(place.path("a/summary.json"), place.path("summary.json")).unwrap();
    place.write("short.csv", &csv[..csv.len() - 3]);
    place.write("cell.csv", csv.replacen(",moderate,", ",fair,", 1));
    place.write("empty.csv", "");
    place.write("head.csv", csv.lines().next().unwrap());
    place.write("quote.csv", format!("{csv}\"{}", "x".repeat(5_000_000)));
    place.write("magic.parquet", "PAR1");
    for (file, code) in [
        ("gone", "not_readable"),
        (".", "not_readable"),
        ("short.csv", "malformed"),
        ("cell.csv", "malformed"),
        ("empty.csv", "empty"),
        ("head.csv", "header_only"),
        ("quote.csv", "too_large"),
        ("magic.parquet", "malformed"),
        ("a.csv", "malformed"),
    ] {
        let error = Call::new(&place, &["explain", file, "--json"]).within_memory().run().error(2);
        assert_eq!(error["code"], code, "{file}: {error}");
        assert!(error["file"].as_str().is_some(), "{file}: {error}");
    }
    place.write("a/summary.json", "{\"recipe\": 7}");
    let error = place.run(&["explain", "a", "--json"]).error(2);
    assert_eq!((&error["code"], &error["line"]), (&"malformed".into(), &1.into()), "{error}");
}

#[test]
fn people_get_sentences_and_tables() {
    let place = place();
    let name = tables::csv(&place, "a").names()[0].clone();
    for (args, words) in [
        (&["explain", "a"][..], &["Average score", "moves scores most", "in view", "CPM"][..]),
        (&["explain", "a", "--method", "correlation"], &["correlation", "CTR"]),
        (&["explain", "a", "--domain", &name], &["of 100, good", "average", "score", "Scores "]),
        (&["compare", "a", "b"], &["Campaign score", "impressions", "moved it most", "new"]),
        (&["outliers", "a"], &["outlier", "strangest", "impressions"]),
        (&["outliers", "a", "--treat", "cap"], &["Campaign score", "Nothing was written"]),
        (&["weights", "a", "--target", "ctr"], &["Weights for CTR", "CPM", "Left out"]),
        (
            &["weights", "optimize", "a", "--target", "conversion_rate"],
            &["Correlation with conversion rate", "best"],
        ),
        (&["what-if", "a", "--weights", "ctr=1"], &["Campaign score", "Allowlist", "Blocklist", "page 1 of"]),
    ] {
        let outcome = place.run(args).done();
        for words in words {
            assert!(outcome.stdout.contains(words), "{words:?}: {outcome}");
        }
        assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stdout.contains('█'), "{outcome}");
        assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 100), "{outcome}");
        let drawn = Call::new(&place, args).with("CLICOLOR_FORCE", "1").run().done();
        assert!(drawn.stdout.contains('\u{1b}'), "{drawn}");
    }
}

#[test]
fn timing_is_one_line_beside_the_answer() {
    let place = place();
    for mut args in calls("a").into_iter().chain([vec!["compare".into(), "a".into(), "b".into()]]) {
        args.extend(["--timing".to_owned(), "--json".to_owned()]);
        let outcome: Outcome = place.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).done();
        outcome.document();
        let line = outcome.stderr.strip_suffix('\n').unwrap();
        let fields: Vec<&str> = line.split(' ').collect();
        assert_eq!(fields[0], "timing", "{outcome}");
        let names: Vec<&str> = fields[1..]
            .iter()
            .map(|field| {
                let (name, figure) = field.split_once('=').unwrap();
                assert!(figure.parse::<f64>().unwrap() >= 0.0);
                name
            })
            .collect();
        assert_eq!(names, ["read_ms", "compute_ms", "write_ms"], "{outcome}");
    }
}

#[test]
fn a_protected_name_enters_no_blocklist_whatever_the_weights() {
    let place = Place::new();
    place.sample("trade_desk display", 2000, 120, "report.csv", &[]);
    place.score(&["report.csv", "--out", "out"]);
    let ask = |place: &Place| {
        let answer = place.run(&["what-if", "out", "--weights", "cpm=1", "--json"]);
        let entered = answer.document()["blacklist"]["entered"].clone();
        entered.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let entered = ask(&place);
    assert!(entered.len() > 2, "{entered:?}");
    // It was not on the blocklist of the run, so nothing was to be protected there.
    place.write("ours.txt", &entered[0]);
    let summary = place.score(&["report.csv", "--out", "out", "--protect", "ours.txt"]);
    assert_eq!(summary["lists"]["protected"], serde_json::json!([]));
    assert_eq!(summary["lists"]["never_blocked"], serde_json::json!([entered[0]]));
    assert!(!ask(&place).contains(&entered[0]));
}
