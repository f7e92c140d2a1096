//! Old workbooks put together record by record ([MS-XLS] 2.4), since no crate writes them.

use std::io::{Cursor, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::{SheetPreview, named, to_csv};
use crate::{Code, Error, Result};

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend((data.len() as u16).to_le_bytes());
    bytes.extend(data);
    bytes
}

fn begin(kind: u16) -> Vec<u8> {
    record(0x0809, &[&0x0600_u16.to_le_bytes()[..], &kind.to_le_bytes(), &[0; 12]].concat())
}

fn place(row: u16, column: u16, style: u16) -> Vec<u8> {
    [row, column, style].iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn number(row: u16, column: u16, style: u16, value: f64) -> Vec<u8> {
    record(0x0203, &[place(row, column, style), value.to_le_bytes().to_vec()].concat())
}

fn label(row: u16, column: u16, text: &str) -> Vec<u8> {
    let length = (text.len() as u16).to_le_bytes().to_vec();
    record(0x0204, &[place(row, column, 0), length, vec![0], text.as_bytes().to_vec()].concat())
}

fn boolean_or_error(row: u16, column: u16, value: u8, is_error: u8) -> Vec<u8> {
    record(0x0205, &[place(row, column, 0), vec![value, is_error]].concat())
}

/// A file of sheets, each a name, whether it is hidden, and its records. Style 1 is a date.
fn book(before: &[Vec<u8>], sheets: &[(&str, bool, Vec<Vec<u8>>)]) -> NamedTempFile {
    let end = record(0x000A, &[]);
    let mut globals = [begin(0x0005), before.concat()].concat();
    for format in [0_u16, 14] {
        globals.extend(record(0x00E0, &[&[0, 0][..], &format.to_le_bytes(), &[0; 16]].concat()));
    }
    let tabs: usize = sheets.iter().map(|(name, ..)| 4 + 8 + name.len()).sum();
    let mut at = globals.len() + tabs + end.len();
    let mut bodies = Vec::new();
    for (name, hidden, records) in sheets {
        let body = [begin(0x0010), records.concat(), end.clone()].concat();
        let tab =
            [&(at as u32).to_le_bytes()[..], &[u8::from(*hidden), 0, name.len() as u8, 0], name.as_bytes()];
        globals.extend(record(0x0085, &tab.concat()));
        at += body.len();
        bodies.extend(body);
    }
    compound("Workbook", &[globals, end, bodies].concat())
}

fn compound(stream: &str, content: &[u8]) -> NamedTempFile {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream(stream).unwrap().write_all(content).unwrap();
    let mut path = NamedTempFile::new().unwrap();
    path.write_all(file.into_inner().get_ref()).unwrap();
    path
}

fn csv_of(path: &Path, choose: impl Fn(&[SheetPreview]) -> Result<usize>) -> Result<(String, String)> {
    let mut out = Vec::new();
    let written = to_csv(path, choose, &mut out)?;
    assert!(written.sheets.contains(&written.sheet), "{written:?}");
    Ok((written.sheet, String::from_utf8(out).unwrap()))
}

#[test]
fn lines_of_the_csv_are_rows_of_the_sheet_and_values_read_back() {
    let file = book(
        &[],
        &[(
            "Report",
            false,
            vec![
                label(1, 1, "Site"),
                label(1, 2, "Spend, \"net\""),
                label(4, 1, "two\nlines"),
                number(4, 2, 0, 0.1 + 0.2),
                number(4, 3, 1, 45_943.0),
                number(4, 4, 0, 1.0),
                boolean_or_error(5, 1, 1, 0),
                boolean_or_error(5, 2, 0x2A, 1),
                number(5, 3, 0, 1e300),
                number(5, 4, 1, 0.25),
            ],
        )],
    );
    let (sheet, csv) = csv_of(file.path(), |_| Ok(0)).unwrap();
    assert_eq!(sheet, "Report");
    let expected = "\n,Site,\"Spend, \"\"net\"\"\",,\n\n\n,two lines,0.30000000000000004,2025-10-13,1\n,TRUE,#N/A,1e300,0.25\n";
    assert_eq!(csv, expected);
}

#[test]
fn days_count_from_1904_where_the_workbook_says_so() {
    let file = book(&[record(0x0022, &[1, 0])], &[("Report", false, vec![number(0, 0, 1, 44_481.0)])]);
    assert_eq!(csv_of(file.path(), |_| Ok(0)).unwrap().1, "2025-10-13\n");
}

#[test]
fn the_choice_sees_every_sheet_hidden_ones_last() {
    let file = book(
        &[],
        &[
            ("Secret", true, vec![label(0, 0, "a")]),
            ("Cover", false, vec![label(0, 0, "b")]),
            ("Data", false, vec![label(0, 0, "c"), number(1, 0, 0, 7.0)]),
        ],
    );
    let (sheet, csv) = csv_of(file.path(), |sheets| {
        let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Cover", "Data", "Secret"]);
        assert_eq!(sheets[1].1, [["c"], ["7"]]);
        named(sheets, "Data")
    })
    .unwrap();
    assert_eq!((sheet.as_str(), csv.as_str()), ("Data", "c\n7\n"));
    assert_eq!(csv_of(file.path(), |sheets| named(sheets, "Nope")).unwrap_err().code, Code::NotFound);
    assert_eq!(csv_of(file.path(), |_| Ok(9)).unwrap_err().code, Code::NotFound);
    assert_eq!(
        csv_of(file.path(), |_| Err(Error::new(Code::NoHeader, "none"))).unwrap_err().code,
        Code::NoHeader
    );
}

#[test]
fn passwords_damage_and_other_files_are_told_apart() {
    let locked = book(&[record(0x002F, &[1, 0, 1, 0, 1, 0])], &[("Report", false, vec![])]);
    assert_eq!(csv_of(locked.path(), |_| Ok(0)).unwrap_err().code, Code::Encrypted);
    let package = compound("EncryptedPackage", &[7; 5000]);
    assert_eq!(csv_of(package.path(), |_| Ok(0)).unwrap_err().code, Code::Encrypted);
    let empty = book(&[], &[]);
    assert_eq!(csv_of(empty.path(), |_| Ok(0)).unwrap_err().code, Code::Malformed);
    let letter = compound("WordDocument", &[7; 5000]);
    assert_eq!(csv_of(letter.path(), |_| Ok(0)).unwrap_err().code, Code::WrongKind);
    let mut text = NamedTempFile::new().unwrap();
    text.write_all(b"a,b\n1,2\n").unwrap();
    assert_eq!(csv_of(text.path(), |_| Ok(0)).unwrap_err().code, Code::WrongKind);
}

#[test]
fn open_document_sheets_are_read_the_same_way() {
    let content = r#"<office:document-content><office:body><office:spreadsheet><table:table table:name="Data">
        <table:table-row><table:table-cell office:value-type="string"><text:p>Site</text:p></table:table-cell></table:table-row>
        <table:table-row><table:table-cell office:value-type="float" office:value="2.5"/></table:table-row>
        </table:table></office:spreadsheet></office:body></office:document-content>"#;
    let mut file = NamedTempFile::new().unwrap();
    let mut zip = zip::ZipWriter::new(file.as_file_mut());
    for (name, content) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    assert_eq!(csv_of(file.path(), |_| Ok(0)).unwrap(), ("Data".to_owned(), "Site\n2.5\n".to_owned()));
}
