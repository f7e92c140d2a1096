//! Which column of a report is which: headers matched to canonical columns, and where each metric gets its numbers.

mod matching;
mod supply;

use serde::Serialize;

use crate::dictionary::{ColumnKind, Dictionary};
use crate::recipe::{Dimension, Recipe};
use crate::{Code, Error, Result};

pub(crate) use matching::assign;
pub use supply::{MetricSupply, Source, Supplies, supply};
pub(crate) use supply::{lacking, metric_supply, parts_of};

/// Metrics that results carry beside those of the recipe, where the report has them.
pub const EXTRAS: [&str; 4] = ["cpm", "ctr", "conversion_rate", "cost_per_conversion"];

/// A look at the cells below the headers, for what headers alone leave open.
pub trait ColumnPeek {
    /// Whether the sampled cells of two columns are equal.
    fn equal(&self, a: usize, b: usize) -> bool;
    /// Whether sampled cells of a column carry `%`.
    fn carries_percent(&self, column: usize) -> bool;
}

/// No cells to look at: no two columns are equal, none carries `%`.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadersOnly;

impl ColumnPeek for HeadersOnly {
    fn equal(&self, _: usize, _: usize) -> bool {
        false
    }

    fn carries_percent(&self, _: usize) -> bool {
        false
    }
}

/// What an override points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The column of a header.
    Header(String),
    /// The column of a position, counted from 0.
    Position(usize),
    /// None: the canonical column is left out.
    LeaveOut,
}

/// One canonical column mapped by hand: `--map NAME=HEADER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The canonical column, or a synonym of it.
    pub name: String,
    /// Where it is to be found.
    pub target: Target,
}

impl Override {
    /// Reads `NAME=HEADER`, `NAME=` (left out) or `NAME=#3` (the third column).
    ///
    /// # Errors
    /// `BadOption` for another form.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |message: String| {
            Error::new(Code::BadOption, message)
                .help("write NAME=HEADER, NAME= to leave it out, or NAME=#3 for the third column")
        };
        let (name, target) =
            text.split_once('=').ok_or_else(|| bad(format!("`{text}` does not map a column to a header")))?;
        let (name, target) = (name.trim(), target.trim());
        if name.is_empty() {
            return Err(bad(format!("`{text}` names no column")));
        }
        let target = match target.strip_prefix('#') {
            _ if target.is_empty() => Target::LeaveOut,
            Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                match number.parse::<usize>() {
                    Ok(position @ 1..) => Target::Position(position - 1),
                    _ => return Err(bad(format!("`#{number}` is no column; the first is #1"))),
                }
            }
            _ => Target::Header(target.to_owned()),
        };
        Ok(Self { name: name.to_owned(), target })
    }
}

/// What a recipe asks of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The recipe's name, for messages.
    pub recipe: String,
    /// Its platform, whose spellings messages use.
    pub platform: String,
    /// What rows are grouped by.
    pub dimension: Dimension,
    /// The names of its metrics.
    pub metrics: Vec<String>,
}

impl Needs {
    /// What a recipe needs, grouped by its own dimension.
    pub fn of(recipe: &Recipe) -> Self {
        Self {
            recipe: recipe.name.clone(),
            platform: recipe.platform.clone(),
            dimension: recipe.dimension,
            metrics: recipe.metrics.iter().map(|metric| metric.metric.clone()).collect(),
        }
    }

    /// The same, grouped by another dimension.
    #[must_use]
    pub fn by(self, dimension: Dimension) -> Self {
        Self { dimension, ..self }
    }
}

/// Why a header was taken for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It is the canonical name.
    Exact,
    /// It is one of the names the dictionary lists.
    Alias,
    /// It is much like one of them.
    Similar,
    /// The call said so.
    Given,
}

/// A column of the report that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The canonical column. A count whose header or cells say that it is a rate stands under the rate's name.
    pub canonical: String,
    /// Its position in the report, counted from 0.
    pub column: usize,
    /// Its header; empty in a report without.
    pub header: String,
    /// Why it was taken for this column.
    pub how: How,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Whether the header itself says that its cells are on the scale 0 to 100: `CTR (%)`, `% Viewable`.
    pub percent_header: bool,
    /// The platforms whose own spelling the header is.
    pub own_of: Vec<String>,
}

