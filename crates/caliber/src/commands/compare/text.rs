//! Changes as a trader reads them on the terminal.

use std::io::{self, Write};

use caliber_analysis::changes::Changes;
use caliber_engine::explain::Explainer;
use caliber_engine::names::display_unicode;

use crate::commands::run::ScoredRun;
use crate::terminal::layout::{Grid, bar_from_axis, cut, draws_bars, width, wrapped};
use crate::terminal::{BOLD, counted, foreign, grouped};

/// Columns of the longest bar to one side of the axis.
const HALF: usize = 15;
/// Domains shown, of those the document has.
const SHOWN: usize = 10;
/// Columns of the longest name that is not cut.
const NAME: usize = 36;

pub(super) fn print(
    before: &ScoredRun,
    after: &ScoredRun,
    changes: &Changes,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (was, is) = (&changes.before, &changes.after);
    writeln!(
        out,
        "{BOLD}Campaign score {:.1} to {:.1}, {:+.1}{BOLD:#}",
        was.campaign_score, is.campaign_score, changes.campaign_score_change
    )?;
    writeln!(out, "{}\n", wrapped(&foreign(&changes.explanation), width(), 0))?;
    print_runs(changes, out)?;
    print_drivers(before, after, changes, out)?;
    print_domains(changes, out)
}

fn print_runs(changes: &Changes, out: &mut dyn Write) -> io::Result<()> {
    let mut grid = Grid::under(&["", "rows", "impressions", "spend"], width());
    for (title, run) in [("before", &changes.before), ("after", &changes.after)] {
        grid.row([
            title.to_owned(),
            grouped(run.rows as f64, 0),
            grouped(run.impressions, 0),
            run.spend.map_or_else(|| "-".to_owned(), |spend| grouped(spend, 2)),
        ]);
    }
    grid.print(&[1, 2, 3], out)?;
    let counts = &changes.counts;
    let kinds = format!(
        "{} in both ({} better, {} worse), {} new, {} gone",
        counted(counts.same as u64, "row", "rows"),
        grouped(counts.improved as f64, 0),
        grouped(counts.declined as f64, 0),
        grouped(counts.new as f64, 0),
        grouped(counts.gone as f64, 0)
    );
    writeln!(out, "{}\n", wrapped(&kinds, width(), 0))
}

fn print_drivers(
    before: &ScoredRun,
    after: &ScoredRun,
    changes: &Changes,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut grid = Grid::under(&["what moved it", "before", "after", "points", ""], width());
    let most = changes.change_drivers.first().map_or(1.0, |(_, points)| points.abs());
    for (name, points) in &changes.change_drivers {
        let metric = changes.feature_changes.get(name);
        let written = |run: &ScoredRun, value: Option<f64>| match value {
            Some(value) => Explainer::new(&run.results, &run.dictionary).written(name, value),
            None if metric.is_some() => "-".to_owned(),
            None => String::new(),
        };
        let title = match (name.as_str(), metric) {
            (_, Some(_)) => before.dictionary.label(name),
            ("volume", _) => "moved impressions".to_owned(),
            ("new", _) => "new rows".to_owned(),
            _ => "gone rows".to_owned(),
        };
        let bar = if draws_bars() && most > 0.0 { bar_from_axis(points / most, HALF) } else { String::new() };
        grid.row([
            foreign(&title).into_owned(),
            written(before, metric.and_then(|metric| metric.before)),
            written(after, metric.and_then(|metric| metric.after)),
            format!("{points:+.2}"),
            bar,
        ]);
    }
    grid.print(&[1, 2, 3], out)?;
    writeln!(out)
}

fn print_domains(changes: &Changes, out: &mut dyn Write) -> io::Result<()> {
    let mut grid = Grid::under(&["moved it most", "before", "after", "points"], width());
    let score =
        |score: Option<f64>, none: &str| score.map_or_else(|| none.to_owned(), |score| format!("{score:.1}"));
    for change in changes.score_changes.iter().take(SHOWN) {
        grid.row([
            cut(&foreign(&display_unicode(&change.domain)), NAME),
            score(change.before, "new"),
            score(change.after, "gone"),
            format!("{:+.2}", change.points),
        ]);
    }
    grid.print(&[1, 2, 3], out)
}
