//! The grid of results: one page of rows with the columns that the reader chose.

use std::collections::HashMap;

use caliber_platform::lists::{Mark, Overrides};
use caliber_platform::results::{Direction, InvalidQuery, ResultRow, ResultsTable, SortBy, Status};

use super::grid_state::{GridState, ROWS, direction_word};
use super::written::{MISSING, Written, band_key, in_path, metric_name, probability, rate};
use crate::failure::Failure;
use crate::pages::filters::grouped;
use crate::texts;

/// Metrics that are shown unless the reader chooses.
const USUAL_METRICS: usize = 6;

/// The grid as its template shows it.
#[derive(Debug)]
pub(super) struct Grid {
    /// The address of the campaign.
    pub(super) base: String,
    pub(super) state: GridState,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// Rows that pass the filters.
    pub(super) total: usize,
    /// All rows.
    pub(super) all: usize,
}

/// A column, shown or not.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) word: String,
    pub(super) label: String,
    pub(super) is_shown: bool,
    sort_by: SortBy,
}

/// A row with a cell for each column that is shown.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// As the results have it.
    pub(super) name: String,
    /// As people read it.
    pub(super) display: String,
    /// The address of its explanation.
    pub(super) href: String,
    pub(super) score: f64,
    pub(super) band: &'static str,
    /// What somebody decided about it.
    pub(super) mark: Option<Mark>,
    /// What is odd about it, in words.
    pub(super) odd: String,
    pub(super) cells: Vec<Cell>,
}

/// What a cell holds.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Figure(String),
    Band(Status),
}

impl Row {
    /// The key of the text that names its mark.
    pub(super) fn mark_key(&self) -> Option<&'static str> {
        self.mark.map(mark_key)
    }
}

impl Cell {
    /// The key of the band's name, where it is a band.
    pub(super) fn band_key(&self) -> Option<&'static str> {
        match self {
            Self::Band(status) => Some(band_key(*status)),
            Self::Figure(_) => None,
        }
    }

    /// The band's word, or the figure.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Band(status) => status.name(),
            Self::Figure(text) => text,
        }
    }
}

/// The key of the text that names what somebody decided.
pub(super) fn mark_key(mark: Mark) -> &'static str {
    match mark {
        Mark::Allow => "mark-allowed",
        Mark::Block => "mark-blocked",
        Mark::Protect => "mark-protected",
    }
}

/// What was decided about each name by hand, by the name in lower case.
pub(super) fn marks(overrides: &Overrides) -> HashMap<String, Mark> {
    let of = [
        (Mark::Protect, &overrides.protect),
        (Mark::Block, &overrides.block),
        (Mark::Allow, &overrides.allow),
    ];
    of.into_iter()
        .flat_map(|(mark, names)| names.iter().map(move |name| (name.to_lowercase(), mark)))
        .collect()
}

