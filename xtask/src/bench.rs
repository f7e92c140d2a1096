//! `cargo xtask bench`: `caliber` beside Polars, DuckDB and pandas on the same file, in turns.
//!
//! Figures only: what a machine measures is no test. The targets are printed beside them.

mod browser;
mod measure;
mod outliers;
mod pages;
mod table;

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{metadata, needs, run, workspace_root};
use measure::{Measured, measure};

/// Flags of `cargo xtask bench`.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Arguments {
    /// Rows of the report
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Sites in it
    #[arg(long, default_value_t = 20_000)]
    domains: u64,
    /// Runs of each tool
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// A report to use instead of a generated one, in Trade Desk's display headers
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// A `caliber` to measure instead of this checkout's, such as an earlier release
    #[arg(long, value_name = "FILE")]
    caliber: Option<PathBuf>,
    /// Also 10,000,000 rows of the same sites, for the memory
    #[arg(long)]
    memory: bool,
    /// Also a report with totals, thousands separators and percent signs, beside the peers that read any report
    #[arg(long)]
    messy: bool,
    /// Also gzip and zstd beside their decoders, and a workbook of 100,000 rows
    #[arg(long)]
    formats: bool,
    /// Only the search for outliers, beside scikit-learn's
    #[arg(long)]
    outliers: bool,
    /// Only the pages of the web app, on a campaign of 100,000 sites, as the server and a browser see them
    #[arg(long)]
    pages: bool,
}

/// A peer, a script of bench/peers, in one of its modes.
#[derive(Clone, Copy)]
struct Peer {
    name: &'static str,
    mode: Mode,
}

/// What a peer is told beforehand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The file's name, and the headers in it.
    Plain,
    /// That the file is clean, its dialect and the type of every column.
    CleanFile,
    /// Only the platform: it holds to the rules that make `caliber` right on any report of it.
    AnyReport,
}

const PEERS: [Peer; 9] = [
    Peer { name: "polars", mode: Mode::Plain },
    Peer { name: "duckdb", mode: Mode::Plain },
    Peer { name: "pandas", mode: Mode::Plain },
    Peer { name: "polars", mode: Mode::CleanFile },
    Peer { name: "duckdb", mode: Mode::CleanFile },
    Peer { name: "pandas", mode: Mode::CleanFile },
    Peer { name: "polars", mode: Mode::AnyReport },
    Peer { name: "duckdb", mode: Mode::AnyReport },
    Peer { name: "pandas", mode: Mode::AnyReport },
];

impl Mode {
    const ALL: [Self; 3] = [Self::Plain, Self::CleanFile, Self::AnyReport];

    /// As tables call it.
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plainly read",
            Self::CleanFile => "clean file",
            Self::AnyReport => "any report",
        }
    }

    /// The scripts' flag.
    fn flag(self) -> Option<&'static str> {
        match self {
            Self::Plain => Some("--plain"),
            Self::CleanFile => None,
            Self::AnyReport => Some("--any-report"),
        }
    }
}

impl Peer {
    /// What its results are called among those of the others.
    fn out(self) -> String {
        format!("{}{}", self.name, self.mode.flag().unwrap_or_default())
    }
}

/// The disorder of a report that went through a spreadsheet.
const MESS: &str = "totals,thousands,percent";

/// Where things are.
struct Environment {
    root: PathBuf,
    data: PathBuf,
    python: PathBuf,
}

