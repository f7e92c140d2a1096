//! Delimited text: cutting a stream into chunks of whole records, and records into cells.
//!
//! A quote is only special where a cell begins, so that `15" screens` in the middle of a cell does not swallow
//! the rest of the file. Records end at LF, CR or CRLF outside quotes.

use std::borrow::Cow;
use std::io::{self, Read};

use memchr::{memchr, memrchr2};
use wide::u8x64;

use super::cell::{Cell, Row};
use crate::rollup::facts::Place;

/// The longest record accepted. No DSP writes one near it; a quote that never closes does.
pub(crate) const MAX_RECORD_BYTES: usize = 8 << 20;

const QUOTE: u8 = b'"';

/// Bytes that are read into again and again; kept initialised, so that a read costs no clearing.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    used: usize,
}

impl Buffer {
    fn append(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes[self.used..self.used + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
    }

    fn reserve(&mut self, wanted: usize) {
        if self.bytes.len() < self.used + wanted {
            self.bytes.resize(self.used + wanted, 0);
        }
    }

    /// Reads up to `wanted` bytes; fewer only at the end of the stream.
    fn fill(&mut self, reader: &mut impl Read, wanted: usize) -> io::Result<usize> {
        self.reserve(wanted);
        let before = self.used;
        while self.used < before + wanted {
            match reader.read(&mut self.bytes[self.used..before + wanted]) {
                Ok(0) => break,
                Ok(got) => self.used += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.used - before)
    }
}

impl std::ops::Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

/// Where the last whole record of a buffer ends.
#[derive(Debug, PartialEq, Eq)]
struct Boundary {
    /// One past the last record's line end; `None` if no record ends in the buffer.
    end: Option<usize>,
    /// Where a quoted cell opened that the buffer does not close.
    open_quote: Option<usize>,
}

/// Cuts a stream into chunks of whole records.
pub(crate) struct Chunker<R> {
    reader: R,
    delimiter: u8,
    chunk_bytes: usize,
    carry: Vec<u8>,
    outside: Vec<(usize, usize)>,
    next_index: usize,
    at_end: bool,
}

/// Why a stream could not be cut.
#[derive(Debug)]
pub(crate) enum ChunkError {
    Io(io::Error),
    /// A record longer than [`MAX_RECORD_BYTES`], or a quote left open at the end of the file. `lines_before`
    /// counts the lines of the stream's unfinished chunk before the place.
    Unclosed {
        chunk: usize,
        lines_before: u64,
        quote: bool,
    },
    /// A record of more cells than any report has.
    TooWide {
        place: Place,
        width: usize,
    },
}

impl ChunkError {
    /// The chunk it was met in; what ends the stream comes last.
    pub(crate) fn chunk(&self) -> usize {
        match self {
            Self::Io(_) => usize::MAX,
            Self::Unclosed { chunk, .. } => *chunk,
            Self::TooWide { place, .. } => place.chunk as usize,
        }
    }
}

impl From<io::Error> for ChunkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<R: Read> Chunker<R> {
    pub(crate) fn new(reader: R, delimiter: u8, chunk_bytes: usize) -> Self {
        Self {
            reader,
            delimiter,
            chunk_bytes: chunk_bytes.max(1),
            carry: Vec::new(),
            outside: Vec::new(),
            next_index: 0,
            at_end: false,
        }
    }

    /// Fills `buffer` with the next whole records and returns the chunk's index; `None` at the end.
    pub(crate) fn next(&mut self, buffer: &mut Buffer) -> Result<Option<usize>, ChunkError> {
        buffer.used = 0;
        buffer.append(&self.carry);
        self.carry.clear();
        loop {
            let wanted = self.chunk_bytes.max(buffer.len());
            if !self.at_end {
                self.at_end = buffer.fill(&mut self.reader, wanted)? < wanted;
            }
            if buffer.is_empty() {
                return Ok(None);
            }
            let boundary = self.boundary(buffer);
            if self.at_end {
                if let Some(quote) = boundary.open_quote {
                    return Err(self.unclosed(buffer, quote, true));
                }
                break;
            }
            if let Some(end) = boundary.end {
                self.carry.extend_from_slice(&buffer[end..]);
                buffer.used = end;
                break;
            }
            if buffer.len() > MAX_RECORD_BYTES {
                return Err(self.unclosed(
                    buffer,
                    boundary.open_quote.unwrap_or(0),
                    boundary.open_quote.is_some(),
                ));
            }
        }
        self.next_index += 1;
        Ok(Some(self.next_index - 1))
    }

    fn unclosed(&self, buffer: &[u8], position: usize, quote: bool) -> ChunkError {
        ChunkError::Unclosed { chunk: self.next_index, lines_before: count_lines(&buffer[..position]), quote }
    }

    /// Finds the last record end. The buffer begins where a record begins.
    fn boundary(&mut self, buffer: &[u8]) -> Boundary {
        self.outside.clear();
        let (mut from, mut segment) = (0, 0);
        let mut open_quote = None;
        while let Some(offset) = memchr(QUOTE, &buffer[from..]) {
            let quote = from + offset;
            if !opens_cell(buffer, quote, self.delimiter) {
                from = quote + 1;
                continue;
            }
            self.outside.push((segment, quote));
            let Some(close) = closing_quote(buffer, quote + 1, self.at_end) else {
                open_quote = Some(quote);
                break;
            };
            (from, segment) = (close + 1, close + 1);
        }
        if open_quote.is_none() {
            self.outside.push((segment, buffer.len()));
        }
        let end = self.outside.iter().rev().find_map(|&(start, end)| {
            let mut end = end;
            loop {
                let newline = start + memrchr2(b'\n', b'\r', &buffer[start..end])?;
                // A CR that ends the buffer may be half of a CRLF.
                if newline + 1 == buffer.len() && buffer[newline] == b'\r' && !self.at_end {
                    end = newline;
                    continue;
                }
                return Some(newline + 1);
            }
        });
        Boundary { end, open_quote }
    }
}

/// Whether the quote at `position` stands where a cell begins (blanks before it do not count).
fn opens_cell(buffer: &[u8], position: usize, delimiter: u8) -> bool {
    match buffer[..position].iter().rposition(|&byte| byte != b' ') {
        None => true,
        Some(before) => {
            let byte = buffer[before];
            byte == delimiter || byte == b'\n' || byte == b'\r'
        }
    }
}

/// The quote that closes a cell whose content begins at `from`; doubled quotes are content.
fn closing_quote(buffer: &[u8], mut from: usize, at_end: bool) -> Option<usize> {
    loop {
        let quote = from + memchr(QUOTE, buffer.get(from..)?)?;
        match buffer.get(quote + 1) {
            Some(&QUOTE) => from = quote + 2,
            None if !at_end => return None,
            _ => return Some(quote),
        }
    }
}

/// Number of line ends: LF, CRLF and lone CR.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let lone = memchr::memchr_iter(b'\r', bytes).filter(|&at| bytes.get(at + 1) != Some(&b'\n')).count();
    (feeds + lone) as u64
}

/// The cell and record ends of a chunk, found 64 bytes at a time.
#[derive(Default)]
pub(crate) struct Index {
    /// Positions of the delimiters and line ends outside quotes; filled up to `used`.
    ends: Vec<u32>,
    used: usize,
    /// Indexes into `ends` of those that end a record.
    records: Vec<u32>,
}

/// What one pass over a block leaves for the next.
#[derive(Default)]
struct Quoting {
    inside: bool,
    /// Positions before this were consumed as the second half of a doubled quote.
    skip_until: usize,
}

impl Index {
    /// Indexes a chunk that begins where a record begins and ends where one ends (or the file does). Returns the
    /// number of line ends in it, those within quotes included.
    pub(crate) fn build(&mut self, chunk: &[u8], delimiter: u8) -> u64 {
        self.used = 0;
        self.records.clear();
        let lines = index_blocks(self, chunk, delimiter);
        if self.records.last().map_or(0, |&last| self.ends[last as usize] as usize + 1) < chunk.len() {
            self.reserve_block();
            self.ends[self.used] = chunk.len() as u32;
            self.records.push(self.used as u32);
            self.used += 1;
        }
        lines
    }

