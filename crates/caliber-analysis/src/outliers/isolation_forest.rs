//! Isolation forest (Liu, Ting and Zhou 2008): what few random cuts set apart is strange.

use caliber_engine::parallel;
use rand::seq::index;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::matrix::Matrix;

const TREES: u64 = 100;
/// Rows that a tree is grown on, at most.
const SAMPLE: usize = 256;
/// Nodes of a tree, at most 2 x SAMPLE - 1: a power of two, so that a masked index needs no check.
const NODES: usize = 2 * SAMPLE;
/// Rows that a thread scores at a time: with a tree they fit the nearest cache.
const BLOCK: usize = 256;
/// Rows that go down a tree side by side, so that the wait for one is not the wait for all.
const LANES: usize = 8;
const EULER: f64 = 0.577_215_664_9;

/// The score of every row, in (0, 1): 2^(-mean path / mean path of an unsuccessful search).
pub(super) fn scores(matrix: &Matrix, seed: u64, threads: usize) -> Vec<f64> {
    let sample = SAMPLE.min(matrix.rows);
    let numbers: Vec<u64> = (0..TREES).collect();
    let trees = parallel::map(threads, &numbers, |&number| {
        // A stream of its own for each tree: whichever thread grows it, it is the same.
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number);
        Tree::grow(matrix, sample, &mut random)
    });
    let starts: Vec<usize> = (0..matrix.rows).step_by(BLOCK).collect();
    let usual = mean_path(sample) * TREES as f64;
    let blocks = parallel::map(threads, &starts, |&start| {
        let block = block(matrix, start);
        let mut paths = [0.0; BLOCK];
        for tree in &trees {
            tree.add_paths(&block, &mut paths);
        }
        let rows = BLOCK.min(matrix.rows - start);
        paths[..rows].iter().map(|path| libm::exp2(-path / usual)).collect::<Vec<f64>>()
    });
    blocks.concat()
}

/// The rows from `start` on, column after column; zeros stand for rows beyond the last.
fn block(matrix: &Matrix, start: usize) -> Vec<f64> {
    let mut block = vec![0.0; BLOCK * matrix.width];
    for row in start..matrix.rows.min(start + BLOCK) {
        for (column, value) in matrix.row(row).iter().enumerate() {
            block[column * BLOCK + row - start] = *value;
        }
    }
    block
}

/// c(k): the mean path to a leaf among `rows` rows, that of an unsuccessful search in a binary search tree.
fn mean_path(rows: usize) -> f64 {
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let others = (rows - 1) as f64;
            2.0 * (libm::log(others) + EULER) - 2.0 * others / rows as f64
        }
    }
}

/// A cut: rows above the threshold go to the node after `below`, the others to `below`. A leaf leads to itself.
#[derive(Clone, Copy)]
struct Node {
    threshold: f64,
    column: u32,
    below: u32,
}

struct Tree {
    nodes: Box<[Node; NODES]>,
    /// The path that ends at a node: its depth, and what an unfinished leaf adds.
    paths: Box<[f64; NODES]>,
    /// The height that no path exceeds.
    height: u32,
}

/// Rows of the sample that meet in a node.
struct Meeting {
    node: u32,
    depth: u32,
    start: usize,
    end: usize,
}

impl Tree {
    fn grow(matrix: &Matrix, sample: usize, random: &mut ChaCha8Rng) -> Self {
        let mut rows = index::sample(random, matrix.rows, sample).into_vec();
        let height = sample.next_power_of_two().trailing_zeros();
        let leaf = Node { threshold: f64::INFINITY, column: 0, below: 0 };
        let mut tree = Self { nodes: Box::new([leaf; NODES]), paths: Box::new([0.0; NODES]), height };
        let mut grown = 1;
        let mut open = vec![Meeting { node: 0, depth: 0, start: 0, end: sample }];
        while let Some(Meeting { node, depth, start, end }) = open.pop() {
            let at = node as usize;
            let cut = if depth < height { random_cut(matrix, &rows[start..end], random) } else { None };
            let Some((column, threshold)) = cut else {
                tree.nodes[at].below = node;
                tree.paths[at] = f64::from(depth) + mean_path(end - start);
                continue;
            };
            tree.nodes[at] = Node { threshold, column: column as u32, below: grown };
            let middle = start + partition(&mut rows[start..end], |row| matrix.row(row)[column] <= threshold);
            open.push(Meeting { node: grown + 1, depth: depth + 1, start: middle, end });
            open.push(Meeting { node: grown, depth: depth + 1, start, end: middle });
            grown += 2;
        }
        tree
    }

    /// Adds to each path of a block the one its row takes.
    fn add_paths(&self, block: &[f64], paths: &mut [f64; BLOCK]) {
        for (group, paths) in paths.chunks_exact_mut(LANES).enumerate() {
            // A matrix without columns has no cells, and its trees have no cuts.
            let cells = block.get(group * LANES..).unwrap_or_default();
            let mut at = [0_usize; LANES];
            for _ in 0..self.height {
                for (lane, at) in at.iter_mut().enumerate() {
                    let node = self.nodes[*at % NODES];
                    let value = cells.get(node.column as usize * BLOCK + lane);
                    let above = value.is_some_and(|value| *value > node.threshold);
                    *at = node.below as usize + usize::from(above);
                }
            }
            for (path, at) in paths.iter_mut().zip(at) {
                *path += self.paths[at % NODES];
            }
        }
    }
}

/// A column among those that vary in these rows, and a cut between its least and greatest value there.
fn random_cut(matrix: &Matrix, rows: &[usize], random: &mut ChaCha8Rng) -> Option<(usize, f64)> {
    if rows.len() < 2 {
        return None;
    }
    let bounds = |column: usize| {
        rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), &row| {
            let value = matrix.row(row)[column];
            (min.min(value), max.max(value))
        })
    };
    let varying: Vec<(usize, f64, f64)> = (0..matrix.width)
        .map(|column| (column, bounds(column)))
        .filter(|(_, (min, max))| max > min)
        .map(|(column, (min, max))| (column, min, max))
        .collect();
    if varying.is_empty() {
        return None;
    }
    let (column, min, max) = varying[random.random_range(0..varying.len())];
    let threshold = min + random.random::<f64>() * (max - min);
    // Rounding may reach the greatest value, above which there would be nobody.
    Some((column, if threshold < max { threshold } else { min }))
}

/// Brings the rows that belong below to the front; returns how many they are.
fn partition(rows: &mut [usize], is_below: impl Fn(usize) -> bool) -> usize {
    let mut below = 0;
    for at in 0..rows.len() {
        if is_below(rows[at]) {
            rows.swap(at, below);
            below += 1;
        }
    }
    below
}
