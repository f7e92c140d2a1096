use proptest::prelude::*;

use std::io::{self, Read, Write};

use super::*;
use crate::progress::Progress;

fn chunks(text: impl Read + Send + 'static, delimiter: u8, chunk_bytes: usize) -> Chunks {
    Chunks::new(Blocks::of_stream(Box::new(text)), delimiter, chunk_bytes)
}

fn read(text: &[u8], delimiter: u8, chunk_bytes: usize) -> Result<Vec<Vec<String>>, ChunkError> {
    let chunks = chunks(io::Cursor::new(text.to_vec()), delimiter, chunk_bytes);
    let (mut chunk, mut rows) = (Chunk::default(), Vec::new());
    while chunks.next(&mut chunk)? {
        for record in chunk.records() {
            rows.push(
                (0..record.len())
                    .map(|column| match record.cell(column) {
                        Cell::Text(text) => String::from_utf8_lossy(&text).into_owned(),
                        _ => String::new(),
                    })
                    .collect(),
            );
        }
    }
    Ok(rows)
}

fn rows(text: &str) -> Vec<Vec<String>> {
    read(text.as_bytes(), b',', 1 << 16).expect("a whole file")
}

#[test]
fn quotes_are_special_only_where_a_cell_begins() {
    assert_eq!(rows("a,15\" screen,b\nc,d,e\n"), [vec!["a", "15\" screen", "b"], vec!["c", "d", "e"]]);
    assert_eq!(rows("\"a,1\",\"say \"\"hi\"\"\"\nb,c"), [vec!["a,1", "say \"hi\""], vec!["b", "c"]]);
    assert_eq!(rows("x, \"a,b\",y\n"), [["x", "a,b", "y"]]);
    assert_eq!(rows("\"abc\"def,g\n"), [["abcdef", "g"]]);
    assert_eq!(rows("\"two\nlines\",2\n3,4\n"), [["two\nlines", "2"], ["3", "4"]]);
}

#[test]
fn every_line_end_ends_a_record_and_blank_lines_are_none() {
    assert_eq!(rows("a,b\r\nc,d\re,f\n\n\r\ng,h"), [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]);
    let mut index = Index::default();
    assert_eq!(index.build(b"a\r\nb\rc\nd", b',', true).lines, 3);
}

#[test]
fn a_quote_that_never_closes_is_an_error_with_its_line() {
    let error = read(b"a,b\n1,\"two\n3,4\n", b',', 4).expect_err("unclosed");
    assert!(matches!(error, ChunkError::Unclosed { quote: true, .. }), "{error:?}");
}

#[test]
fn a_record_without_an_end_is_refused_before_it_is_read_whole() {
    struct Endless(usize);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += buffer.len();
            assert!(self.0 < 64 << 20, "read on and on");
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let (chunks, mut chunk) = (chunks(Endless(0), b',', 1 << 18), Chunk::default());
    let error = loop {
        match chunks.next(&mut chunk) {
            Ok(more) => assert!(more && chunk.records().next().is_none()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ChunkError::Unclosed { quote: false, .. }), "{error:?}");
}

proptest! {
    #[test]
    fn where_chunks_end_changes_no_cell(text in "[ab,\"\n\r ]{0,80}", chunk_bytes in 1_usize..80) {
        let whole = read(text.as_bytes(), b',', 1 << 16).ok();
        let parts = read(text.as_bytes(), b',', chunk_bytes).ok();
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn where_chunks_end_changes_no_line(text in "[ab,\"\n\r ]{0,80}", chunk_bytes in 1_usize..80) {
        let lines = |chunk_bytes| -> Result<Vec<u64>, ChunkError> {
            let chunks = chunks(io::Cursor::new(text.clone().into_bytes()), b',', chunk_bytes);
            let (mut chunk, mut before, mut lines) = (Chunk::default(), 0, Vec::new());
            while chunks.next(&mut chunk)? {
                lines.extend(chunk.records().map(|record| before + chunk.lines_before(&record)));
                before += chunk.lines;
            }
            Ok(lines)
        };
        prop_assert_eq!(lines(1 << 16).ok(), lines(chunk_bytes).ok());
    }

    #[test]
    fn several_threads_cut_a_file_as_one_does(text in "[ab,\"\n\r ]{0,200}", chunk_bytes in 1_usize..40) {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(format!("skip{text}").as_bytes()).expect("written");
        let chunks = Chunks::new(Blocks::of_file(file, 4, &Progress::default()), b',', chunk_bytes);
        let cells = |record: Record<'_>| -> Vec<Vec<u8>> {
            (0..record.len()).map(|column| record.cell(column).text().into_owned()).collect()
        };
        let cut = || -> Result<Vec<_>, ChunkError> {
            let (mut chunk, mut rows) = (Chunk::default(), Vec::new());
            while chunks.next(&mut chunk)? {
                rows.extend(chunk.records().enumerate().map(|(at, record)| ((chunk.number, at), cells(record))));
            }
            Ok(rows)
        };
        let parts = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(cut)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<Vec<_>, _>>()
        });
        let parts = parts.ok().map(|parts| {
            let mut rows = parts.concat();
            rows.sort_unstable();
            rows.into_iter().map(|(_, row)| row.into_iter().map(|cell| String::from_utf8_lossy(&cell).into_owned()).collect()).collect::<Vec<Vec<String>>>()
        });
        prop_assert_eq!(parts, read(text.as_bytes(), b',', 1 << 16).ok());
    }

    #[test]
    fn blocks_of_64_bytes_are_no_seam(before in 0_usize..140, text in "[ab,\"\n\r]{0,40}") {
        let padded = format!("{}\n{text}", "x".repeat(before));
        let whole = read(padded.as_bytes(), b',', 1 << 16).ok().map(|rows| rows[usize::from(before > 0)..].to_vec());
        prop_assert_eq!(whole, read(text.as_bytes(), b',', 1 << 16).ok());
    }

    #[test]
    fn well_formed_text_reads_as_the_csv_crate_reads_it(
        cells in prop::collection::vec(prop::collection::vec("[a-c,\"\n\r ;é]{0,8}", 2..5), 1..20)
    ) {
        let mut writer = csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        for row in &cells {
            writer.write_record(row).expect("memory");
        }
        let text = writer.into_inner().expect("memory");
        prop_assert_eq!(read(&text, b',', 7).expect("whole"), cells);
    }

    #[test]
    fn short_cuts_show_what_is_in_the_cell(text in "[1.,\"\n ]{0,80}") {
        let text = format!("beginning\n{text}");
        let chunks = chunks(io::Cursor::new(text.into_bytes()), b',', 1 << 16);
        let mut chunk = Chunk::default();
        while chunks.next(&mut chunk).unwrap_or(false) {
            for record in chunk.records() {
                for column in 0..record.len() {
                    let cell = record.cell(column);
                    if let Some(plain) = record.plain(column) {
                        prop_assert_eq!(plain, &*cell.text());
                    }
                    let (word, len) = record.word(column);
                    let word = &word.to_le_bytes()[8 - len as usize..];
                    if len > 0 && !word.contains(&QUOTE) {
                        prop_assert_eq!(word, &*cell.text());
                    }
                }
            }
        }
    }
}
