//! Weights as a trader reads them on the terminal.

use std::io::{self, Write};

use caliber_analysis::weights::{Learned, Optimized};

use crate::commands::run::ScoredRun;
use crate::terminal::layout::{Grid, bar, draws_bars, width, wrapped};
use crate::terminal::{BOLD, counted, foreign};

/// Columns of the longest bar.
const BAR: usize = 30;

/// What the rows suggest.
pub(super) fn print_learned(run: &ScoredRun, learned: &Learned, out: &mut dyn Write) -> io::Result<()> {
    let rows = counted(learned.rows_used as u64, "row", "rows");
    let from = learned.target.as_deref().map(|target| format!(" for {}", label(run, target)));
    writeln!(out, "{BOLD}Weights{}{BOLD:#}, from {rows}\n", from.unwrap_or_default())?;
    let mut grid = Grid::under(&["metric", "recipe", "weight", "correlation", ""], width());
    let most = learned.summary.weight_max.max(f64::MIN_POSITIVE);
    for (name, weight) in &learned.feature_importance {
        let r = learned.correlations.as_ref().and_then(|all| all.get(name).copied().flatten());
        grid.row([
            label(run, name),
            of_recipe(run, name),
            percent(*weight),
            r.map_or_else(|| "-".to_owned(), |r| format!("{r:.3}")),
            if draws_bars() { bar(weight / most, BAR) } else { String::new() },
        ]);
    }
    grid.print(&[1, 2, 3], out)?;
    print_end(run, &learned.left_out, learned.saved_as.as_deref(), out)
}

/// What a search found.
pub(super) fn print_optimized(run: &ScoredRun, found: &Optimized, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{BOLD}Correlation with {} {:.3} to {:.3}{BOLD:#} on rows that the search has not seen",
        label(run, &found.target),
        found.held_out.start,
        found.held_out.best
    )?;
    writeln!(out, "{}\n", wrapped(&foreign(&found.explanation), width(), 0))?;
    let mut grid = Grid::under(&["metric", "recipe", "start", "best", ""], width());
    let most = found.best_weights.0.iter().map(|(_, weight)| *weight).fold(f64::MIN_POSITIVE, f64::max);
    for (name, best) in &found.best_weights.0 {
        grid.row([
            label(run, name),
            of_recipe(run, name),
            percent(found.start_weights.get(name).copied().unwrap_or(0.0)),
            percent(*best),
            if draws_bars() { bar(best / most, BAR) } else { String::new() },
        ]);
    }
    grid.print(&[1, 2, 3], out)?;
    writeln!(out)?;
    let mut grid = Grid::under(&["part", "rows", "start", "best"], width());
    for fold in &found.held_out.folds {
        grid.row([
            (fold.fold + 1).to_string(),
            fold.rows.to_string(),
            format!("{:.3}", fold.start),
            format!("{:.3}", fold.best),
        ]);
    }
    grid.print(&[0, 1, 2, 3], out)?;
    print_end(run, &found.left_out, found.saved_as.as_deref(), out)
}

fn print_end(
    run: &ScoredRun,
    left_out: &[String],
    saved_as: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(|name| label(run, name)).collect();
        writeln!(out, "\nLeft out, since it is the target itself: {}", names.join(", "))?;
    }
    match saved_as {
        Some(file) => writeln!(out, "\nSaved as {BOLD}{}{BOLD:#}", foreign(file)),
        None => Ok(()),
    }
}

fn label(run: &ScoredRun, name: &str) -> String {
    foreign(&run.dictionary.label(name)).into_owned()
}

/// The weight that the recipe has.
fn of_recipe(run: &ScoredRun, name: &str) -> String {
    let metric = run.recipe.metrics.iter().find(|metric| metric.metric == name);
    metric.map_or_else(|| "-".to_owned(), |metric| percent(metric.weight))
}

fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}
