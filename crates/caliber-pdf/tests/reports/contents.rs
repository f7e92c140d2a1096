//! What stands in a report.

use caliber_engine::lists::ListPolicy;
use caliber_engine::recipe::Channel;
use caliber_engine::summary::campaign_score;
use caliber_pdf::{Contents, render};
use caliber_reports::{QualityFacts, RunFacts};

use crate::campaign::Campaign;
use crate::{agency, assert_holds, letters, pages, pdf, text};

#[test]
fn a_report_says_score_names_figures_period_and_currency() {
    let campaign = Campaign::fixture("ttd_display", Channel::Display);
    let results = &campaign.scored.results;
    let pdf = pdf(&campaign);
    let text = text(&pdf);
    let score = format!("{:.1}", campaign_score(results).unwrap());
    assert_holds(
        &text,
        &["Northwind spring launch", "Trade Desk", "Display", "Awareness", "Lighthouse Media", &score],
    );
    assert_holds(&text, &["January 2025", "USD", "Completed", "3 February 2025, 10:30 UTC"]);
    let impressions: f64 = results.impressions.iter().sum();
    assert_holds(&text, &[&with_commas(impressions as u64), &format!("{} domains", results.len())]);
    let letters = letters(&pdf);
    let rows = results.len();
    for row in (0..10).chain(rows - 10..rows) {
        let scored = format!("{:.1}", results.scores[row]);
        assert!(letters.contains(&results.names[row]), "{}", results.names[row]);
        assert!(text.contains(&scored), "{scored} of {}", results.names[row]);
    }
}

/// Written again, apart from the code that is tested.
fn with_commas(figure: u64) -> String {
    if figure < 1000 {
        figure.to_string()
    } else {
        format!("{},{:03}", with_commas(figure / 1000), figure % 1000)
    }
}

#[test]
fn every_section_is_there() {
    let text = text(&pdf(&Campaign::sample(60, ListPolicy::Quartile)));
    assert_holds(
        &text,
        &[
            "Executive summary",
            "Performance level",
            "Key insights",
            "Campaign overview",
            "Performance metrics",
            "Score distribution",
            "Status split",
            "Score against delivery",
            "Where the points come from",
            "Delivery by score",
            "The best 10",
            "The worst 10",
            "Detailed results",
            "Recommendations",
            "Allowlist",
            "Blocklist",
            "Appendix: method and data",
            "trade_desk-display-awareness",
            "Columns of the report",
            "Notes on data quality",
            "Page 2 of",
        ],
    );
    assert_holds(&text, &["The first 50 of 60 domains", "10 more are in the files"]);
}

#[test]
fn charts_and_details_can_be_left_out() {
    let campaign = Campaign::sample(60, ListPolicy::Quartile);
    let with = |charts, details| render(&campaign.report(), &agency(), Contents { charts, details }).unwrap();
    let (whole, bare) = (with(true, true), with(false, false));
    assert!(pages(&whole) > pages(&with(false, true)));
    assert!(pages(&whole) > pages(&with(true, false)));
    assert!(pages(&with(true, false)) > pages(&bare));
    let no_charts = text(&with(false, true));
    assert!(!no_charts.contains("Score distribution") && no_charts.contains("Detailed results"));
    let no_details = text(&with(true, false));
    assert!(no_details.contains("Score distribution") && !no_details.contains("Detailed results"));
    // The 30th of 60 is neither among the best and worst nor on a list.
    let middle = &campaign.scored.results.names[29];
    assert!(letters(&whole).contains(middle) && !letters(&bare).contains(middle));
}

#[test]
fn one_row_without_spend_clicks_and_conversions_has_a_report() {
    let csv = "Domain,Impressions,Clicks,CPM\nonly.example,1000,5,2.5\n";
    let text = text(&pdf(&Campaign::of_csv(csv)));
    assert_holds(&text, &["only.example", "1 domain", "No domain is on this list."]);
    assert!(!text.contains("Spend") && !text.contains("NaN") && !text.contains("Key insights"));
}

#[test]
fn a_report_without_spend_speaks_of_impressions() {
    let row = |at: u32| format!("site{at}.example,{},{},2.{at}", at * 1000, at * 3);
    let rows: Vec<String> = (1..=12).map(row).collect();
    let text = text(&pdf(&Campaign::of_csv(&format!("Domain,Impressions,Clicks,CPM\n{}", rows.join("\n")))));
    assert_holds(&text, &["Share of impressions", "of the impressions"]);
    assert!(!text.contains("spend") && !text.contains("Spend"));
}

#[test]
fn vendors_are_called_vendors() {
    let campaign = Campaign::fixture("ttd_ctv", Channel::Ctv);
    let text = text(&pdf(&campaign));
    assert_holds(&text, &["CTV", "Supply vendors scored", "supply vendors", "Supply vendor"]);
    assert!(!text.contains("domain"), "{text}");
}

#[test]
fn lists_by_evidence_say_so() {
    let text = text(&pdf(&Campaign::sample(80, ListPolicy::Evidence)));
    assert_holds(&text, &["the counts prove", "what chance alone may explain is left alone"]);
}

