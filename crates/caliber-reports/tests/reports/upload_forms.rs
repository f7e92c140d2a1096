//! The forms of the DSPs, read back by other libraries.

use std::io::{Cursor, Read};

use caliber_engine::Code;
use caliber_engine::recipe::Dimension;
use caliber_reports::{Inventory, ListKind, UploadFiles, UploadForm};
use proptest::prelude::*;
use serde_json::Value;

const NAMES: [&str; 6] =
    ["news.example", "com.hulu.plus", "291097", "b07y8sjgcv", "xn--zrich-kva.example", "-dash.example"];

#[track_caller]
fn files(form: &str, list: ListKind, names: &[&str]) -> UploadFiles {
    UploadForm::by_name(form).unwrap().files(list, Dimension::Domain, names, list.name()).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The names of all files of a list, as another program reads them.
fn read_back(files: &UploadFiles) -> Vec<String> {
    files
        .files
        .iter()
        .flat_map(|file| match file.name.rsplit('.').next().unwrap() {
            "json" => {
                let document: Value = serde_json::from_slice(&file.bytes).unwrap();
                let lines = document["BidLines"].as_array().unwrap().clone();
                lines.iter().map(|line| line["DomainFragment"].as_str().unwrap().to_owned()).collect()
            }
            "csv" => {
                let mut reader =
                    csv::ReaderBuilder::new().has_headers(false).from_reader(file.bytes.as_slice());
                let records = reader.records().map(|record| record.unwrap()[0].to_owned());
                records.filter(|name| name != "Domain").collect::<Vec<_>>()
            }
            _ => text(&file.bytes).lines().map(str::to_owned).collect(),
        })
        .collect()
}

#[test]
fn every_form_of_the_contract_is_there_and_says_what_of_it_is_verified() {
    let names: Vec<&str> = UploadForm::all().iter().map(UploadForm::name).collect();
    let known = ["trade_desk_csv", "trade_desk_json", "dv360", "xandr", "amazon", "yahoo", "basis", "text"];
    assert_eq!(names, known);
    for form in UploadForm::all() {
        assert!(!form.verified().is_empty() && !form.label().is_empty());
        assert_eq!(form.sites_only(), form.name() != "text", "{}", form.name());
    }
    let error = UploadForm::by_name("dv361").unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.help.unwrap().contains("dv360"));
}

#[test]
fn every_form_gives_the_names_back_and_leaves_no_word_unfilled() {
    for form in UploadForm::all() {
        for list in ListKind::ALL {
            let files = files(form.name(), list, &NAMES);
            let (mut names, mut expected) = (read_back(&files), NAMES.map(str::to_owned).to_vec());
            if form.name() == "yahoo" {
                names.sort();
                expected.sort();
            }
            assert_eq!(names, expected, "{}", form.name());
            assert!(files.left_out.is_empty());
            for file in &files.files {
                assert!(
                    form.name() == "trade_desk_json" || !text(&file.bytes).contains('{'),
                    "{}",
                    file.name
                );
            }
        }
    }
}

#[test]
fn the_trade_desk_takes_pairs_with_a_neutral_and_a_zero_adjustment() {
    let csv =
        |list| text(&files("trade_desk_csv", list, &["a.example", "b.example"]).files[0].bytes).to_owned();
    assert_eq!(csv(ListKind::Allow), "Domain,Adjustment\na.example,1\nb.example,1\n");
    assert_eq!(csv(ListKind::Block), "Domain,Adjustment\na.example,0\nb.example,0\n");
    let json = files("trade_desk_json", ListKind::Block, &["a.example", "com.hulu.plus"]);
    let document: Value = serde_json::from_slice(&json.single().unwrap().bytes).unwrap();
    assert_eq!(
        document,
        serde_json::json!({
            "Name": "blocklist-trade_desk_json", "BidListAdjustmentType": "BlockList",
            "ResolutionType": "ApplyMultiplyAdjustment",
            "BidLines": [{"DomainFragment": "a.example", "BidAdjustment": 0},
                         {"DomainFragment": "com.hulu.plus", "BidAdjustment": 0}],
        })
    );
    let allow = files("trade_desk_json", ListKind::Allow, &[]);
    let document: Value = serde_json::from_slice(&allow.files[0].bytes).unwrap();
    assert_eq!(
        (&document["BidListAdjustmentType"], &document["BidLines"]),
        (&"TargetList".into(), &Value::Array(vec![]))
    );
}

