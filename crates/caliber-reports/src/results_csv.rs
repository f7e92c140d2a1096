//! `results.csv`.

use std::io::{self, Write};
use std::num::NonZero;
use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::thread;

use caliber_engine::Result;
use caliber_engine::results::Results;

use crate::columns::{Cell, Cells, Column, Table, joined};
use crate::csv_text::CsvText;
use crate::failure::unwritten;
use crate::json::json_text;

/// Rows turned to text at once: some 240 KB, which stay in the cache.
const BLOCK: usize = 512;

/// Writes `results.csv`: UTF-8, LF, a header, a missing value an empty cell, flags joined by `;`.
///
/// The shortest text of half a million figures takes longer than to write it, so all cores make text, a block of
/// rows each in turn, while this thread writes the blocks in order.
pub fn write_results_csv(results: &Results, writer: impl Write + Send) -> Result<()> {
    write_csv(&Table::of(results), writer)
}

pub(crate) fn write_csv(table: &Table, mut writer: impl Write + Send) -> Result<()> {
    let rows = table.rows.len();
    let blocks = rows.div_ceil(BLOCK);
    let makers = thread::available_parallelism().map_or(1, NonZero::get).min(blocks);
    let mut write = || {
        writer.write_all(&header(&table.columns))?;
        thread::scope(|scope| {
            let made: Vec<_> = (0..makers)
                .map(|maker| {
                    let (sender, receiver) = sync_channel(1);
                    let texts = (maker..blocks).step_by(makers).map(|block| {
                        let start = block * BLOCK;
                        body(table, start..rows.min(start + BLOCK))
                    });
                    let make = move || texts.map(|text| sender.send(text)).all(|sent| sent.is_ok());
                    thread::Builder::new().spawn_scoped(scope, make).map(|_| receiver)
                })
                .collect::<io::Result<_>>()?;
            for block in 0..blocks {
                let text = made[block % makers].recv().map_err(io::Error::other)?;
                writer.write_all(&text)?;
            }
            writer.flush()
        })
    };
    write().map_err(unwritten)
}

fn header(columns: &[Column]) -> Vec<u8> {
    let mut csv = CsvText::new();
    for column in columns {
        csv.text(&column.name);
    }
    csv.end_row();
    csv.take()
}

fn body(table: &Table, positions: Range<usize>) -> Vec<u8> {
    let mut csv = CsvText::with_room(positions.len() * table.columns.len());
    for position in positions {
        let row = table.rows.at(position);
        for column in &table.columns {
            // Making a `Cell` of each of the most usual takes as long as finding its text.
            match &column.cells {
                Cells::Numbers(numbers) => csv.maybe_number(Some(numbers[row])),
                Cells::MaybeNumbers(numbers) => csv.maybe_number(numbers[row]),
                Cells::Statuses(statuses) => csv.word(statuses[row].name()),
                cells => put(&mut csv, cells.cell(row)),
            }
        }
        csv.end_row();
    }
    csv.take()
}

fn put(csv: &mut CsvText, cell: Cell<'_>) {
    match cell {
        Cell::Number(number) => csv.number(number),
        Cell::Text(words) => csv.text(words),
        Cell::Truth(truth) => csv.word(if truth { "true" } else { "false" }),
        Cell::Flags([]) | Cell::Patterns([]) | Cell::Missing => csv.empty(),
        Cell::Patterns(patterns) => csv.text(&joined(patterns)),
        Cell::Flags(flags) => csv.text(&flags.join(";")),
        Cell::OfMetrics(_) => csv.text(&json_text(&cell)),
    }
}
