//! The columns of a results file: their names, their order and their cells, once for all formats.

use std::borrow::Cow;

use caliber_engine::evidence::{Decision, EvidenceRows, Pattern};
use caliber_engine::results::{MetricColumn, Results, Status};

/// Columns, and which rows of the results a file has.
pub(crate) struct Table<'a> {
    pub(crate) columns: Vec<Column<'a>>,
    pub(crate) rows: Rows<'a>,
}

/// Rows of the results, in the order of a file.
#[derive(Clone, Copy)]
pub(crate) enum Rows<'a> {
    /// So many, as they are.
    All(usize),
    /// These.
    Chosen(&'a [usize]),
}

impl<'a> Table<'a> {
    /// The columns of every results file, over all rows.
    pub(crate) fn of(results: &'a Results) -> Self {
        Self { columns: columns(results), rows: Rows::All(results.len()) }
    }
}

impl Rows<'_> {
    pub(crate) fn len(self) -> usize {
        match self {
            Self::All(rows) => rows,
            Self::Chosen(rows) => rows.len(),
        }
    }

    /// The row of the results at a position of the file.
    pub(crate) fn at(self, position: usize) -> usize {
        match self {
            Self::All(_) => position,
            Self::Chosen(rows) => rows[position],
        }
    }
}

/// One column over all rows.
pub(crate) struct Column<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) cells: Cells<'a>,
}

