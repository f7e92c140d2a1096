//! From a row's figures to its cells.

use std::borrow::Cow;

use crate::cell::Cell;
use crate::layout::{Column, Fill};
use crate::rows::{Counts, Labels, Vocabulary};

/// A line of the report: a clean row, or what a mess makes of one.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    /// The scored name as it is spelled here.
    pub(crate) name: Cow<'a, str>,
    /// The other labels; none in total rows.
    pub(crate) labels: Option<Labels>,
    /// The figures; none leaves every figure blank.
    pub(crate) counts: Option<Counts>,
    /// Cells that are not what the figures say.
    pub(crate) patches: Vec<(Fill, Cell<'a>)>,
    /// How many cells are missing at the end of the line.
    pub(crate) cut: usize,
}

impl<'a> Record<'a> {
    /// A line of figures under a name, without labels.
    pub(crate) fn aggregate(name: impl Into<Cow<'a, str>>, counts: Counts) -> Self {
        Self { name: name.into(), labels: None, counts: Some(counts), patches: Vec::new(), cut: 0 }
    }

    /// A line of delimiters only.
    pub(crate) fn empty() -> Self {
        Self { name: "".into(), labels: None, counts: None, patches: Vec::new(), cut: 0 }
    }

    /// Puts a cell in the place of what the figures say.
    pub(crate) fn patch(&mut self, fill: Fill, cell: Cell<'a>) {
        self.patches.push((fill, cell));
    }
}

/// Makes the cells of records.
pub(crate) struct Cells {
    pub(crate) columns: Vec<Column>,
    pub(crate) dimension: Fill,
    pub(crate) vocabulary: Vocabulary,
}

impl Cells {
    /// The cells of a line, in the order of the columns.
    pub(crate) fn of<'a>(&'a self, record: &'a Record<'_>) -> Vec<Cell<'a>> {
        let mut cells: Vec<Cell<'a>> =
            self.columns.iter().map(|column| self.cell(column.fill, record)).collect();
        for (fill, patch) in &record.patches {
            for (cell, column) in cells.iter_mut().zip(&self.columns) {
                if column.fill == *fill {
                    *cell = patch.clone();
                }
            }
        }
        cells
    }

    fn cell<'a>(&'a self, fill: Fill, record: &'a Record<'_>) -> Cell<'a> {
        if fill == self.dimension {
            return text(&record.name);
        }
        let label = record.labels.as_ref().and_then(|labels| self.label(fill, labels));
        match (label, &record.counts) {
            (Some(label), _) => label,
            (None, Some(counts)) => figure(fill, counts),
            (None, None) => Cell::Blank,
        }
    }

    fn label(&self, fill: Fill, labels: &Labels) -> Option<Cell<'_>> {
        let at = |number: u8| usize::from(number);
        let words = &self.vocabulary;
        Some(match fill {
            Fill::Date => Cell::Date(labels.day),
            Fill::Advertiser => text(Vocabulary::ADVERTISER),
            Fill::Campaign => text(Vocabulary::CAMPAIGNS[at(labels.campaign)]),
            Fill::AdGroup => text(&words.ad_groups[at(labels.ad_group)]),
            Fill::Creative => text(&words.creatives[at(labels.creative)]),
            Fill::SupplyVendor => text(&words.vendors[at(labels.vendor)]),
            Fill::AppName => text(Vocabulary::APPS[at(labels.app)]),
            Fill::Device => text(Vocabulary::DEVICES[at(labels.device)]),
            Fill::Country => text(Vocabulary::COUNTRIES[at(labels.country)]),
            Fill::Deal => text(Vocabulary::DEALS[at(labels.deal)]),
            Fill::Currency => text(Vocabulary::CURRENCIES[at(labels.currency)]),
            Fill::MediaType => text(&words.media_type),
            Fill::Browser => text(Vocabulary::BROWSERS[at(labels.browser)]),
            Fill::OperatingSystem => text(Vocabulary::SYSTEMS[at(labels.system)]),
            Fill::Frequency => Cell::Decimal { units: i64::from(labels.frequency), places: 2 },
            Fill::MaxBid => Cell::Money { units: i64::from(labels.max_bid), places: 2 },
            _ => return None,
        })
    }
}

fn text(text: &str) -> Cell<'_> {
    if text.is_empty() { Cell::Blank } else { Cell::Text(Cow::Borrowed(text)) }
}

/// A figure as the report shows it; labels are blank here.
fn figure<'a>(fill: Fill, counts: &Counts) -> Cell<'a> {
    let money = |cents: i64| Cell::Money { units: cents, places: 2 };
    match fill {
        Fill::Bids => Cell::Count(counts.bids),
        Fill::Impressions => Cell::Count(counts.impressions),
        Fill::Clicks => Cell::Count(counts.clicks),
        Fill::Conversions => Cell::Count(counts.conversions),
        Fill::Measured => Cell::Count(counts.measured),
        Fill::Viewed => Cell::Count(counts.viewed),
        Fill::AdLoad => Cell::Count(counts.ad_load),
        Fill::AdRefresh => Cell::Count(counts.ad_refresh),
        Fill::Starts => Cell::Count(counts.starts),
        Fill::Completed => Cell::Count(counts.completed),
        Fill::Errors => Cell::Count(counts.errors),
        Fill::Mutes => Cell::Count(counts.mutes),
        Fill::TvMeasured => Cell::Count(counts.tv_measured),
        Fill::UniqueIds => Cell::Count(counts.unique_ids),
        Fill::TvIndex => Cell::Decimal { units: counts.tv_index, places: 2 },
        Fill::Spend => money(counts.spend),
        Fill::OtherMoney(percent) => money(divide(counts.spend * i64::from(percent), 100).unwrap_or(0)),
        Fill::DataCost => money(counts.data_cost),
        Fill::Pixel(number) => Cell::Count(pixel(number, counts.conversions)),
        // Cents per impression to units of 0.0001 per thousand.
        Fill::Cpm => match divide(counts.spend * 100_000, counts.impressions) {
            Some(units) => Cell::Money { units, places: 4 },
            None => Cell::Blank,
        },
        Fill::Ctr => rate(counts.clicks, counts.impressions),
        Fill::InViewRate => rate(counts.viewed, counts.measured),
        Fill::ConversionRate => rate(counts.conversions, counts.impressions),
        Fill::CompletionRate => rate(counts.completed, counts.starts),
        Fill::WinRate => rate(counts.impressions, counts.bids),
        _ => Cell::Blank,
    }
}

/// The share of one of three pixels in the conversions: half, a quarter, the rest.
fn pixel(number: u8, conversions: i64) -> i64 {
    let (half, quarter) = (conversions / 2, conversions / 4);
    match number {
        1 => conversions - half - quarter,
        2 => half,
        _ => quarter,
    }
}

fn rate<'a>(events: i64, trials: i64) -> Cell<'a> {
    divide(events.saturating_mul(1_000_000), trials).map_or(Cell::Blank, Cell::Rate)
}

/// The quotient rounded half away from zero; none where `b` is not positive.
fn divide(a: i64, b: i64) -> Option<i64> {
    (b > 0).then(|| (a + a.signum() * (b / 2)) / b)
}
