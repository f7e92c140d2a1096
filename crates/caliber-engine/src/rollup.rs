//! Summing a report's rows by domain or supply vendor.
//!
//! One [`RollUp`] a thread takes rows as they are read; those of all threads and files are merged. Whatever it
//! keeps is either an exact sum (see [`exact`]) or a set, so the result does not depend on the order of rows.

pub(crate) mod exact;
pub(crate) mod facts;
mod groups;
pub(crate) mod pattern;
pub(crate) mod plan;
mod rolled;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::facts::{ColumnFacts, Place};
use self::groups::Groups;
use self::plan::{
    EMPTY_ROWS, FIRST_TOTAL, Filter, IMPRESSIONS, Layout, MetricSource, Plan, ROWS, SQUARES, sum_of,
};
pub(crate) use self::rolled::{MetricSums, Rolled, RowNoise};
use crate::names::{self, NameKind};
use crate::report::cell::{Cell, Row};
use crate::report::day::DayColumn;
use crate::report::number::{self, Evidence, Parsed};

/// Distinct currencies kept; one more than one is an error already.
const CURRENCIES: usize = 16;

/// Rows that are summed together. Their sums lie all over memory; fetching many at once hides how long each takes,
/// which made the roll-up of 20,000 domains a fifth faster.
const BATCH: usize = 64;

/// Rows that were read and not used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) missing_impressions: u64,
    pub(crate) missing_dimension: u64,
    pub(crate) repeated_header: u64,
    pub(crate) filtered: u64,
}

/// Rows without impressions since the last row that has them: the notes below a table, unless data follows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tail {
    /// The unit of reading: a chunk, a sheet, a row group.
    pub(crate) chunk: u32,
    pub(crate) rows: u64,
    /// Whether the whole chunk has no row with impressions.
    pub(crate) whole_chunk: bool,
}

/// Rows without impressions, told apart by whether data follow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    /// No row with impressions comes after them: notes below the table.
    pub(crate) after: u64,
    /// One does: they were rows, and are dropped.
    pub(crate) dropped: u64,
}

/// What one thread has summed.
pub(crate) struct RollUp {
    layout: Arc<Layout>,
    plan: Arc<Plan>,
    groups: Groups,
    pub(crate) facts: Vec<ColumnFacts>,
    pub(crate) days: DayColumn,
    pub(crate) currencies: BTreeSet<String>,
    last_currency: Vec<u8>,
    pub(crate) dropped: Dropped,
    pub(crate) tails: Vec<Tail>,
    pub(crate) rows_read: u64,
    /// Rows of more cells than the header, and where the first stand.
    pub(crate) ragged: (u64, Vec<Place>),
    pub(crate) width: usize,
    pub(crate) not_utf8: bool,
    /// Where another table begins, with headers of its own.
    pub(crate) other_table: Option<Place>,
    /// The groups of rows that are read and not summed yet, and their numbers one row after the other.
    pending: Vec<u32>,
    values: Vec<f64>,
}

impl RollUp {
    /// A roll-up of a file whose header has `width` cells.
    pub(crate) fn new(layout: Arc<Layout>, plan: Arc<Plan>, width: usize) -> Self {
        Self {
            groups: Groups::new(layout.dimension, layout.width, layout.rare_width),
            facts: vec![ColumnFacts::default(); plan.numbers.len()],
            days: DayColumn::default(),
            currencies: BTreeSet::new(),
            last_currency: Vec::new(),
            dropped: Dropped::default(),
            tails: Vec::new(),
            rows_read: 0,
            ragged: (0, Vec::new()),
            width,
            not_utf8: false,
            other_table: None,
            pending: Vec::with_capacity(BATCH),
            values: vec![f64::NAN; BATCH * plan.numbers.len()],
            layout,
            plan,
        }
    }

    /// Begins a unit of reading.
    pub(crate) fn begin_chunk(&mut self, chunk: u32) {
        self.tails.push(Tail { chunk, rows: 0, whole_chunk: true });
    }

