//! `cargo xtask tidy`: what the compiler does not see. Each finding says why it is one and what to do instead.

mod assets;
mod documents;
mod layering;
mod sources;
mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace_root;

/// Flags of `cargo xtask tidy`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The workspace to check, this one unless given
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// One thing that is not as it should be.
struct Finding {
    /// The file, relative to the root.
    path: String,
    /// 1-based.
    line: Option<usize>,
    what: String,
    why: &'static str,
    instead: String,
    /// Said, but no failure.
    warning: bool,
}

impl Finding {
    fn new(
        path: impl Into<String>,
        line: Option<usize>,
        what: impl Into<String>,
        why: &'static str,
        instead: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), line, what: what.into(), why, instead: instead.into(), warning: false }
    }

    fn warning(self) -> Self {
        Self { warning: true, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning" } else { "error" };
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        writeln!(f, "{kind}: {}{line}: {}", self.path, self.what)?;
        writeln!(f, "  why: {}", self.why)?;
        write!(f, "  instead: {}", self.instead)
    }
}

/// Prints what is found; fails if any of it is more than a warning.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = arguments.root.clone().unwrap_or_else(workspace_root);
    let mut findings = layering::check(&root)?;
    findings.extend(sources::check(&root)?);
    findings.extend(documents::check(&root)?);
    findings.extend(assets::check(&root)?);
    findings.sort_by(|a, b| (a.warning, &a.path, a.line).cmp(&(b.warning, &b.path, b.line)));
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| !finding.warning).count();
    println!("tidy: {errors} errors, {} warnings", findings.len() - errors);
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `path` from `root` on, with `/` between.
fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
