//! What fuzzing has found, each failure once and by name.

use std::io::{Cursor, Write};
use std::path::Path;

use caliber_engine::recipe::RecipeBook;
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::{Code, Context, Error, Options, Progress, Scored};

fn no_sandbox(_: &Path, _: Option<&str>) -> caliber_engine::Result<SheetCsv> {
    Err(Error::new(Code::Machine, "no old workbook is scored here"))
}

fn score(report: &str, options: &Options) -> caliber_engine::Result<Scored> {
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    caliber_engine::score(vec![Source::from_stream(report.as_bytes(), "report.csv")?], options, &context)
}

#[test]
fn a_report_that_lacks_columns_is_named() {
    let report = "Date,Impressions,Total Spend,CTR,Conversions\n2025-01-12,1000,5,0.1,1\n";
    let error = score(report, &Options::default()).expect_err("no column of domains");
    assert_eq!(error.code, Code::MissingColumns);
    assert_eq!(error.file.as_deref(), Some("report.csv"));
}

/// A workbook of one sheet, whose rows are this XML.
fn workbook(rows: &str) -> Vec<u8> {
    let main = r#"xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main""#;
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let parts = [
        (
            "_rels/.rels",
            format!(
                r#"<Relationships xmlns="{package}"><Relationship Id="a" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook {main} xmlns:r="{office}"><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                r#"<Relationships xmlns="{package}"><Relationship Id="a" Type="{office}/worksheet" Target="sheet.xml"/></Relationships>"#
            ),
        ),
        ("xl/sheet.xml", format!("<worksheet {main}><sheetData>{rows}</sheetData></worksheet>")),
    ];
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, xml) in parts {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part");
        archive.write_all(xml.as_bytes()).expect("memory takes all");
    }
    archive.finish().expect("memory takes all").into_inner()
}

#[test]
fn cells_that_end_or_begin_out_of_turn_are_malformed() {
    for rows in [
        r#"<row><c t="str"><v>Site</v></c></row><row></c></row>"#,
        r#"<row><c t="str"><v>Site</v><row></c></row>"#,
        "<row><c><v>1</v><c><v>2</v></c></row>",
        "<row><c><v>1</v><c/></c></row>",
        "<row><c><v>1</v><row/></c></row>",
    ] {
        let refused = Source::from_stream(Cursor::new(workbook(rows)), "report.xlsx").and_then(|source| {
            let context =
                Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
            caliber_engine::score(vec![source], &Options::default(), &context)
        });
        let error = refused.expect_err("broken XML");
        assert_eq!(error.code, Code::Malformed, "{rows}: {error}");
    }
}
