//! What the fuzz targets run. The bodies stand beside the test that replays the corpus.

#[path = "../../crates/caliber-engine/tests/fuzz_corpus/targets/mod.rs"]
mod targets;

/// Arbitrary bytes as a whole file.
pub fn sniff(bytes: &[u8]) {
    targets::sniff::check(bytes);
}

/// The parts of an XLSX workbook as text.
pub fn workbook(bytes: &[u8]) {
    targets::workbook::check(bytes);
}

/// A call and delimited text.
pub fn csv(bytes: &[u8]) {
    targets::csv::check(bytes);
}

/// A list of headers and a call.
pub fn mapping(bytes: &[u8]) {
    targets::mapping::check(bytes);
}

/// Cells, one a line.
pub fn numbers(bytes: &[u8]) {
    targets::numbers::check(bytes);
}

/// A recipe file.
pub fn recipes(bytes: &[u8]) {
    targets::recipes::check(bytes);
}
