//! `caliber report`: documents of a run or of a report, read back and compared with `results.parquet`.

use calamine::{Data, Reader, Xlsx, open_workbook};

use crate::call::{GENERIC, Place, assert_error, assert_says, plain_report};
use crate::tables;

fn place() -> Place {
    let place = Place::new();
    place.sample("trade_desk display", 6000, 240, "r.csv", &["--mess", "preamble,percent,tail_aggregate"]);
    place.score(&["r.csv", "--out", "run"]);
    place
}

fn workbook(place: &Place, file: &str, sheet: &str) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> = open_workbook(place.path(file)).unwrap();
    assert_eq!(workbook.sheet_names(), ["Summary", "Results", "Allowlist", "Blocklist", "Method"]);
    workbook.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
}

/// The figure beside a label of the first column.
#[track_caller]
fn figure(rows: &[Vec<Data>], label: &str) -> f64 {
    let row = rows.iter().find(|row| row[0] == Data::String(label.into()));
    match &row.unwrap_or_else(|| panic!("no {label}"))[1] {
        Data::Float(figure) => *figure,
        other => panic!("{label} is {other:?}"),
    }
}

#[test]
fn tables_of_a_run_hold_every_cell_of_its_parquet() {
    let place = place();
    for source in ["run", "run/results.parquet", "run/results.csv"] {
        let call = ["report", source, "--csv", "--json-rows", "--xlsx", "--parquet", "--out", "again"];
        let answer = place.run(&[&call[..], &["--json"]].concat()).done().document();
        let formats: Vec<&str> =
            answer["files"].as_array().unwrap().iter().map(|file| file["format"].as_str().unwrap()).collect();
        assert_eq!(formats, ["xlsx", "csv", "parquet", "json"]);
        let expected = tables::csv(&place, "run");
        for (name, table) in [
            ("csv", tables::csv(&place, "again")),
            ("json", tables::json(&place, "again")),
            ("xlsx", tables::xlsx(&place, "again")),
        ] {
            table.assert_close(&expected, 0.0, &format!("{source}: {name}"));
        }
        assert_eq!(answer["scored"], expected.rows.len());
        std::fs::remove_dir_all(place.path("again")).unwrap();
    }
}

#[test]
fn the_figures_of_the_workbook_are_those_of_the_run() {
    let place = place();
    place.run(&["report", "run", "--xlsx", "book.xlsx", "--name", "=Spring"]).done();
    let summary = place.json("run/summary.json");
    let rows = workbook(&place, "book.xlsx", "Summary");
    assert_eq!(rows[0][0], Data::String("'=Spring".into()));
    for (label, key) in [
        ("Campaign score", "campaign_score"),
        ("Scored", "scored"),
        ("Impressions", "total_impressions"),
        ("Clicks", "total_clicks"),
        ("Spend", "total_spend"),
        ("Average CPM", "average_cpm"),
    ] {
        assert_eq!(Some(figure(&rows, label)), summary[key].as_f64(), "{label}");
    }
    for (label, key) in [("Median score", "median"), ("Mean score", "mean"), ("Lowest score", "min")] {
        assert_eq!(Some(figure(&rows, label)), summary["scores"][key].as_f64(), "{label}");
    }
    for (sheet, list) in [("Allowlist", "allowlist"), ("Blocklist", "blocklist")] {
        let text = place.read(&format!("run/{list}.csv"));
        let records = csv::Reader::from_reader(text.as_bytes()).into_records();
        let rows = workbook(&place, "book.xlsx", sheet);
        let mut count = 0;
        for (record, row) in records.zip(&rows[1..]) {
            let record = record.unwrap();
            assert_eq!((&record[0], &record[4]), (row[0].to_string().as_str(), row[4].to_string().as_str()));
            for at in 1..4 {
                assert_eq!(row[at], Data::Float(record[at].parse().unwrap()), "{sheet} {}", &record[0]);
            }
            count += 1;
        }
        assert_eq!(Some(count), summary["lists"][list]["count"].as_u64());
        assert_eq!(rows.len() as u64, count + 1);
    }
}

