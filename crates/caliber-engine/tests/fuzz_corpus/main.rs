//! Replays the corpus of every fuzz target: whatever fuzzing has once reached stays right.
//!
//! `fuzz/` builds the same targets for coverage-guided runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

mod targets;

fn corpus_of(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// Runs every file of the corpus, and names those that fail.
fn replay(target: &str, check: fn(&[u8])) {
    let failed: Vec<PathBuf> = corpus_of(target)
        .into_iter()
        .filter(|file| {
            let bytes = std::fs::read(file).expect("a file of the corpus");
            catch_unwind(AssertUnwindSafe(|| check(&bytes))).is_err()
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn any_bytes_are_told_apart_and_looked_at() {
    replay("sniff", targets::sniff::check);
}

#[test]
fn the_xml_of_a_workbook_is_read_whatever_it_says() {
    replay("workbook", targets::workbook::check);
}

#[test]
fn how_text_is_cut_and_shared_out_changes_no_score() {
    replay("csv", targets::csv::check);
}

#[test]
fn a_header_is_one_column_and_a_column_has_one_header() {
    replay("mapping", targets::mapping::check);
}

#[test]
fn cells_are_read_alike_whichever_way_they_come() {
    replay("numbers", targets::numbers::check);
}

#[test]
fn a_recipe_is_refused_at_its_line_or_written_as_it_was_read() {
    replay("recipes", targets::recipes::check);
}

#[test]
fn the_corpus_is_small_enough_to_be_kept_in_version_control() {
    let targets = ["sniff", "workbook", "csv", "mapping", "numbers", "recipes"];
    let files = targets.iter().flat_map(|target| corpus_of(target));
    let bytes: u64 = files.map(|file| file.metadata().expect("a file").len()).sum();
    assert!(bytes < 2 << 20, "{bytes} bytes");
}
