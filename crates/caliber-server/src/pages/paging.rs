//! Pages of a list: which one is asked for, and the way to its neighbours.

use caliber_platform::Window;
use serde::Deserialize;

/// Rows of a page.
pub(super) const ROWS: u64 = 25;

/// Which page is asked for; what is no page is the first.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    page: String,
}

impl Asked {
    /// From 1.
    pub(super) fn number(&self) -> u64 {
        self.page.parse().ok().filter(|page| *page > 0).unwrap_or(1)
    }

    pub(super) fn window(&self) -> Window {
        Window { skip: (self.number() - 1).saturating_mul(ROWS), limit: ROWS }
    }
}

/// Where a page stands among its neighbours.
#[derive(Clone, Debug)]
pub(super) struct Place {
    number: u64,
    rows: u64,
    pub(super) total: u64,
    /// Path and parameters without the page.
    base: String,
}

impl Place {
    /// `parameters` are those that a neighbour keeps; the empty ones are left out.
    pub(super) fn new(
        asked: &Asked,
        rows: usize,
        total: u64,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        let base = format!("{path}?{}", query.finish());
        Self { number: asked.number(), rows: rows as u64, total, base }
    }

    pub(super) fn first(&self) -> u64 {
        if self.rows == 0 { 0 } else { (self.number - 1).saturating_mul(ROWS) + 1 }
    }

    pub(super) fn last(&self) -> u64 {
        if self.rows == 0 { 0 } else { self.first() + self.rows - 1 }
    }

    pub(super) fn before(&self) -> Option<String> {
        (self.number > 1).then(|| self.at(self.number - 1))
    }

    pub(super) fn after(&self) -> Option<String> {
        (self.number.saturating_mul(ROWS) < self.total).then(|| self.at(self.number + 1))
    }

    fn at(&self, page: u64) -> String {
        let join = if self.base.ends_with('?') { "" } else { "&" };
        format!("{}{join}page={page}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_its_neighbours_and_keeps_what_was_asked() {
        let asked = Asked { page: "2".to_owned() };
        let place = Place::new(&asked, 25, 60, "/files", &[("search", "a&b"), ("status", "")]);
        assert_eq!((place.first(), place.last()), (26, 50));
        assert_eq!(place.before().as_deref(), Some("/files?search=a%26b&page=1"));
        assert_eq!(place.after().as_deref(), Some("/files?search=a%26b&page=3"));
        let only = Place::new(&Asked::default(), 3, 3, "/files", &[]);
        assert_eq!((only.before(), only.after()), (None, None));
        assert_eq!(Asked { page: "-4".to_owned() }.number(), 1);
        assert_eq!(Asked { page: u64::MAX.to_string() }.window().limit, ROWS);
    }
}
