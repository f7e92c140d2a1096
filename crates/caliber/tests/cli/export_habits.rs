//! Whole reports in the habits of platforms, spreadsheets and people, several at once: each must score as the plain
//! report of the same figures does.

use crate::call::{GENERIC, Place, assert_error, assert_says};
use crate::tables;

const SITES: u32 = 40;

/// One row: site, impressions, clicks, spend in cents, conversions, viewable in per mille.
struct Figures {
    site: String,
    impressions: u32,
    clicks: u32,
    cents: u32,
    conversions: u32,
    viewable: u32,
}

fn figures() -> Vec<Figures> {
    let one = |i: u32| Figures {
        site: format!("site{i}.example"),
        impressions: 300 + i * 137,
        clicks: 1 + i % 5,
        cents: 90 + i * 41,
        conversions: i % 3,
        viewable: 500 + i * 9 % 301,
    };
    (0..SITES).map(one).collect()
}

/// A header, a line for each row, and what stands below.
fn text(header: &str, row: impl Fn(usize, &Figures) -> String, below: &str) -> String {
    let rows: String = figures().iter().enumerate().map(|(at, figures)| row(at, figures)).collect();
    format!("{header}{rows}{below}")
}

fn decimal(units: u32, parts: u32, point: char) -> String {
    let digits = parts.to_string().len() - 1;
    format!("{}{point}{:0digits$}", units / parts, units % parts)
}

fn grouped(number: u32, by: &str) -> String {
    if number < 1000 { number.to_string() } else { format!("{}{by}{:03}", number / 1000, number % 1000) }
}

fn plain() -> String {
    text(
        "Domain,Impressions,Clicks,Spend,Conversions,Viewable Rate\n",
        |_, f| {
            let (spend, rate) = (decimal(f.cents, 100, '.'), decimal(f.viewable, 1000, '.'));
            format!("{},{},{},{spend},{},{rate}\n", f.site, f.impressions, f.clicks, f.conversions)
        },
        "",
    )
}

/// Scores a report in a habit and the plain one by one recipe, compares them, and gives the summary.
#[track_caller]
fn assert_scores_as_the_plain_one(bytes: &[u8], platform: &str) -> serde_json::Value {
    let place = Place::new();
    place.write("plain.csv", plain());
    place.write("export.csv", bytes);
    let settled = ["--platform", platform, "--channel", "display"];
    let with = |file, out| [&[file, "--out", out][..], &settled].concat();
    place.score(&with("plain.csv", "plain"));
    let summary = place.score(&with("export.csv", "export"));
    let (expected, found) = (tables::csv(&place, "plain"), tables::csv(&place, "export"));
    found.assert_close(&expected, 1e-12, platform);
    assert_eq!(found.names().len(), SITES as usize);
    summary
}

#[test]
fn a_dv360_export_saved_again_by_a_german_spreadsheet() {
    let report = text(
        "Bericht: Display Sites\r\n\r\nDatum;App/URL;Impressions;Clicks;Media Cost (Advertiser Currency);\
         Active View: % Viewable Impressions;Total Conversions;Currency\r\n",
        |at, f| {
            let (spend, rate) = (decimal(f.cents, 100, ','), decimal(f.viewable, 10, ','));
            format!(
                "{:02}.09.2025;{};{};{};{spend} €;{rate}%;{};EUR\r\n",
                1 + at % 28,
                f.site.to_uppercase(),
                grouped(f.impressions, "."),
                f.clicks,
                f.conversions
            )
        },
        ";;99.999;150;300,00 €;60,0%;60;EUR\r\n\r\nReport Time:;01.10.2025\r\n",
    );
    let (bytes, _, lossy) = encoding_rs::WINDOWS_1252.encode(&report);
    assert!(!lossy);
    let summary = assert_scores_as_the_plain_one(&bytes, "dv360");
    assert_eq!(summary["currency"], "EUR");
    assert_eq!(summary["aggregate_rows"]["impressions"], 99999.0);
    assert_eq!(summary["rows_dropped"], serde_json::json!({}), "the time of the report is no row");
}

