//! The results of a run, to page through: sorted, filtered and searched in memory, a million rows in milliseconds.
//!
//! A [`ResultsTable`] never changes, so any number of requests share one. What it learns on the way (the order of
//! rows by a column, the rows of a recent filter) it keeps, within bounds that [`ResultsTable::bytes`] counts.

mod cache;
mod charts;
mod filter;
mod list;
mod order;
mod query;
mod row;
mod search;

use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use caliber_engine::dictionary::Dictionary;
use caliber_engine::evidence::{Evidence, EvidenceRows};
use caliber_engine::results::Results;
use caliber_engine::summary::PriorSummary;
use caliber_engine::{names, parallel};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use filter::{Bits, Matched, RecentMatches};
use order::{Key, Orders};
use search::SearchText;

pub use cache::ResultsCache;
pub use caliber_engine::evidence::{Decision, Pattern};
pub use caliber_engine::lists::{ListPolicy, ListRule};
pub use caliber_engine::results::Status;
pub use caliber_engine::summary::StatusCounts;
pub use caliber_reports::ListRow;
pub use charts::{Bin, Bubble, Charts, MeanContribution};
pub(crate) use list::BY_HAND;
pub use list::{Criteria, List, ListRequest, ListType};
pub use query::{Direction, Filter, InvalidQuery, Page, Query, SortBy};
pub use row::{Breakdown, ByMetric, MetricEvidence, ResultRow, RowEvidence};

/// A row of a [`ResultsTable`]: its position in the order of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(u32);

impl RowId {
    /// The position, counted from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The scored rows of one run.
#[derive(Debug)]
pub struct ResultsTable {
    results: Results,
    dictionary: Dictionary,
    outliers: Bits,
    places: Places,
    /// What the shares were weighed by, in the order of the recipe; empty where the run did not ask for it.
    priors: Vec<(String, PriorSummary)>,
    orders: Orders,
    recent: RecentMatches,
    search: OnceLock<SearchText>,
    rows_of_keys: OnceLock<HashTable<u32>>,
    evidence: OnceLock<Result<Evidence, String>>,
    decided: OnceLock<Result<EvidenceRows, String>>,
    charts: OnceLock<Charts>,
    /// Seeded at random: names come from whoever wrote the report.
    hasher: RandomState,
}

/// Where `cpm`, `ctr`, `conversion_rate` and `cost_per_conversion` stand.
#[derive(Clone, Copy, Debug)]
struct Places {
    cpm: Place,
    ctr: Place,
    conversion_rate: Place,
    cost_per_conversion: Place,
}

/// Where the values of a figure stand: beside the metrics, as a metric, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Extra(usize),
    Metric(usize),
    Nowhere,
}

impl Place {
    fn of(name: &str, results: &Results, dictionary: &Dictionary) -> Self {
        let extra = results.extras.iter().position(|extra| extra.name == name).map(Self::Extra);
        let metric = || {
            let mut metrics = results.metrics.iter();
            metrics.position(|metric| dictionary.canonical(&metric.name) == name).map(Self::Metric)
        };
        extra.or_else(metric).unwrap_or(Self::Nowhere)
    }
}

impl ResultsTable {
    /// A table of these results; `dictionary` has the words of the recipe they were scored by. `None` where the
    /// names together have more than 1.4 GB.
    pub fn new(results: Results, dictionary: Dictionary) -> Option<Self> {
        let bytes_of_names: usize = results.names.iter().map(|name| name.len() + 1).sum();
        // Lower case can lengthen a letter, never to more than three times its bytes.
        u32::try_from(bytes_of_names.checked_mul(3)?.max(results.len())).ok()?;
        let place = |name| Place::of(name, &results, &dictionary);
        let places = Places {
            cpm: place("cpm"),
            ctr: place("ctr"),
            conversion_rate: place("conversion_rate"),
            cost_per_conversion: place("cost_per_conversion"),
        };
        Some(Self {
            outliers: Bits::of(results.len(), |row| results.is_outlier(row)),
            places,
            priors: Vec::new(),
            orders: Orders::default(),
            recent: RecentMatches::default(),
            search: OnceLock::new(),
            rows_of_keys: OnceLock::new(),
            evidence: OnceLock::new(),
            decided: OnceLock::new(),
            charts: OnceLock::new(),
            hasher: RandomState::default(),
            results,
            dictionary,
        })
    }

    /// With what the shares were weighed by, as the run's summary has it.
    #[must_use]
    pub fn with_priors(self, priors: Vec<(String, PriorSummary)>) -> Self {
        Self { priors, ..self }
    }

