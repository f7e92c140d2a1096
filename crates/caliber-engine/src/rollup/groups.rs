//! The table of dimension values and their sums.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::exact::Sum;
use crate::names::NameKind;

/// No rare sums yet.
const NO_RARE: u32 = u32::MAX;

/// Groups in the order they were met, found by key. Each has a row of sums that nearly every report row adds to,
/// and one of rare sums that is made when the first row needs it.
pub(crate) struct Groups {
    table: HashTable<u32>,
    hasher: RandomState,
    /// Keys one after the other.
    text: Vec<u8>,
    key_ends: Vec<u32>,
    kinds: Vec<NameKind>,
    width: usize,
    sums: Vec<Sum>,
    rare_width: usize,
    rare_at: Vec<u32>,
    rare: Vec<Sum>,
    /// Spellings of ids and names with their impressions.
    spellings: Vec<Vec<(Box<[u8]>, Sum)>>,
}

impl Groups {
    pub(crate) fn new(width: usize, rare_width: usize) -> Self {
        Self {
            table: HashTable::new(),
            hasher: RandomState::default(),
            text: Vec::new(),
            key_ends: vec![0],
            kinds: Vec::new(),
            width,
            sums: Vec::new(),
            rare_width,
            rare_at: Vec::new(),
            rare: Vec::new(),
            spellings: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn key(&self, group: usize) -> &[u8] {
        key(&self.text, &self.key_ends, group)
    }

    pub(crate) fn kind(&self, group: usize) -> NameKind {
        self.kinds[group]
    }

    /// The group of a key; `kind` is asked only for a new one.
    #[inline]
    pub(crate) fn find_or_insert(&mut self, wanted: &[u8], kind: impl FnOnce() -> NameKind) -> usize {
        let hash = self.hasher.hash_one(wanted);
        let (text, ends) = (&self.text, &self.key_ends);
        if let Some(&group) = self.table.find(hash, |&group| key(text, ends, group as usize) == wanted) {
            return group as usize;
        }
        self.insert(hash, wanted, kind())
    }

    #[cold]
    fn insert(&mut self, hash: u64, wanted: &[u8], kind: NameKind) -> usize {
        let group = self.len();
        self.text.extend_from_slice(wanted);
        self.key_ends.push(self.text.len() as u32);
        self.kinds.push(kind);
        self.sums.resize(self.sums.len() + self.width, Sum::ZERO);
        self.rare_at.push(NO_RARE);
        self.spellings.push(Vec::new());
        let (hasher, text, ends) = (&self.hasher, &self.text, &self.key_ends);
        self.table
            .insert_unique(hash, group as u32, |&group| hasher.hash_one(key(text, ends, group as usize)));
        group
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
        if self.rare_at[group] == NO_RARE {
            self.rare_at[group] = (self.rare.len() / self.rare_width.max(1)) as u32;
            self.rare.resize(self.rare.len() + self.rare_width, Sum::ZERO);
        }
        let at = self.rare_at[group] as usize * self.rare_width;
        &mut self.rare[at..at + self.rare_width]
    }

    /// The rare sums, if any row needed them.
    pub(crate) fn rare_of(&self, group: usize) -> Option<&[Sum]> {
        let at = self.rare_at[group];
        (at != NO_RARE)
            .then(|| &self.rare[at as usize * self.rare_width..(at as usize + 1) * self.rare_width])
    }

    /// The impressions of a group under one spelling of its name.
    pub(crate) fn spelling(&mut self, group: usize, spelling: &[u8]) -> &mut Sum {
        let spellings = &mut self.spellings[group];
        let at = spellings.iter().position(|(known, _)| **known == *spelling).unwrap_or_else(|| {
            spellings.push((spelling.into(), Sum::ZERO));
            spellings.len() - 1
        });
        &mut spellings[at].1
    }

    /// The name shown: the spelling with most impressions, the first in the alphabet of equals; else the key.
    pub(crate) fn shown(&self, group: usize) -> String {
        let best = self.spellings[group].iter().max_by(|(a, impressions_a), (b, impressions_b)| {
            impressions_a.cmp(impressions_b).then_with(|| b.cmp(a))
        });
        String::from_utf8_lossy(best.map_or(self.key(group), |(spelling, _)| spelling)).into_owned()
    }

    /// Adds the groups of another table of the same layout.
    pub(crate) fn merge(&mut self, other: &Self) {
        for theirs in 0..other.len() {
            let ours = self.find_or_insert(other.key(theirs), || other.kind(theirs));
            for (sum, more) in self.sums(ours).iter_mut().zip(other.sums_of(theirs)) {
                sum.merge(*more);
            }
            if let Some(more) = other.rare_of(theirs) {
                for (sum, more) in self.rare(ours).iter_mut().zip(more) {
                    sum.merge(*more);
                }
            }
            for (spelling, impressions) in &other.spellings[theirs] {
                self.spelling(ours, spelling).merge(*impressions);
            }
        }
    }

    /// Groups in the order of their keys, which does not depend on the order of rows.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_unstable_by(|&a, &b| self.key(a).cmp(self.key(b)));
        order
    }
}

fn key<'a>(text: &'a [u8], ends: &[u32], group: usize) -> &'a [u8] {
    &text[ends[group] as usize..ends[group + 1] as usize]
}