/// What is measured, and where.
struct Bench {
    environment: Environment,
    caliber: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.pages {
        let caliber = arguments.caliber.clone().map_or_else(|| release_build(&workspace_root()), Ok)?;
        pages::run(&caliber)?;
        return Ok(ExitCode::SUCCESS);
    }
    let environment = Environment::prepare()?;
    if arguments.outliers {
        outliers::beside_scikit_learn(&environment, arguments.runs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let bench = Bench::prepare(environment, arguments.caliber.clone())?;
    let report = match &arguments.report {
        Some(path) => path.canonicalize().with_context(|| format!("finding {}", path.display()))?,
        None => bench.sample(arguments.rows, arguments.domains, None, "csv")?,
    };
    bench.beside_peers(&report, arguments.runs, &PEERS)?;
    bench.evidence(&report, arguments.runs)?;
    if arguments.messy {
        let messy = bench.sample(arguments.rows, arguments.domains, Some(MESS), "csv")?;
        println!("\nA report with {MESS}");
        let peers: Vec<_> = PEERS.into_iter().filter(|peer| peer.mode == Mode::AnyReport).collect();
        bench.beside_peers(&messy, arguments.runs, &peers)?;
    }
    if arguments.memory {
        let large = bench.sample(10_000_000, arguments.domains, None, "csv")?;
        println!("\nMemory at 10,000,000 rows of {} sites, one run each", arguments.domains);
        bench.beside_peers(&large, 1, &PEERS)?;
        println!("target: caliber's peak under 150 MB");
    }
    if arguments.formats {
        bench.compressed(&report, arguments.runs)?;
        let workbook = bench.sample(100_000, arguments.domains, None, "xlsx")?;
        let seconds = median_wall(&repeat(arguments.runs, || bench.score(&workbook, "xlsx"))?);
        println!("\nA workbook of 100,000 rows: {seconds:.2} s; target: under 3 s");
    }
    Ok(ExitCode::SUCCESS)
}

impl Environment {
    /// Makes the peers' environment.
    fn prepare() -> Result<Self> {
        let root = workspace_root();
        let data = root.join("bench/data");
        fs::create_dir_all(&data).with_context(|| format!("making {}", data.display()))?;
        needs::ensure(&["python3-venv"])?;
        let environment = root.join("bench/.venv");
        let python = environment.join("bin/python");
        if !python.is_file() {
            run::succeed(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        }
        let requirements = root.join("bench/requirements.txt");
        let mut install = Command::new(&python);
        install
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements);
        run::succeed(&mut install)?;
        Ok(Self { root, data, python })
    }
}

impl Bench {
    /// Makes `caliber` unless one is given.
    fn prepare(environment: Environment, caliber: Option<PathBuf>) -> Result<Self> {
        let caliber = caliber.map_or_else(|| release_build(&environment.root), Ok)?;
        Ok(Self { environment, caliber })
    }

    /// A generated report; the same flags give the same bytes, so one that is there is used again.
    fn sample(&self, rows: u64, domains: u64, mess: Option<&str>, extension: &str) -> Result<PathBuf> {
        let suffix = mess.map(|kinds| format!("-{}", kinds.replace(',', "-"))).unwrap_or_default();
        let path = self.environment.data.join(format!("ttd_display-{rows}-{domains}{suffix}.{extension}"));
        if path.is_file() {
            return Ok(path);
        }
        eprintln!("generating {}", path.display());
        let partial = path.with_file_name(format!("partial.{extension}"));
        let mut sample = Command::new(&self.caliber);
        sample.args(["sample", "--platform", "trade_desk", "--channel", "display", "--seed", "1", "--rows"]);
        sample.arg(rows.to_string()).arg("--domains").arg(domains.to_string()).arg("--out").arg(&partial);
        if let Some(kinds) = mess {
            sample.args(["--mess", kinds]);
        }
        run::succeed(&mut sample)?;
        fs::rename(&partial, &path).with_context(|| format!("naming {}", path.display()))?;
        Ok(path)
    }

    /// `caliber score` of a file, results into a folder of bench/data.
    fn score(&self, report: &Path, out: &str) -> Command {
        let mut command = Command::new(&self.caliber);
        command.arg("score").arg(report).args([
            "--platform",
            "trade_desk",
            "--channel",
            "display",
            "--quiet",
            "--out",
        ]);
        command.arg(self.out(out));
        command
    }

    fn peer(&self, peer: Peer, report: &Path) -> Command {
        let mut command = Command::new(&self.environment.python);
        command
            .arg(self.environment.root.join(format!("bench/peers/{}_score.py", peer.name)))
            .arg(report)
            .arg(self.out(&peer.out()))
            .args(peer.mode.flag());
        command
    }

    fn out(&self, name: &str) -> PathBuf {
        self.environment.data.join(format!("out-{name}"))
    }

    /// The table: every tool in turns (A B C D, A B C D, ...), so that a slow moment of the machine meets all.
    fn beside_peers(&self, report: &Path, runs: usize, peers: &[Peer]) -> Result<()> {
        read_once(report)?;
        let mut own = Vec::new();
        let mut measured: Vec<(Peer, Vec<Measured>)> = peers.iter().map(|peer| (*peer, Vec::new())).collect();
        for turn in 1..=runs {
            eprintln!("turn {turn} of {runs}");
            own.push(measure(&mut self.score(report, "caliber"))?);
            for (peer, runs) in &mut measured {
                runs.push(measure(&mut self.peer(*peer, report))?);
            }
        }
        let version = run::output(Command::new(&self.caliber).arg("--version"))?;
        table::print(report, version.trim(), &own, &measured)?;
        self.compare(peers)
    }

    /// Whether all wrote the same numbers: a quick answer to another question is no benchmark.
    fn compare(&self, peers: &[Peer]) -> Result<()> {
        let mut check = Command::new(&self.environment.python);
        check
            .arg(self.environment.root.join("bench/check.py"))
            .arg(self.out("caliber"))
            .args(peers.iter().map(|peer| self.out(&peer.out())));
        run::succeed(&mut check)
            .context("the tools do not agree with caliber, so their times cannot be compared")
    }

    /// Lists by evidence beside lists by quarter, in turns.
    fn evidence(&self, report: &Path, runs: usize) -> Result<()> {
        println!("\nLists by evidence, median of {runs}; target: at most 1.5 times the time without");
        for goal in ["awareness", "action"] {
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for _ in 0..runs {
                for (policy, measured) in [("quartile", &mut without), ("evidence", &mut with)] {
                    let mut score = self.score(report, policy);
                    score.args(["--goal", goal, "--list-policy", policy]);
                    measured.push(measure(&mut score)?);
                }
            }
            let (without, with) = (median_wall(&without), median_wall(&with));
            println!("  {goal:9} {without:.2} s without, {with:.2} s with, ratio {:.2}", with / without);
        }
        Ok(())
    }

    /// gzip and zstd input beside the decoder alone.
    fn compressed(&self, report: &Path, runs: usize) -> Result<()> {
        println!("\nCompressed input, median of {runs}; target: as fast as the decoder");
        for (tool, extension) in [("gzip", "gz"), ("zstd", "zst")] {
            let packed = self.environment.data.join(format!("packed.csv.{extension}"));
            let file = File::create(&packed).with_context(|| format!("writing {}", packed.display()))?;
            run::succeed(Command::new(tool).arg("-c").arg(report).stdout(file))?;
            let decoder = median_wall(&repeat(runs, || {
                let mut command = Command::new(tool);
                command.arg("-dc").arg(&packed);
                command
            })?);
            let caliber = median_wall(&repeat(runs, || self.score(&packed, extension))?);
            println!(
                "  {extension:4} {tool} -dc {decoder:.2} s, caliber {caliber:.2} s, ratio {:.2}",
                caliber / decoder
            );
        }
        Ok(())
    }
}

/// Builds `caliber` as it is shipped.
fn release_build(root: &Path) -> Result<PathBuf> {
    run::succeed(run::cargo().current_dir(root).args(["build", "--release", "--package", "caliber"]))?;
    Ok(metadata::read(root)?.target_directory.join("release/caliber"))
}

fn repeat(runs: usize, command: impl Fn() -> Command) -> Result<Vec<Measured>> {
    (0..runs).map(|_| measure(&mut command())).collect()
}

/// Brings the file into the page cache, so that the first tool is not the one that waits for the disk.
fn read_once(path: &Path) -> Result<()> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    io::copy(&mut BufReader::new(file), &mut io::sink())
        .with_context(|| format!("reading {}", path.display()))?;
    Ok(())
}

/// The median of the wall times, in seconds.
fn median_wall(measured: &[Measured]) -> f64 {
    table::median(measured.iter().map(|run| run.wall_s))
}
