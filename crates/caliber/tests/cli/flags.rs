//! Every flag of `caliber score` changes what the contract says it changes.

use serde_json::Value;

use crate::call::{GENERIC, Place, assert_error, assert_says, plain_report};
use crate::tables;

fn trade_desk() -> Place {
    let place = Place::new();
    place.sample("trade_desk display", 900, 50, "r.csv", &[]);
    place
}

fn plain(report: &str) -> Place {
    let place = Place::new();
    place.write("r.csv", report);
    place
}

/// Scores `r.csv` with the generic recipe.
#[track_caller]
fn generic(place: &Place, more: &[&str]) -> Value {
    let mut args = vec!["r.csv", "--out", "out"];
    args.extend(GENERIC);
    args.extend(more);
    place.score(&args)
}

/// The error of scoring `r.csv` with the generic recipe.
#[track_caller]
fn refused(place: &Place, more: &[&str]) -> Value {
    let mut args = vec!["r.csv", "--out", "out"];
    args.extend(GENERIC);
    args.extend(more);
    place.refusal(&args)
}

fn weights(summary: &Value) -> Vec<(String, f64)> {
    let metrics = summary["recipe"]["metrics"].as_array().unwrap();
    metrics
        .iter()
        .map(|m| (m["metric"].as_str().unwrap().to_owned(), m["weight"].as_f64().unwrap()))
        .collect()
}

#[test]
fn goal_and_ctr_sensitive_choose_the_recipe() {
    let place = trade_desk();
    let names = |more: &[&str]| {
        let summary = place.score(&[&["r.csv"], more].concat());
        (
            summary["recipe"]["name"].as_str().unwrap().to_owned(),
            summary["goal"].clone(),
            weights(&summary)[2].1,
        )
    };
    assert_eq!(names(&[]), ("trade_desk-display-awareness".into(), "awareness".into(), 0.20));
    assert_eq!(
        names(&["--ctr-sensitive"]),
        ("trade_desk-display-awareness-ctr_sensitive".into(), "awareness".into(), 0.30)
    );
    assert_eq!(names(&["--goal", "action"]), ("trade_desk-display-action".into(), "action".into(), 0.30));
}

#[test]
fn ctr_sensitive_is_an_error_where_there_is_no_such_recipe() {
    let place = Place::new();
    place.sample("pulsepoint display", 300, 30, "r.csv", &[]);
    let error = place.refusal(&["r.csv", "--ctr-sensitive"]);
    assert_eq!(error["code"], "unknown_recipe", "{error}");
    let error = trade_desk().refusal(&["r.csv", "--ctr-sensitive", "--goal", "action"]);
    assert_eq!(error["code"], "unknown_recipe", "{error}");
}

#[test]
fn platform_and_channel_go_before_what_is_recognised() {
    let place = trade_desk();
    let summary = place.score(&["r.csv", "--platform", "pulsepoint", "--channel", "display"]);
    assert_eq!(summary["recipe"]["name"], "pulsepoint-display-awareness");
    let place = Place::new();
    place.sample("trade_desk audio", 500, 40, "r.csv", &[]);
    let summary = place.score(&["r.csv", "--channel", "audio"]);
    assert_eq!((&summary["channel"], &summary["platform"]), (&"audio".into(), &"trade_desk".into()));
}

#[test]
fn recipe_takes_a_shipped_one_by_name() {
    let summary = trade_desk().score(&["r.csv", "--recipe", "trade_desk-display-action"]);
    assert_eq!(summary["recipe"]["name"], "trade_desk-display-action");
    let error = trade_desk().refusal(&["r.csv", "--recipe", "trade_desk-display-acton"]);
    assert_eq!(error["code"], "unknown_recipe");
    assert!(error.to_string().contains("trade_desk-display-action"), "the nearest is named: {error}");
}

#[test]
fn dimension_groups_by_the_other_column() {
    let place = trade_desk();
    let summary = place.score(&["r.csv", "--dimension", "supply_vendor", "--out", "out"]);
    assert_eq!(summary["dimension"], "supply_vendor");
    let table = tables::csv(&place, "out");
    assert_eq!(table.columns[0], "supply_vendor");
    assert!(place.read("r.csv").contains(&format!(",{},", table.names()[0])), "{:?}", table.names());
}

