//! The sizes that a Parquet file states of itself, checked before the crate makes room for them.
//!
//! The crate reserves what a page header says of its dictionary, and as many children as a schema says it has;
//! where that is more than the machine has, the process ends, and a schema nested deep enough ends the stack. So
//! footer and page headers are looked through first, as far as these few numbers go: they are structures of
//! Thrift's compact protocol (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>),
//! the fields numbered in `parquet.thrift` of apache/parquet-format.

use super::malformed;
use super::source::Source;
use crate::{Code, Error, Result};

/// Unpacked bytes of a page. Most writers end a page at 1 MB; a few write a column of a row group in one.
const PAGE_BYTES_MAX: i64 = 256 << 20;
/// Unpacked bytes of a dictionary. Most writers give up on one at 1 MB.
const DICTIONARY_BYTES_MAX: i64 = 64 << 20;
/// Bytes of a page header, the statistics of its values included.
const HEADER_BYTES_MAX: usize = 4 << 20;
/// Levels of nested columns.
const DEPTH_MAX: usize = 32;

/// Checks the schema in the footer.
pub(super) fn check_footer(source: &Source) -> Result<()> {
    let tail = source.read_some(source.length().saturating_sub(8), 4).map_err(super::source::unreadable)?;
    let length = tail.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let Some(start) = (source.length() - 8).checked_sub(u64::from(length)) else {
        return Err(malformed("its footer is longer than the file"));
    };
    let footer = source.read_some(start, length as usize).map_err(super::source::unreadable)?;
    check_schema(&mut Compact { bytes: &footer, at: 0 })
        .ok_or_else(|| malformed("its schema contradicts itself"))
}

fn check_schema(footer: &mut Compact<'_>) -> Option<()> {
    // Children still to come at each open level.
    let mut open: Vec<i64> = Vec::new();
    footer.structure(&mut |footer, field, kind| {
        if field != 2 {
            return footer.skip(kind, 0);
        }
        let (elements, kind) = footer.list()?;
        for _ in 0..elements {
            let mut children = 0;
            if kind != STRUCT {
                return None;
            }
            footer.structure(&mut |footer, field, kind| match field {
                5 => footer.integer().map(|count| children = count),
                _ => footer.skip(kind, 0),
            })?;
            if !(0..elements.cast_signed()).contains(&children) {
                return None;
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
            }
            while open.last() == Some(&0) {
                open.pop();
            }
            if open.len() > DEPTH_MAX {
                return None;
            }
        }
        Some(())
    })
}

/// Checks the pages of a column's part of a row group, which lies at `start` and is `length` bytes long.
pub(super) fn check_pages(source: &Source, start: u64, length: u64) -> Result<()> {
    let end = start.saturating_add(length).min(source.length());
    let mut at = start;
    while at < end {
        let page = page_at(source, at)?;
        let most = if page.is_dictionary { DICTIONARY_BYTES_MAX } else { PAGE_BYTES_MAX };
        if page.unpacked > most {
            return Err(Error::new(
                Code::TooLarge,
                format!("a page of the Parquet file unpacks to {} bytes, more than {most}", page.unpacked),
            )
            .help("Write the report again with smaller pages."));
        }
        if page.unpacked < 0 || page.packed < 0 || page.values < 0 || page.values > page.unpacked {
            return Err(malformed(format!("the page at byte {at} contradicts itself")));
        }
        at += page.header_length as u64 + page.packed.unsigned_abs();
    }
    Ok(())
}

/// What a page header says.
#[derive(Default)]
struct Page {
    unpacked: i64,
    packed: i64,
    is_dictionary: bool,
    /// Values of a dictionary, each of at least a byte.
    values: i64,
    header_length: usize,
}

fn page_at(source: &Source, at: u64) -> Result<Page> {
    // Nearly all headers are short; those with long statistics are read again.
    for length in [256, 64 << 10, HEADER_BYTES_MAX] {
        let bytes = source.read_some(at, length).map_err(super::source::unreadable)?;
        let mut header = Compact { bytes: &bytes, at: 0 };
        if let Some(mut page) = page(&mut header) {
            page.header_length = header.at;
            return Ok(page);
        }
    }
    Err(malformed(format!("there is no page at byte {at}")))
}

fn page(header: &mut Compact<'_>) -> Option<Page> {
    let mut page = Page::default();
    header.structure(&mut |header, field, kind| match (field, kind) {
        (2, INTEGER) => header.integer().map(|value| page.unpacked = value),
        (3, INTEGER) => header.integer().map(|value| page.packed = value),
        (7, STRUCT) => {
            page.is_dictionary = true;
            header.structure(&mut |header, field, kind| match (field, kind) {
                (1, INTEGER) => header.integer().map(|value| page.values = value),
                _ => header.skip(kind, 0),
            })
        }
        _ => header.skip(kind, 0),
    })?;
    Some(page)
}

const INTEGER: u8 = 5;
const STRUCT: u8 = 12;

/// A cursor over a structure in the compact protocol. `None` is its end, or nonsense.
struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed integer, zigzag.
    fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A list's length and the kind of its elements.
    fn list(&mut self) -> Option<(u64, u8)> {
        let header = self.byte()?;
        let length = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
        // An element takes a byte at least.
        (length <= (self.bytes.len() - self.at) as u64).then_some((length, header & 15))
    }

    fn advance(&mut self, count: u64) -> Option<()> {
        let left = (self.bytes.len() - self.at) as u64;
        (count <= left).then(|| self.at += count as usize)
    }

    /// Hands each field's number and kind to `field`, which has to take its value.
    fn structure(&mut self, field: &mut dyn FnMut(&mut Self, i64, u8) -> Option<()>) -> Option<()> {
        let mut number = 0_i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            number = match header >> 4 {
                0 => self.integer()?,
                step => number.checked_add(i64::from(step))?,
            };
            field(self, number, header & 15)?;
        }
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            // Booleans are their own kind within a structure.
            1 | 2 => Some(()),
            3 => self.advance(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.advance(8),
            8 => {
                let length = self.varint()?;
                self.advance(length)
            }
            9 | 10 => {
                let (length, kind) = self.list()?;
                (0..length).try_for_each(|_| self.skip_element(kind, depth))
            }
            11 => {
                let length = self.varint()?;
                let kinds = if length == 0 { 0 } else { self.byte()? };
                (0..length).try_for_each(|_| {
                    self.skip_element(kinds >> 4, depth)?;
                    self.skip_element(kinds & 15, depth)
                })
            }
            12 => self.structure(&mut |within, _, kind| within.skip(kind, depth + 1)),
            13 => self.advance(16),
            _ => None,
        }
    }

    /// Within a list a boolean takes a byte.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        if matches!(kind, 1 | 2) { self.advance(1) } else { self.skip(kind, depth + 1) }
    }
}
