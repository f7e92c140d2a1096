//! The names that were probably meant.

use std::borrow::Cow;
use std::collections::HashSet;

use caliber_engine::results::Results;

/// Names suggested.
const SUGGESTED: usize = 3;
/// Lines looked at for each piece, and those of them that are compared letter by letter: bounds the work to some
/// milliseconds, whatever is asked.
const LOOKED_AT: usize = 200_000;
const COMPARED: usize = 5_000;
/// Letters of a name that is looked for; the longest host has 253.
const LETTERS_MAX: usize = 253;

/// Called with a row and its line; whether to go on.
pub type Found<'a> = dyn FnMut(usize, &str) -> bool + 'a;

/// The rows whose names are the nearest to `name` by edits, where at most a third of the letters differ; up to
/// three, the nearest first.
///
/// Two edits leave one of three pieces whole, so only names that have one of the pieces are compared: `lines_with`
/// calls back with each line, in lower case as `name` is, that has a piece.
pub fn nearest(name: &str, mut lines_with: impl FnMut(&str, &mut Found<'_>)) -> Vec<usize> {
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
        lines_with(&piece, &mut |row, line| {
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

/// The names of results that were probably meant by a key that none has.
pub(crate) fn nearest_names(key: &str, results: &Results) -> Vec<String> {
    let names: Vec<Cow<'_, str>> = results.names.iter().map(|name| lower_case(name)).collect();
    let rows = nearest(&key.to_lowercase(), |piece, found| {
        for (row, name) in names.iter().enumerate().filter(|(_, name)| name.contains(piece)) {
            if !found(row, name) {
                return;
            }
        }
    });
    rows.into_iter().map(|row| results.names[row].clone()).collect()
}

/// Most names are in lower case as they are.
fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.to_lowercase())
    }
}
