//! Changes as one says them to a trader, and what to beware of.

use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::Dimension;

use super::RunFigures;
use crate::words::listed;
use crate::{Pair, Subject};

/// Drivers that are told.
const TOLD: usize = 3;
/// Points that round to 0.0 are not told.
const LEAST_POINTS: f64 = 0.05;

/// What moved the campaign's score.
pub(super) fn explanation(
    before: &Subject<'_>,
    after: &Subject<'_>,
    (was, is): (RunFigures, RunFigures),
    drivers: &[Pair],
) -> String {
    let change = is.campaign_score - was.campaign_score;
    let (from, to) = (was.campaign_score, is.campaign_score);
    let moved = match change {
        _ if change >= LEAST_POINTS => format!("rose by {change:.1} points, from {from:.1} to {to:.1}"),
        _ if change <= -LEAST_POINTS => format!("fell by {:.1} points, from {from:.1} to {to:.1}", -change),
        _ => format!("stayed at {to:.1}"),
    };
    let many = match after.results.dimension {
        Dimension::Domain => "domains",
        Dimension::SupplyVendor => "supply vendors",
    };
    let told: Vec<String> = drivers
        .iter()
        .filter(|(_, points)| points.abs() >= LEAST_POINTS)
        .take(TOLD)
        .map(|(name, points)| {
            let verb = if *points > 0.0 { "added" } else { "cost" };
            let name = match name.as_str() {
                "volume" => format!("impressions that moved between {many}"),
                "new" => format!("{many} that are new"),
                "gone" => format!("{many} that are gone"),
                metric if before.dictionary.metric(metric).is_some() => before.dictionary.label(metric),
                metric => after.dictionary.label(metric),
            };
            format!("{name} {verb} {:.1}", points.abs())
        })
        .collect();
    let why = if told.is_empty() { String::new() } else { format!(": {}", listed(&told)) };
    format!("The campaign's score {moved}{why}.")
}

/// What makes the two runs hard to compare.
pub(super) fn warnings(before: &Subject<'_>, after: &Subject<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if before.recipe.name != after.recipe.name {
        warnings.push(format!(
            "the runs were scored by two recipes, {} before and {} after",
            before.recipe.name, after.recipe.name
        ));
    }
    for (one, other, only, lacks) in [(before, after, "before", "after"), (after, before, "after", "before")]
    {
        for metric in &one.recipe.metrics {
            if other.recipe.metrics.iter().all(|known| known.metric != metric.metric) {
                let label = one.dictionary.label(&metric.metric);
                warnings.push(format!("{label} is scored {only} only; {lacks}, it counts 0 points"));
            }
        }
    }
    for was in &before.recipe.metrics {
        let Some(is) = after.recipe.metrics.iter().find(|is| is.metric == was.metric) else { continue };
        let label = before.dictionary.label(&was.metric);
        if (was.weight - is.weight).abs() > 1e-9 {
            warnings.push(format!("{label} weighs {} before and {} after", was.weight, is.weight));
        }
        if was.better != is.better {
            warnings.push(format!("{label} is better the other way round after"));
        }
    }
    if before.normalization != after.normalization {
        warnings.push(format!(
            "metrics were normalised by `{}` before and by `{}` after",
            word(before.normalization),
            word(after.normalization)
        ));
    }
    warnings
}

fn word(normalization: Normalization) -> &'static str {
    let mut known = Normalization::ALL.into_iter();
    known.find(|(_, method)| *method == normalization).map_or("", |(word, _)| word)
}
