//! One regression tree.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::forest::Matrix;

/// Values of a node that lie within this of each other are one: a split would gain nothing.
const PURE: f64 = 1e-9;

/// A node. What is above the threshold goes to the child after `below`, all else to `below`. A leaf is its own child,
/// with a threshold that nothing is above.
#[derive(Clone, Copy, Debug)]
struct Node {
    threshold: f64,
    feature: u32,
    below: u32,
}

/// A regression tree grown on a bootstrap sample until every leaf is pure.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The mean of a leaf's values; the mean of a node's on the way there.
    means: Vec<f64>,
    /// The sum of squares that the splits on each feature took away.
    pub(super) gains: Vec<f64>,
}

/// Rows that are walked down side by side, so that the processor need not wait for one.
const LANES: usize = 8;

impl Tree {
    /// Grows a tree on as many rows as there are, drawn with replacement.
    pub(super) fn grow(matrix: &Matrix, values: &[f64], mut bits: ChaCha8Rng) -> Self {
        let rows = values.len();
        let mut times = vec![0.0; rows];
        for _ in 0..rows {
            times[bits.random_range(0..rows)] += 1.0;
        }
        let drawn = |order: &Vec<u32>| -> Vec<u32> {
            order.iter().copied().filter(|&row| times[row as usize] > 0.0).collect()
        };
        let orders: Vec<Vec<u32>> = matrix.orders().iter().map(drawn).collect();
        let mut growth = Growth {
            matrix,
            samples: values.iter().zip(&times).map(|(&value, &times)| [value, times]).collect(),
            is_below: vec![false; rows],
            spare: Vec::with_capacity(rows),
            features: (0..matrix.columns()).collect(),
            orders,
            bits,
            tree: Self { nodes: Vec::new(), means: Vec::new(), gains: vec![0.0; matrix.columns()] },
        };
        growth.run();
        growth.tree
    }

    /// Adds the tree's prediction for every row to `sums`, with one column in place of another.
    pub(super) fn add_predictions(&self, columns: &[&[f64]], sums: &mut [f64]) {
        for (block, sums) in sums.chunks_mut(LANES).enumerate() {
            let mut at = [0_u32; LANES];
            loop {
                let mut moved = false;
                for (lane, at) in at.iter_mut().enumerate().take(sums.len()) {
                    let node = self.nodes[*at as usize];
                    let value = columns[node.feature as usize][block * LANES + lane];
                    let next = node.below + u32::from(value > node.threshold);
                    moved |= next != *at;
                    *at = next;
                }
                if !moved {
                    break;
                }
            }
            for (sum, at) in sums.iter_mut().zip(at) {
                *sum += self.means[at as usize];
            }
        }
    }
}

/// A tree that grows. Every feature has the rows in its own order; a node is the same range of each.
struct Growth<'a> {
    matrix: &'a Matrix,
    orders: Vec<Vec<u32>>,
    /// Value of each row, and how often it was drawn.
    samples: Vec<[f64; 2]>,
    /// Of the rows of the node that is being split: which child gets each.
    is_below: Vec<bool>,
    spare: Vec<u32>,
    /// In the order they are tried: of equal splits the first wins, so each node shuffles it.
    features: Vec<usize>,
    bits: ChaCha8Rng,
    tree: Tree,
}

/// A cut of a node.
struct Split {
    feature: usize,
    /// Rows below, as many as the orders count.
    below: usize,
    threshold: f64,
    gain: f64,
}

impl Growth<'_> {
    fn run(&mut self) {
        let rows = self.orders.first().map_or(0, Vec::len);
        let mut waiting = vec![(self.add_leaf(), 0, rows)];
        while let Some((node, start, end)) = waiting.pop() {
            let Some(split) = self.best_split(node, start, end) else { continue };
            self.tree.gains[split.feature] += split.gain;
            self.partition(&split, start, end);
            let below = self.add_leaf();
            let above = self.add_leaf();
            self.tree.nodes[node as usize] =
                Node { threshold: split.threshold, feature: split.feature as u32, below };
            let middle = start + split.below;
            waiting.push((above, middle, end));
            waiting.push((below, start, middle));
        }
    }

    fn add_leaf(&mut self) -> u32 {
        let leaf = self.tree.nodes.len() as u32;
        self.tree.nodes.push(Node { threshold: f64::INFINITY, feature: 0, below: leaf });
        self.tree.means.push(0.0);
        leaf
    }

    /// The cut that takes most away from the sum of squares; `None` for a pure node and one without two values of any
    /// feature. Notes the node's mean.
    fn best_split(&mut self, node: u32, start: usize, end: usize) -> Option<Split> {
        let (mut sum, mut count, mut least, mut greatest) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for &row in self.orders.first()?.get(start..end)? {
            let [value, times] = self.samples[row as usize];
            sum += value * times;
            count += times;
            least = value.min(least);
            greatest = value.max(greatest);
        }
        self.tree.means[node as usize] = sum / count;
        if end - start < 2 || greatest - least <= PURE {
            return None;
        }
        let mut best: Option<Split> = None;
        for at in 0..self.features.len() {
            let drawn = self.bits.random_range(at..self.features.len());
            self.features.swap(at, drawn);
            // A cut that gains nothing is still one: those below it may gain.
            let least = best.as_ref().map_or(-1.0, |best| best.gain);
            best = self.split_on(self.features[at], start, end, (sum, count), least).or(best);
        }
        best
    }

    /// The best cut on one feature, if it gains more than `least`.
    fn split_on(
        &self,
        feature: usize,
        start: usize,
        end: usize,
        (sum, count): (f64, f64),
        least: f64,
    ) -> Option<Split> {
        let order = &self.orders[feature][start..end];
        let column = self.matrix.column(feature);
        let mean = sum / count;
        // Deviations from the node's mean: then the gain is a sum of squares and no difference of large ones.
        let (mut below, mut drawn) = (0.0, 0.0);
        let (mut best_gain, mut best_at) = (least, 0);
        let mut before = column[*order.first()? as usize];
        for (at, &row) in order.iter().enumerate() {
            let value = column[row as usize];
            if value > before {
                let gain = below * below * (1.0 / drawn + 1.0 / (count - drawn));
                if gain > best_gain {
                    (best_gain, best_at) = (gain, at);
                }
                before = value;
            }
            let [value, times] = self.samples[row as usize];
            below += (value - mean) * times;
            drawn += times;
        }
        if best_at == 0 {
            return None;
        }
        let (low, high) = (column[order[best_at - 1] as usize], column[order[best_at] as usize]);
        let middle = low.midpoint(high);
        // Between two neighbouring doubles lies none.
        let threshold = if middle < high { middle } else { low };
        Some(Split { feature, below: best_at, threshold, gain: best_gain })
    }

    /// Brings the rows below to the front of the node's range in every order, which stays an order.
    fn partition(&mut self, split: &Split, start: usize, end: usize) {
        for (at, &row) in self.orders[split.feature][start..end].iter().enumerate() {
            self.is_below[row as usize] = at < split.below;
        }
        for (feature, order) in self.orders.iter_mut().enumerate() {
            if feature == split.feature {
                continue;
            }
            let range = &mut order[start..end];
            self.spare.clear();
            let mut kept = 0;
            for at in 0..range.len() {
                let row = range[at];
                if self.is_below[row as usize] {
                    range[kept] = row;
                    kept += 1;
                } else {
                    self.spare.push(row);
                }
            }
            range[kept..].copy_from_slice(&self.spare);
        }
    }
}
