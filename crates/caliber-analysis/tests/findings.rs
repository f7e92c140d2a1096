//! Every figure of an insight worked out again from the results, the plain way; and each insight gone with its cause.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use caliber_analysis::findings::{Campaign, Finding, Kind, MOST_FINDINGS, PerformanceLevel, rows_named};
use caliber_engine::dictionary::Dictionary;
use caliber_engine::evidence::{Decision, EvidenceRows, Pattern};
use caliber_engine::recipe::{Better, Dimension};
use caliber_engine::results::{MetricColumn, Results, Status};

const ROWS: usize = 40;

/// Forty rows: CTR and conversion rate half of the score each, spend and impressions falling fast, conversions on every
/// other row.
fn results() -> Results {
    let falling: Vec<f64> = (0..ROWS).map(|row| 100_000.0 / ((row + 1) as f64).powf(1.8)).collect();
    // The largest are neither the best nor the worst.
    let place = |row: usize| (row * 17 + 11) % ROWS;
    let impressions: Vec<f64> = (0..ROWS).map(|row| (falling[place(row)] * 4.0).round()).collect();
    let spend: Vec<f64> = (0..ROWS).map(|row| falling[place(row)] / 100.0).collect();
    let metric = |name: &str, normalized: Vec<f64>| MetricColumn {
        name: name.into(),
        weight: 0.5,
        better: Better::Higher,
        values: normalized.iter().map(|value| Some(value / 1e4)).collect(),
        contributions: normalized.iter().map(|value| value / 2.0).collect(),
        normalized,
        counts: None,
    };
    let metrics = vec![
        metric("ctr", (0..ROWS).map(|row| 90.0 - row as f64).collect()),
        metric("conversion_rate", (0..ROWS).map(|row| 60.0 - row as f64 * 1.5).collect()),
    ];
    let statuses = (0..ROWS).map(|row| match row {
        0..10 => Status::Good,
        10..30 => Status::Moderate,
        _ => Status::Poor,
    });
    Results {
        dimension: Dimension::Domain,
        names: (0..ROWS).map(|row| format!("site{row}.example")).collect(),
        scores: (0..ROWS).map(|row| metrics.iter().map(|metric| metric.contributions[row]).sum()).collect(),
        percentiles: (0..ROWS).map(|row| 100.0 - row as f64 * 2.5).collect(),
        statuses: statuses.collect(),
        impressions,
        clicks: None,
        conversions: Some((0..ROWS).map(|row| (row % 2) as f64 * 5.0).collect()),
        spend: Some(spend),
        extras: Vec::new(),
        metrics,
        outlier_flags: vec![Vec::new(); ROWS],
        quality_flags: vec![Vec::new(); ROWS],
        evidence: None,
    }
}

const ALLOW: [usize; 3] = [0, 1, 2];
const BLOCK: [usize; 4] = [39, 38, 37, 36];

fn findings(results: &Results) -> Vec<Finding> {
    campaign(results, &BLOCK).findings()
}

fn campaign<'a>(results: &'a Results, blocklist: &'a [usize]) -> Campaign<'a> {
    let dictionary = Dictionary::shipped();
    Campaign { results, dictionary, currency: Some("USD"), allowlist: &ALLOW, blocklist }
}

fn of_kind(findings: &[Finding], kind: Kind) -> Option<Finding> {
    findings.iter().find(|finding| finding.kind == kind).cloned()
}

#[track_caller]
fn assert_figures(finding: &Finding, expected: &[(&str, f64)]) {
    for (name, expected) in expected {
        let found = finding.figures.get(name).unwrap_or_else(|| panic!("{name} is missing in {finding:?}"));
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "{name}: {found}, expected {expected}"
        );
    }
    assert_eq!(finding.figures.0.len(), expected.len(), "{finding:?}");
}

fn sum(figures: &[f64], rows: impl IntoIterator<Item = usize>) -> f64 {
    rows.into_iter().map(|row| figures[row]).sum()
}

fn mean_score(results: &Results, rows: &[usize]) -> f64 {
    rows.iter().map(|&row| results.scores[row] * results.impressions[row]).sum::<f64>()
        / sum(&results.impressions, rows.iter().copied())
}

