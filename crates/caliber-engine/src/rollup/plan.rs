//! What a roll-up sums, and where in a file's rows the numbers stand.

use std::sync::Arc;

use super::sums::Widths;
use crate::dictionary::Dictionary;
use crate::names;
use crate::recipe::{Dimension, Recipe};
use crate::report::cell::Row;
use crate::report::header_row::header_score;
use crate::report::mapping::EXTRAS;
use crate::report::number::Decimal;

/// Canonical columns whose totals every result shows.
pub(crate) const TOTALS: [&str; 3] = ["clicks", "conversions", "spend"];

/// Slots before the totals: impressions, rows.
pub(crate) const IMPRESSIONS: usize = 0;
pub(crate) const ROWS: usize = 1;
pub(crate) const FIRST_TOTAL: usize = 2;
/// The slot of squares of impressions over rows that have any.
pub(crate) const SQUARES: usize = 0;
/// The rare slot that counts rows without impressions.
pub(crate) const EMPTY_ROWS: usize = 0;
/// Rare slots of a metric for what its shared sums hold that is not its own: x, n, n² and rows with n > 0.
const APART: usize = 4;

/// Which sums are kept of each metric, and where. It depends on the recipe alone, so that files add up whatever
/// columns each of them has.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) dimension: Dimension,
    pub(crate) metrics: Vec<MetricSlots>,
    /// Sums that nearly every row adds to.
    pub(crate) widths: Widths,
    /// Sums that few rows add to.
    pub(crate) rare_width: usize,
}

/// The sums of one metric. With x its numerator and n its denominator in a row:
#[derive(Clone, Debug)]
pub(crate) struct MetricSlots {
    pub(crate) name: String,
    /// numerator / denominator x per is the value.
    pub(crate) per: f64,
    /// The metric is itself a summed column: the value is its numerator.
    pub(crate) total: bool,
    /// Slot of sum x: the total's where x is one of [`TOTALS`].
    pub(crate) x: usize,
    /// Slot of sum n: the total's where n is one of [`TOTALS`], that of impressions where it is impressions.
    pub(crate) n: usize,
    /// Slots for the noise between rows, for shares only.
    pub(crate) noise: Option<NoiseSlots>,
    /// First of the rare slots, see [`APART`], that are to be taken out of shared sums; below 0 where the metric has
    /// more than they hold. Only where `x` or `n` is shared.
    pub(crate) apart: Option<usize>,
}

impl MetricSlots {
    /// Whether rows add to sum x whether or not they have the metric.
    pub(crate) fn shares_x(&self) -> bool {
        total_of(self.x).is_some()
    }

    /// Whether rows add to sum n whether or not they have the metric.
    pub(crate) fn shares_n(&self) -> bool {
        self.is_over_impressions() || total_of(self.n).is_some()
    }

    /// Whether n is impressions, which all rows have.
    pub(crate) fn is_over_impressions(&self) -> bool {
        self.n == IMPRESSIONS
    }
}

/// Which of [`TOTALS`] a usual slot sums.
pub(crate) fn total_of(slot: usize) -> Option<usize> {
    slot.checked_sub(FIRST_TOTAL).filter(|total| *total < TOTALS.len())
}

/// The sums behind row noise (evidence.md 1.2), over rows with n > 0.
#[derive(Clone, Debug)]
pub(crate) struct NoiseSlots {
    /// Slot of quotients: sum x²/n.
    pub(crate) q: usize,
    /// Slot of squares, sum n², and slot of rows; only with a denominator of its own.
    pub(crate) own: Option<(usize, usize)>,
    /// First rare slot: sum x, sum n over rows with n <= 0.
    pub(crate) without_trials: usize,
}

impl Layout {
    pub(crate) fn new(recipe: &Recipe, dictionary: &Dictionary, dimension: Dimension) -> Self {
        let mut layout = Self {
            dimension,
            metrics: Vec::new(),
            widths: Widths { usual: FIRST_TOTAL + TOTALS.len(), squares: SQUARES + 1, quotients: 0 },
            rare_width: EMPTY_ROWS + 1,
        };
        let names = recipe.metrics.iter().map(|metric| metric.metric.as_str());
        let extras =
            EXTRAS.into_iter().filter(|extra| recipe.metrics.iter().all(|metric| metric.metric != *extra));
        for name in names.chain(extras) {
            layout.add(name, dictionary);
        }
        layout
    }

