//! One run of one program: its wall time and its peak memory.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use wait4::Wait4;

use crate::run;

/// What one run took.
#[derive(Clone)]
pub(super) struct Measured {
    /// From before the process is started to after it has ended, seconds.
    pub(super) wall_s: f64,
    /// Peak resident memory of the process, bytes, as the kernel counts it.
    pub(super) peak_bytes: u64,
    /// What a peer says of itself.
    pub(super) said: Option<Said>,
}

/// A peer's line on standard error.
#[derive(Clone, Deserialize)]
pub(super) struct Said {
    pub(super) tool: String,
    pub(super) version: String,
    /// Seconds without interpreter and imports.
    pub(super) after_import_s: f64,
}

/// Runs to the end; an error if the program fails.
pub(super) fn measure(command: &mut Command) -> Result<Measured> {
    let name = run::shown(command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("starting `{name}`"))?;
    let mut printed = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut printed).with_context(|| format!("reading what `{name}` prints"))?;
    }
    let ended = child.wait4().with_context(|| format!("waiting for `{name}`"))?;
    let wall_s = started.elapsed().as_secs_f64();
    if !ended.status.success() {
        bail!("`{name}` failed: {}\n{printed}", ended.status);
    }
    let said = printed.lines().rev().find_map(|line| serde_json::from_str(line).ok());
    Ok(Measured { wall_s, peak_bytes: ended.rusage.maxrss, said })
}
