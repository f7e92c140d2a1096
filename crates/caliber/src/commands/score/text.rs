//! The summary a trader reads on the terminal.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use caliber_engine::Scored;
use caliber_engine::explain::Explainer;
use caliber_engine::names::display_unicode;
use caliber_engine::recipe::Dimension;
use unicode_width::UnicodeWidthStr;

use crate::terminal::layout::{Grid, bar, cut, draws_bars, flowed, width, wrapped};
use crate::terminal::{BOLD, DIM, GREEN, YELLOW, count, counted, foreign, grouped, on_lines};

/// Rows shown of the best and of the worst.
const EXTREMES: usize = 5;
/// Characters of the longest bar.
const BAR: usize = 40;
/// With fewer rows the best and the worst would be the same: all are shown.
const FEW: usize = 2 * EXTREMES;
/// Columns of the longest name that is not cut, at least and at most.
const NAME: (usize, usize) = (22, 36);
/// What every reason ends with; in a table it stands in the head.
const AGAINST: &str = " points against the average";

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
    print_lists(scored, files, out)
}

fn print_what_was_read(scored: &Scored, took: Duration, out: &mut dyn Write) -> io::Result<()> {
    let summary = &scored.summary;
    let told = if scored.recognised { " (recognised from the headers)" } else { "" };
    let title = format!("{} {} {}", foreign(&summary.platform), summary.channel, summary.goal);
    let text = wrapped(&format!("{title}{told}, recipe {}", foreign(&summary.recipe.name)), width(), 2);
    match text.strip_prefix(&title) {
        Some(rest) => writeln!(out, "{BOLD}{title}{BOLD:#}{rest}")?,
        None => writeln!(out, "{text}")?,
    }
    let mut parts = vec![
        counted(summary.files.len() as u64, "file", "files"),
        format!("{} in {:.2} s", counted(summary.rows_read, "row", "rows"), took.as_secs_f64()),
    ];
    if let (Some(from), Some(to)) = (&summary.period.from, &summary.period.to) {
        parts.push(format!("{from} to {to}"));
    }
    parts.extend(summary.currency.as_deref().map(|currency| foreign(currency).into_owned()));
    writeln!(out, "{}", flowed(parts.iter().map(String::as_str), ", ", width(), 0))
}

fn print_what_was_left_out(scored: &Scored, out: &mut dyn Write) -> io::Result<()> {
    let summary = &scored.summary;
    let mut lines = Vec::new();
    for (reason, rows) in &summary.rows_dropped {
        let why = match *reason {
            "missing_impressions" => "without impressions",
            "missing_dimension" => "without a name",
            "repeated_header" if *rows == 1 => "that repeats the header",
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
            "{} ({}), with {} and {} spend",
            counted(
                aggregates.count,
                "row that sums up others or names nobody",
                "rows that sum up others or name nobody"
            ),
            names.join(", "),
            counted(aggregates.impressions as u64, "impression", "impressions"),
            grouped(aggregates.spend, 2)
        ));
    }
    let below = &summary.below_minimum;
    if below.count > 0 {
        let all = below.impressions + summary.total_impressions;
        lines.push(format!(
            "{} of {} {} below the minimum of {}, {:.1} % of the volume",
            count(below.count),
            count(summary.dimension_values),
            noun(scored, summary.dimension_values),
            counted(summary.lists.min_impressions as u64, "impression", "impressions"),
            if all == 0.0 { 0.0 } else { below.impressions / all * 100.0 }
        ));
    }
    for (at, line) in lines.iter().enumerate() {
        let lead = if at == 0 { "Left out: " } else { "          " };
        let line = wrapped(line, width().saturating_sub(lead.len()), 2);
        writeln!(out, "{lead}{}", line.replace('\n', "\n          "))?;
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    if name.is_empty() { "blank".into() } else { cut(&foreign(name), NAME.1) }
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
        counted(summary.total_impressions as u64, "impression", "impressions"),
    ];
    let money = summary.currency.as_deref().map(|code| format!(" {}", foreign(code))).unwrap_or_default();
    parts.extend(summary.total_spend.map(|spend| format!("{}{money} spend", grouped(spend, 2))));
    parts.extend(summary.average_cpm.map(|cpm| format!("CPM {}", grouped(cpm, 2))));
    let figures = flowed(parts.iter().map(String::as_str), ", ", width(), 0);
    writeln!(out, "\n{BOLD}Campaign score {score}{BOLD:#} of 100\n{figures}")?;
    let counts = &summary.status_counts;
    writeln!(
        out,
        "good {}, moderate {}, poor {}; {:.0} % keep their band if any one weight changes by a fifth\n",
        count(counts.good),
        count(counts.moderate),
        count(counts.poor),
        (summary.weight_sensitivity.together * 100.0).floor()
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
    let bars = draws_bars();
    for band in (first..=last).rev() {
        if !bars {
            writeln!(out, "{:>3} to {:<3} {:>7}", band * 10, band * 10 + 10, count(bands[band]))?;
            continue;
        }
        let bar = bar(bands[band] as f64 / most as f64, BAR);
        let gap = if bar.is_empty() { "" } else { " " };
        let (from, to) = (band * 10, band * 10 + 10);
        writeln!(out, "{from:>3} to {to:<3} {bar}{gap}{DIM}{}{DIM:#}", count(bands[band]))?;
    }
    Ok(())
}

