//! Real exports: a messy report scores like the clean one of the same seed, one kind of mess at a time and many.

use serde_json::Value;

use crate::call::{Place, assert_says};
use crate::tables::{self, Table};

const LAYOUTS: [&str; 4] = ["trade_desk display", "trade_desk ctv", "pulsepoint video", "dv360 display"];
const SIZE: (u32, u32) = (400, 40);

/// Kinds that a report is scored with only under further flags, or that name sites otherwise.
const APART: [&str; 4] = ["all", "idn", "several_currencies", "no_header"];

/// Kinds of which one file shows only one.
const EXCLUSIVE: [&[&str]; 4] = [
    &["bom", "utf16", "cp1252"],
    &["semicolon", "tab", "pipe"],
    &["mixed_newlines", "crlf", "cr"],
    &["percent", "percent_headers"],
];

fn kinds(place: &Place) -> Vec<String> {
    let help = place.run(&["sample", "--help"]).done().stdout;
    let list = help.split("Kinds of mess:").nth(1).unwrap().split("Example:").next().unwrap();
    let kinds: Vec<String> = list.split(',').map(|kind| kind.trim().to_owned()).collect();
    assert!(kinds.len() >= 46 && kinds[0] == "all", "{kinds:?}");
    kinds
}

fn sampled(place: &Place, layout: &str, file: &str, mess: &str) -> bool {
    let (platform, channel) = layout.split_once(' ').unwrap();
    let (rows, names) = (SIZE.0.to_string(), SIZE.1.to_string());
    let mut args = vec!["sample", "--json", "--platform", platform, "--channel", channel];
    args.extend(["--rows", &rows, "--domains", &names, "--out", file]);
    if !mess.is_empty() {
        args.extend(["--mess", mess]);
    }
    let outcome = place.run(&args);
    if outcome.code == Some(0) {
        return true;
    }
    assert_says(&outcome.error(2), "message", &["cannot"]);
    false
}

/// The clean results, and lists, of a layout.
fn clean(place: &Place, layout: &str) -> Table {
    assert!(sampled(place, layout, "clean.csv", ""));
    place.score(&flags(layout, "clean.csv", "clean"));
    tables::csv(place, "clean")
}

fn flags<'a>(layout: &'a str, file: &'a str, out: &'a str) -> Vec<&'a str> {
    let (platform, channel) = layout.split_once(' ').unwrap();
    vec![file, "--platform", platform, "--channel", channel, "--out", out]
}

/// Scores a messy file and says where it differs from the clean one.
fn difference(place: &Place, layout: &str, file: &str, clean: &Table) -> Option<String> {
    let mut args = vec!["score", "--json"];
    args.extend(flags(layout, file, "messy"));
    let outcome = place.run(&args);
    if outcome.code != Some(0) {
        return Some(outcome.stderr);
    }
    let lists = ["allowlist.txt", "blocklist.txt"].map(|list| {
        let same = place.read(&format!("messy/{list}")) == place.read(&format!("clean/{list}"));
        (!same).then(|| format!("{list} differs"))
    });
    tables::csv(place, "messy").difference(clean, 1e-9).or_else(|| lists.into_iter().flatten().next())
}

