//! The table of medians and ratios.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::measure::Measured;
use super::{Mode, Peer, median_wall};

/// The medians of one tool.
struct Row {
    name: String,
    wall_s: f64,
    after_import_s: f64,
    peak_bytes: f64,
}

impl Row {
    fn new(name: String, runs: &[Measured]) -> Self {
        let wall_s = median_wall(runs);
        let said = || runs.iter().filter_map(|run| run.said.as_ref());
        let after_import_s =
            if said().next().is_some() { median(said().map(|said| said.after_import_s)) } else { wall_s };
        Self {
            name,
            wall_s,
            after_import_s,
            peak_bytes: median(runs.iter().map(|run| run.peak_bytes as f64)),
        }
    }

    fn of_peer(peer: Peer, runs: &[Measured]) -> Self {
        let said = runs.iter().find_map(|run| run.said.as_ref());
        let tool =
            said.map_or_else(|| peer.name.to_owned(), |said| format!("{} {}", said.tool, said.version));
        Self::new(format!("{tool}, {}", peer.mode.name()), runs)
    }

    /// The row, with ratios to another's times.
    fn print(&self, own: &Self) {
        println!(
            "{:26} {:>9.3} {:>14.3} {:>8.1} {:>14.1} {:>9.0}",
            self.name,
            self.wall_s,
            self.after_import_s,
            self.wall_s / own.wall_s,
            self.after_import_s / own.wall_s,
            self.peak_bytes / 1e6
        );
    }
}

/// Prints medians, ratios to `caliber`'s, and the targets.
pub(super) fn print(
    report: &Path,
    caliber: &str,
    own: &[Measured],
    peers: &[(Peer, Vec<Measured>)],
) -> Result<()> {
    let size =
        fs::metadata(report).with_context(|| format!("reading {}", report.display()))?.len() as f64 / 1e6;
    println!("{} ({size:.0} MB), median of {}", report.display(), own.len());
    println!(
        "{:26} {:>9} {:>14} {:>8} {:>14} {:>9}",
        "tool", "wall s", "after import s", "ratio", "after import", "peak MB"
    );
    let own = Row::new(caliber.to_owned(), own);
    own.print(&own);
    for (peer, runs) in peers {
        Row::of_peer(*peer, runs).print(&own);
    }
    for mode in Mode::ALL {
        print_targets(mode, &own, peers);
    }
    println!("caliber's peak: {:.0} MB; target: under 100 MB at 1,000,000 rows", own.peak_bytes / 1e6);
    Ok(())
}

/// How far `caliber` is ahead of the peers that were run in a mode.
fn print_targets(mode: Mode, own: &Row, peers: &[(Peer, Vec<Measured>)]) {
    let ratio = |names: &[&str]| {
        let fitting = peers.iter().filter(|(peer, _)| peer.mode == mode && names.contains(&peer.name));
        fitting.map(|(_, runs)| median_wall(runs) / own.wall_s).reduce(f64::min)
    };
    let mode = mode.name();
    if let Some(ratio) = ratio(&["polars", "duckdb"]) {
        println!("{mode}: faster of polars and duckdb {ratio:.1} times caliber's time; target: 3, aim: 5");
    }
    if let Some(ratio) = ratio(&["pandas"]) {
        println!("{mode}: pandas {ratio:.1} times caliber's time; target: 10");
    }
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