    fn add(&mut self, name: &str, dictionary: &Dictionary) {
        let definition = dictionary.metric(name);
        let ratio = definition.as_ref().and_then(|definition| definition.ratio.as_ref());
        let total_slot =
            |column: &str| TOTALS.iter().position(|total| *total == column).map(|total| FIRST_TOTAL + total);
        let share = definition.as_ref().is_some_and(|definition| definition.share);
        let total = definition
            .as_ref()
            .is_some_and(|definition| definition.ratio.is_none() && definition.total.is_some());
        let slot = |count: &mut usize| {
            *count += 1;
            *count - 1
        };
        let x = ratio
            .and_then(|ratio| total_slot(ratio.numerator))
            .unwrap_or_else(|| slot(&mut self.widths.usual));
        let n = match ratio.map(|ratio| ratio.denominator) {
            None | Some("impressions") => IMPRESSIONS,
            Some(column) => total_slot(column).unwrap_or_else(|| slot(&mut self.widths.usual)),
        };
        let noise = share.then(|| NoiseSlots {
            q: slot(&mut self.widths.quotients),
            own: (n != IMPRESSIONS).then(|| (slot(&mut self.widths.squares), slot(&mut self.widths.usual))),
            without_trials: (slot(&mut self.rare_width), slot(&mut self.rare_width)).0,
        });
        let per = ratio.map_or(1.0, |ratio| ratio.per);
        let mut metric = MetricSlots { name: name.into(), per, total, x, n, noise, apart: None };
        if metric.shares_x() || metric.shares_n() {
            metric.apart = Some(self.rare_width);
            self.rare_width += APART;
        }
        self.metrics.push(metric);
    }
}

/// How the cells of a column are read. Decided by the column as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conventions {
    pub(crate) decimal: Decimal,
    /// 1, or 100 where a plain number of a rate stands for percent.
    pub(crate) scale: f64,
}

/// A column of numbers that a file's rows are read from.
#[derive(Clone, Debug)]
pub(crate) struct NumberColumn {
    pub(crate) column: usize,
    pub(crate) canonical: String,
    pub(crate) header: String,
    pub(crate) is_rate: bool,
    pub(crate) conventions: Conventions,
}

/// Where a file has the numbers of a metric; indexes are into [`Plan::numbers`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MetricSource {
    /// Nowhere.
    Absent,
    /// Columns to sum, over columns to sum; an empty denominator is impressions.
    Counts { numerator: Vec<usize>, denominator: Vec<usize> },
    /// A reported value, weighted by impressions.
    Reported(usize),
}

impl MetricSource {
    /// Numerator and denominator of a row, NaN where missing. `per` undoes the scale of a reported cost.
    #[inline]
    pub(crate) fn of(&self, values: &[f64], impressions: f64, per: f64) -> (f64, f64) {
        match self {
            Self::Absent => (f64::NAN, impressions),
            Self::Reported(column) => (values[*column] * impressions / per, impressions),
            Self::Counts { numerator, denominator } if denominator.is_empty() => {
                (sum_of(values, numerator), impressions)
            }
            Self::Counts { numerator, denominator } => {
                (sum_of(values, numerator), sum_of(values, denominator))
            }
        }
    }
}

/// The sum of those of the columns that have a value; NaN where none has.
#[inline]
pub(crate) fn sum_of(values: &[f64], columns: &[usize]) -> f64 {
    match columns {
        [] => f64::NAN,
        [only] => values[*only],
        several => several
            .iter()
            .map(|&column| values[column])
            .filter(|value| !value.is_nan())
            .reduce(|a, b| a + b)
            .unwrap_or(f64::NAN),
    }
}

/// `--where`: a column must match a pattern.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) column: usize,
    pub(crate) pattern: super::pattern::Pattern,
}

/// The header of a file, to know it where it stands again among the rows.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) texts: Arc<Vec<String>>,
    pub(crate) dictionary: Dictionary,
}

impl Header {
    /// Whether a row is this header again (`true`), the header of another table (`false`), or none.
    pub(crate) fn repeated_in(&self, row: &impl Row) -> Option<bool> {
        let texts: Vec<String> =
            (0..row.len()).map(|column| names::text_of(&row.cell(column).text()).into_owned()).collect();
        let is_figure = |text: &String| {
            text.bytes().any(|byte| byte.is_ascii_digit()) && !text.chars().any(char::is_alphabetic)
        };
        if texts.iter().any(is_figure) {
            return None;
        }
        let same =
            |(ours, theirs): (&String, &String)| ours.trim().to_lowercase() == theirs.trim().to_lowercase();
        if texts.len() >= self.texts.len() && self.texts.iter().zip(&texts).all(same) {
            return Some(true);
        }
        header_score(texts.iter().map(String::as_str), &self.dictionary, &[]).is_header().then_some(false)
    }
}

/// How one file's rows are read.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) dimension_column: usize,
    /// The first is impressions.
    pub(crate) numbers: Vec<NumberColumn>,
    /// Columns summed into each of [`TOTALS`]; indexes into `numbers`.
    pub(crate) totals: [Vec<usize>; TOTALS.len()],
    /// One for each of [`Layout::metrics`].
    pub(crate) metrics: Vec<MetricSource>,
    /// Whether every row adds to rare sums: the file reports a metric that others have counts of.
    pub(crate) has_rare: bool,
    pub(crate) date: Option<usize>,
    pub(crate) currency: Option<usize>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) header: Header,
}