impl Mapped {
    /// Whether it holds a rate, whose scale must be known.
    pub fn is_rate(&self) -> bool {
        self.kind == ColumnKind::Rate
    }
}

/// A header that is somewhat like a column nothing else was found for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// The canonical column.
    pub canonical: String,
    /// The header that may be meant.
    pub header: String,
}

/// Something the reader of a report should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What kind of thing, `snake_case`.
    pub code: &'static str,
    /// What it is, one sentence.
    pub message: String,
}

/// A column that several headers fit equally well; the first was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguity {
    pub(crate) canonical: String,
    /// Positions, in the report's order.
    pub(crate) candidates: Vec<usize>,
}

/// The columns of one report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// What is known, in the order of the report.
    pub columns: Vec<Mapped>,
    /// Headers that are nothing known.
    pub unmapped: Vec<String>,
    /// What could be meant where a needed column was not found.
    pub suggestions: Vec<Suggestion>,
    /// What was taken with less than certainty.
    pub warnings: Vec<Warning>,
    /// Settled only where a needed column is among them.
    pub(crate) ambiguities: Vec<Ambiguity>,
}

impl Mapping {
    /// The positions of a canonical column: several for numbered pixels, none where the report has none.
    pub fn positions(&self, canonical: &str) -> Vec<usize> {
        self.columns
            .iter()
            .filter(|mapped| mapped.canonical == canonical)
            .map(|mapped| mapped.column)
            .collect()
    }

    /// What is at a position.
    pub fn at(&self, column: usize) -> Option<&Mapped> {
        self.columns.iter().find(|mapped| mapped.column == column)
    }
}

/// Matches the headers of a report to canonical columns, those that the recipe needs first.
///
/// # Errors
/// `BadOption` or `NotFound` for an override that fits nothing; `Ambiguous` where several headers fit a needed column
/// equally well. Columns that are missing are the matter of [`supply`].
pub fn map_headers(
    headers: &[String],
    dictionary: &Dictionary,
    needs: &Needs,
    overrides: &[Override],
    peek: &dyn ColumnPeek,
) -> Result<Mapping> {
    let mapping = assign(headers, dictionary, needs, overrides, peek)?;
    settle(mapping, headers, dictionary, needs)
}

/// Refuses an ambiguous column that the recipe's metrics use, and warns of one that only extras use.
fn settle(
    mut mapping: Mapping,
    headers: &[String],
    dictionary: &Dictionary,
    needs: &Needs,
) -> Result<Mapping> {
    for ambiguity in std::mem::take(&mut mapping.ambiguities) {
        let names: Vec<String> = ambiguity.candidates.iter().map(|at| name_of(headers, *at)).collect();
        let canonical = &ambiguity.canonical;
        let several = format!("several columns can be {}: {}", dictionary.label(canonical), names.join(", "));
        if supply::is_used(canonical, needs, dictionary, &mapping) {
            let options: Vec<String> = ambiguity
                .candidates
                .iter()
                .map(|at| format!("--map {}", flag_for(canonical, headers, *at)))
                .collect();
            return Err(Error::new(Code::Ambiguous, several)
                .at_column(names[0].clone())
                .help(format!("say which one: {}", options.join(" or "))));
        }
        if supply::is_extra(canonical, dictionary) {
            let message = format!("{several}; the first is shown, and no score depends on it");
            mapping.warnings.push(Warning { code: "ambiguous_column", message });
        }
    }
    Ok(mapping)
}

/// A header as messages name it, with its position where the header alone does not tell.
fn name_of(headers: &[String], at: usize) -> String {
    if is_unique(headers, at) {
        format!("`{}`", headers[at])
    } else {
        format!("`{}` (#{})", headers[at], at + 1)
    }
}

/// The override that settles on one candidate, as typed in a shell.
fn flag_for(canonical: &str, headers: &[String], at: usize) -> String {
    if is_unique(headers, at) {
        format!("\"{canonical}={}\"", headers[at])
    } else {
        format!("{canonical}=#{}", at + 1)
    }
}

fn is_unique(headers: &[String], at: usize) -> bool {
    let header = headers[at].trim();
    !header.is_empty() && headers.iter().filter(|other| other.trim() == header).count() == 1
}
