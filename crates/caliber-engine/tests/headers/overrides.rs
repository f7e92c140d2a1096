//! `--map`: what it takes, what it leaves out, and what it refuses.

use caliber_engine::recipe::Dimension::Domain;
use caliber_engine::report::mapping::{How, Override, Target};
use caliber_engine::{Code, Error};

use crate::table::{Table, headers_of, pairs};

const HEADERS: [&str; 5] = ["Site", "Impressions", "Clicks", "Kosten", "Cost"];

#[track_caller]
fn refused(table: &Table, maps: &[&str]) -> Error {
    let error = table.map(Domain, &["cpm", "ctr"], maps).unwrap_err();
    assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{error}: no help");
    error
}

#[test]
fn a_flag_is_a_name_and_a_header_or_a_position_or_nothing() {
    let target = |text: &str| Override::parse(text).map(|given| (given.name, given.target));
    let header = |text: &str| Target::Header(text.to_owned());
    for (text, name, expected) in [
        ("spend=Kosten", "spend", header("Kosten")),
        (" spend = Kosten ", "spend", header("Kosten")),
        ("spend=a=b", "spend", header("a=b")),
        ("spend=#", "spend", header("#")),
        ("spend=#3", "spend", Target::Position(2)),
        ("spend=# of clicks", "spend", header("# of clicks")),
        ("spend=#3rd", "spend", header("#3rd")),
        ("spend=", "spend", Target::LeaveOut),
        ("spend=  ", "spend", Target::LeaveOut),
    ] {
        assert_eq!(target(text).unwrap(), (name.to_owned(), expected), "{text}");
    }
    for text in ["spend", "", "=Kosten", " =x", "spend=#0", "spend=#99999999999999999999999"] {
        let error = target(text).unwrap_err();
        assert_eq!(error.code, Code::BadOption, "{text}");
        assert!(error.help.unwrap().contains("NAME=#3"), "{text}");
    }
}

#[test]
fn a_header_or_a_position_is_taken_as_given_before_all_that_would_fit_better() {
    let table = Table::of(&HEADERS);
    for map in ["spend=Kosten", "spend=kosten", "spend=#4"] {
        let mapping = table.map(Domain, &["cpm"], &[map]).unwrap();
        assert_eq!(headers_of(&mapping, "spend"), ["Kosten"], "{map}");
        assert_eq!(mapping.at(3).unwrap().how, How::Given, "{map}");
        assert_eq!(mapping.unmapped, ["Cost"], "{map}");
    }
    // A header that is known as something else can be given a name as well.
    let mapping = table.map(Domain, &["ctr"], &["conversions=Clicks"]).unwrap();
    assert_eq!(headers_of(&mapping, "conversions"), ["Clicks"]);
    assert_eq!(headers_of(&mapping, "clicks"), Vec::<&str>::new(), "a header is used once");
    // A synonym is its column.
    let mapping = Table::of(&["Site", "Kosten"]).map(Domain, &["ecpm"], &["ecpm=Kosten"]).unwrap();
    assert_eq!(headers_of(&mapping, "cpm"), ["Kosten"]);
}

#[test]
fn what_is_left_out_is_not_found_by_name_nor_likeness() {
    let table = Table::of(&["Site", "Impressions", "Clicks", "CTR"]);
    let mapping = table.map(Domain, &["ctr"], &["clicks="]).unwrap();
    assert_eq!(pairs(&mapping), [("Site", "domain"), ("Impressions", "impressions"), ("CTR", "ctr")]);
    assert_eq!(mapping.unmapped, ["Clicks"]);
    assert_eq!(mapping.suggestions, [], "nor suggested");
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let error = refused(&Table::of(&HEADERS), &["spent=Kosten"]);
    assert_eq!(error.code, Code::BadOption);
    assert!(error.message.contains("`spent`"), "{error}");
    assert!(error.help.as_ref().unwrap().starts_with("did you mean `spend`?"), "{error}");
    let error = refused(&Table::of(&HEADERS), &["qqqqqqq=Kosten"]);
    let help = error.help.unwrap();
    assert!(!help.contains("did you mean") && help.contains("impressions, clicks"), "{help}");
}

#[test]
fn a_header_that_is_not_there_is_answered_with_the_nearest() {
    let error = refused(&Table::of(&HEADERS), &["spend=Kostn"]);
    assert_eq!(error.code, Code::NotFound);
    assert!(error.message.contains("`Kostn`"), "{error}");
    assert!(error.help.as_ref().unwrap().starts_with("did you mean `Kosten`?"), "{error}");
    let error = refused(&Table::of(&HEADERS), &["spend=Umsatz im Monat"]);
    assert_eq!(error.code, Code::NotFound);
    assert!(!error.help.unwrap().contains("did you mean"));
}

#[test]
fn a_position_beyond_the_last_column_is_refused() {
    let table = Table::of(&HEADERS);
    assert_eq!(headers_of(&table.map(Domain, &["cpm"], &["spend=#5"]).unwrap(), "spend"), ["Cost"]);
    let error = refused(&table, &["spend=#6"]);
    assert_eq!((error.code, error.column.as_deref()), (Code::NotFound, Some("#6")));
    assert!(error.message.contains("has 5"), "{error}");
}

#[test]
fn a_header_that_stands_twice_needs_its_position() {
    let table = Table::with_cells(&[("Kosten", &["1"]), ("Kosten", &["2"]), ("Impressions", &["3"])]);
    let error = refused(&table, &["spend=Kosten"]);
    assert_eq!(error.code, Code::Ambiguous);
    assert!(error.message.contains("#1, #2"), "{error}");
    assert_eq!(table.map(Domain, &["cpm"], &["spend=#2"]).unwrap().positions("spend"), [1]);
    let equal = Table::with_cells(&[("Kosten", &["1"]), ("Kosten", &["1"]), ("Impressions", &["3"])]);
    assert_eq!(equal.map(Domain, &["cpm"], &["spend=Kosten"]).unwrap().positions("spend"), [0]);
}

#[test]
fn a_column_mapped_twice_and_a_header_given_twice_are_refused() {
    let table = Table::of(&["Site", "Impressions", "Kosten", "Clicks", "CTR", "Click share %"]);
    for maps in [
        ["spend=Kosten", "spend=Kosten"],
        ["spend=Kosten", "spend=#4"],
        ["spend=", "spend=Kosten"],
        ["cpm=Kosten", "ecpm=#3"],
        ["spend=Kosten", "clicks=Kosten"],
        ["spend=#3", "clicks=Kosten"],
    ] {
        assert_eq!(refused(&table, &maps).code, Code::BadOption, "{maps:?}");
    }
}

#[test]
fn two_names_that_come_to_one_rate_are_refused() {
    let table = Table::with_cells(&[
        ("Site", &["a.example"]),
        ("Impressions", &["1000"]),
        ("Klicks", &["0.1%"]),
        ("Klickrate", &["0.1"]),
    ]);
    // Clicks in percent are the click-through rate.
    let mapping = table.map(Domain, &["ctr"], &["clicks=Klicks"]).unwrap();
    assert_eq!(headers_of(&mapping, "ctr"), ["Klicks"]);
    for maps in
        [["ctr=Klickrate", "clicks=Klicks"], ["clicks=Klicks", "ctr=Klickrate"], ["ctr=", "clicks=Klicks"]]
    {
        let error = refused(&table, &maps);
        assert_eq!(error.code, Code::BadOption, "{maps:?}");
        assert!(error.message.contains("`ctr`"), "{maps:?}: {error}");
    }
}
