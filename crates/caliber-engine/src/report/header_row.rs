//! How much a row of cells looks like the header of a report.

use std::collections::BTreeSet;

use crate::dictionary::header::Header;
use crate::dictionary::{Column, ColumnKind, Dictionary};
use crate::report::mapping::{Override, Target};

/// What speaks for and against a row being the header. Of several rows the one with most [`points`] is it, the first
/// of equals.
///
/// [`points`]: HeaderScore::points
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderScore {
    /// How many canonical columns its cells name, each counted once; not looked at, and 0, where so few cells are no
    /// data that it cannot be a header.
    pub known: usize,
    /// Cells that are numbers or dates: data, not headers.
    pub data: usize,
    /// Cells that are not blank.
    pub cells: usize,
    /// Whether what to group by and impressions are among them, without which nothing can be scored.
    pub is_whole: bool,
}

impl HeaderScore {
    /// Whether the row can be a header at all: it names two columns or more, and holds fewer data than names. Title
    /// lines (`Report Name: Site Performance`), pairs (`Currency,USD`) and data rows cannot.
    pub fn is_header(self) -> bool {
        self.known >= 2 && self.known > self.data
    }

    /// More is surer; 0 for a row that can be no header.
    pub fn points(self) -> usize {
        if self.is_header() { self.known - self.data } else { 0 }
    }
}

/// Which row is the header, by the [points](HeaderScore::points) of the first ones.
pub(crate) fn surest(points: impl IntoIterator<Item = usize>) -> Option<usize> {
    let judged = points.into_iter().enumerate().filter(|&(_, points)| points > 0);
    judged.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(at, _)| at)
}

/// Judges one row. Headers that the overrides name count as known, so a report in words of its own is found too.
pub fn header_score<'a>(
    cells: impl IntoIterator<Item = &'a str>,
    dictionary: &Dictionary,
    overrides: &[Override],
) -> HeaderScore {
    let mut score = HeaderScore::default();
    let mut columns = BTreeSet::new();
    let mut given = BTreeSet::new();
    let (data, texts): (Vec<&str>, Vec<&str>) =
        cells.into_iter().map(str::trim).filter(|cell| !cell.is_empty()).partition(|cell| is_data(cell));
    (score.data, score.cells) = (data.len(), data.len() + texts.len());
    // Most rows of a report end here, before any of their words is looked up.
    if !(HeaderScore { known: texts.len(), ..score }).is_header() {
        return score;
    }
    for cell in texts {
        let header = Header::read(cell, dictionary);
        let named = overrides.iter().position(|given| {
            matches!(&given.target, Target::Header(text) if Header::read(text, dictionary).is(&header))
        });
        if let Some(named) = named {
            given.insert(named);
        } else if let Some(known) = header.known(dictionary).next() {
            columns.insert(known.column);
        }
    }
    score.known = columns.len() + given.len();
    let names = |wanted: &dyn Fn(&Column) -> bool| {
        let named = given.iter().filter_map(|&at| dictionary.column(&overrides[at].name));
        columns.iter().map(|&column| &dictionary.columns()[column]).chain(named).any(wanted)
    };
    score.is_whole = names(&|column| column.kind == ColumnKind::Dimension)
        && names(&|column| column.name == "impressions");
    score
}

/// Digits without a letter: a number, an amount, a date, an app's number.
fn is_data(cell: &str) -> bool {
    cell.chars().any(|c| c.is_ascii_digit()) && !cell.chars().any(char::is_alphabetic)
}
