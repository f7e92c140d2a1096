//! The words of reports: canonical columns, what DSPs call them, and the metrics made of them.

use serde::Serialize;

/// What the cells of a canonical column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// A name to group by: a domain, a supply vendor.
    Dimension,
    /// A count of things, summed.
    Count,
    /// An amount of money, summed.
    Money,
    /// Money per thousand, averaged by impressions.
    MoneyRate,
    /// A share, as a fraction or in percent, averaged by impressions.
    Rate,
    /// The day of the row.
    Date,
    /// The currency of the row's money.
    Currency,
}

/// One way a DSP writes a canonical column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// The header as the DSP writes it; `#` stands for a number (`# - Total Click + View Conversions`),
    /// and all headers that match such a pattern are summed.
    pub header: String,
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
    /// The headers it is known by, the preferred first.
    pub aliases: Vec<Alias>,
}

/// A metric made of two summed columns: numerator / denominator x per.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
}
