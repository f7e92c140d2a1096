//! Where each metric of a recipe gets its numbers in a mapped report.

use super::{EXTRAS, Mapping, Needs};
use crate::dictionary::{ColumnKind, Dictionary, MetricDefinition};
use crate::{Code, Error, Result};

/// The columns a metric is computed from, by position in the report.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Sums of two sets of columns, divided.
    Counts {
        /// Columns added up above the line.
        numerator: Vec<usize>,
        /// Columns added up below it.
        denominator: Vec<usize>,
        /// What the quotient is multiplied by: 1 or 1000.
        per: f64,
    },
    /// A column that gives it row by row, averaged by impressions.
    Reported {
        /// Its position.
        column: usize,
    },
    /// A count or amount, added up.
    Total {
        /// Columns added up.
        columns: Vec<usize>,
    },
}

/// One metric and its source.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSupply {
    /// The name as the recipe has it: `ecpm`.
    pub metric: String,
    /// The name in the dictionary: `cpm`.
    pub canonical: String,
    /// Where its numbers come from.
    pub source: Source,
    /// The column that reports it ready-made, whatever the source: rates are checked against their counts.
    pub reported: Option<usize>,
    /// What it is. Only a reported `Rate` has a scale to be found.
    pub kind: ColumnKind,
    /// Whether it is a share of a count and follows a binomial law.
    pub share: bool,
}

/// All that is read of a report, by position.
#[derive(Clone, Debug, PartialEq)]
pub struct Supplies {
    /// The count of impressions.
    pub impressions: usize,
    /// What rows are grouped by.
    pub dimension: usize,
    /// Clicks, added up; empty where the report has none.
    pub clicks: Vec<usize>,
    /// Conversions, added up; empty where the report has none.
    pub conversions: Vec<usize>,
    /// Spend; empty where the report has none.
    pub spend: Vec<usize>,
    /// The day of the row.
    pub date: Option<usize>,
    /// The currency of the row's money.
    pub currency: Option<usize>,
    /// The recipe's metrics, in its order.
    pub metrics: Vec<MetricSupply>,
    /// Those of [`EXTRAS`] that the report supplies, in that order.
    pub extras: Vec<MetricSupply>,
}

