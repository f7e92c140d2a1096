//! The words of reports: canonical columns, what DSPs call them, and the metrics made of them.
//!
//! The data stand in `columns.toml`; a recipe may add columns and metrics of its own.

pub(crate) mod header;
mod load;
mod nearest;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::recipe::Recipe;
use crate::{Code, Error, Result};
use header::Unit;
pub(crate) use nearest::nearest;

/// What the cells of a canonical column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// A name to group by: a domain, a supply vendor.
    Dimension,
    /// A count of things, summed.
    Count,
    /// An amount of money, summed.
    Money,
    /// Money per thousand impressions or per conversion, averaged by impressions.
    MoneyRate,
    /// A share, as a fraction or in percent, averaged by impressions.
    Rate,
    /// A figure on a scale of its own, averaged by impressions and never taken for percent.
    Index,
    /// The day of the row.
    Date,
    /// The currency of the row's money.
    Currency,
}

impl ColumnKind {
    /// Whether rows are added up.
    pub fn is_summed(self) -> bool {
        matches!(self, Self::Count | Self::Money)
    }

    /// Whether rows are averaged by impressions.
    pub fn is_averaged(self) -> bool {
        matches!(self, Self::MoneyRate | Self::Rate | Self::Index)
    }
}

/// One way a DSP writes a canonical column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// The header as the DSP writes it; `#` stands for a number (`# - Total Click + View Conversions`),
    /// and all headers that match such a pattern are summed.
    pub header: String,
    /// Further patterns whose columns are summed with those of `header`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// The platforms whose own spelling it is; empty for words that everybody uses.
    pub platforms: Vec<String>,
}

/// A canonical column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// The canonical name, `snake_case`.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Whether values of merged rows may be added. Unique counts may not: their sum is an upper bound.
    pub additive: bool,
    /// Whether it is a share of a count, in 0..1; rates only.
    pub share: bool,
    /// What people call it, where the name does not say it well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The headers it is known by, the preferred first.
    pub aliases: Vec<Alias>,
}

/// A metric made of two summed columns: numerator / denominator x per.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// The metric's name, `snake_case`. A reported column of the same name stands in where the two are missing.
    pub name: String,
    /// The canonical column above the line.
    pub numerator: String,
    /// The canonical column below it.
    pub denominator: String,
    /// 1, or 1000 for costs per thousand.
    pub per: f64,
    /// Whether it is a share of a count, in 0..1, and so follows a binomial law.
    pub share: bool,
    /// A count that alone, without the denominator, is an index per row and averaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_of: Option<String>,
}

/// Two summed columns that make a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio<'a> {
    /// The canonical column above the line.
    pub numerator: &'a str,
    /// The canonical column below it.
    pub denominator: &'a str,
    /// What the quotient is multiplied by: 1 or 1000.
    pub per: f64,
}

/// Where the numbers of a metric can come from, the preferred first: a ratio of sums, a reported column, an index
/// per row; or, for a plain count or amount, its sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricDefinition<'a> {
    /// The canonical name: `cpm` for `ecpm`.
    pub name: &'a str,
    /// The two sums that make it.
    pub ratio: Option<Ratio<'a>>,
    /// The column in which a report gives it ready-made.
    pub reported: Option<&'a str>,
    /// The count that alone stands in as an index per row.
    pub average_of: Option<&'a str>,
    /// The count or amount that it is the sum of.
    pub total: Option<&'a str>,
    /// What it is: never a dimension, date or currency.
    pub kind: ColumnKind,
    /// Whether it is a share of a count and follows a binomial law.
    pub share: bool,
}

/// A header that the dictionary knows: which column it is, and how well it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Position of the column in the dictionary.
    pub(crate) column: usize,
    /// 0 for the canonical name, else 1 + position of the alias.
    pub(crate) rank: usize,
    /// Whether the alias is a pattern, whose columns are summed.
    pub(crate) pattern: bool,
}

/// All columns and metrics, and the headers they are known by. Clones share it until one is added to.
#[derive(Clone, Debug)]
pub struct Dictionary(Arc<Entries>);