/// So many names of the rows with the greatest figures.
fn greatest(
    results: &Results,
    rows: impl IntoIterator<Item = usize>,
    figure: impl Fn(usize) -> f64,
) -> Vec<String> {
    let mut rows: Vec<usize> = rows.into_iter().collect();
    rows.sort_by(|&a, &b| figure(b).partial_cmp(&figure(a)).unwrap());
    rows.iter().take(3).map(|&row| results.names[row].clone()).collect()
}

#[test]
fn spend_at_risk_is_the_spend_of_poor_rows() {
    let mut results = results();
    let spend = results.spend.clone().unwrap();
    let finding = of_kind(&findings(&results), Kind::SpendAtRisk).unwrap();
    let poor = sum(&spend, 30..ROWS);
    let share = poor / spend.iter().sum::<f64>();
    let average = sum(&results.scores, 30..ROWS) / 10.0;
    assert_figures(
        &finding,
        &[("spend", poor), ("share", share), ("rows", 10.0), ("average_score", average)],
    );
    assert_eq!(finding.names, greatest(&results, 30..ROWS, |row| spend[row]));
    assert!(finding.title.starts_with(&format!("{:.1} %", share * 100.0)), "{}", finding.title);
    assert!(
        finding.sentence.contains("10 domains") && finding.sentence.contains("USD "),
        "{}",
        finding.sentence
    );

    let mut without = results.clone();
    without.statuses.fill(Status::Moderate);
    assert_eq!(of_kind(&findings(&without), Kind::SpendAtRisk), None);
    results.spend = None;
    let finding = of_kind(&findings(&results), Kind::SpendAtRisk).unwrap();
    let impressions = sum(&results.impressions, 30..ROWS);
    assert_eq!(finding.figures.get("impressions"), Some(impressions));
    assert!(!finding.sentence.contains("USD"), "{}", finding.sentence);
}

#[test]
fn the_costliest_metric_is_that_with_most_points_lost_by_the_average_impression() {
    let results = results();
    let impressions: f64 = results.impressions.iter().sum();
    let average = |figure: &dyn Fn(usize) -> f64| {
        (0..ROWS).map(|row| figure(row) * results.impressions[row]).sum::<f64>() / impressions
    };
    let finding = of_kind(&findings(&results), Kind::CostliestMetric).unwrap();
    let points = average(&|row| 50.0 - results.metrics[1].contributions[row]);
    let all = 100.0 - average(&|row| results.scores[row]);
    let level = average(&|row| results.metrics[1].normalized[row]);
    assert_figures(
        &finding,
        &[
            ("points", points),
            ("all_points", all),
            ("share", points / all),
            ("weight", 0.5),
            ("average_normalized", level),
            ("missing", 0.0),
        ],
    );
    assert!(finding.title.starts_with("Conversion rate costs most score"), "{}", finding.title);

    let mut better = results.clone();
    better.metrics[1].normalized.fill(100.0);
    better.metrics[1].contributions.fill(50.0);
    let finding = of_kind(&findings(&better), Kind::CostliestMetric).unwrap();
    assert!(finding.title.starts_with("CTR costs most score"), "{}", finding.title);
    better.metrics[0].normalized.fill(50.0);
    assert_eq!(of_kind(&findings(&better), Kind::CostliestMetric), None);
}

#[test]
fn the_effect_of_lists_is_what_goes_and_how_the_rest_scores() {
    let results = results();
    let spend = results.spend.clone().unwrap();
    let finding = of_kind(&findings(&results), Kind::EffectOfLists).unwrap();
    let (all, kept): (Vec<usize>, Vec<usize>) = ((0..ROWS).collect(), (0..36).collect());
    let out = sum(&spend, 36..ROWS);
    assert_figures(
        &finding,
        &[
            ("blocked", 4.0),
            ("allowed", 3.0),
            ("spend", out),
            ("share", out / spend.iter().sum::<f64>()),
            (
                "share_of_impressions",
                sum(&results.impressions, 36..ROWS) / results.impressions.iter().sum::<f64>(),
            ),
            ("allowed_share", sum(&spend, ALLOW) / spend.iter().sum::<f64>()),
            ("score_before", mean_score(&results, &all)),
            ("score_after", mean_score(&results, &kept)),
        ],
    );
    assert!(finding.title.contains(&format!("{:.1}", mean_score(&results, &kept))), "{}", finding.title);
    assert_eq!(of_kind(&campaign(&results, &[]).findings(), Kind::EffectOfLists), None);
}

