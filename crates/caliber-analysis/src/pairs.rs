//! Names with figures, the weightiest first.

/// A name and its figure; serialised as an array, `["ctr", 0.31]`.
pub type Pair = (String, f64);

/// The pairs by absolute figure, descending; of equals the one that came first stays first.
pub fn ranked(pairs: impl IntoIterator<Item = Pair>) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = pairs.into_iter().collect();
    pairs.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
    pairs
}
