//! Texts that are odd but say what they say: encodings, line ends, quotes, headers.

use crate::call::{GENERIC, Place, assert_error, assert_says};
use crate::tables::{self, Table};

const REPORT: &str = "Domain,Label,Impressions,Spend,Clicks\n\
    café.example,Été,1000,1.5,10\nb.example,Übung,900,2.5,20\nc.example,\u{2013} ok,800,3.5,15\n";

#[track_caller]
fn score(place: &Place, file: &str) -> Table {
    let mut args = vec![file, "--out", "out"];
    args.extend(GENERIC);
    place.score(&args);
    tables::csv(place, "out")
}

#[track_caller]
fn refused(place: &Place, file: &str) -> serde_json::Value {
    let mut args = vec![file, "--out", "out"];
    args.extend(GENERIC);
    place.refusal(&args)
}

/// Scores a text in other bytes, which must say what the report says.
#[track_caller]
fn assert_like_the_report(bytes: &[u8], what: &str) -> serde_json::Value {
    let place = Place::new();
    place.write("plain.csv", REPORT);
    place.write("odd.csv", bytes);
    let expected = score(&place, "plain.csv");
    score(&place, "odd.csv").assert_close(&expected, 0.0, what);
    place.json("out/quality.json")["files"][0].clone()
}

