//! Headers that are known only by their likeness: taken from four words of five on, and with a warning.

use caliber_engine::recipe::Dimension::Domain;
use caliber_engine::report::mapping::{How, Mapping};

use crate::table::{Table, headers_of};

fn mapped(headers: &[&str], metric: &str) -> Mapping {
    Table::of(headers).map(Domain, &[metric], &[]).unwrap()
}

#[test]
fn four_words_of_five_are_enough_and_said() {
    for (header, metric, canonical) in [
        // 4 of 5, 7 of 8, 8 of 9 words.
        ("Ad Refresh Below 15s Count", "ad_refresh_below_15s_rate", "ad_refresh_below_15s_impressions"),
        (
            "IAS Display Fully In View Second Rate",
            "ias_display_fully_in_view_1s_rate",
            "ias_display_fully_in_view_1s_rate",
        ),
        (
            "New IAS Display Fully In View 1 Second Rate",
            "ias_display_fully_in_view_1s_rate",
            "ias_display_fully_in_view_1s_rate",
        ),
        ("Campaign All Last Click + View Conversions", "conversion_rate", "conversions"),
    ] {
        let mapping = mapped(&[header], metric);
        assert_eq!(headers_of(&mapping, canonical), [header]);
        assert_eq!(mapping.at(0).unwrap().how, How::Similar, "{header}");
        let [warning] = mapping.warnings.as_slice() else { panic!("{header}: {:?}", mapping.warnings) };
        assert_eq!(warning.code, "similar_header");
        assert!(warning.message.contains(header), "{}", warning.message);
    }
}

#[test]
fn less_is_only_suggested_and_still_less_is_nothing() {
    for (header, canonical) in [
        ("Gross Advertiser Cost", "spend"), // 2 of 3
        ("Spend Total Net", "spend"),       // 2 of 3
        ("Player Starts Total", "player_starts"),
        ("Viewability", "ias_display_fully_in_view_1s_rate"),
    ] {
        let metric = match canonical {
            "spend" => "cpm",
            "player_starts" => "player_completion_rate",
            rate => rate,
        };
        let mapping = mapped(&[header], metric);
        assert_eq!(mapping.columns, [], "{header}");
        let suggested = mapping
            .suggestions
            .iter()
            .any(|suggestion| suggestion.canonical == canonical && suggestion.header == header);
        assert!(suggested, "{header}: {:?}", mapping.suggestions);
    }
    for header in ["Costume", "Advertiser Name", "Viewers", "Clicker", "Cost of the whole campaign so far"] {
        let mapping = mapped(&[header], "cpm");
        assert_eq!((mapping.columns, mapping.suggestions), (vec![], vec![]), "{header}");
    }
}

#[test]
fn what_is_found_by_name_is_never_replaced_by_what_is_alike() {
    let headers = ["Total Ad Refresh Below 15s", "Ad Refresh Below 15s", "Impressions"];
    let mapping = mapped(&headers, "ad_refresh_below_15s_rate");
    assert_eq!(headers_of(&mapping, "ad_refresh_below_15s_impressions"), ["Ad Refresh Below 15s"]);
    assert_eq!(mapping.warnings, []);
    assert_eq!(mapping.unmapped, ["Total Ad Refresh Below 15s"]);
}

#[test]
fn a_word_that_negates_is_never_a_likeness() {
    for header in [
        "All Last Click + View Conversions Not Viewed",
        "No All Last Click View Conversions",
        "IAS Display Not Fully In View 1 Second Rate",
        "IAS Display Fully In View 1 Second Rate Without Video",
    ] {
        for metric in ["conversion_rate", "ias_display_fully_in_view_1s_rate"] {
            let mapping = mapped(&[header], metric);
            assert_eq!(mapping.columns, [], "{header}");
            assert_eq!(mapping.suggestions, [], "{header}");
        }
    }
}

#[test]
fn a_rate_is_never_taken_for_a_count_that_is_alike() {
    let header = "Sampled Viewed Impressions Total Rate";
    let mapping = mapped(&[header, "Sampled Tracked Impressions"], "sampled_in_view_rate");
    assert_eq!(headers_of(&mapping, "sampled_viewed_impressions"), Vec::<&str>::new());
    let cells = Table::with_cells(&[("Total Ad Refresh Below 15s", &["3%"]), ("Impressions", &["10"])]);
    let mapping = cells.map(Domain, &["ad_refresh_below_15s_rate"], &[]).unwrap();
    assert_eq!(headers_of(&mapping, "ad_refresh_below_15s_impressions"), Vec::<&str>::new());
}

#[test]
fn a_header_that_is_known_as_something_else_is_never_taken_by_likeness() {
    // `All Last Click + View Conversion Rate` shares most words with the count.
    let mapping = mapped(&["All Last Click + View Conversion Rate", "Impressions"], "conversion_rate");
    assert_eq!(headers_of(&mapping, "conversions"), Vec::<&str>::new());
    assert_eq!(headers_of(&mapping, "conversion_rate"), ["All Last Click + View Conversion Rate"]);
}
