//! Exports of a campaign, as the API gives them: results, lists and the summary, with the campaign in every row.

use std::io::Write;
use std::path::Path;

use caliber_engine::Result;
use caliber_engine::results::Results;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::columns::{Aspect, Cells, Column, Rows, Table, count};
use crate::csv_text::CsvText;
use crate::failure::unwritten;
use crate::json::write_json;
use crate::results_csv::write_csv;
use crate::results_parquet::write_parquet;
use crate::{CampaignReport, Figure, ListRow, workbook, write_json_pretty};

/// Bytes of rows made before they are written.
const BUFFER: usize = 1 << 16;

/// The campaign, as every exported row names it.
#[derive(Clone, Debug)]
pub struct ExportedCampaign {
    name: String,
    campaign_type: String,
    goal: String,
    channel: String,
    /// RFC 3339, UTC.
    date: String,
}

impl ExportedCampaign {
    /// A campaign that is exported at a time: its name, the platform, the goal and the channel.
    pub fn new(name: &str, campaign_type: &str, goal: &str, channel: &str, at: DateTime<Utc>) -> Self {
        Self {
            name: name.to_owned(),
            campaign_type: campaign_type.to_owned(),
            goal: goal.to_owned(),
            channel: channel.to_owned(),
            date: at.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }

    /// The campaign's columns, without the date.
    fn entries(&self) -> [(&'static str, &str); 4] {
        [
            ("campaign_name", &self.name),
            ("campaign_type", &self.campaign_type),
            ("goal", &self.goal),
            ("channel", &self.channel),
        ]
    }
}

/// Rows of the results, chosen and ordered by who asks.
#[derive(Clone, Copy, Debug)]
pub struct ResultsExport<'a> {
    /// The campaign.
    pub campaign: &'a ExportedCampaign,
    /// The results of its run.
    pub results: &'a Results,
    /// Row numbers of `results`, in the order to write them.
    pub rows: &'a [usize],
}

impl ResultsExport<'_> {
    /// Writes CSV: a header, a missing value an empty cell, text neutralised, what is kept by metric as JSON text.
    ///
    /// # Errors
    /// `Machine` where `writer` fails.
    pub fn write_csv(&self, writer: impl Write + Send) -> Result<()> {
        write_csv(&self.table(), writer)
    }

    /// Writes JSON: one array, an object a row.
    ///
    /// # Errors
    /// `Machine` where `writer` fails.
    pub fn write_json(&self, writer: impl Write) -> Result<()> {
        write_json(&self.table(), writer)
    }

    /// Writes Parquet; what is kept by metric is JSON text, flags are lists of strings.
    ///
    /// # Errors
    /// `Machine` where `writer` fails.
    pub fn write_parquet(&self, writer: impl Write + Send) -> Result<()> {
        write_parquet(&self.table(), writer)
    }

    /// Writes the workbook of the campaign, these rows in its sheet `Results`. `scratch` is a folder for the temporary
    /// files of the sheets.
    ///
    /// # Errors
    /// As [`write_results_xlsx`](crate::write_results_xlsx).
    pub fn write_xlsx(
        &self,
        report: &CampaignReport,
        scratch: &Path,
        writer: impl Write + Send,
    ) -> Result<()> {
        workbook::write(report, &self.table(), scratch, writer)
    }

    fn table(&self) -> Table<'_> {
        let results = self.results;
        let figures = |name: &str| {
            let metric = results.metrics.iter().find(|metric| metric.name == name);
            let extra = || results.extras.iter().find(|extra| extra.name == name);
            let values = metric.map(|metric| &metric.values).or_else(|| extra().map(|extra| &extra.values));
            values.map_or(Cells::Absent, |values| Cells::MaybeNumbers(values))
        };
        let of_metrics = |aspect| Cells::OfMetrics(&results.metrics, aspect);
        let own = [
            ("domain", Cells::Names(&results.names)),
            ("score", Cells::Numbers(&results.scores)),
            ("quality_status", Cells::Statuses(&results.statuses)),
            ("percentile_rank", Cells::Ranks(results)),
            ("impressions", Cells::Numbers(&results.impressions)),
            ("spend", count(results.spend.as_deref())),
            ("cpm", figures("cpm")),
            ("ctr", figures("ctr")),
            ("conversions", count(results.conversions.as_deref())),
            ("conversion_rate", figures("conversion_rate")),
            ("raw_metrics", of_metrics(Aspect::Value)),
            ("normalized_metrics", of_metrics(Aspect::Normalized)),
            ("score_breakdown", of_metrics(Aspect::Breakdown)),
            ("quality_flags", Cells::Flags(&results.quality_flags)),
            ("export_date", Cells::Constant(&self.campaign.date)),
        ];
        let campaign = self.campaign.entries().map(|(name, text)| (name, Cells::Constant(text)));
        let columns = campaign.into_iter().chain(own);
        Table {
            columns: columns.map(|(name, cells)| Column { name: name.into(), cells }).collect(),
            rows: Rows::Chosen(self.rows),
        }
    }
}

/// A list, as it is exported.
#[derive(Clone, Copy, Debug)]
pub struct ListExport<'a> {
    /// The campaign.
    pub campaign: &'a ExportedCampaign,
    /// `whitelist` or `blacklist`.
    pub list_type: &'a str,
    /// The least impressions of a candidate.
    pub min_impressions: f64,
    /// The rows, in list order.
    pub rows: &'a [ListRow],
}

/// The columns of an exported list.
const LIST_COLUMNS: [&str; 11] = [
    "domain",
    "list_type",
    "campaign_name",
    "campaign_type",
    "goal",
    "channel",
    "min_impressions",
    "score",
    "impressions",
    "spend",
    "export_date",
];

