//! Which rows a filter keeps: a bit a row.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Filter, ResultsTable};

/// A bit for each of some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    words: Box<[u64]>,
}

const WORD: usize = u64::BITS as usize;

impl Bits {
    pub(super) fn none(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(WORD)].into() }
    }

    pub(super) fn all(rows: usize) -> Self {
        let mut words = vec![u64::MAX; rows.div_ceil(WORD)];
        if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(WORD)) {
            *last = (1 << (rows % WORD)) - 1;
        }
        Self { words: words.into() }
    }

    /// The bits of the rows of which something is true.
    pub(super) fn of(rows: usize, is: impl Fn(usize) -> bool) -> Self {
        let word = |start: usize| {
            (start..rows.min(start + WORD)).fold(0, |word, row| word | u64::from(is(row)) << (row % WORD))
        };
        Self { words: (0..rows).step_by(WORD).map(word).collect() }
    }

    #[inline]
    pub(super) fn has(&self, row: u32) -> bool {
        self.words[row as usize / WORD] >> (row as usize % WORD) & 1 == 1
    }

    #[inline]
    pub(super) fn set(&mut self, row: usize) {
        self.words[row / WORD] |= 1 << (row % WORD);
    }

    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Takes out the rows whose cell does not pass.
    fn keep<T>(&mut self, column: &[T], passes: impl Fn(&T) -> bool) {
        for (word, cells) in self.words.iter_mut().zip(column.chunks(WORD)) {
            let mut kept = 0;
            for (at, cell) in cells.iter().enumerate() {
                kept |= u64::from(passes(cell)) << at;
            }
            *word &= kept;
        }
    }

    /// The first bit set at `from` or after.
    pub(super) fn next_set(&self, from: usize) -> Option<usize> {
        let first = from / WORD;
        let mut above = u64::MAX << (from % WORD);
        for (at, word) in self.words.iter().enumerate().skip(first) {
            if word & above != 0 {
                return Some(at * WORD + (word & above).trailing_zeros() as usize);
            }
            above = u64::MAX;
        }
        None
    }

    /// The last bit set at `to` or before.
    pub(super) fn last_set_to(&self, to: usize) -> Option<usize> {
        let mut at = to / WORD;
        let mut word = self.words.get(at)? & (u64::MAX >> (WORD - 1 - to % WORD));
        loop {
            if word != 0 {
                return Some(at * WORD + WORD - 1 - word.leading_zeros() as usize);
            }
            at = at.checked_sub(1)?;
            word = self.words[at];
        }
    }
}

/// The rows that a filter keeps.
#[derive(Debug)]
pub(super) struct Matched {
    pub(super) bits: Bits,
    pub(super) count: usize,
}

/// The rows of a table that pass a filter.
pub(super) fn matched(filter: &Filter, table: &ResultsTable) -> Matched {
    let results = &table.results;
    let mut bits = match filter.search.as_deref() {
        Some(search) if !search.is_empty() => table.search_text().rows_with(search),
        _ => Bits::all(results.len()),
    };
    if filter.outliers_only {
        bits.intersect(&table.outliers);
    }
    if let Some(status) = filter.quality_status {
        bits.keep(&results.statuses, |other| *other == status);
    }
    if let Some(least) = filter.min_score {
        bits.keep(&results.scores, |score| *score >= least);
    }
    if let Some(most) = filter.max_score {
        bits.keep(&results.scores, |score| *score <= most);
    }
    if let Some(least) = filter.min_impressions {
        bits.keep(&results.impressions, |impressions| *impressions >= least);
    }
    Matched { count: bits.count(), bits }
}

/// What recent filters kept, so that paging through a filtered list filters once.
#[derive(Debug, Default)]
pub(super) struct RecentMatches(Mutex<Vec<(Filter, Arc<Matched>)>>);

impl RecentMatches {
    /// Filters remembered: 125 KB each for a million rows.
    const KEPT: usize = 64;

    pub(super) fn of(&self, filter: &Filter, find: impl FnOnce() -> Matched) -> Arc<Matched> {
        if let Some(matched) = self.used(filter) {
            return matched;
        }
        let matched = Arc::new(find());
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another request may have found the same meanwhile.
        recent.retain(|(other, _)| other != filter);
        if recent.len() == Self::KEPT {
            recent.remove(0);
        }
        recent.push((filter.clone(), Arc::clone(&matched)));
        matched
    }

    /// The rows of a remembered filter, which becomes the latest.
    fn used(&self, filter: &Filter) -> Option<Arc<Matched>> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.iter().position(|(other, _)| other == filter)?;
        recent[at..].rotate_left(1);
        recent.last().map(|(_, matched)| Arc::clone(matched))
    }

    /// Bytes of all that it may remember of so many rows.
    pub(super) fn bytes_max(rows: usize) -> usize {
        Self::KEPT * rows.div_ceil(8)
    }
}
