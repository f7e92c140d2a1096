//! Recipes: which metrics make the score of a platform, channel and goal, and with what weight.

use serde::{Deserialize, Serialize};

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Sites and apps.
    Domain,
    /// Exchanges that sell the impressions.
    SupplyVendor,
}

impl Dimension {
    /// The canonical column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::SupplyVendor => "supply_vendor",
        }
    }
}

/// Which way a metric is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// One metric of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightedMetric {
    /// Its name, canonical or derived.
    pub metric: String,
    /// Its share of the score, in (0, 1].
    pub weight: f64,
    /// Which way it is good.
    pub better: Better,
}
