//! The table of dimension values and their sums.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::batch::BATCH;
use super::exact::Sum;
use super::plan::{EMPTY_ROWS, IMPRESSIONS, MetricSlots, ROWS, SQUARES};
use super::prefetch::prefetch;
use super::sums::{SparseRows, SumTable, Widths};
use crate::names::{self, NameKind};
use crate::recipe::Dimension;

/// No spelling to count.
const NONE: u32 = u32::MAX;
/// The name of nobody.
const NOBODY: u32 = u32::MAX - 1;
/// The guess where nothing is known of a cell.
pub(super) const NO_GUESS: u32 = u32::MAX;
/// Bytes of a spelling kept in its entry, so that finding it touches one line of the cache.
const INLINE: usize = 48;
/// Spellings remembered beyond four a group. URLs differ from row to row, so not all can be.
const SPARE_SPELLINGS: usize = 4096;

/// Groups that there is room for from the beginning, as many as a hash table of 2^15 places takes: room costs nothing until
/// it is used, growing copies all there is.
const ROOM: usize = 28_672;
/// Bytes of a key that there is room for.
const USUAL_KEY: usize = 24;

/// A cell as it was spelled, and what it means. Aligned to the cache's lines, so that looking at one fetches one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Spelling {
    text: [u8; INLINE],
    len: u32,
    /// Where the text stands in the arena, if it is too long for the entry.
    at: u32,
    group: u32,
    /// Where to count its impressions, for ids and names; [`NONE`] or [`NOBODY`].
    shown: u32,
}

/// A way to show a group's name.
struct Shown {
    name: Box<str>,
    /// Of the rows that spell it so. The group's first one, which nearly always is the only one, has what the others leave
    /// of the group's: so nothing is counted for it.
    impressions: Sum,
    /// The group's one before it.
    previous: u32,
}

/// Where a row belongs.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) group: usize,
    shown: u32,
}

impl Place {
    /// Whether the row names nobody.
    #[inline]
    pub(crate) fn is_nobody(self) -> bool {
        self.shown == NOBODY
    }
}

/// Groups in the order they were met, found by how cells are spelled. Each has a row of sums that nearly every
/// report row adds to, and one of rare sums that is made when the first row needs it.
pub(crate) struct Groups {
    dimension: Dimension,
    /// Places in `spellings`, each with its text's hash: small enough for a core's cache.
    places: HashTable<(u32, u32)>,
    spellings: Vec<Spelling>,
    hasher: RandomState,
    long_text: Vec<u8>,
    /// Keys one after the other.
    keys: String,
    key_ends: Vec<usize>,
    kinds: Vec<NameKind>,
    pub(super) sums: SumTable,
    /// Sums that few rows add to.
    pub(super) rare: SparseRows,
    shown: Vec<Shown>,
    /// The last of a group's names as shown.
    last_shown: Vec<u32>,
    /// Whether a cell was no UTF-8.
    pub(crate) not_utf8: bool,
    scratch: String,
}