    /// Takes in a row; `place` is asked only where something is wrong with it.
    #[inline]
    pub(crate) fn add(&mut self, row: &impl Row, place: impl Fn() -> Place + Copy) {
        if !self.plan.filters.is_empty() && !self.passes_filters(row) {
            self.rows_read += 1;
            self.dropped.filtered += 1;
            return;
        }
        let impressions = self.number(row, 0, place);
        if impressions.is_nan() {
            self.drop_row(row, place);
            return;
        }
        let place_of_name = self.place(row);
        if self.groups.kind(place_of_name.group) == NameKind::Missing {
            self.rows_read += 1;
            self.dropped.missing_dimension += 1;
            return;
        }
        self.groups.count_spelling(place_of_name, impressions);
        self.rows_read += 1;
        self.settle_tail();
        if row.len() > self.width {
            self.note_ragged(row, place);
        }
        let base = self.pending.len() * self.plan.numbers.len();
        self.values[base] = impressions;
        for index in 1..self.plan.numbers.len() {
            self.values[base + index] = self.number(row, index, place);
        }
        self.pending.push(place_of_name.group as u32);
        if self.pending.len() == BATCH {
            self.flush();
        }
        self.add_words(row);
    }

    /// Sums the rows that are pending.
    fn flush(&mut self) {
        let Self { layout, plan, groups, pending, values, .. } = self;
        groups.touch(pending);
        for (&group, values) in pending.iter().zip(values.chunks_exact(plan.numbers.len())) {
            add_sums(layout, plan, groups, group as usize, values);
        }
        pending.clear();
    }

    /// Reads a number; NaN where it is missing or cannot be read.
    #[inline]
    fn number(&mut self, row: &impl Row, index: usize, place: impl Fn() -> Place) -> f64 {
        let column = &self.plan.numbers[index];
        let facts = &mut self.facts[index];
        if let Some(plain) = row.plain(column.column)
            && let Some((value, evidence)) = number::plain(plain, column.conventions.decimal)
        {
            facts.evidence[evidence as usize] += 1;
            facts.plain += 1;
            if column.is_rate {
                facts.note_rate(value);
                return value / column.conventions.scale;
            }
            return value;
        }
        self.unusual_number(row, index, place)
    }

    /// A number that is more than digits: blank, grouped, signed, with a currency, typed.
    fn unusual_number(&mut self, row: &impl Row, index: usize, place: impl Fn() -> Place) -> f64 {
        let column = &self.plan.numbers[index];
        let facts = &mut self.facts[index];
        let (parsed, evidence) = match row.cell(column.column) {
            Cell::Missing => return f64::NAN,
            Cell::Text(text) => number::parse(&text, column.conventions.decimal),
            Cell::Number(value) => (facts::typed(value, false), Evidence::None),
            Cell::Percent(fraction) => (facts::typed(fraction, true), Evidence::None),
            Cell::Day(_) => (Parsed::Unreadable, Evidence::None),
        };
        facts.evidence[evidence as usize] += 1;
        match parsed {
            Parsed::Number(number) if !number.percent && number.currency.is_none() => {
                facts.plain += 1;
                facts.negative += u64::from(number.value < 0.0);
                if column.is_rate {
                    facts.note_rate(number.value);
                    number.value / column.conventions.scale
                } else {
                    number.value
                }
            }
            Parsed::Number(number) => facts.note_signs(number, column.is_rate, place),
            Parsed::Missing => f64::NAN,
            Parsed::Unreadable => {
                facts.note_unreadable(place);
                f64::NAN
            }
        }
    }

    /// Where a row's dimension cell belongs.
    #[inline]
    fn place(&mut self, row: &impl Row) -> groups::Place {
        let column = self.plan.dimension_column;
        if let Some(plain) = row.plain(column)
            && plain.is_ascii()
        {
            return self.groups.place(plain);
        }
        let cell = row.cell(column);
        let text = cell.text();
        self.not_utf8 |= std::str::from_utf8(&text).is_err();
        self.groups.place(&text)
    }

