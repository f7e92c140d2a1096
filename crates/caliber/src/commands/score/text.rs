//! The summary a trader reads on the terminal.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use caliber_engine::Scored;
use caliber_engine::explain::Explainer;
use caliber_engine::names::display_unicode;
use caliber_engine::recipe::Dimension;
use comfy_table::{Cell, CellAlignment, Table};

use crate::terminal::{BOLD, DIM, GREEN, YELLOW, count, counted, grouped};

/// Rows shown of the best and of the worst.
const EXTREMES: usize = 5;
/// Characters of the longest bar.
const BAR: usize = 40;
/// Characters of a name before it is cut.
const NAME: usize = 36;

pub(super) fn print(
    scored: &Scored,
    files: &[PathBuf],
    took: Duration,
    out: &mut dyn Write,
) -> io::Result<()> {
    print_what_was_read(scored, took, out)?;
    print_what_was_left_out(scored, out)?;
    print_score(scored, out)?;
    print_histogram(&scored.results.scores, out)?;
    print_extremes(scored, out)?;
    print_lists(scored, files, out)?;
    print_warnings(scored, out)
}

fn print_what_was_read(scored: &Scored, took: Duration, out: &mut dyn Write) -> io::Result<()> {
    let summary = &scored.summary;
    let told = if scored.recognised { " (recognised from the headers)" } else { "" };
    writeln!(
        out,
        "{BOLD}{} {} {}{BOLD:#}{told}, recipe {}",
        summary.platform, summary.channel, summary.goal, summary.recipe.name
    )?;
    let mut parts = vec![
        counted(summary.files.len() as u64, "file", "files"),
        format!("{} in {:.2} s", counted(summary.rows_read, "row", "rows"), took.as_secs_f64()),
    ];
    if let (Some(from), Some(to)) = (&summary.period.from, &summary.period.to) {
        parts.push(format!("{from} to {to}"));
    }
    parts.extend(summary.currency.clone());
    writeln!(out, "{}", parts.join(", "))
}

fn print_what_was_left_out(scored: &Scored, out: &mut dyn Write) -> io::Result<()> {
    let summary = &scored.summary;
    let mut lines = Vec::new();
    for (reason, rows) in &summary.rows_dropped {
        let why = match *reason {
            "missing_impressions" => "without impressions",
            "missing_dimension" => "without a name",
            "repeated_header" => "that repeat the header",
            "where" => "that --where leaves out",
            other => other,
        };
        lines.push(format!("{} {why}", counted(*rows, "row", "rows")));
    }
    let aggregates = &summary.aggregate_rows;
    if aggregates.count > 0 {
        let mut names: Vec<String> = scored.aggregate_names.iter().take(4).map(|name| quoted(name)).collect();
        if scored.aggregate_names.len() > names.len() {
            names.push("...".into());
        }
        lines.push(format!(
            "{} that sum up others or name nobody ({}), with {} impressions and {} spend",
            counted(aggregates.count, "row", "rows"),
            names.join(", "),
            grouped(aggregates.impressions, 0),
            grouped(aggregates.spend, 2)
        ));
    }
    let below = &summary.below_minimum;
    if below.count > 0 {
        let all = below.impressions + summary.total_impressions;
        lines.push(format!(
            "{} of {} {} below the minimum of {} impressions, {:.1} % of the volume",
            count(below.count),
            count(summary.dimension_values),
            noun(scored, summary.dimension_values),
            grouped(summary.lists.min_impressions, 0),
            if all == 0.0 { 0.0 } else { below.impressions / all * 100.0 }
        ));
    }
    for (at, line) in lines.iter().enumerate() {
        writeln!(out, "{} {line}", if at == 0 { "Left out:" } else { "         " })?;
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    if name.is_empty() { "blank".into() } else { name.to_owned() }
}

fn noun(scored: &Scored, count: u64) -> &'static str {
    match (scored.results.dimension, count) {
        (Dimension::Domain, 1) => "domain",
        (Dimension::Domain, _) => "domains",
        (Dimension::SupplyVendor, 1) => "supply vendor",
        (Dimension::SupplyVendor, _) => "supply vendors",
    }
}

fn print_score(scored: &Scored, out: &mut dyn Write) -> io::Result<()> {
    let summary = &scored.summary;
    let score = summary.campaign_score.map_or_else(|| "-".into(), |score| format!("{score:.1}"));
    let mut parts = vec![
        format!("{} {}", count(summary.scored), noun(scored, summary.scored)),
        format!("{} impressions", grouped(summary.total_impressions, 0)),
    ];
    let money = summary.currency.as_deref().map(|currency| format!(" {currency}")).unwrap_or_default();
    parts.extend(summary.total_spend.map(|spend| format!("{}{money} spend", grouped(spend, 2))));
    parts.extend(summary.average_cpm.map(|cpm| format!("CPM {cpm:.2}")));
    writeln!(out, "\n{BOLD}Campaign score {score}{BOLD:#} of 100   {}", parts.join(", "))?;
    let counts = &summary.status_counts;
    writeln!(
        out,
        "good {}, moderate {}, poor {}\n",
        count(counts.good),
        count(counts.moderate),
        count(counts.poor)
    )
}

