//! Every spelling that is known, in every form that makes no difference.

use caliber_engine::dictionary::{ColumnKind, Dictionary};
use caliber_engine::recipe::Dimension;
use caliber_engine::report::mapping::How;

use crate::table::{Table, headers_of, pairs};

/// Maps one header alone for a recipe that needs a column.
fn alone(header: &str, canonical: &str) -> Option<How> {
    let dimension = if canonical == "supply_vendor" { Dimension::SupplyVendor } else { Dimension::Domain };
    let metrics: &[&str] = if Dictionary::shipped().metric(canonical).is_some() { &[canonical] } else { &[] };
    let mapping = Table::of(&[header]).map(dimension, metrics, &[]).unwrap();
    mapping.columns.iter().find(|mapped| mapped.canonical == canonical).map(|mapped| mapped.how)
}

/// A header in forms that make no difference.
fn forms(header: &str) -> Vec<String> {
    vec![
        header.to_owned(),
        header.to_uppercase(),
        header.to_lowercase(),
        header.replace(' ', "_"),
        header.replace(' ', "-"),
        header.replace(' ', " \u{a0} "),
        header.replace(" - ", " – "),
        format!("  {header} "),
        format!("\u{feff}{header}"),
        format!("TTD_{header}"),
        format!("PulsePoint_{header}"),
        format!("Report_{header}"),
        format!("report {header}"),
    ]
}

#[test]
fn every_alias_of_the_data_is_its_column_in_all_its_forms() {
    for column in Dictionary::shipped().columns() {
        let headers =
            column.aliases.iter().flat_map(|alias| std::iter::once(&alias.header).chain(&alias.with));
        for header in headers {
            for number in ["01", "7"] {
                for form in forms(&header.replace('#', number)) {
                    let how = alone(&form, &column.name);
                    assert!(
                        matches!(how, Some(How::Alias | How::Exact)),
                        "`{form}` is not {}: {how:?}",
                        column.name
                    );
                }
            }
        }
        assert_eq!(alone(&column.name, &column.name), Some(How::Exact));
        for form in forms(&column.name) {
            // `Report_date` is also an alias.
            assert!(matches!(alone(&form, &column.name), Some(How::Exact | How::Alias)), "`{form}`");
        }
    }
}

#[test]
fn units_in_brackets_make_no_difference_to_money_and_rates() {
    let money =
        ["(USD)", "(Adv Currency)", "(Partner Currency)", "(Advertiser Currency)", "[EUR]", "(€)", "( gbp )"];
    for column in Dictionary::shipped().columns() {
        let units: &[&str] = match column.kind {
            ColumnKind::Money | ColumnKind::MoneyRate => &money,
            ColumnKind::Rate => &["(%)", "%", "(percent)", "[%]"],
            _ => &[],
        };
        for header in column.aliases.iter().map(|alias| &alias.header) {
            for unit in units {
                let form = format!("{header} {unit}");
                assert!(alone(&form, &column.name).is_some(), "`{form}` is not {}", column.name);
            }
        }
    }
}

/// What the reference for every number lists, written out by hand: column, then its spellings.
const REFERENCE: [(&str, &[&str]); 24] = [
    (
        "domain",
        &[
            "Site",
            "Domain",
            "App Bundle",
            "Site/App",
            "App/URL",
            "site_domain",
            "Property",
            "Placement",
            "Publisher",
        ],
    ),
    ("supply_vendor", &["Supply Vendor", "SSP", "Exchange", "Inventory Source"]),
    ("impressions", &["Impressions", "Imps", "Total Impressions"]),
    ("clicks", &["Clicks", "Click", "Total Clicks"]),
    (
        "conversions",
        &[
            "Conversions",
            "Conv",
            "Actions",
            "Total Conversions",
            "All Last Click + View Conversions",
            "01 - Total Click + View Conversions",
            "12 – Total Click + View Conversions",
        ],
    ),
    (
        "spend",
        &[
            "Advertiser Cost",
            "Advertiser Cost (Adv Currency)",
            "Advertiser Cost (USD)",
            "TTD Cost (Partner Currency)",
            "Partner Cost (Partner Currency)",
            "Total Spend",
            "Spend",
            "Cost",
            "Total Cost",
            "Media Cost",
            "Media Cost (Advertiser Currency)",
            "Advertiser Spending",
            "Advertiser Total Cost",
            "Revenue (Adv Currency)",
        ],
    ),
    ("cpm", &["Advertiser CPM", "CPM", "eCPM", "Advertiser eCPM", "CPM (USD)"]),
    ("ctr", &["CTR", "Click Through Rate", "Click-Through Rate", "Click Rate (CTR)", "CTR (%)"]),
    ("conversion_rate", &["All Last Click + View Conversion Rate", "Conversion Rate", "Conv Rate"]),
    (
        "ias_display_fully_in_view_1s_rate",
        &[
            "IAS Display Fully In View 1 Second Rate",
            "IAS Display Fully In View 1s Rate",
            "Viewability Rate",
            "In View Rate",
        ],
    ),
    (
        "ad_load_xl_impressions",
        &["Ad Load - XL (Excessive) - Impressions", "Ad Load - XL (Imps)", "Ad Load XL", "Excessive Ad Load"],
    ),
    (
        "ad_refresh_below_15s_impressions",
        &["Ad Refresh - Below 15s - Impressions", "Ad Refresh <15s (Imps)", "Ad Refresh Below 15s"],
    ),
    ("sampled_tracked_impressions", &["Sampled Tracked Impressions"]),
    ("sampled_viewed_impressions", &["Sampled Viewed Impressions"]),
    ("viewable_impressions", &["Active View: Viewable Impressions"]),
    ("measurable_impressions", &["Active View: Measurable Impressions"]),
    ("viewable_rate", &["Active View: % Viewable Impressions", "% Viewable Impressions"]),
    ("sampled_in_view_rate", &["Sampled In-View Rate", "In View Rate"]),
    ("player_starts", &["Player Starts"]),
    ("player_completed_views", &["Player Completed Views", "Complete Views (Video)"]),
    (
        "player_completion_rate",
        &[
            "Player Completion Rate",
            "Completion Rate",
            "Video Completion Rate",
            "100% Completion Rate",
            "completion_rate",
        ],
    ),
    ("player_errors", &["Player Errors", "Errors"]),
    ("tv_quality_index", &["TV Quality Index", "TV Quality Index Raw", "Quality Index"]),
    ("unique_ids", &["Unique IDs", "Unique Identifiers"]),
];