/// One row of an exported list: a cell a column.
struct ListCells<'a>([ListCell<'a>; LIST_COLUMNS.len()]);

#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum ListCell<'a> {
    Text(&'a str),
    Figure(Option<Figure>),
}

impl Serialize for ListCells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(LIST_COLUMNS.iter().zip(&self.0))
    }
}

impl<'a> ListExport<'a> {
    fn rows(&self) -> impl Iterator<Item = ListCells<'a>> {
        use ListCell::{Figure as Number, Text};
        let Self { campaign, list_type, min_impressions, rows } = *self;
        rows.iter().map(move |row| {
            ListCells([
                Text(&row.name),
                Text(list_type),
                Text(&campaign.name),
                Text(&campaign.campaign_type),
                Text(&campaign.goal),
                Text(&campaign.channel),
                Number(Some(Figure(min_impressions))),
                Number(row.score),
                Number(row.impressions),
                Number(row.spend),
                Text(&campaign.date),
            ])
        })
    }

    /// Writes one object: the campaign, `list_type`, what `about` says of the list (its criteria and totals), `domains`
    /// (the names in list order) and `rows` with the columns of the CSV.
    ///
    /// # Errors
    /// `Machine` where `writer` fails.
    pub fn write_json(&self, about: &Map<String, Value>, writer: impl Write) -> Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            list_type: &'a str,
            campaign_name: &'a str,
            campaign_type: &'a str,
            goal: &'a str,
            channel: &'a str,
            export_date: &'a str,
            #[serde(flatten)]
            about: &'a Map<String, Value>,
            domains: Vec<&'a str>,
            rows: Vec<ListCells<'a>>,
        }
        let campaign = self.campaign;
        let document = Document {
            list_type: self.list_type,
            campaign_name: &campaign.name,
            campaign_type: &campaign.campaign_type,
            goal: &campaign.goal,
            channel: &campaign.channel,
            export_date: &campaign.date,
            about,
            domains: self.rows.iter().map(|row| row.name.as_str()).collect(),
            rows: self.rows().collect(),
        };
        write_json_pretty(&document, writer)
    }
}

/// Writes lists as one CSV, one below the other under one header.
///
/// # Errors
/// `Machine` where `writer` fails.
pub fn write_lists_csv(lists: &[ListExport], mut writer: impl Write) -> Result<()> {
    let mut csv = CsvText::new();
    for column in LIST_COLUMNS {
        csv.text(column);
    }
    csv.end_row();
    for row in lists.iter().flat_map(ListExport::rows) {
        for cell in row.0 {
            match cell {
                ListCell::Text(text) => csv.text(text),
                ListCell::Figure(figure) => csv.maybe_number(figure.map(|figure| figure.0)),
            }
        }
        csv.end_row();
        if csv.len() > BUFFER {
            writer.write_all(&csv.take()).map_err(unwritten)?;
        }
    }
    writer.write_all(&csv.take()).and_then(|()| writer.flush()).map_err(unwritten)
}

/// What of `summary.json` has a column in its CSV, beside the campaign: the path of each key.
const SUMMARY_COLUMNS: [&[&str]; 39] = [
    &["currency"],
    &["period", "from"],
    &["period", "to"],
    &["dimension"],
    &["normalization"],
    &["rows_read"],
    &["rows_used"],
    &["dimension_values"],
    &["scored"],
    &["below_minimum", "count"],
    &["campaign_score"],
    &["total_impressions"],
    &["total_clicks"],
    &["total_conversions"],
    &["total_spend"],
    &["average_cpm"],
    &["status_counts", "good"],
    &["status_counts", "moderate"],
    &["status_counts", "poor"],
    &["scores", "mean"],
    &["scores", "median"],
    &["scores", "std"],
    &["scores", "min"],
    &["scores", "max"],
    &["scores", "q25"],
    &["scores", "q75"],
    &["lists", "policy"],
    &["lists", "share"],
    &["lists", "min_impressions"],
    &["lists", "allowlist", "count"],
    &["lists", "allowlist", "impressions"],
    &["lists", "allowlist", "spend"],
    &["lists", "allowlist", "average_score"],
    &["lists", "blocklist", "count"],
    &["lists", "blocklist", "impressions"],
    &["lists", "blocklist", "spend"],
    &["lists", "blocklist", "average_score"],
    &["recipe", "name"],
    &["caliber_version"],
];

/// Writes the summary of a run as a header and one row: the campaign, figures of `summary.json` under their keys, those
/// within others joined by `_` (`scores_median`), and the date. What the summary lacks is an empty cell.
///
/// # Errors
/// `Machine` where `writer` fails.
pub fn write_summary_csv(
    campaign: &ExportedCampaign,
    summary: &Map<String, Value>,
    mut writer: impl Write,
) -> Result<()> {
    let mut csv = CsvText::new();
    for (name, _) in campaign.entries() {
        csv.text(name);
    }
    for path in SUMMARY_COLUMNS {
        csv.text(&path.join("_"));
    }
    csv.text("export_date");
    csv.end_row();
    for (_, text) in campaign.entries() {
        csv.text(text);
    }
    for path in SUMMARY_COLUMNS {
        let (first, rest) = path.split_first().unwrap_or((&"", &[]));
        let value = rest.iter().fold(summary.get(*first), |value, key| value?.get(key));
        match value {
            Some(Value::String(text)) => csv.text(text),
            value => csv.maybe_number(value.and_then(Value::as_f64)),
        }
    }
    csv.text(&campaign.date);
    csv.end_row();
    writer.write_all(&csv.take()).and_then(|()| writer.flush()).map_err(unwritten)
}
