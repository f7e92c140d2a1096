//! `caliber inspect`: what a report is and how its headers are understood, before anything is scored.

use std::io::{self, Write};

use caliber_engine::{Code, Context, Error, Inspection, Progress, Result};
use comfy_table::Table;

use super::reading::{self, ReadingArgs};
use super::xls_sheet;
use crate::terminal::{BOLD, DIM, Terminal, YELLOW, counted};

/// Columns of the preview that fit a terminal.
const PREVIEW_COLUMNS: usize = 8;
/// Characters of a cell before it is cut.
const PREVIEW_CELL: usize = 18;

/// Show what a report is and how its headers are understood
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  caliber sample --platform dv360 --channel video --out report.csv && caliber inspect report.csv"
)]
pub(crate) struct Args {
    /// Report file; `-` is standard input
    #[arg(value_name = "REPORT")]
    report: String,
    #[command(flatten)]
    reading: ReadingArgs,
}

pub(crate) fn run(args: Args, terminal: Terminal) -> Result<()> {
    let book = args.reading.book()?;
    let options = args.reading.options(&book)?;
    let mut sources = reading::open(std::slice::from_ref(&args.report))?;
    let (Some(source), true) = (sources.pop(), sources.is_empty()) else {
        return Err(Error::new(Code::BadOption, "several files match; one is inspected at a time")
            .in_file(args.report)
            .help("name one of them"));
    };
    let progress = Progress::default();
    let context = Context { book: &book, sandbox: &xls_sheet::read_apart, progress: &progress };
    let inspection = caliber_engine::inspect(source, &options, &context)?;
    terminal.answer(&inspection, |out| print(&inspection, out))
}

fn print(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    print_file(inspection, out)?;
    print_recipe(inspection, out)?;
    print_mapping(inspection, out)?;
    print_preview(inspection, out)
}

fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(value) => value.to_string(),
        Err(_) => String::new(),
    }
}

fn print_file(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    for file in &inspection.quality.files {
        let mut parts = vec![word(&file.format)];
        parts.extend(file.compression.as_ref().map(word));
        parts.extend(file.encoding.as_ref().map(word));
        parts.extend(file.delimiter.map(|delimiter| format!("delimiter {delimiter:?}")));
        parts.extend(file.sheet.as_ref().map(|sheet| format!("sheet {sheet}")));
        parts.push(match file.header_row {
            Some(line) => format!("header on line {line}"),
            None => "no header line".into(),
        });
        if file.rows_skipped_before > 0 {
            parts.push(format!("{} before it", counted(file.rows_skipped_before, "line", "lines")));
        }
        if file.rows_skipped_after > 0 {
            parts.push(format!("{} of notes at the end", counted(file.rows_skipped_after, "line", "lines")));
        }
        writeln!(out, "{BOLD}{}{BOLD:#}: {}", file.file, parts.join(", "))?;
    }
    Ok(())
}

fn print_recipe(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    if let Some(found) = &inspection.recognised {
        return writeln!(
            out,
            "Recognised as {BOLD}{} {}{BOLD:#}, recipe {}\n",
            found.platform, found.channel, found.recipe
        );
    }
    writeln!(out, "{YELLOW}No recipe fits alone.{YELLOW:#} The nearest:")?;
    for candidate in inspection.candidates.iter().flatten().take(4) {
        let lacking: Vec<String> =
            candidate.lacking.iter().map(|(name, hint)| format!("{name} ({hint})")).collect();
        let lacks = if lacking.is_empty() { "nothing".into() } else { lacking.join("; ") };
        writeln!(out, "  {}: {} metrics found, lacking {lacks}", candidate.recipe, candidate.found)?;
    }
    writeln!(out)
}

fn print_mapping(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    let quality = &inspection.quality;
    if !quality.mapping.is_empty() {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["column", "header", "how", "scale"]);
        for mapped in &quality.mapping {
            let scale = match mapped.scale {
                Some(100) => "percent",
                Some(_) => "fraction",
                None => "",
            };
            table.add_row([mapped.canonical.clone(), mapped.header.clone(), word(&mapped.how), scale.into()]);
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    if !quality.unmapped_headers.is_empty() {
        writeln!(out, "{DIM}Not used: {}{DIM:#}", quality.unmapped_headers.join(", "))?;
    }
    for suggestion in &inspection.suggestions {
        writeln!(
            out,
            "{YELLOW}note:{YELLOW:#} is `{}` the column {}? --map \"{}={}\" says so",
            suggestion.header, suggestion.canonical, suggestion.canonical, suggestion.header
        )?;
    }
    for cells in &quality.unreadable_cells {
        let lines: Vec<String> = cells.lines.iter().map(u64::to_string).collect();
        let count = counted(cells.count, "cell", "cells");
        writeln!(
            out,
            "{YELLOW}note:{YELLOW:#} {count} of `{}` cannot be read; first on lines {}",
            cells.column,
            lines.join(", ")
        )?;
    }
    for warning in &quality.warnings {
        writeln!(out, "{YELLOW}note:{YELLOW:#} {}", warning.message)?;
    }
    Ok(())
}

fn print_preview(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    for row in &inspection.preview {
        table.add_row(row.iter().take(PREVIEW_COLUMNS).map(|cell| {
            let text = cell.clone().unwrap_or_default();
            if text.chars().count() <= PREVIEW_CELL {
                text
            } else {
                text.chars().take(PREVIEW_CELL - 1).chain(['…']).collect()
            }
        }));
    }
    let width = inspection.preview.iter().map(Vec::len).max().unwrap_or(0);
    let more = width.saturating_sub(PREVIEW_COLUMNS);
    let note = if more > 0 {
        format!(" (and {} more)", counted(more as u64, "column", "columns"))
    } else {
        String::new()
    };
    writeln!(out, "\n{BOLD}First rows{BOLD:#}{note}")?;
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
