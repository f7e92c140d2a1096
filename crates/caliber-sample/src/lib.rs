//! Synthetic DSP reports with planted truth.
//!
//! A sample is the report a platform would export for a campaign over invented sites: the platform's own
//! headers, long-tailed volumes, noisy rates, and any disorder asked for. Beside it stands the truth: the
//! class and the true rates of every site, so that whatever scores the report can be judged.
//!
//! The same request gives the same bytes on every machine: every draw comes from `ChaCha` and every
//! transcendental function from `libm`, and no float is printed in a report.
//!
//! A report flows one way: `world` (sites and their rates) -> `rows` (what they delivered) -> `disorder`
//! -> `record` (cells) -> `delimited`, `workbook` or `columnar`.

mod cell;
mod classes;
mod columnar;
mod delimited;
mod disorder;
mod error;
mod headers;
mod layout;
mod mess;
mod names;
mod output;
mod random;
mod record;
mod report;
mod rows;
mod workbook;
mod world;

pub use classes::{Class, WorldKind};
pub use error::SampleError;
pub use layout::{channels, platforms};
pub use mess::Mess;
pub use output::{truth_path, write, write_csv, write_truth, write_watched};

/// What sample to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// One of [`platforms`].
    pub platform: String,
    /// One of its [`channels`].
    pub channel: String,
    /// Rows of data; 10,000 unless said. What a mess adds comes on top.
    pub rows: Option<u64>,
    /// Sites, or supply vendors where those are scored; each has a row at least. One for every 50 rows
    /// unless said, at least 20 and at most 400 vendors.
    pub domains: Option<u32>,
    /// What all draws follow from.
    pub seed: u64,
    /// How much there is to find.
    pub world: WorldKind,
    /// The disorder to plant.
    pub mess: Vec<Mess>,
}

impl Request {
    /// Rows of data where none are asked for.
    pub const DEFAULT_ROWS: u64 = 10_000;
    /// The seed where none is given.
    pub const DEFAULT_SEED: u64 = 42;

    /// A clean sample of the default size.
    pub fn new(platform: impl Into<String>, channel: impl Into<String>) -> Self {
        Self {
            platform: platform.into(),
            channel: channel.into(),
            rows: None,
            domains: None,
            seed: Self::DEFAULT_SEED,
            world: WorldKind::default(),
            mess: Vec::new(),
        }
    }
}

/// What a sample holds, before what a mess adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows of data.
    pub rows: u64,
    /// Sites, or supply vendors where those are scored.
    pub domains: u64,
    /// Impressions of all rows.
    pub impressions: u64,
    /// Clicks of all rows, also where the report does not show them.
    pub clicks: u64,
    /// Conversions of all rows.
    pub conversions: u64,
    /// Spend of all rows, in cents.
    pub spend_cents: u64,
}
