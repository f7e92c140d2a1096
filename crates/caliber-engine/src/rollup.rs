//! Summing a report's rows by domain or supply vendor.
//!
//! One [`RollUp`] a thread takes rows as they are read; those of all threads and files are merged. Whatever it
//! keeps is either an exact sum (see [`exact`]) or a set, so the result does not depend on the order of rows.

mod batch;
pub(crate) mod exact;
pub(crate) mod facts;
mod groups;
pub(crate) mod pattern;
pub(crate) mod plan;
mod prefetch;
mod rolled;
mod sums;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) use self::batch::BATCH;
use self::batch::Batch;
use self::facts::{ColumnFacts, Place};
use self::groups::{Groups, NO_GUESS};
use self::plan::{Conventions, Filter, Layout, MetricSource, NumberColumn, Plan};
pub(crate) use self::rolled::{MetricSums, NoiseSums, Rolled};
use crate::names::{self, NameKind};
use crate::report::cell::{Cell, Row};
use crate::report::day::DayColumn;
use crate::report::number::{self, Evidence, Parsed, short};

/// Distinct currencies kept; one more than one is an error already.
const CURRENCIES: usize = 16;

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

/// The names in the rows of a batch.
#[derive(Clone, Copy)]
struct Names<'r> {
    /// Empty where a cell is not plain: its text is made later, and nothing is guessed.
    cells: &'r [&'r [u8]; BATCH],
    /// See [`Groups::guesses`].
    guesses: &'r [u32; BATCH],
}

/// What one thread has summed.
pub(crate) struct RollUp {
    layout: Arc<Layout>,
    plan: Arc<Plan>,
    groups: Groups,
    /// Which of [`Layout::metrics`] no file has.
    is_absent: Vec<bool>,
    pub(crate) facts: Vec<ColumnFacts>,
    pub(crate) days: DayColumn,
    pub(crate) currencies: BTreeSet<String>,
    /// The currency of the row before, as it stands in its cell.
    last_currency: Vec<u8>,
    /// Its [`short_text`].
    last_short_currency: Option<(u64, u64)>,
    pub(crate) dropped: Dropped,
    pub(crate) tails: Vec<Tail>,
    pub(crate) rows_read: u64,
    /// Rows of more cells than the header, and where the first stand.
    pub(crate) ragged: (u64, Vec<Place>),
    pub(crate) width: usize,
    /// Where another table begins, with headers of its own.
    pub(crate) other_table: Option<Place>,
    batch: Batch,
}

impl RollUp {
    /// A roll-up of a file whose header has `width` cells.
    pub(crate) fn new(layout: Arc<Layout>, plan: Arc<Plan>, width: usize) -> Self {
        Self {
            groups: Groups::new(layout.dimension, layout.widths, layout.rare_width),
            is_absent: plan.metrics.iter().map(|source| *source == MetricSource::Absent).collect(),
            facts: vec![ColumnFacts::default(); plan.numbers.len()],
            days: DayColumn::default(),
            currencies: BTreeSet::new(),
            last_currency: Vec::new(),
            last_short_currency: None,
            dropped: Dropped::default(),
            tails: Vec::new(),
            rows_read: 0,
            ragged: (0, Vec::new()),
            width,
            other_table: None,
            batch: Batch::new(plan.numbers.iter().map(|number| number.column), layout.widths),
            layout,
            plan,
        }
    }

    /// Begins a unit of reading.
    pub(crate) fn begin_chunk(&mut self, chunk: u32) {
        self.tails.push(Tail { chunk, rows: 0, whole_chunk: true });
    }

    /// Takes in rows in their order; `place` is asked only where something is wrong with one.
    ///
    /// Column by column for many rows at a time: cells of a column look alike, which spares wrong guesses of what
    /// comes next, and names and sums, which lie all over memory, come from there while something else is done.
    pub(crate) fn add<R: Row>(&mut self, rows: &[R], place: impl Fn(&R) -> Place + Copy) {
        let mut batch = std::mem::take(&mut self.batch);
        for rows in rows.chunks(BATCH) {
            let mut cells = [&[] as &[u8]; BATCH];
            for (cell, row) in cells.iter_mut().zip(rows) {
                *cell = row.plain(self.plan.dimension_column).unwrap_or_default();
            }
            let names = Names { cells: &cells, guesses: &self.groups.guesses(&cells[..rows.len()]) };
            batch.fetch(rows);
            let mut impressions = [f64::NAN; BATCH];
            if self.plan.filters.is_empty() {
                let cells = batch.short_cells(0, rows.len());
                read_short(&self.plan.numbers[0], &mut self.facts[0], cells, &mut impressions);
            }
            for (at, (row, mut impressions)) in rows.iter().zip(impressions).enumerate() {
                if !self.plan.filters.is_empty() && !self.passes_filters(row) {
                    self.rows_read += 1;
                    self.dropped.filtered += 1;
                    continue;
                }
                if impressions.is_nan() {
                    impressions = number(&self.plan.numbers[0], &mut self.facts[0], row, place);
                }
                if impressions.is_nan() {
                    // What it is depends on the rows before it.
                    self.take_in(&mut batch, rows, names, place);
                    self.drop_row(row, place);
                } else {
                    batch.push(at, impressions);
                }
            }
            self.take_in(&mut batch, rows, names, place);
        }
        self.batch = batch;
    }

