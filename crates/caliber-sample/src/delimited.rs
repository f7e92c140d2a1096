//! Delimited text: cells to lines, lines to bytes in some encoding.

use std::io::{self, Write};

use encoding_rs::WINDOWS_1252;

use crate::cell::{Cell, Style};
use crate::mess::Kinds;
use crate::report::Sink;
use crate::{Mess, SampleError};

/// How text becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16,
    Windows1252,
}

/// Writes lines of cells, quoted where they must be.
pub(crate) struct Lines<W> {
    out: W,
    quoting: csv_core::Writer,
    delimiter: u8,
    encoding: Encoding,
    /// Line ends, used by turns.
    ends: &'static [&'static str],
    turn: usize,
    trailing_delimiter: bool,
    line: Vec<u8>,
    cell: Vec<u8>,
}

impl<W: Write> Lines<W> {
    /// Comma-separated UTF-8 as everybody reads it.
    pub(crate) fn plain(out: W) -> Self {
        Self {
            out,
            quoting: csv_core::Writer::new(),
            delimiter: b',',
            encoding: Encoding::Utf8,
            ends: &["\n"],
            turn: 0,
            trailing_delimiter: false,
            line: Vec::with_capacity(512),
            cell: Vec::with_capacity(64),
        }
    }

    /// Lines with the disorder that is asked for; begins with the byte order mark, if any.
    pub(crate) fn disordered(out: W, delimiter: u8, kinds: &Kinds) -> Result<Self, SampleError> {
        let first =
            |of: &[(Mess, u8)], or: u8| of.iter().find(|(kind, _)| kinds.has(*kind)).map_or(or, |k| k.1);
        let delimiter = first(&[(Mess::Semicolon, b';'), (Mess::Tab, b'\t'), (Mess::Pipe, b'|')], delimiter);
        let mut lines = Self {
            quoting: csv_core::WriterBuilder::new().delimiter(delimiter).build(),
            delimiter,
            trailing_delimiter: kinds.has(Mess::TrailingDelimiter),
            ..Self::plain(out)
        };
        if kinds.has(Mess::Crlf) {
            lines.ends = &["\r\n"];
        } else if kinds.has(Mess::Cr) {
            lines.ends = &["\r"];
        } else if kinds.has(Mess::MixedNewlines) {
            lines.ends = &["\n", "\r\n", "\r"];
        }
        if kinds.has(Mess::Utf16) {
            lines.encoding = Encoding::Utf16;
            lines.out.write_all(&[0xFF, 0xFE])?;
        } else if kinds.has(Mess::Cp1252) {
            lines.encoding = Encoding::Windows1252;
        } else if kinds.has(Mess::Bom) {
            lines.out.write_all(&[0xEF, 0xBB, 0xBF])?;
        }
        Ok(lines)
    }

    /// Writes a line of words.
    pub(crate) fn line(&mut self, words: &[impl AsRef<str>]) -> Result<(), SampleError> {
        for word in words {
            self.cell.clear();
            self.cell.extend_from_slice(word.as_ref().as_bytes());
            self.push_cell(self.quoting.should_quote(&self.cell));
        }
        Ok(self.end_line()?)
    }

    /// Writes out what is held back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// Appends the cell at hand and a delimiter to the line at hand.
    fn push_cell(&mut self, quoted: bool) {
        if quoted {
            // Every byte may be a quote, which is doubled.
            let start = self.line.len();
            self.line.push(b'"');
            self.line.resize(start + 1 + 2 * self.cell.len(), 0);
            let (_, _, written) = csv_core::quote(&self.cell, &mut self.line[start + 1..], b'"', b'\\', true);
            self.line.truncate(start + 1 + written);
            self.line.push(b'"');
        } else {
            self.line.extend_from_slice(&self.cell);
        }
        self.line.push(self.delimiter);
    }

    fn end_line(&mut self) -> io::Result<()> {
        if !self.trailing_delimiter {
            self.line.pop();
        }
        let end = self.ends[self.turn % self.ends.len()];
        self.turn += 1;
        self.line.extend_from_slice(end.as_bytes());
        match self.encoding {
            Encoding::Utf8 => self.out.write_all(&self.line)?,
            // Lines are made of whole strings, so nothing is ever lost here.
            Encoding::Utf16 => {
                let units = String::from_utf8_lossy(&self.line);
                let bytes: Vec<u8> = units.encode_utf16().flat_map(u16::to_le_bytes).collect();
                self.out.write_all(&bytes)?;
            }
            Encoding::Windows1252 => {
                let text = String::from_utf8_lossy(&self.line);
                self.out.write_all(&WINDOWS_1252.encode(&text).0)?;
            }
        }
        self.line.clear();
        Ok(())
    }
}

/// A report as delimited text.
pub(crate) struct Text<W> {
    pub(crate) lines: Lines<W>,
    pub(crate) style: Style,
}

impl<W: Write> Sink for Text<W> {
    fn words(&mut self, words: &[&str]) -> Result<(), SampleError> {
        self.lines.line(words)
    }

    fn header(&mut self, headers: &[&str]) -> Result<(), SampleError> {
        self.lines.line(headers)
    }

    fn cells(&mut self, cells: &[Cell<'_>]) -> Result<(), SampleError> {
        let lines = &mut self.lines;
        for cell in cells {
            lines.cell.clear();
            self.style.write(cell, &mut lines.cell);
            let quoted = match cell {
                Cell::Blank | Cell::Date(_) | Cell::Verbatim(_) => false,
                Cell::Text(_) => lines.quoting.should_quote(&lines.cell),
                number => !self.style.is_plain(number) && lines.quoting.should_quote(&lines.cell),
            };
            lines.push_cell(quoted);
        }
        Ok(lines.end_line()?)
    }
}
