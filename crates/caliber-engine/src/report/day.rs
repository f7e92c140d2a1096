//! The days of a report: what the texts of its `Date` column can mean, and which period they span.
//!
//! `03/04/2025` is a day in March or in April, and no cell alone can tell. A [`DayColumn`] keeps both readings
//! of every such cell apart and decides for the column as a whole.

#[cfg(test)]
mod tests;
mod text;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::cell::Day;
use super::number;

/// The days a text can mean. Both are the same day where the order of day and month is written out or does not
/// matter, and `None` where the text is no day at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reading {
    /// As `day/month/year`.
    pub day_first: Option<Day>,
    /// As `month/day/year`.
    pub month_first: Option<Day>,
}

impl Reading {
    /// Reads a text such as `2025-01-12`, `20250112`, `12/01/2025`, `12.01.25`, `Jan 12, 2025`, `12 mars 2025`,
    /// each with or without a time of day behind it.
    pub fn of(cell: &[u8]) -> Self {
        text::read(cell).map_or(Self::default(), |written| written.reading)
    }
}

impl Day {
    /// The day of the Gregorian calendar, from 1900 to 2199; `None` where there is no such day.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let length = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        ((1900..2200).contains(&year) && (1..=length).contains(&day)).then_some(Self { year, month, day })
    }

    /// The day of a spreadsheet's serial number in the 1900 system: 45658 is 2025-01-01. Any time of day behind
    /// the point is left off. `None` before 1900-03-01, where spreadsheets count a day that never was.
    pub fn from_serial(serial: f64) -> Option<Self> {
        if !(61.0..=109_574.0).contains(&serial) {
            return None;
        }
        // Days since 0000-03-01, Howard Hinnant's `civil_from_days`; serial 25569 is 1970-01-01.
        let days = serial.floor() as i32 - 25_569 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        Self::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// Days since 1970-01-01, to measure spans.
    fn number(self) -> i32 {
        let month = i32::from(self.month);
        let year = self.year - i32::from(month <= 2);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i32::from(self.day) - 1;
        year.div_euclid(400) * 146_097 + year.rem_euclid(400) * 365 + year.rem_euclid(400) / 4
            - year.rem_euclid(400) / 100
            + day_of_year
            - 719_468
    }
}

/// The least and greatest day of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first day; `None` where no cell holds a day.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
    /// Whether the order of day and month is a guess: no cell settled it, or cells contradict each other.
    pub ambiguous: bool,
    /// Cells that hold something and yet no day.
    pub unreadable: u64,
}

/// What the `Date` column of a report has shown so far. The outcome depends on the cells, not on their order
/// or on how they were split between collectors.
#[derive(Clone, Debug, Default)]
pub struct DayColumn {
    /// Days with one reading only, whatever the order of day and month.
    certain: Span,
    /// Days with a reading in either order.
    either: [Span; 2],
    /// Days that only one of the orders can read, and how many cells.
    only: [Counted; 2],
    /// Spreadsheet serials.
    serials: Counted,
    /// Whether an undecided cell was written with slashes or dashes, which either order uses; points are
    /// day first by custom.
    custom_is_open: bool,
    unreadable: u64,
    known: HashMap<Box<[u8]>, Class, FixedState>,
    settled: Settled,
}

const DAY_FIRST: usize = 0;
const MONTH_FIRST: usize = 1;

/// Distinct texts remembered, to bound memory; a column of timestamps is parsed cell by cell beyond it.
const KNOWN_TEXTS: usize = 1024;

/// Some of the known texts that need not be counted, each in the place that its bytes say: nearly every cell is one of a
/// few days, and is found here without a hash of it.
#[derive(Clone, Debug)]
struct Settled([Short; 256]);

impl Default for Settled {
    fn default() -> Self {
        Self([Short::default(); 256])
    }
}

impl Settled {
    #[inline]
    fn place(&mut self, text: Short) -> &mut Short {
        // The digits of a day differ in their low bits, and most in the last bytes.
        let mixed = (text.first ^ text.last.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &mut self.0[(mixed >> 56) as usize]
    }
}

/// A text of 8 to 16 bytes by its first and last eight; one of length 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Short {
    first: u64,
    last: u64,
    len: usize,
}

impl Short {
    #[inline]
    fn of(text: &[u8]) -> Option<Self> {
        let (first, last) = (text.first_chunk()?, text.last_chunk()?);
        let short =
            Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), len: text.len() };
        (text.len() <= 16).then_some(short)
    }
}

/// What must be counted anew each time a known text comes back; its days are in the spans already.
#[derive(Clone, Copy, Debug)]
enum Class {
    Settled,
    Only(usize),
    Serial,
    Unreadable,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span(Option<(Day, Day)>);

impl Span {
    fn add(&mut self, day: Day) {
        self.join(Self(Some((day, day))));
    }

    fn join(&mut self, other: Self) {
        self.0 = match (self.0, other.0) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }

