//! `results.csv`: records cut by csv-core, one at a time into buffers of fixed size, so that a hostile file costs an
//! error and never memory.

use std::collections::HashMap;
use std::io::BufRead;

use caliber_engine::recipe::WeightedMetric;
use caliber_engine::results::Results;
use caliber_engine::{Code, Error, Result};
use csv_core::{ReadRecordResult, Reader};

use super::cells::{Cells, FLAGS_MAX, Kind, status};
use super::{AGAIN, Columns, assemble, damaged, dimension_of, wanted};
use crate::neutralise::restore;

/// Bytes and cells of a record that is read; our own have some hundred bytes and tens of cells.
const RECORD_BYTES: usize = 1 << 20;
const RECORD_CELLS: usize = 4096;
/// Letters of a cell that are shown.
const SHOWN: usize = 40;

pub(super) fn read(input: impl BufRead, metrics: &[WeightedMetric]) -> Result<Results> {
    let mut records = Records::new(input);
    if !records.next()? {
        return Err(Error::new(Code::Empty, "the file is empty").help(AGAIN));
    }
    let header = header(&records)?;
    let has = |name: &str| header.iter().any(|known| known == name);
    let dimension = dimension_of(has)?;
    let mut columns = columns(&header, wanted(has, dimension, metrics));
    let mut rows = 0;
    while records.next()? {
        take_row(&mut columns, &header, &records)?;
        rows += 1;
    }
    if rows == 0 {
        return Err(Error::new(Code::HeaderOnly, "there is no row below the header").help(AGAIN));
    }
    let named = header.into_iter().zip(columns);
    let cells: HashMap<String, Cells> = named.filter_map(|(name, column)| Some((name, column?.1))).collect();
    assemble(Columns { cells, rows }, dimension, metrics)
}

/// The names of the columns.
fn header<R: BufRead>(records: &Records<R>) -> Result<Vec<String>> {
    let mut header: Vec<String> = Vec::with_capacity(records.cells);
    for at in 0..records.cells {
        // A spreadsheet may have put a mark of the encoding before the first.
        let name = records.cell(at)?.trim_start_matches('\u{feff}');
        if header.iter().any(|known| known == name) {
            let message = format!("two columns are named `{}`", shortened(name));
            return Err(damaged(message).at_line(records.line));
        }
        header.push(name.to_owned());
    }
    Ok(header)
}

/// What is collected of each column of the header; `None` where nothing needs it.
type Collected = Option<(Kind, Cells)>;

fn columns(header: &[String], wanted: Vec<(String, Kind)>) -> Vec<Collected> {
    let kinds: HashMap<String, Kind> = wanted.into_iter().collect();
    header.iter().map(|name| kinds.get(name).map(|&kind| (kind, kind.empty(0)))).collect()
}

fn take_row<R: BufRead>(columns: &mut [Collected], header: &[String], records: &Records<R>) -> Result<()> {
    if records.cells != columns.len() {
        let message = format!("the row has {} cells under {} columns", records.cells, columns.len());
        return Err(damaged(message).at_line(records.line));
    }
    for (at, column) in columns.iter_mut().enumerate() {
        let Some((kind, cells)) = column else { continue };
        take(*kind, cells, records.cell(at)?)
            .map_err(|error| error.at_line(records.line).at_column(header[at].clone()))?;
    }
    Ok(())
}

/// Adds the cell of a row.
fn take(kind: Kind, cells: &mut Cells, text: &str) -> Result<()> {
    match cells {
        Cells::Names(names) => names.push(restore(text).to_owned()),
        Cells::Numbers(numbers) => match number(text)? {
            Some(number) => numbers.push(number),
            // Whether all rows lack it is seen by the length.
            None if kind == Kind::Count => {}
            None => return Err(damaged("the cell is empty where a number belongs")),
        },
        Cells::MaybeNumbers(numbers) => numbers.push(number(text)?),
        Cells::Statuses(statuses) => statuses.push(status(&shortened(text))?),
        Cells::Flags(flags) => {
            let words: Vec<String> =
                restore(text).split(';').filter(|word| !word.is_empty()).map(str::to_owned).collect();
            if words.len() > FLAGS_MAX {
                return Err(damaged("a row has too many flags"));
            }
            flags.push(words);
        }
    }
    Ok(())
}

/// The number of a cell; `None` where it is empty.
fn number(text: &str) -> Result<Option<f64>> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let wrong = || damaged(format!("`{}` is no number as a results file has it", shortened(text)));
    number.map(Some).ok_or_else(wrong)
}

/// Enough of a text to find it by.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The records of a file, one at a time.
struct Records<R> {
    input: R,
    rules: Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Cells of the present record.
    cells: usize,
    /// The line it begins on, counted from 1.
    line: u64,
}

impl<R: BufRead> Records<R> {
    fn new(input: R) -> Self {
        let (bytes, ends) = (vec![0; RECORD_BYTES], vec![0; RECORD_CELLS]);
        Self { input, rules: Reader::new(), bytes, ends, cells: 0, line: 1 }
    }

    /// Goes on to the next record; `false` at the end of the file.
    fn next(&mut self) -> Result<bool> {
        let mut written = 0;
        self.cells = 0;
        self.line = self.rules.line();
        loop {
            let input = self.input.fill_buf().map_err(|cause| {
                Error::new(Code::NotReadable, format!("the file cannot be read: {cause}"))
                    .help("check that it is whole and on a disk that works")
                    .caused_by(cause)
            })?;
            let (outcome, read, wrote, cells) =
                self.rules.read_record(input, &mut self.bytes[written..], &mut self.ends[self.cells..]);
            self.input.consume(read);
            written += wrote;
            self.cells += cells;
            match outcome {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    let message =
                        format!("a row of results has at most {RECORD_CELLS} cells and {RECORD_BYTES} bytes");
                    return Err(Error::new(Code::TooLarge, message).at_line(self.line).help(AGAIN));
                }
            }
        }
    }

    /// The text of a cell.
    fn cell(&self, at: usize) -> Result<&str> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        std::str::from_utf8(&self.bytes[start..self.ends[at]])
            .map_err(|_| damaged("the cell is not UTF-8").at_line(self.line).at_column((at + 1).to_string()))
    }
}