    /// The results themselves.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// The words of the recipe.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// The rows of a page, and how many rows there are on all pages. A page past the end is empty.
    ///
    /// # Errors
    /// [`InvalidQuery`] where the table has no such column to sort by; it names those there are.
    pub fn page(&self, query: &Query) -> Result<Page, InvalidQuery> {
        let key = self.key(&query.sort_by)?;
        let skipped = query.page.saturating_sub(1).saturating_mul(query.per_page);
        let matched = (!query.filter.is_empty()).then(|| self.matched(&query.filter));
        let total = matched.as_ref().map_or(self.len(), |matched| matched.count);
        if skipped >= total {
            return Ok(Page { rows: Vec::new(), total });
        }
        let order = self.orders.of(key, self);
        let rows = match &matched {
            None => order
                .segments(query.direction, skipped)
                .flatten()
                .take(query.per_page)
                .map(|&row| RowId(row))
                .collect(),
            Some(matched) => {
                let rows = order.segments(query.direction, 0).flatten().copied();
                let rows = rows.filter(|&row| matched.bits.has(row)).skip(skipped);
                rows.take(query.per_page.min(total - skipped)).map(RowId).collect()
            }
        };
        Ok(Page { rows, total })
    }

    /// All rows that a filter keeps, in the order of the query, whatever its page: for exports.
    ///
    /// # Errors
    /// As [`ResultsTable::page`].
    pub fn all(&self, query: &Query) -> Result<Vec<RowId>, InvalidQuery> {
        self.page(&Query { page: 1, per_page: usize::MAX, ..query.clone() }).map(|page| page.rows)
    }

    /// The row of a name, which is normalised as the report's were: a URL finds its host.
    pub fn find(&self, name: &str) -> Option<RowId> {
        let mut scratch = String::new();
        let key = names::normalise(name.as_bytes(), self.results.dimension, &mut scratch);
        let rows = self.rows_of_keys.get_or_init(|| self.index_keys());
        rows.find(self.hasher.hash_one(key), |&row| self.with_key(row, |own| own == key)).copied().map(RowId)
    }

    /// Up to three names that were probably meant by one that is not there, the nearest first.
    pub fn nearest(&self, name: &str) -> Vec<&str> {
        let mut scratch = String::new();
        let key = names::normalise(name.as_bytes(), self.results.dimension, &mut scratch);
        let text = self.search_text();
        let rows =
            caliber_analysis::nearest(&search::lower_case(key), |piece, found| text.lines_with(piece, found));
        rows.into_iter().map(|row| self.name(row)).collect()
    }

