//! What fuzzing has found, each failure once and by name.

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
