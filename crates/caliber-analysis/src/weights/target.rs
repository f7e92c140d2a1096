//! What the weights are to predict.

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Better, Recipe};
use serde::Serialize;

use crate::{Error, Result, Subject};

/// Which way the target is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    HigherIsBetter,
    /// Less is better: the target is negated before anything is computed of it.
    LowerIsBetter,
}

/// A column of the results, turned so that more is better.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) direction: Direction,
    /// One a row; `None` where it is missing.
    pub(crate) values: Vec<Option<f64>>,
}

impl Target {
    /// The target of this name, or of a synonym of it.
    ///
    /// # Errors
    /// On `target`, where the results have no such column or nothing in it.
    pub(crate) fn of(subject: &Subject<'_>, given: &str) -> Result<Self> {
        let columns = columns(subject);
        let canonical = |name| subject.dictionary.canonical(name);
        let column = columns
            .iter()
            .find(|column| column.name == given)
            .or_else(|| columns.iter().find(|column| canonical(column.name) == canonical(given)))
            .ok_or_else(|| {
                Error::option("target", format!("`{given}` cannot be the target: {}", allowed(&columns)))
            })?;
        let direction = direction(column.name, subject.recipe, subject.dictionary);
        let turned = |value: f64| if direction == Direction::LowerIsBetter { -value } else { value };
        let values = (0..subject.results.len()).map(|row| column.value(row).map(turned)).collect();
        Ok(Self { name: column.name.to_owned(), direction, values })
    }

    /// What to say where a target is needed and none was given.
    pub(crate) fn missing(subject: &Subject<'_>, method: &str) -> Error {
        Error::option("target", format!("{method} needs a target: {}", allowed(&columns(subject))))
    }
}

struct Column<'a> {
    name: &'a str,
    cells: Cells<'a>,
}

enum Cells<'a> {
    All(&'a [f64]),
    Some(&'a [Option<f64>]),
}

impl Column<'_> {
    fn value(&self, row: usize) -> Option<f64> {
        match self.cells {
            Cells::All(values) => Some(values[row]),
            Cells::Some(values) => values[row],
        }
        .filter(|value| value.is_finite())
    }
}

/// The numeric columns of the results that have values and are neither score nor percentile nor made on the way to
/// them, in the order of the files.
fn columns<'a>(subject: &Subject<'a>) -> Vec<Column<'a>> {
    let results = subject.results;
    let counts = [
        ("impressions", Some(&results.impressions)),
        ("clicks", results.clicks.as_ref()),
        ("conversions", results.conversions.as_ref()),
        ("spend", results.spend.as_ref()),
    ];
    let counts = counts.into_iter().filter_map(|(name, values)| Some((name, Cells::All(values?))));
    let extras = results.extras.iter().map(|extra| (extra.name, Cells::Some(&extra.values)));
    let metrics = results.metrics.iter().map(|metric| (metric.name.as_str(), Cells::Some(&metric.values)));
    let mut columns: Vec<Column<'a>> = Vec::new();
    for (name, cells) in counts.chain(extras).chain(metrics) {
        let column = Column { name, cells };
        // A recipe may score by a count as it stands; it is the same column.
        let is_new = columns.iter().all(|known| known.name != name);
        if is_new && (0..results.len()).any(|row| column.value(row).is_some()) {
            columns.push(column);
        }
    }
    columns
}

fn allowed(columns: &[Column<'_>]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    format!("give one of {}", names.join(", "))
}

/// Less is better of what the recipe says so of, and of what is paid.
fn direction(name: &str, recipe: &Recipe, dictionary: &Dictionary) -> Direction {
    let name = dictionary.canonical(name);
    let lower = |metric: &str| dictionary.canonical(metric) == name;
    let is_paid = name == "cpm" || name == "cost_per_conversion";
    let in_recipe =
        recipe.metrics.iter().any(|metric| metric.better == Better::Lower && lower(&metric.metric));
    if is_paid || in_recipe { Direction::LowerIsBetter } else { Direction::HigherIsBetter }
}
