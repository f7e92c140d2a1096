//! What is analysed.

use caliber_engine::dictionary::Dictionary;
use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::Recipe;
use caliber_engine::results::Results;

/// The results of a run with what they were scored by.
///
/// `results.metrics` and `recipe.metrics` go side by side. Effective counts are there only where the results were
/// read from Parquet.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The scored rows.
    pub results: &'a Results,
    /// The recipe they were scored by.
    pub recipe: &'a Recipe,
    /// The words of that recipe.
    pub dictionary: &'a Dictionary,
    /// How their metrics were normalised.
    pub normalization: Normalization,
}
