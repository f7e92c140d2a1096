//! The appendix: how scores and lists were made, how the report was read, and what was left out.

use caliber_analysis::written::{capital, count, is_impossible, money, number, percent};
use caliber_engine::lists::ListPolicy;
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::Better;
use serde::Serialize;

use crate::document::Fact;
use crate::facts::{Facts, known_count, title};
use crate::naming::{clean, shortened};

/// Entries of each kind that are shown.
const SHOWN: usize = 25;

/// Method and quality.
#[derive(Debug, Serialize)]
pub(crate) struct Appendix {
    method: Vec<Paragraph>,
    recipe_name: String,
    /// Whether the bounds of the metrics are known.
    has_bounds: bool,
    recipe: Vec<RecipeRow>,
    quality: Vec<Fact>,
    /// `null` where nothing is known of the reading.
    mapping: Option<Vec<MappingRow>>,
    /// What a person should look at.
    notes: Vec<String>,
    left_out: Vec<Fact>,
}

#[derive(Debug, Serialize)]
struct Paragraph {
    title: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct RecipeRow {
    label: String,
    better: &'static str,
    weight: String,
    from: String,
    to: String,
    count: String,
}

#[derive(Debug, Serialize)]
struct MappingRow {
    header: String,
    column: String,
    how: String,
}

impl Appendix {
    pub(crate) fn of(facts: &Facts<'_>) -> Self {
        let run = facts.report.run;
        let quality = facts.report.quality;
        let mapping: Vec<MappingRow> = quality
            .mapping
            .iter()
            .take(SHOWN)
            .map(|mapping| MappingRow {
                header: shortened(&mapping.header, 60),
                column: facts.label(&mapping.canonical),
                how: shortened(&mapping.how, 20),
            })
            .collect();
        Self {
            method: method(facts),
            recipe_name: shortened(&run.recipe.name, 60),
            has_bounds: !run.normalization_stats.is_empty(),
            recipe: recipe(facts),
            quality: read(facts),
            mapping: (!mapping.is_empty()).then_some(mapping),
            notes: notes(facts),
            left_out: left_out(facts),
        }
    }

    /// Another note on the quality of the data.
    pub(crate) fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }
}

fn method(facts: &Facts<'_>) -> Vec<Paragraph> {
    let unit = facts.unit();
    let normalization = match facts.report.run.normalization {
        Normalization::Minmax => "between the least and the greatest value of the campaign",
        Normalization::Winsorized => {
            "between the 1 % and the 99 % quantile of the campaign, so that single odd values do not set the scale"
        }
        Normalization::Rank => "by its rank among all values of the campaign",
        Normalization::Shrunk => {
            "between the 1 % and the 99 % quantile of the campaign, after rates of few events were drawn towards the campaign's mean"
        }
    };
    vec![
        Paragraph {
            title: "Score",
            text: format!(
                "Rows of the report are summed by {unit}. Each metric of the recipe becomes points from 0 to 100 {normalization}; where lower is better the scale is turned round, and a missing value is 0. The score is the mean of the points, weighted as the recipe says."
            ),
        },
        Paragraph {
            title: "Status",
            text: format!(
                "The percentile of a {unit} is its place among all scores. From the 75th on the status is good, from the 25th on moderate, below it poor: so statuses compare within this campaign, and in any campaign some are poor."
            ),
        },
        Paragraph {
            title: "Performance level",
            text: "The campaign score is the mean score weighted by impressions. From 75 on the level is excellent, from 50 on good, from 25 on moderate, below it poor.".to_owned(),
        },
        Paragraph { title: "Lists", text: lists(facts) },
    ]
}

fn lists(facts: &Facts<'_>) -> String {
    let rule = &facts.report.run.lists;
    let (share, least, unit) = (percent(rule.share), count(rule.min_impressions), facts.unit());
    match rule.policy {
        ListPolicy::Quartile => format!(
            "Candidates are {unit}s with at least {least} impressions. The allowlist holds the best {share} of them by score, the blocklist the worst {share}; names set or protected by hand come on top."
        ),
        ListPolicy::Evidence => format!(
            "Candidates are {unit}s with at least {least} impressions. Of the worst {share} those are blocked of which the counts prove that they are below the campaign's median, and of the best {share} those allowed that are above it; what chance alone may explain is left alone. Names set or protected by hand come on top."
        ),
    }
}

fn recipe(facts: &Facts<'_>) -> Vec<RecipeRow> {
    let run = facts.report.run;
    let weights: f64 = facts.results.metrics.iter().map(|metric| metric.weight).sum();
    facts
        .results
        .metrics
        .iter()
        .map(|metric| {
            let bounds = run.normalization_stats.get(&metric.name);
            let bound =
                |key: &str| bounds.and_then(|bounds| bounds.get(key)).and_then(serde_json::Value::as_f64);
            RecipeRow {
                label: facts.label(&metric.name),
                better: match metric.better {
                    Better::Higher => "higher",
                    Better::Lower => "lower",
                },
                weight: percent(metric.weight / weights),
                from: facts.value(&metric.name, bound("min")),
                to: facts.value(&metric.name, bound("max")),
                count: bound("count").map_or_else(|| "-".to_owned(), count),
            }
        })
        .collect()
}

