//! `caliber inspect`: what a report is and how its headers are understood, before anything is scored.

use std::io::{self, Write};

use caliber_engine::{Code, Context, Error, Inspection, Progress, Result};
use unicode_width::UnicodeWidthStr;

use super::reading::{self, ReadingArgs};
use super::watching::cancel_on_ctrl_c;
use super::xls_sheet;
use crate::terminal::layout::{Grid, cut, flowed, width, wrapped};
use crate::terminal::{BOLD, DIM, Terminal, YELLOW, counted, foreign, on_lines};

/// Columns of a terminal that a cell of the preview may take.
const PREVIEW_CELL: usize = 18;
/// Blanks between two cells.
const GAP: usize = 2;

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
    let progress = Progress::default();
    cancel_on_ctrl_c(&progress, terminal)?;
    let mut sources = reading::open(std::slice::from_ref(&args.report), &progress)?;
    let (Some(source), true) = (sources.pop(), sources.is_empty()) else {
        return Err(Error::new(Code::BadOption, "several files match; one is inspected at a time")
            .in_file(args.report)
            .help("name one of them"));
    };
    let context = Context { book: &book, sandbox: &xls_sheet::read_apart, progress: &progress };
    let inspection = caliber_engine::inspect(source, &options, &context)?;
    terminal.answer(&inspection, |out| print(&inspection, out))?;
    terminal.notes(notes(&inspection));
    Ok(())
}

/// Paragraphs with a blank line between.
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
        parts.extend(file.sheet.as_ref().map(|sheet| format!("sheet {}", foreign(sheet))));
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
        let name = foreign(&file.file).into_owned();
        let text = wrapped(&format!("{name}: {}", parts.join(", ")), width(), GAP);
        match text.strip_prefix(&name) {
            Some(rest) => writeln!(out, "{BOLD}{name}{BOLD:#}{rest}")?,
            None => writeln!(out, "{text}")?,
        }
    }
    Ok(())
}

fn print_recipe(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    if let Some(found) = &inspection.recognised {
        return writeln!(
            out,
            "Recognised as {BOLD}{} {}{BOLD:#}, recipe {}",
            foreign(&found.platform),
            found.channel,
            foreign(&found.recipe)
        );
    }
    if let Some(flags) = flags_that_settle(inspection) {
        writeln!(
            out,
            "{YELLOW}Several recipes fit equally well.{YELLOW:#} Say which: {BOLD}{flags}{BOLD:#}"
        )?;
    } else {
        writeln!(out, "{YELLOW}No recipe fits alone.{YELLOW:#} The nearest:")?;
    }
    for candidate in inspection.candidates.iter().flatten().take(4) {
        let lacking: Vec<String> =
            candidate.lacking.iter().map(|(name, hint)| format!("{name} ({hint})")).collect();
        let lacks =
            if lacking.is_empty() { String::new() } else { format!(", lacking {}", lacking.join("; ")) };
        let found = counted(candidate.found as u64, "metric", "metrics");
        let line = format!("{}: {found} found{lacks}", candidate.recipe);
        writeln!(out, "  {}", wrapped(&foreign(&line), width() - GAP, 2 * GAP))?;
    }
    Ok(())
}

/// The flag to give where several recipes are whole and none is ahead.
fn flags_that_settle(inspection: &Inspection) -> Option<String> {
    let candidates = inspection.candidates.as_ref()?;
    let best = candidates.first()?;
    let tied: Vec<_> = candidates
        .iter()
        .filter(|other| other.lacking.is_empty() && (other.own, other.found) == (best.own, best.found))
        .collect();
    if tied.len() < 2 {
        return None;
    }
    let choice = |flag: &str, values: Vec<&str>| {
        let mut flags: Vec<String> = values.iter().map(|value| format!("{flag} {value}")).collect();
        flags.dedup();
        (flags.len() > 1).then(|| flags.join(" or "))
    };
    choice("--platform", tied.iter().map(|candidate| candidate.platform.as_str()).collect())
        .or_else(|| {
            let channels = tied.iter().filter_map(|candidate| candidate.channels.first());
            choice("--channel", channels.map(|channel| channel.name()).collect())
        })
        .or_else(|| choice("--recipe", tied.iter().map(|candidate| candidate.recipe.as_str()).collect()))
        .map(|flags| foreign(&flags).into_owned())
}

