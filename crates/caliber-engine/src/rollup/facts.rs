//! What the cells of a column have in common: facts from which the conventions of the whole column follow.

use std::collections::BTreeSet;

use crate::report::cell::Cell;
use crate::report::number::{self, Decimal, Number, Parsed};

/// How many lines of bad cells are named.
const FIRST: usize = 5;

/// A line of a unit of reading; which line of the file it is, is known when all units are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) chunk: u32,
    /// Lines of the chunk before it.
    pub(crate) lines_before: u64,
}

/// Keeps the first few places.
pub(crate) fn keep_first(places: &mut Vec<Place>, place: Place) {
    let at = places.partition_point(|known| *known <= place);
    if at < FIRST {
        places.insert(at, place);
        places.truncate(FIRST);
    }
}

/// Facts about the cells of one column of numbers. They follow from the form of the cells alone, so reading
/// under a wrong assumption still shows the right one.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnFacts {
    /// Cells by what their form says of the decimal separator; the index is an `Evidence`.
    pub(crate) evidence: [u64; 4],
    /// Numbers without a percent sign.
    pub(crate) plain: u64,
    /// Numbers with one.
    pub(crate) percent: u64,
    /// Of the plain ones of a rate: those that are not 0, and those beyond 1.
    pub(crate) nonzero: u64,
    pub(crate) above_one: u64,
    /// Numbers below 0.
    pub(crate) negative: u64,
    pub(crate) unreadable: u64,
    pub(crate) unreadable_at: Vec<Place>,
    /// Currencies named by signs in the cells.
    pub(crate) currencies: BTreeSet<&'static str>,
    forgotten: Option<(u64, Vec<Place>)>,
}

impl ColumnFacts {
    /// Takes in so many numbers without a percent sign, and what the form of cells says.
    pub(crate) fn note_plain(&mut self, plain: u64, evidence: [u64; 4]) {
        self.plain += plain;
        for (ours, more) in self.evidence.iter_mut().zip(evidence) {
            *ours += more;
        }
    }

    /// Takes in a rate as it stands in its cell; NaN is none.
    #[inline]
    pub(crate) fn note_rate(&mut self, value: f64) {
        self.nonzero += u64::from(value.abs() > 0.0);
        self.above_one += u64::from(value.abs() > 1.0);
    }

    /// A number with a percent sign or a currency; a percent is no count and no amount.
    #[cold]
    pub(crate) fn note_signs(&mut self, number: Number, is_rate: bool, place: impl Fn() -> Place) -> f64 {
        if let Some(currency) = number.currency {
            self.currencies.insert(currency.name());
        }
        self.negative += u64::from(number.value < 0.0);
        if !number.percent {
            self.plain += 1;
            return number.value;
        }
        self.percent += 1;
        if !is_rate {
            self.note_unreadable(place);
            return f64::NAN;
        }
        number.value
    }

    #[cold]
    pub(crate) fn note_unreadable(&mut self, place: impl Fn() -> Place) {
        self.forgotten = Some((self.unreadable, self.unreadable_at.clone()));
        self.unreadable += 1;
        if self.unreadable_at.len() < FIRST {
            keep_first(&mut self.unreadable_at, place());
        }
    }

    /// Takes the last unreadable cell back: it was a header's.
    pub(crate) fn forget_unreadable(&mut self) {
        if let Some((unreadable, unreadable_at)) = self.forgotten.take() {
            (self.unreadable, self.unreadable_at) = (unreadable, unreadable_at);
        }
    }

    /// The separator that cells settle; `None` where none does or as many speak for either.
    pub(crate) fn decimal(&self) -> Option<Decimal> {
        let [_, point, comma, _] = self.evidence;
        match point.cmp(&comma) {
            std::cmp::Ordering::Greater => Some(Decimal::Point),
            std::cmp::Ordering::Less => Some(Decimal::Comma),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// Cells that mean another number under the other separator, and that nothing in the column settles.
    pub(crate) fn is_undecided(&self) -> bool {
        self.decimal().is_none() && self.evidence[3] > 0
    }

    /// Whether the column carries percent signs.
    pub(crate) fn carries_percent(&self) -> bool {
        self.percent > 0 && self.percent >= self.plain
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.note_plain(other.plain, other.evidence);
        self.percent += other.percent;
        self.nonzero += other.nonzero;
        self.above_one += other.above_one;
        self.negative += other.negative;
        self.unreadable += other.unreadable;
        for place in other.unreadable_at {
            keep_first(&mut self.unreadable_at, place);
        }
        self.currencies.extend(other.currencies);
    }
}

/// A typed number, within the range of those that are read from text.
pub(crate) fn typed(value: f64, percent: bool) -> Parsed {
    if value.abs() <= 1e15 {
        Parsed::Number(Number { value, percent, currency: None })
    } else {
        Parsed::Unreadable
    }
}

/// A cell's number, NaN where there is none, and whether it was written in percent.
pub(crate) fn value_of(cell: &Cell<'_>, decimal: Decimal) -> (f64, bool) {
    let parsed = match cell {
        Cell::Text(text) => number::parse(text, decimal).0,
        Cell::Number(value) => typed(*value, false),
        Cell::Percent(fraction) => typed(*fraction, true),
        Cell::Missing | Cell::Day(_) => Parsed::Missing,
    };
    match parsed {
        Parsed::Number(number) => (number.value, number.percent),
        Parsed::Missing | Parsed::Unreadable => (f64::NAN, false),
    }
}
