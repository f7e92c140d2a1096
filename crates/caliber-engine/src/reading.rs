//! Reading files into roll-ups: from mapping to plan, from plan to sums, and once more where the whole file
//! contradicts what its first rows promised.

mod scale;
mod summing;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::dictionary::Dictionary;
use crate::progress::Progress;
use crate::recipe::{Dimension, Recipe};
use crate::report::cell::{OwnedRow, Row};
use crate::report::mapping::{self, Mapping, MetricSupply, Needs, Override, Source as Supplied, Supplies};
use crate::report::number::Decimal;
use crate::report::{Peek, ReportFile};
use crate::rollup::RollUp;
use crate::rollup::facts::{ColumnFacts, Place};
use crate::rollup::pattern::Pattern;
use crate::rollup::plan::{Conventions, Filter, Header, Layout, MetricSource, NumberColumn, Plan};
use crate::{Code, Error, Result};

pub use scale::{Scale, check_scales, wrong_scale};

/// How often a file is read again with other conventions before the last reading stands.
const MOST_READINGS: usize = 4;

/// The position of the column that a filter of rows names: by its header, whatever its case, or by `#` and its position
/// from 1.
pub fn column_called(name: &str, headers: &[String]) -> Option<usize> {
    let same = |header: &String| header.trim().to_lowercase() == name.trim().to_lowercase();
    match name.strip_prefix('#').and_then(|number| number.parse::<usize>().ok()) {
        Some(number) => (1..=headers.len()).contains(&number).then(|| number - 1),
        None => headers.iter().position(same),
    }
}

/// What the call says about how rows are read.
pub(crate) struct Reading<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) dictionary: Dictionary,
    pub(crate) dimension: Dimension,
    pub(crate) overrides: &'a [Override],
    pub(crate) scales: &'a [(String, Scale)],
    pub(crate) filters: &'a [(String, String)],
    pub(crate) threads: usize,
    pub(crate) chunk_bytes: usize,
    pub(crate) progress: &'a Progress,
}

/// One file, read.
pub(crate) struct ReadFile {
    pub(crate) mapping: Mapping,
    pub(crate) supplies: Supplies,
    pub(crate) plan: Arc<Plan>,
    pub(crate) rollup: RollUp,
    /// Canonical names of rates whose scale nothing settles.
    pub(crate) guessed_scales: Vec<String>,
    /// Columns whose decimal separator nothing settles.
    pub(crate) guessed_decimals: Vec<String>,
    /// Lines of the file before each chunk.
    pub(crate) lines: Lines,
    /// Scales of rates that are not read because their counts are, by column.
    pub(crate) unread_scales: Vec<(usize, f64)>,
}

/// Lines before each unit of reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    before_chunk: Vec<u64>,
}

impl Lines {
    fn new(mut lines_of_chunks: Vec<(u32, u64)>, skipped: u64) -> Self {
        lines_of_chunks.sort_unstable();
        let mut before_chunk = vec![skipped];
        let mut before = skipped;
        for (_, lines) in lines_of_chunks {
            before += lines;
            before_chunk.push(before);
        }
        Self { before_chunk }
    }

    /// The line of the file, counted from 1.
    pub(crate) fn line(&self, place: Place) -> u64 {
        let chunk = (place.chunk as usize).min(self.before_chunk.len().saturating_sub(1));
        self.before_chunk.get(chunk).copied().unwrap_or(0) + place.lines_before + 1
    }
}

/// What all readings of a file have learned.
#[derive(Default)]
struct Learned {
    /// Columns of counts that carry percent signs.
    percent: BTreeSet<usize>,
    /// Conventions by column of the file.
    conventions: Vec<(usize, Conventions)>,
}

