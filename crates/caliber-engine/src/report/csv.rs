//! Delimited text: cutting it into chunks of whole records ([`chunks`]), and records into cells ([`index`]).
//!
//! A quote is only special where a cell begins, so that `15" screens` in the middle of a cell does not swallow
//! the rest of the file. Records end at LF, CR or CRLF outside quotes.

mod block;
mod chunks;
mod index;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::memchr;

pub(crate) use self::chunks::{Blocks, Chunk, ChunkError, Chunks, MAX_RECORD_BYTES};
pub(crate) use self::index::Index;
use super::cell::{Cell, Row};

const QUOTE: u8 = b'"';

/// Number of line ends: LF, CRLF and lone CR.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let lone = memchr::memchr_iter(b'\r', bytes).filter(|&at| bytes.get(at + 1) != Some(&b'\n')).count();
    (feeds + lone) as u64
}

/// One record of a chunk.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    /// The text that was indexed: the chunk, or a piece of it.
    chunk: &'a [u8],
    /// Bytes of the chunk before that text.
    before: u32,
    /// Where its cells begin, and last what follows it: each cell ends one byte before the next begins.
    starts: &'a [u32],
}

impl<'a> Record<'a> {
    /// Where a cell begins and ends in the chunk, quotes and all.
    #[inline]
    fn span(&self, column: usize) -> Option<(usize, usize)> {
        let next = *self.starts.get(column + 1)?;
        Some((self.starts[column] as usize, next as usize - 1))
    }

    #[inline]
    fn raw(&self, column: usize) -> Option<&'a [u8]> {
        self.span(column).map(|(start, end)| &self.chunk[start..end])
    }

    /// The word of a cell in quotes. Quotes in it do no harm: no word with one is a number.
    #[inline(never)]
    fn quoted_word(&self, start: usize, end: usize) -> (u64, u64) {
        let end = end - 1;
        match (self.chunk[..end].last_chunk(), self.chunk[start], end.saturating_sub(start + 1)) {
            (Some(word), QUOTE, len @ 1..=8) => (u64::from_le_bytes(*word), len as u64),
            _ => (0, 0),
        }
    }

    /// Where in the indexed text the record's line end stands.
    pub(crate) fn end(&self) -> usize {
        self.starts.last().map_or(0, |&next| next as usize - 1)
    }

    /// Where in the indexed text the record begins.
    pub(crate) fn start(&self) -> usize {
        self.starts.first().map_or(0, |&start| start as usize)
    }

    /// Where in the chunk the record begins.
    fn start_in_chunk(&self) -> usize {
        self.before as usize + self.start()
    }
}

impl Row for Record<'_> {
    #[inline]
    fn plain(&self, column: usize) -> Option<&[u8]> {
        let raw = self.raw(column)?;
        let content = if raw.first() == Some(&QUOTE) { within_quotes(raw)? } else { raw };
        content.first().is_some_and(|first| *first != b' ').then_some(content)
    }

    #[inline]
    fn word(&self, column: usize) -> (u64, u64) {
        let Some((start, end)) = self.span(column) else { return (0, 0) };
        let ending = self.chunk.get(end.wrapping_sub(8)..).and_then(|ending| ending.first_chunk::<8>());
        let Some(word) = ending else { return (0, 0) };
        if word[7] == QUOTE {
            return self.quoted_word(start, end);
        }
        // No branch: which cells are longer nobody can foresee.
        let len = end - start;
        (u64::from_le_bytes(*word), if len <= 8 { len as u64 } else { 0 })
    }

    #[inline]
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.raw(column) {
            None | Some([]) => Cell::Missing,
            Some(raw) => Cell::Text(unquoted(raw)),
        }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }
}

/// What is between quotes that stand around a cell and nowhere else in it.
fn within_quotes(raw: &[u8]) -> Option<&[u8]> {
    let content = raw.strip_prefix(&[QUOTE])?.strip_suffix(&[QUOTE])?;
    memchr(QUOTE, content).is_none().then_some(content)
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
