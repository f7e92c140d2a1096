//! The sheet `Summary`: the campaign in figures, and how its scores lie.

use caliber_engine::results::Results;
use caliber_engine::summary::{ScoreStatistics, StatusCounts, campaign_score, total};
use chrono::SecondsFormat;
use rust_xlsxwriter::{
    Chart, ChartFormat, ChartLine, ChartSolidFill, Color, RowNum, Workbook, Worksheet, XlsxError,
};

use super::formats::{BAR, Figure, Formats};
use super::sheet::{Sheet, Written};
use crate::{CampaignReport, ListRow};

/// Bands of ten points.
const BANDS: usize = 10;
/// Where the table of the bands stands, to the right of the figures.
const BANDS_ROW: RowNum = 4;
const BANDS_COLUMN: u16 = 3;
/// Pixels of the chart.
const CHART: (u32, u32) = (640, 340);

pub(super) fn add(
    workbook: &mut Workbook,
    report: &CampaignReport,
    formats: &Formats,
) -> std::result::Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name("Summary")?;
    sheet.set_screen_gridlines(false);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 1);
    let mut told = Sheet::new(sheet, formats, &[30.0, 26.0, 4.0, 14.0, 12.0, 4.0]);
    told.worksheet.set_row_height(0, 28)?;
    told.text(0, report.name, Some(&formats.title))?;
    told.row = 1;
    told.text(0, &subtitle(report), Some(&formats.faint))?;
    campaign(&mut told, report, formats)?;
    key_figures(&mut told, report.results, formats)?;
    lists(&mut told, report, formats)?;
    told.fit_columns()?;
    statuses(told.worksheet, report.results, formats)?;
    distribution(told.worksheet, &report.results.scores, formats)
}

