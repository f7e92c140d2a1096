//! Local outlier factor (Breunig, Kriegel, Ng and Sander 2000): a row in a sparser place than its neighbours is strange.

use std::cmp::Ordering;
use std::ops::Range;

use caliber_engine::parallel;

use super::kd_tree::{KdTree, Neighbour};
use super::matrix::Matrix;

const NEIGHBOURS: usize = 20;
/// Leaves of the tree that a thread takes at a time.
const BLOCK: usize = 64;
/// Keeps the density of rows with as many duplicates as neighbours finite.
const LEAST_REACH: f64 = 1e-10;

/// The factor of every row, around 1 for rows in company.
///
/// Rows that are the same share one point that counts as often, so that thousands of them cost nothing.
pub(super) fn scores(matrix: &Matrix, threads: usize) -> Vec<f64> {
    let wanted = NEIGHBOURS.min(matrix.rows.saturating_sub(1)) as u32;
    let order = by_position(matrix);
    let groups: Vec<&[u32]> =
        order.chunk_by(|&a, &b| matrix.row(a as usize) == matrix.row(b as usize)).collect();
    let points: Vec<(&[f64], u32)> =
        groups.iter().map(|group| (matrix.row(group[0] as usize), group.len() as u32)).collect();
    let (tree, point_at) = KdTree::new(matrix.width, &points);
    let factors = factors(&tree, wanted, threads);
    let mut scores = vec![1.0; matrix.rows];
    for (factor, point) in factors.into_iter().zip(point_at) {
        for &row in groups[point as usize] {
            scores[row as usize] = factor;
        }
    }
    scores
}

/// Rows in lexical order, which brings the same ones together.
fn by_position(matrix: &Matrix) -> Vec<u32> {
    let mut order: Vec<u32> = (0..matrix.rows as u32).collect();
    order.sort_unstable_by(|&a, &b| {
        let cells = matrix.row(a as usize).iter().zip(matrix.row(b as usize));
        cells
            .map(|(a, b)| a.total_cmp(b))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
            .then(a.cmp(&b))
    });
    order
}

/// The neighbours of the points of some leaves.
struct Neighbourhood {
    neighbours: Vec<Neighbour>,
    /// Of each point the end of its neighbours.
    ends: Vec<usize>,
}

impl Neighbourhood {
    fn of(&self, at: usize) -> &[Neighbour] {
        &self.neighbours[if at == 0 { 0 } else { self.ends[at - 1] }..self.ends[at]]
    }
}

/// The factor of each point of the tree.
fn factors(tree: &KdTree, wanted: u32, threads: usize) -> Vec<f64> {
    let leaves = tree.leaves();
    let blocks: Vec<&[(usize, Range<usize>)]> = leaves.chunks(BLOCK).collect();
    let found = parallel::map(threads, &blocks, |leaves| neighbourhood(tree, leaves, wanted));
    let of_points: Vec<&[Neighbour]> = found
        .iter()
        .flat_map(|neighbourhood| (0..neighbourhood.ends.len()).map(|at| neighbourhood.of(at)))
        .collect();
    // The distance to the last of the neighbours; 0 where a point's own duplicates are neighbours enough.
    let reach: Vec<f64> =
        of_points.iter().map(|neighbours| neighbours.last().map_or(0.0, |last| last.square.sqrt())).collect();
    let duplicates = |point: usize| f64::from((tree.count(point) - 1).min(wanted));
    let wanted = f64::from(wanted);
    let density: Vec<f64> = (0..tree.len())
        .map(|point| {
            let own = duplicates(point) * reach[point];
            let others = of_points[point]
                .iter()
                .map(|other| f64::from(other.count) * other.square.sqrt().max(reach[other.point as usize]));
            1.0 / ((own + others.sum::<f64>()) / wanted + LEAST_REACH)
        })
        .collect();
    (0..tree.len())
        .map(|point| {
            let others =
                of_points[point].iter().map(|other| f64::from(other.count) * density[other.point as usize]);
            (duplicates(point) * density[point] + others.sum::<f64>()) / density[point] / wanted
        })
        .collect()
}

fn neighbourhood(tree: &KdTree, leaves: &[(usize, Range<usize>)], wanted: u32) -> Neighbourhood {
    let mut found = Vec::new();
    let mut neighbourhood = Neighbourhood { neighbours: Vec::new(), ends: Vec::new() };
    for (leaf, members) in leaves {
        for point in members.clone() {
            let others = wanted.saturating_sub(tree.count(point) - 1);
            if others > 0 {
                tree.nearest(*leaf, point, others, &mut found);
                neighbourhood.neighbours.extend(&found);
            }
            neighbourhood.ends.push(neighbourhood.neighbours.len());
        }
    }
    neighbourhood
}
