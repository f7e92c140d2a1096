//! Several headers for one column, and one header for several columns.

use caliber_engine::Code;
use caliber_engine::recipe::Dimension::{Domain, SupplyVendor};
use caliber_engine::report::mapping::Mapping;

use crate::table::{Table, headers_of, pairs};

#[track_caller]
fn mapped(headers: &[&str], metrics: &[&str]) -> Mapping {
    Table::of(headers).map(Domain, metrics, &[]).unwrap()
}

#[test]
fn the_preferred_alias_wins_wherever_it_stands() {
    for headers in [["Cost", "Advertiser Cost"], ["Advertiser Cost", "Cost"]] {
        let mapping = mapped(&headers, &["cpm"]);
        assert_eq!(headers_of(&mapping, "spend"), ["Advertiser Cost"]);
        assert_eq!(mapping.unmapped, ["Cost"]);
    }
    // The canonical name goes before every alias.
    assert_eq!(headers_of(&mapped(&["Advertiser Cost", "spend"], &["cpm"]), "spend"), ["spend"]);
    for lesser in ["Partner Cost", "TTD Cost (USD)", "TTD_Cost"] {
        let mapping = mapped(&[lesser, "Advertiser Cost (USD)"], &["cpm"]);
        assert_eq!(headers_of(&mapping, "spend"), ["Advertiser Cost (USD)"], "{lesser}");
    }
}

#[test]
fn money_is_taken_in_the_currency_of_the_advertiser_then_of_the_partner_then_in_dollars() {
    let in_currency = |unit: &str| format!("Advertiser Cost ({unit})");
    let order = ["Adv Currency", "Partner Currency", "USD"];
    for first in 0..order.len() {
        let mut headers: Vec<String> = order[first..].iter().map(|unit| in_currency(unit)).collect();
        headers.reverse();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let mapping = mapped(&headers, &["cpm"]);
        assert_eq!(headers_of(&mapping, "spend"), [in_currency(order[first])], "{headers:?}");
    }
}

#[test]
fn of_two_units_the_one_that_ranks_the_column_counts() {
    let headers = ["Advertiser Cost (USD)", "Advertiser Cost (Adv Currency) (USD)"];
    assert_eq!(headers_of(&mapped(&headers, &["cpm"]), "spend"), [headers[1]]);
    let headers = ["Spend USD", "Spend (Partner Currency)"];
    assert_eq!(headers_of(&mapped(&headers, &["cpm"]), "spend"), [headers[1]]);
}

#[test]
fn of_one_alias_the_plain_spelling_wins() {
    for (plain, other, canonical) in [
        ("Impressions", "Sum of Impressions", "impressions"),
        ("Clicks", "Sum of Clicks", "clicks"),
        ("Spend", "Spend USD", "spend"),
        ("Media Cost", "Media Cost in EUR", "spend"),
    ] {
        for headers in [[plain, other], [other, plain]] {
            let headers = [headers[0], headers[1], "impressions"];
            let headers = if canonical == "impressions" { &headers[..2] } else { &headers[..] };
            assert_eq!(headers_of(&mapped(headers, &["cpm", "ctr"]), canonical), [plain], "{headers:?}");
        }
    }
    // A better alias wins over a plainer one.
    let headers = ["Cost", "Advertiser Cost USD"];
    assert_eq!(headers_of(&mapped(&headers, &["cpm"]), "spend"), [headers[1]]);
}

#[test]
fn headers_that_fit_equally_well_are_an_error_that_names_them_and_the_flags() {
    let table = Table::with_cells(&[
        ("Site", &["a.example"]),
        ("Clicks", &["1", "2"]),
        ("clicks", &["3", "4"]),
        ("Impressions", &["9"]),
    ]);
    let error = table.map(Domain, &["ctr"], &[]).unwrap_err();
    assert_eq!(error.code, Code::Ambiguous);
    assert!(error.message.contains("`Clicks`") && error.message.contains("`clicks`"), "{error}");
    let help = error.help.clone().unwrap();
    assert_eq!(help, "say which one: --map \"clicks=Clicks\" or --map \"clicks=clicks\"");
    // Each flag of the help settles it.
    for (flag, wins) in [("clicks=Clicks", "Clicks"), ("clicks=clicks", "clicks"), ("clicks=#3", "clicks")] {
        let mapping = table.map(Domain, &["ctr"], &[flag]).unwrap();
        assert_eq!(headers_of(&mapping, "clicks"), [wins], "{flag}");
    }
}

#[test]
fn the_same_header_twice_is_told_apart_by_position() {
    let table = Table::with_cells(&[("Clicks", &["1"]), ("Impressions", &["9"]), ("Clicks", &["3"])]);
    let error = table.map(Domain, &["ctr"], &[]).unwrap_err();
    assert_eq!(error.code, Code::Ambiguous);
    assert_eq!(error.help.as_deref(), Some("say which one: --map clicks=#1 or --map clicks=#3"));
    let mapping = table.map(Domain, &["ctr"], &["clicks=#3"]).unwrap();
    assert_eq!(mapping.positions("clicks"), [2]);
}

