//! Where metrics get their numbers, and what is said where they get none.

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::Dimension::{self, Domain, SupplyVendor};
use caliber_engine::report::mapping::{Source, Supplies, supply};
use caliber_engine::{Code, Result};

use crate::table::{Table, needs};

fn supplied(headers: &[&str], dimension: Dimension, metrics: &[&str]) -> Result<Supplies> {
    let mapping = Table::of(headers).map(dimension, metrics, &[])?;
    supply(&needs(dimension, metrics), Dictionary::shipped(), &mapping)
}

#[track_caller]
fn source_of(headers: &[&str], metric: &str) -> Source {
    let mut all = vec!["Site", "Impressions"];
    all.extend(headers);
    supplied(&all, Domain, &[metric]).unwrap().metrics.remove(0).source
}

fn counts(numerator: &[usize], denominator: &[usize], per: f64) -> Source {
    Source::Counts { numerator: numerator.to_vec(), denominator: denominator.to_vec(), per }
}

#[test]
fn counts_go_before_a_reported_rate_before_an_index() {
    for (headers, metric, expected) in [
        (&["Clicks", "CTR"][..], "ctr", counts(&[2], &[1], 1.0)),
        (&["CTR"], "ctr", Source::Reported { column: 2 }),
        (&["CPM", "Cost"], "cpm", counts(&[3], &[1], 1000.0)),
        (&["eCPM"], "ecpm", Source::Reported { column: 2 }),
        (&["Spend"], "ecpm", counts(&[2], &[1], 1000.0)),
        (
            &["Player Completion Rate", "Player Completed Views", "Player Starts"],
            "completion_rate",
            counts(&[3], &[4], 1.0),
        ),
        // One of two counts is none.
        (
            &["Player Completion Rate", "Player Completed Views"],
            "player_completion_rate",
            Source::Reported { column: 2 },
        ),
        (
            &["TV Quality Index", "TV Quality Index Measured Impressions"],
            "tv_quality_index_rate",
            counts(&[2], &[3], 1.0),
        ),
        (&["TV Quality Index"], "tv_quality_index_rate", Source::Reported { column: 2 }),
        (
            &["% Viewable Impressions", "Viewable Impressions", "Measurable Impressions"],
            "viewable_rate",
            counts(&[3], &[4], 1.0),
        ),
        (
            &["% Viewable Impressions", "Viewable Impressions"],
            "viewable_rate",
            Source::Reported { column: 2 },
        ),
        (
            &["01 - Total Click + View Conversions", "02 - Total Click + View Conversions"],
            "conversion_rate",
            counts(&[2, 3], &[1], 1.0),
        ),
        (&["Clicks"], "clicks", Source::Total { columns: vec![2] }),
    ] {
        assert_eq!(source_of(headers, metric), expected, "{metric} of {headers:?}");
    }
}

#[test]
fn every_column_that_is_read_is_listed_once_in_order() {
    let headers = ["Date", "Site", "Currency", "Impressions", "Clicks", "CTR", "Cost", "Notes", "Unique IDs"];
    let supplies = supplied(&headers, Domain, &["cpm", "ctr"]).unwrap();
    assert_eq!(supplies.columns(), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!((supplies.date, supplies.currency), (Some(0), Some(2)));
    let extras: Vec<&str> = supplies.extras.iter().map(|extra| extra.canonical.as_str()).collect();
    assert_eq!(extras, ["cpm", "ctr"]);
}

#[test]
fn what_is_missing_is_named_with_the_headers_that_would_supply_it() {
    for (headers, dimension, metric, says) in [
        (&["Site", "Impressions"][..], Domain, "ctr", &["ctr", "`Clicks`", "`CTR`"][..]),
        (&["Site", "Impressions"], Domain, "cpm", &["cpm", "`Spend`", "`CPM`"]),
        (&["Site", "Clicks"], Domain, "ctr", &["impressions", "`Impressions`"]),
        (&["Impressions", "Clicks"], Domain, "ctr", &["domain", "`Domain`"]),
        (&["Impressions", "Unique IDs"], SupplyVendor, "unique_id_ratio", &["supply_vendor", "`Exchange`"]),
        (
            &["Site", "Impressions", "Player Starts"],
            Domain,
            "player_completion_rate",
            &["`Video Completions`", "`Video Completion Rate`"],
        ),
    ] {
        let error = supplied(headers, dimension, &[metric]).unwrap_err();
        assert_eq!(error.code, Code::MissingColumns, "{headers:?}");
        for word in says {
            assert!(error.message.contains(word), "{word} is not in: {error}");
        }
    }
}

#[test]
fn a_header_that_may_be_meant_stands_in_the_help_as_the_flag_to_give() {
    let error = supplied(&["Site", "Impressions", "Gross Advertiser Cost"], Domain, &["cpm"]).unwrap_err();
    let help = error.help.unwrap();
    assert!(help.contains("--map \"spend=Gross Advertiser Cost\""), "{help}");
}
