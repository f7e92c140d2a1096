//! `cargo xtask test`: everything the workspace tests, the runner's closing line last.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::postgres::{self, Server};
use crate::{needs, run, workspace_root};

/// Flags of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Handed to `cargo nextest run`, such as a filter
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

/// Documentation tests, then all others.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    needs::ensure(needs::TESTS)?;
    let mut documentation = run::cargo();
    documentation.current_dir(workspace_root()).args(["test", "--workspace", "--doc", "--quiet"]);
    // Not a reason to leave the others untested: both are run, then both are judged.
    let documentation = run::succeed(&mut documentation);

    let mut tests = run::cargo();
    tests.current_dir(workspace_root()).args(["nextest", "run", "--workspace"]);
    // Stopped at the end of this function, however the tests end.
    let server = Server::start()?;
    tests.env(postgres::ADDRESS, server.address());
    if !std::io::stderr().is_terminal() {
        tests.args(["--color", "never"]);
    }
    tests.args(&arguments.runner);
    let (status, closing_line) = run_tests(&mut tests)?;
    if let Err(error) = &documentation {
        eprintln!("error: documentation tests: {error:#}");
    }
    if let Some(line) = closing_line {
        println!("{line}");
    }
    let passed = status.success() && documentation.is_ok();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the tests. Away from a terminal the runner's summary is returned, so that it can be said last, on standard
/// output; on a terminal the runner keeps its progress bar and says it itself.
fn run_tests(command: &mut Command) -> Result<(ExitStatus, Option<String>)> {
    let name = run::shown(command);
    if std::io::stderr().is_terminal() {
        let status = command.status().with_context(|| format!("starting `{name}`"))?;
        return Ok((status, None));
    }
    let mut child = command.stderr(Stdio::piped()).spawn().with_context(|| format!("starting `{name}`"))?;
    let Some(stderr) = child.stderr.take() else { bail!("`{name}` has no standard error to read") };
    let mut closing_line = None;
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line.with_context(|| format!("reading what `{name}` prints"))?;
        let line = String::from_utf8_lossy(&line);
        writeln!(std::io::stderr(), "{line}").context("writing to standard error")?;
        if line.trim_start().starts_with("Summary [") {
            closing_line = Some(line.into_owned());
        }
    }
    let status = child.wait().with_context(|| format!("waiting for `{name}`"))?;
    Ok((status, closing_line))
}
