//! The scale of a rate, given by hand.

use serde::{Deserialize, Serialize};

use crate::dictionary::ColumnKind;
use crate::recipe::RecipeBook;
use crate::{Code, Error, Result};

/// The scale of a rate, given by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// 0..1.
    Fraction,
    /// 0..100.
    Percent,
}

impl Scale {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Fraction, Self::Percent];

    /// The word for it: `fraction`, `percent`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Percent => "percent",
        }
    }

    /// The scale of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scale| scale.name() == word)
    }

    /// What plain numbers are divided by.
    pub(crate) fn divisor(self) -> f64 {
        match self {
            Self::Fraction => 1.0,
            Self::Percent => 100.0,
        }
    }
}

/// Checks scales given by hand: one a rate, and only for rates.
///
/// # Errors
/// `BadOption` for the first that cannot be.
pub fn check_scales(scales: &[(String, Scale)], book: &RecipeBook) -> Result<()> {
    wrong_scale(scales, book).map_or(Ok(()), |(_, error)| Err(error))
}

/// The first of scales given by hand that cannot be: its name, and why.
pub fn wrong_scale<'a>(scales: &'a [(String, Scale)], book: &RecipeBook) -> Option<(&'a str, Error)> {
    let vocabulary = book.vocabulary();
    let why = |at: usize, (name, scale): &(String, Scale)| {
        if let Err(error) = book.check_column(name) {
            return Some(error);
        }
        // What only a recipe's own dictionary knows is judged where that recipe is read.
        if vocabulary.column(name).is_some_and(|column| column.kind != ColumnKind::Rate) {
            let error = Error::new(Code::BadOption, format!("`{name}` is no rate, so it has no scale"));
            return Some(error.help("leave its --scale out"));
        }
        let canonical = vocabulary.canonical(name);
        let is_other =
            |(other, its): &(String, Scale)| vocabulary.canonical(other) == canonical && its != scale;
        scales[..at].iter().any(is_other).then(|| {
            Error::new(Code::BadOption, format!("`{name}` is given two scales"))
                .help("give --scale once for each rate")
        })
    };
    scales.iter().enumerate().find_map(|(at, given)| Some((given.0.as_str(), why(at, given)?)))
}