    #[inline]
    fn reserve_block(&mut self) {
        if self.ends.len() < self.used + 64 {
            self.ends.resize((self.used + 64).max(2 * self.ends.len()), 0);
        }
    }

    /// Appends the set bits of `structural`; eight are written at a time and the surplus overwritten later, which
    /// spares a branch a bit.
    #[inline]
    fn push(&mut self, mut structural: u64, mut newline: u64, base: usize) {
        self.reserve_block();
        while newline != 0 {
            let bit = newline & newline.wrapping_neg();
            self.records.push((self.used + (structural & (bit - 1)).count_ones() as usize) as u32);
            newline &= newline - 1;
        }
        let count = structural.count_ones() as usize;
        for eight in self.ends[self.used..self.used + 64].chunks_exact_mut(8).take(count.div_ceil(8)) {
            for end in eight {
                *end = base as u32 + structural.trailing_zeros();
                structural &= structural.wrapping_sub(1);
            }
        }
        self.used += count;
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the masks of one block and the state around it, called once"
    )]
    fn push_quoted(
        &mut self,
        chunk: &[u8],
        structural: u64,
        newline: u64,
        quote: u64,
        base: usize,
        delimiter: u8,
        quoting: &mut Quoting,
    ) {
        self.reserve_block();
        let mut events = structural | quote;
        while events != 0 {
            let bit = events & events.wrapping_neg();
            let position = base + events.trailing_zeros() as usize;
            events &= events - 1;
            if position < quoting.skip_until {
                continue;
            }
            if quote & bit != 0 {
                if !quoting.inside {
                    quoting.inside = opens_cell(chunk, position, delimiter);
                } else if chunk.get(position + 1) == Some(&QUOTE) {
                    quoting.skip_until = position + 2;
                } else {
                    quoting.inside = false;
                }
            } else if !quoting.inside {
                if newline & bit != 0 {
                    self.records.push(self.used as u32);
                }
                self.ends[self.used] = position as u32;
                self.used += 1;
            }
        }
    }

