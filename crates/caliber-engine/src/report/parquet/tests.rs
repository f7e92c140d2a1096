//! Files written by the parquet crate's own writer, and the same files damaged.

use std::fs::File;
use std::io::{Seek, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array,
    Float64Array, Int8Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray,
    StringViewArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::ParquetReport;
use crate::report::cell::{Cell, Day, Row};
use crate::{Code, Error, Result};

fn bytes_of(columns: Vec<(&str, ArrayRef)>, group_rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn open(bytes: &[u8]) -> Result<ParquetReport> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    ParquetReport::open(file)
}

fn text(text: &str) -> Cell<'static> {
    Cell::Text(text.as_bytes().to_vec().into())
}

fn day(year: i32, month: u8, day: u8) -> Cell<'static> {
    Cell::Day(Day { year, month, day })
}

#[test]
fn every_plain_type_becomes_the_cell_it_means() {
    // 2025-10-13T23:30:00Z, which is the 14th two hours further east.
    let moment = 1_760_398_200_i64;
    let columns: Vec<(&str, ArrayRef, [Cell<'static>; 2])> = vec![
        ("i8", Arc::new(Int8Array::from(vec![Some(-3), None])), [Cell::Number(-3.0), Cell::Missing]),
        (
            "i64",
            Arc::new(Int64Array::from(vec![1 << 40, 7])),
            [Cell::Number(1_099_511_627_776.0), Cell::Number(7.0)],
        ),
        (
            "u64",
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])),
            [Cell::Number(1.844_674_407_370_955_2e19), Cell::Missing],
        ),
        ("f32", Arc::new(Float32Array::from(vec![0.5, f32::INFINITY])), [Cell::Number(0.5), text("inf")]),
        (
            "f64",
            Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NAN)])),
            [Cell::Number(0.1), Cell::Missing],
        ),
        (
            "decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(123_456_789_012_345_678_901), None])
                    .with_precision_and_scale(30, 4)
                    .unwrap(),
            ),
            [Cell::Number(12_345_678_901_234_567.890_1), Cell::Missing],
        ),
        (
            "text",
            Arc::new(StringArray::from(vec![Some("example.com"), Some("")])),
            [text("example.com"), Cell::Missing],
        ),
        (
            "large",
            Arc::new(LargeStringArray::from(vec![Some("münchen.de"), None])),
            [text("münchen.de"), Cell::Missing],
        ),
        (
            "view",
            Arc::new(StringViewArray::from(vec!["a-rather-long-domain.example", "b"])),
            [text("a-rather-long-domain.example"), text("b")],
        ),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![b"caf\xe9".as_slice(), b"x"])),
            [Cell::Text(b"caf\xe9".to_vec().into()), text("x")],
        ),
        (
            "dictionary",
            Arc::new(vec!["one", "two"].into_iter().collect::<DictionaryArray<Int32Type>>()),
            [text("one"), text("two")],
        ),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None])), [text("TRUE"), Cell::Missing]),
        ("date", Arc::new(Date32Array::from(vec![20_374, -1])), [day(2025, 10, 13), day(1969, 12, 31)]),
        (
            "seconds",
            Arc::new(TimestampSecondArray::from(vec![Some(moment), None])),
            [day(2025, 10, 13), Cell::Missing],
        ),
        (
            "micros",
            Arc::new(TimestampMicrosecondArray::from(vec![moment * 1_000_000, -1]).with_timezone("UTC")),
            [day(2025, 10, 13), day(1969, 12, 31)],
        ),
        (
            "nanos",
            Arc::new(TimestampNanosecondArray::from(vec![moment * 1_000_000_000, 0])),
            [day(2025, 10, 13), day(1970, 1, 1)],
        ),
        ("clock", Arc::new(Time64MicrosecondArray::from(vec![1, 2])), [Cell::Missing, Cell::Missing]),
    ];
    let bytes = bytes_of(columns.iter().map(|(name, array, _)| (*name, Arc::clone(array))).collect(), 100);
    let report = open(&bytes).unwrap();
    let rows = report.preview(10).unwrap();
    assert_eq!((rows.len(), report.rows_total()), (2, 2));
    for (column, (name, _, cells)) in columns.iter().enumerate() {
        assert_eq!(report.headers()[column], *name);
        assert_eq!([&rows[0][column], &rows[1][column]], [&cells[0], &cells[1]], "{name}");
    }
}