#[test]
fn the_workbook_of_a_run_by_evidence_has_its_reasons() {
    let place = place();
    place.score(&["r.csv", "--out", "run", "--list-policy", "evidence", "--format", "xlsx"]);
    let reasons: Vec<String> = csv::Reader::from_reader(place.read("run/blocklist.csv").as_bytes())
        .records()
        .map(|record| record.unwrap()[4].to_owned())
        .collect();
    assert!(!reasons.is_empty());
    place.run(&["report", "run", "--xlsx", "again.xlsx", "--name", "r"]).done();
    for book in ["run/results.xlsx", "again.xlsx"] {
        let told: Vec<String> =
            workbook(&place, book, "Blocklist")[1..].iter().map(|row| row[4].to_string()).collect();
        assert_eq!(told, reasons, "{book}");
    }
    let bytes = |file: &str| std::fs::read(place.path(file)).unwrap();
    assert!(bytes("run/results.xlsx") == bytes("again.xlsx"), "scoring and reporting write one workbook");
}

#[test]
fn a_report_is_scored_first_and_its_documents_go_beside_it() {
    let place = place();
    let out = place.run(&["report", "r.csv", "--xlsx", "--parquet"]).done();
    assert!(out.stdout.contains("results.xlsx"), "{out}");
    let names: Vec<String> = place.files_in("r-documents").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["results.parquet", "results.xlsx"]);
    let bytes = |file: &str| std::fs::read(place.path(file)).unwrap();
    assert!(bytes("r-documents/results.parquet") == bytes("run/results.parquet"));
    place.score(&["r.csv", "--out", "run", "--format", "xlsx"]);
    assert!(bytes("r-documents/results.xlsx") == bytes("run/results.xlsx"));
    let piped = crate::call::Call::new(&place, &["report", "-", "--csv", "piped.csv", "--quiet"]);
    assert_eq!(piped.stdin(&bytes("r.csv")).run().done().stdout, "");
    place.score(&["r.csv", "--out", "run"]);
    assert_eq!(place.read("piped.csv"), place.read("run/results.csv"));
}

#[test]
fn a_report_is_read_by_the_flags_of_scoring() {
    let place = Place::new();
    place.write("own.csv", plain_report(60).replace("Domain", "Seite"));
    let flags = [&GENERIC[..], &["--map", "domain=Seite"]].concat();
    place.score(&[&["own.csv", "--out", "run"], flags.as_slice()].concat());
    place.run(&[&["report", "own.csv", "--csv", "again.csv"], flags.as_slice()].concat()).done();
    assert_eq!(place.read("again.csv"), place.read("run/results.csv"));
}

#[test]
fn results_without_their_summary_need_the_recipe_and_make_documents_all_the_same() {
    let place = place();
    for file in ["summary.json", "quality.json"] {
        std::fs::remove_file(place.path("run").join(file)).unwrap();
    }
    let error = place.run(&["report", "--json", "run", "--xlsx"]).error(2);
    assert_says(&error, "message", &["--recipe"]);
    let how = ["--recipe", "trade_desk-display-awareness", "--normalization", "minmax"];
    place.run(&[&["report", "run", "--xlsx", "book.xlsx"][..], &how].concat()).done();
    let rows = workbook(&place, "book.xlsx", "Summary");
    assert_eq!(rows[0][0], Data::String("run".into()), "the folder's name");
    assert_eq!(
        workbook(&place, "book.xlsx", "Blocklist").len(),
        place.read("run/blocklist.txt").lines().count() + 1
    );
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let place = place();
    let error = place.run(&["report", "--json"]).error(2);
    assert_error(&error, "bad_option", None, None);
    let error = place.run(&["report", "--json", "--xlsx", "run"]).error(2);
    assert_says(&error, "help", &["`run`", "before --xlsx"]);
    let error = place.run(&["report", "--json", "run", "--xlsx", "run"]).error(2);
    assert_says(&error, "message", &["--xlsx", "folder"]);
    let error = place.run(&["report", "--json", "run", "--csv", "one", "--xlsx", "one"]).error(2);
    assert_says(&error, "message", &["two documents"]);
    assert!(!place.path("one").exists());
    let error = place.run(&["report", "--json", "missing.csv", "--xlsx", "x.xlsx"]).error(2);
    assert_error(&error, "not_readable", Some("missing.csv"), None);
    let error = place.run(&["report", "--json", "run", "--csv", "/sys/kernel/x.csv"]).error(1);
    assert_error(&error, "machine", Some("/sys/kernel/x.csv"), None);
}

