//! A figure for each metric.

use serde::{Serialize, Serializer};

/// Figures by metric, in the order of the recipe; serialised as an object with the metrics as keys.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = std::collections::BTreeMap<String, T>))]
pub struct ByMetric<T>(pub Vec<(String, T)>);

impl<T> ByMetric<T> {
    /// The figure of a metric.
    pub fn get(&self, metric: &str) -> Option<&T> {
        self.0.iter().find(|(name, _)| name == metric).map(|(_, figure)| figure)
    }
}

impl<T> FromIterator<(String, T)> for ByMetric<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl<T: Serialize> Serialize for ByMetric<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, figure)| (name, figure)))
    }
}