impl Groups {
    pub(crate) fn new(dimension: Dimension, widths: Widths, rare_width: usize) -> Self {
        Self {
            dimension,
            places: HashTable::with_capacity(ROOM),
            spellings: Vec::with_capacity(ROOM),
            hasher: RandomState::default(),
            long_text: Vec::new(),
            keys: String::with_capacity(ROOM * USUAL_KEY),
            key_ends: vec![0],
            kinds: Vec::new(),
            sums: SumTable::with_capacity(widths, ROOM),
            rare: SparseRows::new(rare_width),
            shown: Vec::new(),
            last_shown: Vec::new(),
            not_utf8: false,
            scratch: String::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn key(&self, group: usize) -> &str {
        &self.keys[self.key_ends[group]..self.key_ends[group + 1]]
    }

    pub(crate) fn kind(&self, group: usize) -> NameKind {
        self.kinds[group]
    }

    /// Which known spelling is each cell's, if any is: one of the same hash. Asked some time before [`place`](Self::place),
    /// which needs the spellings, so that they come from memory meanwhile.
    #[inline]
    pub(crate) fn guesses(&self, cells: &[&[u8]]) -> [u32; BATCH] {
        let (mut hashes, mut guesses) = ([0; BATCH], [NO_GUESS; BATCH]);
        for (hash, cell) in hashes.iter_mut().zip(cells) {
            *hash = self.hasher.hash_one(cell);
            // The first place that may be its: what is there is looked at only when all are on their way.
            self.places.find(*hash, |place| {
                prefetch(place);
                true
            });
        }
        for ((guess, hash), _) in guesses.iter_mut().zip(hashes).zip(cells) {
            let same_hash = |&(known, _): &(u32, u32)| known == (hash >> 32) as u32;
            *guess = self.places.find(hash, same_hash).map_or(NO_GUESS, |&(_, at)| at);
            if let Some(spelling) = self.spellings.get(*guess as usize) {
                prefetch(spelling);
            }
        }
        guesses
    }

    /// Where a cell belongs, of which this is the guess.
    #[inline]
    pub(crate) fn place(&mut self, cell: &[u8], guess: u32) -> Place {
        let guessed =
            self.spellings.get(guess as usize).filter(|spelling| spelling.is(cell, &self.long_text));
        match guessed.or_else(|| self.find(cell)) {
            Some(spelling) => Place { group: spelling.group as usize, shown: spelling.shown },
            None => self.learn(cell),
        }
    }

    fn find(&self, cell: &[u8]) -> Option<&Spelling> {
        let hash = self.hasher.hash_one(cell);
        let is_it = |&(known, at): &(u32, u32)| {
            known == (hash >> 32) as u32 && self.spellings[at as usize].is(cell, &self.long_text)
        };
        self.places.find(hash, is_it).map(|&(_, at)| &self.spellings[at as usize])
    }

    /// A spelling that is not known: not met before, or not remembered.
    #[cold]
    fn learn(&mut self, cell: &[u8]) -> Place {
        let mut scratch = std::mem::take(&mut self.scratch);
        let key = names::normalise(cell, self.dimension, &mut scratch);
        let is_key = key.as_bytes() == cell;
        let known = if is_key { None } else { self.find(key.as_bytes()).map(|known| known.group as usize) };
        let group = known.unwrap_or_else(|| self.insert(key, names::classify(key, self.dimension)));
        let (kind, dimension) = (self.kinds[group], self.dimension);
        let shown = self.counted_at(group, || names::shown(cell, kind, dimension));
        if known.is_none() {
            // A key is its own key, so the group is found by it.
            let shown = self.counted_at(group, || key.into());
            self.remember(key.as_bytes(), group, shown);
        }
        self.scratch = scratch;
        if !is_key {
            self.not_utf8 |= std::str::from_utf8(cell).is_err();
            if self.spellings.len() < 4 * self.len() + SPARE_SPELLINGS {
                self.remember(cell, group, shown);
            }
        }
        Place { group, shown }
    }

    fn insert(&mut self, key: &str, kind: NameKind) -> usize {
        let group = self.len();
        self.keys.push_str(key);
        self.key_ends.push(self.keys.len());
        self.kinds.push(kind);
        self.sums.push();
        self.rare.push();
        self.last_shown.push(NONE);
        group
    }

    /// Remembers a spelling that is not known.
    fn remember(&mut self, cell: &[u8], group: usize, shown: u32) {
        let mut spelling =
            Spelling { text: [0; INLINE], len: cell.len() as u32, at: 0, group: group as u32, shown };
        if cell.len() <= INLINE {
            spelling.text[..cell.len()].copy_from_slice(cell);
        } else {
            spelling.at = self.long_text.len() as u32;
            self.long_text.extend_from_slice(cell);
        }
        let (hasher, spellings, long_text) = (&self.hasher, &self.spellings, &self.long_text);
        let hash = hasher.hash_one(cell);
        self.places.insert_unique(hash, ((hash >> 32) as u32, spellings.len() as u32), |&(_, at)| {
            hasher.hash_one(spellings[at as usize].bytes(long_text))
        });
        self.spellings.push(spelling);
    }

    /// The place in `shown` of a way to show a group's name.
    fn shown_at(&mut self, group: usize, name: &str) -> u32 {
        let mut at = self.last_shown[group];
        while at != NONE {
            let shown = &self.shown[at as usize];
            if *shown.name == *name {
                return at;
            }
            at = shown.previous;
        }
        let previous = std::mem::replace(&mut self.last_shown[group], self.shown.len() as u32);
        self.shown.push(Shown { name: name.into(), impressions: Sum::ZERO, previous });
        self.last_shown[group]
    }

    /// Where to count the impressions of a group's name as shown.
    fn counted_at<'n>(&mut self, group: usize, name: impl FnOnce() -> Cow<'n, str>) -> u32 {
        match self.kinds[group] {
            NameKind::Host | NameKind::Aggregate => NONE,
            NameKind::Missing => NOBODY,
            NameKind::AppId | NameKind::Name => {
                let at = self.shown_at(group, &name());
                if self.shown[at as usize].previous == NONE { NONE } else { at }
            }
        }
    }

    /// Counts a row's impressions for the spelling of its name.
    #[inline]
    pub(crate) fn count_spelling(&mut self, place: Place, impressions: f64) {
        if let Some(shown) = self.shown.get_mut(place.shown as usize) {
            shown.impressions.add(impressions);
        }
    }

    /// The ways to show a group's name, the first one last, with the impressions of each.
    fn spellings(&self, group: usize) -> impl Iterator<Item = (&str, Sum)> {
        let last = self.shown.get(self.last_shown[group] as usize);
        let mut left = last.map_or(Sum::ZERO, |_| self.sums.sum(group, IMPRESSIONS));
        std::iter::successors(last, |shown| self.shown.get(shown.previous as usize)).map(move |shown| {
            let impressions = if shown.previous == NONE { left } else { shown.impressions };
            left = left.without(impressions);
            (&*shown.name, impressions)
        })
    }

    /// The name shown: the spelling with most impressions, the first in the alphabet of equals; the key where no
    /// spelling is counted.
    pub(crate) fn name(&self, group: usize) -> String {
        let best = self.spellings(group).max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)));
        best.map_or_else(|| self.key(group), |(name, _)| name).to_owned()
    }

    /// Adds the groups of another table of the same layout.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.not_utf8 |= other.not_utf8;
        for start in (0..other.len()).step_by(BATCH) {
            let batch = start..other.len().min(start + BATCH);
            let keys: Vec<&[u8]> = batch.clone().map(|theirs| other.key(theirs).as_bytes()).collect();
            let guesses = self.guesses(&keys);
            let ours = keys.iter().zip(guesses).map(|(key, guess)| self.place(key, guess).group as u32);
            let ours: Vec<u32> = ours.collect();
            self.sums.prefetch(&ours);
            self.merge_batch(&ours, other, batch);
        }
    }

    /// Adds groups of another table to these.
    fn merge_batch(&mut self, ours: &[u32], other: &Self, theirs: Range<usize>) {
        for (&ours, theirs) in ours.iter().zip(theirs) {
            let ours = ours as usize;
            self.sums.merge(ours, &other.sums, theirs);
            self.rare.merge(ours, &other.rare, theirs);
            for (name, impressions) in other.spellings(theirs) {
                let at = self.counted_at(ours, || name.into());
                if let Some(shown) = self.shown.get_mut(at as usize) {
                    shown.impressions.merge(impressions);
                }
            }
        }
    }

    /// Leaves to a metric nothing of the sums that it shares.
    pub(crate) fn set_apart(&mut self, metric: &MetricSlots) {
        let Some(apart) = metric.apart else { return };
        for group in 0..self.len() {
            let rare = self.rare.row(group);
            if metric.shares_x() {
                rare[apart] = self.sums.sum(group, metric.x);
            }
            if metric.shares_n() {
                rare[apart + 1] = self.sums.sum(group, metric.n);
            }
            if metric.is_over_impressions() {
                rare[apart + 2] = self.sums.squares(group, SQUARES);
                rare[apart + 3] = self.sums.sum(group, ROWS).without(rare[EMPTY_ROWS]);
            }
        }
    }

    /// Groups in the order of their keys, which does not depend on the order of rows.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        // Most keys differ in their first bytes, which are compared at once, and without fetching the keys.
        let beginning = |group: usize| {
            let mut beginning = [0; 16];
            let key = self.key(group).as_bytes();
            let length = key.len().min(16);
            beginning[..length].copy_from_slice(&key[..length]);
            u128::from_be_bytes(beginning)
        };
        let mut order: Vec<(u128, usize)> = (0..self.len()).map(|group| (beginning(group), group)).collect();
        order.sort_unstable_by_key(|&(beginning, _)| beginning);
        for alike in order.chunk_by_mut(|a, b| a.0 == b.0) {
            alike.sort_unstable_by(|a, b| self.key(a.1).cmp(self.key(b.1)));
        }
        order.into_iter().map(|(_, group)| group).collect()
    }
}