#[derive(Clone, Debug)]
struct Entries {
    columns: Vec<Column>,
    derived: Vec<Derived>,
    synonyms: BTreeMap<String, String>,
    /// What people call a platform.
    platforms: BTreeMap<String, String>,
    prefixes: Vec<String>,
    /// What the headers of a pivot table's sums begin with.
    sum_prefixes: Vec<String>,
    units: HashMap<String, Unit>,
    /// Codes of currencies by what they are called.
    currencies: HashMap<String, String>,
    /// Codes that are words as well, and so are currencies in brackets only.
    codes_that_are_words: Vec<String>,
    by_header: HashMap<String, Vec<Known>>,
}

impl Dictionary {
    /// The dictionary that ships with the engine.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Dictionary> = LazyLock::new(load::shipped);
        &SHIPPED
    }

    /// This dictionary with a recipe's own columns and metrics.
    ///
    /// # Errors
    /// `BadRecipe` where an addition contradicts what is known already.
    pub fn extended_by(&self, recipe: &Recipe) -> Result<Self> {
        let mut extended = self.clone();
        for (name, headers) in &recipe.columns {
            extended.add_column(name, headers, recipe)?;
        }
        for derived in &recipe.derived {
            extended.add_derived(derived)?;
        }
        Ok(extended)
    }

    /// The canonical columns.
    pub fn columns(&self) -> &[Column] {
        &self.0.columns
    }

    /// The metrics made of two sums.
    pub fn derived(&self) -> &[Derived] {
        &self.0.derived
    }

    /// The column of a canonical name or of a synonym (`ecpm`).
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.column_index(name).map(|index| &self.0.columns[index])
    }

    pub(crate) fn column_index(&self, name: &str) -> Option<usize> {
        let name = self.canonical(name);
        self.0.columns.iter().position(|column| column.name == name)
    }

    /// The position of a column that a person named.
    ///
    /// # Errors
    /// `BadOption` with the nearest name.
    pub(crate) fn known_column(&self, name: &str) -> Result<usize> {
        self.column_index(name).ok_or_else(|| {
            let names = || self.0.columns.iter().map(|column| column.name.as_str());
            let near = did_you_mean(name, names());
            Error::new(Code::BadOption, format!("`{name}` is no column that a report can be mapped to"))
                .help(format!("{near}there are {}", names().collect::<Vec<_>>().join(", ")))
        })
    }

    /// The canonical name behind a synonym; any other name as it is.
    pub fn canonical<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.synonyms.get(name).map_or(name, String::as_str)
    }

    /// What people call a column or metric: `in view (IAS, 1 s)`; without a label of its own, the name in words.
    pub fn label(&self, name: &str) -> String {
        let label = self.column(name).and_then(|column| column.label.clone());
        label.unwrap_or_else(|| name.replace('_', " "))
    }

    /// What people call a platform: as the dictionary says, else its word with capitals, as `My Dsp` for `my_dsp`.
    pub fn platform_label(&self, platform: &str) -> String {
        self.0.platforms.get(platform).cloned().unwrap_or_else(|| {
            let capital = |word: &str| {
                let mut letters = word.chars();
                letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
            };
            platform.split('_').filter_map(capital).collect::<Vec<_>>().join(" ")
        })
    }

    /// What a metric is made of; `None` for a name that is no metric.
    pub fn metric(&self, name: &str) -> Option<MetricDefinition<'_>> {
        let column = self.column(name);
        let canonical = self.canonical(name);
        let derived = self.0.derived.iter().find(|derived| derived.name == canonical);
        let kind = match (column, derived) {
            (Some(column), _) => column.kind,
            (None, Some(derived)) => kind_of_ratio(derived.per),
            (None, None) => return None,
        };
        if !kind.is_summed() && !kind.is_averaged() {
            return None;
        }
        Some(MetricDefinition {
            name: column.map(|column| &column.name).or(derived.map(|derived| &derived.name))?,
            ratio: derived.map(|derived| Ratio {
                numerator: &derived.numerator,
                denominator: &derived.denominator,
                per: derived.per,
            }),
            reported: column.filter(|_| kind.is_averaged()).map(|column| column.name.as_str()),
            average_of: derived.and_then(|derived| derived.average_of.as_deref()),
            total: column.filter(|_| kind.is_summed()).map(|column| column.name.as_str()),
            kind,
            share: column.is_some_and(|column| column.share) || derived.is_some_and(|derived| derived.share),
        })
    }

    /// The names that a recipe may use as a metric.
    pub fn metric_names(&self) -> impl Iterator<Item = &str> {
        let columns = self.0.columns.iter().map(|column| column.name.as_str());
        columns.chain(self.0.synonyms.keys().map(String::as_str)).filter(|name| self.metric(name).is_some())
    }

    /// The rate column that a count becomes where its cells carry `%` or its header says `Rate`: the share of which
    /// it is the numerator, one of all impressions before others.
    pub(crate) fn rate_of_count(&self, column: usize) -> Option<usize> {
        let count = &self.0.columns[column];
        let of_count = |derived: &&Derived| derived.numerator == count.name;
        let candidates = || self.0.derived.iter().filter(of_count);
        let rate = candidates()
            .find(|derived| derived.denominator == "impressions")
            .or_else(|| candidates().find(|derived| derived.share))?;
        self.column_index(&rate.name).filter(|_| count.kind == ColumnKind::Count)
    }

    /// The alias behind a rank of [`Known`]; `None` for a canonical name that no alias repeats.
    pub(crate) fn alias_of(&self, column: usize, rank: usize) -> Option<&Alias> {
        let column = &self.0.columns[column];
        match rank {
            0 => {
                let name = header::normalise(&column.name);
                column.aliases.iter().find(|alias| header::normalise(&alias.header) == name)
            }
            rank => column.aliases.get(rank - 1),
        }
    }

    pub(crate) fn known(&self, normalised: &str) -> &[Known] {
        self.0.by_header.get(normalised).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn unit(&self, normalised: &str) -> Option<Unit> {
        self.0.units.get(normalised).copied()
    }

    /// The unit of money that stands at the end of a header without brackets.
    pub(crate) fn bare_unit(&self, normalised: &str) -> Option<Unit> {
        let unit = self.unit(normalised).filter(|unit| *unit != Unit::Percent)?;
        let is_currency =
            self.0.currencies.contains_key(normalised) || !normalised.contains(char::is_alphabetic);
        (is_currency && self.0.codes_that_are_words.iter().all(|word| word != normalised)).then_some(unit)
    }

    /// The code of a currency by what it is called.
    pub(crate) fn currency_code(&self, normalised: &str) -> Option<String> {
        self.0.currencies.get(normalised).cloned()
    }

    pub(crate) fn sum_prefixes(&self) -> impl Iterator<Item = &str> {
        self.0.sum_prefixes.iter().map(String::as_str)
    }

    pub(crate) fn is_prefix(&self, word: &str) -> bool {
        self.0.prefixes.iter().any(|prefix| prefix == word)
    }

    /// Adds headers to a column, before those it has, or a new column.
    pub(crate) fn add_column(&mut self, name: &str, headers: &[String], recipe: &Recipe) -> Result<()> {
        check_name(name)?;
        self.take_from_others(name, headers);
        let own = headers.iter().map(|header| Alias {
            header: header.clone(),
            with: Vec::new(),
            platforms: vec![recipe.platform.clone()],
        });
        if let Some(index) = self.column_index(name) {
            self.entries().columns[index].aliases.splice(0..0, own);
        } else {
            let kind = kind_of_new(name, recipe);
            let share = kind == ColumnKind::Rate;
            self.entries().columns.push(Column {
                name: name.to_owned(),
                kind,
                additive: kind.is_summed(),
                share,
                label: None,
                aliases: own.collect(),
            });
        }
        self.entries().index_headers();
        Ok(())
    }

    /// A header that a recipe gives to one column is no longer an alias of another.
    fn take_from_others(&mut self, name: &str, headers: &[String]) {
        let taken: Vec<String> = headers.iter().map(|header| header::normalise(header)).collect();
        let name = self.canonical(name).to_owned();
        for column in self.entries().columns.iter_mut().filter(|column| column.name != name) {
            column.aliases.retain(|alias| !taken.contains(&header::normalise(&alias.header)));
        }
    }

    /// Adds a metric, and the column in which a report may give it ready-made.
    pub(crate) fn add_derived(&mut self, derived: &Derived) -> Result<()> {
        check_name(&derived.name)?;
        for part in [&derived.numerator, &derived.denominator] {
            match self.column(part) {
                None => {
                    let known = self.0.columns.iter().map(|column| column.name.as_str());
                    return Err(refused(format!(
                        "`{}` is made of the unknown column `{part}`",
                        derived.name
                    ))
                    .help(format!("{}list its headers under [columns]", did_you_mean(part, known))));
                }
                Some(column) if !column.kind.is_summed() => {
                    return Err(refused(format!(
                        "`{part}` is not a count or an amount, so it cannot be summed"
                    ))
                    .help("a derived metric divides one sum by another"));
                }
                Some(_) => {}
            }
        }
        if self.0.derived.iter().any(|known| known.name == self.canonical(&derived.name)) {
            return Err(refused(format!("the metric `{}` is known already", derived.name))
                .help("use it as it is, or take another name"));
        }
        if let Some(column) = self.column(&derived.name) {
            if !column.kind.is_averaged() {
                return Err(refused(format!("`{}` is a column that is not averaged", derived.name))
                    .help("take another name for the metric"));
            }
        } else {
            self.entries().columns.push(Column {
                name: derived.name.clone(),
                kind: kind_of_ratio(derived.per),
                additive: false,
                share: derived.share,
                label: None,
                aliases: Vec::new(),
            });
        }
        let canonical = |name: &String| self.canonical(name).to_owned();
        let derived = Derived {
            numerator: canonical(&derived.numerator),
            denominator: canonical(&derived.denominator),
            ..derived.clone()
        };
        if let Some(index) = self.column_index(&derived.name) {
            self.entries().columns[index].share = derived.share;
        }
        self.entries().derived.push(derived);
        self.entries().index_headers();
        Ok(())
    }

    /// What is known, to add to: of one's own from now on.
    fn entries(&mut self) -> &mut Entries {
        Arc::make_mut(&mut self.0)
    }
}

