//! One cell of a report, whatever file it came from.

use std::borrow::Cow;

/// A cell as read. Text formats only know text; workbooks and Parquet know types.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No cell at all, or an empty one.
    Missing,
    /// Bytes as they stand, quotes of CSV removed; UTF-8, or Windows-1252 where they are not.
    Text(Cow<'a, [u8]>),
    /// A typed number.
    Number(f64),
    /// A typed day.
    Day(Day),
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// The year.
    pub year: i32,
    /// 1..=12.
    pub month: u8,
    /// 1..=31.
    pub day: u8,
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A row of cells by position.
pub trait Row {
    /// The cell in a column, counted from 0; `Missing` beyond the row's end.
    fn cell(&self, column: usize) -> Cell<'_>;
    /// How many cells the row has.
    fn len(&self) -> usize;
    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The same cell, free of its row.
pub(super) fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Missing => Cell::Missing,
        Cell::Text(bytes) => Cell::Text(bytes.into_owned().into()),
        Cell::Number(number) => Cell::Number(number),
        Cell::Day(day) => Cell::Day(day),
    }
}