/// What was read.
fn read(facts: &Facts<'_>) -> Vec<Fact> {
    let run = facts.report.run;
    let mut read = Vec::new();
    if !run.files.is_empty() {
        let names: Vec<String> =
            run.files.iter().take(SHOWN).map(|file| shortened(file_name(file), 60)).collect();
        let more = run.files.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        read.push(Fact::of("Files", format!("{}{more}", names.join(", "))));
    }
    read.extend(known_count(run.rows_read).map(|rows| Fact::of("Rows read", rows)));
    read.extend(known_count(run.rows_used).map(|rows| Fact::of("Rows summed", rows)));
    if run.dimension_values > 0 {
        read.push(Fact::of(format!("{}s found", capital(facts.unit())), count(run.dimension_values as f64)));
    }
    read
}

/// The file without the folders of the machine it lay on.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn notes(facts: &Facts<'_>) -> Vec<String> {
    let quality = facts.report.quality;
    let mut notes: Vec<String> = quality
        .warnings
        .iter()
        .take(SHOWN)
        .map(|warning| sentence(for_client(&clean(&warning.message))))
        .collect();
    for cells in quality.unreadable_cells.iter().take(SHOWN) {
        let (count, plural) = (number(cells.count as f64, 0), if cells.count == 1 { "" } else { "s" });
        notes.push(format!(
            "{count} cell{plural} of {} could not be read and count as missing.",
            shortened(&cells.column, 60)
        ));
    }
    if !quality.unmapped_headers.is_empty() {
        let shown: Vec<String> =
            quality.unmapped_headers.iter().take(SHOWN).map(|header| shortened(header, 40)).collect();
        let more = quality.unmapped_headers.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!("Columns that are not needed: {}{more}.", shown.join(", ")));
    }
    notes.extend(flagged(facts));
    let outliers = facts.results.outlier_flags.iter().filter(|flags| !flags.is_empty()).count();
    if outliers > 0 {
        notes.push(format!("{} outside the usual range of a metric (more than 1.5 interquartile ranges from the middle half).", facts.counted(outliers)));
    }
    if quality.mapping.is_empty() && quality.warnings.is_empty() {
        notes.push("How the report was read is not kept with these results.".to_owned());
    }
    notes
}

/// Rows with figures that no honest report has, and those whose CPM is high for a currency in which that may be.
fn flagged(facts: &Facts<'_>) -> Vec<String> {
    let is_wrong = |flag: &String| is_impossible(flag, facts.currency());
    let flags = &facts.results.quality_flags;
    let wrong = flags.iter().filter(|flags| flags.iter().any(is_wrong)).count();
    let dear = flags.iter().filter(|flags| flags.iter().any(|flag| !is_wrong(flag))).count();
    let mut notes = Vec::new();
    if wrong > 0 {
        notes.push(format!(
            "{} with figures that cannot be right, such as a rate above 100 %.",
            facts.counted(wrong)
        ));
    }
    if dear > 0 {
        notes.push(format!(
            "{} with a CPM above 1,000 in the report's currency; check the unit.",
            facts.counted(dear)
        ));
    }
    notes
}

fn left_out(facts: &Facts<'_>) -> Vec<Fact> {
    let run = facts.report.run;
    let portion = |label: String, part: caliber_reports::PortionFacts| {
        let spend = match facts.spend {
            Some(_) => format!(", {}", money(part.spend, facts.currency())),
            None => String::new(),
        };
        let value = format!("{} ({} impressions{spend})", count(part.count as f64), count(part.impressions));
        (part.count > 0).then(|| Fact::of(label, value))
    };
    let mut left_out: Vec<Fact> =
        portion(format!("{}s with too few impressions", capital(facts.unit())), run.below_minimum)
            .into_iter()
            .chain(portion("Rows that sum up others or name nobody".to_owned(), run.aggregate_rows))
            .collect();
    for (reason, rows) in run.rows_dropped.iter().filter(|(_, rows)| **rows > 0) {
        left_out.push(Fact::of(
            format!("Rows dropped: {}", title(&shortened(reason, 60)).to_lowercase()),
            count(*rows as f64),
        ));
    }
    left_out
}

/// A warning without the flag of the command line that would settle it, which is no client's concern.
fn for_client(warning: &str) -> &str {
    warning.split_once("; --").map_or(warning, |(found, _)| found)
}

/// The words as a sentence with its full stop.
fn sentence(words: &str) -> String {
    let end = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{end}", capital(words))
}