#[test]
fn our_own_workbook_can_be_read_as_a_report_again() {
    let place = place();
    place.run(&["report", "run", "--xlsx", "book.xlsx"]).done();
    let seen = place.run(&["inspect", "--json", "book.xlsx"]).done().document();
    assert_eq!(seen["files"][0]["sheet"], "Results", "{seen}");
    let scored = [&["book.xlsx", "--out", "again"][..], &GENERIC].concat();
    place.score(&scored);
    let (first, again) = (tables::csv(&place, "run"), tables::csv(&place, "again"));
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(first.names()), sorted(again.names()));
    for column in ["impressions", "spend", "clicks"] {
        let sum = |table: &tables::Table| table.numbers(column).iter().sum::<f64>();
        assert!((sum(&first) - sum(&again)).abs() < 1e-6, "{column}");
    }
}

/// The text of a PDF, its words parted by single blanks.
#[track_caller]
fn text_of_pdf(place: &Place, file: &str) -> String {
    let bytes = std::fs::read(place.path(file)).unwrap();
    assert!(bytes.starts_with(b"%PDF-"), "{file}");
    pdf_extract::extract_text_from_mem(&bytes).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_pdf_names_the_campaign_its_score_and_the_best_and_worst() {
    let place = place();
    place.run(&["report", "run", "--pdf", "a.pdf", "--name", "Spring 2026", "--agency", "Globex"]).done();
    place.score(&["r.csv", "--out", "run", "--format", "pdf"]);
    let summary = place.json("run/summary.json");
    let score = format!("{:.1}", summary["campaign_score"].as_f64().unwrap());
    let names = tables::parquet(&place, "run").names();
    for (file, said) in [("a.pdf", vec!["Spring 2026", "Globex"]), ("run/report.pdf", vec!["r"])] {
        let text = text_of_pdf(&place, file);
        for word in said.into_iter().chain([score.as_str()]) {
            assert!(text.contains(word), "{file} lacks {word}");
        }
        for name in names.iter().take(10).chain(names.iter().rev().take(10)) {
            // Long names are set in pieces, between which this reader sees blanks.
            assert!(text.replace(' ', "").contains(&name.replace(' ', "")), "{file} lacks {name}");
        }
    }
}

#[test]
fn the_pdf_is_what_is_made_where_nothing_is_said() {
    let place = place();
    let answer = place.run(&["report", "--json", "run"]).done().document();
    assert_eq!(answer["files"][0]["format"], "pdf");
    assert!(text_of_pdf(&place, "run/report.pdf").len() > 1000);
    let error = place.run(&["report", "--json", "run", "--pdf", "--color", "blue"]).error(2);
    assert_says(&error, "message", &["blue"]);
    place.write("logo.png", "no picture");
    place.run(&["report", "--json", "run", "--pdf", "--logo", "logo.png"]).error(2);
    let error = place.run(&["report", "--json", "run", "--pdf", "--logo", "none.png"]).error(2);
    assert_error(&error, "not_readable", Some("none.png"), None);
}
