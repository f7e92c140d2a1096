//! Learned weights, searched weights and the importance of metrics, beside figures of scikit-learn, numpy and scipy
//! (`../reference/weights.py`).

mod importance;
mod learned;
mod optimized;
mod recipe;
mod reference;
mod rows;
