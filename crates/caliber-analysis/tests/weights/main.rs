//! Learned weights, searched weights and the importance of metrics, beside figures of scikit-learn, numpy and scipy
//! (`../reference/weights.py`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod importance;
mod learned;
mod optimized;
mod recipe;
mod reference;
mod rows;
