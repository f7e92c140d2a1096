//! Delimited text before it is cut: its encoding, its delimiter, its first rows.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use serde::Serialize;

use super::cell::{OwnedRow, Row};
use super::csv::{Blocks, Index, MAX_RECORD_BYTES, Record, count_lines};
use super::file::HEADER_ROWS;
use super::header_row::surest;
use super::source::{Source, fill, read_error};
use crate::progress::Progress;
use crate::{Code, Error, Result};

/// The delimiters that are met.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// What is read to tell encoding, delimiter and header.
const SAMPLE_BYTES: usize = 256 << 10;

/// What some programs begin UTF-8 with.
const BYTE_ORDER_MARK: &[u8; 3] = b"\xef\xbb\xbf";

/// How characters are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-8 after a byte order mark.
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Windows-1252. Cells that are not UTF-8 are decoded so one by one.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// What it is after all, once a cell was met that is no UTF-8.
    pub(crate) fn or_windows_1252(self) -> Self {
        match self {
            Self::Utf8 => Self::Windows1252,
            other => other,
        }
    }
}

/// The first bytes of a text report, as UTF-8 or Windows-1252.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) encoding: Encoding,
    /// Whether it is all there is.
    pub(crate) is_whole: bool,
    bytes: Vec<u8>,
}

/// The first rows of a text report.
pub(crate) struct TextRows {
    pub(crate) rows: Vec<OwnedRow>,
    /// Where each row ends: bytes of the stream, and lines.
    pub(crate) ends: Vec<(u64, u64)>,
}

/// Recognises UTF-16 by its byte order mark, or by the zeros of Latin text.
pub(crate) fn utf16(head: &[u8]) -> Option<Encoding> {
    match head {
        [0xff, 0xfe, ..] => return Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => return Some(Encoding::Utf16Be),
        _ => {}
    }
    let head = &head[..head.len().min(4096)];
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    match () {
        () if half >= 4 && odd * 10 > half * 7 && even * 10 < half => Some(Encoding::Utf16Le),
        () if half >= 4 && even * 10 > half * 7 && odd * 10 < half => Some(Encoding::Utf16Be),
        () => None,
    }
}

/// Opens a text source as a stream of UTF-8 (or Windows-1252) without a byte order mark.
pub(crate) fn stream(
    source: &Source,
    encoding: Encoding,
    progress: &Progress,
) -> Result<Box<dyn Read + Send>> {
    let mut stream = source.stream(progress)?;
    Ok(match encoding {
        Encoding::Utf8 | Encoding::Windows1252 => stream,
        Encoding::Utf8Bom => {
            stream
                .read_exact(&mut [0; BYTE_ORDER_MARK.len()])
                .map_err(|error| read_error(error, "file").in_file(source.name()))?;
            stream
        }
        Encoding::Utf16Le => Box::new(Utf16::new(stream, UTF_16LE.new_decoder_with_bom_removal())),
        Encoding::Utf16Be => Box::new(Utf16::new(stream, UTF_16BE.new_decoder_with_bom_removal())),
    })
}

/// The text of a source without its first `skip` bytes, for several threads to read.
pub(crate) fn blocks(source: &Source, encoding: Encoding, skip: u64, progress: &Progress) -> Result<Blocks> {
    let mark = match encoding {
        Encoding::Utf8 | Encoding::Windows1252 => Some(0),
        Encoding::Utf8Bom => Some(BYTE_ORDER_MARK.len() as u64),
        Encoding::Utf16Le | Encoding::Utf16Be => None,
    };
    if let (Some(mark), Some(file)) = (mark, source.unpacked()?) {
        return Ok(Blocks::of_file(file, mark + skip, progress));
    }
    let mut stream = stream(source, encoding, progress)?;
    io::copy(&mut (&mut stream).take(skip), &mut io::sink()).map_err(|error| read_error(error, "file"))?;
    Ok(Blocks::of_stream(stream))
}