fn subtitle(report: &CampaignReport) -> String {
    let run = report.run;
    let platform = report.dictionary.platform_label(&run.platform);
    let mut parts = vec![platform, run.channel.clone(), run.goal.clone()];
    if let (Some(from), Some(to)) = (&run.period.from, &run.period.to) {
        parts.push(format!("{from} to {to}"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

fn campaign(told: &mut Sheet, report: &CampaignReport, formats: &Formats) -> Written {
    let run = report.run;
    // The first heading stands where the table of the bands begins.
    told.row = BANDS_ROW - 2;
    told.heading("Campaign", 2, &formats.heading)?;
    told.said("Platform", &report.dictionary.platform_label(&run.platform))?;
    told.said("Channel", &run.channel)?;
    told.said("Goal", &run.goal)?;
    told.said("Rows are", run.dimension.name())?;
    if let (Some(from), Some(to)) = (&run.period.from, &run.period.to) {
        told.said("Period", &format!("{from} to {to}"))?;
    }
    if let Some(currency) = &run.currency {
        told.said("Currency", currency)?;
    }
    if let Some(scored) = report.scored_at {
        told.said("Scored", &scored.to_rfc3339_opts(SecondsFormat::Secs, true))?;
    }
    Ok(())
}

fn key_figures(told: &mut Sheet, results: &Results, formats: &Formats) -> Written {
    let sum = |column: &[f64]| total(column.iter().copied().filter(|figure| figure.is_finite()));
    let impressions = sum(&results.impressions);
    let spend = results.spend.as_deref().map(sum);
    let scores = ScoreStatistics::of(&results.scores);
    told.heading("Key figures", 2, &formats.heading)?;
    told.counted("Campaign score", campaign_score(results), Figure::Score)?;
    told.counted("Scored", Some(results.len() as f64), Figure::Count)?;
    told.counted("Impressions", Some(impressions), Figure::Count)?;
    told.counted("Clicks", results.clicks.as_deref().map(sum), Figure::Count)?;
    told.counted("Conversions", results.conversions.as_deref().map(sum), Figure::Count)?;
    told.counted("Spend", spend, Figure::Money)?;
    let cpm = spend.filter(|_| impressions > 0.0).map(|spend| spend / impressions * 1000.0);
    told.counted("Average CPM", cpm, Figure::Money)?;
    told.counted("Median score", scores.median, Figure::Score)?;
    told.counted("Mean score", scores.mean, Figure::Score)?;
    told.counted("Lowest score", scores.min, Figure::Score)?;
    told.counted("Highest score", scores.max, Figure::Score)
}

fn lists(told: &mut Sheet, report: &CampaignReport, formats: &Formats) -> Written {
    for (name, list) in [("Allowlist", report.allowlist), ("Blocklist", report.blocklist)] {
        let sum = |of: fn(&ListRow) -> Option<crate::Figure>| {
            let figures = list.iter().filter_map(of).map(|figure| figure.0);
            total(figures.filter(|figure| figure.is_finite()))
        };
        let scores: Vec<f64> = list.iter().filter_map(|row| row.score).map(|score| score.0).collect();
        told.heading(name, 2, &formats.heading)?;
        told.counted("Names", Some(list.len() as f64), Figure::Count)?;
        told.counted("Impressions", Some(sum(|row| row.impressions)), Figure::Count)?;
        if report.results.spend.is_some() {
            told.counted("Spend", Some(sum(|row| row.spend)), Figure::Money)?;
        }
        told.counted("Average score", caliber_engine::statistics::mean(&scores), Figure::Score)?;
    }
    Ok(())
}

/// How many rows each status has, below the table of the bands.
fn statuses(
    sheet: &mut Worksheet,
    results: &Results,
    formats: &Formats,
) -> std::result::Result<(), XlsxError> {
    let counts = StatusCounts::of(results);
    let (top, left) = (BANDS_ROW + BANDS as RowNum + 1, BANDS_COLUMN);
    sheet.write_string_with_format(top, left, "Status", &formats.header)?;
    sheet.write_string_with_format(top, left + 1, "Rows", &formats.header_of_figures)?;
    let rows = [("good", counts.good), ("moderate", counts.moderate), ("poor", counts.poor)];
    for (row, (status, count)) in (top + 1..).zip(rows) {
        sheet.write_string(row, left, status)?;
        sheet.write_number_with_format(row, left + 1, count as f64, &formats.of(Figure::Count))?;
    }
    Ok(())
}

/// How many rows each band of ten points has, and a chart of it.
fn distribution(
    sheet: &mut Worksheet,
    scores: &[f64],
    formats: &Formats,
) -> std::result::Result<(), XlsxError> {
    let mut bands = [0_u64; BANDS];
    for score in scores.iter().filter(|score| score.is_finite()) {
        bands[((score / 10.0) as usize).min(BANDS - 1)] += 1;
    }
    let count = formats.of(Figure::Count);
    let (top, left) = (BANDS_ROW - 1, BANDS_COLUMN);
    sheet.write_string_with_format(top, left, "Score", &formats.header)?;
    sheet.write_string_with_format(top, left + 1, "Rows", &formats.header_of_figures)?;
    for (band, rows) in (0_u32..).zip(bands) {
        sheet.write_string(top + 1 + band, left, format!("{} to {}", band * 10, band * 10 + 10))?;
        sheet.write_number_with_format(top + 1 + band, left + 1, rows as f64, &count)?;
    }
    let last = top + BANDS as RowNum;
    let mut chart = Chart::new_column();
    chart
        .add_series()
        .set_name("Rows")
        .set_categories(("Summary", top + 1, left, last, left))
        .set_values(("Summary", top + 1, left + 1, last, left + 1))
        .set_gap(40)
        .set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(BAR)));
    chart.title().set_name("How the scores lie");
    chart.x_axis().set_name("Score");
    chart
        .y_axis()
        .set_name("Rows")
        .set_num_format("#,##0")
        .set_major_gridlines_line(ChartLine::new().set_color(Color::RGB(0xE5_E7_EB)));
    chart.legend().set_hidden();
    chart.set_alt_text("Number of rows in each band of ten points of the score");
    chart.set_width(CHART.0).set_height(CHART.1);
    sheet.insert_chart(top, left + 3, &chart)?;
    Ok(())
}
