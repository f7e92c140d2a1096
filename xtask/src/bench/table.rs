//! The table of medians and ratios.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::measure::Measured;

/// The medians of one tool.
struct Row {
    name: String,
    wall_s: f64,
    after_import_s: f64,
    peak_bytes: f64,
}

impl Row {
    fn new(name: &str, runs: &[Measured]) -> Self {
        let said = runs.iter().find_map(|run| run.said.as_ref());
        let wall_s = median(runs.iter().map(|run| run.wall_s));
        Self {
            name: said.map_or_else(|| name.to_owned(), |said| format!("{} {}", said.tool, said.version)),
            wall_s,
            after_import_s: said.map_or(wall_s, |_| {
                median(runs.iter().filter_map(|run| Some(run.said.as_ref()?.after_import_s)))
            }),
            peak_bytes: median(runs.iter().map(|run| run.peak_bytes as f64)),
        }
    }
}

/// Prints medians, ratios to the first tool, and the targets. `measured` holds caliber, polars, duckdb, pandas.
pub(super) fn print(report: &Path, caliber: &str, measured: &[Vec<Measured>]) -> Result<()> {
    let size =
        fs::metadata(report).with_context(|| format!("reading {}", report.display()))?.len() as f64 / 1e6;
    let runs = measured.first().map_or(0, Vec::len);
    let rows: Vec<_> = measured.iter().map(|runs| Row::new(caliber, runs)).collect();
    let [own, polars, duckdb, pandas] = rows.as_slice() else { return Ok(()) };
    println!("{} ({size:.0} MB), median of {runs}", report.display());
    println!(
        "{:18} {:>9} {:>14} {:>8} {:>14} {:>9}",
        "tool", "wall s", "after import s", "ratio", "after import", "peak MB"
    );
    for row in &rows {
        println!(
            "{:18} {:>9.3} {:>14.3} {:>8.1} {:>14.1} {:>9.0}",
            row.name,
            row.wall_s,
            row.after_import_s,
            row.wall_s / own.wall_s,
            row.after_import_s / own.wall_s,
            row.peak_bytes / 1e6
        );
    }
    let faster = polars.wall_s.min(duckdb.wall_s);
    println!(
        "faster of polars and duckdb: {:.1} times caliber's time; target: 3, aim: 5",
        faster / own.wall_s
    );
    println!("pandas: {:.1} times caliber's time; target: 10", pandas.wall_s / own.wall_s);
    println!("caliber's peak: {:.0} MB; target: under 100 MB at 1,000,000 rows", own.peak_bytes / 1e6);
    Ok(())
}

/// The middle value, of an even number the mean of the two in the middle; NaN of none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    match (values.get(values.len().wrapping_sub(1) / 2), values.get(values.len() / 2)) {
        (Some(below), Some(above)) => f64::midpoint(*below, *above),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_value_or_the_mean_of_the_two_there() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }
}