#[test]
fn columns_of_equal_cells_count_as_one() {
    let table =
        Table::with_cells(&[("Clicks", &["1", "2"]), ("Impressions", &["9"]), ("clicks", &["1", "2"])]);
    let mapping = table.map(Domain, &["ctr"], &[]).unwrap();
    assert_eq!(mapping.positions("clicks"), [0]);
    assert_eq!(mapping.unmapped, ["clicks"]);
}

#[test]
fn a_header_that_no_metric_needs_is_never_ambiguous() {
    let headers = ["Supply Vendor", "Impressions", "Unique IDs", "Clicks", "clicks", "Site", "site"];
    let mapping = Table::of(&headers).map(SupplyVendor, &["unique_id_ratio"], &[]).unwrap();
    assert_eq!(headers_of(&mapping, "clicks"), ["Clicks"], "results show the first");
    let codes: Vec<&str> = mapping.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["ambiguous_column"], "of clicks, which results show, and not of sites");
}

#[test]
fn a_rate_and_a_count_of_the_same_words_are_two_columns() {
    for (rate, count) in [
        ("% Viewable Impressions", "Viewable Impressions"),
        ("Active View: % Viewable Impressions", "Active View: Viewable Impressions"),
        ("ACTIVE_VIEW_%_VIEWABLE_IMPRESSIONS", "active view viewable impressions"),
    ] {
        for headers in [[rate, count], [count, rate]] {
            let mapping = mapped(&headers, &["viewable_rate"]);
            assert_eq!(headers_of(&mapping, "viewable_rate"), [rate], "{headers:?}");
            assert_eq!(headers_of(&mapping, "viewable_impressions"), [count], "{headers:?}");
        }
        let mapping = mapped(&[rate], &["viewable_rate"]);
        assert_eq!(pairs(&mapping), [(rate, "viewable_rate")], "never the count");
        let mapping = mapped(&[count], &["viewable_rate"]);
        assert_eq!(pairs(&mapping), [(count, "viewable_impressions")], "never the rate");
    }
    let mapping = mapped(&["Mute Rate", "Player Mute", "Clicks", "Click Rate"], &["player_mute_rate", "ctr"]);
    let expected = [
        ("Mute Rate", "player_mute_rate"),
        ("Player Mute", "player_mute"),
        ("Clicks", "clicks"),
        ("Click Rate", "ctr"),
    ];
    assert_eq!(pairs(&mapping), expected);
}

#[test]
fn in_view_rate_serves_whichever_metric_the_recipe_needs_and_only_one() {
    for metric in ["ias_display_fully_in_view_1s_rate", "sampled_in_view_rate", "viewable_rate"] {
        let mapping = mapped(&["In View Rate"], &[metric]);
        assert_eq!(pairs(&mapping), [("In View Rate", metric)]);
    }
    let both = ["ias_display_fully_in_view_1s_rate", "sampled_in_view_rate"];
    let mapping = mapped(&["In View Rate"], &both);
    assert_eq!(mapping.columns.len(), 1, "a header is used once: {:?}", pairs(&mapping));
    let mapping = mapped(&["In View Rate", "Sampled In-View Rate"], &both);
    assert_eq!(headers_of(&mapping, both[0]), ["In View Rate"]);
    assert_eq!(headers_of(&mapping, both[1]), ["Sampled In-View Rate"]);
}

#[test]
fn row_labels_are_what_the_recipe_groups_by() {
    for (dimension, canonical) in [(Domain, "domain"), (SupplyVendor, "supply_vendor")] {
        let mapping = Table::of(&["Row Labels"]).map(dimension, &[], &[]).unwrap();
        assert_eq!(pairs(&mapping), [("Row Labels", canonical)]);
    }
}

#[test]
fn numbered_pixels_are_all_taken_and_other_headers_of_conversions_are_not() {
    let pixels = ["01 - Total Click + View Conversions", "02 - Total Click + View Conversions"];
    let mapping = mapped(&[pixels[0], "Clicks", pixels[1]], &["conversion_rate"]);
    assert_eq!(mapping.positions("conversions"), [0, 2]);
    // A total that is there already goes before them.
    let mapping = mapped(&[pixels[0], "Conversions", pixels[1]], &["conversion_rate"]);
    assert_eq!(headers_of(&mapping, "conversions"), ["Conversions"]);
    // Click and view-through conversions of each pixel add up.
    let parts = ["01 - Click Conversion", "01 - View Through Conversion", "02 - Click Conversion"];
    assert_eq!(mapped(&parts, &["conversion_rate"]).positions("conversions"), [0, 1, 2]);
    // One pixel twice is not two.
    let error =
        Table::of(&[pixels[0], pixels[0], "Impressions"]).map(Domain, &["conversion_rate"], &[]).unwrap_err();
    assert_eq!(error.code, Code::Ambiguous);
}
