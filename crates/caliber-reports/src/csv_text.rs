//! The one dialect of all our CSV files: `,` between, LF behind, quotes where the csv library's rules want them.
//!
//! Figures go past those rules: most cells are figures, none ever needs quotes, and asking costs as much time as
//! finding their shortest text.

use std::mem;

use csv_core::{Writer, quote};

use crate::neutralise::neutralise;
use crate::number_text::NumberText;

/// Bytes of most cells at most: a double has up to 17 digits.
const USUAL_CELL: usize = 20;

/// Rows as text, cell by cell.
pub(crate) struct CsvText {
    bytes: Vec<u8>,
    rules: Writer,
    numbers: NumberText,
}

impl CsvText {
    pub(crate) fn new() -> Self {
        Self::with_room(0)
    }

    /// No rows yet, and room for so many cells of usual length.
    pub(crate) fn with_room(cells: usize) -> Self {
        let bytes = Vec::with_capacity(cells * USUAL_CELL);
        Self { bytes, rules: Writer::new(), numbers: NumberText::default() }
    }

    /// A text cell, neutralised.
    pub(crate) fn text(&mut self, text: &str) {
        self.verbatim(&neutralise(text));
    }

    /// A text cell as it is: for machines, which run no formulas.
    pub(crate) fn verbatim(&mut self, text: &str) {
        if self.rules.should_quote(text.as_bytes()) {
            self.bytes.push(b'"');
            let start = self.bytes.len();
            // At worst every byte is a quote and doubled.
            self.bytes.resize(start + 2 * text.len(), 0);
            let (_, _, written) = quote(text.as_bytes(), &mut self.bytes[start..], b'"', b'"', true);
            self.bytes.truncate(start + written);
            self.bytes.push(b'"');
        } else {
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.bytes.push(b',');
    }

    /// A cell with a word of ours, which needs no quotes and is no formula.
    pub(crate) fn word(&mut self, word: &str) {
        push_short(&mut self.bytes, word.as_bytes());
        self.bytes.push(b',');
    }

    /// A cell with the shortest text of a finite number.
    #[inline]
    pub(crate) fn number(&mut self, number: f64) {
        push_short(&mut self.bytes, self.numbers.of(number).as_bytes());
        self.bytes.push(b',');
    }

    /// A cell with a number; empty where there is none or it is not finite.
    pub(crate) fn maybe_number(&mut self, number: Option<f64>) {
        match number.filter(|number| number.is_finite()) {
            Some(number) => self.number(number),
            None => self.empty(),
        }
    }

    /// A missing value.
    pub(crate) fn empty(&mut self) {
        self.bytes.push(b',');
    }

    /// Ends a row that has at least one cell.
    pub(crate) fn end_row(&mut self) {
        if let Some(last) = self.bytes.last_mut() {
            *last = b'\n';
        }
    }

    /// Bytes made and not taken.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes what was made so far.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.bytes)
    }
}

/// Appends a short text, as two pieces of fixed size that overlap: calling for a copy of so few bytes takes longer.
#[inline]
fn push_short(bytes: &mut Vec<u8>, text: &[u8]) {
    if !push_overlapping::<16>(bytes, text)
        && !push_overlapping::<8>(bytes, text)
        && !push_overlapping::<4>(bytes, text)
    {
        bytes.extend_from_slice(text);
    }
}

/// Appends a text of `N` to twice as many bytes; `false` where it has others.
#[inline]
fn push_overlapping<const N: usize>(bytes: &mut Vec<u8>, text: &[u8]) -> bool {
    let (Some(first), Some(last), true) =
        (text.first_chunk::<N>(), text.last_chunk::<N>(), text.len() <= 2 * N)
    else {
        return false;
    };
    bytes.extend_from_slice(first);
    bytes.truncate(bytes.len() + text.len() - 2 * N);
    bytes.extend_from_slice(last);
    true
}

#[cfg(test)]
mod tests {
    use super::CsvText;

    #[test]
    fn words_of_any_length_come_whole() {
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        for length in 0..=letters.len() {
            let mut csv = CsvText::new();
            csv.word("before");
            csv.word(&letters[..length]);
            csv.end_row();
            assert_eq!(csv.take(), format!("before,{}\n", &letters[..length]).as_bytes());
        }
    }
}