fn print_extremes(scored: &Scored, out: &mut dyn Write) -> io::Result<()> {
    let explainer = Explainer::new(&scored.results, &scored.dictionary);
    let rows = scored.results.len();
    let mut tables: Vec<(&str, Vec<[String; 5]>)> = Vec::new();
    if rows < FEW {
        tables.push(("All", rows_of(scored, 0..rows, &|row| explainer.main_reason(row))));
    } else {
        let worst = (rows - EXTREMES..rows).rev();
        tables.push(("Best", rows_of(scored, 0..EXTREMES, &|row| explainer.best_reason(row))));
        tables.push(("Worst", rows_of(scored, worst, &|row| explainer.worst_reason(row))));
    }
    // The columns of both stand below each other.
    let widest = |column: usize| {
        let cells = tables.iter().flat_map(|(_, rows)| rows).map(|row| row[column].width());
        cells.max().unwrap_or(0)
    };
    let (names, impressions, spend) = (widest(0), widest(2), widest(3));
    for (title, rows) in &tables {
        let title = format!("{title:names$}");
        let (impressions, spend) =
            (format!("{:>impressions$}", "impressions"), format!("{:>spend$}", "spend"));
        let mut grid =
            Grid::under(&[&title, "score", &impressions, &spend, "reason, against average"], width());
        for row in rows {
            grid.row(row.clone());
        }
        writeln!(out)?;
        grid.print(&[1, 2, 3], out)?;
    }
    Ok(())
}

/// Name, score, impressions, spend, reason.
fn rows_of(
    scored: &Scored,
    rows: impl Iterator<Item = usize>,
    reason: &dyn Fn(usize) -> String,
) -> Vec<[String; 5]> {
    let results = &scored.results;
    let name = (width() * 3 / 10).clamp(NAME.0, NAME.1);
    let row = |row: usize| {
        let reason = reason(row);
        let reason = match reason.strip_suffix(AGAINST) {
            Some(short) => format!("{short} points"),
            None => reason,
        };
        [
            cut(&foreign(&display_unicode(&results.names[row])), name),
            format!("{:.1}", results.scores[row]),
            grouped(results.impressions[row], 0),
            results.spend.as_ref().map_or_else(|| "-".into(), |spend| grouped(spend[row], 2)),
            // A figure and its sign stay on one line.
            foreign(&reason).replace(" %", "\u{a0}%"),
        ]
    };
    rows.map(row).collect()
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
    if let Some(evidence) = &lists.evidence {
        let watched = &evidence.watchlist;
        writeln!(out, "Not proven either way: {}{}", count(watched.count), part(watched.spend))?;
    }
    if !lists.protected.is_empty() {
        let names: Vec<String> =
            lists.protected.iter().map(|name| foreign(&display_unicode(name)).into_owned()).collect();
        writeln!(
            out,
            "{}",
            wrapped(&format!("Protected from the blocklist: {}", names.join(", ")), width(), 2)
        )?;
    }
    let Some(folder) = files.first().and_then(|file| file.parent()) else { return Ok(()) };
    let names: Vec<String> = files
        .iter()
        .filter_map(|file| file.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let folder = folder.display().to_string();
    let folder = foreign(&folder);
    let text = wrapped(&format!("Written to {folder}: {}", foreign(&names.join(", "))), width(), 2);
    match text.strip_prefix(&format!("Written to {folder}")) {
        Some(rest) => writeln!(out, "Written to {BOLD}{folder}{BOLD:#}{rest}"),
        None => writeln!(out, "{text}"),
    }
}

/// What a person should know, beside the answer.
pub(super) fn notes(scored: &Scored) -> Vec<String> {
    let quality = &scored.quality;
    let unreadable = quality.unreadable_cells.iter().map(|cells| {
        let cell = counted(cells.count, "cell", "cells");
        let verb = if cells.count == 1 { "counts" } else { "count" };
        format!(
            "{cell} of `{}` cannot be read and {verb} as missing; {}",
            cells.column,
            on_lines(&cells.lines)
        )
    });
    // What only an analyst asks for stays in quality.json.
    let warnings = quality.warnings.iter().filter(|warning| warning.code != "row_noise_unknown");
    unreadable.chain(warnings.map(|warning| warning.message.clone())).collect()
}
