//! The metrics of a campaign over its rows: mean, median, range, and what they say.

use caliber_analysis::written::{number, percent};
use caliber_engine::recipe::Better;
use caliber_engine::statistics::{mean, quantile, sorted_present};
use serde::Serialize;

use crate::facts::{Facts, Scale, score};

/// A metric in figures.
#[derive(Debug, Serialize)]
pub(crate) struct Metric {
    label: String,
    /// `higher is better, 25.0 % of the score`; `null` for what is no part of the score.
    role: Option<String>,
    mean: String,
    median: String,
    least: String,
    greatest: String,
    sentence: String,
}

/// Score, volume, and every metric that the rows have.
pub(crate) fn metrics(facts: &Facts<'_>) -> Vec<Metric> {
    let results = facts.results;
    let all = |figures: &[f64]| figures.iter().map(|figure| Some(*figure)).collect::<Vec<_>>();
    let units = format!("{}s", facts.unit());
    let mut metrics = Vec::new();
    metrics.extend(metric("Score", None, &all(&results.scores), score, |law| {
        format!(
            "The middle half of the {units} scores between {} and {}.",
            score(law.lower),
            score(law.upper)
        )
    }));
    let scale = Scale::of(results.impressions.iter().copied(), 0);
    let write = |figure| scale.write(figure);
    metrics.extend(metric(&scale.label("Impressions"), None, &all(&results.impressions), write, |law| {
        largest(facts, &results.impressions, law, "impressions")
    }));
    if let Some(spend) = &results.spend {
        let scale = Scale::of(spend.iter().copied(), 2);
        let write = |figure| scale.write(figure);
        metrics.extend(metric(&scale.label(&facts.money_label("Spend")), None, &all(spend), write, |law| {
            largest(facts, spend, law, "spend")
        }));
    }
    let weights: f64 = results.metrics.iter().map(|metric| metric.weight).sum();
    for column in &results.metrics {
        let (better, verb) = match column.better {
            Better::Higher => ("higher is better", "reaches"),
            Better::Lower => ("lower is better", "stays below"),
        };
        let role = format!("{better}, {} of the score", percent(column.weight / weights));
        let figures = facts.column_of(&column.name);
        let write = |value| figures.write(Some(value));
        metrics.extend(metric(&figures.label(), Some(role), &column.values, write, |law| {
            let edge = if column.better == Better::Higher { law.upper } else { law.lower };
            let missing = column.values.iter().filter(|value| value.is_none()).count();
            format!("The best quarter of the {units} {verb} {}.{}", write(edge), without(facts, missing))
        }));
    }
    // A metric of the recipe may be called otherwise and be the same, as the eCPM is the CPM.
    let canonical = |name| facts.report.dictionary.canonical(name);
    let is_scored = |name| results.metrics.iter().any(|metric| canonical(&metric.name) == canonical(name));
    for extra in results.extras.iter().filter(|extra| !is_scored(extra.name)) {
        let figures = facts.column_of(extra.name);
        let write = |value| figures.write(Some(value));
        metrics.extend(metric(&figures.label(), None, &extra.values, write, |law| {
            let missing = extra.values.iter().filter(|value| value.is_none()).count();
            let missing = match missing {
                0 => String::new(),
                _ => format!(" {} have none.", facts.counted(missing)),
            };
            format!(
                "The middle half lies between {} and {}; no part of the score.{missing}",
                write(law.lower),
                write(law.upper)
            )
        }));
    }
    metrics
}

/// Quartiles of a metric.
struct Law {
    lower: f64,
    median: f64,
    upper: f64,
    greatest: f64,
}

/// `None` where no row has a value.
fn metric(
    label: &str,
    role: Option<String>,
    values: &[Option<f64>],
    write: impl Fn(f64) -> String,
    say: impl Fn(&Law) -> String,
) -> Option<Metric> {
    let sorted: Vec<f64> = sorted_present(values).into_iter().filter(|value| value.is_finite()).collect();
    let at = |share| quantile(&sorted, share);
    let law = Law { lower: at(0.25)?, median: at(0.5)?, upper: at(0.75)?, greatest: at(1.0)? };
    Some(Metric {
        label: label.to_owned(),
        role,
        mean: write(mean(&sorted)?),
        median: write(law.median),
        least: write(at(0.0)?),
        greatest: write(law.greatest),
        sentence: say(&law),
    })
}

/// What the greatest row has, against all and against the median.
fn largest(facts: &Facts<'_>, by_row: &[f64], law: &Law, what: &str) -> String {
    let all = caliber_engine::summary::total(by_row.iter().copied());
    if all <= 0.0 || by_row.len() < 2 {
        return format!("All {what} of {}.", facts.counted(by_row.len()));
    }
    let share = percent(law.greatest / all);
    if law.median > 0.0 && law.greatest / law.median >= 2.0 {
        let times = number(law.greatest / law.median, 0);
        format!("The largest {} has {share} of the {what}, {times} times the median.", facts.unit())
    } else {
        format!("The largest {} has {share} of the {what}.", facts.unit())
    }
}

fn without(facts: &Facts<'_>, missing: usize) -> String {
    match missing {
        0 => String::new(),
        1 => format!(" {} has none and scores 0 there.", facts.counted(1)),
        _ => format!(" {} have none and score 0 there.", facts.counted(missing)),
    }
}