impl Reading<'_> {
    /// Reads a file whole, as often as it takes until its conventions hold for all of it.
    pub(crate) fn read(&self, file: &ReportFile, layout: &Arc<Layout>) -> Result<ReadFile> {
        let mut learned = Learned::default();
        for reading in 1.. {
            let (mapping, supplies, mut plan) =
                self.plan(file, layout, &learned).map_err(|error| error.in_file(file.source.name()))?;
            let known = !learned.conventions.is_empty();
            if !known {
                let facts = Self::preview_facts(&file.preview, layout, &plan, file.headers.len());
                self.decide(&mut plan, &facts, &mapping);
                // Whether a rate exceeds 1 can be told only under the right decimal separator.
                if plan.numbers.iter().any(|number| number.conventions.decimal != Decimal::Point) {
                    let facts = Self::preview_facts(&file.preview, layout, &plan, file.headers.len());
                    self.decide(&mut plan, &facts, &mapping);
                }
            }
            let plan = Arc::new(plan);
            let (rollup, lines) = self.sum(file, layout, &plan)?;
            if let Some(place) = rollup.other_table {
                return Err(other_table().at_line(lines.line(place)).in_file(file.source.name()));
            }
            let mut decided = (*plan).clone();
            let doubts = self.decide(&mut decided, &rollup.facts, &mapping);
            learned.conventions =
                decided.numbers.iter().map(|number| (number.column, number.conventions)).collect();
            let turned = plan.numbers.iter().zip(&rollup.facts).filter(|(number, facts)| {
                !number.is_rate && facts.carries_percent() && learned.percent.insert(number.column)
            });
            let turned = turned.count() > 0;
            let same = plan.numbers.iter().zip(&decided.numbers).all(|(a, b)| a.conventions == b.conventions);
            if (same && !turned) || reading == MOST_READINGS {
                let unread_scales = self.unread_scales(file, &mapping, &supplies, &plan);
                let (guessed_scales, guessed_decimals) = doubts;
                return Ok(ReadFile {
                    mapping,
                    supplies,
                    plan,
                    rollup,
                    guessed_scales,
                    guessed_decimals,
                    lines,
                    unread_scales,
                });
            }
            let size = file.source.size()?;
            self.progress.total_bytes.fetch_add(size, Ordering::Relaxed);
        }
        unreachable!("the loop returns at the latest with its last reading")
    }

    fn plan(
        &self,
        file: &ReportFile,
        layout: &Layout,
        learned: &Learned,
    ) -> Result<(Mapping, Supplies, Plan)> {
        let needs = Needs::of(self.recipe).by(self.dimension);
        let peek = Peek::of(file, &learned.percent);
        let mapping = mapping::map_headers(&file.headers, &self.dictionary, &needs, self.overrides, &peek)?;
        let supplies = mapping::supply(&needs, &self.dictionary, &mapping)?;
        let header = Arc::new(file.headers.clone());
        let mut numbers = Numbers { file, mapping: &mapping, learned, columns: Vec::new() };
        numbers.index(supplies.impressions);
        let totals = [&supplies.clicks, &supplies.conversions, &supplies.spend]
            .map(|columns| numbers.indexes(columns));
        let metrics: Vec<MetricSource> = layout
            .metrics
            .iter()
            .map(|slots| {
                let supply = supplies
                    .metrics
                    .iter()
                    .chain(&supplies.extras)
                    .find(|supply| supply.metric == slots.name);
                supply.map_or(MetricSource::Absent, |supply| numbers.source(supply, supplies.impressions))
            })
            .collect();
        let plan = Plan {
            dimension_column: supplies.dimension,
            totals,
            has_rare: layout.metrics.iter().zip(&metrics).any(|(slots, source)| match source {
                MetricSource::Reported(_) => {
                    slots.shares_x() || slots.shares_n() && !slots.is_over_impressions()
                }
                MetricSource::Absent | MetricSource::Counts { .. } => false,
            }),
            metrics,
            date: supplies.date,
            currency: supplies.currency,
            filters: self.filters(file)?,
            header: Header { texts: Arc::clone(&header), dictionary: self.dictionary.clone() },
            numbers: numbers.columns,
        };
        Ok((mapping, supplies, plan))
    }

    fn filters(&self, file: &ReportFile) -> Result<Vec<Filter>> {
        self.filters
            .iter()
            .map(|(header, pattern)| {
                let column = column_called(header, &file.headers).ok_or_else(|| {
                    Error::new(
                        Code::NotFound,
                        format!("--where names `{header}`, which is no header of the report"),
                    )
                    .help(format!("its headers are: {}", file.headers.join(", ")))
                })?;
                Ok(Filter { column, pattern: Pattern::new(pattern) })
            })
            .collect()
    }

    fn preview_facts(rows: &[OwnedRow], layout: &Arc<Layout>, plan: &Plan, width: usize) -> Vec<ColumnFacts> {
        let mut rollup = RollUp::new(Arc::clone(layout), Arc::new(plan.clone()), width);
        rollup.begin_chunk(0);
        rollup.add(rows, |_| Place { chunk: 0, lines_before: 0 });
        rollup.facts
    }

    /// Sets the conventions that the facts speak for. Returns the rates whose scale is a guess, and the columns
    /// whose separator is.
    fn decide(
        &self,
        plan: &mut Plan,
        facts: &[ColumnFacts],
        mapping: &Mapping,
    ) -> (Vec<String>, Vec<String>) {
        let (mut guessed_scales, mut guessed_decimals) = (Vec::new(), Vec::new());
        let settled = |wanted| facts.iter().filter(|facts| facts.decimal() == Some(wanted)).count();
        let usual =
            if settled(Decimal::Comma) > settled(Decimal::Point) { Decimal::Comma } else { Decimal::Point };
        let nothing_settled = settled(Decimal::Comma) + settled(Decimal::Point) == 0;
        for (number, facts) in plan.numbers.iter_mut().zip(facts) {
            if facts.is_undecided() && nothing_settled {
                guessed_decimals.push(number.header.clone());
            }
            let decimal = facts.decimal().unwrap_or(usual);
            let mut scale = 1.0;
            if number.is_rate {
                let percent_header = mapping.at(number.column).is_some_and(|mapped| mapped.percent_header);
                scale = match self.given_scale(&number.canonical) {
                    Some(given) => given.divisor(),
                    None if facts.percent > 0 || percent_header => 100.0,
                    None => {
                        if facts.nonzero > 0 {
                            guessed_scales.push(number.canonical.clone());
                        }
                        if facts.above_one * 100 > facts.nonzero { 100.0 } else { 1.0 }
                    }
                };
            }
            number.conventions = Conventions { decimal, scale };
        }
        (guessed_scales, guessed_decimals)
    }

    fn given_scale(&self, canonical: &str) -> Option<Scale> {
        let canonical = self.dictionary.canonical(canonical);
        let given = self.scales.iter().find(|(name, _)| self.dictionary.canonical(name) == canonical);
        given.map(|(_, scale)| *scale)
    }

    /// The scales of reported rates that stand beside their counts, told by which of the two agrees with them.
    fn unread_scales(
        &self,
        file: &ReportFile,
        mapping: &Mapping,
        supplies: &Supplies,
        plan: &Plan,
    ) -> Vec<(usize, f64)> {
        let read = |column: usize| plan.numbers.iter().any(|number| number.column == column);
        let reported = supplies.metrics.iter().chain(&supplies.extras).filter_map(|supply| {
            let column = supply.reported.filter(|&column| !read(column))?;
            let mapped = mapping.at(column).filter(|mapped| mapped.is_rate())?;
            let scale = match self.given_scale(&mapped.canonical) {
                Some(given) => given.divisor(),
                None if mapped.percent_header => 100.0,
                None => agreeing_scale(file, supply, column, plan),
            };
            Some((column, scale))
        });
        reported.collect()
    }
}

