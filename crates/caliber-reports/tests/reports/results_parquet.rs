use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use caliber_engine::results::Results;
use caliber_reports::write_results_parquet;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::sample::{HEADER, NAMES, figures, nothing, results};

struct Bytes(Vec<u8>);

impl Bytes {
    fn of(results: &Results) -> Self {
        let mut bytes = Vec::new();
        write_results_parquet(results, &mut bytes).unwrap();
        Self(bytes)
    }

    fn batches(self) -> Vec<RecordBatch> {
        let file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut &file, &self.0).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        reader.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect()
    }
}

fn batch(results: &Results) -> RecordBatch {
    Bytes::of(results).batches().remove(0)
}

fn strings(batch: &RecordBatch, name: &str) -> Vec<String> {
    batch[name].as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
}

#[test]
fn the_columns_are_those_of_the_contract_and_then_the_counts_of_each_share() {
    let schema = batch(&results()).schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names[..20], HEADER);
    assert_eq!(names[20..], ["ctr_events", "ctr_trials"]);
    for field in schema.fields() {
        let expected = match field.name().as_str() {
            "domain" | "quality_status" => DataType::Utf8,
            "percentile_rank" => DataType::Int32,
            "is_outlier" => DataType::Boolean,
            "outlier_flags" | "quality_flags" => DataType::new_list(DataType::Utf8, true),
            _ => DataType::Float64,
        };
        assert_eq!(*field.data_type(), expected, "{}", field.name());
    }
}

#[test]
fn every_figure_is_the_same_bit_for_bit_and_missing_ones_are_null() {
    let results = results();
    let batch = batch(&results);
    let schema = batch.schema();
    let numeric = schema.fields().iter().filter(|field| *field.data_type() == DataType::Float64);
    for name in numeric.map(|field| field.name()) {
        let column = batch[name.as_str()].as_primitive::<Float64Type>();
        let read: Vec<_> = column.iter().map(|figure| figure.map(f64::to_bits)).collect();
        let expected: Vec<_> =
            figures(&results, name).into_iter().map(|figure| figure.map(f64::to_bits)).collect();
        assert_eq!(read, expected, "{name}");
    }
    let ranks = batch["percentile_rank"].as_primitive::<Int32Type>();
    assert_eq!(ranks.values().to_vec(), [100, 88, 75, 63, 50, 38, 25, 13, 0]);
}

#[test]
fn names_are_never_neutralised_and_flags_are_lists() {
    let batch = batch(&results());
    assert_eq!(strings(&batch, "domain"), NAMES);
    assert_eq!(strings(&batch, "quality_status")[..3], ["good", "good", "moderate"]);
    let flags = batch["outlier_flags"].as_list::<i32>();
    let second = flags.value(1);
    assert_eq!(
        second.as_string::<i32>().iter().flatten().collect::<Vec<_>>(),
        ["cpm_outlier", "ctr_outlier"]
    );
    assert_eq!((flags.null_count(), flags.value(2).len()), (0, 0));
    let outliers = batch["is_outlier"].as_boolean();
    assert_eq!((0..3).map(|row| outliers.value(row)).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn words_that_repeat_stand_once_in_a_dictionary() {
    let file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut &file, &Bytes::of(&results()).0).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let columns = reader.metadata().row_group(0).columns();
    let with_dictionary = columns.iter().filter(|column| column.dictionary_page_offset().is_some());
    let names: Vec<_> = with_dictionary.map(|column| column.column_path().parts()[0].as_str()).collect();
    assert_eq!(names, ["quality_status", "outlier_flags", "quality_flags"]);
}

#[test]
fn no_row_leaves_the_columns() {
    let file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut &file, &Bytes::of(&nothing()).0).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.schema().fields().len(), 22);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
}

#[test]
fn what_is_not_finite_is_null() {
    let mut results = results();
    results.scores[1] = f64::NAN;
    let batch = batch(&results);
    let scores = batch["score"].as_primitive::<Float64Type>();
    assert_eq!((scores.null_count(), scores.is_null(1)), (1, true));
}

#[test]
fn more_rows_than_a_group_stay_in_order() {
    let mut results = nothing();
    let rows = 70_000;
    results.names = (0..rows).map(|row| format!("site-{row}.example")).collect();
    for column in [&mut results.scores, &mut results.percentiles, &mut results.impressions] {
        *column = (0..rows).map(|row| f64::from(row) / 7e3).collect();
    }
    for column in [&mut results.clicks, &mut results.spend] {
        *column = None;
    }
    results.statuses = vec![caliber_engine::results::Status::Poor; rows as usize];
    results.extras.clear();
    results.metrics.clear();
    results.outlier_flags = vec![vec!["a".into()]; rows as usize];
    results.quality_flags = vec![Vec::new(); rows as usize];
    let batches = Bytes::of(&results).batches();
    let names: Vec<_> = batches.iter().flat_map(|batch| strings(batch, "domain")).collect();
    assert_eq!(names, results.names);
    let scores =
        batches.iter().flat_map(|batch| batch["score"].as_primitive::<Float64Type>().values().to_vec());
    assert_eq!(scores.collect::<Vec<_>>(), results.scores);
}

#[test]
fn a_full_disk_is_an_error_of_the_machine() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = write_results_parquet(&results(), full).unwrap_err();
    assert_eq!(error.code, caliber_engine::Code::Machine);
    assert!(error.message.contains("No space left on device"), "{error}");
}