#[test]
fn the_spellings_of_the_reference_are_what_it_says() {
    for (canonical, headers) in REFERENCE {
        for header in headers {
            let how = alone(header, canonical);
            assert!(matches!(how, Some(How::Alias | How::Exact)), "`{header}` is not {canonical}: {how:?}");
        }
    }
}

#[test]
fn a_currency_may_stand_at_the_end_of_money_in_any_way() {
    for (header, canonical) in [
        ("Cost in EUR", "spend"),
        ("Media Cost in Euro", "spend"),
        ("Spend, USD", "spend"),
        ("Spend USD", "spend"),
        ("spend_gbp", "spend"),
        ("Cost €", "spend"),
        ("Advertiser Cost (Adv Currency) (USD)", "spend"),
        ("Advertiser Cost (USD) [Adv Currency]", "spend"),
        ("TTD_Advertiser Cost in US Dollars", "spend"),
        ("CPM in EUR", "cpm"),
        ("eCPM_usd", "cpm"),
    ] {
        assert_eq!(alone(header, canonical), Some(How::Alias), "`{header}` is not {canonical}");
    }
    for header in ["Clicks USD", "Impressions in EUR", "Conversions, USD", "CTR EUR", "Site USD", "Cost All"]
    {
        let mapping =
            Table::of(&[header]).map(Dimension::Domain, &["cpm", "ctr", "conversion_rate"], &[]).unwrap();
        assert_eq!(
            mapping.columns,
            [],
            "an amount is no count, and not every word is a currency: `{header}`"
        );
    }
}

#[test]
fn the_sums_of_a_pivot_table_are_their_columns_and_sums_of_rates_are_nothing() {
    for (header, canonical) in [
        ("Sum of Impressions", "impressions"),
        ("Sum of Advertiser Cost (USD)", "spend"),
        ("SUM OF Clicks", "clicks"),
        ("Summe von Clicks", "clicks"),
        ("Somme de Ad Load XL", "ad_load_xl_impressions"),
    ] {
        assert_eq!(alone(header, canonical), Some(How::Alias), "`{header}` is not {canonical}");
    }
    for (header, canonical) in
        [("Sum of CTR", "ctr"), ("Sum of CPM", "cpm"), ("Sum of Mute Rate", "player_mute_rate")]
    {
        assert_eq!(alone(header, canonical), None, "`{header}`");
    }
}

#[test]
fn a_count_that_calls_itself_a_rate_is_the_rate() {
    for (header, rate) in [
        ("Mute Rate", "player_mute_rate"),
        ("Player Mute Rate", "player_mute_rate"),
        ("Player Errors (%)", "player_errors_rate"),
        ("Ad Load XL (%)", "ad_load_xl_rate"),
        ("Ad Refresh Below 15s Rate", "ad_refresh_below_15s_rate"),
    ] {
        let mapping = Table::of(&[header]).map(Dimension::Domain, &[rate], &[]).unwrap();
        assert_eq!(pairs(&mapping), [(header, rate)]);
    }
}

#[test]
fn a_count_whose_cells_carry_percent_is_the_rate() {
    let table = Table::with_cells(&[("Player Mute", &["2%", "3%"]), ("Player Errors", &["2", "3"])]);
    let mapping = table.map(Dimension::Domain, &["player_mute_rate", "player_errors_rate"], &[]).unwrap();
    assert_eq!(headers_of(&mapping, "player_mute_rate"), ["Player Mute"]);
    assert_eq!(headers_of(&mapping, "player_mute"), Vec::<&str>::new());
    assert_eq!(headers_of(&mapping, "player_errors"), ["Player Errors"]);
}

#[test]
fn headers_of_other_things_are_no_column() {
    let strangers = [
        "Advertiser",
        "Campaign",
        "Ad Group",
        "Creative",
        "Device Type",
        "Country",
        "Deal ID",
        "Media Type",
        "Bids",
        "Win Rate",
        "Frequency",
        "Data Cost",
        "Max Bid CPM",
        "Browser",
        "Operating System",
        "Unique Households",
        "Cost Model",
        "Site List",
        "Impression Share",
        "Click ID",
        "Rate",
        "%",
        "(USD)",
        "TTD",
        "Report",
        "#",
        "-",
        "",
    ];
    let table = Table::of(&strangers);
    let metrics = ["cpm", "ctr", "conversion_rate", "unique_id_ratio", "viewable_rate"];
    let mapping = table.map(Dimension::Domain, &metrics, &[]).unwrap();
    assert_eq!(mapping.columns, []);
    let named: Vec<&str> = strangers.into_iter().filter(|header| !header.is_empty()).collect();
    assert_eq!(mapping.unmapped, named);
}
