//! The charts: what is drawn where, in parts of the plot from 0 to 1. The template draws.

mod axes;

use caliber_analysis::written::{capital, count, number, percent};
use caliber_engine::results::Status;
use caliber_engine::statistics::{mean, quantile};
use caliber_engine::summary::total;
use serde::Serialize;

use axes::{LogAxis, Tick, finite, score_range, score_ticks, ticks};

use crate::facts::{Facts, score};
use crate::naming::Name;
use crate::tables::worst_rows;

/// Bars of the score distribution: ten points each.
const BINS: usize = 10;
/// Marks of the score against spend at most; more would be a cloud.
const MARKS: usize = 300;
/// Poor rows that are named in it.
const CALLED_OUT: usize = 3;
/// Rows at either end whose contributions are compared.
const ENDS: usize = 10;

/// All charts.
#[derive(Debug, Serialize)]
pub(crate) struct Charts {
    distribution: Distribution,
    split: Split,
    /// `null` where no row has a delivery that can be drawn.
    scatter: Option<Scatter>,
    /// `null` where there are too few rows to compare.
    contributions: Option<Contributions>,
    /// `null` where there are too few rows to part, or nothing was delivered.
    deciles: Option<Deciles>,
}

/// How scores are distributed.
#[derive(Debug, Serialize)]
struct Distribution {
    sentence: String,
    unit: String,
    bars: Vec<Bar>,
    ticks: Vec<Tick>,
    median: Tick,
}

#[derive(Debug, Serialize)]
struct Bar {
    #[serde(serialize_with = "finite")]
    height: f64,
    label: String,
}

/// How rows, impressions and spend are split over the bands.
#[derive(Debug, Serialize)]
struct Split {
    sentence: String,
    rows: Vec<SplitRow>,
}

#[derive(Debug, Serialize)]
struct SplitRow {
    label: String,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    status: &'static str,
    #[serde(serialize_with = "finite")]
    share: f64,
    label: String,
}

/// Score against spend.
#[derive(Debug, Serialize)]
struct Scatter {
    sentence: String,
    axis: String,
    marks: Vec<Mark>,
    ticks: Vec<Tick>,
    scores: Vec<Tick>,
    called: Vec<Called>,
    called_title: String,
}

#[derive(Debug, Serialize)]
struct Mark {
    #[serde(serialize_with = "finite")]
    x: f64,
    #[serde(serialize_with = "finite")]
    y: f64,
    status: &'static str,
}

/// A row that is named beside the chart.
#[derive(Debug, Serialize)]
struct Called {
    #[serde(serialize_with = "finite")]
    x: f64,
    #[serde(serialize_with = "finite")]
    y: f64,
    name: Name,
    text: String,
}

/// Points of the score by metric, of the best and the worst rows.
#[derive(Debug, Serialize)]
struct Contributions {
    sentence: String,
    best: String,
    worst: String,
    metrics: Vec<Contribution>,
    ticks: Vec<Tick>,
}

#[derive(Debug, Serialize)]
struct Contribution {
    label: String,
    /// What the metric can add at most.
    #[serde(serialize_with = "finite")]
    most: f64,
    #[serde(serialize_with = "finite")]
    best: f64,
    #[serde(serialize_with = "finite")]
    worst: f64,
    best_label: String,
    worst_label: String,
    most_label: String,
}

/// Delivery by tenths of the rows.
#[derive(Debug, Serialize)]
struct Deciles {
    sentence: String,
    what: String,
    bars: Vec<DecileBar>,
    ticks: Vec<Tick>,
}

#[derive(Debug, Serialize)]
struct DecileBar {
    #[serde(serialize_with = "finite")]
    height: f64,
    label: String,
    /// The scores of the group.
    scores: String,
}

impl Charts {
    pub(crate) fn of(facts: &Facts<'_>) -> Self {
        Self {
            distribution: distribution(facts),
            split: split(facts),
            scatter: scatter(facts),
            contributions: contributions(facts),
            deciles: deciles(facts),
        }
    }
}

