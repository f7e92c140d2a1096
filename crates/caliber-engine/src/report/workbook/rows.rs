//! The rows of a sheet, one at a time, in buffers that are used again.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use quick_xml::events::{BytesStart, Event};

use super::formats::{Format, Formats};
use super::package::{Xml, too_large};
use super::text::{Runs, Strings, push_text, unescape};
use crate::Result;
use crate::report::calendar::day_of_serial;
use crate::report::cell::{Cell, Day, Row};

/// Columns a sheet can have: XFD.
const COLUMNS_MAX: usize = 16_384;
/// Rows a sheet can have.
const LINES_MAX: u64 = 1_048_576;
/// Bytes of the texts that one row holds by itself.
const ROW_BYTES_MAX: usize = 64 << 20;

/// What cells refer to.
pub(super) struct Shared {
    pub(super) strings: Strings,
    pub(super) formats: Formats,
    pub(super) from_1904: bool,
}

#[derive(Clone, Debug)]
enum Slot {
    Missing,
    Number { value: f64, percent: bool },
    Day(Day),
    Shared(u32),
    Own(Range<u32>),
    Word(&'static str),
}

/// One row of a sheet.
#[derive(Debug)]
pub struct SheetRow<'a> {
    slots: &'a [Slot],
    text: &'a [u8],
    strings: &'a Strings,
}

impl Row for SheetRow<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        let bytes = match self.slots.get(column) {
            None | Some(Slot::Missing) => return Cell::Missing,
            Some(Slot::Number { value, percent: false }) => return Cell::Number(*value),
            Some(Slot::Number { value, percent: true }) => return Cell::Percent(*value),
            Some(Slot::Day(day)) => return Cell::Day(*day),
            // A range and an index that were checked when they were stored.
            Some(Slot::Own(range)) => &self.text[range.start as usize..range.end as usize],
            Some(Slot::Shared(index)) => self.strings.get(*index as usize).unwrap_or_default(),
            Some(Slot::Word(word)) => word.as_bytes(),
        };
        if bytes.is_empty() { Cell::Missing } else { Cell::Text(Cow::Borrowed(bytes)) }
    }

    fn len(&self) -> usize {
        self.slots.len()
    }
}

/// What kind of value a cell says it holds: ECMA-376 part 1, 18.18.11 (`ST_CellType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Number,
    Shared,
    Boolean,
    IsoDay,
    /// A formula's text, an inline string, an error word, and whatever is invented next.
    Text,
}

/// The row being gathered, and the cell within it.
#[derive(Default)]
struct Gathered {
    line: u64,
    line_is_stated: bool,
    slots: Vec<Slot>,
    text: Vec<u8>,
    column: usize,
    style: Option<usize>,
    kind: Kind,
    /// Where the cell's own bytes begin in `text`.
    value_start: usize,
}