#[test]
fn concentration_is_told_of_the_fewest_rows_with_half_of_the_spend() {
    let mut results = results();
    let spend = results.spend.clone().unwrap();
    let mut order: Vec<usize> = (0..ROWS).collect();
    order.sort_by(|&a, &b| spend[b].partial_cmp(&spend[a]).unwrap());
    let all: f64 = spend.iter().sum();
    let carriers = (1..=ROWS).find(|&rows| sum(&spend, order[..rows].iter().copied()) >= all / 2.0).unwrap();
    let first = &order[..carriers];
    let finding = of_kind(&findings(&results), Kind::Concentration).unwrap();
    assert_figures(
        &finding,
        &[
            ("rows", carriers as f64),
            ("share_of_rows", carriers as f64 / ROWS as f64),
            ("spend", sum(&spend, first.iter().copied())),
            ("share", sum(&spend, first.iter().copied()) / all),
            ("average_score", mean_score(&results, first)),
        ],
    );
    results.spend = Some(vec![7.0; ROWS]);
    assert_eq!(of_kind(&findings(&results), Kind::Concentration), None);
}

/// The same results without the causes of the first kinds, which leave room for one more.
fn calm() -> Results {
    let mut results = results();
    results.statuses.fill(Status::Moderate);
    results.spend = Some(vec![10.0; ROWS]);
    results.impressions.fill(5000.0);
    results.conversions = None;
    results
}

#[test]
fn patterns_flags_missing_values_conversions_and_volume_are_told_only_where_they_are() {
    let kinds = |results: &Results| findings(results).iter().map(|finding| finding.kind).collect::<Vec<_>>();
    let usual = [Kind::CostliestMetric, Kind::EffectOfLists];
    assert_eq!(kinds(&calm()), usual);

    let mut patterns = calm();
    let mut found = vec![Vec::new(); ROWS];
    (found[3], found[4]) = (vec![Pattern::MfaPattern], vec![Pattern::MfaPattern, Pattern::ClickSurge]);
    patterns.evidence = Some(EvidenceRows {
        scores: vec![50.0; ROWS],
        low: vec![40.0; ROWS],
        high: vec![60.0; ROWS],
        below: vec![0.5; ROWS],
        above: vec![0.5; ROWS],
        decisions: vec![Decision::Watch; ROWS],
        reasons: vec![String::new(); ROWS],
        impressions_needed: vec![None; ROWS],
        patterns: found,
        known_metrics: Vec::new(),
    });
    let finding = of_kind(&findings(&patterns), Kind::SuspiciousPatterns).unwrap();
    let twentieth = 2.0 / ROWS as f64;
    assert_figures(
        &finding,
        &[("rows", 2.0), ("mfa_pattern", 2.0), ("click_surge", 1.0), ("spend", 20.0), ("share", twentieth)],
    );

    let mut flagged = calm();
    flagged.quality_flags[7].push("ctr_above_1".into());
    let finding = of_kind(&findings(&flagged), Kind::ImplausibleFigures).unwrap();
    assert_figures(&finding, &[("rows", 1.0), ("spend", 10.0), ("share", 1.0 / ROWS as f64)]);
    assert_eq!(finding.names, ["site7.example"]);

    let mut missing = calm();
    for row in 0..8 {
        missing.metrics[0].values[row] = None;
    }
    let finding = of_kind(&findings(&missing), Kind::MissingValues).unwrap();
    assert_figures(&finding, &[("rows", 8.0), ("spend", 80.0), ("share", 0.2)]);

    let mut unconverted = calm();
    unconverted.conversions = Some((0..ROWS).map(|row| f64::from(u8::from(row >= 10))).collect());
    let finding = of_kind(&findings(&unconverted), Kind::NoConversions).unwrap();
    assert_figures(&finding, &[("spend", 100.0), ("share", 0.25), ("rows", 10.0)]);
    unconverted.metrics[1].name = "viewable_rate".into();
    assert_eq!(of_kind(&findings(&unconverted), Kind::NoConversions), None);

    let mut thin = calm();
    thin.impressions[..12].fill(999.0);
    let finding = of_kind(&findings(&thin), Kind::ThinVolume).unwrap();
    assert_figures(
        &finding,
        &[
            ("rows", 12.0),
            ("share_of_rows", 0.3),
            ("impressions_below", 1000.0),
            ("impressions_of_rows", 12.0 * 999.0),
            ("spend", 120.0),
            ("share", 0.3),
        ],
    );
}

