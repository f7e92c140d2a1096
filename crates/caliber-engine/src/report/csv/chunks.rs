//! Cutting a text into chunks of whole records, for several threads at once.
//!
//! Threads take blocks of a file and read them side by side. Whether a line end is within quotes is known only from
//! the start of the file. A block's first one hardly ever is, so each block is indexed behind it right away. Then, one after
//! the other, each gets what the block before left of a record, which tells whether that was right, and leaves its own
//! last piece to the next. A block that begins within quotes is then indexed once more.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use memchr::memchr;

use super::index::{Cut, Index, Records};
use super::{Record, count_lines};
use crate::progress::Progress;
use crate::report::source::fill_with;
use crate::rollup::facts::Place;

/// The longest record accepted. No DSP writes one near it; a quote that never closes does.
pub(crate) const MAX_RECORD_BYTES: usize = 8 << 20;

/// Bytes kept free before a block for what the block before left. A longer piece is made room for.
const HEADROOM: usize = 16 << 10;

/// What blocks are aligned to in memory. Systems keep files in pages; to copy them a few bytes beside such a boundary takes
/// half as long again.
const PAGE: usize = 4096;

/// Where the bytes of a text come from.
pub(crate) enum Blocks {
    /// A file whose bytes are the text's, from a position on.
    File { file: File, start: u64, next: AtomicUsize, progress: Progress },
    /// Anything else: unpacked, decoded.
    Stream(Mutex<Stream>),
}

/// A stream, and the number of its next block.
pub(crate) struct Stream {
    reader: Box<dyn Read + Send>,
    next: usize,
    at_end: bool,
}

impl Blocks {
    /// The bytes of a file from `start` on, counted into `progress` as they are read.
    pub(crate) fn of_file(file: File, start: u64, progress: &Progress) -> Self {
        Self::File { file, start, next: AtomicUsize::new(0), progress: progress.clone() }
    }

    /// The bytes of a stream.
    pub(crate) fn of_stream(reader: Box<dyn Read + Send>) -> Self {
        Self::Stream(Mutex::new(Stream { reader, next: 0, at_end: false }))
    }

