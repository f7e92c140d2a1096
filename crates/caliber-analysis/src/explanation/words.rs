//! Explanations as one says them to a trader.

use caliber_engine::explain::Explainer;
use caliber_engine::recipe::Dimension;
use caliber_engine::results::Status;

use super::counterfactual::Counterfactual;
use crate::words::{grouped, listed};
use crate::{Pair, Subject};

/// Factors that are told.
const TOLD: usize = 3;
/// Points that round to 0.0 are not told.
const LEAST_POINTS: f64 = 0.05;
/// A weaker correlation is none to speak of.
const LEAST_CORRELATION: f64 = 0.05;

/// What moves the scores of the campaign; `features` by falling importance.
pub(super) fn of_campaign(subject: &Subject<'_>, features: &[Pair]) -> String {
    let rows = rows(subject);
    let mut told = features.iter().filter(|(_, points)| *points >= LEAST_POINTS).take(TOLD);
    let Some((first, points)) = told.next() else {
        return format!("No metric sets the {rows} apart: all score about the same.");
    };
    let label = |name: &str| subject.dictionary.label(name);
    let rest: Vec<String> = told.map(|(name, points)| format!("{} ({points:.1})", label(name))).collect();
    let then = if rest.is_empty() { String::new() } else { format!(", then {}", listed(&rest)) };
    format!(
        "Across {rows}, {} moves scores most, by {points:.1} points up or down on average{then}.",
        label(first)
    )
}

/// Which metrics go with the score; `features` by falling correlation.
pub(super) fn of_correlations(subject: &Subject<'_>, features: &[Pair]) -> String {
    let told: Vec<String> = features
        .iter()
        .filter(|(_, r)| r.abs() >= LEAST_CORRELATION)
        .take(TOLD)
        .map(|(name, r)| {
            let way = if *r > 0.0 { "higher" } else { "lower" };
            format!("{} with {way} scores ({r:.2})", subject.dictionary.label(name))
        })
        .collect();
    if told.is_empty() {
        return format!("Across {}, no metric goes with the score.", rows(subject));
    }
    format!("Across {}, more of a metric goes: {}. 1 or -1 would be in step.", rows(subject), told.join("; "))
}

/// What makes the score of a row, and what would take it to another band.
pub(super) fn of_row(
    subject: &Subject<'_>,
    row: usize,
    base_value: f64,
    factors: &[Pair],
    counterfactual: Option<&Counterfactual>,
) -> String {
    let explainer = Explainer::new(subject.results, subject.dictionary);
    let score = subject.results.scores[row];
    let difference = score - base_value;
    let stands = match difference {
        _ if difference >= LEAST_POINTS => format!("{difference:.1} above the average of {base_value:.1}"),
        _ if difference <= -LEAST_POINTS => {
            format!("{:.1} below the average of {base_value:.1}", -difference)
        }
        _ => "as the average".to_owned(),
    };
    let told: Vec<String> = factors
        .iter()
        .filter(|(_, points)| points.abs() >= LEAST_POINTS)
        .take(TOLD)
        .map(|(name, points)| {
            let metric = subject.results.metrics.iter().find(|metric| metric.name == *name);
            let label = subject.dictionary.label(name);
            let verb = if *points > 0.0 { "adds" } else { "costs it" };
            let points = points.abs();
            match metric.and_then(|metric| metric.values[row]) {
                Some(value) => {
                    format!("{label} {} {verb} {points:.1} points", explainer.written(name, value))
                }
                None => format!("missing {label} {verb} {points:.1} points"),
            }
        })
        .collect();
    let why = if told.is_empty() { String::new() } else { format!(": {}", listed(&told)) };
    let change = counterfactual.map(|change| of_change(subject, &explainer, change)).unwrap_or_default();
    format!("Scores {score:.1}, {stands}{why}.{change}")
}

fn of_change(subject: &Subject<'_>, explainer: &Explainer<'_>, change: &Counterfactual) -> String {
    let label = subject.dictionary.label(&change.feature);
    let becomes = match change.quality_status_after {
        Status::Moderate if change.to_normalized < change.from_normalized => "fall to moderate",
        Status::Moderate => "be moderate",
        Status::Good => "be good",
        Status::Poor => "be poor",
    };
    match change.to {
        Some(to) => {
            format!(" It would {becomes} with {label} at {}.", explainer.written(&change.feature, to))
        }
        None => format!(
            " It would {becomes} if it stood at {:.0} of 100 in {label}, instead of {:.0}.",
            change.to_normalized, change.from_normalized
        ),
    }
}

/// `2,275 domains`.
fn rows(subject: &Subject<'_>) -> String {
    let rows = subject.results.len();
    let noun = match (subject.results.dimension, rows) {
        (Dimension::Domain, 1) => "domain",
        (Dimension::Domain, _) => "domains",
        (Dimension::SupplyVendor, 1) => "supply vendor",
        (Dimension::SupplyVendor, _) => "supply vendors",
    };
    format!("{} {noun}", grouped(rows))
}