    /// A row with all its figures.
    pub fn row(&self, row: RowId) -> ResultRow<'_> {
        ResultRow::of(self, row.index())
    }

    /// As [`ResultsTable::row`], by the position in the files.
    pub(crate) fn row_at(&self, row: usize) -> ResultRow<'_> {
        ResultRow::of(self, row)
    }

    /// A list made anew from the rows of the run.
    ///
    /// # Errors
    /// [`InvalidQuery`] for a share outside (0, 0.5] and for impressions that are negative or no number.
    pub fn list(&self, request: &ListRequest) -> Result<List, InvalidQuery> {
        List::of(self, request)
    }

    /// What the evidence says of the rows; worked out at the first call where the run did not ask for it.
    ///
    /// # Errors
    /// Why the counts cannot speak for the recipe.
    pub fn evidence_rows(&self) -> Result<&EvidenceRows, String> {
        if let Some(rows) = &self.results.evidence {
            return Ok(rows);
        }
        let decided = self.decided.get_or_init(|| {
            let rule = ListRule { policy: ListPolicy::Evidence, ..ListRule::default() };
            let evidence = self.evidence()?;
            let decided =
                evidence.decide(&self.results, &self.dictionary, &rule, &|_| false, parallel::available());
            decided.map(|decided| decided.rows).map_err(|refusal| refusal.to_string())
        });
        decided.as_ref().map_err(Clone::clone)
    }

    /// The laws of the scores, worked out at the first call.
    ///
    /// # Errors
    /// As [`ResultsTable::evidence_rows`].
    pub fn evidence(&self) -> Result<&Evidence, String> {
        let evidence = self.evidence.get_or_init(|| {
            Evidence::of(&self.results, &self.dictionary, parallel::available())
                .map_err(|refusal| refusal.to_string())
        });
        evidence.as_ref().map_err(Clone::clone)
    }

    /// Prepares what the first page, a search and a look-up by name would otherwise wait for.
    pub fn warm_up(&self) {
        self.orders.of(Key::Score, self);
        self.search_text();
        self.rows_of_keys.get_or_init(|| self.index_keys());
    }

    /// About how many bytes of memory it takes, with all that it may still learn.
    pub fn bytes(&self) -> u64 {
        let rows = self.len();
        // Sums, ranks and bands; two lists of flags; metrics with their counts.
        let mut columns = rows * (3 * 8 + 1) + rows * 48;
        for count in [&self.results.clicks, &self.results.conversions, &self.results.spend] {
            columns += count.as_ref().map_or(0, |_| rows * 8);
        }
        for extra in &self.results.extras {
            columns += rows * 16 + extra.counts.as_ref().map_or(0, |_| rows * 16);
        }
        // Laws, what each metric is worth, and the rows with a reason each.
        columns += rows * (24 + 8 * self.results.metrics.len() + 5 * 8 + 16 + 1 + 24 + 24 + 96);
        for metric in &self.results.metrics {
            columns += rows * (16 + 8 + 8) + metric.counts.as_ref().map_or(0, |_| rows * 16);
        }
        let flags = self.results.outlier_flags.iter().chain(&self.results.quality_flags);
        let flags: usize = flags.filter(|flags| !flags.is_empty()).map(|flags| 48 + 64 * flags.len()).sum();
        let names: usize =
            self.results.names.iter().map(|name| size_of::<String>() + allocated(name.len())).sum();
        let search: usize = self.results.names.iter().map(|name| name.len() + 5).sum();
        let index = (rows * 8 / 7).next_power_of_two() * 5;
        let orders = Key::count(self.results.metrics.len()) * order::bytes(rows);
        let learned = RecentMatches::bytes_max(rows) + charts::bytes(rows);
        (columns + flags + names + search + index + orders + learned) as u64
    }

    fn name(&self, row: usize) -> &str {
        &self.results.names[row]
    }

    /// The column that a query sorts by.
    fn key(&self, sort_by: &SortBy) -> Result<Key, InvalidQuery> {
        Ok(match sort_by {
            SortBy::Score => Key::Score,
            SortBy::Impressions => Key::Impressions,
            SortBy::Spend => Key::Spend,
            SortBy::Cpm => Key::Cpm,
            SortBy::Ctr => Key::Ctr,
            SortBy::ConversionRate => Key::ConversionRate,
            SortBy::PercentileRank => Key::PercentileRank,
            SortBy::Domain => Key::Name,
            SortBy::Metric(name) => {
                let metric = self.results.metrics.iter().position(|metric| metric.name == *name);
                Key::Metric(metric.ok_or_else(|| self.unsortable(sort_by))?)
            }
            SortBy::PBelow => match self.evidence_rows() {
                Ok(_) => Key::PBelow,
                Err(reason) => {
                    let message = format!("these rows have no `p_below`: {reason}");
                    return Err(InvalidQuery { field: "sort_by", message });
                }
            },
        })
    }

    fn unsortable(&self, sort_by: &SortBy) -> InvalidQuery {
        let metrics = self.results.metrics.iter().map(|metric| format!("metric.{}", metric.name));
        let known: Vec<String> = SortBy::WORDS.into_iter().map(str::to_owned).chain(metrics).collect();
        InvalidQuery {
            field: "sort_by",
            message: format!("these results have no `{sort_by}`; they sort by {}", known.join(", ")),
        }
    }

    /// A figure of a row that may be missing.
    fn figure(&self, place: Place, row: usize) -> Option<f64> {
        match place {
            Place::Extra(at) => self.results.extras[at].values[row],
            Place::Metric(at) => self.results.metrics[at].values[row],
            Place::Nowhere => None,
        }
    }

    fn matched(&self, filter: &Filter) -> Arc<Matched> {
        self.recent.of(filter, || filter::matched(filter, self))
    }

    fn search_text(&self) -> &SearchText {
        self.search.get_or_init(|| SearchText::of(&self.results))
    }

    fn index_keys(&self) -> HashTable<u32> {
        let hash = |row: u32| self.with_key(row, |key| self.hasher.hash_one(key));
        let mut rows = HashTable::with_capacity(self.len());
        for row in 0..self.len() as u32 {
            self.with_key(row, |key| {
                let same = |&other: &u32| self.with_key(other, |own| own == key);
                rows.entry(self.hasher.hash_one(key), same, |&row| hash(row)).or_insert(row);
            });
        }
        rows
    }

    /// Names are shown as spelled; rows are one by their key.
    fn with_key<T>(&self, row: u32, with: impl FnOnce(&str) -> T) -> T {
        let mut scratch = String::new();
        with(names::normalise(self.name(row as usize).as_bytes(), self.results.dimension, &mut scratch))
    }
}

/// What the allocator gives for so many bytes.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}