#[test]
fn results_of_which_little_is_known_have_a_report() {
    let mut campaign = Campaign::fixture("pp_display", Channel::Display);
    campaign.quality = QualityFacts::default();
    campaign.run = RunFacts::of(serde_json::json!({
        "recipe": campaign.run.recipe,
        "normalization": "winsorized",
        "platform": "pulsepoint",
        "channel": "display",
        "goal": "awareness",
        "dimension": "domain",
        "lists": {"share": 0.25, "min_impressions": 250},
    }))
    .unwrap();
    let report = caliber_reports::CampaignReport { scored_at: None, ..campaign.report() };
    let text = text(&render(&report, &agency(), Contents::default()).unwrap());
    assert_holds(&text, &["How the report was read is not kept with these results.", "not in the report"]);
    assert!(!text.contains("Columns of the report") && !text.contains("Scale from"));
}

#[test]
fn figures_that_are_no_numbers_break_nothing() {
    let mut campaign = Campaign::fixture("ttd_display", Channel::Display);
    let results = &mut campaign.scored.results;
    let spend = results.spend.as_mut().unwrap();
    (spend[0], spend[1], spend[2]) = (f64::NAN, -5.0, f64::INFINITY);
    (results.impressions[3], results.impressions[4]) = (f64::NAN, 0.0);
    (results.scores[5], results.metrics[0].values[6]) = (f64::NAN, Some(f64::NAN));
    assert!(text(&pdf(&campaign)).contains(&campaign.scored.results.names[0]));
    let results = &mut campaign.scored.results;
    results.impressions.fill(0.0);
    results.spend = Some(vec![0.0; results.len()]);
    let text = text(&pdf(&campaign));
    assert_holds(&text, &["Not rated", "the campaign as a whole has no score"]);
}

/// A row of a generic report.
fn generic(rows: impl Iterator<Item = String>) -> Campaign {
    let rows: Vec<String> = rows.collect();
    Campaign::of_csv(&format!("Domain,Impressions,Clicks,Spend,Conversions\n{}\n", rows.join("\n")))
}

#[test]
fn campaign_rates_are_over_the_rows_that_have_both_counts() {
    let row = |at: u32| match at {
        0 => "big.example,1000000,,900,".to_owned(),
        _ => format!("site{at}.example,10000,50,20,4"),
    };
    let text = text(&pdf(&generic((0..11).map(row))));
    // 500 clicks and 40 conversions of 100,000 impressions for 200: the large row has neither.
    assert_holds(&text, &["0.500 %", "0.040 %", "Cost per conversion 5.00"]);
}

#[test]
fn pages_are_numbered_from_the_second_to_the_last() {
    for campaign in
        [Campaign::fixture("ttd_display", Channel::Display), Campaign::sample(60, ListPolicy::Quartile)]
    {
        let pdf = pdf(&campaign);
        let (text, pages) = (text(&pdf), pages(&pdf));
        for page in 2..=pages {
            assert_eq!(text.matches(&format!("Page {page} of {pages}")).count(), 1, "{page} of {pages}");
        }
    }
}

#[test]
fn clicks_that_are_missing_are_not_nought() {
    let text = text(&pdf(&generic((1..8).map(|at| format!("site{at}.example,{at}000,,2{at},")))));
    assert_eq!(text.matches("the report has the column and no values").count(), 2, "{text}");
    assert!(!text.contains("Clicks 0"), "{text}");
    assert!(!text.contains("0.000 %"), "{text}");
}

#[test]
fn best_and_worst_do_not_repeat_each_other() {
    for (rows, best, worst) in [(2, "The best", "The worst"), (7, "The best 4", "The worst 3")] {
        let rows = (0..rows).map(|at| format!("site{at}.example,10000,{},20,4", 10 + at * 7));
        assert_holds(&text(&pdf(&generic(rows))), &[best, worst]);
    }
    let one = text(&pdf(&generic(["only.example,10000,5,20,4".to_owned()].into_iter())));
    assert!(!one.contains("The worst") && !one.contains("1 are"), "{one}");
}

#[test]
fn equal_rows_are_not_told_apart() {
    let text = text(&pdf(&generic((0..30).map(|at| format!("site{at}.example,10000,50,20,4")))));
    assert_holds(&text, &["The best and the worst have the same points in each metric."]);
    assert!(!text.contains("sets the best apart") && !text.contains("Without the blocklist"), "{text}");
}

#[test]
fn spend_that_sums_to_nothing_is_not_split() {
    let rows =
        (0..20).map(|at| format!("site{at}.example,10000,{},{},4", 10 + at, if at < 10 { 20 } else { -20 }));
    let text = text(&pdf(&generic(rows)));
    assert!(!text.contains("of the spend goes to good"), "{text}");
}

#[test]
fn a_metric_under_two_names_is_told_once() {
    let text = text(&pdf(&Campaign::fixture("pp_display", Channel::Display)));
    let (_, metrics) = text.split_once("What it says").unwrap();
    let (metrics, _) = metrics.split_once("Score distribution").unwrap();
    assert_eq!(metrics.matches("CPM").count(), 1, "{metrics}");
}

#[test]
fn large_amounts_are_in_large_units_where_room_is_short_and_whole_in_the_overview() {
    let row =
        |at: u64| format!("site{at}.example,{},{},{},9", at * 1_000_000_000, at * 1000, at * 70_000_000_123);
    let text = text(&pdf(&generic((1..=20).map(row))));
    assert_holds(&text, &["Spend (million)", "Impressions (million)", "14.7 tn", "14,700,000,025,830"]);
}

#[test]
fn a_script_without_a_font_is_named_in_the_appendix() {
    let note = "characters for which there is no font";
    let with = |name: &str| text(&pdf(&Campaign::named(&[name, "latin.example"])));
    assert!(with("\u{10fffd} private").contains(note));
    assert!(!with("plain.example").contains(note));
}
