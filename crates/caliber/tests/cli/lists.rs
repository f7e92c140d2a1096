//! `caliber lists`: the lists of a run again, and the files that DSPs take, compared with what the run left.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::call::{GENERIC, Place, assert_error, assert_says, plain_report};
use crate::tables;

/// A messy report of sites, scored into `run`.
fn place(layout: &str, more: &[&str]) -> Place {
    let place = Place::new();
    place.sample(layout, 6000, 240, "r.csv", &["--mess", "preamble,percent,tail_aggregate"]);
    place.score(&[&["r.csv", "--out", "run"], more].concat());
    place
}

fn lists(place: &Place, args: &[&str]) -> Value {
    place.run(&[&["lists", "--json", "run"], args].concat()).done().document()
}

fn lines(place: &Place, file: &str) -> Vec<String> {
    place.read(file).lines().map(str::to_owned).collect()
}

#[test]
fn the_lists_of_a_run_are_those_that_scoring_wrote() {
    let cases: [(&str, &[&str]); 5] = [
        ("trade_desk display", &[]),
        ("trade_desk display", &["--list-policy", "evidence"]),
        ("trade_desk video", &["--block-patterns", "click_surge,mfa_pattern"]),
        ("pulsepoint display", &["--list-share", "0.1", "--min-impressions", "500"]),
        ("trade_desk ctv", &[]),
    ];
    for (layout, flags) in cases {
        let place = place(layout, flags);
        lists(&place, &["--out", "again"]);
        for file in ["allowlist.txt", "allowlist.csv", "blocklist.txt", "blocklist.csv"] {
            let (before, again) = (place.read(&format!("run/{file}")), place.read(&format!("again/{file}")));
            assert!(before == again, "{layout} {flags:?}: {file}");
        }
        let summary = place.json("run/summary.json");
        let answer = lists(&place, &[]);
        for (at, list) in ["allowlist", "blocklist"].into_iter().enumerate() {
            for key in ["count", "impressions", "spend", "average_score"] {
                assert_eq!(answer["lists"][at][key], summary["lists"][list][key], "{layout}: {list} {key}");
            }
        }
    }
}

#[test]
fn protected_names_stay_protected_and_more_can_be_named() {
    let place = place("trade_desk display", &[]);
    let blocked = lines(&place, "run/blocklist.txt");
    place.write("first.txt", &blocked[0]);
    place.score(&["r.csv", "--out", "run", "--protect", "first.txt"]);
    assert_eq!(lists(&place, &[])["protected"], serde_json::json!([blocked[0]]), "by the run itself");
    place.write("second.txt", format!("https://www.{}/page\n", blocked[1].to_uppercase()));
    let answer = lists(&place, &["--protect", "second.txt", "--out", "again"]);
    assert_eq!(answer["protected"], serde_json::json!([blocked[0], blocked[1]]));
    assert_eq!(lines(&place, "again/blocklist.txt"), blocked[2..]);
}

#[test]
fn another_rule_makes_the_lists_that_scoring_by_it_would_make() {
    let place = place("trade_desk display", &[]);
    for flags in [
        &["--list-share", "0.1"][..],
        &["--list-policy", "evidence"],
        &["--list-policy", "evidence", "--list-share", "0.4"],
    ] {
        place.score(&[&["r.csv", "--out", "other"], flags].concat());
        lists(&place, &[&["--out", "again"], flags].concat());
        for file in ["allowlist.csv", "blocklist.csv"] {
            let (other, again) = (place.read(&format!("other/{file}")), place.read(&format!("again/{file}")));
            assert!(other == again, "{flags:?}: {file}");
        }
    }
    let least = lists(&place, &["--min-impressions", "2000"]);
    let table = tables::csv(&place, "run");
    let (names, impressions) = (table.names(), table.numbers("impressions"));
    let candidates = impressions.iter().filter(|&&impressions| impressions >= 2000.0).count();
    assert_eq!(least["rule"]["candidates"], candidates);
    for row in least["lists"].as_array().unwrap().iter().flat_map(|list| list["rows"].as_array().unwrap()) {
        let at = names.iter().position(|name| row["name"] == **name).unwrap();
        assert!(impressions[at] >= 2000.0, "{row}");
    }
}