    /// The records of the chunk that was indexed, blank lines left out.
    pub(crate) fn records<'a>(&'a self, chunk: &'a [u8]) -> impl Iterator<Item = Record<'a>> {
        let mut first = 0;
        self.records.iter().filter_map(move |&last| {
            let start = if first == 0 { 0 } else { self.ends[first - 1] + 1 };
            let ends = &self.ends[first..=last as usize];
            first = last as usize + 1;
            (ends.len() > 1 || ends[0] > start).then_some(Record { chunk, start, ends })
        })
    }
}

/// Appends the ends of all 64-byte blocks of a chunk and returns its number of line ends. Built once more for
/// processors with AVX2 and bit manipulation, where it takes half the time.
#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+popcnt+lzcnt"))]
fn index_blocks(index: &mut Index, chunk: &[u8], delimiter: u8) -> u64 {
    let mut quoting = Quoting::default();
    let (mut feeds, mut returns, mut pairs, mut after_return) = (0, 0, 0, 0);
    let (blocks, rest) = chunk.as_chunks::<64>();
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    for (at, block) in blocks.iter().chain((!rest.is_empty()).then_some(&last)).enumerate() {
        let base = at * 64;
        let block = u8x64::from(*block);
        let equal = |byte: u8| block.simd_eq(u8x64::splat(byte)).to_bitmask();
        let (quote, feed, carriage) = (equal(QUOTE), equal(b'\n'), equal(b'\r'));
        let newline = feed | carriage;
        let structural = equal(delimiter) | newline;
        feeds += feed.count_ones();
        if (carriage | after_return) != 0 {
            returns += carriage.count_ones();
            pairs += ((carriage << 1 | after_return) & feed).count_ones();
            after_return = carriage >> 63;
        }
        if quote == 0 && !quoting.inside {
            index.push(structural, newline, base);
        } else {
            index.push_quoted(chunk, structural, newline, quote, base, delimiter, &mut quoting);
        }
    }
    u64::from(feeds + returns - pairs)
}

