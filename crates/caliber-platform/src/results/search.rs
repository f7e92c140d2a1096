//! All names in one text, to look for a part of them.

use caliber_engine::names;
use caliber_engine::results::Results;
use memchr::memmem;

use super::filter::Bits;

/// The names in lower case, a line each, and after them the Unicode forms of those in punycode.
#[derive(Debug)]
pub(super) struct SearchText {
    text: String,
    /// Where each line ends.
    ends: Vec<u32>,
    /// How many rows there are: lines after that many are Unicode forms.
    rows: usize,
    /// The rows of the Unicode forms.
    unicode: Vec<u32>,
}

impl SearchText {
    pub(super) fn of(results: &Results) -> Self {
        let bytes: usize = results.names.iter().map(|name| name.len() + 1).sum();
        let mut text = Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(results.len()),
            rows: results.len(),
            unicode: Vec::new(),
        };
        for name in &results.names {
            text.add(name);
        }
        for (row, name) in results.names.iter().enumerate().filter(|(_, name)| name.contains("xn--")) {
            let unicode = names::display_unicode(name);
            if unicode != *name {
                text.add(&unicode);
                text.unicode.push(row as u32);
            }
        }
        text
    }

    fn add(&mut self, line: &str) {
        push_lower_case(line, &mut self.text);
        // A table has no more bytes of names than this type counts.
        self.ends.push(self.text.len() as u32);
        self.text.push('\n');
    }

    /// The rows whose name has this part.
    pub(super) fn rows_with(&self, part: &str) -> Bits {
        let mut bits = Bits::none(self.rows);
        self.lines_with(&lower_case(part), |row, _| {
            bits.set(row);
            true
        });
        bits
    }

    /// Calls back with the row and the text of each line that has a part, which is in lower case, until told to stop.
    pub(super) fn lines_with(&self, part: &str, mut found: impl FnMut(usize, &str) -> bool) {
        let finder = memmem::Finder::new(part);
        let (mut from, mut line) = (0, 0);
        while let Some(at) = self.text.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
            line = self.line_at(from + at, line);
            // The empty part is found behind the last line too.
            let Some(&end) = self.ends.get(line) else { return };
            let row = if line < self.rows { line } else { self.unicode[line - self.rows] as usize };
            let start = if line == 0 { 0 } else { self.ends[line - 1] as usize + 1 };
            if !found(row, &self.text[start..end as usize]) {
                return;
            }
            line += 1;
            from = end as usize + 1;
        }
    }

    /// The line that holds a byte, looked for from a line that is not after it. Matches may be near or far, so the
    /// steps double before they halve.
    fn line_at(&self, byte: usize, from: usize) -> usize {
        let before = |end: &u32| (*end as usize) < byte;
        let mut step = 1;
        while self.ends.get(from + step).is_some_and(before) {
            step *= 2;
        }
        let (low, high) = (from + step / 2, self.ends.len().min(from + step + 1));
        low + self.ends[low..high].partition_point(before)
    }
}

/// Letter by letter, so that a part of a text is a part of its lower case too; a line stays one.
pub(super) fn lower_case(text: &str) -> String {
    let mut lower = String::with_capacity(text.len());
    push_lower_case(text, &mut lower);
    lower
}

fn push_lower_case(text: &str, lower: &mut String) {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase() && byte != b'\n') {
        lower.push_str(text);
        return;
    }
    let line = text.chars().map(|letter| if letter == '\n' { ' ' } else { letter });
    lower.extend(line.flat_map(char::to_lowercase));
}
