//! What the grid of results shows, as it stands in the address: order, filters, page, columns. The parameters are
//! those of the API.

use std::str::FromStr;

use caliber_platform::results::{Direction, Filter, Query, SortBy, Status};

use crate::failure::Failure;

/// Rows of a page, unless the address says otherwise.
const USUAL_ROWS: usize = 50;
/// What a reader can choose from.
pub(super) const ROWS: [usize; 3] = [25, 50, 100];
/// The greatest page that is looked for.
const MOST_PAGES: usize = 1 << 32;

/// The state of the grid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GridState {
    pub(super) sort_by: SortBy,
    pub(super) direction: Direction,
    pub(super) filter: Filter,
    /// From 1.
    pub(super) page: usize,
    pub(super) per_page: usize,
    /// The columns by their words; empty for the usual ones.
    pub(super) columns: Vec<String>,
}

impl Default for GridState {
    fn default() -> Self {
        Self {
            sort_by: SortBy::default(),
            direction: Direction::default(),
            filter: Filter::default(),
            page: 1,
            per_page: USUAL_ROWS,
            columns: Vec::new(),
        }
    }
}

impl GridState {
    /// The state of an address. What a form leaves empty is not asked for; what is wrong is refused with its name.
    pub(super) fn of(query: &str) -> Result<Self, Failure> {
        let mut state = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if !value.is_empty() {
                state.take(&name, value)?;
            }
        }
        Ok(state)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let refused = |error: caliber_platform::results::InvalidQuery| {
            Failure::invalid(error.field.to_owned(), error.message)
        };
        match name {
            "sort_by" => self.sort_by = SortBy::from_str(value).map_err(refused)?,
            "sort_direction" => self.direction = Direction::from_str(value).map_err(refused)?,
            "quality_status" => self.filter.quality_status = Some(status(value)?),
            "min_score" => self.filter.min_score = Some(number(name, value)?),
            "max_score" => self.filter.max_score = Some(number(name, value)?),
            "min_impressions" => self.filter.min_impressions = Some(number(name, value)?),
            "search" => self.filter.search = Some(value.to_owned()),
            "outliers_only" => self.filter.outliers_only = value == "true",
            "page" => self.page = whole(name, value, MOST_PAGES)?,
            "per_page" => self.per_page = whole(name, value, 100)?,
            "cols" => self.columns.push(value.to_owned()),
            // As the API, what is not known is not looked at.
            _ => {}
        }
        Ok(())
    }

    /// What is asked of the results.
    pub(super) fn query(&self) -> Query {
        Query {
            sort_by: self.sort_by.clone(),
            direction: self.direction,
            filter: self.filter.clone(),
            page: self.page,
            per_page: self.per_page,
        }
    }

    /// The address of this state below a path: only what is not usual stands in it.
    pub(super) fn address(&self, path: &str) -> String {
        let usual = Self::default();
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        let mut add = |name: &str, value: &str| {
            pairs.append_pair(name, value);
        };
        let direction = direction_word(self.direction);
        if self.sort_by != usual.sort_by || self.direction != usual.direction {
            add("sort_by", &self.sort_by.to_string());
            add("sort_direction", direction);
        }
        let filter = &self.filter;
        if let Some(status) = filter.quality_status {
            add("quality_status", status.name());
        }
        for (name, bound) in [
            ("min_score", filter.min_score),
            ("max_score", filter.max_score),
            ("min_impressions", filter.min_impressions),
        ] {
            if let Some(bound) = bound {
                add(name, &bound.to_string());
            }
        }
        if let Some(search) = &filter.search {
            add("search", search);
        }
        if filter.outliers_only {
            add("outliers_only", "true");
        }
        for column in &self.columns {
            add("cols", column);
        }
        if self.per_page != usual.per_page {
            add("per_page", &self.per_page.to_string());
        }
        if self.page != usual.page {
            add("page", &self.page.to_string());
        }
        let query = pairs.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// Sorted by a column: the other way round where it is sorted by it already.
    pub(super) fn sorted_by(&self, sort_by: &SortBy) -> Self {
        let first = if *sort_by == SortBy::Domain { Direction::Ascending } else { Direction::Descending };
        let direction = match (self.sort_by == *sort_by, self.direction) {
            (false, _) => first,
            (true, Direction::Descending) => Direction::Ascending,
            (true, Direction::Ascending) => Direction::Descending,
        };
        Self { sort_by: sort_by.clone(), direction, page: 1, ..self.clone() }
    }

    /// On another page.
    pub(super) fn on_page(&self, page: usize) -> Self {
        Self { page, ..self.clone() }
    }

    /// Of one band, or of all.
    pub(super) fn of_status(&self, quality_status: Option<Status>) -> Self {
        Self { filter: Filter { quality_status, ..self.filter.clone() }, page: 1, ..self.clone() }
    }

    /// With all rows.
    pub(super) fn unfiltered(&self) -> Self {
        Self { filter: Filter::default(), page: 1, ..self.clone() }
    }
}

/// The word of a direction in addresses.
pub(super) fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    }
}

fn status(word: &str) -> Result<Status, Failure> {
    let known = [Status::Good, Status::Moderate, Status::Poor];
    let found = known.into_iter().find(|status| status.name() == word);
    found.ok_or_else(|| Failure::invalid("quality_status", "is good, moderate or poor"))
}

fn number(name: &str, text: &str) -> Result<f64, Failure> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| Failure::invalid(name, "is a number"))
}

fn whole(name: &str, text: &str, most: usize) -> Result<usize, Failure> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Failure::invalid(name, format!("is a whole number from 1 to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_back() {
        for query in [
            "",
            "sort_by=spend&sort_direction=asc",
            "quality_status=poor&min_score=20&max_score=40.5&min_impressions=1000&search=news+%26+sport&outliers_only=true",
            "cols=impressions&cols=metric.ctr&per_page=100&page=7",
        ] {
            let state = GridState::of(query).unwrap();
            let address = if query.is_empty() { "/x".to_owned() } else { format!("/x?{query}") };
            assert_eq!(state.address("/x"), address);
        }
        let state = GridState::of("search=&min_score=&page=1&done=saved").unwrap();
        assert_eq!(state, GridState::default());
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_name() {
        for (query, field) in [
            ("sort_by=mood", "sort_by"),
            ("sort_direction=up", "sort_direction"),
            ("quality_status=fine", "quality_status"),
            ("min_score=NaN", "min_score"),
            ("max_score=x", "max_score"),
            ("page=0", "page"),
            ("per_page=101", "per_page"),
        ] {
            let failure = GridState::of(query).unwrap_err();
            assert_eq!(failure.problems[0].field, field, "{query}");
        }
    }

    #[test]
    fn a_column_is_sorted_the_useful_way_first_and_then_the_other() {
        let state = GridState::of("page=3").unwrap();
        assert_eq!(state.sorted_by(&SortBy::Score).direction, Direction::Ascending);
        assert_eq!(state.sorted_by(&SortBy::Spend).direction, Direction::Descending);
        let by_name = state.sorted_by(&SortBy::Domain);
        assert_eq!((by_name.direction, by_name.page), (Direction::Ascending, 1));
    }
}
