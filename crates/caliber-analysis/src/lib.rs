//! Questions the scores of a campaign: which rows are strange, what made a score, whether other weights serve better,
//! what changed between two runs.
//!
//! Every answer is one serialisable object that holds no ids, clock times or durations: the same [`Subject`], options
//! and seed give the same bytes, whatever the number of threads. Rows are those of the results in their order,
//! counted from 0; metrics are the recipe's, in its order.

mod by_metric;
pub mod changes;
mod correlation;
mod draws;
mod error;
pub mod explanation;
pub mod findings;
pub mod importance;
mod nearest;
pub mod outliers;
mod pairs;
mod scale;
mod subject;
pub mod weights;
pub mod what_if;
mod words;
pub mod written;

pub use by_metric::ByMetric;
pub use error::{Error, Result};
pub use nearest::{Found, nearest};
pub use pairs::{Pair, ranked};
pub use subject::Subject;

/// The seed of every draw unless another is asked for.
pub const DEFAULT_SEED: u64 = 42;
