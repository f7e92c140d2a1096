//! Where the cells and records of a text end.

use std::slice;

use multiversion::multiversion;
use multiversion::target::match_target;

use super::block::{self, BLOCK, Masks, ROOM};
use super::{QUOTE, Record};

/// Where the cells and records of a chunk begin, found 64 bytes at a time.
#[derive(Default)]
pub(crate) struct Index {
    /// Where cells begin: the first, and behind each delimiter and line end outside quotes. So each cell ends one byte
    /// before the next begins. Filled up to `used`.
    starts: Vec<u32>,
    used: usize,
    /// Indexes into `starts` of what begins behind each record; filled up to `used_records`.
    records: Vec<u32>,
    used_records: usize,
}

/// Where the whole records of a text end.
pub(crate) struct Cut {
    /// One past the last record's line end; 0 if none ends.
    pub(crate) end: usize,
    /// Line ends in the text, those within quotes and behind the last record included.
    pub(crate) lines: u64,
    /// Where a quoted cell begins that the text does not end.
    pub(crate) open_quote: Option<usize>,
}

/// What one pass over a block leaves for the next.
#[derive(Default)]
struct Quoting {
    inside: bool,
    /// Where the last quoted cell began.
    opened: usize,
    /// Positions before this were consumed as the second half of a doubled quote.
    skip_until: usize,
}

impl Quoting {
    /// Which bytes of a block stand within quotes (a closing quote does not), if each of its quotes begins a cell
    /// right where that begins, ends one, or is half of a doubled one: then all follows from their parity. `None`
    /// leaves the block to [`Index::push_quoted`].
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Index::push`")]
    fn inside(&mut self, quote: u64, may_open: u64, base: usize) -> Option<u64> {
        let mut inside = quote;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        if self.inside {
            inside = !inside;
        }
        let (opens, closes) = (quote & inside, quote & !inside);
        // What a quote at the very end is, the next block must tell.
        let is_known = quote >> 63 == 0 && self.skip_until <= base;
        if !is_known || opens & !(may_open | closes << 1) != 0 {
            return None;
        }
        // The second half of a doubled quote begins no cell.
        let begins = opens & may_open;
        if begins != 0 {
            self.opened = base + 63 - begins.leading_zeros() as usize;
        }
        self.inside = inside >> 63 != 0;
        Some(inside)
    }
}

impl Index {
    /// Indexes a text that begins where a record begins. Its end ends a record too if it is the end of the file.
    pub(crate) fn build(&mut self, text: &[u8], delimiter: u8, at_end: bool) -> Cut {
        (self.used, self.used_records) = (0, 0);
        self.reserve_block();
        self.push_start(0);
        let (lines, open_quote) = index_blocks(self, text, delimiter);
        // A CR that ends the text may be half of a CRLF.
        if !at_end && text.ends_with(b"\r") && self.end() == text.len() {
            self.used_records -= 1;
        }
        if at_end && self.end() < text.len() {
            self.reserve_block();
            self.push_record();
            self.push_start(text.len() + 1);
        }
        Cut { end: self.end().min(text.len()), lines, open_quote }
    }

    /// One past the last record's end.
    fn end(&self) -> usize {
        self.records[..self.used_records].last().map_or(0, |&next| self.starts[next as usize] as usize)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Index::push`")]
    fn reserve_block(&mut self) {
        if self.starts.len() < self.used + ROOM {
            self.starts.resize((self.used + ROOM).max(2 * self.starts.len()), 0);
        }
        if self.records.len() < self.used_records + BLOCK {
            self.records.resize((self.used_records + BLOCK).max(2 * self.records.len()), 0);
        }
    }

    #[inline]
    fn push_start(&mut self, start: usize) {
        self.starts[self.used] = start as u32;
        self.used += 1;
    }

    /// Ends a record before what is pushed next.
    #[inline]
    fn push_record(&mut self) {
        self.records[self.used_records] = self.used as u32;
        self.used_records += 1;
    }

