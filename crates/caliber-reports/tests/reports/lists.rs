use caliber_reports::{write_list_csv, write_list_text};

use crate::sample::results;

#[test]
fn plain_lists_hold_a_name_a_line_in_list_order() {
    let mut bytes = Vec::new();
    write_list_text(&results(), &[7, 6, 0], &mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "291097\nemoji 🎯 é\n=HYPERLINK(\"http://x\")\n");
}

#[test]
fn a_line_break_in_a_name_makes_no_second_entry() {
    let mut bytes = Vec::new();
    write_list_text(&results(), &[5], &mut bytes).unwrap();
    assert_eq!(bytes, b"two lines\n");
}

#[test]
fn lists_with_reasons_have_the_five_columns_and_ask_by_row_number() {
    let mut bytes = Vec::new();
    let reason = |row| format!("=row {row}, \"quoted\"");
    write_list_csv(&results(), &[8, 1], reason, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("name,score,impressions,spend,reason\n'plain,0,255.5,"), "{text}");
    let rows: Vec<_> = csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect();
    let second: Vec<_> = rows[1].iter().collect();
    assert_eq!(
        second,
        ["'@sum.example", "0.30000000000000004", "1000000", "12.006666666666666", "'=row 1, \"quoted\""]
    );
}

#[test]
fn spend_that_the_report_lacks_is_empty() {
    let mut results = results();
    results.spend = None;
    let mut bytes = Vec::new();
    write_list_csv(&results, &[0], |_| String::new(), &mut bytes).unwrap();
    assert!(String::from_utf8(bytes).unwrap().ends_with(",100,1077,,\n"));
}

#[test]
fn an_empty_list_is_an_empty_file_and_a_header() {
    let (mut text, mut table) = (Vec::new(), Vec::new());
    write_list_text(&results(), &[], &mut text).unwrap();
    write_list_csv(&results(), &[], |_| String::new(), &mut table).unwrap();
    assert_eq!((text.len(), table.as_slice()), (0, b"name,score,impressions,spend,reason\n".as_slice()));
}

#[test]
fn a_full_disk_is_an_error_of_the_machine() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let text = write_list_text(&results(), &[0], std::io::BufWriter::new(full())).unwrap_err();
    let table = write_list_csv(&results(), &[0], |_| String::new(), full()).unwrap_err();
    for error in [text, table] {
        assert_eq!(error.code, caliber_engine::Code::Machine);
        assert!(error.message.contains("No space left on device"), "{error}");
    }
}

#[test]
fn a_long_list_keeps_every_row() {
    let rows: Vec<usize> = (0..9).cycle().take(20_000).collect();
    let mut bytes = Vec::new();
    write_list_csv(&results(), &rows, |row| row.to_string(), &mut bytes).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let reasons = reader.records().map(|record| record.unwrap()[4].parse::<usize>().unwrap());
    assert_eq!(reasons.collect::<Vec<_>>(), rows);
}
