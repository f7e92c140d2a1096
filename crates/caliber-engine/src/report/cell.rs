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
    /// A typed number shown as a percentage; the value is the fraction, 0.5 for `50 %`.
    Percent(f64),
    /// A typed day.
    Day(Day),
}

impl Cell<'_> {
    /// A cell that stands for itself.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Missing => Cell::Missing,
            Self::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Cell::Number(number),
            Self::Percent(fraction) => Cell::Percent(fraction),
            Self::Day(day) => Cell::Day(day),
        }
    }

    /// The cell as text: numbers with the fewest digits that read back the same, days as `YYYY-MM-DD`.
    pub fn text(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Missing => Cow::Borrowed(&[]),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string().into_bytes()),
            Self::Percent(fraction) => Cow::Owned(format!("{}%", fraction * 100.0).into_bytes()),
            Self::Day(day) => Cow::Owned(day.to_string().into_bytes()),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Missing => true,
            Self::Text(text) => text.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0),
            Self::Number(_) | Self::Percent(_) | Self::Day(_) => false,
        }
    }
}

/// A row kept apart from its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedRow {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// Its cells.
    pub cells: Vec<Cell<'static>>,
}

impl Row for OwnedRow {
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.cells.get(column) {
            None | Some(Cell::Missing) => Cell::Missing,
            Some(Cell::Text(text)) => Cell::Text(Cow::Borrowed(text)),
            Some(Cell::Number(number)) => Cell::Number(*number),
            Some(Cell::Percent(fraction)) => Cell::Percent(*fraction),
            Some(Cell::Day(day)) => Cell::Day(*day),
        }
    }

    fn len(&self) -> usize {
        self.cells.len()
    }
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
    /// The cell's bytes, where they stand in the file just so; a short cut for text formats.
    fn plain(&self, column: usize) -> Option<&[u8]> {
        let _ = column;
        None
    }

    /// The eight bytes that end where a cell of up to eight bytes does, the first the lowest, and its length, 0 where
    /// there is no such cell; a short cut for text formats.
    fn word(&self, column: usize) -> (u64, u64) {
        let _ = column;
        (0, 0)
    }

    /// How many cells the row has.
    fn len(&self) -> usize;
    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
