//! The table of dimension values and their sums.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::batch::BATCH;
use super::exact::{self, Sum};
use crate::names::{self, NameKind};
use crate::recipe::Dimension;

/// No rare sums yet, or no spelling to count.
const NONE: u32 = u32::MAX;
/// Bytes of a spelling kept in its entry, so that finding it touches one line of the cache.
const INLINE: usize = 48;
/// Spellings remembered beyond four a group. URLs differ from row to row, so not all can be.
const SPARE_SPELLINGS: usize = 4096;

/// A cell as it was spelled, and what it means. Aligned to the cache's lines, so that looking at one fetches one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Spelling {
    text: [u8; INLINE],
    len: u32,
    /// Where the text stands in the arena, if it is too long for the entry.
    at: u32,
    group: u32,
    /// The place to count its impressions, for ids and names.
    shown: u32,
}

/// A way to show a group's name, and the impressions of the rows that spell it so.
struct Shown {
    name: Box<str>,
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
    keys: Vec<u8>,
    key_ends: Vec<usize>,
    kinds: Vec<NameKind>,
    width: usize,
    sums: Vec<Sum>,
    rare_width: usize,
    rare_at: Vec<u32>,
    rare: Vec<Sum>,
    shown: Vec<Shown>,
    /// The last of a group's names as shown.
    last_shown: Vec<u32>,
    /// Whether a cell was no UTF-8.
    pub(crate) not_utf8: bool,
    scratch: String,
}