    /// Appends what begins behind the cells and records that a block ends. `write` writes the positions of bits counted
    /// from a base, see [`block::write_positions`].
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "only within `index_blocks` is it built for newer processors too"
    )]
    fn push(
        &mut self,
        structural: u64,
        mut newline: u64,
        base: usize,
        write: impl FnOnce(u64, u32, &mut [u32; ROOM]),
    ) {
        self.reserve_block();
        loop {
            // Written even if there is none, and then overwritten later.
            let before = newline.wrapping_sub(1) & !newline;
            self.records[self.used_records] = (self.used as u32) + (structural & before).count_ones();
            self.used_records += usize::from(newline != 0);
            newline &= newline.wrapping_sub(1);
            if newline == 0 {
                break;
            }
        }
        if let Some(room) = self.starts[self.used..].first_chunk_mut() {
            write(structural, base as u32 + 1, room);
        }
        self.used += structural.count_ones() as usize;
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
                    quoting.opened = position;
                } else if chunk.get(position + 1) == Some(&QUOTE) {
                    quoting.skip_until = position + 2;
                } else {
                    quoting.inside = false;
                }
            } else if !quoting.inside {
                if newline & bit != 0 {
                    self.push_record();
                }
                self.push_start(position + 1);
            }
        }
    }

    /// Cells of the record that has most.
    pub(crate) fn width(&self) -> usize {
        let mut before = 0;
        let records = self.records[..self.used_records].iter();
        let cells = records.map(|&next| next - std::mem::replace(&mut before, next));
        cells.max().unwrap_or(0) as usize
    }

    /// The records of the text that was indexed, blank lines left out. So many bytes of its chunk are before it.
    pub(crate) fn records<'a>(&'a self, chunk: &'a [u8], before: usize) -> Records<'a> {
        let ends = self.records[..self.used_records].iter();
        Records { chunk, before: before as u32, starts: &self.starts[..self.used], ends, first: 0 }
    }
}

/// The records of an indexed text, blank lines left out.
pub(crate) struct Records<'a> {
    chunk: &'a [u8],
    before: u32,
    /// As in [`Index`].
    starts: &'a [u32],
    ends: slice::Iter<'a, u32>,
    /// Where in `starts` the next record's first cell is.
    first: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        loop {
            let next = *self.ends.next()? as usize;
            let starts = &self.starts[self.first..=next];
            self.first = next;
            if !matches!(starts, [start, next] if start + 1 == *next) {
                return Some(Record { chunk: self.chunk, before: self.before, starts });
            }
        }
    }
}

/// Appends the ends of all blocks of a chunk. Returns its number of line ends, and where a quoted cell begins that does
/// not end. Built once more for processors with AVX2 and bit manipulation, where it takes half the time, and for those
/// with AVX-512, where it takes a quarter.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx512vbmi2+bmi1+bmi2+popcnt+lzcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt+lzcnt"
))]
fn index_blocks(index: &mut Index, chunk: &[u8], delimiter: u8) -> (u64, Option<usize>) {
    let mut quoting = Quoting::default();
    let (mut feeds, mut returns, mut pairs, mut after_return) = (0, 0, 0, 0);
    // Whether a cell may begin right with the block.
    let mut begins = 1;
    let (blocks, rest) = chunk.as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    for (at, block) in blocks.iter().chain((!rest.is_empty()).then_some(&last)).enumerate() {
        let base = at * BLOCK;
        let Masks { quote, feed, carriage, delimiter: parts } = match_target! {
            "x86_64+avx512bw+avx512vbmi2" => block::avx512::masks(block, delimiter),
            _ => block::masks(block, delimiter),
        };
        let newline = feed | carriage;
        let structural = parts | newline;
        feeds += feed.count_ones();
        if (carriage | after_return) != 0 {
            returns += carriage.count_ones();
            pairs += ((carriage << 1 | after_return) & feed).count_ones();
            after_return = carriage >> 63;
        }
        let inside = if quote == 0 && !quoting.inside {
            Some(0)
        } else {
            quoting.inside(quote, structural << 1 | begins, base)
        };
        begins = structural >> 63;
        match inside {
            Some(inside) => index.push(structural & !inside, newline & !inside, base, |bits, base, room| {
                match_target! {
                    "x86_64+avx512bw+avx512vbmi2" => block::avx512::write_positions(bits, base, room),
                    _ => block::write_positions(bits, base, room),
                }
            }),
            None => index.push_quoted(chunk, structural, newline, quote, base, delimiter, &mut quoting),
        }
    }
    (u64::from(feeds + returns - pairs), quoting.inside.then_some(quoting.opened))
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