    fn days(self) -> i32 {
        self.0.map_or(0, |(from, to)| to.number() - from.number())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    span: Span,
    cells: u64,
}

impl DayColumn {
    /// Takes in one cell; blanks and words for nothing are passed over.
    #[inline]
    pub fn add(&mut self, cell: &[u8]) {
        let short = Short::of(cell);
        if short.is_some_and(|short| *self.settled.place(short) == short) {
            return;
        }
        let class = self.class(cell);
        if let (Class::Settled, Some(short)) = (class, short) {
            *self.settled.place(short) = short;
        }
        self.count(class);
    }

    fn class(&mut self, cell: &[u8]) -> Class {
        if let Some(&class) = self.known.get(cell) {
            return class;
        }
        let class = self.learn(cell);
        if self.known.len() < KNOWN_TEXTS && cell.len() <= 64 {
            self.known.insert(cell.into(), class);
        }
        class
    }

    fn count(&mut self, class: Class) {
        match class {
            Class::Settled => {}
            Class::Only(order) => self.only[order].cells += 1,
            Class::Serial => self.serials.cells += 1,
            Class::Unreadable => self.unreadable += 1,
        }
    }

    /// Takes in a typed day.
    pub fn add_day(&mut self, day: Day) {
        self.certain.add(day);
    }

    /// Takes in a typed number: a spreadsheet's serial, or the digits of `20250112`.
    pub fn add_number(&mut self, value: f64) {
        let class = if value.fract() == 0.0 && (1e7..1e8).contains(&value) {
            self.learn((value as u32).to_string().as_bytes())
        } else if let Some(day) = Day::from_serial(value) {
            self.serials.span.add(day);
            Class::Serial
        } else {
            Class::Unreadable
        };
        self.count(class);
    }

    /// Puts the days of a text where they belong and says how the cell counts.
    fn learn(&mut self, cell: &[u8]) -> Class {
        if number::is_missing(cell) {
            return Class::Settled;
        }
        let Some(written) = text::read(cell) else {
            return match text::serial(cell) {
                Some(day) => {
                    self.serials.span.add(day);
                    Class::Serial
                }
                None => Class::Unreadable,
            };
        };
        match (written.reading.day_first, written.reading.month_first) {
            (Some(a), Some(b)) if a == b => self.certain.add(a),
            (Some(day_first), Some(month_first)) => {
                self.either[DAY_FIRST].add(day_first);
                self.either[MONTH_FIRST].add(month_first);
                self.custom_is_open |= !written.pointed;
            }
            (Some(day), None) => {
                self.only[DAY_FIRST].span.add(day);
                return Class::Only(DAY_FIRST);
            }
            (None, Some(day)) => {
                self.only[MONTH_FIRST].span.add(day);
                return Class::Only(MONTH_FIRST);
            }
            (None, None) => return Class::Unreadable,
        }
        Class::Settled
    }

    /// Both columns as one.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.certain.join(other.certain);
        for order in [DAY_FIRST, MONTH_FIRST] {
            self.either[order].join(other.either[order]);
            self.only[order].span.join(other.only[order].span);
            self.only[order].cells += other.only[order].cells;
        }
        self.serials.span.join(other.serials.span);
        self.serials.cells += other.serials.cells;
        self.custom_is_open |= other.custom_is_open;
        self.unreadable += other.unreadable;
        // A known text promises that its days are in the spans, which the joined spans keep.
        for (text, class) in other.known {
            if self.known.len() >= KNOWN_TEXTS {
                break;
            }
            self.known.entry(text).or_insert(class);
        }
        self
    }

    /// The period of the column as a whole.
    ///
    /// A cell that only one order can read (`13/01/2025`) settles the order; where such cells contradict each
    /// other the majority does, and the rest is unreadable. Where no cell settles it, dates with points are day
    /// first, and others follow the order that gives the shorter period, month first if both are as long; that
    /// is a guess and said so. Serial numbers count only where the column holds no other day.
    pub fn period(&self) -> Period {
        let cells = [self.only[DAY_FIRST].cells, self.only[MONTH_FIRST].cells];
        let order = match cells[DAY_FIRST].cmp(&cells[MONTH_FIRST]) {
            std::cmp::Ordering::Greater => DAY_FIRST,
            std::cmp::Ordering::Less => MONTH_FIRST,
            std::cmp::Ordering::Equal => self.likely_order(),
        };
        let losers = cells[1 - order];
        let mut span = self.certain;
        span.join(self.either[order]);
        span.join(self.only[order].span);
        let mut unreadable = self.unreadable + losers;
        if span.0.is_none() {
            span = self.serials.span;
        } else {
            unreadable += self.serials.cells;
        }
        let undecided = cells == [0, 0] && self.custom_is_open;
        Period {
            from: span.0.map(|(from, _)| from),
            to: span.0.map(|(_, to)| to),
            ambiguous: undecided || losers > 0,
            unreadable,
        }
    }

    fn likely_order(&self) -> usize {
        let days = |order: usize| {
            let mut span = self.certain;
            span.join(self.either[order]);
            span.days()
        };
        let pointed = self.either[DAY_FIRST].0.is_some() && !self.custom_is_open;
        if pointed || days(DAY_FIRST) < days(MONTH_FIRST) { DAY_FIRST } else { MONTH_FIRST }
    }
}