#[test]
fn a_single_list_is_printed_as_names_alone() {
    let place = place("trade_desk display", &[]);
    let printed = place.run(&["lists", "run", "--list", "block"]).done().stdout;
    assert_eq!(printed, place.read("run/blocklist.txt"));
    let both = place.run(&["lists", "run"]).done().stdout;
    let names: Vec<&str> = both.lines().filter(|line| !line.starts_with("# ")).collect();
    assert_eq!(names.len() + 2, both.lines().count());
    assert_eq!(names.join("\n") + "\n", place.read("run/allowlist.txt") + &place.read("run/blocklist.txt"));
    assert_eq!(place.run(&["lists", "run", "--quiet"]).done().stdout, "");
}

#[test]
fn every_form_holds_the_names_of_the_list_and_can_be_scored_again() {
    let place = place("trade_desk display", &["--min-impressions", "0"]);
    for form in ["trade_desk_csv", "trade_desk_json", "dv360", "xandr", "amazon", "yahoo", "basis", "text"] {
        let answer = lists(&place, &["--dsp", form, "--out", "up"]);
        assert_eq!(answer["form"], form);
        for (at, list) in ["allowlist", "blocklist"].into_iter().enumerate() {
            let manifest = place.json(&format!("up/{list}-{form}-manifest.json"));
            assert_eq!((&manifest["form"], &manifest["list_type"]), (&form.into(), &list.into()));
            assert_eq!(answer["lists"][at]["left_out"], manifest["left_out"]);
            let mut names = BTreeSet::new();
            for file in manifest["files"].as_array().unwrap() {
                let own = names_in(&place, &format!("up/{}", file["file"].as_str().unwrap()));
                assert_eq!(own.len() as u64, file["names"].as_u64().unwrap(), "{form}");
                names.extend(own);
            }
            let expected: BTreeSet<String> = lines(&place, &format!("run/{list}.txt")).into_iter().collect();
            assert_eq!(names, expected, "{form}");
        }
        for file in answer["files"].as_array().unwrap() {
            let bytes = std::fs::read(place.path(file["file"].as_str().unwrap())).unwrap();
            assert_eq!(bytes.len() as u64, file["size"].as_u64().unwrap());
        }
    }
}

/// The names that a file of an upload holds.
fn names_in(place: &Place, file: &str) -> Vec<String> {
    match file.rsplit('.').next().unwrap() {
        "json" => {
            let document = place.json(file);
            let lines = document["BidLines"].as_array().unwrap();
            return lines.iter().map(|line| line["DomainFragment"].as_str().unwrap().to_owned()).collect();
        }
        "txt" => return lines(place, file),
        _ => {}
    }
    let text = place.read(file);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let names = reader.records().map(|record| record.unwrap()[0].to_owned());
    names.filter(|name| name != "Domain").collect()
}

#[test]
fn an_exported_list_read_again_gives_the_same_names() {
    let place = Place::new();
    let mut report = plain_report(40);
    for name in
        ["com.hulu.plus", "291097", "https://Zürich.example/x", "b07y8sjgcv", "Very Local: News & Weather"]
    {
        report.push_str(&format!("\"{name}\",9000,1.5,40\n"));
    }
    place.write("r.csv", report);
    place.score(&[&["r.csv", "--out", "run", "--list-share", "0.5"][..], &GENERIC].concat());
    for form in ["trade_desk_csv", "dv360", "basis"] {
        lists(&place, &["--dsp", form, "--out", "up", "--list", "allow"]);
        let extension = if form == "dv360" { "txt" } else { "csv" };
        let names = names_in(&place, &format!("up/allowlist-{form}.{extension}"));
        let rows: String =
            names.iter().map(|name| format!("\"{}\",5000,1,1\n", name.replace('"', "\"\""))).collect();
        place.write("again.csv", format!("Domain,Impressions,Spend,Clicks\n{rows}"));
        place.score(&[&["again.csv", "--out", "again"][..], &GENERIC].concat());
        let read: BTreeSet<String> = tables::csv(&place, "again").names().into_iter().collect();
        assert_eq!(read, names.into_iter().collect(), "{form}");
    }
}