    /// Takes in the rows of a batch, which have impressions, and empties it.
    fn take_in<R: Row>(
        &mut self,
        batch: &mut Batch,
        rows: &[R],
        names: Names<'_>,
        place: impl Fn(&R) -> Place + Copy,
    ) {
        if batch.rows.is_empty() {
            return;
        }
        self.rows_read += batch.rows.len() as u64;
        self.find_groups(batch, rows, names);
        if !batch.rows.is_empty() {
            self.settle_tail();
        }
        batch.keep_short_cells();
        let count = batch.rows.len();
        // Some sums with each column: the processor brings only so many at a time.
        let mut soon_needed = batch.groups.chunks(count.div_ceil(self.plan.numbers.len()).max(1));
        for index in 1..self.plan.numbers.len() {
            self.groups.sums.prefetch(soon_needed.next().unwrap_or_default());
            let (column, facts) = (&self.plan.numbers[index], &mut self.facts[index]);
            let mut values = [f64::NAN; BATCH];
            if read_short(column, facts, batch.short_cells(index, count), &mut values) < count {
                for (value, &row) in values.iter_mut().zip(&batch.rows).filter(|(value, _)| value.is_nan()) {
                    *value = number(column, facts, &rows[row as usize], place);
                }
            }
            batch.values[index] = values;
        }
        soon_needed.for_each(|groups| self.groups.sums.prefetch(groups));
        for &row in &batch.rows {
            let row = &rows[row as usize];
            if row.len() > self.width {
                self.note_ragged(row, place);
            }
            self.add_words(row);
        }
        batch.sum(&self.layout, &self.plan, &mut self.groups);
        batch.clear();
    }

    /// Finds where the rows of a batch belong, and drops those that name nobody.
    fn find_groups<R: Row>(&mut self, batch: &mut Batch, rows: &[R], names: Names<'_>) {
        let mut kept = 0;
        for at in 0..batch.rows.len() {
            let (row, impressions) = (batch.rows[at], batch.values[0][at]);
            let place = match names.cells[row as usize] {
                [] => self.unusual_place(&rows[row as usize]),
                plain => self.groups.place(plain, names.guesses[row as usize]),
            };
            if place.is_nobody() {
                self.dropped.missing_dimension += 1;
                continue;
            }
            self.groups.count_spelling(place, impressions);
            batch.rows[kept] = row;
            batch.values[0][kept] = impressions;
            batch.groups.push(place.group as u32);
            kept += 1;
        }
        batch.rows.truncate(kept);
    }

    /// Where a row belongs whose dimension cell is quoted, blank or typed.
    fn unusual_place(&mut self, row: &impl Row) -> groups::Place {
        let cell = row.cell(self.plan.dimension_column);
        self.groups.place(&cell.text(), NO_GUESS)
    }

    /// Day and currency of a row that is used.
    #[inline]
    fn add_words(&mut self, row: &impl Row) {
        if let Some(column) = self.plan.date {
            match row.plain(column).map_or_else(|| row.cell(column), |plain| Cell::Text(plain.into())) {
                Cell::Text(text) => self.days.add(&text),
                Cell::Number(serial) => self.days.add(serial.to_string().as_bytes()),
                Cell::Day(day) => self.days.add_day(day),
                Cell::Missing | Cell::Percent(_) => {}
            }
        }
        if let Some(column) = self.plan.currency {
            let short = short_text(row, column);
            if short.is_none() || short != self.last_short_currency {
                self.last_short_currency = short;
                self.add_currency(&row.cell(column));
            }
        }
    }

