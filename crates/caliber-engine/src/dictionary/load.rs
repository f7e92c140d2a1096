//! The shipped `columns.toml` as a dictionary.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::header::{Unit, normalise};
use super::{Alias, Column, ColumnKind, Derived, Dictionary, Entries};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    prefixes: Vec<String>,
    sums: Vec<String>,
    platforms: BTreeMap<String, String>,
    units: Units,
    columns: Vec<ColumnEntry>,
    derived: Vec<DerivedEntry>,
    synonyms: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    advertiser: Vec<String>,
    partner: Vec<String>,
    usd: Vec<String>,
    percent: Vec<String>,
    other: Vec<String>,
    names: BTreeMap<String, String>,
    codes: String,
    codes_that_are_words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnEntry {
    name: String,
    kind: ColumnKind,
    #[serde(default = "yes")]
    additive: bool,
    #[serde(default)]
    share: bool,
    label: Option<String>,
    aliases: Vec<AliasEntry>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AliasEntry {
    Everybodys(String),
    Own {
        header: String,
        #[serde(default)]
        with: Vec<String>,
        of: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DerivedEntry {
    name: String,
    numerator: String,
    denominator: String,
    #[serde(default = "one")]
    per: f64,
    #[serde(default)]
    share: bool,
    average_of: Option<String>,
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

/// The dictionary of the embedded file.
pub(super) fn shipped() -> Dictionary {
    // The file is compiled in, and the tests of this module read it.
    let file: File = toml::from_str(include_str!("../../columns.toml")).expect("columns.toml is valid");
    let derived: Vec<Derived> = file.derived.into_iter().map(DerivedEntry::into_derived).collect();
    let share_of = |name: &str| derived.iter().any(|derived| derived.name == name && derived.share);
    let columns = file.columns.into_iter().map(|entry| {
        let share = entry.share || share_of(&entry.name);
        Column { share, ..entry.into_column() }
    });
    let mut entries = Entries {
        columns: columns.collect(),
        derived,
        synonyms: file.synonyms,
        platforms: file.platforms,
        prefixes: file.prefixes.iter().map(|prefix| normalise(prefix)).collect(),
        sum_prefixes: file.sums.iter().map(|prefix| normalise(prefix)).collect(),
        currencies: file.units.currencies(),
        codes_that_are_words: file.units.codes_that_are_words.split_whitespace().map(normalise).collect(),
        units: file.units.by_word(),
        by_header: HashMap::new(),
    };
    entries.index_headers();
    Dictionary(Arc::new(entries))
}

impl ColumnEntry {
    fn into_column(self) -> Column {
        Column {
            name: self.name,
            kind: self.kind,
            additive: self.additive && self.kind.is_summed(),
            share: self.share,
            label: self.label,
            aliases: self.aliases.into_iter().map(AliasEntry::into_alias).collect(),
        }
    }
}

impl AliasEntry {
    fn into_alias(self) -> Alias {
        match self {
            Self::Everybodys(header) => Alias { header, with: Vec::new(), platforms: Vec::new() },
            Self::Own { header, with, of } => Alias { header, with, platforms: of },
        }
    }
}

impl DerivedEntry {
    fn into_derived(self) -> Derived {
        Derived {
            name: self.name,
            numerator: self.numerator,
            denominator: self.denominator,
            per: self.per,
            share: self.share,
            average_of: self.average_of,
        }
    }
}

impl Units {
    /// The code of each currency by what it may be called.
    fn currencies(&self) -> HashMap<String, String> {
        let codes = self.codes.split_whitespace().map(|code| (normalise(code), code.to_owned()));
        let names = self.names.iter().map(|(name, code)| (normalise(name), code.clone()));
        codes.chain([(normalise("USD"), "USD".to_owned())]).chain(names).collect()
    }

    fn by_word(&self) -> HashMap<String, Unit> {
        let codes = self.codes.split_whitespace().map(|code| (code, Unit::OtherMoney));
        let listed = [
            (&self.other, Unit::OtherMoney),
            (&self.percent, Unit::Percent),
            (&self.usd, Unit::UsDollar),
            (&self.partner, Unit::Partner),
            (&self.advertiser, Unit::Advertiser),
        ];
        let listed =
            listed.into_iter().flat_map(|(words, unit)| words.iter().map(move |word| (word.as_str(), unit)));
        let names = self.names.iter().map(|(name, code)| {
            (name.as_str(), if code == "USD" { Unit::UsDollar } else { Unit::OtherMoney })
        });
        codes.chain(names).chain(listed).map(|(word, unit)| (normalise(word), unit)).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::dictionary::Dictionary;

    #[test]
    fn platforms_are_called_as_people_call_them() {
        let label = |word| Dictionary::shipped().platform_label(word);
        assert_eq!(
            (label("trade_desk"), label("my_own_dsp")),
            ("The Trade Desk".into(), "My Own Dsp".into())
        );
        assert_eq!(label(""), "");
    }
}