#[test]
fn over_long_lists_are_chunked_and_files_that_are_no_longer_part_of_them_go() {
    let place = Place::new();
    place.write("r.csv", plain_report(5000));
    place.score(&[&["r.csv", "--out", "run"][..], &GENERIC].concat());
    lists(&place, &["--dsp", "xandr", "--out", "up", "--list-share", "0.5"]);
    let files = |place: &Place| place.files_in("up").into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(
        files(&place).iter().filter(|name| name.starts_with("blocklist-xandr-")).collect::<Vec<_>>(),
        [
            "blocklist-xandr-1.txt",
            "blocklist-xandr-2.txt",
            "blocklist-xandr-3.txt",
            "blocklist-xandr-manifest.json"
        ]
    );
    assert_eq!(lines(&place, "up/blocklist-xandr-3.txt").len(), 500);
    place.write("up/blocklist-xandr-9.txt", "mine");
    lists(&place, &["--dsp", "xandr", "--out", "up", "--list", "block", "--list-share", "0.3"]);
    let left = files(&place);
    assert!(!left.contains(&"blocklist-xandr-3.txt".into()), "an old part beside new ones: {left:?}");
    assert!(left.contains(&"blocklist-xandr-9.txt".into()), "it was never ours");
    assert!(left.contains(&"allowlist-xandr-3.txt".into()), "another list's");
}

#[test]
fn vendors_are_refused_by_forms_for_sites() {
    let place = place("trade_desk display", &["--dimension", "supply_vendor", "--min-impressions", "0"]);
    let error = place.run(&["lists", "--json", "run", "--dsp", "dv360", "--out", "up"]).error(2);
    assert_error(&error, "bad_option", None, None);
    assert_says(&error, "message", &["supply vendors", "dv360"]);
    assert!(!place.path("up").exists());
    lists(&place, &["--dsp", "text", "--out", "up"]);
    assert_eq!(place.read("up/blocklist-text.txt"), place.read("run/blocklist.txt"));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let place = place("trade_desk display", &[]);
    let error = place.run(&["lists", "--json", "run", "--dsp", "dv361"]).error(2);
    assert_says(&error, "message", &["--dsp", "dv361"]);
    assert_says(&error, "help", &["dv360", "trade_desk_csv"]);
    let error = place.run(&["lists", "--json", "nowhere"]).error(2);
    assert_error(&error, "not_readable", Some("nowhere"), None);
    for flags in
        [["--list-share", "0.6"], ["--list-policy", "best"], ["--min-impressions", "-1"], ["--list", "x"]]
    {
        place.run(&[&["lists", "--json", "run"][..], &flags].concat()).error(2);
    }
    place.write("file", "");
    let error = place.run(&["lists", "--json", "run", "--out", "file/below"]).error(1);
    assert_error(&error, "machine", Some("file/below/allowlist.txt"), None);
}

#[test]
fn names_that_a_spreadsheet_would_run_are_left_out_of_an_upload_and_said() {
    let place = Place::new();
    let mut report = plain_report(20);
    report.push_str("\"=HYPERLINK(1)\",9000,0.1,4000\n");
    place.write("r.csv", report);
    place.score(&[&["r.csv", "--out", "run"][..], &GENERIC].concat());
    let out =
        place.run(&["lists", "run", "--dsp", "trade_desk_csv", "--out", "up", "--list", "allow"]).done();
    assert!(out.stderr.contains("=HYPERLINK(1)"), "{out}");
    assert!(!place.read("up/allowlist-trade_desk_csv.csv").contains("HYPERLINK"));
    let manifest = place.json("up/allowlist-trade_desk_csv-manifest.json");
    assert_eq!(manifest["left_out"][0]["name"], "=HYPERLINK(1)");
}