fn print_mapping(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    let quality = &inspection.quality;
    if !quality.mapping.is_empty() {
        let mut grid = Grid::under(&["column", "how", "scale", "header"], width());
        for mapped in &quality.mapping {
            let scale = match mapped.scale {
                Some(100) => "percent",
                Some(_) => "fraction",
                None => "",
            };
            let header = foreign(&mapped.header).into_owned();
            grid.row([foreign(&mapped.canonical).into_owned(), word(&mapped.how), scale.into(), header]);
        }
        writeln!(out)?;
        grid.print(&[], out)?;
    }
    if !quality.unmapped_headers.is_empty() {
        let headers: Vec<_> = quality.unmapped_headers.iter().map(|header| foreign(header)).collect();
        let first = headers[0].clone();
        let first = format!("Not used: {first}");
        let items = std::iter::once(first.as_str()).chain(headers[1..].iter().map(|header| &**header));
        writeln!(out, "\n{DIM}{}{DIM:#}", flowed(items, ", ", width(), GAP))?;
    }
    Ok(())
}

fn notes(inspection: &Inspection) -> Vec<String> {
    let quality = &inspection.quality;
    let suggestions = inspection.suggestions.iter().map(|suggestion| {
        let (header, canonical) = (&suggestion.header, &suggestion.canonical);
        format!("is `{header}` the column {canonical}? --map \"{canonical}={header}\" says so")
    });
    let unreadable = quality.unreadable_cells.iter().map(|cells| {
        let count = counted(cells.count, "cell", "cells");
        format!("{count} of `{}` cannot be read; {}", cells.column, on_lines(&cells.lines))
    });
    let warnings = quality.warnings.iter().map(|warning| warning.message.clone());
    suggestions.chain(unreadable).chain(warnings).collect()
}

/// Cells under their heads, those that serve a column first, as many as are as wide as the terminal.
fn print_preview(inspection: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    let rows = &inspection.preview;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(inspection.headers.len());
    let head = |column: usize| match inspection.headers.get(column) {
        Some(header) if !header.trim().is_empty() => shown(header),
        _ => format!("#{}", column + 1),
    };
    let mapping = &inspection.quality.mapping;
    let is_mapped = |column: usize| {
        let number = format!("#{}", column + 1);
        let header = inspection.headers.get(column);
        mapping.iter().any(|mapped| Some(&mapped.header) == header || mapped.header == number)
    };
    let (mapped, others): (Vec<usize>, Vec<usize>) = (0..columns).partition(|&column| is_mapped(column));
    let cell = |row: &Vec<Option<String>>, column: usize| {
        row.get(column).and_then(Option::as_deref).map(shown).unwrap_or_default()
    };
    let mut room = width() + GAP;
    let mut fitting = Vec::new();
    for column in mapped.into_iter().chain(others) {
        let widest = rows.iter().map(|row| cell(row, column).width()).chain([head(column).width()]).max();
        let wide = widest.unwrap_or(0) + GAP;
        if wide > room {
            break;
        }
        room -= wide;
        fitting.push((column, wide));
    }
    let more = columns - fitting.len();
    let note = if more > 0 {
        format!(", and {} more", counted(more as u64, "column", "columns"))
    } else {
        String::new()
    };
    writeln!(out, "\n{BOLD}First rows{BOLD:#}{DIM}{note}{DIM:#}")?;
    let line = |cells: &mut dyn Iterator<Item = (String, usize)>| {
        let cells = cells.map(|(text, wide)| format!("{text}{:blanks$}", "", blanks = wide - text.width()));
        cells.collect::<String>().trim_end().to_owned()
    };
    let heads = line(&mut fitting.iter().map(|&(column, wide)| (head(column), wide)));
    writeln!(out, "{BOLD}{heads}{BOLD:#}")?;
    for row in rows {
        writeln!(out, "{}", line(&mut fitting.iter().map(|&(column, wide)| (cell(row, column), wide))))?;
    }
    Ok(())
}

fn shown(text: &str) -> String {
    cut(&foreign(text), PREVIEW_CELL)
}
