//! Workbooks written by `rust_xlsxwriter`, and hostile ones put together part by part.

use std::fs::File;
use std::io::{Cursor, Seek, Write};
use std::ops::ControlFlow;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook as Writer, XlsxError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Workbook, WorkbookKind, is_workbook, kind};
use crate::report::cell::{Cell, Day, Row};
use crate::{Code, Error, Result};

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn text(text: &str) -> Cell<'static> {
    Cell::Text(text.as_bytes().to_vec().into())
}

fn written(fill: impl FnOnce(&mut Writer) -> std::result::Result<(), XlsxError>) -> Workbook {
    let mut writer = Writer::new();
    fill(&mut writer).unwrap();
    Workbook::open(file_of(&writer.save_to_buffer().unwrap())).unwrap()
}

type Rows = Vec<(u64, Vec<Cell<'static>>)>;

const WORKBOOK: &str =
    r#"<workbook xmlns:r="r"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const LINKS: &str = r#"<Relationships>
    <Relationship Id="rId1" Type="http://x/relationships/worksheet" Target="worksheets/sheet1.xml"/>
    <Relationship Id="rId2" Type="http://x/relationships/sharedStrings" Target="/xl/sharedStrings.xml"/>
    <Relationship Id="rId3" Type="http://x/relationships/styles" Target="styles.xml"/></Relationships>"#;
const PACKAGE_LINKS: &str = r#"<Relationships><Relationship Id="a" Type="http://x/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

/// The bytes of a workbook of one sheet and further parts, or the same parts said differently.
fn packed(sheet: &str, others: &[(&str, &str)]) -> Vec<u8> {
    let mut parts = vec![
        ("_rels/.rels", PACKAGE_LINKS),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", LINKS),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    for other in others {
        parts.retain(|(name, _)| name != &other.0);
        parts.push(*other);
    }
    zip_of(&parts)
}

fn zip_of(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in parts {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn rows_of(bytes: &[u8]) -> Result<Rows> {
    Workbook::open(file_of(bytes))?.preview("Data", usize::MAX)
}

fn failure(bytes: &[u8]) -> Error {
    rows_of(bytes).expect_err("it should be refused")
}

fn sheet(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

#[test]
fn cells_keep_their_types_and_lines_their_numbers() {
    let mut workbook = written(|writer| {
        let sheet = writer.add_worksheet();
        sheet.write_string(1, 0, "Site")?.write_string(1, 2, "CTR")?.write_string(1, 3, "Day")?;
        sheet.write_string(4, 0, "example.com")?.write_number(4, 1, 1234.5)?;
        sheet.write_number_with_format(4, 2, 0.0025, &Format::new().set_num_format("0.00%"))?;
        let day = ExcelDateTime::from_ymd(2025, 10, 13)?;
        sheet.write_datetime_with_format(4, 3, day, &Format::new().set_num_format("yyyy-mm-dd"))?;
        sheet.write_boolean(4, 4, true)?;
        sheet.write_blank(9, 9, &Format::new().set_bold())?;
        Ok(())
    });
    let rows = workbook.preview("Sheet1", 10).unwrap();
    let day = Cell::Day(Day { year: 2025, month: 10, day: 13 });
    assert_eq!(
        rows,
        [
            (2, vec![text("Site"), Cell::Missing, text("CTR"), text("Day")]),
            (5, vec![text("example.com"), Cell::Number(1234.5), Cell::Percent(0.0025), day, text("TRUE")]),
        ]
    );
}

#[test]
fn every_value_agrees_with_calamines_reading_of_the_same_workbook() {
    use calamine::{Data, Reader, Xlsx};
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet();
    for row in 0..500_u32 {
        sheet.write_string(row, 0, format!("site-{}.example & <co> \"{row}\"", row % 7)).unwrap();
        sheet.write_number(row, 1, f64::from(row) * 0.1 - 3e-7).unwrap();
        sheet.write_number(row, 30, 10_f64.powf(f64::from(row % 40))).unwrap();
        sheet.write_string(row, 3, "  line\nbreak\ttab _x0041_ \u{e9}\u{1F600} ").unwrap();
    }
    let bytes = writer.save_to_buffer().unwrap();
    let mut theirs: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes.clone())).unwrap();
    let theirs = theirs.worksheet_range("Sheet1").unwrap();
    let ours = Workbook::open(file_of(&bytes)).unwrap().preview("Sheet1", usize::MAX).unwrap();
    assert_eq!(ours.len(), theirs.height());
    for ((line, ours), theirs) in ours.iter().zip(theirs.rows()) {
        for (column, theirs) in theirs.iter().enumerate() {
            let theirs = match theirs {
                Data::Empty => Cell::Missing,
                Data::Float(number) => Cell::Number(*number),
                Data::String(words) => text(words),
                other => panic!("{other:?} was not written"),
            };
            assert_eq!(ours.get(column).unwrap_or(&Cell::Missing), &theirs, "line {line}, column {column}");
        }
    }
}

#[test]
fn days_count_from_1904_where_the_workbook_says_so() {
    let styles = r#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;
    let cell = sheet(r#"<row r="1"><c r="A1" s="1"><v>44481</v></c></row>"#);
    let workbook = WORKBOOK.replace("<sheets>", r#"<workbookPr date1904="1"/><sheets>"#);
    let rows = rows_of(&packed(&cell, &[("xl/styles.xml", styles), ("xl/workbook.xml", &workbook)])).unwrap();
    assert_eq!(rows[0].1, [Cell::Day(Day { year: 2025, month: 10, day: 13 })]);
}

#[test]
fn a_stated_dimension_costs_nothing_and_loses_nothing() {
    let rows = sheet(r#"<row r="1"><c r="A1"><v>1</v></c></row><row r="3"><c r="C3"><v>2</v></c></row>"#);
    let expected: Rows =
        vec![(1, vec![Cell::Number(1.0)]), (3, vec![Cell::Missing, Cell::Missing, Cell::Number(2.0)])];
    for dimension in
        ["", r#"<dimension ref="A1:XFD1048576"/>"#, r#"<dimension ref="A1"/>"#, r#"<dimension ref="??"/>"#]
    {
        let sheet = rows.replace("<sheetData>", &format!("{dimension}<sheetData>"));
        assert_eq!(rows_of(&packed(&sheet, &[])).unwrap(), expected, "{dimension}");
    }
}

#[test]
fn rows_and_cells_without_references_follow_each_other() {
    let rows = sheet("<row><c><v>1</v></c><c/><c><v>2</v></c></row><row/><row><c><v>3</v></c></row>");
    let expected: Rows =
        vec![(1, vec![Cell::Number(1.0), Cell::Missing, Cell::Number(2.0)]), (3, vec![Cell::Number(3.0)])];
    assert_eq!(rows_of(&packed(&rows, &[])).unwrap(), expected);
}

#[test]
fn texts_come_whole_whatever_way_they_are_stored() {
    let strings = r#"<sst count="1" uniqueCount="3"><si><t>plain</t></si>
        <si><r><t>rich </t></r><r><rPr/><t xml:space="preserve">text</t></r><rPh><t>hint</t></rPh></si>
        <si><t>a_x000D_b &amp; &#233;<![CDATA[<c>]]></t></si><si/></sst>"#;
    let rows = sheet(
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c>
        <c r="D1" t="inlineStr"><is><t>in</t><rPh><t>no</t></rPh><t>line</t></is></c>
        <c r="E1" t="str"><f>A1&amp;"x"</f><v>formula</v></c><c r="F1" t="s"><v>3</v></c>
        <c r="G1" t="d"><v>2025-10-13T00:00:00</v></c></row>"#,
    );
    let rows = rows_of(&packed(&rows, &[("xl/sharedStrings.xml", strings)])).unwrap();
    let day = Cell::Day(Day { year: 2025, month: 10, day: 13 });
    let expected = [
        text("plain"),
        text("rich text"),
        text("a\rb & é<c>"),
        text("inline"),
        text("formula"),
        Cell::Missing,
        day,
    ];
    assert_eq!(rows[0].1, expected);
}

#[test]
fn error_words_are_text_even_those_newer_than_the_format() {
    let rows = sheet(
        r#"<row r="1"><c r="A1" t="e"><v>#N/A</v></c><c r="B1" t="e"><v>#SPILL!</v></c><c r="C1"><v>7</v></c></row>"#,
    );
    let rows = rows_of(&packed(&rows, &[])).unwrap();
    assert_eq!(rows[0].1, [text("#N/A"), text("#SPILL!"), Cell::Number(7.0)]);
}

#[test]
fn hidden_sheets_come_after_the_visible_ones() {
    let mut workbook = written(|writer| {
        writer.add_worksheet().set_name("Metadata")?.set_hidden(true).write_string(0, 0, "secret")?;
        writer.add_worksheet().set_name("Cover")?.set_active(true).write_string(0, 0, "Report of October")?;
        let data = writer.add_worksheet().set_name("Report_data")?;
        data.merge_range(0, 0, 0, 3, "TV Quality Index", &Format::new())?;
        data.write_string(2, 0, "Site")?;
        Ok(())
    });
    assert_eq!(workbook.sheet_names(), ["Cover", "Report_data", "Metadata"]);
    assert!(workbook.sheets()[2].hidden);
    assert_eq!(workbook.preview("Metadata", 5).unwrap(), [(1, vec![text("secret")])]);
    let expected = [(1, vec![text("TV Quality Index")]), (3, vec![text("Site")])];
    assert_eq!(workbook.preview("Report_data", 5).unwrap(), expected);
    let error = workbook.preview("Nope", 5).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.help.unwrap().contains("Report_data"));
}

#[test]
fn reading_stops_when_told_and_fails_with_the_callers_error() {
    let bytes = packed(&sheet(&"<row><c><v>1</v></c></row>".repeat(9)), &[]);
    let mut workbook = Workbook::open(file_of(&bytes)).unwrap();
    assert_eq!(workbook.preview("Data", 2).unwrap().len(), 2);
    assert_eq!(workbook.preview("Data", 0).unwrap().len(), 0);
    let stopped =
        workbook.rows("Data", &mut |line, _| Err(Error::new(Code::Cancelled, "stop").at_line(line)));
    let error = stopped.unwrap_err();
    assert_eq!((error.code, error.line, error.sheet.as_deref()), (Code::Cancelled, Some(1), Some("Data")));
    assert_eq!(workbook.preview("Data", 99).unwrap().len(), 9);
}

#[test]
fn bombs_are_refused_by_what_they_declare_before_anything_is_unpacked() {
    let zeros = " ".repeat(20 << 20);
    let bomb = packed(&sheet(""), &[("xl/sharedStrings.xml", &zeros)]);
    assert!(bomb.len() < 100_000);
    let error = failure(&bomb);
    assert_eq!(error.code, Code::TooLarge);
    assert!(error.message.contains("xl/sharedstrings.xml"), "{}", error.message);
    assert!(error.help.is_some());
    assert_eq!(kind(&mut file_of(&bomb)).unwrap_err().code, Code::TooLarge);
}

#[test]
fn a_bomb_that_lies_about_its_size_is_stopped_where_the_lie_ends() {
    let zeros = " ".repeat(20 << 20);
    let mut bomb = packed(&sheet(""), &[("xl/sharedStrings.xml", &zeros)]);
    let (honest, lie) = ((20_u32 << 20).to_le_bytes(), 1000_u32.to_le_bytes());
    let places: Vec<usize> = memchr::memmem::find_iter(&bomb, &honest).collect();
    assert!(!places.is_empty());
    for place in places {
        bomb[place..place + 4].copy_from_slice(&lie);
    }
    let error = failure(&bomb);
    assert_eq!(error.code, Code::Malformed);
    assert!(error.message.contains("larger than its declared"), "{}", error.message);
}

#[test]
fn a_real_workbook_that_packs_twenty_to_one_passes() {
    // Like an export that writes its texts into the cells and says everything of each.
    let row = |row: u32| {
        let mut cells = String::new();
        for column in 'B'..='Z' {
            let reference = format!("{column}{row}");
            cells.extend([
                r#"<x:c s="4" t="inlineStr" r=""#,
                &reference,
                r#""><x:is><x:t>Display - US - Prospecting "#,
            ]);
            cells.extend([&reference[..1], "</x:t></x:is></x:c>"]);
        }
        format!(
            r#"<x:row r="{row}" spans="1:26"><x:c r="A{row}" t="n"><x:v>{}</x:v></x:c>{cells}</x:row>"#,
            row * 7 % 99
        )
    };
    let rows: String = (1..=20_000).map(row).collect();
    let plain = format!("<x:worksheet><x:sheetData>{rows}</x:sheetData></x:worksheet>");
    let bytes = packed(&plain, &[]);
    assert!(plain.len() / bytes.len() >= 20, "{} to {}", plain.len(), bytes.len());
    let mut count = 0;
    Workbook::open(file_of(&bytes))
        .unwrap()
        .rows("Data", &mut |_, row| {
            count += 1;
            assert_eq!(row.cell(25), text("Display - US - Prospecting Z"));
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(count, 20_000);
}

#[test]
fn a_cell_that_no_memory_should_hold_is_refused() {
    // Letters that hardly pack, so that no ratio gives them away.
    let mut state = 1_u32;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (state >> 24) as u8 % 26)
    })
    .take(17 << 20)
    .collect();
    let error = failure(&packed(&sheet(&format!(r#"<row r="1"><c t="str"><v>{noise}</v></c></row>"#)), &[]));
    assert_eq!(error.code, Code::TooLarge);
}

#[test]
fn counts_that_lie_reserve_nothing() {
    // calamine makes room for uniqueCount strings on opening: 24 TB here, and the process aborts.
    let strings = r#"<sst uniqueCount="1000000000000"><si><t>a</t></si></sst>"#;
    let rows = sheet(r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#);
    let rows = rows_of(&packed(&rows, &[("xl/sharedStrings.xml", strings)])).unwrap();
    assert_eq!(rows, [(1, vec![text("a")])]);
}

#[test]
fn places_beyond_the_sheet_are_damage_not_memory() {
    for cell in [
        r#"<row r="99999999999"><c><v>1</v></c></row>"#,
        r#"<row r="0"><c><v>1</v></c></row>"#,
        r#"<row r="1"><c r="ZZZZZZZ1"><v>1</v></c></row>"#,
        r#"<row r="1"><c r="XFE1"><v>1</v></c></row>"#,
        r#"<row r="1"><c r="XFD1"><v>1</v></c><c><v>1</v></c></row>"#,
        r#"<row><c r="7"><v>1</v></c></row>"#,
    ] {
        let error = failure(&packed(&sheet(cell), &[]));
        assert_eq!(error.code, Code::Malformed, "{cell}");
        assert!(error.message.contains("xl/worksheets/sheet1.xml"), "{}", error.message);
    }
}

#[test]
fn truncated_and_damaged_workbooks_say_which_they_are() {
    let whole = packed(&sheet(r#"<row r="1"><c><v>1</v></c></row>"#), &[]);
    let half = &whole[..whole.len() / 2];
    assert_eq!(failure(half).code, Code::Truncated);
    assert_eq!(kind(&mut file_of(half)).unwrap(), Some(WorkbookKind::OpenXml));
    let cut = packed("<worksheet><sheetData><row><c><v>1</v></c></row>", &[]);
    let error = failure(&cut);
    assert_eq!(error.code, Code::Malformed);
    assert!(error.message.contains("sheet1.xml"), "{}", error.message);
    let garbled = packed("<worksheet><sheetData><row <<<", &[]);
    assert_eq!(failure(&garbled).code, Code::Malformed);
    let none = packed(&sheet(""), &[("xl/workbook.xml", "<workbook><sheets/></workbook>")]);
    assert_eq!(failure(&none).code, Code::Malformed);
}

#[test]
fn no_damage_of_a_byte_panics() {
    let strings = "<sst><si><t>a</t></si><si><r><t>b</t></r></si></sst>";
    let rows = sheet(r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>45000</v></c></row>"#);
    let whole = packed(&rows, &[("xl/sharedStrings.xml", strings)]);
    let mut failures = 0;
    for place in 0..whole.len() {
        for mask in [0xff, 0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[place] ^= mask;
            failures += usize::from(rows_of(&bytes).is_err());
        }
    }
    assert!(failures > whole.len() / 2, "only {failures} of {}", whole.len());
}

#[test]
fn a_workbook_behind_a_password_is_told_from_the_old_kind_and_from_neither() {
    let compound = |streams: &[&str]| {
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        for stream in streams {
            file.create_stream(stream).unwrap().write_all(&[7; 5000]).unwrap();
        }
        file.into_inner().into_inner()
    };
    let encrypted = compound(&["EncryptionInfo", "EncryptedPackage"]);
    assert_eq!(kind(&mut file_of(&encrypted)).unwrap(), Some(WorkbookKind::Encrypted));
    assert_eq!(failure(&encrypted).code, Code::Encrypted);
    assert_eq!(kind(&mut file_of(&compound(&["Workbook"]))).unwrap(), Some(WorkbookKind::Apart));
    assert_eq!(kind(&mut file_of(&compound(&["WordDocument"]))).unwrap(), None);
}

#[test]
fn a_zip_of_something_else_is_no_workbook() {
    assert!(!is_workbook(&mut file_of(&zip_of(&[("report.csv", "a,b\n1,2\n")]))).unwrap());
    assert!(!is_workbook(&mut file_of(b"PK\x03\x04 but no zip")).unwrap());
    assert!(!is_workbook(&mut file_of(b"")).unwrap());
    assert!(is_workbook(&mut file_of(&packed(&sheet(""), &[]))).unwrap());
    let ods = zip_of(&[("content.xml", "<a/>"), ("META-INF/manifest.xml", "<a/>")]);
    assert_eq!(kind(&mut file_of(&ods)).unwrap(), Some(WorkbookKind::Apart));
}

#[test]
fn no_damage_within_a_part_panics() {
    let strings = r#"<sst count="2"><si><t>a</t></si><si><r><t>b&amp;_x0041_</t></r></si></sst>"#;
    let styles = r#"<styleSheet><numFmts><numFmt numFmtId="170" formatCode="[h]:mm;0%"/></numFmts><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>"#;
    let rows = sheet(
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="0"><v>45000</v></c><c t="inlineStr"><is><t>x</t></is></c></row>"#,
    );
    let parts = [
        ("xl/worksheets/sheet1.xml", rows.as_str()),
        ("xl/sharedStrings.xml", strings),
        ("xl/styles.xml", styles),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", LINKS),
    ];
    let (mut fine, mut refused) = (0, 0);
    for (index, (name, content)) in parts.iter().enumerate() {
        for place in 0..content.len() {
            for mask in [0x01, 0x10] {
                let mut damaged = content.as_bytes().to_vec();
                damaged[place] ^= mask;
                let damaged = String::from_utf8(damaged).unwrap();
                let mut others = parts.to_vec();
                others[index] = (name, &damaged);
                match rows_of(&packed("", &others)) {
                    Ok(_) => fine += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(fine > 100 && refused > 100, "{fine} fine, {refused} refused");
}