    /// Day and currency of a row that is used.
    #[inline]
    fn add_words(&mut self, row: &impl Row) {
        if let Some(column) = self.plan.date {
            match row.cell(column) {
                Cell::Text(text) => self.days.add(&text),
                Cell::Number(serial) => self.days.add(serial.to_string().as_bytes()),
                Cell::Day(day) => self.days.add_day(day),
                Cell::Missing | Cell::Percent(_) => {}
            }
        }
        if let Some(column) = self.plan.currency
            && let Cell::Text(text) = row.cell(column)
            && *text != *self.last_currency
        {
            self.last_currency = text.to_vec();
            let word = String::from_utf8_lossy(&text).trim().to_uppercase();
            if !number::is_missing(word.as_bytes()) && self.currencies.len() < CURRENCIES {
                self.currencies.insert(word);
            }
        }
    }

    /// A row without impressions: a blank one, an aggregate's label, the header again, a note below the table,
    /// or a row that is dropped.
    #[cold]
    fn drop_row(&mut self, row: &impl Row, place: impl Fn() -> Place) {
        if (0..row.len()).all(|column| row.cell(column).is_blank()) {
            return;
        }
        let column = &self.plan.numbers[0];
        let unreadable = match row.cell(column.column) {
            Cell::Text(text) => number::parse(&text, column.conventions.decimal).0 == Parsed::Unreadable,
            _ => false,
        };
        if unreadable && let Some(repeated) = self.plan.header.repeated_in(row) {
            // It is no number, but it is no mistake either.
            self.facts[0].forget_unreadable();
            self.rows_read += 1;
            if repeated {
                self.dropped.repeated_header += 1;
            } else {
                let place = place();
                self.other_table = Some(self.other_table.map_or(place, |known| known.min(place)));
            }
            return;
        }
        if self.is_note(row) {
            if unreadable {
                self.facts[0].forget_unreadable();
            }
            if let Some(tail) = self.tails.last_mut() {
                tail.rows += 1;
            }
        } else {
            self.rows_read += 1;
            self.dropped.missing_impressions += 1;
        }
    }

    /// Whether a row without impressions may be a note below the table: a cell or two, and none names a site.
    fn is_note(&self, row: &impl Row) -> bool {
        let filled = (0..row.len()).filter(|&column| !row.cell(column).is_blank()).count();
        if filled * 4 > self.width.max(8) {
            return false;
        }
        let cell = row.cell(self.plan.dimension_column);
        let mut scratch = String::new();
        let text = cell.text();
        let key = names::normalise(&text, self.layout.dimension, &mut scratch);
        !matches!(names::classify(key, self.layout.dimension), NameKind::Host | NameKind::AppId)
    }

    /// Rows before one with impressions were rows without them, not notes.
    #[inline]
    fn settle_tail(&mut self) {
        if let Some(tail) = self.tails.last_mut() {
            tail.whole_chunk = false;
            if tail.rows > 0 {
                self.dropped.missing_impressions += tail.rows;
                self.rows_read += tail.rows;
                tail.rows = 0;
            }
        }
    }

    #[cold]
    fn note_ragged(&mut self, row: &impl Row, place: impl Fn() -> Place) {
        // Delimiters at the end of every line are only untidy.
        if (self.width..row.len()).all(|column| row.cell(column).is_blank()) {
            return;
        }
        self.ragged.0 += 1;
        facts::keep_first(&mut self.ragged.1, place());
    }

    #[cold]
    fn passes_filters(&self, row: &impl Row) -> bool {
        let matches =
            |filter: &Filter| filter.pattern.matches(&names::text_of(&row.cell(filter.column).text()));
        self.plan.filters.iter().all(matches)
    }