/// Columns of numbers, each read once however many metrics want it.
struct Numbers<'a> {
    file: &'a ReportFile,
    mapping: &'a Mapping,
    learned: &'a Learned,
    columns: Vec<NumberColumn>,
}

impl Numbers<'_> {
    fn index(&mut self, column: usize) -> usize {
        if let Some(known) = self.columns.iter().position(|number| number.column == column) {
            return known;
        }
        let mapped = self.mapping.at(column);
        let conventions = self.learned.conventions.iter().find(|(known, _)| *known == column);
        self.columns.push(NumberColumn {
            column,
            canonical: mapped.map(|mapped| mapped.canonical.clone()).unwrap_or_default(),
            header: self.file.column_name(column),
            is_rate: mapped.is_some_and(crate::report::mapping::Mapped::is_rate),
            conventions: conventions
                .map_or(Conventions { decimal: Decimal::Point, scale: 1.0 }, |(_, conventions)| *conventions),
        });
        self.columns.len() - 1
    }

    fn indexes(&mut self, columns: &[usize]) -> Vec<usize> {
        columns.iter().map(|&column| self.index(column)).collect()
    }

    fn source(&mut self, supply: &MetricSupply, impressions: usize) -> MetricSource {
        match &supply.source {
            Supplied::Counts { numerator, denominator, .. } => MetricSource::Counts {
                numerator: self.indexes(numerator),
                denominator: if *denominator == [impressions] {
                    Vec::new()
                } else {
                    self.indexes(denominator)
                },
            },
            Supplied::Reported { column } => MetricSource::Reported(self.index(*column)),
            Supplied::Total { columns } => {
                MetricSource::Counts { numerator: self.indexes(columns), denominator: Vec::new() }
            }
        }
    }
}

/// 100 where a reported rate agrees with its counts only after a division by 100, else 1.
fn agreeing_scale(file: &ReportFile, supply: &MetricSupply, column: usize, plan: &Plan) -> f64 {
    let Supplied::Counts { numerator, denominator, .. } = &supply.source else { return 1.0 };
    let decimal = |column: usize| {
        let known = plan.numbers.iter().find(|number| number.column == column);
        known.map_or(plan.numbers[0].conventions.decimal, |number| number.conventions.decimal)
    };
    let value =
        |row: &OwnedRow, column: usize| crate::rollup::facts::value_of(&row.cell(column), decimal(column));
    let sum = |row: &OwnedRow, columns: &[usize]| -> f64 {
        columns.iter().map(|&column| value(row, column).0).filter(|value| !value.is_nan()).sum()
    };
    let (mut fraction, mut percent) = (0, 0);
    for row in &file.preview {
        let (reported, signed) = value(row, column);
        let expected = sum(row, numerator) / sum(row, denominator);
        if !(reported > 0.0 && expected > 0.0 && expected.is_finite()) {
            continue;
        }
        if signed || (reported / 100.0 / expected).ln().abs() < (reported / expected).ln().abs() {
            percent += 1;
        } else {
            fraction += 1;
        }
    }
    if percent > fraction { 100.0 } else { 1.0 }
}

fn other_table() -> Error {
    Error::new(Code::Malformed, "another table begins here, with headers of its own")
        .help("give each table in a file of its own, with its header above it")
}
