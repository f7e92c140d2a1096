//! Rows in the order of a column: sorted once, read both ways.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::filter::Bits;
use super::{Direction, ResultsTable};

/// A column of one table to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Score,
    Impressions,
    Spend,
    Cpm,
    Ctr,
    ConversionRate,
    PercentileRank,
    Name,
    /// By the probability to be below the median, where the evidence is known.
    PBelow,
    /// By position in the recipe.
    Metric(usize),
}

impl Key {
    /// How many there are for a recipe of so many metrics.
    pub(super) fn count(metrics: usize) -> usize {
        9 + metrics
    }
}

/// The orders of a table, each built when it is first asked for; whoever asks meanwhile waits for it.
#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<HashMap<Key, Arc<OnceLock<Arc<Order>>>>>);

impl Orders {
    pub(super) fn of(&self, key: Key, table: &ResultsTable) -> Arc<Order> {
        let slot = {
            let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(orders.entry(key).or_default())
        };
        Arc::clone(slot.get_or_init(|| Arc::new(self.build(key, table))))
    }

    fn build(&self, key: Key, table: &ResultsTable) -> Order {
        let results = &table.results;
        match key {
            Key::Impressions => by_impressions(table),
            Key::Name => by_name(table),
            Key::Score => {
                in_file_order(table).unwrap_or_else(|| self.by_value(table, |row| Some(results.scores[row])))
            }
            Key::Spend => self.by_value(table, |row| results.spend.as_ref().map(|spend| spend[row])),
            Key::Cpm => self.by_value(table, |row| table.figure(table.places.cpm, row)),
            Key::Ctr => self.by_value(table, |row| table.figure(table.places.ctr, row)),
            Key::ConversionRate => {
                self.by_value(table, |row| table.figure(table.places.conversion_rate, row))
            }
            Key::PercentileRank => self.by_value(table, |row| Some(f64::from(results.percentile_rank(row)))),
            Key::PBelow => {
                let below = table.evidence_rows().ok().map(|evidence| &evidence.below);
                self.by_value(table, |row| below.map(|below| below[row]))
            }
            Key::Metric(at) => self.by_value(table, |row| results.metrics[at].values[row]),
        }
    }

    /// By any figure. The order by impressions holds the ties of all others, so that only numbers are compared.
    fn by_value(&self, table: &ResultsTable, value: impl Fn(usize) -> Option<f64>) -> Order {
        let ties = self.of(Key::Impressions, table);
        let mut present = Vec::with_capacity(ties.rows.len());
        let mut missing = Vec::new();
        for (tie, &row) in ties.rows.iter().enumerate() {
            match value(row as usize) {
                Some(value) => present.push((falling(value), tie as u32)),
                None => missing.push(row),
            }
        }
        present.sort_unstable();
        let begins = Bits::of(present.len(), |at| at == 0 || present[at].0 != present[at - 1].0);
        let mut rows: Vec<u32> = present.iter().map(|(_, tie)| ties.rows[*tie as usize]).collect();
        rows.append(&mut missing);
        Order { rows: rows.into(), present: present.len(), begins }
    }
}

/// By impressions, then by name: what settles the ties of every other order.
fn by_impressions(table: &ResultsTable) -> Order {
    let impressions = &table.results.impressions;
    let rows = 0..table.len() as u32;
    let mut keys: Vec<(u64, u32)> = rows.map(|row| (falling(impressions[row as usize]), row)).collect();
    let name = |row: u32| table.name(row as usize);
    keys.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| name(a.1).cmp(name(b.1))).then_with(|| a.1.cmp(&b.1))
    });
    Order {
        begins: Bits::of(keys.len(), |at| at == 0 || keys[at].0 != keys[at - 1].0),
        present: keys.len(),
        rows: keys.into_iter().map(|(_, row)| row).collect(),
    }
}

fn by_name(table: &ResultsTable) -> Order {
    let name = |row: u32| table.name(row as usize);
    let impressions = |row: u32| falling(table.results.impressions[row as usize]);
    // The first letters as a number settle most comparisons without a look at the names.
    let mut keys: Vec<(Reverse<u64>, u32)> =
        (0..table.len() as u32).map(|row| (Reverse(first_letters(name(row))), row)).collect();
    keys.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| name(b.1).cmp(name(a.1)))
            .then_with(|| impressions(a.1).cmp(&impressions(b.1)))
            .then_with(|| a.1.cmp(&b.1))
    });
    Order {
        begins: Bits::of(keys.len(), |at| at == 0 || name(keys[at].1) != name(keys[at - 1].1)),
        present: keys.len(),
        rows: keys.into_iter().map(|(_, row)| row).collect(),
    }
}

fn first_letters(name: &str) -> u64 {
    let mut letters = [0; 8];
    let length = name.len().min(8);
    letters[..length].copy_from_slice(&name.as_bytes()[..length]);
    u64::from_be_bytes(letters)
}

/// The rows as they stand, if they stand by score as files do.
fn in_file_order(table: &ResultsTable) -> Option<Order> {
    let results = &table.results;
    let key = |row: usize| (falling(results.scores[row]), falling(results.impressions[row]), table.name(row));
    let sorted = (1..table.len()).all(|row| key(row - 1) <= key(row));
    sorted.then(|| Order {
        begins: Bits::of(table.len(), |row| row == 0 || results.scores[row] != results.scores[row - 1]),
        present: table.len(),
        rows: (0..table.len() as u32).collect(),
    })
}

/// A number that is the smaller the greater the figure is; 0 and -0 are one.
fn falling(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    let rising = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    !rising
}

/// Rows by a column, the greatest value first, those without a value last.
#[derive(Debug)]
pub(super) struct Order {
    rows: Box<[u32]>,
    /// How many have a value.
    present: usize,
    /// The positions at which another value begins. Within equal values the order is the same both ways.
    begins: Bits,
}

/// Bytes of the order of so many rows.
pub(super) fn bytes(rows: usize) -> usize {
    rows * 4 + rows / 8
}

impl Order {
    /// The rows from the position `from` on, piece by piece.
    pub(super) fn segments(&self, direction: Direction, from: usize) -> Segments<'_> {
        let from = from.min(self.rows.len());
        if direction == Direction::Descending || from >= self.present {
            return Segments { order: self, left: 0, skip: 0, tail: &self.rows[from..] };
        }
        // Read from its end, a group of equal values that begins at `start` and ends before `end` takes the places
        // from `present - end` to `present - start`.
        let mirrored = self.present - 1 - from;
        let end = self.begins.next_set(mirrored + 1).unwrap_or(self.present);
        let tail = &self.rows[self.present..];
        Segments { order: self, left: end, skip: from - (self.present - end), tail }
    }
}

/// Rows of an order, in slices.
#[derive(Debug)]
pub(super) struct Segments<'a> {
    order: &'a Order,
    /// Groups before this position are still to come, from the last to the first.
    left: usize,
    /// Rows of the next group that are left out.
    skip: usize,
    /// What comes after the groups.
    tail: &'a [u32],
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u32];

    fn next(&mut self) -> Option<&'a [u32]> {
        if self.left > 0 {
            let start = self.order.begins.last_set_to(self.left - 1).unwrap_or(0);
            let group = &self.order.rows[start + self.skip..self.left];
            self.left = start;
            self.skip = 0;
            return Some(group);
        }
        let tail = std::mem::take(&mut self.tail);
        (!tail.is_empty()).then_some(tail)
    }
}
