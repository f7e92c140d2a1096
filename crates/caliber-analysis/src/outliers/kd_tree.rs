//! A tree over points that finds the nearest of them (Bentley 1975; a box around every node as in Omohundro 1989).

use std::ops::Range;

/// Points of a leaf, at most.
const LEAF: usize = 16;

/// Points with how many times each is there, in an order that keeps neighbours together.
///
/// No two points are the same; what is there a thousand times is one point that counts a thousand.
#[derive(Debug)]
pub(super) struct KdTree {
    width: usize,
    /// Of each leaf its first coordinates, then its second ones, and so on.
    coordinates: Vec<f64>,
    /// How many times each point is there.
    counts: Vec<u32>,
    nodes: Vec<Node>,
    /// Of each node the least coordinates, then the greatest.
    boxes: Vec<f64>,
}

#[derive(Debug)]
enum Node {
    /// Positions of points.
    Leaf(Range<usize>),
    /// The two nodes below; the first is the next one.
    Fork(usize),
}

/// A point as another sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbour {
    /// Square of the distance between them.
    pub(super) square: f64,
    /// Its position in the tree.
    pub(super) point: u32,
    /// How many times it counts.
    pub(super) count: u32,
}

/// The nearest points so far, ascending, and how many are wanted.
#[derive(Debug)]
struct Nearest<'a> {
    found: &'a mut Vec<Neighbour>,
    /// Sum of the counts in `found`.
    total: u32,
    wanted: u32,
}

impl KdTree {
    /// Builds the tree over distinct points with their counts; returns with it which point stands at each position.
    pub(super) fn new(width: usize, points: &[(&[f64], u32)]) -> (Self, Vec<u32>) {
        let mut order: Vec<u32> = (0..points.len() as u32).collect();
        let mut tree = Self {
            width,
            coordinates: Vec::with_capacity(points.len() * width),
            counts: Vec::new(),
            nodes: Vec::new(),
            boxes: Vec::new(),
        };
        tree.grow(points, &mut order, 0);
        tree.counts = order.iter().map(|&point| points[point as usize].1).collect();
        (tree, order)
    }

    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// How many times the point at a position is there.
    pub(super) fn count(&self, position: usize) -> u32 {
        self.counts[position]
    }

    /// Grows the node of these points, the first of which stands at `start`.
    fn grow(&mut self, points: &[(&[f64], u32)], order: &mut [u32], start: usize) {
        let coordinate = |point: u32, axis: usize| points[point as usize].0[axis];
        let (mut least, mut greatest) =
            (vec![f64::INFINITY; self.width], vec![f64::NEG_INFINITY; self.width]);
        for &point in order.iter() {
            for (axis, value) in points[point as usize].0.iter().enumerate() {
                least[axis] = least[axis].min(*value);
                greatest[axis] = greatest[axis].max(*value);
            }
        }
        let extent = |axis: usize| greatest[axis] - least[axis];
        let widest =
            (0..self.width).reduce(|best, axis| if extent(axis) > extent(best) { axis } else { best });
        self.boxes.extend(&least);
        self.boxes.extend(&greatest);
        let (Some(axis), true) = (widest, order.len() > LEAF) else {
            self.nodes.push(Node::Leaf(start..start + order.len()));
            for axis in 0..self.width {
                self.coordinates.extend(order.iter().map(|&point| coordinate(point, axis)));
            }
            return;
        };
        let middle = order.len() / 2;
        order.select_nth_unstable_by(middle, |&a, &b| {
            coordinate(a, axis).total_cmp(&coordinate(b, axis)).then(a.cmp(&b))
        });
        let (below, above) = order.split_at_mut(middle);
        let node = self.nodes.len();
        self.nodes.push(Node::Fork(0));
        self.grow(points, below, start);
        self.nodes[node] = Node::Fork(self.nodes.len());
        self.grow(points, above, start + middle);
    }

    /// Fills `found` with the points nearest to the one at `position`, itself left out, until their counts reach
    /// `wanted` (or there are no more); nearest first, the last cut to what is wanted. Of points equally far any.
    pub(super) fn nearest(&self, leaf: usize, position: usize, wanted: u32, found: &mut Vec<Neighbour>) {
        found.clear();
        let Node::Leaf(members) = &self.nodes[leaf] else { return };
        let from: Vec<f64> = (0..self.width)
            .map(|axis| {
                self.coordinates[members.start * self.width + axis * members.len() + position - members.start]
            })
            .collect();
        let mut nearest = Nearest { found, total: 0, wanted };
        self.visit(0, &from, position, &mut nearest);
        let beyond = nearest.total.saturating_sub(wanted);
        if let Some(last) = found.last_mut() {
            last.count -= beyond;
        }
    }

    /// The leaves, each with the positions of its points.
    pub(super) fn leaves(&self) -> Vec<(usize, Range<usize>)> {
        let leaf = |(at, node): (usize, &Node)| match node {
            Node::Leaf(members) => Some((at, members.clone())),
            Node::Fork(_) => None,
        };
        self.nodes.iter().enumerate().filter_map(leaf).collect()
    }

    fn visit(&self, node: usize, from: &[f64], position: usize, nearest: &mut Nearest<'_>) {
        match &self.nodes[node] {
            Node::Leaf(members) => self.scan(members, from, position, nearest),
            &Node::Fork(second) => {
                let (a, b) = ((self.gap(node + 1, from), node + 1), (self.gap(second, from), second));
                let (near, far) = if b.0 < a.0 { (b, a) } else { (a, b) };
                for (gap, node) in [near, far] {
                    if gap < nearest.limit() {
                        self.visit(node, from, position, nearest);
                    }
                }
            }
        }
    }

    /// Square of the distance between a point and the box of a node; rounded as distances are, so never above that
    /// of a point in the box.
    fn gap(&self, node: usize, from: &[f64]) -> f64 {
        let (least, greatest) = self.boxes[node * 2 * self.width..][..2 * self.width].split_at(self.width);
        let mut gap = 0.0;
        for ((value, least), greatest) in from.iter().zip(least).zip(greatest) {
            let outside = (least - value).max(value - greatest).max(0.0);
            gap += outside * outside;
        }
        gap
    }

    fn scan(&self, members: &Range<usize>, from: &[f64], position: usize, nearest: &mut Nearest<'_>) {
        let mut squares = [0.0; LEAF];
        let squares = &mut squares[..members.len()];
        let coordinates = &self.coordinates[members.start * self.width..members.end * self.width];
        for (value, coordinates) in from.iter().zip(coordinates.chunks_exact(members.len())) {
            for (square, coordinate) in squares.iter_mut().zip(coordinates) {
                let difference = coordinate - value;
                *square += difference * difference;
            }
        }
        let mut limit = nearest.limit();
        for (point, &square) in members.clone().zip(squares.iter()) {
            if square < limit && point != position {
                nearest.add(Neighbour { square, point: point as u32, count: self.counts[point] });
                limit = nearest.limit();
            }
        }
    }
}

impl Nearest<'_> {
    /// The square below which a point is worth adding.
    fn limit(&self) -> f64 {
        match self.found.last() {
            Some(last) if self.total >= self.wanted => last.square,
            _ => f64::INFINITY,
        }
    }

    fn add(&mut self, neighbour: Neighbour) {
        let at = self.found.iter().rposition(|other| other.square <= neighbour.square).map_or(0, |at| at + 1);
        self.found.insert(at, neighbour);
        self.total += neighbour.count;
        while let Some(last) = self.found.last()
            && self.total - last.count >= self.wanted
        {
            self.total -= last.count;
            self.found.pop();
        }
    }
}
