//! Tables of rows: the best and the worst, the first of all, and the lists.

use caliber_analysis::written::{capital, count};
use caliber_engine::evidence::Decision;
use caliber_engine::summary::ListSummary;
use caliber_reports::{Figure, ListRow};
use serde::Serialize;

use crate::facts::{Facts, FigureColumn, Scale, score};
use crate::naming::Name;

/// Rows at either end that are shown.
const ENDS: usize = 10;
/// Rows of the results that are shown.
pub(crate) const DETAILS: usize = 50;
/// Rows of a list that are shown.
const LISTED: usize = 20;
/// Metrics beside the figures that every table has, as far as the page is wide.
const METRICS: usize = 3;

/// A table of rows.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// What is above the names: `Domain`.
    name: String,
    /// What is above the figures.
    columns: Vec<String>,
    /// What is above the reasons; `None` where there are none.
    reason: Option<&'static str>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    /// The place by score.
    rank: String,
    name: Name,
    score: String,
    status: &'static str,
    cells: Vec<String>,
    reason: Option<String>,
}

/// The first rows of the results and how many there are.
#[derive(Debug, Serialize)]
pub(crate) struct Details {
    sentence: String,
    table: Table,
}

/// A list to upload.
#[derive(Debug, Serialize)]
pub(crate) struct List {
    title: &'static str,
    /// What it holds and what to do with it.
    sentences: Vec<String>,
    /// `null` of an empty list.
    table: Option<ListTable>,
    /// How many more there are, in words.
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct ListTable {
    /// What is above the names: `Domain`.
    name: String,
    /// What is above the figures: spend, or impressions where there is none.
    column: String,
    rows: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    /// The place in the list.
    rank: String,
    name: Name,
    /// A dash for a name that was not scored.
    score: String,
    figure: String,
}

/// How many of the best and of the worst rows are shown: none stands in both.
fn ends_of(rows: usize) -> (usize, usize) {
    (rows.div_ceil(2).min(ENDS), (rows / 2).min(ENDS))
}

/// The best rows, the best first.
pub(crate) fn best(facts: &Facts<'_>) -> Table {
    let rows: Vec<usize> = (0..ends_of(facts.results.len()).0).collect();
    ends(facts, &rows, "What lifts it most", &|row| facts.explainer.best_reason(row))
}

/// The worst rows, the worst first.
pub(crate) fn worst(facts: &Facts<'_>) -> Table {
    let rows = worst_rows(facts, ends_of(facts.results.len()).1);
    ends(facts, &rows, "What costs it most", &|row| facts.explainer.worst_reason(row))
}

/// So many rows of least score, the worst first; of equals those with more impressions, then by name.
pub(crate) fn worst_rows(facts: &Facts<'_>, rows: usize) -> Vec<usize> {
    let results = facts.results;
    let mut order: Vec<usize> = (0..results.len()).collect();
    order.sort_unstable_by(|&a, &b| {
        results.scores[a]
            .total_cmp(&results.scores[b])
            .then_with(|| results.impressions[b].total_cmp(&results.impressions[a]))
            .then_with(|| results.names[a].cmp(&results.names[b]))
    });
    order.truncate(rows);
    order
}

fn ends(facts: &Facts<'_>, rows: &[usize], title: &'static str, reason: &dyn Fn(usize) -> String) -> Table {
    let volume = Volume::of(facts, rows);
    Table {
        name: capital(facts.unit()),
        columns: volume.labels(facts),
        reason: Some(title),
        rows: rows.iter().map(|&row| scored(facts, row, &volume, &[], Some(reason(row)))).collect(),
    }
}

/// The first rows of the results, with as many metrics as the page takes: cost and clicks first, as everybody knows them,
/// then by weight.
pub(crate) fn details(facts: &Facts<'_>) -> Details {
    let results = facts.results;
    let has_any = |(_, values): &(&str, &[Option<f64>])| values.iter().any(Option::is_some);
    let mut metrics: Vec<&str> = ["cpm", "ctr"]
        .iter()
        .filter_map(|metric| facts.values(metric))
        .filter(has_any)
        .map(|(name, _)| name)
        .collect();
    let mut by_weight: Vec<_> = results.metrics.iter().collect();
    by_weight.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    for metric in by_weight {
        if !metrics.contains(&metric.name.as_str()) {
            metrics.push(&metric.name);
        }
    }
    metrics.truncate(METRICS);
    let shown = results.len().min(DETAILS);
    let rows: Vec<usize> = (0..shown).collect();
    let volume = Volume::of(facts, &rows);
    let metrics: Vec<FigureColumn<'_>> = metrics.into_iter().map(|metric| facts.column_of(metric)).collect();
    let labels = metrics.iter().map(FigureColumn::label);
    let sentence = if shown < results.len() {
        format!(
            "The first {shown} of {} by score; {} more are in the files that come with this report.",
            facts.counted(results.len()),
            count((results.len() - shown) as f64)
        )
    } else {
        format!("All {} by score.", facts.counted(results.len()))
    };
    Details {
        sentence,
        table: Table {
            name: capital(facts.unit()),
            columns: volume.labels(facts).into_iter().chain(labels).collect(),
            reason: None,
            rows: rows.iter().map(|&row| scored(facts, row, &volume, &metrics, None)).collect(),
        },
    }
}

/// The allowlist.
pub(crate) fn allowlist(facts: &Facts<'_>) -> List {
    let summary = summary_of(facts, &facts.allowed, "has", "have");
    let action = "Move budget to them: a site list or a higher bid buys more of what works, as far as they have more to sell.";
    list(facts, "Allowlist", facts.report.allowlist, summary, action)
}

/// The blocklist.
pub(crate) fn blocklist(facts: &Facts<'_>) -> List {
    let summary = summary_of(facts, &facts.blocked, "takes", "take");
    let action = "Take them out of the campaign: their budget goes to the rest on its own, and pacing should be watched for a few days.";
    let mut list = list(facts, "Blocklist", facts.report.blocklist, summary, action);
    let protected = &facts.report.run.lists.protected;
    if !protected.is_empty() {
        list.sentences.push(format!(
            "{} would have been blocked and {} protected.",
            facts.counted(protected.len()),
            if protected.len() == 1 { "is" } else { "are" }
        ));
    }
    if facts.report.blocklist.is_empty() {
        list.sentences.extend(watched(facts));
    }
    list
}

/// What the evidence keeps an eye on; `None` where it was not asked or has settled all.
fn watched(facts: &Facts<'_>) -> Option<String> {
    let evidence = facts.results.evidence.as_ref()?;
    let watched = evidence.decisions.iter().filter(|decision| **decision == Decision::Watch).count();
    (watched > 0).then(|| {
        format!(
            "The counts prove of none that it is below the campaign's median. {} on the watchlist, not proven either way: they need more impressions before a decision.",
            match watched {
                1 => format!("{} is", facts.counted(1)),
                _ => format!("{} are", facts.counted(watched)),
            }
        )
    })
}

fn list(facts: &Facts<'_>, title: &'static str, rows: &[ListRow], summary: String, action: &str) -> List {
    if rows.is_empty() {
        let sentences = vec![format!("No {} is on this list.", facts.unit())];
        return List { title, sentences, table: None, more: None };
    }
    let more = rows.len().saturating_sub(LISTED);
    let shown = &rows[..rows.len().min(LISTED)];
    let has_spend = facts.results.spend.is_some();
    let figure = |row: &ListRow| if has_spend { row.spend } else { row.impressions };
    let figures = shown.iter().filter_map(figure).map(|figure| figure.0);
    let scale = Scale::of(figures, if has_spend { 2 } else { 0 });
    let label = if has_spend { facts.money_label("Spend") } else { "Impressions".to_owned() };
    List {
        title,
        sentences: vec![summary, action.to_owned()],
        table: Some(ListTable {
            name: capital(facts.unit()),
            column: scale.label(&label),
            rows: shown.iter().zip(1..).map(|(row, place)| listed(row, place, scale, figure(row))).collect(),
        }),
        more: (more > 0).then(|| format!("{} more are in the list to upload.", count(more as f64))),
    }
}

/// How many rows a list has and what they carry.
fn summary_of(facts: &Facts<'_>, rows: &[usize], one: &str, many: &str) -> String {
    let summary = ListSummary::of(facts.results, rows);
    let verb = if rows.len() == 1 { one } else { many };
    let average =
        summary.average_score.map(|average| format!(" with an average score of {}", score(average)));
    let spend = match (summary.spend, facts.spend) {
        (Some(spend), Some(all)) if all > 0.0 => format!(
            "{} ({} of the spend) and ",
            caliber_analysis::written::money(spend, facts.currency()),
            caliber_analysis::written::percent(spend / all)
        ),
        _ => String::new(),
    };
    format!(
        "{}{} {verb} {spend}{} impressions.",
        facts.counted(rows.len()),
        average.unwrap_or_default(),
        count(summary.impressions)
    )
}

/// How impressions and spend of some rows are written.
struct Volume {
    impressions: Scale,
    /// `None` where the report has no spend.
    spend: Option<Scale>,
}

impl Volume {
    fn of(facts: &Facts<'_>, rows: &[usize]) -> Self {
        let of = |column: &[f64], decimals| Scale::of(rows.iter().map(|&row| column[row]), decimals);
        Self {
            impressions: of(&facts.results.impressions, 0),
            spend: facts.results.spend.as_ref().map(|spend| of(spend, 2)),
        }
    }

