//! Nearest neighbours in the plane.

/// A leaf is searched point by point.
const LEAF: usize = 8;

/// Points of the plane in a k-d tree (Bentley 1975), the greater of the two differences being the distance.
///
/// Every node is halved by number along the side it is longest on, so columns that repeat a value a thousand times
/// make the tree no deeper.
pub(crate) struct Plane {
    points: Vec<[f64; 2]>,
    /// Point numbers; a node is a range of them.
    order: Vec<u32>,
    /// A heap: the children of node `n` are `2n + 1` and `2n + 2`. The box around the node's points.
    boxes: Vec<[[f64; 2]; 2]>,
}

impl Plane {
    /// Points of finite coordinates, fewer than 2^32.
    pub(crate) fn new(x: &[f64], y: &[f64]) -> Self {
        let points: Vec<[f64; 2]> = x.iter().zip(y).map(|(&x, &y)| [x, y]).collect();
        let mut order: Vec<u32> = (0..points.len() as u32).collect();
        let mut boxes = Vec::new();
        build(&points, &mut order, 0, &mut boxes);
        Self { points, order, boxes }
    }

    /// The distance of each point to its `k`-th nearest other point; infinite where there are not so many.
    pub(crate) fn distances(&self, k: usize) -> Vec<f64> {
        let mut distances = vec![f64::INFINITY; self.points.len()];
        let mut nearest = vec![0.0; k];
        // In the order of the tree: neighbours of neighbours are still in the cache.
        for &point in &self.order {
            nearest.fill(f64::INFINITY);
            self.search(0, 0, self.order.len(), point, &mut nearest);
            distances[point as usize] = nearest[k - 1];
        }
        distances
    }

    /// Puts the distances of the node's points among the nearest, which ascend.
    fn search(&self, node: usize, start: usize, end: usize, point: u32, nearest: &mut [f64]) {
        let at = self.points[point as usize];
        if end - start <= LEAF {
            for &other in &self.order[start..end] {
                if other != point {
                    insert(nearest, distance(at, self.points[other as usize]));
                }
            }
            return;
        }
        let middle = start.midpoint(end);
        let halves = [(2 * node + 1, start, middle), (2 * node + 2, middle, end)];
        let gaps = halves.map(|(child, ..)| gap(at, &self.boxes[child]));
        let nearer = usize::from(gaps[1] < gaps[0]);
        for half in [nearer, 1 - nearer] {
            let (child, start, end) = halves[half];
            if gaps[half] < nearest[nearest.len() - 1] {
                self.search(child, start, end, point, nearest);
            }
        }
    }
}

fn build(points: &[[f64; 2]], order: &mut [u32], node: usize, boxes: &mut Vec<[[f64; 2]; 2]>) {
    if boxes.len() <= node {
        boxes.resize(node + 1, [[0.0; 2]; 2]);
    }
    let mut bounds = [[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]];
    for &point in order.iter() {
        for (axis, &value) in points[point as usize].iter().enumerate() {
            bounds[0][axis] = bounds[0][axis].min(value);
            bounds[1][axis] = bounds[1][axis].max(value);
        }
    }
    boxes[node] = bounds;
    if order.len() <= LEAF {
        return;
    }
    let axis = usize::from(bounds[1][1] - bounds[0][1] > bounds[1][0] - bounds[0][0]);
    let middle = order.len() / 2;
    order.select_nth_unstable_by(middle, |&a, &b| {
        points[a as usize][axis].total_cmp(&points[b as usize][axis]).then(a.cmp(&b))
    });
    let (below, above) = order.split_at_mut(middle);
    build(points, below, 2 * node + 1, boxes);
    build(points, above, 2 * node + 2, boxes);
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).abs().max((a[1] - b[1]).abs())
}

/// The least distance that a point of the box can have; 0 within it.
fn gap(at: [f64; 2], [low, high]: &[[f64; 2]; 2]) -> f64 {
    let outside = |axis: usize| (low[axis] - at[axis]).max(at[axis] - high[axis]).max(0.0);
    outside(0).max(outside(1))
}

/// Keeps the least ones, ascending.
fn insert(nearest: &mut [f64], distance: f64) {
    if distance >= nearest[nearest.len() - 1] {
        return;
    }
    let at = nearest.partition_point(|&known| known <= distance);
    nearest[at..].rotate_right(1);
    nearest[at] = distance;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::stream;
    use rand::RngExt;

    #[test]
    fn the_tree_finds_what_a_search_of_all_finds_also_among_ties() {
        for (rows, values) in [(1, 5), (2, 5), (4, 3), (9, 4), (500, 7), (700, 1_000_000)] {
            let mut bits = stream(1, rows);
            let mut column =
                || -> Vec<f64> { (0..rows).map(|_| f64::from(bits.random_range(0..values))).collect() };
            let (x, y) = (column(), column());
            let found = Plane::new(&x, &y).distances(3);
            for row in 0..x.len() {
                let mut all: Vec<f64> = (0..x.len())
                    .filter(|&other| other != row)
                    .map(|other| distance([x[row], y[row]], [x[other], y[other]]))
                    .collect();
                all.sort_by(f64::total_cmp);
                assert_eq!(found[row], all.get(2).copied().unwrap_or(f64::INFINITY), "{rows} rows, {row}");
            }
        }
    }
}