#[test]
fn nested_columns_keep_their_place_and_are_missing() {
    let list: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), Some(2)])]));
    let pair: ArrayRef = Arc::new(StructArray::from(vec![
        (Arc::new(Field::new("x", DataType::Int64, true)), Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        (Arc::new(Field::new("y", DataType::Int64, true)), Arc::new(Int64Array::from(vec![2])) as ArrayRef),
    ]));
    let spend: ArrayRef = Arc::new(Int64Array::from(vec![9]));
    let report = open(&bytes_of(vec![("list", list), ("pair", pair), ("spend", spend)], 100)).unwrap();
    assert_eq!(report.headers(), ["list", "pair", "spend"]);
    assert_eq!(report.preview(5).unwrap(), [vec![Cell::Missing, Cell::Missing, Cell::Number(9.0)]]);
}

/// A file of 30,000 rows in three row groups: number, text, number.
fn three_groups() -> Vec<u8> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..30_000));
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..30_000).map(|n| format!("site-{}.example", n % 97))));
    let others: ArrayRef = Arc::new(Float64Array::from_iter_values((0..30_000).map(f64::from)));
    bytes_of(vec![("number", numbers), ("text", texts), ("other", others)], 10_000)
}

#[test]
fn only_wanted_columns_are_decoded_and_all_keep_their_positions() {
    let report = open(&three_groups()).unwrap();
    let mut expected = 1;
    report
        .rows(&[2], &mut |first, batch| {
            assert_eq!(first, expected);
            assert!((1..=8192).contains(&batch.len()));
            for index in 0..batch.len() {
                let row = batch.row(index);
                assert_eq!((row.len(), row.cell(0), row.cell(1)), (3, Cell::Missing, Cell::Missing));
                assert_eq!(row.cell(2), Cell::Number((first - 1 + index as u64) as f64));
            }
            expected += batch.len() as u64;
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(expected, 30_001);
    let mut rows = 0;
    report
        .rows(&[], &mut |_, batch| {
            rows += batch.len();
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(rows, 30_000);
}

#[test]
fn row_groups_are_read_apart_by_several_threads() {
    let report = open(&three_groups()).unwrap();
    assert_eq!(report.row_groups(), 3);
    let sum_of = |group| {
        let mut sum = 0.0;
        let outcome = report
            .row_group(group, &[0, 1], &mut |first, batch| {
                for index in 0..batch.len() {
                    let line = first - 1 + index as u64;
                    assert_eq!(batch.row(index).cell(1), text(&format!("site-{}.example", line % 97)));
                    if let Cell::Number(number) = batch.row(index).cell(0) {
                        sum += number;
                    }
                }
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        assert!(outcome.is_continue());
        sum
    };
    let sums: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|group| scope.spawn(move || sum_of(group))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(sums, [49_995_000.0, 149_995_000.0, 249_995_000.0]);
    let error = report.row_group(3, &[0], &mut |_, _| Ok(ControlFlow::Continue(()))).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
}

#[test]
fn reading_stops_when_told_and_fails_with_the_callers_error() {
    let report = open(&three_groups()).unwrap();
    let mut batches = 0;
    report
        .rows(&[0], &mut |_, _| {
            batches += 1;
            Ok(ControlFlow::Break(()))
        })
        .unwrap();
    assert_eq!(batches, 1);
    let error = report.rows(&[0], &mut |_, _| Err(Error::new(Code::Cancelled, "stop"))).unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    assert_eq!(report.preview(20_000).unwrap().len(), 20_000);
}

#[test]
fn a_text_that_stands_in_every_row_is_held_once() {
    // Copied into each row of a batch, one of 10 MB would take 80 GB.
    let long = "x".repeat(10_000);
    let values: ArrayRef = Arc::new(StringArray::from(vec![long.as_str()]));
    let keys = DictionaryArray::<Int32Type>::new(vec![0; 9000].into(), values);
    let report = open(&bytes_of(vec![("text", Arc::new(keys))], 9000)).unwrap();
    let mut rows = 0;
    report
        .rows(&[0], &mut |_, batch| {
            rows += batch.len();
            let (first, last) = (batch.row(0), batch.row(batch.len() - 1));
            let (Cell::Text(first), Cell::Text(last)) = (first.cell(0), last.cell(0)) else {
                panic!("no text")
            };
            assert_eq!(first.as_ref(), long.as_bytes());
            assert!(std::ptr::eq(first.as_ref(), last.as_ref()), "it was copied");
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(rows, 9000);
}

fn read_all(bytes: &[u8]) -> Result<usize> {
    let report = open(bytes)?;
    let mut rows = 0;
    let all: Vec<usize> = (0..report.headers().len()).collect();
    report.rows(&all, &mut |_, batch| {
        rows += batch.len();
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

#[test]
fn truncated_and_foreign_files_say_which_they_are() {
    let whole = three_groups();
    assert_eq!(read_all(&whole).unwrap(), 30_000);
    assert_eq!(open(&whole[..whole.len() / 2]).unwrap_err().code, Code::Truncated);
    assert_eq!(open(b"PAR1").unwrap_err().code, Code::Malformed);
    assert_eq!(open(b"a,b,c\n1,2,3\n4,5,6\n").unwrap_err().code, Code::Malformed);
    let mut encrypted = whole.clone();
    let end = encrypted.len();
    encrypted[end - 4..].copy_from_slice(b"PARE");
    assert_eq!(open(&encrypted).unwrap_err().code, Code::Encrypted);
    let mut footer = whole;
    footer[end - 8..end - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(open(&footer).unwrap_err().code, Code::Malformed | Code::Truncated));
}

#[test]
fn no_damage_of_a_byte_panics_or_takes_the_machines_memory() {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..40).map(|n| format!("site-{}", n % 7))));
    let numbers: ArrayRef =
        Arc::new((0..40).map(|n| (n % 5 != 0).then_some(n * 1000)).collect::<Int64Array>());
    let whole = bytes_of(vec![("text", texts), ("number", numbers)], 25);
    let mut failures = 0;
    for place in 0..whole.len() {
        for mask in [0xff, 0x01, 0x80, 0x10] {
            let mut bytes = whole.clone();
            bytes[place] ^= mask;
            failures += usize::from(read_all(&bytes).is_err());
        }
    }
    assert!(failures > 100, "only {failures}");
}

#[test]
fn a_file_that_is_no_file_is_an_error() {
    let folder = File::open(std::env::temp_dir());
    if let Ok(folder) = folder {
        assert!(ParquetReport::open(folder).is_err());
    }
}

/// A file without pages whose schema is what `elements` says: each a count of children.
fn with_schema(children: &[u32]) -> Vec<u8> {
    let varint = |mut value: u64, into: &mut Vec<u8>| {
        while value >= 0x80 {
            into.push(value as u8 | 0x80);
            value >>= 7;
        }
        into.push(value as u8);
    };
    // Version 1, then the list of schema elements: a name, and the children counted in zigzag.
    let mut footer = vec![0x15, 2, 0x19, 0xfc];
    varint(children.len() as u64, &mut footer);
    for &count in children {
        footer.extend([0x48, 1, b'a']);
        if count > 0 {
            footer.push(0x15);
            varint(u64::from(count) * 2, &mut footer);
        }
        footer.push(0);
    }
    // No rows, no row groups.
    footer.extend([0x16, 0, 0x19, 0x0c, 0]);
    [b"PAR1", &footer[..], &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn a_schema_that_is_endless_in_width_or_depth_is_refused() {
    for children in [vec![i32::MAX as u32, 0], vec![1; 200_000]] {
        let error = open(&with_schema(&children)).unwrap_err();
        assert_eq!(error.code, Code::Malformed);
        assert!(error.message.contains("schema"), "{}", error.message);
    }
    // The same file is understood where the counts are true, if not liked: the columns have no type.
    let error = open(&with_schema(&[2, 0, 0])).unwrap_err();
    assert!(!error.message.contains("schema contradicts"), "{}", error.message);
}

#[test]
fn a_dictionary_of_more_values_than_bytes_is_refused() {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..40).map(|n| format!("site-{}", n % 7))));
    let mut bytes = bytes_of(vec![("text", texts)], 100);
    // The header of the dictionary: field 7, a structure whose first field is the 7 values, zigzag.
    let place = memchr::memmem::find(&bytes, &[0x4c, 0x15, 14]).unwrap();
    assert_eq!(read_all(&bytes).unwrap(), 40);
    bytes[place + 2] = 0x7f;
    let error = read_all(&bytes).unwrap_err();
    assert_eq!(error.code, Code::Malformed);
    assert!(error.message.contains("page"), "{}", error.message);
}
