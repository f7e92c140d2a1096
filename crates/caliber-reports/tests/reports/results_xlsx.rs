use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use caliber_engine::results::Results;
use caliber_engine::{Code, Error};
use caliber_reports::{restore, write_results_xlsx};

use crate::sample::{Facts, HEADER, NAMES, figures, nothing, results};

fn bytes(results: &Results) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    write_results_xlsx(&Facts::of(results).report(results), scratch.path(), &mut bytes).unwrap();
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "scratch is left clean");
    bytes
}

/// What writing these results fails with.
fn refusal(results: &Results, scratch: &std::path::Path, writer: impl std::io::Write + Send) -> Error {
    write_results_xlsx(&Facts::of(results).report(results), scratch, writer).unwrap_err()
}

fn rows(results: &Results) -> Vec<Vec<Data>> {
    sheet(results, "Results")
}

fn sheet(results: &Results, name: &str) -> Vec<Vec<Data>> {
    let mut workbook = Xlsx::new(Cursor::new(bytes(results))).unwrap();
    assert_eq!(workbook.sheet_names(), ["Summary", "Results", "Allowlist", "Blocklist", "Method"]);
    workbook.worksheet_range(name).unwrap().rows().map(<[Data]>::to_vec).collect()
}

/// The cell beside a text, of rows under a heading.
#[track_caller]
fn beside(rows: &[Vec<Data>], heading: &str, text: &str) -> Data {
    let is = |cell: &Data, wanted: &str| matches!(cell, Data::String(text) if text == wanted);
    let below = rows.iter().skip_while(|row| !is(&row[0], heading));
    let row = below.into_iter().find(|row| is(&row[0], text));
    row.unwrap_or_else(|| panic!("no {text} under {heading}"))[1].clone()
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
    let sheet = part(&bytes, "xl/worksheets/sheet2.xml");
    assert!(sheet.contains("state=\"frozen\"") && sheet.contains("<autoFilter ref=\"A1:T10\"/>"), "{sheet}");
    assert!(sheet.contains("<cols>"));
    assert!(part(&bytes, "xl/styles.xml").contains("<b/>"));
}

#[test]
fn figures_are_formatted_by_what_they_are_and_money_has_its_currency() {
    let bytes = bytes(&results());
    let styles = part(&bytes, "xl/styles.xml");
    let sheet = part(&bytes, "xl/worksheets/sheet2.xml");
    for (cell, code) in [
        ("B2", "0.0"),
        ("D2", "0"),
        ("F2", "#,##0"),
        ("I2", "&quot;USD &quot;#,##0.00"),
        ("L2", "&quot;USD &quot;#,##0.00"),
        ("M2", "0.0"),
        ("N2", "0.00"),
        ("O2", "[&lt;0.01]0.000%;0.0%"),
    ] {
        assert_eq!(format_code(&sheet, &styles, cell), code, "{cell}");
    }
}

#[test]
fn columns_are_as_wide_as_their_widest_figure_with_its_currency() {
    let mut results = results();
    let spend = vec![11_296_173.08; results.len()];
    let total = 11_296_173.08 * results.len() as f64;
    results.spend = Some(spend);
    results.names[0] = "a-host-with-quite-a-long-name.of-a-site.example".into();
    let mut facts = Facts::of(&results);
    facts.run.currency = Some("IDR".into());
    let scratch = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    write_results_xlsx(&facts.report(&results), scratch.path(), &mut bytes).unwrap();
    let width = |sheet: u32, column: u32| {
        let sheet = part(&bytes, &format!("xl/worksheets/sheet{sheet}.xml"));
        let (_, own) = sheet.split_once(&format!("<col min=\"{column}\"")).unwrap();
        let (_, own) = own.split_once("width=\"").unwrap();
        own.split('"').next().unwrap().parse::<f64>().unwrap()
    };
    let spend = "IDR 11,296,173.08".len() as f64;
    assert!(width(2, 9) > spend, "spend is {} wide", width(2, 9));
    assert!(width(2, 1) > results.names[0].len() as f64, "names are {} wide", width(2, 1));
    assert!(width(1, 2) > format!("IDR {total:.2}").len() as f64 + 2.0, "totals are {} wide", width(1, 2));
    for list in [3, 4] {
        assert!(width(list, 4) > 0.0);
    }
    // A number of 300 digits does not make a column of that width.
    assert!((2..=20).all(|column| width(2, column) < 70.0));
}

/// The number format of a cell, by its style in the parts of the workbook.
#[track_caller]
fn format_code(sheet: &str, styles: &str, cell: &str) -> String {
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name}: {text}"));
        rest.split('"').next().unwrap().to_owned()
    };
    let (_, own) = sheet.split_once(&format!("<c r=\"{cell}\"")).unwrap();
    let style: usize = attribute(own, "s").parse().unwrap();
    let (_, formats) = styles.split_once("<cellXfs").unwrap();
    let id = attribute(
        formats.split("<xf ").nth(style + 1).map(|xf| format!(" {xf}")).as_deref().unwrap(),
        "numFmtId",
    );
    match id.as_str() {
        "1" => "0".to_owned(),
        "2" => "0.00".to_owned(),
        "3" => "#,##0".to_owned(),
        id => {
            let (_, own) = styles.split_once(&format!("<numFmt numFmtId=\"{id}\"")).unwrap();
            attribute(own, "formatCode")
        }
    }
}