#[test]
fn a_list_beyond_the_limit_is_cut_in_files_that_a_manifest_describes() {
    let names: Vec<String> = (0..2_501).map(|at| format!("s{at}.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = files("xandr", ListKind::Block, &names);
    let counts: Vec<usize> = files.files.iter().map(|file| file.names).collect();
    assert_eq!(counts, [1000, 1000, 501]);
    assert_eq!(files.files[2].name, "blocklist-xandr-3.txt");
    assert_eq!(read_back(&files), names, "in list order, none lost");
    assert!(files.single().is_none());

    let zip = files.to_zip().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(&zip)).unwrap();
    let mut content = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let manifest: Value = serde_json::from_str(&content("manifest.json")).unwrap();
    assert_eq!((&manifest["form"], &manifest["list_type"]), (&"xandr".into(), &"blocklist".into()));
    assert_eq!(manifest["names"], 2501);
    for (at, file) in manifest["files"].as_array().unwrap().iter().enumerate() {
        let text = content(file["file"].as_str().unwrap());
        assert_eq!(text.as_bytes(), files.files[at].bytes);
        assert_eq!((text.len(), text.lines().count()), (as_usize(&file["size"]), as_usize(&file["names"])));
        assert_eq!(file["sha256"].as_str().unwrap().len(), 64);
    }
    // printf 's0.example\n' | sha256sum
    let one = crate::upload_forms::files("xandr", ListKind::Block, &["s0.example"]);
    assert_eq!(
        one.manifest().files[0].sha256,
        "11a4e9995f1f1d1a0aab42e994611cde2fe316071f2034f94e2c75e29487e735"
    );
}

fn as_usize(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn a_zip_is_the_same_bytes_whenever_it_is_made() {
    let zip = || files("yahoo", ListKind::Allow, &NAMES).to_zip().unwrap();
    let first = zip();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(first, zip());
}

#[test]
fn limits_are_met_exactly() {
    for (form, limit) in [("dv360", 10_000), ("xandr", 1_000), ("amazon", 10_000)] {
        for (names, expected) in [(limit, 1), (limit + 1, 2)] {
            let names: Vec<String> = (0..names).map(|at| format!("s{at}.example")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(files(form, ListKind::Allow, &names).files.len(), expected, "{form}");
        }
    }
}

#[test]
fn apps_stand_apart_where_the_dsp_keeps_them_apart() {
    let files = files("yahoo", ListKind::Block, &NAMES);
    let told: Vec<_> =
        files.files.iter().map(|file| (file.name.as_str(), file.inventory, file.names)).collect();
    assert_eq!(
        told,
        [("blocklist-yahoo-web.csv", Inventory::Web, 3), ("blocklist-yahoo-app.csv", Inventory::App, 3)]
    );
    assert_eq!(text(&files.files[1].bytes), "com.hulu.plus\n291097\nb07y8sjgcv\n");
    let only_apps = crate::upload_forms::files("yahoo", ListKind::Block, &["291097"]);
    assert_eq!(only_apps.single().unwrap().inventory, Inventory::App);
}

#[test]
fn vendors_are_refused_where_sites_are_wanted_and_taken_by_plain_text() {
    for form in UploadForm::all() {
        let made = form.files(ListKind::Block, Dimension::SupplyVendor, &["Vendor, Inc."], "blocklist");
        if form.name() == "text" {
            assert_eq!(text(&made.unwrap().files[0].bytes), "Vendor, Inc.\n");
            continue;
        }
        let error = made.unwrap_err();
        assert_eq!(error.code, Code::BadOption);
        assert!(error.message.contains("supply vendors") && error.message.contains(form.name()), "{error}");
        assert!(error.help.is_some());
    }
}

#[test]
fn what_a_form_cannot_hold_is_left_out_and_said() {
    let long = format!("{}.example", "x".repeat(250));
    let left = |form, name: &str| files(form, ListKind::Block, &["a.example", name]).left_out;
    assert_eq!(left("amazon", &long)[0].reason, "it has 258 characters, and 250 are taken");
    assert!(left("basis", &long).is_empty());
    let deep = "a.b.c.d.e.f.news.com";
    assert_eq!(left("dv360", deep)[0].reason, "it has 6 levels of subdomains, and 5 are taken");
    assert!(left("dv360", "b.c.d.e.f.news.com").is_empty());
    // No DSP holds such a name, and the file may be opened by a spreadsheet before it is uploaded.
    let formula = "=HYPERLINK(\"http://x\")";
    assert!(left("trade_desk_csv", formula)[0].reason.contains("neither a domain nor an app id"));
    assert!(left("text", formula).is_empty());
    let kept = files("trade_desk_csv", ListKind::Block, &["-dash.example", "Very Local: News, Weather"]);
    assert_eq!(
        text(&kept.files[0].bytes),
        "Domain,Adjustment\n-dash.example,0\n\"Very Local: News, Weather\",0\n",
        "no leading apostrophe: a machine reads it"
    );
}

#[test]
fn an_empty_list_is_one_file_without_a_name() {
    for form in UploadForm::all() {
        let files = files(form.name(), ListKind::Allow, &[]);
        assert_eq!((files.files.len(), files.names(), read_back(&files).len()), (1, 0, 0), "{}", form.name());
    }
}

#[test]
fn the_names_of_files_hold_nothing_that_leads_elsewhere() {
    let form = UploadForm::by_name("text").unwrap();
    for (base, name) in [
        ("../../etc/passwd", "-..-etc-passwd-text.txt"),
        ("весна 2026", "весна 2026-text.txt"),
        ("a/b\\c:d\"e\n", "a-b-c-d-e--text.txt"),
        ("..", "list-text.txt"),
    ] {
        let files = form.files(ListKind::Allow, Dimension::Domain, &[], base).unwrap();
        assert_eq!(files.files[0].name, name);
    }
}

proptest! {
    #[test]
    fn any_name_stands_in_one_line_of_its_own_or_is_left_out(names in proptest::collection::vec("\\PC{1,40}|[a-z]{1,9}\\.(com|app)|[\r\n=@a]{1,5}", 0..30)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for form in UploadForm::all() {
            let files = form.files(ListKind::Block, Dimension::Domain, &names, "b").unwrap();
            prop_assert_eq!(files.names() + files.left_out.len(), names.len());
            if form.name() == "dv360" {
                prop_assert_eq!(text(&files.files[0].bytes).matches('\n').count(), files.names());
            }
        }
    }
}