impl Groups {
    pub(crate) fn new(dimension: Dimension, width: usize, rare_width: usize) -> Self {
        Self {
            dimension,
            places: HashTable::new(),
            spellings: Vec::new(),
            hasher: RandomState::default(),
            long_text: Vec::new(),
            keys: Vec::new(),
            key_ends: vec![0],
            kinds: Vec::new(),
            width,
            sums: Vec::new(),
            rare_width,
            rare_at: Vec::new(),
            rare: Vec::new(),
            shown: Vec::new(),
            last_shown: Vec::new(),
            not_utf8: false,
            scratch: String::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn key(&self, group: usize) -> &[u8] {
        &self.keys[self.key_ends[group]..self.key_ends[group + 1]]
    }

    pub(crate) fn kind(&self, group: usize) -> NameKind {
        self.kinds[group]
    }

    /// Which known spelling is a cell's, if any is: one of the same hash. Asked apart from [`place`](Self::place), so
    /// that the spellings of several cells, which lie all over memory, are then fetched side by side.
    #[inline]
    pub(crate) fn guess(&self, cell: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(cell);
        self.places.find(hash, |&(known, _)| known == (hash >> 32) as u32).map_or(NONE, |&(_, at)| at)
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

    /// A spelling that was not met before, or is not remembered.
    #[cold]
    fn learn(&mut self, cell: &[u8]) -> Place {
        self.not_utf8 |= std::str::from_utf8(cell).is_err();
        let mut scratch = std::mem::take(&mut self.scratch);
        let key = names::normalise(cell, self.dimension, &mut scratch);
        let group = match self.find(key.as_bytes()) {
            Some(known) => known.group as usize,
            None => self.insert(key, names::classify(key, self.dimension)),
        };
        self.scratch = scratch;
        let shown = match self.kinds[group] {
            NameKind::AppId | NameKind::Name => {
                let shown = names::shown(cell, self.kinds[group], self.dimension);
                self.shown_at(group, &shown)
            }
            NameKind::Host | NameKind::Aggregate | NameKind::Missing => NONE,
        };
        if self.spellings.len() < 4 * self.len() + SPARE_SPELLINGS {
            self.remember(cell, group, shown);
        }
        Place { group, shown }
    }

    fn insert(&mut self, key: &str, kind: NameKind) -> usize {
        let group = self.len();
        self.keys.extend_from_slice(key.as_bytes());
        self.key_ends.push(self.keys.len());
        self.kinds.push(kind);
        self.sums.resize(self.sums.len() + self.width, Sum::ZERO);
        self.rare_at.push(NONE);
        self.last_shown.push(NONE);
        // A key is its own key, so the group is found by it.
        let shown = match kind {
            NameKind::AppId | NameKind::Name => self.shown_at(group, key),
            NameKind::Host | NameKind::Aggregate | NameKind::Missing => NONE,
        };
        self.remember(key.as_bytes(), group, shown);
        group
    }

    fn remember(&mut self, cell: &[u8], group: usize, shown: u32) {
        if self.find(cell).is_some() {
            return;
        }
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

    /// Counts a row's impressions for the spelling of its name.
    #[inline]
    pub(crate) fn count_spelling(&mut self, place: Place, impressions: f64) {
        if place.shown != NONE {
            self.shown[place.shown as usize].impressions.add(impressions);
        }
    }

    /// Brings the sums of several groups into the cache side by side.
    pub(crate) fn touch(&self, groups: &[u32]) {
        let mut seen = Sum::ZERO;
        for &group in groups {
            // Four sums are a line of the cache.
            for sum in self.sums_of(group as usize).iter().step_by(4) {
                seen = seen.max(*sum);
            }
        }
        std::hint::black_box(seen);
    }

    /// Adds a term each to one sum of several groups.
    #[inline]
    pub(crate) fn add(&mut self, slot: usize, groups: &[u32], terms: &[f64]) {
        let mut nanos = [0; BATCH];
        if exact::nanos(terms, &mut nanos) {
            for (&group, nanos) in groups.iter().zip(nanos) {
                self.sums[group as usize * self.width + slot].add_nanos(nanos);
            }
        } else {
            for (&group, &term) in groups.iter().zip(terms) {
                self.sums[group as usize * self.width + slot].add(term);
            }
        }
    }

    /// Adds a term each to one sum of several groups, where most are 0 or no decimals.
    #[inline]
    pub(crate) fn add_quotients(&mut self, slot: usize, groups: &[u32], terms: &[f64]) {
        for (&group, &term) in groups.iter().zip(terms).filter(|(_, term)| **term != 0.0) {
            self.sums[group as usize * self.width + slot].add(term);
        }
    }

    /// Adds the square of a term each to one sum of several groups.
    #[inline]
    pub(crate) fn add_squares(&mut self, slot: usize, groups: &[u32], terms: &[f64]) {
        for (&group, &term) in groups.iter().zip(terms) {
            self.sums[group as usize * self.width + slot].add_square(term);
        }
    }

    /// Counts one more in one sum of several groups.
    #[inline]
    pub(crate) fn count(&mut self, slot: usize, groups: impl Iterator<Item = u32>) {
        for group in groups {
            self.sums[group as usize * self.width + slot].count();
        }
    }

    #[inline]
    pub(crate) fn sums(&mut self, group: usize) -> &mut [Sum] {
        &mut self.sums[group * self.width..(group + 1) * self.width]
    }

    pub(crate) fn sums_of(&self, group: usize) -> &[Sum] {
        &self.sums[group * self.width..(group + 1) * self.width]
    }

    /// The rare sums, made now if they were not.
    pub(crate) fn rare(&mut self, group: usize) -> &mut [Sum] {
        if self.rare_at[group] == NONE {
            self.rare_at[group] = (self.rare.len() / self.rare_width.max(1)) as u32;
            self.rare.resize(self.rare.len() + self.rare_width, Sum::ZERO);
        }
        let at = self.rare_at[group] as usize * self.rare_width;
        &mut self.rare[at..at + self.rare_width]
    }

    /// The rare sums, if any row needed them.
    pub(crate) fn rare_of(&self, group: usize) -> Option<&[Sum]> {
        let at = self.rare_at[group];
        (at != NONE).then(|| &self.rare[at as usize * self.rare_width..(at as usize + 1) * self.rare_width])
    }

    /// The name shown: the spelling with most impressions, the first in the alphabet of equals; the key where no
    /// spelling is counted.
    pub(crate) fn name(&self, group: usize) -> String {
        let spellings = std::iter::successors(self.shown.get(self.last_shown[group] as usize), |shown| {
            self.shown.get(shown.previous as usize)
        });
        let best = spellings
            .max_by(|a, b| a.impressions.cmp(&b.impressions).then_with(|| b.name.cmp(&a.name)))
            .map(|shown| shown.name.to_string());
        best.unwrap_or_else(|| String::from_utf8_lossy(self.key(group)).into_owned())
    }

    /// Adds the groups of another table of the same layout.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.not_utf8 |= other.not_utf8;
        for theirs in 0..other.len() {
            let key = other.key(theirs);
            let ours = self.place(key, NONE).group;
            for (sum, more) in self.sums(ours).iter_mut().zip(other.sums_of(theirs)) {
                sum.merge(*more);
            }
            if let Some(more) = other.rare_of(theirs) {
                for (sum, more) in self.rare(ours).iter_mut().zip(more) {
                    sum.merge(*more);
                }
            }
            let mut at = other.last_shown[theirs];
            while let Some(shown) = other.shown.get(at as usize) {
                let place = self.shown_at(ours, &shown.name);
                self.shown[place as usize].impressions.merge(shown.impressions);
                at = shown.previous;
            }
        }
    }

    /// Groups in the order of their keys, which does not depend on the order of rows.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        // Most keys differ in their first bytes, which are compared at once, and without fetching the keys.
        let beginning = |group: usize| {
            let mut beginning = [0; 8];
            let key = self.key(group);
            let length = key.len().min(8);
            beginning[..length].copy_from_slice(&key[..length]);
            u64::from_be_bytes(beginning)
        };
        let mut order: Vec<(u64, usize)> = (0..self.len()).map(|group| (beginning(group), group)).collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| self.key(a.1).cmp(self.key(b.1))));
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
