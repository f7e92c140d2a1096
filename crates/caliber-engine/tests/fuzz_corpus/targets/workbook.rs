//! The parts of an XLSX workbook as text, packed before they are read: mutations reach the XML behind the checksums.
//!
//! A part begins with a line `=== xl/workbook.xml`; what stands above the first such line is passed over.

use std::io::{Cursor, Write};

use caliber_engine::report::source::Source;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::sniff::look_and_score;

/// The workbook is read or refused.
pub(crate) fn check(bytes: &[u8]) {
    let packed = packed(bytes);
    look_and_score(&|| Source::from_stream(Cursor::new(&packed), "report"));
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut inside = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"=== ") {
            // A name that stands twice, or is no name, is refused by the writer, and its lines are passed over.
            inside = archive.start_file(String::from_utf8_lossy(name.trim_ascii()), stored).is_ok();
        } else if inside {
            archive.write_all(line).expect("memory takes all");
        }
    }
    archive.finish().expect("memory takes all").into_inner()
}