impl Entries {
    /// Rebuilds the index of headers. A column keeps its best rank where two of its aliases normalise alike.
    fn index_headers(&mut self) {
        let mut index: HashMap<String, Vec<Known>> = HashMap::new();
        let mut add = |header: &str, known: Known| {
            let entries = index.entry(header::normalise(header)).or_default();
            if entries.iter().all(|entry| entry.column != known.column) {
                entries.push(known);
            }
        };
        for (position, column) in self.columns.iter().enumerate() {
            add(&column.name, Known { column: position, rank: 0, pattern: false });
            for (alias_position, alias) in column.aliases.iter().enumerate() {
                for header in std::iter::once(&alias.header).chain(&alias.with) {
                    let pattern = header.contains('#');
                    add(header, Known { column: position, rank: alias_position + 1, pattern });
                }
            }
        }
        self.by_header = index;
    }
}

fn kind_of_ratio(per: f64) -> ColumnKind {
    if per == 1.0 { ColumnKind::Rate } else { ColumnKind::MoneyRate }
}

/// What a column is that only a recipe knows: summed where a derived metric divides it, else averaged.
fn kind_of_new(name: &str, recipe: &Recipe) -> ColumnKind {
    if let Some(derived) = recipe.derived.iter().find(|derived| derived.name == name) {
        return kind_of_ratio(derived.per);
    }
    let summed =
        recipe.derived.iter().any(|derived| derived.numerator == name || derived.denominator == name);
    let last_word = name.rsplit('_').next().unwrap_or(name);
    match last_word {
        "spend" | "cost" | "revenue" if summed => ColumnKind::Money,
        _ if summed => ColumnKind::Count,
        "rate" => ColumnKind::Rate,
        _ => ColumnKind::Index,
    }
}

fn check_name(name: &str) -> Result<()> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.is_empty() && name.chars().all(word) {
        return Ok(());
    }
    Err(refused(format!("`{name}` is not a name for a column"))
        .help("use lower-case letters, digits and `_`"))
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::BadRecipe, message)
}

/// `did you mean ...? ` where one of the words is near, else nothing.
pub(crate) fn did_you_mean<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> String {
    nearest(word, words).map_or_else(String::new, |near| format!("did you mean `{near}`? "))
}
