//! Insights about which rows the delivery went to.

use caliber_engine::evidence::Pattern;
use caliber_engine::results::Status;
use caliber_engine::summary::{campaign_score, total};

use super::{Campaign, Delivery, Figures, Finding, Kind};
use crate::words::listed;
use crate::written::{count, counted, is_high_cpm_wrong, is_impossible, number, percent};

/// The least share of the delivery that poor rows must have to be worth an insight.
const RISK_FROM: f64 = 0.05;
/// The share of the delivery that concentration is about, and the most rows that may carry it.
const HALF: f64 = 0.5;
const FEW: f64 = 0.1;
/// Rows below which half of the delivery is soon reached.
const LEAST_ROWS: usize = 5;
/// Impressions below which rates hang on a few events, and the least share of such rows.
const THIN: f64 = 1000.0;
const MANY: f64 = 0.25;

/// Delivery to rows whose status is poor.
pub(super) fn spend_at_risk(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let results = campaign.results;
    let poor: Vec<usize> = (0..results.len()).filter(|&row| results.statuses[row] == Status::Poor).collect();
    let sum = delivery.sum(&poor);
    let share = delivery.share(sum);
    if poor.is_empty() || share < RISK_FROM {
        return None;
    }
    let average = poor.iter().map(|&row| results.scores[row]).sum::<f64>() / poor.len() as f64;
    let (went, what) = match delivery.name {
        "spend" => ("went to", "spend"),
        _ => ("were bought on", "delivery"),
    };
    Some(Finding {
        kind: Kind::SpendAtRisk,
        title: format!("{} of the {what} is in poor inventory", percent(share)),
        sentence: format!(
            "{} {went} {} of poor quality, with an average score of {}. That is the first place to look for a better use of the budget.",
            delivery.written(sum),
            counted(poor.len(), campaign.unit()),
            number(average, 1),
        ),
        figures: Figures(vec![
            (delivery.name, sum),
            ("share", share),
            ("rows", poor.len() as f64),
            ("average_score", average),
        ]),
        names: campaign.examples(&poor, |row| delivery.row(row)),
    })
}

/// Few rows that carry half of the delivery.
pub(super) fn concentration(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let results = campaign.results;
    let rows = results.len();
    if rows < LEAST_ROWS {
        return None;
    }
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&a, &b| delivery.row(b).total_cmp(&delivery.row(a)).then(a.cmp(&b)));
    let mut sum = 0.0;
    let carriers = 1 + order.iter().position(|&row| {
        sum += delivery.row(row);
        delivery.share(sum) >= HALF
    })?;
    if carriers as f64 > (rows as f64 * FEW).floor().max(1.0) {
        return None;
    }
    order.truncate(carriers);
    let sum = delivery.sum(&order);
    let share = delivery.share(sum);
    let score = campaign_score(&results.rows(&order));
    let scored = score.map(|score| format!(", where the average impression scores {}", number(score, 1)));
    let mut figures = vec![
        ("rows", carriers as f64),
        ("share_of_rows", carriers as f64 / rows as f64),
        (delivery.name, sum),
        ("share", share),
    ];
    figures.extend(score.map(|score| ("average_score", score)));
    Some(Finding {
        kind: Kind::Concentration,
        title: format!(
            "{} of {} carry half of the {}",
            count(carriers as f64),
            counted(rows, campaign.unit()),
            delivery.name
        ),
        sentence: format!(
            "{} ({}) {} on {}{}. What happens to their quality decides about the whole campaign.",
            delivery.written(sum),
            percent(share),
            if delivery.name == "spend" { "is spent" } else { "are bought" },
            counted(carriers, campaign.unit()),
            scored.unwrap_or_default(),
        ),
        figures: Figures(figures),
        names: campaign.examples(&order, |row| delivery.row(row)),
    })
}

