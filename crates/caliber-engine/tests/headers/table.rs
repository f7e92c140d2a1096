//! A report's headers with a few cells below each, and what they are mapped to.

use caliber_engine::Result;
use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::Dimension;
use caliber_engine::report::mapping::{ColumnPeek, Mapping, Needs, Override, map_headers};

/// Headers, each with its cells. Without cells, no two columns are equal.
pub(crate) struct Table {
    pub(crate) headers: Vec<String>,
    cells: Vec<Vec<&'static str>>,
}

impl Table {
    pub(crate) fn of(headers: &[&str]) -> Self {
        Self {
            headers: headers.iter().map(|header| (*header).to_owned()).collect(),
            cells: vec![Vec::new(); headers.len()],
        }
    }

    pub(crate) fn with_cells(columns: &[(&str, &[&'static str])]) -> Self {
        Self {
            headers: columns.iter().map(|(header, _)| (*header).to_owned()).collect(),
            cells: columns.iter().map(|(_, cells)| cells.to_vec()).collect(),
        }
    }

    /// Maps the headers for a recipe that needs these metrics.
    pub(crate) fn map(&self, dimension: Dimension, metrics: &[&str], maps: &[&str]) -> Result<Mapping> {
        let overrides: Vec<Override> = maps.iter().map(|map| Override::parse(map)).collect::<Result<_>>()?;
        map_headers(&self.headers, Dictionary::shipped(), &needs(dimension, metrics), &overrides, self)
    }
}

impl ColumnPeek for Table {
    fn equal(&self, a: usize, b: usize) -> bool {
        !self.cells[a].is_empty() && self.cells[a] == self.cells[b]
    }

    fn carries_percent(&self, column: usize) -> bool {
        self.cells[column].iter().any(|cell| cell.ends_with('%'))
    }
}

pub(crate) fn needs(dimension: Dimension, metrics: &[&str]) -> Needs {
    Needs {
        recipe: "test".into(),
        platform: "test".into(),
        dimension,
        metrics: metrics.iter().map(|metric| (*metric).to_owned()).collect(),
    }
}

/// The headers that are a canonical column.
pub(crate) fn headers_of<'m>(mapping: &'m Mapping, canonical: &str) -> Vec<&'m str> {
    let columns = mapping.columns.iter().filter(|mapped| mapped.canonical == canonical);
    columns.map(|mapped| mapped.header.as_str()).collect()
}

/// What each mapped header is, in the report's order.
pub(crate) fn pairs(mapping: &Mapping) -> Vec<(&str, &str)> {
    mapping.columns.iter().map(|mapped| (mapped.header.as_str(), mapped.canonical.as_str())).collect()
}