/// Where the cells of a column lie in the results.
pub(crate) enum Cells<'a> {
    Names(&'a [String]),
    Numbers(&'a [f64]),
    MaybeNumbers(&'a [Option<f64>]),
    /// The report has no such count.
    Absent,
    Ranks(&'a Results),
    Statuses(&'a [Status]),
    Outliers(&'a Results),
    Flags(&'a [Vec<String>]),
    /// The same words in every row.
    Words(&'a [String]),
    Texts(&'a [String]),
    Decisions(&'a [Decision]),
    Patterns(&'a [Vec<Pattern>]),
    /// The same text in every row.
    Constant(&'a str),
    /// Something of each metric.
    OfMetrics(&'a [MetricColumn], Aspect),
}

/// What of each metric a cell tells, as an object in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// Its value.
    Value,
    /// Its value on a scale of 0 to 100; missing where the value is.
    Normalized,
    /// Both, with its weight and its points of the score.
    Breakdown,
}

/// One cell, for the formats that go row by row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    /// Always finite.
    Number(f64),
    Truth(bool),
    Flags(&'a [String]),
    Patterns(&'a [Pattern]),
    OfMetrics(OfMetrics<'a>),
    Missing,
}

/// Something of each metric in one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OfMetrics<'a> {
    pub(crate) metrics: &'a [MetricColumn],
    pub(crate) aspect: Aspect,
    pub(crate) row: usize,
}

impl<'a> Cells<'a> {
    pub(crate) fn cell(&self, row: usize) -> Cell<'a> {
        match self {
            Self::Names(names) => Cell::Text(&names[row]),
            Self::Ranks(results) => Cell::Number(f64::from(results.percentile_rank(row))),
            Self::Statuses(statuses) => Cell::Text(statuses[row].name()),
            Self::Outliers(results) => Cell::Truth(results.is_outlier(row)),
            Self::Flags(flags) => Cell::Flags(&flags[row]),
            Self::Words(words) => Cell::Flags(words),
            Self::Texts(texts) => Cell::Text(&texts[row]),
            Self::Decisions(decisions) => Cell::Text(decisions[row].name()),
            Self::Patterns(patterns) => Cell::Patterns(&patterns[row]),
            Self::Constant(text) => Cell::Text(text),
            &Self::OfMetrics(metrics, aspect) => Cell::OfMetrics(OfMetrics { metrics, aspect, row }),
            Self::Numbers(_) | Self::MaybeNumbers(_) | Self::Absent => {
                self.number(row).map_or(Cell::Missing, Cell::Number)
            }
        }
    }

    /// The figure of a numeric column. What is not finite is missing: no format but Parquet could say it.
    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Numbers(numbers) => Some(numbers[row]),
            Self::MaybeNumbers(numbers) => numbers[row],
            _ => None,
        }
        .filter(|number| number.is_finite())
    }
}

/// The columns of every results file, in the order of the contract.
fn columns(results: &Results) -> Vec<Column<'_>> {
    let mut columns = Vec::with_capacity(12 + results.extras.len() + 3 * results.metrics.len());
    let mut add = |name: Cow<'static, str>, cells| columns.push(Column { name, cells });

    add(results.dimension.name().into(), Cells::Names(&results.names));
    add("score".into(), Cells::Numbers(&results.scores));
    add("percentile".into(), Cells::Numbers(&results.percentiles));
    add("percentile_rank".into(), Cells::Ranks(results));
    add("quality_status".into(), Cells::Statuses(&results.statuses));
    add("impressions".into(), Cells::Numbers(&results.impressions));
    add("clicks".into(), count(results.clicks.as_deref()));
    add("conversions".into(), count(results.conversions.as_deref()));
    add("spend".into(), count(results.spend.as_deref()));
    for extra in &results.extras {
        add(extra.name.into(), Cells::MaybeNumbers(&extra.values));
    }
    for metric in &results.metrics {
        let name = &metric.name;
        // A recipe may score by a count as it stands; the column above holds the same sums.
        if !COUNTS.contains(&name.as_str()) {
            add(name.clone().into(), Cells::MaybeNumbers(&metric.values));
        }
        add(format!("{name}_normalized").into(), Cells::Numbers(&metric.normalized));
        add(format!("{name}_contribution").into(), Cells::Numbers(&metric.contributions));
    }
    add("is_outlier".into(), Cells::Outliers(results));
    add("outlier_flags".into(), Cells::Flags(&results.outlier_flags));
    add("quality_flags".into(), Cells::Flags(&results.quality_flags));
    columns.extend(results.evidence.iter().flat_map(evidence_columns));
    columns
}

/// What the evidence says of the rows, where it was asked.
fn evidence_columns(evidence: &EvidenceRows) -> impl Iterator<Item = Column<'_>> {
    let columns = [
        ("evidence_score", Cells::Numbers(&evidence.scores)),
        ("score_low", Cells::Numbers(&evidence.low)),
        ("score_high", Cells::Numbers(&evidence.high)),
        ("p_below", Cells::Numbers(&evidence.below)),
        ("p_above", Cells::Numbers(&evidence.above)),
        ("decision", Cells::Decisions(&evidence.decisions)),
        ("decision_reason", Cells::Texts(&evidence.reasons)),
        ("impressions_needed", Cells::MaybeNumbers(&evidence.impressions_needed)),
        ("known_metrics", Cells::Words(&evidence.known_metrics)),
        ("patterns", Cells::Patterns(&evidence.patterns)),
    ];
    columns.into_iter().map(|(name, cells)| Column { name: name.into(), cells })
}

/// The columns that only Parquet has besides, after the others: the effective counts behind each share.
pub(crate) fn count_columns(results: &Results) -> Vec<Column<'_>> {
    let metrics = results.metrics.iter().map(|metric| (metric.name.as_str(), metric.counts.as_ref()));
    let extras = results.extras.iter().map(|extra| (extra.name, extra.counts.as_ref()));
    let shares = metrics.chain(extras).filter_map(|(name, counts)| Some((name, counts?)));
    shares
        .flat_map(|(name, counts)| {
            [("events", &counts.events), ("trials", &counts.trials)].map(|(what, numbers)| Column {
                name: format!("{name}_{what}").into(),
                cells: Cells::Numbers(numbers),
            })
        })
        .collect()
}

/// Patterns as the formats without arrays write them.
pub(crate) fn joined(patterns: &[Pattern]) -> String {
    patterns.iter().map(|pattern| pattern.name()).collect::<Vec<_>>().join(";")
}

/// Columns that are there whatever the recipe scores by.
pub(crate) const COUNTS: [&str; 4] = ["impressions", "clicks", "conversions", "spend"];

/// What may stand beside the recipe's metrics, in the order of the files.
pub(crate) const EXTRAS: [&str; 4] = ["cpm", "ctr", "conversion_rate", "cost_per_conversion"];

pub(crate) fn count(numbers: Option<&[f64]>) -> Cells<'_> {
    numbers.map_or(Cells::Absent, Cells::Numbers)
}