/// Rows with a pattern that the evidence found.
pub(super) fn suspicious_patterns(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let evidence = campaign.results.evidence.as_ref()?;
    let with =
        |pattern: Pattern| evidence.patterns.iter().filter(|patterns| patterns.contains(&pattern)).count();
    let rows: Vec<usize> =
        (0..campaign.results.len()).filter(|&row| !evidence.patterns[row].is_empty()).collect();
    if rows.is_empty() {
        return None;
    }
    let (made_for_advertising, click_surges) = (with(Pattern::MfaPattern), with(Pattern::ClickSurge));
    let mut found = Vec::new();
    if made_for_advertising > 0 {
        found.push(format!(
            "the signs of sites made for advertising on {}",
            counted(made_for_advertising, campaign.unit())
        ));
    }
    if click_surges > 0 {
        found.push(format!("more clicks than people make on {}", counted(click_surges, campaign.unit())));
    }
    let sum = delivery.sum(&rows);
    let share = delivery.share(sum);
    Some(Finding {
        kind: Kind::SuspiciousPatterns,
        title: format!("{} with suspicious patterns", counted(rows.len(), campaign.unit())),
        sentence: format!(
            "The counts show {}: together {}, or {} of the {}. The score does not see this; somebody should look at them.",
            listed(&found),
            delivery.written(sum),
            percent(share),
            delivery.name,
        ),
        figures: Figures(vec![
            ("rows", rows.len() as f64),
            ("mfa_pattern", made_for_advertising as f64),
            ("click_surge", click_surges as f64),
            (delivery.name, sum),
            ("share", share),
        ]),
        names: campaign.examples(&rows, |row| delivery.row(row)),
    })
}

/// Rows with a quality flag: with figures that no honest report has, or, where the currency leaves that open, with a CPM
/// above 1,000.
pub(super) fn implausible_figures(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let flags = &campaign.results.quality_flags;
    let is_wrong = |flag: &String| is_impossible(flag, campaign.currency);
    let flagged = |is: &dyn Fn(&String) -> bool| -> Vec<usize> {
        (0..flags.len()).filter(|&row| flags[row].iter().any(is)).collect()
    };
    let wrong = flagged(&is_wrong);
    let is_any_wrong = !wrong.is_empty();
    let rows = if is_any_wrong { wrong } else { flagged(&|_| true) };
    if rows.is_empty() {
        return None;
    }
    let sum = delivery.sum(&rows);
    let share = delivery.share(sum);
    let counted = counted(rows.len(), campaign.unit());
    let told =
        format!("stands in the report for {counted}, with {} ({})", delivery.written(sum), percent(share));
    let (title, sentence) = if is_any_wrong {
        let what = if is_high_cpm_wrong(campaign.currency) {
            "A rate above 100 % or a cost of more than 1,000 per thousand impressions"
        } else {
            "A rate above 100 %"
        };
        (
            format!("{counted} with figures that cannot be right"),
            format!("{what} {told}. Ask the platform before acting on them."),
        )
    } else {
        (
            format!("{counted} with a CPM above 1,000"),
            format!(
                "A CPM above 1,000 in the report's currency {told}. In currencies of small units that is usual; check the unit."
            ),
        )
    };
    Some(Finding {
        kind: Kind::ImplausibleFigures,
        title,
        sentence,
        figures: Figures(vec![("rows", rows.len() as f64), (delivery.name, sum), ("share", share)]),
        names: campaign.examples(&rows, |row| delivery.row(row)),
    })
}

/// Many rows that are too small to judge one by one.
pub(super) fn thin_volume(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let results = campaign.results;
    let rows: Vec<usize> = (0..results.len()).filter(|&row| results.impressions[row] < THIN).collect();
    let share_of_rows = rows.len() as f64 / results.len() as f64;
    if rows.is_empty() || share_of_rows < MANY {
        return None;
    }
    let sum = delivery.sum(&rows);
    let share = delivery.share(sum);
    Some(Finding {
        kind: Kind::ThinVolume,
        title: format!("{} of the {}s are too small to judge alone", percent(share_of_rows), campaign.unit()),
        sentence: format!(
            "{} of {} have fewer than {} impressions, so that their rates hang on a few events; together they have {} of the {}. Treat them as a group.",
            count(rows.len() as f64),
            counted(results.len(), campaign.unit()),
            count(THIN),
            percent(share),
            delivery.name,
        ),
        figures: Figures(vec![
            ("rows", rows.len() as f64),
            ("share_of_rows", share_of_rows),
            ("impressions_below", THIN),
            ("impressions_of_rows", total(rows.iter().map(|&row| results.impressions[row]))),
            (delivery.name, sum),
            ("share", share),
        ]),
        names: campaign.examples(&rows, |row| delivery.row(row)),
    })
}
