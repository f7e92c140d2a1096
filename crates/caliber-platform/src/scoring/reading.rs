//! How a report is read, where somebody says.

use std::collections::BTreeMap;

use caliber_engine::recipe::RecipeBook;
use caliber_engine::report::mapping::{Override, Target};
use caliber_engine::{Options, Scale, wrong_scale};
use serde::{Deserialize, Serialize};

use super::told_plainly;
use crate::error::{Error, Result};

/// The most filters of rows: each is tried on every row.
const MOST_FILTERS: usize = 20;
/// The most characters of a filter's header, and of its value.
const LONGEST_FILTER: usize = 500;

/// What somebody says of how a report is read; its headers and cells tell the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// Columns mapped by hand: canonical name to header, or `#` and a position from 1, or nothing to leave it out.
    pub mapping: BTreeMap<String, String>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// Scales of rates, by canonical name.
    pub scales: BTreeMap<String, Scale>,
    /// Only rows whose cell under a header (or `#` and a position) is a value; `*` stands for anything. All must hold.
    #[serde(rename = "where")]
    pub filters: BTreeMap<String, String>,
    /// Whether the file has no header row: its first row is data, and its columns are mapped by position.
    pub no_header: bool,
}

impl Reading {
    /// The same with names as the dictionary has them, where a run can go by it. Whether the report has the columns and
    /// the sheet is seen when it is read.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the field: `mapping.NAME`, `scales.NAME`, `where`, `where.HEADER`, `no_header`.
    pub(super) fn checked(self, book: &RecipeBook) -> Result<Self> {
        for name in self.mapping.keys() {
            let invalid = |error| Error::invalid(format!("mapping.{name}"), told_plainly(&error));
            book.check_column(name).map_err(invalid)?;
        }
        if let Some((name, error)) = wrong_scale(&self.given_scales(), book) {
            return Err(Error::invalid(format!("scales.{name}"), told_plainly(&error)));
        }
        if self.filters.len() > MOST_FILTERS {
            return Err(Error::invalid("where", format!("has at most {MOST_FILTERS} columns")));
        }
        for (header, value) in &self.filters {
            if header.trim().is_empty() {
                return Err(Error::invalid("where", "a filter names its column by the header, or by `#3`"));
            }
            if [header, value].iter().any(|text| text.chars().count() > LONGEST_FILTER) {
                let field = format!("where.{}", header.chars().take(LONGEST_FILTER).collect::<String>());
                let message = format!("a header and a value have at most {LONGEST_FILTER} characters");
                return Err(Error::invalid(field, message));
            }
        }
        if self.no_header && self.mapping.is_empty() {
            let message =
                "leaves the columns without names: map them by position, as in {\"domain\": \"#1\"}";
            return Err(Error::invalid("no_header", message));
        }
        let vocabulary = book.vocabulary();
        let canonical = |(name, scale): (String, Scale)| (vocabulary.canonical(&name).to_owned(), scale);
        Ok(Self { scales: self.scales.into_iter().map(canonical).collect(), ..self })
    }

    /// As the engine is asked; what it says nothing of is as the engine has it.
    pub(crate) fn options(&self) -> Options {
        Options {
            overrides: self.mapping.iter().map(|(name, header)| override_of(name, header)).collect(),
            sheet: self.sheet.clone().filter(|sheet| !sheet.is_empty()),
            scales: self.given_scales(),
            filters: self.filters.clone().into_iter().collect(),
            no_header: self.no_header,
            ..Options::default()
        }
    }

    fn given_scales(&self) -> Vec<(String, Scale)> {
        self.scales.clone().into_iter().collect()
    }
}

fn override_of(name: &str, header: &str) -> Override {
    let target = match header.strip_prefix('#').and_then(|number| number.parse::<usize>().ok()) {
        _ if header.trim().is_empty() => Target::LeaveOut,
        Some(position @ 1..) => Target::Position(position - 1),
        _ => Target::Header(header.to_owned()),
    };
    Override { name: name.to_owned(), target }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Config {
        recipe: String,
        #[serde(flatten)]
        reading: Reading,
        share: f64,
    }

    fn config(json: serde_json::Value) -> Config {
        serde_json::from_value(json).unwrap()
    }

    fn wrong(json: serde_json::Value) -> String {
        let reading: Reading = serde_json::from_value(json).unwrap();
        match reading.checked(RecipeBook::shipped()) {
            Err(Error::Invalid(problems)) => problems[0].field.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_older_runs_went_by_is_read_and_what_is_written_comes_back() {
        let old = config(serde_json::json!({
            "recipe": "r", "mapping": {"clicks": "#2"}, "sheet": null, "share": 0.25,
        }));
        assert_eq!(old.reading.mapping["clicks"], "#2");
        assert_eq!((old.reading.no_header, old.reading.filters.len(), old.share), (false, 0, 0.25));
        let new = serde_json::json!({
            "recipe": "r", "mapping": {}, "sheet": "May", "scales": {"ctr": "percent"},
            "where": {"Currency": "EUR"}, "no_header": true, "share": 0.5,
        });
        assert_eq!(serde_json::to_value(config(new.clone())).unwrap(), new);
    }

    #[test]
    fn what_no_run_can_go_by_is_refused_with_its_field() {
        let many: BTreeMap<String, &str> = (0..21).map(|at| (format!("c{at}"), "x")).collect();
        for (json, field) in [
            (serde_json::json!({"mapping": {"nonsense": "A"}}), "mapping.nonsense"),
            (serde_json::json!({"scales": {"nonsense": "percent"}}), "scales.nonsense"),
            (serde_json::json!({"scales": {"clicks": "percent"}}), "scales.clicks"),
            (serde_json::json!({"where": {" ": "EUR"}}), "where"),
            (serde_json::json!({"where": many}), "where"),
            (serde_json::json!({"where": {"Country": "D".repeat(501)}}), "where.Country"),
            (serde_json::json!({"no_header": true}), "no_header"),
        ] {
            assert_eq!(wrong(json.clone()), field, "{json}");
        }
    }
}
