//! Learned weights as a recipe.

use caliber_engine::recipe::{Recipe, WeightedMetric};

use crate::{ByMetric, Error, Result};

/// The recipe with these weights and this name, everything else as it was: platform, channels, goal, dimension,
/// filters, directions, columns of its own. [`Recipe::to_toml`] of it is text that [`Recipe::parse`] accepts.
///
/// A recipe has no weights of 0, so metrics without a weight (also those left out of learning) are not in it, nor are
/// those whose weight is too small to change a score: under 1e-12.
///
/// # Errors
/// On `save_as`, where the name is no word for a recipe or is the recipe's own.
pub fn learned_recipe(recipe: &Recipe, weights: &ByMetric<f64>, name: &str) -> Result<Recipe> {
    const LEAST: f64 = 1e-12;
    let weight = |metric: &WeightedMetric| weights.get(&metric.metric).copied().unwrap_or(0.0);
    let kept = || recipe.metrics.iter().filter(|metric| weight(metric) >= LEAST);
    let sum: f64 = kept().map(weight).sum();
    let metrics =
        kept().map(|metric| WeightedMetric { weight: weight(metric) / sum, ..metric.clone() }).collect();
    let learned = Recipe { name: name.to_owned(), metrics, ..recipe.clone() };
    if name == recipe.name {
        return Err(Error::option(
            "save_as",
            format!("`{name}` is the recipe that it was learned with; give another name"),
        ));
    }
    Recipe::parse(&learned.to_toml()?).map_err(|error| {
        let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
        Error::option("save_as", format!("{}{help}", error.message))
    })
}