/// Hands every row that holds anything to `on_row`, with its line in the sheet counted from 1.
pub(super) fn each_row(
    mut xml: Xml<'_>,
    shared: &Shared,
    on_row: &mut dyn FnMut(u64, &SheetRow<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut row = Gathered::default();
    let mut inline = Runs::default();
    let (mut in_rows, mut in_cell, mut in_value) = (false, false, false);
    loop {
        match xml.next()? {
            Event::Start(tag) if in_rows => match tag.local_name().as_ref() {
                inner @ ("c" | "row") if in_cell => {
                    let what = format!("a <{inner}> begins inside a cell");
                    return Err(xml.malformed(what));
                }
                "c" => {
                    let outcome = row.open_cell(&tag);
                    (in_cell, in_value) = (true, false);
                    outcome.map_err(|what| xml.malformed(what))?;
                }
                "v" => in_value = in_cell,
                "row" => {
                    let outcome = row.open(&tag);
                    outcome.map_err(|what| xml.malformed(what))?;
                }
                "is" if in_cell => inline.open(),
                _ if inline.is_open() => inline.take(&Event::Start(tag), &mut row.text),
                _ => {}
            },
            Event::End(tag) if in_rows => match tag.local_name().as_ref() {
                "v" => in_value = false,
                "c" if !in_cell => return Err(xml.malformed("a cell ends that did not begin")),
                "c" => {
                    (in_cell, in_value) = (false, false);
                    inline.close();
                    row.close_cell(shared);
                }
                "row" if row.hand_over(shared, on_row)?.is_break() => return Ok(()),
                "is" => inline.close(),
                "sheetData" => return Ok(()),
                _ if inline.is_open() => inline.take(&Event::End(tag), &mut row.text),
                _ => {}
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                inner @ ("c" | "row") if in_cell => {
                    let what = format!("a <{inner}/> stands inside a cell");
                    return Err(xml.malformed(what));
                }
                // Only a style: the place counts, the cell does not.
                "c" if in_rows => {
                    let outcome = row.open_cell(&tag);
                    row.column += 1;
                    outcome.map_err(|what| xml.malformed(what))?;
                }
                "row" if in_rows => {
                    let outcome = row.open(&tag);
                    outcome.map_err(|what| xml.malformed(what))?;
                }
                "sheetData" => return Ok(()),
                _ => {}
            },
            Event::Start(tag) => in_rows = tag.local_name().as_ref() == "sheetData",
            Event::Eof => return Err(xml.malformed("it ends before its rows do")),
            text if in_value => push_text(&text, &mut row.text),
            text if inline.is_open() => inline.take(&text, &mut row.text),
            _ => {}
        }
        if row.text.len() > ROW_BYTES_MAX {
            let message = format!("a row of the workbook holds more than {} MB of text", ROW_BYTES_MAX >> 20);
            return Err(too_large(message).at_line(row.line));
        }
    }
}

impl Gathered {
    fn open(&mut self, tag: &BytesStart<'_>) -> std::result::Result<(), String> {
        self.slots.clear();
        self.text.clear();
        self.column = 0;
        self.line += 1;
        self.line_is_stated = false;
        for attribute in tag.attributes().with_checks(false).flatten() {
            if attribute.key.as_ref() == "r" {
                self.line = attribute
                    .value
                    .parse()
                    .ok()
                    .filter(|line| (1..=LINES_MAX).contains(line))
                    .ok_or_else(|| format!("no sheet has a row {}", shown(&attribute.value)))?;
                self.line_is_stated = true;
                break;
            }
        }
        Ok(())
    }

    fn open_cell(&mut self, tag: &BytesStart<'_>) -> std::result::Result<(), String> {
        (self.style, self.kind) = (None, Kind::Number);
        self.value_start = self.text.len();
        for attribute in tag.attributes().with_checks(false).flatten() {
            match attribute.key.as_ref() {
                "r" => {
                    let (column, line) = place(&attribute.value)
                        .ok_or_else(|| format!("no sheet has a cell {}", shown(&attribute.value)))?;
                    self.column = column;
                    if !self.line_is_stated {
                        (self.line, self.line_is_stated) = (line, true);
                    }
                }
                "s" => self.style = attribute.value.parse().ok(),
                "t" => {
                    self.kind = match attribute.value.as_ref() {
                        "n" => Kind::Number,
                        "s" => Kind::Shared,
                        "b" => Kind::Boolean,
                        "d" => Kind::IsoDay,
                        _ => Kind::Text,
                    }
                }
                _ => {}
            }
        }
        if self.column >= COLUMNS_MAX {
            return Err(format!("row {} has more than {COLUMNS_MAX} columns", self.line));
        }
        Ok(())
    }

    fn close_cell(&mut self, shared: &Shared) {
        let slot = self.slot(shared);
        if !matches!(slot, Slot::Own(_)) {
            self.text.truncate(self.value_start);
        }
        if !matches!(slot, Slot::Missing) {
            if self.column >= self.slots.len() {
                self.slots.resize(self.column + 1, Slot::Missing);
            }
            self.slots[self.column] = slot;
        }
        self.column += 1;
    }

    /// What the gathered bytes of the cell mean. What does not fit its kind stays text, so that nothing is lost.
    fn slot(&mut self, shared: &Shared) -> Slot {
        let value = self.text[self.value_start..].trim_ascii();
        if value.is_empty() && self.kind != Kind::Text {
            // Inline strings of some writers say no kind, and come here as well when they are empty.
            return Slot::Missing;
        }
        let typed = match self.kind {
            Kind::Number => number(value).map(|value| self.number_slot(value, shared)),
            Kind::Shared => std::str::from_utf8(value)
                .ok()
                .and_then(|index| index.parse::<u32>().ok())
                .filter(|&index| shared.strings.get(index as usize).is_some())
                .map(Slot::Shared),
            Kind::Boolean => match value {
                b"1" | b"true" => Some(Slot::Word("TRUE")),
                b"0" | b"false" => Some(Slot::Word("FALSE")),
                _ => None,
            },
            Kind::IsoDay => iso_day(value).map(Slot::Day),
            Kind::Text => None,
        };
        typed.unwrap_or_else(|| {
            unescape(&mut self.text, self.value_start);
            if self.text.len() == self.value_start {
                return Slot::Missing;
            }
            Slot::Own(self.value_start as u32..self.text.len() as u32)
        })
    }

    fn number_slot(&self, value: f64, shared: &Shared) -> Slot {
        let format = self.style.map_or(Format::Plain, |style| shared.formats.of_style(style));
        let day = if format == Format::Day { day_of_serial(value, shared.from_1904) } else { None };
        day.map_or(Slot::Number { value, percent: format == Format::Percent }, Slot::Day)
    }

    fn hand_over(
        &mut self,
        shared: &Shared,
        on_row: &mut dyn FnMut(u64, &SheetRow<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        // Only cells that hold something make the row longer, so an empty one is a blank line.
        if self.slots.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        on_row(self.line, &SheetRow { slots: &self.slots, text: &self.text, strings: &shared.strings })
    }
}

fn number(value: &[u8]) -> Option<f64> {
    fast_float2::parse(value).ok().filter(|number: &f64| number.is_finite())
}

/// The day of an ISO 8601 date or moment.
fn iso_day(value: &[u8]) -> Option<Day> {
    let text = std::str::from_utf8(value.get(..10)?).ok()?;
    let mut numbers = text.splitn(3, '-').map(str::parse::<i32>);
    let (year, month, day) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then_some(Day { year, month: month as u8, day: day as u8 })
}

/// `BC12`: the column counted from 0 and the line counted from 1.
fn place(reference: &str) -> Option<(usize, u64)> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(1..=3).contains(&letters) {
        return None;
    }
    let (column, line) = reference.split_at(letters);
    let column = column.bytes().fold(0, |sum, b| sum * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    let line = line.parse().ok().filter(|line| (1..=LINES_MAX).contains(line))?;
    (column <= COLUMNS_MAX).then_some((column - 1, line))
}

/// A value of the file, short enough for a message.
fn shown(value: &str) -> String {
    value.chars().take(20).collect()
}