    fn add_currency(&mut self, cell: &Cell<'_>) {
        if let Cell::Text(text) = cell
            && **text != *self.last_currency
        {
            self.last_currency = text.to_vec();
            let word = String::from_utf8_lossy(text).trim().to_uppercase();
            if !number::is_missing(word.as_bytes()) && self.currencies.len() < CURRENCIES {
                self.currencies.insert(word);
            }
        }
    }

    /// A row without impressions: a blank one, an aggregate's label, the header again, a note below the table,
    /// or a row that is dropped.
    #[cold]
    fn drop_row<R: Row>(&mut self, row: &R, place: impl Fn(&R) -> Place) {
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
                let place = place(row);
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
    fn note_ragged<R: Row>(&mut self, row: &R, place: impl Fn(&R) -> Place) {
        // Delimiters at the end of every line are only untidy.
        if (self.width..row.len()).all(|column| row.cell(column).is_blank()) {
            return;
        }
        self.ragged.0 += 1;
        facts::keep_first(&mut self.ragged.1, place(row));
    }

    #[cold]
    fn passes_filters(&self, row: &impl Row) -> bool {
        let matches =
            |filter: &Filter| filter.pattern.matches(&names::text_of(&row.cell(filter.column).text()));
        self.plan.filters.iter().all(matches)
    }

    /// Whether a name was no UTF-8.
    pub(crate) fn not_utf8(&self) -> bool {
        self.groups.not_utf8
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
        for (at, slots) in self.layout.metrics.iter().enumerate() {
            match (self.is_absent[at], other.is_absent[at]) {
                (true, false) => self.groups.set_apart(slots),
                (false, true) => other.groups.set_apart(slots),
                _ => {}
            }
            self.is_absent[at] &= other.is_absent[at];
        }
        self.groups.merge(&other.groups);
        self.days = std::mem::take(&mut self.days).merge(other.days);
        self.currencies.extend(other.currencies);
    }

    /// Puts another thread's sums to these.
    pub(crate) fn merge(&mut self, other: Self) {
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
        self.other_table = self.other_table.into_iter().chain(other.other_table).min();
    }
}

/// A cell of one to eight bytes as a number and its length: two are equal where the cells are.
#[inline]
fn short_text(row: &impl Row, column: usize) -> Option<(u64, u64)> {
    let (word, len) = row.word(column);
    (len != 0).then(|| (word >> (64 - 8 * len), len))
}

/// Reads those cells of a column that are short and plain, which are nearly all, and says how many; the others are NaN.
fn read_short(
    column: &NumberColumn,
    facts: &mut ColumnFacts,
    (words, lens): (&[u64], &[u64]),
    values: &mut [f64; BATCH],
) -> usize {
    let Conventions { decimal, scale } = column.conventions;
    let values = &mut values[..words.len()];
    let forms = short::read(words, lens, decimal, values);
    facts.note_plain(forms.read, forms.evidence(decimal));
    if column.is_rate {
        for value in values {
            facts.note_rate(*value);
            *value /= scale;
        }
    }
    forms.read as usize
}

/// Reads a number; NaN where it is missing or cannot be read.
fn number<R: Row>(
    column: &NumberColumn,
    facts: &mut ColumnFacts,
    row: &R,
    place: impl Fn(&R) -> Place,
) -> f64 {
    let Conventions { decimal, scale } = column.conventions;
    let Some((value, evidence)) = row.plain(column.column).and_then(|plain| number::plain(plain, decimal))
    else {
        return unusual_number(column, facts, row, place);
    };
    facts.evidence[evidence as usize] += 1;
    facts.plain += 1;
    if column.is_rate {
        facts.note_rate(value);
        return value / scale;
    }
    value
}

/// A number that is more than digits: blank, grouped, signed, with a currency, typed.
#[cold]
fn unusual_number<R: Row>(
    column: &NumberColumn,
    facts: &mut ColumnFacts,
    row: &R,
    place: impl Fn(&R) -> Place,
) -> f64 {
    let Conventions { decimal, scale } = column.conventions;
    let (parsed, evidence) = match row.cell(column.column) {
        Cell::Missing => return f64::NAN,
        Cell::Text(text) => number::parse(&text, decimal),
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
                number.value / scale
            } else {
                number.value
            }
        }
        Parsed::Number(number) => facts.note_signs(number, column.is_rate, || place(row)),
        Parsed::Missing => f64::NAN,
        Parsed::Unreadable => {
            facts.note_unreadable(|| place(row));
            f64::NAN
        }
    }
}