fn distribution(facts: &Facts<'_>) -> Distribution {
    let results = facts.results;
    let mut counts = [0_usize; BINS];
    for score in results.scores.iter().filter(|score| score.is_finite()) {
        counts[((score / 10.0).max(0.0) as usize).min(BINS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let (top, ticks) = ticks(most as f64, true);
    let mut sorted = results.scores.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = quantile(&sorted, 0.5).filter(|median| median.is_finite()).unwrap_or(0.0);
    let fullest = counts.iter().position(|&count| count == most).unwrap_or(0);
    Distribution {
        sentence: format!(
            "Half of the {}s score above {}. The fullest band, {} to {} points, holds {}.",
            facts.unit(),
            score(median),
            fullest * 10,
            fullest * 10 + 10,
            facts.counted(most)
        ),
        unit: format!("{}s", capital(facts.unit())),
        bars: counts
            .iter()
            .map(|&bin| Bar {
                height: bin as f64 / top,
                label: if bin == 0 { String::new() } else { count(bin as f64) },
            })
            .collect(),
        ticks,
        median: Tick { at: median / 100.0, label: format!("Median {}", score(median)) },
    }
}

fn split(facts: &Facts<'_>) -> Split {
    let results = facts.results;
    let ones = vec![1.0; results.len()];
    let mut rows = vec![(format!("{}s", capital(facts.unit())), ones.as_slice())];
    rows.push(("Impressions".to_owned(), &results.impressions));
    if let Some(spend) = &results.spend {
        rows.push(("Spend".to_owned(), spend));
    }
    let rows: Vec<SplitRow> =
        rows.into_iter().filter_map(|(label, figures)| split_row(facts, label, figures)).collect();
    let good = |row: &SplitRow| row.parts.first().map_or(0.0, |part| part.share);
    let poor = |row: &SplitRow| row.parts.last().map_or(0.0, |part| part.share);
    let sentence = match rows.last() {
        Some(row) if rows.len() > 1 => format!(
            "{} of the {} goes to good {}s and {} to poor ones.",
            percent(good(row)),
            if results.spend.is_some() && row.label == "Spend" { "spend" } else { "delivery" },
            facts.unit(),
            percent(poor(row))
        ),
        _ => "Statuses follow the percentile of the score within the campaign.".to_owned(),
    };
    Split { sentence, rows }
}

fn split_row(facts: &Facts<'_>, label: String, figures: &[f64]) -> Option<SplitRow> {
    let statuses = &facts.results.statuses;
    // Corrections may be negative, and have no place in a picture of parts.
    let sum = |band| {
        total((0..figures.len()).filter(|&row| statuses[row] == band).map(|row| figures[row])).max(0.0)
    };
    let sums = [Status::Good, Status::Moderate, Status::Poor].map(|band| (band, sum(band)));
    let all: f64 = sums.iter().map(|(_, sum)| sum).sum();
    let has_delivery = total(figures.iter().copied()) > 0.0;
    if !has_delivery || all <= 0.0 || !all.is_finite() {
        return None;
    }
    let parts =
        sums.map(|(band, sum)| Part { status: band.name(), share: sum / all, label: percent(sum / all) });
    Some(SplitRow { label, parts: parts.into() })
}

/// What rows are drawn against, and what that is called: spend, or impressions where there is none.
fn delivery<'a>(facts: &Facts<'a>) -> (&'a [f64], &'static str) {
    match &facts.results.spend {
        Some(spend) if facts.spend.is_some_and(|total| total > 0.0) => (spend, "spend"),
        _ => (&facts.results.impressions, "impressions"),
    }
}

/// The rows that take most, on a scale of powers of ten, since few take most of it.
fn scatter(facts: &Facts<'_>) -> Option<Scatter> {
    let (figures, what) = delivery(facts);
    let results = facts.results;
    let mut order: Vec<usize> =
        (0..figures.len()).filter(|&row| figures[row] > 0.0 && figures[row].is_finite()).collect();
    order.sort_by(|&a, &b| figures[b].total_cmp(&figures[a]).then(a.cmp(&b)));
    let drawable = order.len();
    order.truncate(MARKS);
    let (greatest, least) = (figures[*order.first()?], figures[*order.last()?]);
    let axis = LogAxis::around(least, greatest);
    let (lowest, highest) = score_range(order.iter().map(|&row| results.scores[row]));
    let x = |figure: f64| axis.at(figure);
    let y = |row: usize| ((results.scores[row] - lowest) / (highest - lowest)).clamp(0.0, 1.0);
    let write = |figure: f64| match what {
        "spend" => caliber_analysis::written::money(figure, facts.currency()),
        _ => format!("{} impressions", count(figure)),
    };
    let poor = order.iter().copied().filter(|&row| results.statuses[row] == Status::Poor);
    let called: Vec<Called> = poor
        .take(CALLED_OUT)
        .map(|row| Called {
            x: x(figures[row]),
            y: y(row),
            name: Name::of(&results.names[row]),
            text: format!("{}, score {}", write(figures[row]), score(results.scores[row])),
        })
        .collect();
    let shown: f64 = order.iter().map(|&row| figures[row]).sum::<f64>() / total(figures.iter().copied());
    let sentence = if order.len() < drawable {
        format!(
            "The {} with most {what}, {} of all. Money at the lower right buys poor inventory dearly.",
            facts.counted(order.len()),
            percent(shown)
        )
    } else {
        format!(
            "Each mark is one {}. What lies at the lower right takes much and scores little.",
            facts.unit()
        )
    };
    Some(Scatter {
        sentence,
        axis: if what == "spend" { facts.money_label("Spend") } else { "Impressions".to_owned() },
        marks: order
            .iter()
            .map(|&row| Mark { x: x(figures[row]), y: y(row), status: results.statuses[row].name() })
            .collect(),
        ticks: axis.ticks(),
        scores: score_ticks(lowest, highest),
        called_title: format!("The poor {}s with most {what}", facts.unit()),
        called,
    })
}

/// Mean points by metric of the best and the worst rows.
fn contributions(facts: &Facts<'_>) -> Option<Contributions> {
    let results = facts.results;
    let ends = (results.len() / 2).min(ENDS);
    if ends == 0 {
        return None;
    }
    let best: Vec<usize> = (0..ends).collect();
    let worst = worst_rows(facts, ends);
    let weights: f64 = results.metrics.iter().map(|metric| metric.weight).sum();
    let most = results.metrics.iter().map(|metric| metric.weight / weights * 100.0).fold(0.0, f64::max);
    let (top, ticks) = ticks(most, false);
    let points = |column: &[f64], rows: &[usize]| {
        mean(&rows.iter().map(|&row| column[row]).collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let compared: Vec<(&str, f64, f64, f64)> = results
        .metrics
        .iter()
        .map(|metric| {
            let column = &metric.contributions;
            let most = metric.weight / weights * 100.0;
            (metric.name.as_str(), points(column, &best), points(column, &worst), most)
        })
        .collect();
    let widest = compared
        .iter()
        .reduce(|widest, next| if next.1 - next.2 > widest.1 - widest.2 { next } else { widest })?;
    let (best_points, worst_points) = (number(widest.1, 1), number(widest.2, 1));
    Some(Contributions {
        sentence: if best_points == worst_points {
            "The best and the worst have the same points in each metric.".to_owned()
        } else {
            format!(
                "What sets the best apart from the worst is {} before all: {best_points} points against {worst_points}.",
                facts.report.dictionary.label(widest.0),
            )
        },
        best: format!("Best {}", facts.counted(ends)),
        worst: format!("Worst {}", facts.counted(ends)),
        metrics: compared
            .iter()
            .map(|(label, best, worst, most)| Contribution {
                label: facts.label(label),
                most: most / top,
                best: best / top,
                worst: worst / top,
                best_label: number(*best, 1),
                worst_label: number(*worst, 1),
                most_label: number(*most, 0),
            })
            .collect(),
        ticks,
    })
}

/// The delivery of each tenth of the rows, the best first.
fn deciles(facts: &Facts<'_>) -> Option<Deciles> {
    let (figures, what) = delivery(facts);
    let results = facts.results;
    let rows = results.len();
    let all = total(figures.iter().copied());
    let groups = rows.min(10);
    if groups < 2 || all <= 0.0 {
        return None;
    }
    let bounds = |group: usize| (group * rows / groups)..((group + 1) * rows / groups);
    let shares: Vec<f64> =
        (0..groups).map(|group| total(figures[bounds(group)].iter().copied()) / all).collect();
    let most = shares.iter().copied().fold(0.0, f64::max);
    let (top, ticks) = ticks(most * 100.0, false);
    let half = groups / 2;
    let upper: f64 = shares[..half].iter().sum();
    let of = if groups == 10 { "tenth".to_owned() } else { format!("of {groups} groups") };
    Some(Deciles {
        sentence: format!(
            "The better half of the {}s takes {} of the {what}, the weakest {of} {}.",
            facts.unit(),
            percent(upper),
            percent(shares[groups - 1])
        ),
        what: what.to_owned(),
        bars: shares
            .iter()
            .enumerate()
            .map(|(group, share)| {
                let scores = &results.scores[bounds(group)];
                let (best, least) =
                    (scores.first().copied().unwrap_or(0.0), scores.last().copied().unwrap_or(0.0));
                DecileBar {
                    height: (share * 100.0 / top).clamp(0.0, 1.0),
                    label: percent(*share),
                    scores: format!("{} to {}", number(least, 0), number(best, 0)),
                }
            })
            .collect(),
        ticks: ticks.into_iter().map(|tick| Tick { label: format!("{} %", tick.label), ..tick }).collect(),
    })
}