#[test]
fn the_score_is_coloured_from_0_to_100_and_each_band_has_a_colour() {
    let sheet = part(&bytes(&results()), "xl/worksheets/sheet2.xml");
    let scale = sheet.split("<conditionalFormatting sqref=\"B2:B10\">").nth(1).unwrap();
    let scale = scale.split("</conditionalFormatting>").next().unwrap();
    for part in ["<cfvo type=\"num\" val=\"0\"/>", "val=\"50\"", "val=\"100\"", "colorScale"] {
        assert!(scale.contains(part), "{part}: {scale}");
    }
    for word in ["good", "moderate", "poor"] {
        assert!(sheet.contains(&format!("<formula>\"{word}\"</formula>")), "{word}");
    }
}

#[test]
fn the_chart_shows_the_table_of_bands_which_counts_every_row() {
    let bytes = bytes(&results());
    let chart = part(&bytes, "xl/charts/chart1.xml");
    assert!(chart.contains("<c:barChart>") && chart.contains("Summary!$E$5:$E$14"), "{chart}");
    let rows = sheet(&results(), "Summary");
    let bands: Vec<(String, f64)> = rows[4..14]
        .iter()
        .map(|row| match (&row[3], &row[4]) {
            (Data::String(band), Data::Float(count)) => (band.clone(), *count),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((bands[0].0.as_str(), bands[9].0.as_str()), ("0 to 10", "90 to 100"));
    // 0.3, 0.33, 5e-324, 1e-7 and 0 below 10; the rest is 100 or beyond what a score can be.
    assert_eq!((bands[0].1, bands[9].1), (5.0, 4.0));
    assert_eq!(bands.iter().map(|(_, count)| count).sum::<f64>(), 9.0);
}

#[test]
fn the_summary_tells_the_totals_of_the_rows_and_of_the_lists() {
    let results = results();
    let rows = sheet(&results, "Summary");
    assert_eq!(rows[0][0], Data::String("'=Spring".into()), "a name is no formula");
    assert_eq!(beside(&rows, "Campaign", "Currency"), Data::String("USD".into()));
    assert_eq!(beside(&rows, "Campaign", "Period"), Data::String("2026-03-01 to 2026-03-31".into()));
    let spend: f64 = results.spend.as_ref().unwrap().iter().sum();
    let Data::Float(shown) = beside(&rows, "Key figures", "Spend") else { panic!("no spend") };
    assert!((shown - spend).abs() < 1e-9, "{shown} and {spend}");
    assert_eq!(beside(&rows, "Key figures", "Scored"), Data::Float(9.0));
    assert_eq!(beside(&rows, "Key figures", "Conversions"), Data::Empty, "the report has none");
    assert_eq!(beside(&rows, "Allowlist", "Impressions"), Data::Float(1_001_077.0));
    assert_eq!(beside(&rows, "Blocklist", "Names"), Data::Float(2.0));
}

#[test]
fn the_lists_stand_on_sheets_of_their_own_in_list_order() {
    let rows = sheet(&results(), "Blocklist");
    assert_eq!(
        rows[0].iter().map(word).collect::<Vec<_>>(),
        ["name", "score", "impressions", "spend", "reason"]
    );
    assert_eq!([word(&rows[1][0]), word(&rows[2][0])], ["'plain", "291097"]);
    assert_eq!(rows[1][1..3], [Data::Float(0.0), Data::Float(255.5)]);
    assert_eq!(word(&rows[1][4]), "'=ctr costs");
    assert_eq!(sheet(&results(), "Allowlist").len(), 3);
}

#[test]
fn the_method_says_by_what_was_scored_and_what_was_left_out() {
    let rows = sheet(&results(), "Method");
    let text: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
    for said in [
        "generic-display-awareness",
        "minmax",
        "quartile",
        "'=evil.csv",
        "Rows left out: missing impressions",
        "'@Site",
        "'+Other",
        "Clicks",
        "'=a guess",
    ] {
        assert!(text.iter().any(|cell| cell == said), "{said}: {text:?}");
    }
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
    let error = refusal(&results, &std::env::temp_dir(), &mut bytes);
    assert_eq!((error.code, bytes.len()), (Code::TooLarge, 0));
}

#[test]
fn a_name_longer_than_a_cell_is_refused() {
    let mut results = results();
    results.names[4] = "x".repeat(32_768);
    let error = refusal(&results, &std::env::temp_dir(), Vec::new());
    assert_eq!(error.code, Code::TooLarge);
}

#[test]
fn a_full_disk_and_a_missing_scratch_folder_are_errors_of_the_machine() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = refusal(&results(), &std::env::temp_dir(), full);
    assert_eq!(error.code, Code::Machine);
    assert!(error.message.contains("No space left on device"), "{error}");

    let gone = tempfile::tempdir().unwrap().path().join("gone");
    let error = refusal(&results(), &gone, Vec::new());
    assert_eq!(error.code, Code::Machine);
    assert!(error.message.contains("No such file"), "{error}");
}

/// Writes where files may not grow: the child of the test below.
#[test]
#[ignore = "the child process of another test"]
fn write_where_files_may_not_grow() {
    let Some(scratch) = std::env::var_os("CALIBER_TEST_SCRATCH") else { return };
    let error = refusal(&results(), std::path::Path::new(&scratch), Vec::new());
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
