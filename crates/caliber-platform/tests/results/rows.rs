use caliber_engine::recipe::Dimension;
use serde_json::json;

use crate::sample::{Row, results, table, table_of};

#[test]
fn a_row_has_the_keys_of_the_contract_and_numbers_as_in_the_files() {
    let mut row = Row::new("xn--mnchen-3ya.example", 62.5, 1077.0);
    row.spend = 2.5;
    row.ctr = Some(0.25);
    row.view_rate = Some(0.5);
    row.outlier = true;
    let table = table(&[row]);
    let found = table.find("https://www.MÜNCHEN.example/page").unwrap();
    assert_eq!(
        serde_json::to_string(&table.row(found)).unwrap(),
        concat!(
            r#"{"domain":"xn--mnchen-3ya.example","domain_display":"münchen.example","impressions":1077,"#,
            r#""clicks":null,"spend":2.5,"cpm":null,"ctr":0.25,"conversions":null,"conversion_rate":null,"#,
            r#""cost_per_conversion":null,"score":62.5,"percentile":62.5,"percentile_rank":63,"#,
            r#""quality_status":"moderate","raw_metrics":{"view_rate":0.5},"normalized_metrics":{"view_rate":50},"#,
            r#""score_breakdown":{"view_rate":{"value":0.5,"normalized":50,"weight":1,"contribution":50}},"#,
            r#""is_outlier":true,"outlier_flags":["view_rate_outlier"],"quality_flags":[]}"#
        )
    );
}

#[test]
fn a_missing_value_is_null_raw_and_normalised() {
    let table = table(&[Row::new("a.example", 1.0, 1.0)]);
    let row = serde_json::to_value(table.row(table.find("a.example").unwrap())).unwrap();
    assert_eq!(row["raw_metrics"], json!({"view_rate": null}));
    assert_eq!(row["normalized_metrics"], json!({"view_rate": null}));
    assert_eq!(
        row["score_breakdown"]["view_rate"],
        json!({"value": null, "normalized": null, "weight": 1, "contribution": 0})
    );
}

#[test]
fn a_cost_that_is_scored_by_under_another_name_is_the_rows_cpm() {
    let mut results = results(&[Row::new("a.example", 1.0, 1.0)], Dimension::Domain, true);
    results.metrics[0].name = "ecpm".into();
    results.metrics[0].values[0] = Some(3.25);
    let table = table_of(results);
    let row = serde_json::to_value(table.row(table.find("a.example").unwrap())).unwrap();
    assert_eq!((&row["cpm"], &row["raw_metrics"]), (&json!(3.25), &json!({"ecpm": 3.25})));
}

#[test]
fn vendors_and_apps_are_found_however_they_are_spelled() {
    let rows = [Row::new("Magnite  DV+", 1.0, 1.0), Row::new("OpenX", 1.0, 1.0)];
    let table = table_of(results(&rows, Dimension::SupplyVendor, true));
    assert_eq!(table.find(" openx ").map(|row| table.row(row).domain), Some("OpenX"));
    assert_eq!(table.find("magnite dv+").map(|row| table.row(row).domain), Some("Magnite  DV+"));
    assert_eq!(table.find("open"), None);
}

#[test]
fn a_name_that_is_not_there_suggests_the_nearest() {
    let rows = ["example.com", "exemplary.org", "other.net", "sample.com", "xn--mnchen-3ya.example"];
    let table = table(&rows.map(|name| Row::new(name, 1.0, 1.0)));
    assert_eq!(table.nearest("exmaple.com")[0], "example.com");
    assert_eq!(table.nearest("othr.net"), ["other.net"]);
    assert!(table.nearest("nothing-like-it.io").is_empty());
    for odd in ["", "a", "\n", &"x".repeat(100_000), "ééé"] {
        assert!(table.nearest(odd).is_empty(), "{odd:.10}");
    }
}

#[test]
fn no_row_at_all_answers_everything() {
    let table = table(&[]);
    assert!(table.page(&crate::sample::first_page()).unwrap().rows.is_empty());
    assert_eq!(table.find("a.example"), None);
    assert!(table.nearest("a.example").is_empty());
}
