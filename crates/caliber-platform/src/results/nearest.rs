//! The names that were probably meant.

use std::collections::HashSet;

use super::search::SearchText;

/// Names suggested.
const SUGGESTED: usize = 3;
/// Lines looked at for each piece, and those of them that are compared letter by letter: bounds the work to some
/// milliseconds, whatever is asked.
const LOOKED_AT: usize = 200_000;
const COMPARED: usize = 5_000;
/// Letters of a name that is looked for; the longest host has 253.
const LETTERS_MAX: usize = 253;

/// The rows whose names are the nearest by edits, where at most a third of the letters differ.
///
/// Two edits leave one of three pieces whole, so only names that have one of the pieces are compared.
pub(super) fn nearest(name: &str, text: &SearchText) -> Vec<usize> {
    let letters: Vec<char> = name.chars().take(LETTERS_MAX + 1).collect();
    if letters.len() < 3 || letters.len() > LETTERS_MAX {
        return Vec::new();
    }
    let allowed = (letters.len() / 3).max(1);
    let mut seen = HashSet::new();
    let mut near: Vec<(usize, usize)> = Vec::new();
    for piece in letters.chunks(letters.len().div_ceil(3)) {
        let piece: String = piece.iter().collect();
        let (mut looked_at, mut compared) = (0, 0);
        text.lines_with(&piece, |row, line| {
            looked_at += 1;
            if line.len().abs_diff(name.len()) <= 2 && seen.insert(row) {
                compared += 1;
                let edits = strsim::osa_distance(name, line);
                if edits <= allowed {
                    near.push((edits, row));
                }
            }
            looked_at < LOOKED_AT && compared < COMPARED
        });
    }
    near.sort_unstable();
    near.into_iter().take(SUGGESTED).map(|(_, row)| row).collect()
}
