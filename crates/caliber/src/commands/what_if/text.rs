//! What other weights would change, as a trader reads it on the terminal.

use std::io::{self, Write};

use caliber_analysis::what_if::{ListChange, WhatIf};
use caliber_engine::names::display_unicode;

use crate::commands::run::ScoredRun;
use crate::terminal::layout::{Grid, cut, flowed, width, wrapped};
use crate::terminal::{BOLD, counted, foreign, grouped};

/// Names of a list that are shown.
const NAMED: usize = 5;
/// Columns of the longest name that is not cut.
const NAME: usize = 36;

pub(super) fn print(run: &ScoredRun, answer: &WhatIf, out: &mut dyn Write) -> io::Result<()> {
    let score = |score: Option<f64>| score.map_or_else(|| "-".to_owned(), |score| format!("{score:.1}"));
    writeln!(
        out,
        "{BOLD}Campaign score {} to {}{BOLD:#} with these weights",
        score(answer.campaign_score_before),
        score(answer.campaign_score_after)
    )?;
    let weights: Vec<String> = answer
        .weights
        .0
        .iter()
        .map(|(name, weight)| {
            format!("{} {:.1}\u{a0}%", foreign(&run.dictionary.label(name)), weight * 100.0)
        })
        .collect();
    writeln!(out, "{}", flowed(weights.iter().map(String::as_str), ", ", width(), 0).replace('\u{a0}', " "))?;
    let counts = &answer.status_counts;
    let statuses = format!(
        "good {}, moderate {}, poor {}; {} would change, the order {}",
        grouped(counts.good as f64, 0),
        grouped(counts.moderate as f64, 0),
        grouped(counts.poor as f64, 0),
        counted(answer.status_changed as u64, "status", "statuses"),
        answer.rank_correlation.map_or_else(
            || "cannot be compared".to_owned(),
            |correlation| format!("correlates by {correlation:.2}")
        )
    );
    writeln!(out, "{}", wrapped(&statuses, width(), 0))?;
    for (list, change) in [("Allowlist", &answer.whitelist), ("Blocklist", &answer.blacklist)] {
        print_list(list, change, out)?;
    }
    writeln!(out)?;
    print_rows(answer, out)
}

fn print_list(list: &str, change: &ListChange, out: &mut dyn Write) -> io::Result<()> {
    if change.entered.is_empty() && change.left.is_empty() {
        return writeln!(out, "{list}: stays as it is");
    }
    let named = |names: &[String]| {
        let mut shown: Vec<String> =
            names.iter().take(NAMED).map(|name| foreign(&display_unicode(name)).into_owned()).collect();
        if names.len() > shown.len() {
            shown.push(format!("and {} more", grouped((names.len() - shown.len()) as f64, 0)));
        }
        if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
    };
    let (entered, left) = (&change.entered, &change.left);
    let text = format!("{list}: {} on{}, {} off{}", entered.len(), named(entered), left.len(), named(left));
    writeln!(out, "{}", wrapped(&text, width(), 2))
}

fn print_rows(answer: &WhatIf, out: &mut dyn Write) -> io::Result<()> {
    let mut grid =
        Grid::under(&["rank", "was", "name", "impressions", "score", "was", "status", "was"], width());
    for row in &answer.results {
        let was = if row.quality_status == row.quality_status_before {
            String::new()
        } else {
            row.quality_status_before.name().to_owned()
        };
        grid.row([
            grouped(row.rank as f64, 0),
            grouped(row.rank_before as f64, 0),
            cut(&foreign(&display_unicode(&row.domain)), NAME),
            grouped(row.impressions, 0),
            format!("{:.1}", row.score),
            format!("{:.1}", row.score_before),
            row.quality_status.name().to_owned(),
            was,
        ]);
    }
    grid.print(&[0, 1, 3, 4, 5], out)?;
    let pages = answer.total.div_ceil(answer.per_page);
    writeln!(out, "page {} of {}, {}", answer.page, pages, counted(answer.total as u64, "row", "rows"))
}
