//! `results.json` and the other JSON documents.

use std::io::Write;

use caliber_engine::Result;
use caliber_engine::results::Results;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::columns::{Cell, Column, columns};
use crate::failure::unwritten;
use crate::number_text;

/// Writes `results.json`: one array of flat objects, one object a line, streamed.
pub fn write_results_json(results: &Results, mut writer: impl Write + Send) -> Result<()> {
    let columns = columns(results);
    let mut before = "[\n";
    for row in 0..results.len() {
        writer.write_all(before.as_bytes()).map_err(unwritten)?;
        serde_json::to_writer(&mut writer, &Row { columns: &columns, row })
            .map_err(|error| unwritten(error.into()))?;
        before = ",\n";
    }
    let end = if results.is_empty() { "[]\n" } else { "\n]\n" };
    writer.write_all(end.as_bytes()).and_then(|()| writer.flush()).map_err(unwritten)
}

/// Writes a document such as `summary.json`, indented, with a line end.
pub fn write_json_pretty(document: &impl Serialize, mut writer: impl Write + Send) -> Result<()> {
    serde_json::to_writer_pretty(&mut writer, document).map_err(|error| unwritten(error.into()))?;
    writer.write_all(b"\n").and_then(|()| writer.flush()).map_err(unwritten)
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
            Cell::Number(number) => match number_text::whole(number) {
                Some(whole) => serializer.serialize_i64(whole),
                None => serializer.serialize_f64(number),
            },
            Cell::Truth(truth) => serializer.serialize_bool(truth),
            Cell::Flags(flags) => flags.serialize(serializer),
            Cell::Missing => serializer.serialize_unit(),
        }
    }
}
