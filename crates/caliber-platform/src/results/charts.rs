//! What charts of the results show: figures over all rows, and as many rows as a picture can hold.

use caliber_engine::results::{MetricColumn, Status};
use caliber_engine::summary::StatusCounts;
use serde::Serialize;

use super::{Direction, Query, ResultsTable, RowId, SortBy};

/// Points of the score that a bin of the histogram is wide.
const BIN: f64 = 2.0;
/// Bins from 0 to 100.
const BINS: usize = 50;
/// Rows that a picture can hold.
const BUBBLES: usize = 2000;

/// The figures of the charts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Charts {
    /// Rows by score, from 0 to 100; a score on a border counts above it.
    pub histogram: Vec<Bin>,
    /// The 2,000 rows with the most spend, or the most impressions where the report has no spend.
    pub bubbles: Vec<Bubble>,
    /// Whether [`Charts::bubbles`] have spend.
    pub has_spend: bool,
    /// All rows, of which [`Charts::bubbles`] are some.
    pub rows: usize,
    /// What each metric does to the good and to the poor, in the order of the recipe.
    pub contributions: Vec<MeanContribution>,
    /// Rows in each band.
    pub status_counts: StatusCounts,
}

/// Rows of a range of scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// The least score.
    pub from: f64,
    /// The score from which the next bin counts.
    pub to: f64,
    /// Its good rows.
    pub good: u64,
    /// Its moderate rows.
    pub moderate: u64,
    /// Its poor rows.
    pub poor: u64,
}

/// A row as a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bubble {
    /// Its name.
    pub name: String,
    /// 0..100.
    pub score: f64,
    /// What was spent on it.
    pub spend: Option<f64>,
    /// Its impressions.
    pub impressions: f64,
    /// Its band.
    pub status: Status,
}

/// What a metric does to the rows of a band, in points of the score against the mean of all rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanContribution {
    /// The metric.
    pub metric: String,
    /// What people call it.
    pub label: String,
    /// Mean over the good rows; 0 where there are none.
    pub good: f64,
    /// Mean over the poor rows; 0 where there are none.
    pub poor: f64,
}

/// About how many bytes the figures of so many rows take.
pub(super) fn bytes(rows: usize) -> usize {
    rows.min(BUBBLES) * (size_of::<Bubble>() + 48) + BINS * size_of::<Bin>()
}

impl ResultsTable {
    /// The figures of the charts, worked out at the first call.
    pub fn charts(&self) -> &Charts {
        self.charts.get_or_init(|| Charts {
            histogram: self.histogram(),
            bubbles: self.bubbles(),
            has_spend: self.results.spend.is_some(),
            rows: self.len(),
            contributions: self.contributions(),
            status_counts: StatusCounts::of(&self.results),
        })
    }

    /// Where a row stands in each metric, in the order of the recipe: the percentile of its normalised value among
    /// all rows, 0..100, ties by their mean rank; `None` where the value is missing.
    pub fn metric_percentiles(&self, row: RowId) -> Vec<Option<f64>> {
        let at = row.index();
        let percentile = |metric: &MetricColumn| {
            metric.values[at]?;
            let own = metric.normalized[at];
            let below = metric.normalized.iter().filter(|other| **other < own).count();
            let same = metric.normalized.iter().filter(|other| **other == own).count();
            Some((below as f64 + f64::midpoint(same as f64, 1.0)) / self.len() as f64 * 100.0)
        };
        self.results.metrics.iter().map(percentile).collect()
    }

    fn histogram(&self) -> Vec<Bin> {
        let edge = |bin: usize| bin as f64 * BIN;
        let mut bins: Vec<Bin> =
            (0..BINS).map(|bin| Bin { from: edge(bin), to: edge(bin + 1), ..Bin::default() }).collect();
        for (score, status) in self.results.scores.iter().zip(&self.results.statuses) {
            let bin = &mut bins[((score / BIN) as usize).min(BINS - 1)];
            match status {
                Status::Good => bin.good += 1,
                Status::Moderate => bin.moderate += 1,
                Status::Poor => bin.poor += 1,
            }
        }
        bins
    }

    fn bubbles(&self) -> Vec<Bubble> {
        let results = &self.results;
        let sort_by = if results.spend.is_some() { SortBy::Spend } else { SortBy::Impressions };
        let query = Query {
            sort_by,
            direction: Direction::Descending,
            page: 1,
            per_page: BUBBLES,
            ..Query::default()
        };
        // Every table sorts by spend and by impressions.
        let rows = self.page(&query).map(|page| page.rows).unwrap_or_default();
        let bubble = |row: usize| Bubble {
            name: results.names[row].clone(),
            score: results.scores[row],
            spend: results.spend.as_ref().map(|spend| spend[row]),
            impressions: results.impressions[row],
            status: results.statuses[row],
        };
        rows.into_iter().map(|row| bubble(row.index())).collect()
    }

    fn contributions(&self) -> Vec<MeanContribution> {
        let results = &self.results;
        let mean = |contributions: &[f64], of: Option<Status>| {
            let rows = contributions.iter().zip(&results.statuses);
            let rows = rows.filter(|(_, status)| of.is_none_or(|of| of == **status));
            let (sum, count) = rows.fold((0.0, 0_u64), |(sum, count), (points, _)| (sum + points, count + 1));
            (count > 0).then(|| sum / count as f64)
        };
        let of_metric = |metric: &MetricColumn| {
            let all = mean(&metric.contributions, None).unwrap_or_default();
            let of = |status| mean(&metric.contributions, Some(status)).map_or(0.0, |mean| mean - all);
            MeanContribution {
                label: self.dictionary.label(&metric.name),
                metric: metric.name.clone(),
                good: of(Status::Good),
                poor: of(Status::Poor),
            }
        };
        results.metrics.iter().map(of_metric).collect()
    }
}