    /// What the rows without impressions at the end of every unit of reading are.
    pub(crate) fn notes_after(&self) -> Notes {
        let mut tails = self.tails.clone();
        tails.sort_unstable_by_key(|tail| std::cmp::Reverse(tail.chunk));
        let mut notes = Notes::default();
        let mut data_follows = false;
        for tail in tails {
            *(if data_follows { &mut notes.dropped } else { &mut notes.after }) += tail.rows;
            data_follows |= !tail.whole_chunk;
        }
        notes
    }

    /// Takes in the sums of another file.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.groups.merge(&other.groups);
        self.days = std::mem::take(&mut self.days).merge(other.days);
        self.currencies.extend(other.currencies);
    }

    /// Puts another thread's sums to these.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.groups.merge(&other.groups);
        for (ours, theirs) in self.facts.iter_mut().zip(other.facts) {
            ours.merge(theirs);
        }
        self.days = std::mem::take(&mut self.days).merge(other.days);
        self.currencies.extend(other.currencies);
        self.dropped.missing_impressions += other.dropped.missing_impressions;
        self.dropped.missing_dimension += other.dropped.missing_dimension;
        self.dropped.repeated_header += other.dropped.repeated_header;
        self.dropped.filtered += other.dropped.filtered;
        self.tails.extend(other.tails);
        self.rows_read += other.rows_read;
        self.ragged.0 += other.ragged.0;
        for place in other.ragged.1 {
            facts::keep_first(&mut self.ragged.1, place);
        }
        self.not_utf8 |= other.not_utf8;
        self.other_table = self.other_table.into_iter().chain(other.other_table).min();
    }
}

/// The sums of a row whose numbers stand in `values`.
#[inline]
fn add_sums(layout: &Layout, plan: &Plan, groups: &mut Groups, group: usize, values: &[f64]) {
    let impressions = values[0];
    let sums = groups.sums(group);
    sums[IMPRESSIONS].add(impressions);
    sums[ROWS].count();
    if impressions > 0.0 {
        sums[SQUARES].add_square(impressions);
    }
    for (total, columns) in plan.totals.iter().enumerate() {
        let value = sum_of(values, columns);
        if !value.is_nan() {
            sums[FIRST_TOTAL + total].add(value);
        }
    }
    for (metric, source) in layout.metrics.iter().zip(&plan.metrics) {
        let (x, n) = source.of(values, impressions, metric.per);
        if x.is_nan() || n.is_nan() {
            continue;
        }
        // A count over impressions that is a total was added with the totals.
        if metric.reported.is_none() {
            sums[metric.x].add(x);
        }
        if let Some(slot) = metric.n {
            sums[slot].add(n);
        }
        if let Some(noise) = &metric.noise
            && n > 0.0
        {
            sums[noise.q].add(x * x / n);
            if let Some((squares, rows)) = noise.own {
                sums[squares].add_square(n);
                sums[rows].count();
            }
        }
    }
    if impressions <= 0.0 || values.iter().any(|value| value.is_nan()) || plan.has_rare {
        add_rare_sums(layout, plan, groups, group, values);
    }
}

/// What few rows add to: numbers that are missing, rows without impressions.
fn add_rare_sums(layout: &Layout, plan: &Plan, groups: &mut Groups, group: usize, values: &[f64]) {
    let impressions = values[0];
    let rare = groups.rare(group);
    if impressions <= 0.0 {
        rare[EMPTY_ROWS].count();
    }
    for (metric, source) in layout.metrics.iter().zip(&plan.metrics) {
        let (x, n) = source.of(values, impressions, metric.per);
        if x.is_nan() || n.is_nan() {
            if metric.n.is_none() {
                rare[metric.absent].add(impressions);
                if impressions > 0.0 {
                    rare[metric.absent + 1].add_square(impressions);
                    rare[metric.absent + 2].count();
                }
            }
            continue;
        }
        if let (Some(slot), MetricSource::Reported(_)) = (metric.reported, source) {
            rare[slot].add(x);
        }
        if let Some(noise) = &metric.noise
            && n <= 0.0
        {
            rare[noise.without_trials].add(x);
            rare[noise.without_trials + 1].add(n);
        }
    }
}