    /// Reads the next block: its number, and its bytes, fewer than there is room for only at the end. `None` where
    /// another thread panicked as it read.
    fn read(&self, block: &mut [u8]) -> Option<(usize, io::Result<usize>)> {
        match self {
            Self::File { file, start, next, progress } => {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let mut at = start + number as u64 * block.len() as u64;
                let read = fill_with(block, |rest| {
                    let got = read_at(file, rest, at)?;
                    at += got as u64;
                    Ok(got)
                });
                progress.bytes.fetch_add(*read.as_ref().unwrap_or(&0) as u64, Ordering::Relaxed);
                Some((number, read))
            }
            Self::Stream(stream) => {
                let mut stream = stream.lock().ok()?;
                let read =
                    if stream.at_end { Ok(0) } else { fill_with(block, |rest| stream.reader.read(rest)) };
                stream.at_end = !read.as_ref().is_ok_and(|&got| got == block.len());
                stream.next += 1;
                Some((stream.next - 1, read))
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Cuts a text into chunks of whole records.
pub(crate) struct Chunks {
    blocks: Blocks,
    delimiter: u8,
    chunk_bytes: usize,
    chain: Mutex<Chain>,
    moved: Condvar,
}

/// What goes from block to block.
#[derive(Default)]
struct Chain {
    /// The block whose turn it is.
    next: usize,
    /// The beginning of a record that the block before did not end.
    carry: Vec<u8>,
    /// Nothing comes any more.
    at_end: bool,
}

/// Why a text could not be cut.
#[derive(Debug)]
pub(crate) enum ChunkError {
    Io(io::Error),
    /// A record longer than [`MAX_RECORD_BYTES`], or a quote left open at the end of the file. `lines_before`
    /// counts the lines of the unfinished chunk before the place.
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

/// Whole records and where they end. Read into again and again: its memory is kept.
#[derive(Default)]
pub(crate) struct Chunk {
    /// Counted from 0 in the order of the text.
    pub(crate) number: usize,
    /// Line ends in it, those within quotes included.
    pub(crate) lines: u64,
    buffer: Vec<u8>,
    start: usize,
    /// Where in the buffer the records begin that the block before knows nothing of.
    seam: usize,
    end: usize,
    /// Of what is before the seam.
    head: Index,
    index: Index,
}

impl Chunk {
    fn text(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Its records, blank lines left out: those before the seam and those behind it.
    pub(crate) fn parts(&self) -> [Records<'_>; 2] {
        let (head, rest) = (&self.buffer[self.start..self.seam], &self.buffer[self.seam..self.end]);
        [self.head.records(head, 0), self.index.records(rest, head.len())]
    }

    /// Its records, blank lines left out.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.parts().into_iter().flatten()
    }

    /// Cells of the record that has most.
    pub(crate) fn width(&self) -> usize {
        self.head.width().max(self.index.width())
    }

    /// Lines of it before a record.
    pub(crate) fn lines_before(&self, record: &Record<'_>) -> u64 {
        count_lines(&self.text()[..record.start_in_chunk()])
    }

    /// Puts what the block before left before the block.
    fn prepend(&mut self, carry: &[u8]) {
        if carry.len() <= self.start {
            let start = self.start - carry.len();
            self.buffer[start..self.start].copy_from_slice(carry);
            self.start = start;
        } else {
            self.buffer.splice(self.start..self.start, carry.iter().copied());
            self.seam += carry.len();
            self.end += carry.len();
        }
    }

    /// Indexes a block behind its first line feed, as if that ended a record. `None` where the block has none, and where
    /// only its turn can tell what is the matter with it.
    fn index_ahead(&mut self, delimiter: u8, at_end: bool) -> Option<Cut> {
        self.seam = self.start + memchr(b'\n', self.text())? + 1;
        let cut = self.index.build(&self.buffer[self.seam..self.end], delimiter, at_end);
        (cut.end > 0 && !(at_end && cut.open_quote.is_some())).then_some(cut)
    }

    /// Adds to what was indexed ahead the records before it, if the line feed between them ends one.
    fn join_head(&mut self, ahead: &Cut, delimiter: u8) -> Option<Cut> {
        let head = &self.buffer[self.start..self.seam];
        let cut = self.head.build(head, delimiter, false);
        (cut.end == head.len()).then(|| Cut {
            end: head.len() + ahead.end,
            lines: cut.lines + ahead.lines,
            open_quote: ahead.open_quote.map(|at| head.len() + at),
        })
    }

    /// Indexes the whole text.
    fn index_whole(&mut self, delimiter: u8, at_end: bool) -> Cut {
        self.seam = self.start;
        self.head.build(&[], delimiter, false);
        self.index.build(&self.buffer[self.start..self.end], delimiter, at_end)
    }
}

impl Chunks {
    pub(crate) fn new(blocks: Blocks, delimiter: u8, chunk_bytes: usize) -> Self {
        Self {
            blocks,
            delimiter,
            chunk_bytes: chunk_bytes.max(1),
            chain: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// Fills `chunk` with the next whole records, perhaps none; `false` at the end. After an error there is nothing
    /// more.
    pub(crate) fn next(&self, chunk: &mut Chunk) -> Result<bool, ChunkError> {
        let broken = || ChunkError::Io(io::Error::other("a thread broke down while it read"));
        chunk.buffer.resize(HEADROOM + PAGE + self.chunk_bytes, 0);
        let start = HEADROOM + chunk.buffer[HEADROOM..].as_ptr().align_offset(PAGE).min(PAGE);
        let block = &mut chunk.buffer[start..start + self.chunk_bytes];
        let (number, read) = self.blocks.read(block).ok_or_else(broken)?;
        let got = *read.as_ref().unwrap_or(&0);
        (chunk.number, chunk.start, chunk.seam, chunk.end) = (number, start, start, start + got);
        let at_end = got < self.chunk_bytes;
        let ahead = chunk.index_ahead(self.delimiter, at_end);
        let _wake = Wake(&self.moved);
        let mut chain = self.chain.lock().map_err(|_| broken())?;
        while chain.next != number && !chain.at_end {
            chain = self.moved.wait(chain).map_err(|_| broken())?;
        }
        if chain.at_end {
            return Ok(false);
        }
        let cut = match read {
            Ok(_) => chain.cut(chunk, ahead, self.delimiter, at_end),
            Err(error) => Err(ChunkError::Io(error)),
        };
        chain.at_end |= cut.is_err();
        chain.next += 1;
        cut
    }
}

/// Wakes those who wait for their turn when it goes, be it in a panic: then the lock is poisoned and they fail too.
struct Wake<'a>(&'a Condvar);

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        self.0.notify_all();
    }
}

impl Chain {
    /// Puts what was left before a block before it, and leaves what follows its last whole record to the next.
    fn cut(
        &mut self,
        chunk: &mut Chunk,
        ahead: Option<Cut>,
        delimiter: u8,
        at_end: bool,
    ) -> Result<bool, ChunkError> {
        chunk.prepend(&self.carry);
        self.carry.clear();
        self.at_end = at_end;
        let joined = ahead.and_then(|ahead| chunk.join_head(&ahead, delimiter));
        let Cut { end, lines, open_quote } = joined.unwrap_or_else(|| chunk.index_whole(delimiter, at_end));
        let (text, is_endless) = (chunk.text(), end == 0 && chunk.text().len() > MAX_RECORD_BYTES);
        if open_quote.is_some() && at_end || is_endless {
            return Err(ChunkError::Unclosed {
                chunk: chunk.number,
                lines_before: count_lines(&text[..open_quote.unwrap_or(0)]),
                quote: open_quote.is_some(),
            });
        }
        self.carry.extend_from_slice(&text[end..]);
        chunk.lines = lines - count_lines(&text[end..]);
        chunk.end = chunk.start + end;
        Ok(true)
    }
}
