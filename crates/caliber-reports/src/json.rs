//! `results.json` and the other JSON documents.

use std::io::{self, Write};

use caliber_engine::Result;
use caliber_engine::results::Results;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::columns::{Aspect, Cell, Column, OfMetrics, Table};
use crate::failure::unwritten;
use crate::number_text;

/// Writes `results.json`: one array of flat objects, one object a line, streamed.
pub fn write_results_json(results: &Results, writer: impl Write + Send) -> Result<()> {
    write_json(&Table::of(results), writer)
}

pub(crate) fn write_json(table: &Table, mut writer: impl Write) -> Result<()> {
    let mut before = "[\n";
    for position in 0..table.rows.len() {
        writer.write_all(before.as_bytes()).map_err(unwritten)?;
        let row = Row { columns: &table.columns, row: table.rows.at(position) };
        serde_json::to_writer(&mut writer, &row).map_err(|error| unwritten(error.into()))?;
        before = ",\n";
    }
    let end = if table.rows.len() == 0 { "[]\n" } else { "\n]\n" };
    writer.write_all(end.as_bytes()).and_then(|()| writer.flush()).map_err(unwritten)
}

/// Writes a document such as `summary.json`, indented, with a line end; whole numbers without `.0`.
pub fn write_json_pretty(document: &impl Serialize, mut writer: impl Write) -> Result<()> {
    let formatter = Pretty(PrettyFormatter::new());
    let mut serializer = serde_json::Serializer::with_formatter(&mut writer, formatter);
    document.serialize(&mut serializer).map_err(|error| unwritten(error.into()))?;
    writer.write_all(b"\n").and_then(|()| writer.flush()).map_err(unwritten)
}

/// A document on one line, with its numbers as in all our files.
///
/// # Errors
/// Where a key is no text, which none of ours is.
pub fn json_line(document: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, Compact);
    document.serialize(&mut serializer).map_err(|error| unwritten(error.into()))?;
    Ok(line)
}

/// A cell that is an object in JSON, as the formats without objects hold it.
pub(crate) fn json_text(cell: &Cell) -> String {
    // Its keys are texts and its values figures, which cannot fail.
    serde_json::to_string(cell).unwrap_or_default()
}

/// Writes numbers as all our files do, without blanks.
struct Compact;

impl Formatter for Compact {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match number_text::whole(value) {
            Some(whole) => self.write_i64(writer, whole),
            None => CompactFormatter.write_f64(writer, value),
        }
    }
}

/// Indents as `serde_json` does, and writes numbers as all our files do.
struct Pretty(PrettyFormatter<'static>);

impl Formatter for Pretty {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match number_text::whole(value) {
            Some(whole) => self.0.write_i64(writer, whole),
            None => self.0.write_f64(writer, value),
        }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

struct Row<'a> {
    columns: &'a [Column<'a>],
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            object.serialize_entry(column.name.as_ref(), &column.cells.cell(self.row))?;
        }
        object.end()
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match *self {
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Number(number) => Figure(number).serialize(serializer),
            Cell::Truth(truth) => serializer.serialize_bool(truth),
            Cell::Flags(flags) => flags.serialize(serializer),
            Cell::Patterns(patterns) => patterns.serialize(serializer),
            Cell::OfMetrics(metrics) => metrics.serialize(serializer),
            Cell::Missing => serializer.serialize_unit(),
        }
    }
}

impl Serialize for OfMetrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.metrics.len()))?;
        for metric in self.metrics {
            let value = metric.values[self.row].map(Figure);
            // A missing value counts 0 in the score and is no 0 to the reader.
            let normalized = value.map(|_| Figure(metric.normalized[self.row]));
            match self.aspect {
                Aspect::Value => object.serialize_entry(&metric.name, &value)?,
                Aspect::Normalized => object.serialize_entry(&metric.name, &normalized)?,
                Aspect::Breakdown => {
                    let (weight, contribution) =
                        (Figure(metric.weight), Figure(metric.contributions[self.row]));
                    let breakdown = Breakdown { value, normalized, weight, contribution };
                    object.serialize_entry(&metric.name, &breakdown)?;
                }
            }
        }
        object.end()
    }
}

/// What one metric gives to the score of a row.
#[derive(serde::Serialize)]
struct Breakdown {
    value: Option<Figure>,
    normalized: Option<Figure>,
    weight: Figure,
    contribution: Figure,
}

/// A figure as all our JSON writes it: without a fraction where it is whole, `null` where it is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure(pub f64);

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match number_text::whole(self.0) {
            Some(whole) => serializer.serialize_i64(whole),
            None if self.0.is_finite() => serializer.serialize_f64(self.0),
            None => serializer.serialize_unit(),
        }
    }
}