#[test]
fn normalizations_differ_and_are_what_they_say() {
    let place = trade_desk();
    let mut seen = Vec::new();
    for normalization in ["minmax", "winsorized", "rank", "shrunk"] {
        let summary = place.score(&["r.csv", "--normalization", normalization, "--out", "out"]);
        assert_eq!(summary["normalization"], normalization);
        let table = tables::csv(&place, "out");
        let normalised = table.numbers("cpm_normalized");
        if normalization == "minmax" {
            let values = table.numbers("cpm");
            let (low, high) = (min(&values), max(&values));
            for (value, found) in values.iter().zip(&normalised) {
                let expected = (high - value) / (high - low) * 100.0;
                assert!((found - expected).abs() < 1e-9, "{value}: {found}, not {expected}");
            }
        }
        assert!(!seen.contains(&normalised), "{normalization} is another's");
        seen.push(normalised);
    }
    let seen = place.score(&["r.csv", "--out", "out"]);
    assert_eq!(seen["normalization"], "minmax", "where none is said");
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn min_impressions_moves_the_bar_and_0_keeps_all() {
    let place = trade_desk();
    let of = |more: &[&str]| {
        let summary = place.score(&[&["r.csv", "--out", "out"], more].concat());
        (summary, tables::csv(&place, "out").numbers("impressions"))
    };
    let (summary, impressions) = of(&[]);
    assert_eq!(summary["lists"]["min_impressions"], 250.0);
    assert!(min(&impressions) >= 250.0 && summary["below_minimum"]["count"].as_u64().unwrap() > 0);
    let (summary, impressions) = of(&["--min-impressions", "2000"]);
    assert!(min(&impressions) >= 2000.0 && summary["below_minimum"]["impressions"].as_f64().unwrap() > 0.0);
    let (summary, impressions) = of(&["--min-impressions", "0"]);
    assert!(min(&impressions) < 250.0, "{impressions:?}");
    let none = serde_json::json!({"count": 0, "impressions": 0, "spend": 0});
    assert_eq!(summary["below_minimum"].to_string(), none.to_string(), "no -0");
    assert_eq!(summary["scored"], summary["dimension_values"]);
}

#[test]
fn min_impressions_0_switches_off_pulsepoints_share_too() {
    let place = Place::new();
    let mut report = String::from("Domain,Impressions,Total Spend,Clicks,Conversions\n");
    for (name, impressions) in [("large", 3_000_000), ("middle", 2_000_000), ("small", 300), ("tiny", 10)] {
        report.push_str(&format!(
            "{name}.example,{impressions},{},{},1\n",
            impressions / 100,
            impressions / 1000
        ));
    }
    place.write("r.csv", report);
    let call = ["r.csv", "--platform", "pulsepoint", "--channel", "display"];
    let scored = |more: &[&str]| place.score(&[&call[..], more].concat())["scored"].clone();
    assert_eq!(scored(&[]), 2, "300 of 5,000,310 are under 0.05 %");
    assert_eq!(scored(&["--min-impressions", "0"]), 4);
}

#[test]
fn list_share_sets_the_length_of_the_lists() {
    let place = plain(&plain_report(41));
    for (share, count) in [("0.25", 10), ("0.5", 20), ("0.1", 4), ("0.01", 1)] {
        let summary = generic(&place, &["--list-share", share]);
        for list in ["allowlist", "blocklist"] {
            assert_eq!(summary["lists"][list]["count"], count, "{list} at {share}");
            assert_eq!(
                place.read(&format!("out/{list}.txt")).lines().count(),
                count,
                "{list}.txt at {share}"
            );
        }
    }
}

#[test]
fn protect_keeps_names_off_the_blocklist() {
    let place = plain(&plain_report(40));
    generic(&place, &[]);
    let before: Vec<String> = place.read("out/blocklist.txt").lines().map(str::to_owned).collect();
    let allowed = place.read("out/allowlist.txt");
    place.write("ours.txt", format!("{}\nhttps://WWW.{}/\n", before[0], before[3]));
    generic(&place, &["--protect", "ours.txt"]);
    let after = place.read("out/blocklist.txt");
    for name in [&before[0], &before[3]] {
        assert!(!after.lines().any(|line| line == name), "{name} is protected: {after}");
    }
    for name in [&before[1], &before[2]] {
        assert!(after.lines().any(|line| line == name), "{name} is not: {after}");
    }
    assert_eq!(place.read("out/allowlist.txt"), allowed);
}

#[test]
fn map_overrides_leaves_out_and_counts_columns() {
    let report = "Domain,Impressions,Spend,Clicks,Real Cost,Taps\n\
                  a.example,1000,1,10,9,30\nb.example,1000,2,20,8,20\nc.example,1000,3,30,7,10\n";
    let place = plain(report);
    let (spend, ctr) = (|p: &Place| tables::csv(p, "out").numbers("spend"), "ctr");
    generic(&place, &[]);
    assert_eq!(spend(&place).iter().sum::<f64>(), 6.0);
    generic(&place, &["--map", "spend=Real Cost"]);
    assert_eq!(spend(&place).iter().sum::<f64>(), 24.0);
    generic(&place, &["--map", "spend=#5", "--map", "clicks=Taps"]);
    assert_eq!(spend(&place).iter().sum::<f64>(), 24.0);
    let table = tables::csv(&place, "out");
    let first = table.names().iter().position(|name| name == "a.example").unwrap();
    assert_eq!(table.numbers(ctr)[first], 0.03, "clicks are the taps");
    let mapping = place.json("out/quality.json")["mapping"].clone();
    let given: Vec<&Value> = mapping.as_array().unwrap().iter().filter(|m| m["how"] == "given").collect();
    assert_eq!(given.len(), 2, "{mapping}");
    let error = refused(&place, &["--map", "clicks="]);
    assert_eq!(error["code"], "missing_columns", "clicks are left out: {error}");
}

#[test]
fn several_headers_that_fit_are_an_error_with_the_map_to_give() {
    let place = plain("Domain,Impressions,Cost,Cost,Clicks\na.example,1000,1,2,10\nb.example,900,2,5,20\n");
    let error = refused(&place, &[]);
    assert_error(&error, "ambiguous", Some("r.csv"), error["line"].as_u64());
    assert_says(&error, "help", &["--map spend=#3", "--map spend=#4"]);
    let summary = generic(&place, &["--map", "spend=#4"]);
    assert_eq!(summary["total_spend"], 7.0);
    let equal = plain("Domain,Impressions,Cost,Cost,Clicks\na.example,1000,1,1,10\nb.example,900,2,2,20\n");
    assert_eq!(generic(&equal, &[])["total_spend"], 3.0, "equal columns count as one");
}

#[test]
fn no_header_reads_columns_by_number() {
    let place = plain("a.example,1000,1,10\nb.example,900,2,20\nc.example,800,3,15\n");
    let error = refused(&place, &[]);
    assert_error(&error, "no_header", Some("r.csv"), Some(1));
    assert_says(&error, "help", &["--no-header", "--map"]);
    let maps = ["domain=#1", "impressions=#2", "spend=#3", "clicks=#4"];
    let mut flags = vec!["--no-header"];
    flags.extend(maps.iter().flat_map(|map| ["--map", map]));
    let summary = generic(&place, &flags);
    assert_eq!((&summary["rows_read"], &summary["total_impressions"]), (&3.into(), &2700.into()));
    assert_eq!(place.json("out/quality.json")["files"][0]["header_row"], Value::Null);
}

#[test]
fn scale_settles_what_a_rate_is_in() {
    // Nothing tells: no counts, no `%`, and no value above 1.
    let report =
        "Domain,Impressions,Spend,CTR\na.example,1000,1,0.5\nb.example,1000,2,0.25\nc.example,1000,3,0.75\n";
    let place = plain(report);
    let warns = |place: &Place| place.read("out/quality.json").contains("scale_guessed");
    for (scale, factor, guessed) in
        [(None, 1.0, true), (Some("ctr=percent"), 0.01, false), (Some("ctr=fraction"), 1.0, false)]
    {
        let flags: Vec<&str> = scale.iter().flat_map(|scale| ["--scale", scale]).collect();
        generic(&place, &flags);
        let highest = max(&tables::csv(&place, "out").numbers("ctr"));
        assert!((highest - 0.75 * factor).abs() < 1e-12, "{scale:?}: {highest}");
        assert_eq!(warns(&place), guessed, "{scale:?}");
    }
}

#[test]
fn a_scale_is_checked_against_the_counts() {
    let report = "Domain,Impressions,Spend,Clicks,CTR,Viewability Rate\na.example,1000,1,5,0.5,0.5\nb.example,1000,2,3,0.3,60\n";
    let place = plain(report);
    generic(&place, &[]);
    let mapping = place.json("out/quality.json")["mapping"].clone();
    let ctr = mapping.as_array().unwrap().iter().find(|mapped| mapped["canonical"] == "ctr").unwrap();
    assert_eq!(ctr["scale"], 100, "5 of 1000 is 0.5 percent: {ctr}");
}

#[test]
fn where_reads_only_the_rows_that_match_all() {
    let report = "Domain,Campaign,Country,Impressions,Spend,Clicks\n\
                  a.example,Spring 1,DE,1000,1,1\na.example,Spring 2,FR,2000,1,1\n\
                  b.example,Autumn,DE,4000,1,2\nb.example,spring 1,DE,8000,1,2\n";
    let place = plain(report);
    let total = |flags: &[&str]| generic(&place, flags)["total_impressions"].as_f64().unwrap();
    assert_eq!(total(&[]), 15_000.0);
    assert_eq!(total(&["--where", "Country=DE"]), 13_000.0);
    assert_eq!(total(&["--where", "Campaign=Autumn"]), 4_000.0);
    assert_eq!(total(&["--where", "Campaign=*2"]), 2_000.0);
    assert_eq!(total(&["--where", "Campaign=Spring 2", "--where", "Country=*R*"]), 2_000.0);
    let summary = generic(&place, &["--where", "Country=FR"]);
    assert_eq!(summary["rows_dropped"]["where"], 3, "{summary}");
    let error = refused(&place, &["--where", "Country=ES"]);
    assert_eq!(error["code"], "nothing_scored", "{error}");
    let error = refused(&place, &["--where", "Nation=DE"]);
    assert_eq!(error["code"], "not_found", "{error}");
}

#[test]
fn where_settles_several_currencies() {
    let report = "Domain,Currency,Impressions,Spend,Clicks\na.example,USD,1000,1,1\na.example,EUR,2000,1,1\n\
                  b.example,USD,4000,1,2\nb.example,EUR,800,1,2\n";
    let place = plain(report);
    let error = refused(&place, &[]);
    assert_error(&error, "several_currencies", Some("r.csv"), None);
    assert_says(&error, "message", &["EUR", "USD"]);
    assert_says(&error, "help", &["--where", "Currency=EUR"]);
    let summary = generic(&place, &["--where", "Currency=EUR"]);
    assert_eq!((&summary["currency"], &summary["total_impressions"]), (&"EUR".into(), &2800.into()));
}

#[test]
fn sheet_reads_the_one_that_is_named() {
    let place = Place::new();
    let mut book = rust_xlsxwriter::Workbook::new();
    for (sheet, factor) in [("Notes", 0.0), ("May", 1.0), ("June", 2.0)] {
        let page = book.add_worksheet().set_name(sheet).unwrap();
        if factor == 0.0 {
            page.write(0, 0, "made by hand").unwrap();
            continue;
        }
        for (column, header) in ["Domain", "Impressions", "Spend", "Clicks"].into_iter().enumerate() {
            page.write(0, column as u16, header).unwrap();
        }
        for row in 1..=4_u32 {
            page.write(row, 0, format!("site{row}.example")).unwrap();
            for column in 1..4_u16 {
                page.write(row, column, factor * 1000.0 * f64::from(row) / f64::from(column)).unwrap();
            }
        }
    }
    book.save(place.path("r.xlsx")).unwrap();
    let call = |more: &[&'static str]| [&["r.xlsx", "--out", "out"], &GENERIC[..], more].concat();
    for (sheet, total) in [("May", 10_000.0), ("June", 20_000.0)] {
        let summary = place.score(&call(&["--sheet", sheet]));
        assert_eq!(summary["total_impressions"], total, "{sheet}");
        assert_eq!(place.json("out/quality.json")["files"][0]["sheet"], sheet);
    }
    let error = place.refusal(&call(&["--sheet", "July"]));
    assert_error(&error, "not_found", Some("r.xlsx"), None);
    assert!(error.to_string().contains("May") && error.to_string().contains("June"), "{error}");
    let error = place.refusal(&call(&["--sheet", "Notes"]));
    assert_eq!(error["file"], "r.xlsx", "{error}");
}

#[test]
fn out_makes_folders_that_are_missing() {
    let place = plain(&plain_report(20));
    let mut args = vec!["r.csv", "--out", "a/b/c"];
    args.extend(GENERIC);
    place.score(&args);
    assert!(place.path("a/b/c/summary.json").is_file());
}
