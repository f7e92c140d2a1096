//! A batch of rows, its columns turned into cells once.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, RecordBatch, StringViewArray};
use arrow_schema::{DataType, TimeUnit};

use crate::report::calendar::day_since_1970;
use crate::report::cell::{Cell, Day, Row};

/// Whether cells can be made of a type; not of nested ones, times of day and durations.
pub(super) fn is_readable(kind: &DataType) -> bool {
    kind.is_numeric()
        || matches!(
            kind,
            DataType::Boolean
                | DataType::Utf8View
                | DataType::BinaryView
                | DataType::FixedSizeBinary(_)
                | DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(..)
        )
}

/// Up to 8192 rows.
#[derive(Debug)]
pub struct Batch {
    columns: Vec<Column>,
    rows: usize,
}

/// One row of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchRow<'a> {
    batch: &'a Batch,
    row: usize,
}

/// A column's values; missing ones are NaN among the numbers.
#[derive(Debug)]
enum Column {
    Missing,
    Numbers(Vec<f64>),
    Days(Vec<Option<Day>>),
    Booleans(BooleanArray),
    Texts(StringViewArray),
    Bytes(BinaryViewArray),
    FixedBytes(FixedSizeBinaryArray),
}

impl Batch {
    /// Puts the columns read back to where the file has them.
    pub(super) fn new(width: usize, columns: &[usize], records: &RecordBatch) -> Self {
        let mut batch = Self::blank(width, records.num_rows());
        for (&column, array) in columns.iter().zip(records.columns()) {
            batch.columns[column] = Column::of(array.as_ref());
        }
        batch
    }

    pub(super) fn blank(width: usize, rows: usize) -> Self {
        Self { columns: (0..width).map(|_| Column::Missing).collect(), rows }
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// A row, counted from 0; beyond the last one its cells are missing.
    pub fn row(&self, row: usize) -> BatchRow<'_> {
        BatchRow { batch: self, row }
    }
}

impl BatchRow<'_> {
    /// Its place in the batch, counted from 0.
    pub fn index(&self) -> usize {
        self.row
    }
}

impl Row for BatchRow<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.batch.columns.get(column) {
            Some(column) if self.row < self.batch.rows => column.cell(self.row),
            _ => Cell::Missing,
        }
    }

    fn len(&self) -> usize {
        self.batch.columns.len()
    }
}