fn utf16(text: &str, mark: bool, big: bool) -> Vec<u8> {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn utf16_of_both_orders_with_and_without_a_mark() {
    for big in [false, true] {
        for mark in [false, true] {
            let file = assert_like_the_report(&utf16(REPORT, mark, big), &format!("mark {mark}, big {big}"));
            let encoding = file["encoding"].as_str().unwrap();
            assert!(encoding.starts_with("utf-16"), "{encoding}");
        }
    }
}

#[test]
fn utf16_that_ends_in_the_middle_of_a_character_is_read_or_refused_but_never_by_half() {
    let mut bytes = utf16(REPORT, true, false);
    bytes.truncate(bytes.len() - 1);
    let place = Place::new();
    place.write("r.csv", bytes);
    let mut args = vec!["score", "--json", "r.csv", "--out", "out"];
    args.extend(GENERIC);
    let outcome = place.run(&args);
    if outcome.code == Some(0) {
        assert_eq!(tables::csv(&place, "out").rows.len(), 3, "only the last line end is gone");
    } else {
        assert_eq!(outcome.error(2)["file"], "r.csv");
    }
}

#[test]
fn a_utf8_mark() {
    let file = assert_like_the_report(format!("\u{feff}{REPORT}").as_bytes(), "with a mark");
    assert_eq!(file["header_row"], 1);
}

#[test]
fn windows_1252() {
    let bytes: Vec<u8> = REPORT
        .chars()
        .map(|letter| match letter {
            '\u{2013}' => 0x96,
            letter => u8::try_from(u32::from(letter)).unwrap(),
        })
        .collect();
    let file = assert_like_the_report(&bytes, "Windows-1252");
    assert_eq!(file["encoding"], "windows-1252");
}

#[test]
fn line_ends_of_every_kind_and_all_at_once() {
    for end in ["\r\n", "\r"] {
        assert_like_the_report(REPORT.replace('\n', end).as_bytes(), &format!("{end:?}"));
    }
    let mut ends = ["\n", "\r\n", "\r"].iter().cycle();
    let mixed: String = REPORT.lines().map(|line| format!("{line}{}", ends.next().unwrap())).collect();
    assert_like_the_report(mixed.as_bytes(), "mixed");
    assert_like_the_report(REPORT.trim_end().as_bytes(), "no line end at the end");
}

#[test]
fn quoted_cells_with_line_ends_delimiters_and_quotes() {
    let odd =
        REPORT.replace("Été", "\"one\ntwo, \"\"three\"\"\r\nfour\"").replace("b.example", "\"b.example\"");
    assert_like_the_report(odd.as_bytes(), "quoted");
}

#[test]
fn every_delimiter() {
    for delimiter in [";", "\t", "|"] {
        let file = assert_like_the_report(REPORT.replace(',', delimiter).as_bytes(), delimiter);
        assert_eq!(file["delimiter"], delimiter);
    }
}

#[test]
fn nul_bytes_in_a_cell_hurt_nothing_else() {
    let place = Place::new();
    place.write("r.csv", REPORT.replace("Été", "a\0\0b"));
    place.write("plain.csv", REPORT);
    let mut args = vec!["score", "--json", "r.csv", "--out", "out"];
    args.extend(GENERIC);
    let outcome = place.run(&args);
    if outcome.code == Some(0) {
        tables::csv(&place, "out").assert_close(&score(&place, "plain.csv"), 0.0, "a cell that nobody reads");
    } else {
        assert_eq!(outcome.error(2)["code"], "wrong_kind");
    }
    place.write("zeros.csv", vec![0; 5000]);
    let error = refused(&place, "zeros.csv");
    assert!(error["code"] == "wrong_kind" || error["code"] == "empty", "{error}");
}

#[test]
fn an_unclosed_quote_is_an_error_with_its_line_or_hurts_one_row_only() {
    let place = Place::new();
    let mut report = crate::call::plain_report(2000);
    let at = report.find("site000700").unwrap();
    report.insert(at, '"');
    place.write("r.csv", &report);
    let mut args = vec!["score", "--json", "r.csv", "--out", "out"];
    args.extend(GENERIC);
    let outcome = place.run(&args);
    if outcome.code == Some(0) {
        let rows = tables::csv(&place, "out").rows.len();
        assert!(rows >= 1999, "{rows} rows of 2000 are left and nothing is said: {outcome}");
    } else {
        let error = outcome.error(2);
        assert_error(&error, "malformed", Some("r.csv"), Some(702));
        assert_says(&error, "message", &["quote"]);
    }
}

#[test]
fn duplicate_headers_of_columns_that_nobody_needs_are_no_matter() {
    let odd: String = REPORT.lines().map(|line| format!("{line},1,2\n")).collect::<String>().replacen(
        "Clicks,1,2",
        "Clicks,Note,Note",
        1,
    );
    assert_like_the_report(odd.as_bytes(), "two notes");
}

#[test]
fn the_better_of_two_rows_that_look_like_headers_is_taken() {
    let place = Place::new();
    place.write("r.csv", format!("Report,Domain,Clicks\nspring,all,all\n\n{REPORT}"));
    place.write("plain.csv", REPORT);
    let expected = score(&place, "plain.csv");
    score(&place, "r.csv").assert_close(&expected, 0.0, "two candidates");
    assert_eq!(place.json("out/quality.json")["files"][0]["header_row"], 4);
}

#[test]
fn a_report_whose_rows_are_all_dropped_says_why() {
    let place = Place::new();
    for rows in [
        "Total,x,1000,1,1\nGrand Total:,x,900,1,1\n",
        "a.example,x,,1,1\nb.example,x,n/a,1,1\n",
        ",x,1000,1,1\n--,x,900,2,2\n",
    ] {
        place.write("r.csv", format!("Domain,Label,Impressions,Spend,Clicks\n{rows}"));
        let error = refused(&place, "r.csv");
        assert_error(&error, "nothing_scored", Some("r.csv"), None);
        assert_says(&error, "message", &["dropped"]);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn a_number_that_cannot_be_read_is_missing_and_counted_never_0() {
    let place = Place::new();
    place.write(
        "r.csv",
        "Domain,Impressions,Spend,Clicks\na.example,1000,ten,1\nb.example,900,2,1\nc.example,x1,3,1\nd.example,700,4,1\n",
    );
    let table = score(&place, "r.csv");
    assert_eq!(table.rows.len(), 3, "no impressions, no row");
    let a = table.names().iter().position(|name| name == "a.example").unwrap();
    assert_eq!(table.rows[a][table.position("cpm")], tables::Cell::Missing);
    let quality = place.json("out/quality.json");
    let cells = quality["unreadable_cells"].as_array().unwrap();
    let of = |column: &str| {
        let cells = cells.iter().find(|cells| cells["column"] == column);
        cells.unwrap_or_else(|| panic!("{column}: {quality}")).clone()
    };
    assert_eq!((&of("Spend")["count"], &of("Spend")["lines"]), (&1.into(), &serde_json::json!([2])));
    assert_eq!(of("Impressions")["lines"], serde_json::json!([4]));
}