#[test]
fn a_blocklist_that_changes_nothing_is_no_insight() {
    let mut same = calm();
    for metric in &mut same.metrics {
        metric.normalized.fill(50.0);
        metric.contributions.fill(25.0);
    }
    same.scores.fill(50.0);
    assert_eq!(of_kind(&findings(&same), Kind::EffectOfLists), None);
    // A difference that rounding hides is none to a reader.
    same.scores[0] = 50.04;
    assert_eq!(of_kind(&findings(&same), Kind::EffectOfLists), None);
    same.scores[BLOCK[0]] = 0.0;
    let finding = of_kind(&findings(&same), Kind::EffectOfLists).unwrap();
    assert!(finding.title.ends_with("instead of 48.8"), "{}", finding.title);
}

#[test]
fn a_high_cpm_is_wrong_only_where_the_currency_says_so() {
    let mut dear = calm();
    for flags in &mut dear.quality_flags[..3] {
        flags.push("cpm_above_1000".into());
    }
    let told = |results: &Results, currency| {
        let findings = Campaign { currency, ..campaign(results, &BLOCK) }.findings();
        of_kind(&findings, Kind::ImplausibleFigures).unwrap()
    };
    for currency in ["USD", "eur", "\u{a3}"] {
        let finding = told(&dear, Some(currency));
        assert_eq!(finding.title, "3 domains with figures that cannot be right", "{currency}");
    }
    for currency in [Some("IDR"), Some("VND"), Some("KRW"), Some("JPY"), None] {
        let finding = told(&dear, currency);
        assert_eq!(finding.title, "3 domains with a CPM above 1,000", "{currency:?}");
        assert!(!finding.sentence.contains("cannot") && finding.sentence.contains("check the unit"));
        assert_figures(&finding, &[("rows", 3.0), ("spend", 30.0), ("share", 3.0 / ROWS as f64)]);
    }
    // A share above 100 % is wrong in any currency, and is told of its own rows.
    dear.quality_flags[7].push("ctr_above_1".into());
    let finding = told(&dear, Some("IDR"));
    assert_eq!(finding.title, "1 domain with figures that cannot be right");
    assert!(!finding.sentence.contains("1,000 per thousand"), "{}", finding.sentence);
}

#[test]
fn at_most_five_are_told_and_none_of_nothing() {
    let mut results = results();
    for flags in &mut results.quality_flags {
        flags.push("ctr_above_1".into());
    }
    assert_eq!(findings(&results).len(), MOST_FINDINGS);
    assert!(findings(&results).windows(2).all(|pair| pair[0].kind != pair[1].kind));
    results.spend = None;
    results.impressions.fill(0.0);
    assert_eq!(findings(&results), []);
}

#[test]
fn levels_are_quarters_of_the_scale() {
    use PerformanceLevel::{Excellent, Good, Moderate, Poor};
    for (score, level) in [
        (100.0, Excellent),
        (75.0, Excellent),
        (74.999, Good),
        (50.0, Good),
        (49.96, Moderate),
        (25.0, Moderate),
        (24.9, Poor),
        (0.0, Poor),
    ] {
        assert_eq!(PerformanceLevel::of(score), level, "{score}");
    }
}

#[test]
fn names_find_their_rows() {
    let results = results();
    assert_eq!(rows_named(&results, ["site7.example", "by-hand.example", "site0.example"]), [7, 0]);
}

#[test]
fn insights_serialise_with_their_figures_by_name() {
    let results = results();
    let finding = of_kind(&findings(&results), Kind::SpendAtRisk).unwrap();
    let json = serde_json::to_value(&finding).unwrap();
    assert_eq!(json["kind"], "spend_at_risk");
    assert_eq!(json["figures"]["rows"], 10.0);
    assert_eq!(json["names"].as_array().unwrap().len(), 3);
}