impl Column {
    fn of(array: &dyn Array) -> Self {
        match array.data_type() {
            DataType::Int8 => numbers::<Int8Type>(array, f64::from),
            DataType::Int16 => numbers::<Int16Type>(array, f64::from),
            DataType::Int32 => numbers::<Int32Type>(array, f64::from),
            DataType::Int64 => numbers::<Int64Type>(array, |value| value as f64),
            DataType::UInt8 => numbers::<UInt8Type>(array, f64::from),
            DataType::UInt16 => numbers::<UInt16Type>(array, f64::from),
            DataType::UInt32 => numbers::<UInt32Type>(array, f64::from),
            DataType::UInt64 => numbers::<UInt64Type>(array, |value| value as f64),
            DataType::Float16 => numbers::<Float16Type>(array, f64::from),
            DataType::Float32 => numbers::<Float32Type>(array, f64::from),
            DataType::Float64 => numbers::<Float64Type>(array, |value| value),
            DataType::Decimal32(precision, scale) => decimals::<Decimal32Type>(array, *precision, *scale),
            DataType::Decimal64(precision, scale) => decimals::<Decimal64Type>(array, *precision, *scale),
            DataType::Decimal128(precision, scale) => decimals::<Decimal128Type>(array, *precision, *scale),
            DataType::Decimal256(precision, scale) => decimals::<Decimal256Type>(array, *precision, *scale),
            DataType::Date32 => days::<Date32Type>(array, i64::from, 1, 0),
            DataType::Date64 => days::<Date64Type>(array, |value| value, 86_400_000, 0),
            DataType::Timestamp(unit, zone) => {
                let offset = zone.as_deref().map_or(0, offset_seconds);
                match unit {
                    TimeUnit::Second => days::<TimestampSecondType>(array, |v| v, 86_400, offset),
                    TimeUnit::Millisecond => {
                        days::<TimestampMillisecondType>(array, |v| v, 86_400_000, offset * 1000)
                    }
                    TimeUnit::Microsecond => {
                        days::<TimestampMicrosecondType>(array, |v| v, 86_400_000_000, offset * 1_000_000)
                    }
                    TimeUnit::Nanosecond => days::<TimestampNanosecondType>(
                        array,
                        |v| v,
                        86_400_000_000_000,
                        offset * 1_000_000_000,
                    ),
                }
            }
            DataType::Boolean => array.as_boolean_opt().cloned().map_or(Self::Missing, Self::Booleans),
            DataType::Utf8View => array.as_string_view_opt().cloned().map_or(Self::Missing, Self::Texts),
            DataType::BinaryView => array.as_binary_view_opt().cloned().map_or(Self::Missing, Self::Bytes),
            DataType::FixedSizeBinary(_) => {
                array.as_fixed_size_binary_opt().cloned().map_or(Self::Missing, Self::FixedBytes)
            }
            _ => Self::Missing,
        }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        let bytes = match self {
            Self::Missing => return Cell::Missing,
            Self::Numbers(values) => return number(values[row]),
            Self::Days(values) => return values[row].map_or(Cell::Missing, Cell::Day),
            Self::Booleans(values) if values.is_valid(row) => {
                if values.value(row) {
                    b"TRUE".as_slice()
                } else {
                    b"FALSE"
                }
            }
            Self::Texts(values) if values.is_valid(row) => values.value(row).as_bytes(),
            Self::Bytes(values) if values.is_valid(row) => values.value(row),
            Self::FixedBytes(values) if values.is_valid(row) => values.value(row),
            Self::Booleans(_) | Self::Texts(_) | Self::Bytes(_) | Self::FixedBytes(_) => {
                return Cell::Missing;
            }
        };
        if bytes.is_empty() { Cell::Missing } else { Cell::Text(Cow::Borrowed(bytes)) }
    }
}

/// An infinity is no figure of a report, but it was there: said as text, so that it is counted as unreadable.
fn number(value: f64) -> Cell<'static> {
    if value.is_finite() {
        Cell::Number(value)
    } else if value.is_nan() {
        Cell::Missing
    } else {
        Cell::Text(Cow::Borrowed(if value > 0.0 { b"inf" } else { b"-inf" }))
    }
}

fn numbers<T: ArrowPrimitiveType>(array: &dyn Array, as_f64: impl Fn(T::Native) -> f64) -> Column {
    let Some(array) = array.as_primitive_opt::<T>() else { return Column::Missing };
    if array.null_count() == 0 {
        return Column::Numbers(array.values().iter().map(|&value| as_f64(value)).collect());
    }
    Column::Numbers(array.iter().map(|value| value.map_or(f64::NAN, &as_f64)).collect())
}

/// Decimals to the nearest f64: by way of their digits, since two roundings are not one.
fn decimals<T: DecimalType>(array: &dyn Array, precision: u8, scale: i8) -> Column {
    let Some(array) = array.as_primitive_opt::<T>() else { return Column::Missing };
    let nearest = |value| T::format_decimal(value, precision, scale).parse().unwrap_or(f64::NAN);
    Column::Numbers(array.iter().map(|value| value.map_or(f64::NAN, nearest)).collect())
}

/// Moments to days: units since 1970, moved by the zone's offset.
fn days<T: ArrowPrimitiveType>(
    array: &dyn Array,
    as_i64: impl Fn(T::Native) -> i64,
    units_a_day: i64,
    offset: i64,
) -> Column {
    let Some(array) = array.as_primitive_opt::<T>() else { return Column::Missing };
    let day = |value| day_since_1970(as_i64(value).saturating_add(offset).div_euclid(units_a_day));
    Column::Days(array.iter().map(|value| value.and_then(day)).collect())
}

/// A zone written as an offset, `+02:00`; zones by name are read as UTC.
fn offset_seconds(zone: &str) -> i64 {
    let sign = match zone.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return 0,
    };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    match (digits.get(..2).map(str::parse::<i64>), digits.get(2..4).map(str::parse::<i64>)) {
        (Some(Ok(hours)), Some(Ok(minutes))) => sign * (hours * 3600 + minutes * 60),
        _ => 0,
    }
}
