//! `cargo xtask soak`: runs that take minutes to hours and that no commit waits for.

use std::fs::{self, File};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use wait4::Wait4;

use crate::postgres::{self, Server};
use crate::{metadata, needs, run, workspace_root};

/// An input of a few KB that takes a target longer than this has found a way to waste time.
const SLOWEST_SECONDS: u32 = 30;

/// Flags of `cargo xtask soak`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// Run the fuzz targets of fuzz/ and count executions and findings
    Fuzz(Fuzz),
    /// Kill servers and workers while they score, and look what became of it, on SQLite and on PostgreSQL
    Kills(Kills),
    /// Judge the lists by evidence against the truth of samples: a table of every figure beside its limit
    Truth(Truth),
}

/// Flags of `cargo xtask soak truth`.
#[derive(clap::Args)]
struct Truth {
    /// Reports of each world and recipe
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

/// Flags of `cargo xtask soak kills`.
#[derive(clap::Args)]
struct Kills {
    /// Kills on each database
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Another seed kills at other moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Flags of `cargo xtask soak fuzz`.
#[derive(clap::Args)]
struct Fuzz {
    /// Minutes of processor time for each target
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Targets at once; one per core unless given
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// Sanitizer: `address`, or `none` where the toolchain has no runtime for it
    #[arg(long, default_value = "address")]
    sanitizer: String,
    /// Take what was newly reached into fuzz/corpus/, which is committed and replayed by the tests
    #[arg(long)]
    keep: bool,
    /// Targets; all of them unless given
    targets: Vec<String>,
}

/// What one target did.
struct Soaked {
    target: String,
    /// Processor time, of this process and its own.
    cpu: Duration,
    executions: u64,
    /// Inputs that failed, new ones only.
    findings: Vec<PathBuf>,
    /// Ended other than by its time or by a finding: what it printed is in the log.
    broken: bool,
    log: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.kind {
        Kind::Fuzz(fuzz) => fuzz.run(),
        Kind::Kills(kills) => kills.run(),
        Kind::Truth(truth) => truth.run(),
    }
}

impl Kills {
    /// The test of the service's tests, with more kills than they have time for.
    fn run(&self) -> Result<ExitCode> {
        needs::ensure(needs::TESTS)?;
        let server = Server::start()?;
        let mut tests = run::cargo();
        tests.current_dir(workspace_root()).env(postgres::ADDRESS, server.address());
        tests
            .env("CALIBER_TEST_KILLS", self.kills.to_string())
            .env("CALIBER_TEST_SEED", self.seed.to_string());
        tests.args(["nextest", "run", "--package", "caliber", "--test", "service", "--no-capture"]);
        tests.arg("every_start_ends_in_one_published_run");
        let status = tests.status().with_context(|| format!("starting `{}`", run::shown(&tests)))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Truth {
    /// The test of the engine's tests, over more reports than they have time for, and with every limit.
    fn run(&self) -> Result<ExitCode> {
        let mut test = run::cargo();
        test.current_dir(workspace_root()).env("CALIBER_TEST_SEEDS", self.seeds.to_string());
        test.args(["test", "--release", "--package", "caliber-engine", "--test", "planted_truth"]);
        test.args(["--", "--nocapture"]);
        let status = test.status().with_context(|| format!("starting `{}`", run::shown(&test)))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Fuzz {
    fn run(&self) -> Result<ExitCode> {
        needs::ensure(&["cargo-fuzz"])?;
        let root = workspace_root();
        let work = metadata::read(&root)?.target_directory.join("soak");
        let targets = self.chosen(&root)?;
        for target in &targets {
            eprintln!("building {target}");
            let mut build = self.cargo_fuzz(&root, "build", target);
            run::succeed(&mut build)
                .context("a toolchain without the sanitizer's runtime needs `--sanitizer none`")?;
        }
        let soaked = self.soak_all(&root, &work, &targets)?;
        if self.keep {
            for target in &targets {
                self.keep_corpus(&root, &work, target)?;
            }
        }
        report(&soaked);
        let clean = soaked.iter().all(|s| s.findings.is_empty() && !s.broken);
        Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The targets asked for, or all that fuzz/Cargo.toml names.
    fn chosen(&self, root: &Path) -> Result<Vec<String>> {
        let path = root.join("fuzz/Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let manifest: toml::Table = text.parse().with_context(|| format!("parsing {}", path.display()))?;
        let bins = manifest.get("bin").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let known: Vec<_> =
            bins.iter().filter_map(|bin| bin.get("name")?.as_str()).map(str::to_owned).collect();
        if known.is_empty() {
            bail!("fuzz/Cargo.toml names no target; fuzz/README.md says how one is added");
        }
        if let Some(unknown) = self.targets.iter().find(|target| !known.contains(target)) {
            bail!("`{unknown}` is no fuzz target; there are {}", known.join(", "));
        }
        Ok(if self.targets.is_empty() { known } else { self.targets.clone() })
    }

    /// `cargo fuzz <verb> <target>`. Coverage instrumentation needs compiler flags that the stable toolchain takes
    /// under `RUSTC_BOOTSTRAP` only; nothing that ships is built so.
    fn cargo_fuzz(&self, root: &Path, verb: &str, target: &str) -> Command {
        let mut command = run::cargo();
        command.current_dir(root.join("fuzz")).env("RUSTC_BOOTSTRAP", "1");
        command.args(["fuzz", verb, "--fuzz-dir", ".", "--sanitizer", &self.sanitizer, target]);
        command
    }

    /// Every target, as many at once as there are jobs.
    fn soak_all(&self, root: &Path, work: &Path, targets: &[String]) -> Result<Vec<Soaked>> {
        let jobs = self.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let waiting = Mutex::new(targets.iter());
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(targets.len()) {
                scope.spawn(|| {
                    loop {
                        let next = waiting.lock().map(|mut targets| targets.next());
                        let Ok(Some(target)) = next else { break };
                        let soaked = self.soak(root, work, target);
                        if let Ok(mut done) = done.lock() {
                            done.push(soaked);
                        }
                    }
                });
            }
        });
        let mut soaked = done
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        soaked.sort_by_key(|s| targets.iter().position(|target| *target == s.target));
        Ok(soaked)
    }

    /// Runs one target until its processor time is used up, or it finds something. libFuzzer counts the time of the
    /// clock, so on a busy machine it takes several rounds. New inputs go to a corpus outside the checkout.
    fn soak(&self, root: &Path, work: &Path, target: &str) -> Result<Soaked> {
        let artifacts = root.join("fuzz/artifacts").join(target);
        let committed = root.join("fuzz/corpus").join(target);
        let corpus = work.join("corpus").join(target);
        for folder in [&artifacts, &committed, &corpus] {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let before = files(&artifacts)?;
        let log = work.join(format!("{target}.log"));
        eprintln!("{target}: {} minutes, log in {}", self.minutes, log.display());
        let budget = Duration::from_secs_f64(self.minutes * 60.0);
        let mut soaked = Soaked {
            target: target.to_owned(),
            cpu: Duration::ZERO,
            executions: 0,
            findings: Vec::new(),
            broken: false,
            log,
        };
        while soaked.cpu < budget && soaked.findings.is_empty() && !soaked.broken {
            let left = budget.saturating_sub(soaked.cpu).as_secs().max(10);
            let mut command = self.cargo_fuzz(root, "run", target);
            command.args([&corpus, &committed]).arg("--").arg("-print_final_stats=1");
            command.arg(format!("-max_total_time={left}"));
            // An input that takes longer is a finding; what is only slow is none, for the machine may be busy.
            command.arg(format!("-timeout={SLOWEST_SECONDS}"));
            command.arg(format!("-report_slow_units={SLOWEST_SECONDS}"));
            let dictionary = root.join("fuzz/dictionaries").join(target).with_extension("dict");
            if dictionary.is_file() {
                command.arg(format!("-dict={}", dictionary.display()));
            }
            let succeeded = round(command, &mut soaked)?;
            soaked.findings = files(&artifacts)?.into_iter().filter(|path| !before.contains(path)).collect();
            soaked.broken |= !succeeded && soaked.findings.is_empty();
        }
        Ok(soaked)
    }

    /// Copies the fewest inputs that reach code which the committed corpus does not. How often they reach it is left
    /// aside, or the corpus would grow to many megabytes.
    fn keep_corpus(&self, root: &Path, work: &Path, target: &str) -> Result<()> {
        let committed = root.join("fuzz/corpus").join(target);
        let mut command = self.cargo_fuzz(root, "run", target);
        command.args([&committed, &work.join("corpus").join(target)]).args([
            "--",
            "-set_cover_merge=1",
            "-use_counters=0",
        ]);
        run::succeed(&mut command)
    }
}

/// Runs the target once, and adds what it did; whether it ended well.
fn round(mut command: Command, soaked: &mut Soaked) -> Result<bool> {
    let log = &soaked.log;
    let written = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    let copy = written.try_clone().with_context(|| format!("writing {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(copy).stderr(written);
    let child = command.spawn().with_context(|| format!("starting `{}`", run::shown(&command)))?;
    let ended = child.wait4().with_context(|| format!("waiting for `{}`", run::shown(&command)))?;
    soaked.cpu += ended.rusage.utime + ended.rusage.stime;
    let printed = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let executions = executions(&String::from_utf8_lossy(&printed));
    soaked.executions += executions;
    soaked.broken |= executions == 0;
    Ok(ended.status.success())
}

/// How often libFuzzer says the target ran: its closing statistics.
fn executions(log: &str) -> u64 {
    let line = log.lines().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    entries.map(|entry| Ok(entry.with_context(|| format!("listing {}", folder.display()))?.path())).collect()
}

fn report(soaked: &[Soaked]) {
    println!("{:20} {:>8} {:>16} {:>9}", "target", "CPU s", "executions", "findings");
    for target in soaked {
        let (cpu, findings) = (target.cpu.as_secs(), target.findings.len());
        println!("{:20} {cpu:>8} {:>16} {findings:>9}", target.target, target.executions);
        for finding in &target.findings {
            println!("  {}", finding.display());
        }
        if target.broken {
            println!("  did not run to its end: {}", target.log.display());
        }
    }
}
