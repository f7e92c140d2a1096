//! Outliers beside scikit-learn's, each method on the same matrix in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Environment;
use super::measure::measure;
use super::table::median;
use crate::run;

const METHODS: [&str; 3] = ["isolation_forest", "local_outlier_factor", "elliptic_envelope"];
/// The larger is four times the smaller, for how time grows.
const ROWS: [u64; 2] = [25_000, 100_000];

/// Prints the median times of both, without the start of either and without reading the file.
pub(super) fn beside_scikit_learn(environment: &Environment, runs: usize) -> Result<()> {
    run::succeed(ours(environment).arg("--no-run"))?;
    println!("\nOutliers among rows of 6 metrics, median of {runs}");
    println!("{:20} {:>9} {:>10} {:>15} {:>7}", "method", "rows", "caliber s", "scikit-learn s", "ratio");
    for method in METHODS {
        let mut times = Vec::new();
        for rows in ROWS {
            let file = matrix(environment, rows)?;
            let (caliber, peer) = in_turns(environment, method, &file, runs)?;
            println!("{method:20} {rows:>9} {caliber:>10.3} {peer:>15.3} {:>7.1}", peer / caliber);
            times.push(caliber);
        }
        if let [small, large] = times.as_slice() {
            println!("{method:20} four times the rows: {:.1} times caliber's time", large / small);
        }
    }
    println!(
        "targets: isolation_forest 4 times faster, local_outlier_factor no slower and at most 6 times for four times the rows"
    );
    Ok(())
}

/// The medians of caliber and scikit-learn, in seconds.
fn in_turns(environment: &Environment, method: &str, file: &Path, runs: usize) -> Result<(f64, f64)> {
    let said = |command: &mut Command| {
        let measured = measure(command)?;
        measured.said.map(|said| said.after_import_s).context("the program does not say how long it took")
    };
    let (mut caliber, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        caliber.push(said(ours(environment).arg("--").arg(method).arg(file))?);
        peer.push(said(theirs(environment).arg(method).arg(file))?);
    }
    Ok((median(caliber.into_iter()), median(peer.into_iter())))
}

/// A matrix of so many rows; the same is made each time, so one that is there is used again.
fn matrix(environment: &Environment, rows: u64) -> Result<PathBuf> {
    let path = environment.data.join(format!("outliers-{rows}.csv"));
    if !path.is_file() {
        let partial = environment.data.join("partial-outliers.csv");
        run::succeed(theirs(environment).arg("make").arg(rows.to_string()).arg(&partial))?;
        fs::rename(&partial, &path).with_context(|| format!("naming {}", path.display()))?;
    }
    Ok(path)
}

fn ours(environment: &Environment) -> Command {
    let mut command = run::cargo();
    command.current_dir(&environment.root).args([
        "bench",
        "--quiet",
        "--package",
        "caliber-analysis",
        "--bench",
        "outliers",
    ]);
    command
}

fn theirs(environment: &Environment) -> Command {
    let mut command = Command::new(&environment.python);
    command.arg(environment.root.join("bench/peers/sklearn_outliers.py"));
    command
}