/// One record of a chunk.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    chunk: &'a [u8],
    start: u32,
    ends: &'a [u32],
}

impl<'a> Record<'a> {
    /// The bytes of a cell as they stand, quotes and all.
    #[inline]
    fn raw(&self, column: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(column)? as usize;
        let start = if column == 0 { self.start } else { self.ends[column - 1] + 1 } as usize;
        Some(&self.chunk[start..end])
    }

    /// Where in the chunk the record's line end stands.
    pub(crate) fn end(&self) -> usize {
        // A record has at least one end.
        self.ends.last().map_or(self.start(), |&end| end as usize)
    }

    /// Where in the chunk the record begins.
    pub(crate) fn start(&self) -> usize {
        self.start as usize
    }
}

impl Row for Record<'_> {
    #[inline]
    fn plain(&self, column: usize) -> Option<&[u8]> {
        self.raw(column).filter(|raw| raw.first().is_some_and(|first| !matches!(first, &QUOTE | b' ')))
    }

    #[inline]
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.raw(column) {
            None | Some([]) => Cell::Missing,
            Some(raw) => Cell::Text(unquoted(raw)),
        }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }
}

/// The content of a cell: without its quotes, doubled quotes made one.
fn unquoted(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw[0] != QUOTE && raw[0] != b' ' {
        return Cow::Borrowed(raw);
    }
    let blanks = raw.iter().take_while(|&&byte| byte == b' ').count();
    let Some(content) = raw[blanks..].strip_prefix(&[QUOTE]) else {
        return Cow::Borrowed(raw);
    };
    match memchr(QUOTE, content) {
        Some(close) if close + 1 == content.len() => Cow::Borrowed(&content[..close]),
        _ => Cow::Owned(unescaped(content)),
    }
}

fn unescaped(content: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(quote) = memchr(QUOTE, rest) {
        text.extend_from_slice(&rest[..quote]);
        rest = &rest[quote + 1..];
        if rest.first() == Some(&QUOTE) {
            text.push(QUOTE);
            rest = &rest[1..];
        } else {
            // Closed. What follows up to the delimiter is kept as it stands.
            break;
        }
    }
    text.extend_from_slice(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], delimiter: u8, chunk_bytes: usize) -> Result<Vec<Vec<String>>, ChunkError> {
        let mut chunker = Chunker::new(text, delimiter, chunk_bytes);
        let (mut buffer, mut index, mut rows) = (Buffer::default(), Index::default(), Vec::new());
        while chunker.next(&mut buffer)?.is_some() {
            index.build(&buffer, delimiter);
            for record in index.records(&buffer) {
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
        assert_eq!(index.build(b"a\r\nb\rc\nd", b','), 3);
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
        let mut chunker = Chunker::new(Endless(0), b',', 1 << 18);
        assert!(matches!(
            chunker.next(&mut Buffer::default()),
            Err(ChunkError::Unclosed { quote: false, .. })
        ));
    }

    proptest! {
        #[test]
        fn where_chunks_end_changes_no_cell(text in "[ab,\"\n\r ]{0,80}", chunk_bytes in 1_usize..80) {
            let whole = read(text.as_bytes(), b',', 1 << 16).ok();
            let parts = read(text.as_bytes(), b',', chunk_bytes).ok();
            prop_assert_eq!(whole, parts);
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
    }
}
