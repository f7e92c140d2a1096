//! Rows, features and target, as every method of learning takes them.

use caliber_engine::results::MetricColumn;
use caliber_engine::statistics::is_constant;

use super::target::{Direction, Target};
use crate::{Error, Result, Subject};

/// What weights are learned from: the normalised metrics of the rows that have a target.
pub(crate) struct Training<'a> {
    pub(crate) target: Option<Target>,
    /// The rows used, ascending: those with a target, or all of them where there is none.
    pub(crate) rows: Vec<usize>,
    /// The recipe's metrics but for those left out, in its order.
    pub(crate) features: Vec<&'a MetricColumn>,
    /// Metrics that are themselves the target.
    pub(crate) left_out: Vec<String>,
}

impl<'a> Training<'a> {
    /// # Errors
    /// On `target`, where it is unknown, constant, in no row, or the only metric.
    pub(crate) fn new(subject: &Subject<'a>, target: Option<&str>) -> Result<Self> {
        let target = target.map(|name| Target::of(subject, name)).transpose()?;
        let is_target = |metric: &MetricColumn| {
            let canonical = |name| subject.dictionary.canonical(name);
            target.as_ref().is_some_and(|target| canonical(&target.name) == canonical(&metric.name))
        };
        let (left_out, features): (Vec<&MetricColumn>, Vec<&MetricColumn>) =
            subject.results.metrics.iter().partition(|metric| is_target(metric));
        let has_target = |row: &usize| target.as_ref().is_none_or(|target| target.values[*row].is_some());
        let rows: Vec<usize> = (0..subject.results.len()).filter(has_target).collect();
        let left_out = left_out.into_iter().map(|metric| metric.name.clone()).collect();
        let training = Self { target, rows, features, left_out };
        training.check()?;
        Ok(training)
    }

    fn check(&self) -> Result<()> {
        let Some(target) = &self.target else { return Ok(()) };
        let values = self.target_values();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let name = &target.name;
        if self.features.is_empty() {
            return Err(Error::option(
                "target",
                format!(
                    "`{name}` is the only metric of the recipe, so nothing is left to weigh; choose another column"
                ),
            ));
        }
        if is_constant(least, greatest) {
            let value = match target.direction {
                Direction::HigherIsBetter => least,
                Direction::LowerIsBetter => -least,
            };
            let rows = match values.len() {
                1 => "the one row that has it".to_owned(),
                rows => format!("all {rows} rows that have it"),
            };
            return Err(Error::option(
                "target",
                format!(
                    "`{name}` is {value} in {rows}, so nothing can be learned from it; choose a column that varies"
                ),
            ));
        }
        Ok(())
    }

    /// The target of the rows used, turned; empty where there is none.
    pub(crate) fn target_values(&self) -> Vec<f64> {
        let Some(target) = &self.target else { return Vec::new() };
        self.rows.iter().filter_map(|&row| target.values[row]).collect()
    }

    /// A feature and the target over the rows used in which the feature is present. Without a target the second is
    /// empty.
    pub(crate) fn present_pairs(&self, feature: &MetricColumn) -> (Vec<f64>, Vec<f64>) {
        let present = || self.rows.iter().copied().filter(|&row| feature.values[row].is_some());
        let z = present().map(|row| feature.normalized[row]).collect();
        let target =
            self.target.iter().flat_map(|target| present().filter_map(|row| target.values[row])).collect();
        (z, target)
    }

    /// The names of the features.
    pub(crate) fn names(&self) -> Vec<String> {
        self.features.iter().map(|feature| feature.name.clone()).collect()
    }

    /// The weights that somebody gave, by feature; `None` where a feature is not named. Those of metrics left out
    /// are not needed and not looked at.
    ///
    /// # Errors
    /// On `weights`, where a name is unknown or given twice, or a weight is negative or not a number, or all are 0.
    pub(crate) fn given(&self, subject: &Subject<'_>, weights: &[(String, f64)]) -> Result<Vec<Option<f64>>> {
        let mut by_feature = vec![None; self.features.len()];
        for (name, weight) in weights {
            if !(weight.is_finite() && *weight >= 0.0) {
                return Err(Error::option(
                    "weights",
                    format!("the weight of `{name}` is {weight}; a weight is a number from 0 up"),
                ));
            }
            let name = name.as_str();
            let same =
                |metric: &str| subject.dictionary.canonical(metric) == subject.dictionary.canonical(name);
            match self.features.iter().position(|feature| same(&feature.name)) {
                Some(at) if by_feature[at].is_some() => {
                    return Err(Error::option("weights", format!("`{name}` is given twice; give it once")));
                }
                Some(at) => by_feature[at] = Some(*weight),
                None if self.left_out.iter().any(|metric| same(metric)) => {}
                None => {
                    let known = self.names().join(", ");
                    return Err(Error::option(
                        "weights",
                        format!("`{name}` is not a metric to weigh; there are {known}"),
                    ));
                }
            }
        }
        if by_feature.iter().flatten().sum::<f64>() > 0.0 {
            return Ok(by_feature);
        }
        Err(Error::option(
            "weights",
            format!("no weight is above 0; give one to at least one of {}", self.names().join(", ")),
        ))
    }
}

/// Shares of the sum, by which weights sum to 1.
pub(crate) fn shares(weights: &[f64]) -> Vec<f64> {
    // Divided by the greatest first: the sum of huge weights may overflow.
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    let sum: f64 = weights.iter().map(|weight| weight / greatest).sum();
    weights.iter().map(|weight| weight / greatest / sum).collect()
}