#[test]
fn a_pivot_table_that_was_pasted_into_a_text_file() {
    let report = text(
        "Row Labels\tSum of Impressions\tSum of Clicks\tSum of Media Cost (Adv Currency) (USD)\t\
         Sum of Conversions\tAverage of CTR\tViewable Rate\n",
        |_, f| {
            let (spend, rate) = (decimal(f.cents, 100, '.'), decimal(f.viewable, 10, '.'));
            format!(
                "{}\t{}\t{}\t$ {spend}\t{}\t1%\t{rate} %\n",
                f.site,
                grouped(f.impressions, ","),
                f.clicks,
                f.conversions
            )
        },
        "Grand Total\t99,999\t150\t$ 300.00\t60\t1%\t60.0 %\n",
    );
    let summary = assert_scores_as_the_plain_one(report.as_bytes(), "dv360");
    assert_eq!(summary["currency"], "USD", "the header says which dollars");
    assert_eq!(summary["aggregate_rows"]["count"], 1);
}

#[test]
fn a_database_dump_with_urls_currency_in_the_name_and_a_counted_total() {
    let report = text(
        "date,site_domain,imps,clicks,media_cost_gbp,total_convs,viewable_rate\n",
        |at, f| {
            let (spend, rate) = (decimal(f.cents, 100, '.'), decimal(f.viewable, 1000, '.'));
            let site = match at % 3 {
                0 => format!("https://www.{}/news?utm=1", f.site),
                1 => format!("{}.", f.site),
                _ => f.site.clone(),
            };
            format!("2025-09-30,{site},{}.0,{},{spend},{},{rate}\n", f.impressions, f.clicks, f.conversions)
        },
        "NULL,Total (40 rows),99999,150,300.00,60,0.6\n",
    );
    let summary = assert_scores_as_the_plain_one(report.as_bytes(), "dv360");
    assert_eq!(summary["currency"], "GBP");
    assert_eq!(summary["aggregate_rows"]["impressions"], 99999.0);
}

#[test]
fn a_swiss_report_with_apostrophes_two_header_rows_and_its_halves_one_below_the_other() {
    let header = "Domain;Impressions;Cost in CHF;Clicks;Conversions;Viewable Rate;;\n";
    let report = text(
        &format!(";Delivery;;;;;;\n{header}"),
        |at, f| {
            let (spend, rate) = (decimal(f.cents, 100, '.'), decimal(f.viewable, 1000, '.'));
            let again = if at == SITES as usize / 2 { header } else { "" };
            let impressions = grouped(f.impressions, "'");
            format!("{again}{};{impressions};CHF {spend};{};{};{rate};;\n", f.site, f.clicks, f.conversions)
        },
        "* Figures may be adjusted;;;;;;;\n",
    );
    for platform in ["dv360", "generic", "pulsepoint"] {
        let summary = assert_scores_as_the_plain_one(report.as_bytes(), platform);
        assert_eq!(summary["currency"], "CHF");
        assert_eq!(summary["rows_dropped"], serde_json::json!({"repeated_header": 1}));
    }
}

#[test]
fn impressions_that_are_no_numbers_are_said_with_their_first_line() {
    let place = Place::new();
    place.write("r.csv", "Domain,Impressions,Cost,Clicks\na.example,1.2K,3,4\nb.example,3.4K,5,6\n");
    let error = place.refusal(&[&["r.csv"][..], &GENERIC].concat());
    assert_error(&error, "nothing_scored", Some("r.csv"), Some(2));
    assert_eq!(error["column"], "Impressions", "{error}");
    assert_says(&error, "message", &["2 of its cells"]);
    assert_says(&error, "help", &["1234"]);
}