impl Spelling {
    #[inline]
    fn bytes<'a>(&'a self, long_text: &'a [u8]) -> &'a [u8] {
        let len = self.len as usize;
        if len <= INLINE { &self.text[..len] } else { &long_text[self.at as usize..self.at as usize + len] }
    }

    #[inline]
    fn is(&self, cell: &[u8], long_text: &[u8]) -> bool {
        self.len as usize == cell.len() && self.bytes(long_text) == cell
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const WIDTHS: Widths = Widths { usual: 8, squares: 1, quotients: 0 };
    const CELLS: [&str; 8] = [
        "Paramount  Streaming",
        "paramount streaming",
        "PARAMOUNT streaming",
        "com.Example.App",
        "com.example.app",
        "COM.EXAMPLE.APP",
        "News.example",
        "news.example",
    ];

    fn groups(rows: &[(usize, f64)]) -> Groups {
        let mut groups = Groups::new(Dimension::Domain, WIDTHS, 1);
        for &(cell, impressions) in rows {
            let cell = CELLS[cell].as_bytes();
            let place = groups.place(cell, groups.guesses(&[cell])[0]);
            groups.count_spelling(place, impressions);
            groups.sums.add(place.group, IMPRESSIONS, impressions);
        }
        groups
    }

    proptest! {
        #[test]
        fn the_name_shown_is_the_spelling_with_most_impressions_however_rows_are_split(
            rows in prop::collection::vec((0..CELLS.len(), (0..4_u8).prop_map(f64::from)), 0..40),
            cuts in prop::collection::vec(0..40_usize, 0..3),
        ) {
            let mut spelled: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
            for &(cell, impressions) in &rows {
                let (cell, mut scratch) = (CELLS[cell].as_bytes(), String::new());
                let key = names::normalise(cell, Dimension::Domain, &mut scratch).to_owned();
                let shown = names::shown(cell, names::classify(&key, Dimension::Domain), Dimension::Domain);
                *spelled.entry(key).or_default().entry(shown.into_owned()).or_default() += impressions;
            }
            let expected: BTreeMap<String, String> = spelled
                .into_iter()
                .map(|(key, shown)| {
                    let most = shown.values().copied().fold(0.0, f64::max);
                    let first = shown.into_iter().find(|(_, impressions)| *impressions == most);
                    (key, first.map(|(name, _)| name).unwrap_or_default())
                })
                .collect();
            let (mut rest, mut all) = (&rows[..], groups(&[]));
            for cut in cuts {
                let (part, others) = rest.split_at(cut.min(rest.len()));
                all.merge(&groups(part));
                rest = others;
            }
            all.merge(&groups(rest));
            for all in [all, groups(&rows)] {
                let names = (0..all.len()).map(|group| (all.key(group).to_owned(), all.name(group)));
                prop_assert_eq!(names.collect::<BTreeMap<_, _>>(), expected.clone());
            }
        }
    }
}