impl Supplies {
    /// Every column that is read, each once, in the report's order. Reported rates that only serve as a check are
    /// among them.
    pub fn columns(&self) -> Vec<usize> {
        let mut columns = vec![self.impressions, self.dimension];
        columns.extend([&self.clicks, &self.conversions, &self.spend].into_iter().flatten());
        columns.extend(self.date.iter().chain(&self.currency));
        for supply in self.metrics.iter().chain(&self.extras) {
            columns.extend(supply.reported);
            match &supply.source {
                Source::Counts { numerator, denominator, .. } => {
                    columns.extend(numerator.iter().chain(denominator));
                }
                Source::Reported { column } => columns.push(*column),
                Source::Total { columns: summed } => columns.extend(summed),
            }
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

/// Finds where the numbers of a recipe come from.
///
/// # Errors
/// `MissingColumns`, naming for each metric the headers that would supply it.
pub fn supply(needs: &Needs, dictionary: &Dictionary, mapping: &Mapping) -> Result<Supplies> {
    let found: Vec<_> =
        needs.metrics.iter().map(|metric| metric_supply(metric, dictionary, mapping)).collect();
    let first = |canonical: &str| mapping.positions(canonical).first().copied();
    let essential = (first("impressions"), first(needs.dimension.name()));
    let ((Some(impressions), Some(dimension)), true) = (essential, found.iter().all(Option::is_some)) else {
        return Err(missing(needs, dictionary, mapping));
    };
    Ok(Supplies {
        impressions,
        dimension,
        clicks: mapping.positions("clicks"),
        conversions: mapping.positions("conversions"),
        spend: mapping.positions("spend"),
        date: first("date"),
        currency: first("currency"),
        metrics: found.into_iter().flatten().collect(),
        extras: EXTRAS.iter().filter_map(|metric| metric_supply(metric, dictionary, mapping)).collect(),
    })
}

/// Where one metric comes from: counts before a reported column before an index per row.
pub(crate) fn metric_supply(
    metric: &str,
    dictionary: &Dictionary,
    mapping: &Mapping,
) -> Option<MetricSupply> {
    let definition = dictionary.metric(metric)?;
    let first = |canonical: Option<&str>| {
        canonical.and_then(|canonical| mapping.positions(canonical).first().copied())
    };
    let reported = first(definition.reported);
    let source = counts(&definition, mapping)
        .or(reported.map(|column| Source::Reported { column }))
        .or_else(|| first(definition.average_of).map(|column| Source::Reported { column }))
        .or_else(|| total(&definition, mapping))?;
    Some(MetricSupply {
        metric: metric.to_owned(),
        canonical: definition.name.to_owned(),
        source,
        reported,
        kind: definition.kind,
        share: definition.share,
    })
}

/// Whether a metric has a supply that no further column would change. An index that is averaged because what it is
/// measured on was not found is none: the missing count may stand under a similar header.
pub(crate) fn is_settled(metric: &str, dictionary: &Dictionary, mapping: &Mapping) -> bool {
    let Some(supply) = metric_supply(metric, dictionary, mapping) else { return false };
    let stand_in = dictionary.metric(metric).and_then(|definition| definition.average_of);
    match supply.source {
        Source::Reported { column } if supply.reported != Some(column) => {
            !stand_in.is_some_and(|stand_in| mapping.positions(stand_in).contains(&column))
        }
        _ => true,
    }
}

fn counts(definition: &MetricDefinition<'_>, mapping: &Mapping) -> Option<Source> {
    let ratio = definition.ratio?;
    let (numerator, denominator) = (mapping.positions(ratio.numerator), mapping.positions(ratio.denominator));
    let both = !numerator.is_empty() && !denominator.is_empty();
    both.then_some(Source::Counts { numerator, denominator, per: ratio.per })
}

fn total(definition: &MetricDefinition<'_>, mapping: &Mapping) -> Option<Source> {
    let columns = mapping.positions(definition.total?);
    (!columns.is_empty()).then_some(Source::Total { columns })
}

/// The canonical columns a metric may come from, the preferred first.
pub(crate) fn parts_of<'d>(metric: &str, dictionary: &'d Dictionary) -> Vec<&'d str> {
    let Some(definition) = dictionary.metric(dictionary.canonical(metric)) else { return Vec::new() };
    let ratio = definition.ratio.into_iter().flat_map(|ratio| [ratio.numerator, ratio.denominator]);
    ratio.chain(definition.reported).chain(definition.average_of).chain(definition.total).collect()
}

/// Whether the recipe's metrics are computed from a canonical column of this report.
pub(super) fn is_used(canonical: &str, needs: &Needs, dictionary: &Dictionary, mapping: &Mapping) -> bool {
    if canonical == "impressions" || canonical == needs.dimension.name() {
        return true;
    }
    let positions = mapping.positions(canonical);
    let has = |columns: &[usize]| columns.iter().any(|column| positions.contains(column));
    let supplies = needs.metrics.iter().filter_map(|metric| metric_supply(metric, dictionary, mapping));
    supplies.into_iter().any(|supply| match &supply.source {
        Source::Counts { numerator, denominator, .. } => has(numerator) || has(denominator),
        Source::Reported { column } => has(&[*column]),
        Source::Total { columns } => has(columns),
    })
}

/// Whether results show a canonical column, whatever the recipe.
pub(super) fn is_extra(canonical: &str, dictionary: &Dictionary) -> bool {
    EXTRAS.iter().any(|metric| parts_of(metric, dictionary).contains(&canonical))
}

fn missing(needs: &Needs, dictionary: &Dictionary, mapping: &Mapping) -> Error {
    let lacking = lacking(needs, dictionary, mapping);
    let what: Vec<String> = lacking.iter().map(|(name, hint)| format!("{name} ({hint})")).collect();
    let suggested: Vec<String> = mapping
        .suggestions
        .iter()
        .map(|suggestion| format!("--map \"{}={}\"", suggestion.canonical, suggestion.header))
        .collect();
    let help = if suggested.is_empty() {
        "add the columns to the report, or name them with --map NAME=HEADER".to_owned()
    } else {
        format!("add the columns to the report, or name them: perhaps {}", suggested.join(", "))
    };
    Error::new(
        Code::MissingColumns,
        format!("the recipe {} needs columns for {}", needs.recipe, what.join("; ")),
    )
    .help(help)
}

/// What a report lacks for a recipe: the metric or column, and the headers that would supply it.
pub(crate) fn lacking(needs: &Needs, dictionary: &Dictionary, mapping: &Mapping) -> Vec<(String, String)> {
    let essential = ["impressions", needs.dimension.name()].into_iter();
    let columns = essential.filter(|name| mapping.positions(name).is_empty());
    let columns = columns.map(|name| (name.to_owned(), usual_header(name, needs, dictionary)));
    let metrics = needs.metrics.iter().filter(|metric| metric_supply(metric, dictionary, mapping).is_none());
    columns.chain(metrics.map(|metric| (metric.clone(), hint(metric, needs, dictionary, mapping)))).collect()
}

/// The headers that would supply a metric: ``Clicks`, or `CTR``.
fn hint(metric: &str, needs: &Needs, dictionary: &Dictionary, mapping: &Mapping) -> String {
    let Some(definition) = dictionary.metric(metric) else { return "not a metric".to_owned() };
    let usual = |name: &str| usual_header(name, needs, dictionary);
    let counts = definition.ratio.map(|ratio| {
        let lacking = [ratio.numerator, ratio.denominator]
            .into_iter()
            .filter(|name| mapping.positions(name).is_empty());
        lacking.map(usual).collect::<Vec<_>>().join(" and ")
    });
    let others = definition.reported.into_iter().chain(definition.total).map(usual);
    counts.into_iter().chain(others).collect::<Vec<_>>().join(", or ")
}

/// How the recipe's platform writes a column, else everybody.
fn usual_header(name: &str, needs: &Needs, dictionary: &Dictionary) -> String {
    let aliases = dictionary.column(name).map_or(&[][..], |column| column.aliases.as_slice());
    let own = aliases.iter().find(|alias| alias.platforms.contains(&needs.platform));
    let alias = own.or_else(|| aliases.iter().find(|alias| alias.platforms.is_empty())).or(aliases.first());
    format!("`{}`", alias.map_or(name, |alias| &alias.header))
}