/// Reads the first whole lines of a source.
///
/// # Errors
/// `TooLarge` for a first line beyond any report's.
pub(crate) fn sample(source: &Source) -> Result<Sample> {
    let progress = Progress::default();
    let mut head = vec![0; 4096];
    let got = fill(&mut source.stream(&progress)?, &mut head)?;
    head.truncate(got);
    let encoding = utf16(&head).unwrap_or(if head.starts_with(BYTE_ORDER_MARK) {
        Encoding::Utf8Bom
    } else {
        Encoding::Utf8
    });
    let mut stream = stream(source, encoding, &progress)?;
    let mut bytes = Vec::new();
    let mut wanted = SAMPLE_BYTES;
    let mut is_whole = false;
    loop {
        let before = bytes.len();
        bytes.resize(wanted, 0);
        let got = fill(&mut stream, &mut bytes[before..])?;
        bytes.truncate(before + got);
        if bytes.len() < wanted {
            is_whole = true;
            break;
        }
        let whole =
            memchr::memrchr2(b'\n', b'\r', &bytes[..bytes.len() - 1]).map_or(0, |newline| newline + 1);
        // A line that fills half the sample may be the only one below the header.
        if whole > wanted / 2 {
            bytes.truncate(whole);
            break;
        }
        if wanted > MAX_RECORD_BYTES {
            return Err(too_long().at_line(count_lines(&bytes[..whole]) + 1));
        }
        wanted *= 2;
    }
    let encoding = match encoding {
        Encoding::Utf8 if !is_utf8(&bytes) => Encoding::Windows1252,
        encoding => encoding,
    };
    Ok(Sample { encoding, is_whole, bytes })
}

/// A record that is longer than any report's.
pub(crate) fn too_long() -> Error {
    Error::new(Code::TooLarge, format!("a line longer than {} MB", MAX_RECORD_BYTES >> 20))
        .help("export the report again as CSV with a line a row")
}

/// Whether the bytes are UTF-8, but perhaps for a last character that was cut.
fn is_utf8(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

impl Sample {
    /// The first rows, cut at a delimiter.
    pub(crate) fn rows(&self, delimiter: u8, most: usize) -> TextRows {
        let mut index = Index::default();
        index.build(&self.bytes, delimiter, true);
        let (mut line, mut counted) = (0, 0);
        let mut lines_to = |position: usize| {
            line += count_lines(&self.bytes[counted..position]);
            counted = position;
            line
        };
        let mut text = TextRows { rows: Vec::new(), ends: Vec::new() };
        for record in index.records(&self.bytes, 0).take(most) {
            let line = lines_to(record.start()) + 1;
            let mut end = (record.end() + 1).min(self.bytes.len());
            if self.bytes[..end].ends_with(b"\r") && self.bytes.get(end) == Some(&b'\n') {
                end += 1;
            }
            text.ends.push((end as u64, lines_to(end)));
            let cells = (0..record.len()).map(|column| record.cell(column).into_owned()).collect();
            text.rows.push(OwnedRow { line, cells });
        }
        text
    }

    /// The delimiter under which the rows look most like a report: by the best header row, else by rows that
    /// agree on their number of cells. And which row is the header then, by the points of each.
    pub(crate) fn delimiter(&self, points: &dyn Fn(&Record<'_>) -> usize) -> (u8, Option<usize>) {
        let judge = |delimiter: u8| {
            let mut index = Index::default();
            index.build(&self.bytes, delimiter, true);
            let rows = || index.records(&self.bytes, 0).take(HEADER_ROWS);
            let points: Vec<usize> = rows().map(|row| points(&row)).collect();
            let mut widths: Vec<usize> = rows().map(|row| row.len()).collect();
            widths.sort_unstable();
            let most = points.iter().max().copied().unwrap_or(0);
            ((most, widths.get(widths.len() / 2).copied().unwrap_or(0)), surest(points))
        };
        // Those that stand nowhere all leave the lines whole.
        let mut of_whole_lines = None;
        let judged = DELIMITERS.map(|delimiter| {
            let (looks, header) = if memchr::memchr(delimiter, &self.bytes).is_some() {
                judge(delimiter)
            } else {
                *of_whole_lines.get_or_insert_with(|| judge(delimiter))
            };
            (looks, delimiter, header)
        });
        let best = judged.iter().reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map_or((b',', None), |&(_, delimiter, header)| (delimiter, header))
    }
}

/// UTF-16 as a stream of UTF-8.
struct Utf16<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    pending: usize,
    output: Vec<u8>,
    given: usize,
    at_end: bool,
}

impl<R: Read> Utf16<R> {
    fn new(inner: R, decoder: Decoder) -> Self {
        Self {
            inner,
            decoder,
            input: vec![0; 64 << 10],
            pending: 0,
            output: Vec::with_capacity(256 << 10),
            given: 0,
            at_end: false,
        }
    }

    /// Decodes the next piece into `output`.
    fn refill(&mut self) -> io::Result<()> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() && !self.at_end {
            let got = self.inner.read(&mut self.input[self.pending..])?;
            let available = self.pending + got;
            let last = got == 0;
            let mut output = vec![0; self.output.capacity()];
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(&self.input[..available], &mut output, last);
            output.truncate(written);
            self.output = output;
            self.input.copy_within(read..available, 0);
            self.pending = available - read;
            self.at_end = last && result == CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() {
            self.refill()?;
        }
        let count = buffer.len().min(self.output.len() - self.given);
        buffer[..count].copy_from_slice(&self.output[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}
