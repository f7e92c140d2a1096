use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use caliber_engine::Code;
use caliber_engine::results::Results;
use caliber_reports::{restore, write_results_xlsx};

use crate::sample::{HEADER, NAMES, figures, nothing, results};

fn bytes(results: &Results) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    write_results_xlsx(results, scratch.path(), &mut bytes).unwrap();
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "scratch is left clean");
    bytes
}

fn rows(results: &Results) -> Vec<Vec<Data>> {
    let mut workbook = Xlsx::new(Cursor::new(bytes(results))).unwrap();
    assert_eq!(workbook.sheet_names(), ["Results"]);
    workbook.worksheet_range("Results").unwrap().rows().map(<[Data]>::to_vec).collect()
}

fn word(cell: &Data) -> &str {
    match cell {
        Data::String(text) => text,
        Data::Empty => "",
        other => panic!("{other:?} is no text"),
    }
}

#[test]
fn the_columns_are_those_of_the_contract_in_order() {
    assert_eq!(rows(&results())[0].iter().map(word).collect::<Vec<_>>(), HEADER);
}

#[test]
fn every_figure_is_a_number_cell_with_the_same_bits_and_missing_ones_are_empty() {
    let results = results();
    let rows = rows(&results);
    assert_eq!(rows.len(), results.len() + 1);
    for (position, name) in
        HEADER.iter().enumerate().filter(|(position, _)| ![0, 4, 17, 18, 19].contains(position))
    {
        for (row, expected) in figures(&results, name).into_iter().enumerate() {
            let read = match &rows[row + 1][position] {
                Data::Float(figure) => Some(figure.to_bits()),
                Data::Empty => None,
                other => panic!("{name} of row {row} is {other:?}"),
            };
            assert_eq!(read, expected.map(f64::to_bits), "{name} of row {row}");
        }
    }
}

#[test]
fn formulas_are_neutralised_digits_stay_text_and_every_name_can_be_restored() {
    let rows = rows(&results());
    for (row, name) in NAMES.iter().enumerate() {
        let cell = word(&rows[row + 1][0]);
        assert_eq!(cell.starts_with('\'') && cell.len() == name.len() + 1, row < 4, "{cell}");
        assert_eq!(restore(cell), *name);
    }
    assert_eq!(rows[8][0], Data::String("291097".into()));
}

#[test]
fn words_and_flags_stand_as_they_are() {
    let rows = rows(&results());
    assert_eq!([word(&rows[1][4]), word(&rows[9][4])], ["good", "poor"]);
    assert_eq!(rows[2][17..19], [Data::Bool(true), Data::String("cpm_outlier;ctr_outlier".into())]);
    assert_eq!([word(&rows[2][19]), word(&rows[3][18])], ["", ""]);
    assert_eq!(rows[3][17], Data::Bool(false));
}

#[test]
fn control_characters_and_escapes_survive() {
    let mut results = results();
    results.names[0] = "a\u{1}b".into();
    results.names[1] = "_x0041_".into();
    results.names[2] = " padded <&> ".into();
    let rows = rows(&results);
    assert_eq!(word(&rows[1][0]), "a\u{1}b");
    assert_eq!(word(&rows[2][0]), "_x0041_");
    assert_eq!(word(&rows[3][0]), " padded <&> ");
}

#[test]
fn the_header_is_bold_and_frozen_and_filters() {
    let bytes = bytes(&results());
    let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("state=\"frozen\"") && sheet.contains("<autoFilter ref=\"A1:T10\"/>"), "{sheet}");
    assert!(sheet.contains("<cols>"));
    assert!(part(&bytes, "xl/styles.xml").contains("<b/>"));
}

fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let first = bytes(&results());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(first, bytes(&results()));
}

#[test]
fn no_row_leaves_the_header() {
    assert_eq!(rows(&nothing()).len(), 1);
}

#[test]
fn what_is_not_finite_is_empty() {
    let mut results = results();
    results.scores[0] = f64::NAN;
    assert_eq!(rows(&results)[1][1], Data::Empty);
}

#[test]
fn more_rows_than_a_sheet_holds_are_refused_before_anything_is_written() {
    let mut results = nothing();
    results.names = vec![String::new(); 1_048_576];
    let mut bytes = Vec::new();
    let error = write_results_xlsx(&results, &std::env::temp_dir(), &mut bytes).unwrap_err();
    assert_eq!((error.code, bytes.len()), (Code::TooLarge, 0));
}

#[test]
fn a_name_longer_than_a_cell_is_refused() {
    let mut results = results();
    results.names[4] = "x".repeat(32_768);
    let error = write_results_xlsx(&results, &std::env::temp_dir(), Vec::new()).unwrap_err();
    assert_eq!(error.code, Code::TooLarge);
}

#[test]
fn a_full_disk_and_a_missing_scratch_folder_are_errors_of_the_machine() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = write_results_xlsx(&results(), &std::env::temp_dir(), full).unwrap_err();
    assert_eq!(error.code, Code::Machine);
    assert!(error.message.contains("No space left on device"), "{error}");

    let gone = tempfile::tempdir().unwrap().path().join("gone");
    let error = write_results_xlsx(&results(), &gone, Vec::new()).unwrap_err();
    assert_eq!(error.code, Code::Machine);
    assert!(error.message.contains("No such file"), "{error}");
}

/// Writes where files may not grow: the child of the test below.
#[test]
#[ignore = "the child process of another test"]
fn write_where_files_may_not_grow() {
    let Some(scratch) = std::env::var_os("CALIBER_TEST_SCRATCH") else { return };
    let error = write_results_xlsx(&results(), std::path::Path::new(&scratch), Vec::new()).unwrap_err();
    println!("{:?}: {error}", error.code);
}

#[test]
fn a_temporary_file_that_cannot_grow_is_an_error_of_the_machine() {
    let scratch = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact \"$1\" --ignored --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg("results_xlsx::write_where_files_may_not_grow")
        .env("CALIBER_TEST_SCRATCH", scratch.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Machine: cannot write the file: its temporary file in "), "{text}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}