#[test]
fn each_kind_of_mess_alone_changes_no_score() {
    let mut wrong = Vec::new();
    for layout in LAYOUTS {
        let place = Place::new();
        let clean = clean(&place, layout);
        let mut planted = 0;
        for kind in kinds(&place).iter().filter(|kind| !APART.contains(&kind.as_str())) {
            for file in ["messy.csv", "messy.xlsx", "messy.parquet"] {
                if sampled(&place, layout, file, kind) {
                    planted += 1;
                    let difference = difference(&place, layout, file, &clean);
                    wrong.extend(
                        difference.map(|difference| format!("{layout}, {kind} in {file}: {difference}")),
                    );
                }
            }
        }
        assert!(planted > 70, "{layout}: {planted}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Numbers that are the same on every machine: Lehmer's.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0 * 48271 % 0x7FFF_FFFF;
        (self.0 % most as u64) as usize
    }
}

/// Three to six kinds that go together.
fn combination(draw: &mut Draw, kinds: &[String]) -> Vec<String> {
    let count = 3 + draw.below(4);
    let mut chosen: Vec<String> = Vec::new();
    while chosen.len() < count {
        let kind = &kinds[draw.below(kinds.len())];
        let rivals = EXCLUSIVE.iter().filter(|group| group.contains(&kind.as_str())).copied().flatten();
        let taken = rivals.into_iter().any(|rival| chosen.iter().any(|other| other == rival));
        if !taken && !chosen.contains(kind) && !APART.contains(&kind.as_str()) {
            chosen.push(kind.clone());
        }
    }
    chosen
}

#[test]
fn combinations_of_kinds_change_no_score() {
    let mut wrong = Vec::new();
    let place = Place::new();
    let kinds = kinds(&place);
    for (seed, layout) in LAYOUTS.into_iter().enumerate() {
        let clean = clean(&place, layout);
        let mut draw = Draw(1 + 7919 * seed as u64);
        let mut planted = 0;
        while planted < 15 {
            let mess = combination(&mut draw, &kinds).join(",");
            for file in ["messy.csv", "messy.xlsx"] {
                if sampled(&place, layout, file, &mess) {
                    planted += 1;
                    let difference = difference(&place, layout, file, &clean);
                    wrong.extend(
                        difference.map(|difference| format!("{layout}, {mess} in {file}: {difference}")),
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Names outside ASCII stand where others stood, their two spellings as one; all figures stay.
#[track_caller]
fn assert_same_but_for_names(messy: &Table, clean: &Table, what: &str) {
    let figures = |table: &Table| {
        let mut figures: Vec<(f64, f64)> =
            table.numbers("score").into_iter().zip(table.numbers("impressions")).collect();
        figures.sort_by(|a, b| a.partial_cmp(b).unwrap());
        figures
    };
    assert_eq!(messy.columns, clean.columns, "{what}");
    let (a, b) = (figures(messy), figures(clean));
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(&b) {
        assert!((a.0 - b.0).abs() < 1e-9 && a.1 == b.1, "{what}: {a:?} and {b:?}");
    }
    let renamed = messy.names().iter().filter(|name| !clean.names().contains(name)).count();
    assert!(renamed <= 3, "{what}: {renamed} names are others");
}

#[test]
fn all_kinds_at_once_change_no_score() {
    for layout in LAYOUTS {
        let place = Place::new();
        let clean = clean(&place, layout);
        for file in ["messy.csv", "messy.xlsx", "messy.parquet", "messy.csv.gz"] {
            for mess in ["all", "idn"] {
                if file == "messy.parquet" && mess == "all" && layout.ends_with("ctv") {
                    continue;
                }
                assert!(sampled(&place, layout, file, mess), "{layout}, {mess} in {file}");
                place.score(&flags(layout, file, "messy"));
                let what = format!("{layout}, {mess} in {file}");
                assert_same_but_for_names(&tables::csv(&place, "messy"), &clean, &what);
            }
        }
        for mess in ["all,utf16", "all,cp1252,pipe,crlf", "all,tab,cr,percent_headers"] {
            assert!(sampled(&place, layout, "messy.csv", mess));
            place.score(&flags(layout, "messy.csv", "messy"));
            assert_same_but_for_names(&tables::csv(&place, "messy"), &clean, &format!("{layout}, {mess}"));
        }
    }
}

#[test]
fn all_kinds_at_once_are_still_recognised() {
    for layout in LAYOUTS {
        let place = Place::new();
        let (platform, channel) = layout.split_once(' ').unwrap();
        for file in ["r.csv", "r.xlsx"] {
            assert!(sampled(&place, layout, file, "all"));
            let summary = place.score(&[file]);
            assert_eq!(
                (&summary["platform"], &summary["channel"]),
                (&platform.into(), &channel.into()),
                "{file}"
            );
        }
    }
}

#[test]
fn what_is_not_scored_is_counted() {
    for (mess, key) in
        [("tail_aggregate", "aggregate_rows"), ("totals", "aggregate_rows"), ("unnamed", "aggregate_rows")]
    {
        let place = Place::new();
        assert!(sampled(&place, "trade_desk display", "r.csv", mess));
        let summary = place.score(&["r.csv"]);
        assert!(summary[key]["count"].as_u64().unwrap() > 0, "{mess}: {}", summary[key]);
        let most = place.json("r-caliber/summary.json")["total_impressions"].as_f64().unwrap();
        if mess == "tail_aggregate" {
            let tail = summary[key]["impressions"].as_f64().unwrap();
            assert!(tail > most * 0.3, "half the delivery is in the tail: {tail} beside {most}");
        }
    }
    for (mess, reason) in
        [("missing_impressions", "missing_impressions"), ("repeated_header", "repeated_header")]
    {
        let place = Place::new();
        assert!(sampled(&place, "trade_desk display", "r.csv", mess));
        let summary = place.score(&["r.csv"]);
        assert!(summary["rows_dropped"][reason].as_u64().unwrap() > 0, "{mess}: {}", summary["rows_dropped"]);
        let lost = summary["rows_read"].as_u64().unwrap() - summary["rows_used"].as_u64().unwrap();
        assert!(lost > 0, "{mess}");
    }
}

#[test]
fn several_currencies_are_an_error_until_one_is_picked() {
    let place = Place::new();
    for (layout, column) in
        [("trade_desk display", "Currency Code"), ("dv360 display", "Advertiser Currency")]
    {
        assert!(sampled(&place, layout, "r.csv", "several_currencies"));
        let error = place.refusal(&["r.csv"]);
        assert_eq!((&error["code"], &error["column"]), (&"several_currencies".into(), &column.into()));
        let filter = format!("{column}=EUR");
        assert_says(&error, "help", &["--where", &filter]);
        assert_eq!(place.score(&["r.csv", "--where", &filter])["currency"], "EUR");
    }
}

#[test]
fn a_report_without_header_scores_like_the_one_with_once_its_columns_are_numbered() {
    let place = Place::new();
    let clean = clean(&place, "trade_desk display");
    let header = place.read("clean.csv").lines().next().unwrap().to_owned();
    for file in ["r.csv", "r.xlsx"] {
        assert!(sampled(&place, "trade_desk display", file, "no_header"));
        let error = place.refusal(&[file]);
        assert_eq!((&error["code"], &error["line"]), (&Value::from("no_header"), &1.into()), "{error}");
        assert_says(&error, "help", &["--no-header", "--map"]);
        let mut args: Vec<String> =
            flags("trade_desk display", file, "messy").iter().map(ToString::to_string).collect();
        args.push("--no-header".into());
        for (name, column) in [
            ("domain", "Site"),
            ("impressions", "Impressions"),
            ("spend", "Advertiser Cost"),
            ("cpm", "Advertiser CPM"),
            ("clicks", "Clicks"),
            ("ctr", "CTR"),
            ("ias_display_fully_in_view_1s_rate", "IAS Display Fully In View 1 Second Rate"),
            ("ad_load_xl_impressions", "Ad Load - XL (Excessive) - Impressions"),
            ("ad_refresh_below_15s_impressions", "Ad Refresh - Below 15s - Impressions"),
            ("conversions", "All Last Click + View Conversions"),
        ] {
            let position = header.split(',').position(|found| found == column).unwrap();
            args.extend(["--map".to_owned(), format!("{name}=#{}", position + 1)]);
        }
        place.score(&args.iter().map(String::as_str).collect::<Vec<_>>());
        tables::csv(&place, "messy").assert_close(&clean, 1e-9, file);
    }
}
