//! The results files as tables of typed cells, so that the formats can be compared cell by cell.

use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use calamine::{Data, Reader, Xlsx, open_workbook};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::call::Place;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Missing,
    Number(f64),
    Text(String),
    Truth(bool),
    Flags(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    #[track_caller]
    pub(crate) fn position(&self, column: &str) -> usize {
        let found = self.columns.iter().position(|name| name == column);
        found.unwrap_or_else(|| panic!("no column {column} among {:?}", self.columns))
    }

    /// The name of each row.
    pub(crate) fn names(&self) -> Vec<String> {
        self.rows.iter().map(|row| row[0].text().to_owned()).collect()
    }

    /// A column of numbers, NaN where one is missing.
    #[track_caller]
    pub(crate) fn numbers(&self, column: &str) -> Vec<f64> {
        let at = self.position(column);
        self.rows.iter().map(|row| row[at].number().unwrap_or(f64::NAN)).collect()
    }

    #[track_caller]
    pub(crate) fn texts(&self, column: &str) -> Vec<String> {
        let at = self.position(column);
        self.rows.iter().map(|row| row[at].text().to_owned()).collect()
    }

    /// Fails where a cell of the other is not the same: numbers within a share of themselves, all else exactly.
    /// Rows are compared by name.
    #[track_caller]
    pub(crate) fn assert_close(&self, other: &Self, within: f64, what: &str) {
        if let Some(difference) = self.difference(other, within) {
            panic!("{what}: {difference}");
        }
    }

    pub(crate) fn difference(&self, other: &Self, within: f64) -> Option<String> {
        if self.columns != other.columns {
            return Some(format!("columns {:?} and {:?}", self.columns, other.columns));
        }
        let sorted = |table: &Self| {
            let mut rows = table.rows.clone();
            rows.sort_by(|a, b| a[0].text().cmp(b[0].text()));
            rows
        };
        if self.rows.len() != other.rows.len() {
            return Some(format!("{} rows and {}", self.rows.len(), other.rows.len()));
        }
        for (left, right) in sorted(self).iter().zip(&sorted(other)) {
            for (at, (a, b)) in left.iter().zip(right).enumerate() {
                if !a.is_close(b, within) {
                    return Some(format!("{:?}, {}: {a:?} and {b:?}", left[0], self.columns[at]));
                }
            }
        }
        None
    }
}

impl Cell {
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn is_close(&self, other: &Self, within: f64) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => {
                a == b || (a - b).abs() <= within * a.abs().max(b.abs()).max(1.0)
            }
            (a, b) => a == b,
        }
    }
}

fn is_text(column: &str) -> bool {
    ["domain", "supply_vendor", "quality_status", "decision", "decision_reason"].contains(&column)
}

fn is_flags(column: &str) -> bool {
    ["outlier_flags", "quality_flags", "known_metrics", "patterns"].contains(&column)
}

/// Undoes what keeps spreadsheets from running text.
fn restored(text: &str) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest.to_owned(),
        _ => text.to_owned(),
    }
}

fn flags(joined: &str) -> Cell {
    Cell::Flags(joined.split(';').filter(|flag| !flag.is_empty()).map(str::to_owned).collect())
}

fn from_text(column: &str, text: &str) -> Cell {
    match text {
        text if is_flags(column) => flags(text),
        "" => Cell::Missing,
        text if is_text(column) => Cell::Text(restored(text)),
        "true" => Cell::Truth(true),
        "false" => Cell::Truth(false),
        number => Cell::Number(number.parse().unwrap_or_else(|_| panic!("{column}: {number}"))),
    }
}

/// `results.csv` of a folder.
#[track_caller]
pub(crate) fn csv(place: &Place, folder: &str) -> Table {
    let text = place.read(&format!("{folder}/results.csv"));
    assert!(!text.contains('\r') && text.ends_with('\n') && !text.starts_with('\u{feff}'), "UTF-8 and LF");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let cells = |record: csv::StringRecord| {
        columns.iter().zip(record.iter()).map(|(column, text)| from_text(column, text)).collect()
    };
    let rows = reader.records().map(|record| cells(record.unwrap())).collect();
    Table { columns, rows }
}

/// `results.json` of a folder.
pub(crate) fn json(place: &Place, folder: &str) -> Table {
    let array = place.json(&format!("{folder}/results.json"));
    let objects: Vec<_> = array.as_array().unwrap().iter().map(|row| row.as_object().unwrap()).collect();
    let columns: Vec<String> = objects[0].keys().cloned().collect();
    let cell = |value: &Value| match value {
        Value::Null => Cell::Missing,
        Value::Bool(truth) => Cell::Truth(*truth),
        Value::Number(number) => Cell::Number(number.as_f64().unwrap()),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Array(flags) => {
            Cell::Flags(flags.iter().map(|flag| flag.as_str().unwrap().to_owned()).collect())
        }
        Value::Object(_) => panic!("results.json is not flat"),
    };
    let row = |object: &&serde_json::Map<String, Value>| {
        assert!(object.keys().eq(&columns), "each object has all keys, in order");
        object.values().map(cell).collect()
    };
    let rows = objects.iter().map(row).collect();
    Table { columns, rows }
}

/// The sheet `Results` of `results.xlsx` of a folder.
pub(crate) fn xlsx(place: &Place, folder: &str) -> Table {
    let mut workbook: Xlsx<_> = open_workbook(place.path(folder).join("results.xlsx")).unwrap();
    let range = workbook.worksheet_range("Results").unwrap();
    let mut rows = range.rows();
    let columns: Vec<String> = rows.next().unwrap().iter().map(ToString::to_string).collect();
    let cell = |column: &str, data: &Data| match data {
        data if is_flags(column) => flags(&data.to_string()),
        Data::Empty => Cell::Missing,
        Data::Bool(truth) => Cell::Truth(*truth),
        Data::Float(number) => Cell::Number(*number),
        Data::Int(number) => Cell::Number(*number as f64),
        Data::String(text) => Cell::Text(restored(text)),
        other => panic!("{column}: {other:?}"),
    };
    let rows =
        rows.map(|row| columns.iter().zip(row).map(|(column, data)| cell(column, data)).collect()).collect();
    Table { columns, rows }
}

/// `results.parquet` of a folder.
pub(crate) fn parquet(place: &Place, folder: &str) -> Table {
    let file = File::open(place.path(folder).join("results.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let columns: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|array| arrow_cell(array, row)).collect());
        }
    }
    Table { columns, rows }
}

fn arrow_cell(array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Missing;
    }
    match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Float64 => Cell::Number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Int32 => Cell::Number(f64::from(array.as_primitive::<Int32Type>().value(row))),
        DataType::Boolean => Cell::Truth(array.as_boolean().value(row)),
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            Cell::Flags(list.as_string::<i32>().iter().map(|flag| flag.unwrap().to_owned()).collect())
        }
        other => panic!("{other}"),
    }
}
