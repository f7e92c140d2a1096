//! The same report gives the same bytes, on any number of cores and in any order of rows.

use crate::call::{Call, Place};

/// The files of a run, the one figure that may differ taken out.
fn written(place: &Place, folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = place.files_in(folder);
    for (name, bytes) in &mut files {
        if name == "summary.json" {
            let mut summary: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            summary["elapsed_ms"] = 0.into();
            *bytes = summary.to_string().into_bytes();
        }
    }
    files
}

#[track_caller]
fn assert_same_files(a: &[(String, Vec<u8>)], b: &[(String, Vec<u8>)], what: &str) {
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(a), names(b), "{what}");
    assert!(a.len() > 7, "{what}: {:?}", names(a));
    for ((name, a), (_, b)) in a.iter().zip(b) {
        assert!(a == b, "{what}: {name} differs");
    }
}

#[test]
fn the_number_of_cores_changes_no_byte() {
    for (layout, file) in [
        ("trade_desk display", "r.csv"),
        ("trade_desk video", "r.csv.gz"),
        ("pulsepoint display", "r.xlsx"),
        ("trade_desk ctv", "r.parquet"),
    ] {
        let place = Place::new();
        place.sample(layout, 12_000, 300, file, &[]);
        let policy = if layout == "trade_desk ctv" { "quartile" } else { "evidence" };
        let args = |out| {
            ["score", "--quiet", file, "--format", "csv,json,xlsx", "--list-policy", policy, "--out", out]
        };
        place.run(&args("all")).done();
        let one = Call::new(&place, &args("one")).after("taskset -pc 0 $$ >/dev/null || exit 99").run();
        one.done();
        place.run(&args("again")).done();
        assert_same_files(&written(&place, "all"), &written(&place, "one"), &format!("{layout}, one core"));
        assert_same_files(&written(&place, "all"), &written(&place, "again"), &format!("{layout}, again"));
    }
}

#[test]
fn the_order_of_rows_changes_no_byte_of_the_results() {
    for layout in ["trade_desk display", "trade_desk ctv", "pulsepoint video", "trade_desk audio"] {
        let place = Place::new();
        place.sample(layout, 3000, 80, "r.csv", &[]);
        let text = place.read("r.csv");
        let mut lines: Vec<&str> = text.lines().collect();
        place.score(&["r.csv", "--out", "out"]);
        for (order, step) in [("backwards", 0), ("by sevens", 7), ("by 1009ths", 1009)] {
            let rows = &mut lines[1..];
            if step == 0 {
                rows.reverse();
            } else {
                let count = rows.len();
                let old = rows.to_vec();
                // The step and the number of rows have no common factor, so every row comes once.
                for (at, row) in rows.iter_mut().enumerate() {
                    *row = old[at * step % count];
                }
            }
            place.write("shuffled.csv", lines.join("\n") + "\n");
            place.score(&["shuffled.csv", "--out", "shuffled"]);
            for file in ["results.csv", "results.parquet", "allowlist.csv", "blocklist.csv"] {
                let bytes = |folder: &str| std::fs::read(place.path(folder).join(file)).unwrap();
                assert!(bytes("out") == bytes("shuffled"), "{layout}: rows {order} change {file}");
            }
        }
    }
}

#[test]
fn a_sample_is_the_same_for_the_same_flags_and_another_for_another_seed() {
    let place = Place::new();
    for file in ["a.csv", "a.xlsx", "a.parquet", "a.csv.gz"] {
        let bytes = |more: &[&str]| {
            place.sample("trade_desk display", 400, 30, file, more);
            std::fs::read(place.path(file)).unwrap()
        };
        let first = bytes(&[]);
        assert!(first == bytes(&["--seed", "42"]), "{file}: 42 is the seed where none is said");
        assert!(first != bytes(&["--seed", "43"]), "{file}: another seed is another report");
    }
    let truth = place.read("a.truth.csv");
    assert!(truth.starts_with("domain,class"), "{truth}");
    for line in truth.lines().skip(1) {
        let class = line.split(',').nth(1).unwrap();
        assert!(["premium", "normal", "made_for_advertising", "fraud"].contains(&class), "{line}");
    }
    assert_eq!(truth.lines().count(), 31, "a line for each site");
}
