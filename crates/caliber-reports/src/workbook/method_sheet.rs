//! The sheet `Method`: by what was scored, what was read and what was left out.

use caliber_engine::normalize::Normalization;
use caliber_engine::recipe::Better;
use rust_xlsxwriter::{Workbook, XlsxError};
use serde_json::Value;

use super::formats::{Figure, Formats};
use super::sheet::{Sheet, Written};
use crate::{CampaignReport, PortionFacts, QualityFacts};

/// Columns of the widest table.
const COLUMNS: u16 = 6;

pub(super) fn add(
    workbook: &mut Workbook,
    report: &CampaignReport,
    formats: &Formats,
) -> std::result::Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name("Method")?;
    sheet.set_screen_gridlines(false);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    let mut told = Sheet::new(sheet, formats, &[36.0, 40.0, 14.0, 14.0, 14.0, 14.0]);
    told.worksheet.set_row_height(0, 28)?;
    told.text(0, "How this was scored", Some(&formats.title))?;
    told.row = 1;
    recipe(&mut told, report, formats)?;
    lists(&mut told, report, formats)?;
    data(&mut told, report, formats)?;
    columns(&mut told, report.quality, formats)?;
    remarks(&mut told, report.quality, formats)?;
    told.fit_columns()
}

fn recipe(told: &mut Sheet, report: &CampaignReport, formats: &Formats) -> Written {
    let run = report.run;
    let known = Normalization::ALL.iter().find(|(_, method)| *method == run.normalization);
    let normalization = known.map_or("", |(name, _)| name);
    told.heading("Score", COLUMNS, &formats.heading)?;
    told.said("Recipe", &run.recipe.name)?;
    told.said("Normalisation", normalization)?;
    told.said("Score", "the sum of weight x normalised value over the metrics, from 0 to 100")?;
    told.row += 1;
    told.heads(&["Metric", "Name in the columns", "Weight", "Better", "Lowest", "Highest"], &formats.header)?;
    for metric in &report.results.metrics {
        let name = &metric.name;
        told.text(0, &formats.label(name), None)?;
        told.text(1, name, None)?;
        told.figure(2, Some(metric.weight), Figure::Probability)?;
        told.text(3, if metric.better == Better::Higher { "higher" } else { "lower" }, None)?;
        let figure = formats.figure_of_metric(name);
        let bound = |which: &str| run.normalization_stats.get(name)?.get(which).and_then(Value::as_f64);
        told.figure(4, bound("min"), figure)?;
        told.figure(5, bound("max"), figure)?;
        told.row += 1;
    }
    Ok(())
}

fn lists(told: &mut Sheet, report: &CampaignReport, formats: &Formats) -> Written {
    let rule = &report.run.lists;
    told.heading("Lists", COLUMNS, &formats.heading)?;
    told.said("Rule", rule.policy.name())?;
    told.counted("Share of the rows on each", Some(rule.share), Figure::Probability)?;
    told.counted("Least impressions", Some(rule.min_impressions), Figure::Count)?;
    for name in &rule.protected {
        told.said("Protected from blocking", name)?;
    }
    Ok(())
}

fn data(told: &mut Sheet, report: &CampaignReport, formats: &Formats) -> Written {
    let run = report.run;
    told.heading("Data", COLUMNS, &formats.heading)?;
    for file in &run.files {
        told.said("File", file)?;
    }
    told.counted("Rows read", run.rows_read.map(|rows| rows as f64), Figure::Count)?;
    told.counted("Rows used", run.rows_used.map(|rows| rows as f64), Figure::Count)?;
    for (reason, rows) in &run.rows_dropped {
        told.counted(
            &format!("Rows left out: {}", reason.replace('_', " ")),
            Some(*rows as f64),
            Figure::Count,
        )?;
    }
    told.counted("Names in the report", Some(run.dimension_values as f64), Figure::Count)?;
    told.row += 1;
    told.heads(&["Left out of the scores", "", "Count", "Impressions", "Spend"], &formats.header)?;
    portion(told, "Rows that sum up others or name nobody", run.aggregate_rows)?;
    portion(told, "Names with too few impressions", run.below_minimum)
}

fn portion(told: &mut Sheet, what: &str, portion: PortionFacts) -> Written {
    told.text(0, what, None)?;
    told.figure(2, Some(portion.count as f64), Figure::Count)?;
    told.figure(3, Some(portion.impressions), Figure::Count)?;
    told.figure(4, Some(portion.spend), Figure::Money)?;
    told.row += 1;
    Ok(())
}

fn columns(told: &mut Sheet, quality: &QualityFacts, formats: &Formats) -> Written {
    if quality.mapping.is_empty() && quality.unmapped_headers.is_empty() {
        return Ok(());
    }
    told.heading("Columns of the report", COLUMNS, &formats.heading)?;
    told.heads(&["Column", "Header", "Recognised"], &formats.header)?;
    for mapping in &quality.mapping {
        told.text(0, &mapping.canonical, None)?;
        told.text(1, &mapping.header, None)?;
        told.text(2, &mapping.how, None)?;
        told.row += 1;
    }
    for header in &quality.unmapped_headers {
        told.text(0, "not used", Some(&formats.faint))?;
        told.text(1, header, Some(&formats.faint))?;
        told.row += 1;
    }
    Ok(())
}

fn remarks(told: &mut Sheet, quality: &QualityFacts, formats: &Formats) -> Written {
    if quality.unreadable_cells.is_empty() && quality.warnings.is_empty() {
        return Ok(());
    }
    told.heading("What to look at", COLUMNS, &formats.heading)?;
    for unreadable in &quality.unreadable_cells {
        told.text(0, "Cells that could not be read", None)?;
        told.text(1, &unreadable.column, None)?;
        told.figure(2, Some(unreadable.count as f64), Figure::Count)?;
        told.row += 1;
    }
    for warning in &quality.warnings {
        told.said(&warning.code.replace('_', " "), &warning.message)?;
    }
    Ok(())
}