    fn labels(&self, facts: &Facts<'_>) -> Vec<String> {
        let spend = self.spend.map(|scale| scale.label(&facts.money_label("Spend")));
        [self.impressions.label("Impressions")].into_iter().chain(spend).collect()
    }

    fn cells(&self, facts: &Facts<'_>, row: usize) -> Vec<String> {
        let spend = self.spend.zip(facts.results.spend.as_ref());
        let spend = spend.map(|(scale, spend)| scale.write(spend[row]));
        [self.impressions.write(facts.results.impressions[row])].into_iter().chain(spend).collect()
    }
}

fn scored(
    facts: &Facts<'_>,
    row: usize,
    volume: &Volume,
    metrics: &[FigureColumn<'_>],
    reason: Option<String>,
) -> Row {
    let results = facts.results;
    let mut cells = volume.cells(facts, row);
    cells.extend(metrics.iter().map(|metric| metric.write(metric.value(row))));
    Row {
        rank: count((row + 1) as f64),
        name: Name::of(&results.names[row]),
        score: score(results.scores[row]),
        status: results.statuses[row].name(),
        cells,
        reason: reason.map(|reason| capital(&crate::naming::clean(&reason))),
    }
}

fn listed(row: &ListRow, place: usize, scale: Scale, figure: Option<Figure>) -> Listed {
    let written = |figure: Option<Figure>, write: &dyn Fn(f64) -> String| {
        figure.map_or_else(|| "-".to_owned(), |figure| write(figure.0))
    };
    Listed {
        rank: count(place as f64),
        name: Name::of(&row.name),
        score: written(row.score, &score),
        figure: written(figure, &|figure| scale.write(figure)),
    }
}