impl Grid {
    /// The page of rows that a state asks for.
    pub(super) fn of(
        table: &ResultsTable,
        base: String,
        state: GridState,
        written: &Written,
        overrides: &Overrides,
    ) -> Result<Self, Failure> {
        let refused = |error: InvalidQuery| Failure::invalid(error.field, error.message);
        let columns = columns(table, &state.columns);
        let page = table.page(&state.query()).map_err(refused)?;
        let marks = marks(overrides);
        let row = |row: ResultRow<'_>| Row {
            href: format!("{base}/domains/{}", in_path(row.domain)),
            score: row.score.0,
            band: row.quality_status.name(),
            mark: marks.get(&row.domain.to_lowercase()).copied(),
            odd: odd(table, &row),
            cells: columns
                .iter()
                .filter(|column| column.is_shown)
                .map(|column| cell(table, &row, &column.sort_by, written))
                .collect(),
            name: row.domain.to_owned(),
            display: row.domain_display,
        };
        let rows = page.rows.iter().map(|&at| row(table.row(at))).collect();
        Ok(Self { base, columns, rows, total: page.total, all: table.len(), state })
    }

    pub(super) fn shown(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_shown)
    }

    /// The address of this page.
    pub(super) fn here(&self) -> String {
        self.state.address(&self.base)
    }

    /// The address of the grid sorted by a column.
    pub(super) fn sorted_by(&self, column: &Column) -> String {
        self.state.sorted_by(&column.sort_by).address(&self.base)
    }

    pub(super) fn sorted_by_name(&self) -> String {
        self.state.sorted_by(&SortBy::Domain).address(&self.base)
    }

    pub(super) fn sorted_by_score(&self) -> String {
        self.state.sorted_by(&SortBy::Score).address(&self.base)
    }

    /// `ascending`, `descending` or `none`, as `aria-sort` has it.
    pub(super) fn order(&self, column: &Column) -> &'static str {
        self.order_of(&column.sort_by)
    }

    pub(super) fn order_by_name(&self) -> &'static str {
        self.order_of(&SortBy::Domain)
    }

    pub(super) fn order_by_score(&self) -> &'static str {
        self.order_of(&SortBy::Score)
    }

    fn order_of(&self, sort_by: &SortBy) -> &'static str {
        match self.state.direction {
            _ if self.state.sort_by != *sort_by => "none",
            Direction::Ascending => "ascending",
            Direction::Descending => "descending",
        }
    }

    pub(super) fn sort_word(&self) -> String {
        self.state.sort_by.to_string()
    }

    pub(super) fn direction_word(&self) -> &'static str {
        direction_word(self.state.direction)
    }

    pub(super) fn search(&self) -> &str {
        self.state.filter.search.as_deref().unwrap_or_default()
    }

    /// Whether only rows of this band are kept.
    pub(super) fn is_of(&self, band: &str) -> bool {
        self.state.filter.quality_status.is_some_and(|status| status.name() == band)
    }

    pub(super) fn is_filtered(&self) -> bool {
        !self.state.filter.is_empty()
    }

    /// Filters that are folded away and are in use.
    pub(super) fn folded(&self) -> usize {
        let filter = &self.state.filter;
        let bounds = [filter.min_score, filter.max_score, filter.min_impressions];
        bounds.iter().flatten().count() + usize::from(filter.outliers_only)
    }

    pub(super) fn unfiltered(&self) -> String {
        self.state.unfiltered().address(&self.base)
    }

    /// How many rows a page may have, and whether this one has so many.
    pub(super) fn rows_choices(&self) -> [(usize, bool); 3] {
        ROWS.map(|rows| (rows, rows == self.state.per_page))
    }

    pub(super) fn first(&self) -> usize {
        if self.rows.is_empty() { 0 } else { (self.state.page - 1) * self.state.per_page + 1 }
    }

    pub(super) fn last(&self) -> usize {
        if self.rows.is_empty() { 0 } else { self.first() + self.rows.len() - 1 }
    }

    pub(super) fn pages(&self) -> usize {
        self.total.div_ceil(self.state.per_page).max(1)
    }

    /// The addresses of the first page, the one before, the one after, the last: none where one is there.
    pub(super) fn steps(&self) -> [Option<String>; 4] {
        let (page, pages) = (self.state.page, self.pages());
        let on = |page: usize| Some(self.state.on_page(page).address(&self.base));
        let back = page > 1;
        let on_from = page < pages;
        [
            back.then(|| on(1)).flatten(),
            back.then(|| on((page - 1).min(pages))).flatten(),
            on_from.then(|| on(page + 1)).flatten(),
            on_from.then(|| on(pages)).flatten(),
        ]
    }
}

/// All columns that the results have besides name and score.
fn columns(table: &ResultsTable, chosen: &[String]) -> Vec<Column> {
    let results = table.results();
    let mut columns = Vec::new();
    let mut add = |sort_by: SortBy, label: String, is_usual: bool| {
        // The band is the percentile's, and is sorted as that.
        let word = sort_by.to_string();
        let is_shown = if chosen.is_empty() { is_usual } else { chosen.contains(&word) };
        columns.push(Column { word, label, is_shown, sort_by });
    };
    add(SortBy::PercentileRank, texts::text("grid-band-percentile"), true);
    add(SortBy::Impressions, texts::text("impressions-column"), true);
    if results.spend.is_some() {
        add(SortBy::Spend, texts::text("spend"), true);
    }
    for (at, metric) in results.metrics.iter().enumerate() {
        let label = metric_name(table, &metric.name);
        add(SortBy::Metric(metric.name.clone()), label, at < USUAL_METRICS);
    }
    for extra in &results.extras {
        let sort_by = match extra.name {
            "cpm" => SortBy::Cpm,
            "ctr" => SortBy::Ctr,
            "conversion_rate" => SortBy::ConversionRate,
            _ => continue,
        };
        add(sort_by, metric_name(table, extra.name), false);
    }
    if results.evidence.is_some() {
        add(SortBy::PBelow, texts::text("grid-p-below"), true);
    }
    columns
}