/// Scores by tens, from the lowest band that holds any to the highest.
fn print_histogram(scores: &[f64], out: &mut dyn Write) -> io::Result<()> {
    let mut bands = [0_u64; 10];
    for score in scores {
        bands[((score / 10.0) as usize).min(9)] += 1;
    }
    let most = bands.iter().copied().max().unwrap_or(0).max(1);
    let first = bands.iter().position(|&band| band > 0).unwrap_or(0);
    let last = bands.iter().rposition(|&band| band > 0).unwrap_or(9);
    for band in (first..=last).rev() {
        // Eighths of a character.
        let eighths = (bands[band] as f64 / most as f64 * (BAR * 8) as f64).ceil() as usize;
        let mut bar = "█".repeat(eighths / 8);
        bar.extend(['▏', '▎', '▍', '▌', '▋', '▊', '▉'].get((eighths % 8).wrapping_sub(1)));
        writeln!(out, "{:>3} to {:<3} {bar} {DIM}{}{DIM:#}", band * 10, band * 10 + 10, count(bands[band]))?;
    }
    Ok(())
}

fn print_extremes(scored: &Scored, out: &mut dyn Write) -> io::Result<()> {
    let results = &scored.results;
    let explainer = Explainer::new(results, &scored.dictionary);
    let shown = results.len().min(EXTREMES);
    let best: Vec<usize> = (0..shown).collect();
    let worst: Vec<usize> = (results.len() - shown.min(results.len() - shown)..results.len()).rev().collect();
    for (title, rows, is_best) in [("Best", best, true), ("Worst", worst, false)] {
        if rows.is_empty() {
            continue;
        }
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header([title, "score", "impressions", "spend", "main reason"]);
        for row in rows {
            let reason = if is_best { explainer.best_reason(row) } else { explainer.worst_reason(row) };
            table.add_row([
                Cell::new(shortened(&display_unicode(&results.names[row]))),
                Cell::new(format!("{:.1}", results.scores[row])),
                Cell::new(grouped(results.impressions[row], 0)),
                Cell::new(results.spend.as_ref().map_or_else(|| "-".into(), |spend| grouped(spend[row], 2))),
                Cell::new(reason),
            ]);
        }
        for column in 1..=3 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(out)?;
        for (at, line) in table.lines().enumerate() {
            let line = line.trim_end();
            if at == 0 { writeln!(out, "{BOLD}{line}{BOLD:#}")? } else { writeln!(out, "{line}")? }
        }
    }
    Ok(())
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

fn print_lists(scored: &Scored, files: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
    let lists = &scored.summary.lists;
    let total = scored.summary.total_spend.filter(|total| *total > 0.0);
    let part = |spend: Option<f64>| match (spend, total) {
        (Some(spend), Some(total)) => format!(", {:.1} % of the spend", spend / total * 100.0),
        _ => String::new(),
    };
    writeln!(
        out,
        "\n{GREEN}Allowlist{GREEN:#} {}{}; {YELLOW}blocklist{YELLOW:#} {}{}",
        count(lists.allowlist.count),
        part(lists.allowlist.spend),
        count(lists.blocklist.count),
        part(lists.blocklist.spend)
    )?;
    if !lists.protected.is_empty() {
        writeln!(out, "Protected from the blocklist: {}", lists.protected.join(", "))?;
    }
    let Some(folder) = files.first().and_then(|file| file.parent()) else { return Ok(()) };
    let names: Vec<String> = files
        .iter()
        .filter_map(|file| file.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    writeln!(out, "Written to {BOLD}{}{BOLD:#}: {}", folder.display(), names.join(", "))
}

fn print_warnings(scored: &Scored, out: &mut dyn Write) -> io::Result<()> {
    let quality = &scored.quality;
    for cells in &quality.unreadable_cells {
        let lines: Vec<String> = cells.lines.iter().map(u64::to_string).collect();
        writeln!(
            out,
            "{YELLOW}note:{YELLOW:#} {} of `{}` cannot be read and count as missing; first on lines {}",
            counted(cells.count, "cell", "cells"),
            cells.column,
            lines.join(", ")
        )?;
    }
    // What only an analyst asks for stays in quality.json.
    for warning in quality.warnings.iter().filter(|warning| warning.code != "row_noise_unknown") {
        writeln!(out, "{YELLOW}note:{YELLOW:#} {}", warning.message)?;
    }
    Ok(())
}
