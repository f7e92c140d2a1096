//! Outliers and their treatment as a trader reads them on the terminal.

use std::io::{self, Write};
use std::path::PathBuf;

use caliber_analysis::outliers::{Outliers, TreatmentAnswer};
use caliber_engine::explain::Explainer;
use caliber_engine::names::display_unicode;

use crate::commands::run::ScoredRun;
use crate::terminal::layout::{Grid, cut, width, wrapped};
use crate::terminal::{BOLD, counted, foreign, grouped};

/// Columns of the longest name that is not cut.
const NAME: usize = 36;

/// The strange rows.
pub(super) fn print(run: &ScoredRun, outliers: &Outliers, out: &mut dyn Write) -> io::Result<()> {
    let found = counted(outliers.outlier_count as u64, "outlier", "outliers");
    let rows = counted(outliers.rows as u64, "row", "rows");
    let share = outliers.analysis.outlier_percentage;
    writeln!(
        out,
        "{BOLD}{found}{BOLD:#} among {rows} ({share:.1} %), by {}\n",
        outliers.method.name().replace('_', " ")
    )?;
    if !outliers.top_outliers.is_empty() {
        print_strangest(run, outliers, out)?;
        print_metrics(run, outliers, out)?;
    }
    for recommendation in &outliers.recommendations {
        writeln!(out, "{}", wrapped(&foreign(recommendation), width(), 2))?;
    }
    Ok(())
}

fn print_strangest(run: &ScoredRun, outliers: &Outliers, out: &mut dyn Write) -> io::Result<()> {
    let explainer = Explainer::new(&run.results, &run.dictionary);
    let mut grid = Grid::under(&["strangest", "strangeness", "impressions", "what is strange"], width());
    for outlier in &outliers.top_outliers {
        let strange = outlier.columns.iter().filter_map(|(name, z)| {
            let metric = run.results.metrics.iter().find(|metric| metric.name == *name)?;
            let value = explainer.written(name, metric.values[outlier.index]?).replace(" %", "\u{a0}%");
            let way = if *z > 0.0 { "high" } else { "low" };
            Some(format!("{} {value} ({way})", run.dictionary.label(name)))
        });
        let strange = strange.collect::<Vec<_>>().join(", ");
        grid.row([
            cut(&foreign(&display_unicode(&outlier.domain)), NAME),
            format!("{:.3}", outlier.score),
            grouped(run.results.impressions[outlier.index], 0),
            foreign(&strange).into_owned(),
        ]);
    }
    grid.print(&[1, 2], out)?;
    writeln!(out)
}

fn print_metrics(run: &ScoredRun, outliers: &Outliers, out: &mut dyn Write) -> io::Result<()> {
    let explainer = Explainer::new(&run.results, &run.dictionary);
    let mut grid = Grid::under(&["average of", "outliers", "others"], width());
    for (name, column) in &outliers.analysis.columns_analysis.0 {
        let written =
            |mean: Option<f64>| mean.map_or_else(|| "-".to_owned(), |mean| explainer.written(name, mean));
        grid.row([
            foreign(&run.dictionary.label(name)).into_owned(),
            written(column.outlier_mean),
            written(column.non_outlier_mean),
        ]);
    }
    grid.print(&[1, 2], out)?;
    writeln!(out)
}

/// What treating them changed.
pub(super) fn print_treatment(
    answer: &TreatmentAnswer,
    files: &[PathBuf],
    out: &mut dyn Write,
) -> io::Result<()> {
    let score = |score: Option<f64>| score.map_or_else(|| "-".to_owned(), |score| format!("{score:.1}"));
    writeln!(
        out,
        "{BOLD}Campaign score {} to {}{BOLD:#}",
        score(answer.campaign_score_before),
        score(answer.campaign_score_after)
    )?;
    let cells: usize = answer.cells_changed.0.iter().map(|(_, cells)| cells).sum();
    let text = format!(
        "{} of {} stay, {} changed, {} changed",
        grouped(answer.rows_after as f64, 0),
        counted(answer.rows_before as u64, "row", "rows"),
        counted(cells as u64, "cell", "cells"),
        counted(answer.status_changed as u64, "status", "statuses")
    );
    writeln!(out, "{}", wrapped(&text, width(), 0))?;
    let Some(folder) = files.first().and_then(|file| file.parent()) else {
        return writeln!(out, "Nothing was written; --out DIR writes the treated run");
    };
    writeln!(out, "Written to {BOLD}{}{BOLD:#}", foreign(&folder.display().to_string()))
}