fn cell(table: &ResultsTable, row: &ResultRow<'_>, column: &SortBy, written: &Written) -> Cell {
    let money = |amount: f64| written.money(amount);
    let or_missing = |text: Option<String>| text.unwrap_or_else(|| MISSING.to_owned());
    Cell::Figure(match column {
        SortBy::PercentileRank => return Cell::Band(row.quality_status),
        SortBy::Impressions => grouped(row.impressions.0, 0),
        SortBy::Spend => or_missing(row.spend.map(|spend| money(spend.0))),
        SortBy::Cpm => or_missing(row.cpm.map(|cpm| money(cpm.0))),
        SortBy::Ctr => or_missing(row.ctr.map(|ctr| rate(ctr.0))),
        SortBy::ConversionRate => or_missing(row.conversion_rate.map(|conversions| rate(conversions.0))),
        SortBy::PBelow => or_missing(row.evidence.as_ref().map(|evidence| probability(evidence.p_below.0))),
        SortBy::Metric(name) => {
            let value = row.raw_metrics.0.iter().find(|(metric, _)| metric == name);
            written.metric(table, name, value.and_then(|(_, value)| value.map(|value| value.0)))
        }
        SortBy::Score | SortBy::Domain => MISSING.to_owned(),
    })
}

/// What is odd about a row, in words.
pub(super) fn odd(table: &ResultsTable, row: &ResultRow<'_>) -> String {
    let outlier = |flag: &String| metric_name(table, flag.strip_suffix("_outlier").unwrap_or(flag));
    let mut words: Vec<String> = row.outlier_flags.iter().map(outlier).collect();
    words.extend(row.quality_flags.iter().map(|flag| flag.replace('_', " ")));
    words.join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use caliber_platform::results::Filter;

    use super::*;

    /// A grid of one odd row, which somebody blocked.
    pub(in crate::pages::results) fn grid(filter: Filter) -> Grid {
        let column = |sort_by: SortBy, is_shown| Column {
            word: sort_by.to_string(),
            label: "<b>P\u{e9}rez".to_owned(),
            is_shown,
            sort_by,
        };
        Grid {
            base: "/campaigns/1".to_owned(),
            state: GridState { filter, page: 2, ..GridState::default() },
            columns: vec![
                column(SortBy::PercentileRank, true),
                column(SortBy::Spend, true),
                column(SortBy::Ctr, false),
            ],
            rows: vec![Row {
                name: "<b>P\u{e9}rez.example".to_owned(),
                display: "<b>P\u{e9}rez.example".to_owned(),
                href: "/campaigns/1/domains/x".to_owned(),
                score: 41.25,
                band: "poor",
                mark: Some(Mark::Block),
                odd: "CTR".to_owned(),
                cells: vec![Cell::Band(Status::Poor), Cell::Figure("$5.00".to_owned())],
            }],
            total: 151,
            all: 1_000,
        }
    }

    #[test]
    fn the_grid_leads_to_its_neighbours_and_says_how_it_is_sorted() {
        let grid = grid(Filter::default());
        let steps = grid.steps().map(Option::unwrap_or_default);
        let page = |page: &str| format!("/campaigns/1{page}");
        assert_eq!(steps, [page(""), page(""), page("?page=3"), page("?page=4")]);
        assert_eq!((grid.first(), grid.last(), grid.pages()), (51, 51, 4));
        assert_eq!((grid.order_by_score(), grid.order_by_name()), ("descending", "none"));
        let past = Grid { state: grid.state.on_page(99), ..grid };
        assert_eq!(
            past.steps()[1].as_deref(),
            Some("/campaigns/1?page=4"),
            "from past the end one goes to the last"
        );
    }

    #[test]
    fn the_strongest_word_about_a_name_counts() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let overrides = Overrides {
            allow: names(&["a.example"]),
            block: Vec::new(),
            protect: names(&["A.example", "b.example"]),
        };
        let marks = marks(&overrides);
        assert_eq!((marks["a.example"], marks["b.example"]), (Mark::Allow, Mark::Protect));
    }
}
