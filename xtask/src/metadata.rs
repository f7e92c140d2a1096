//! What cargo says of the workspace: the part of `cargo metadata` that the chores read.
//!
//! Read here and not by the `cargo_metadata` crate, whose feature of `serde_json` would be built into `caliber` wherever
//! both are built at once.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run;

#[derive(Deserialize)]
pub(crate) struct Metadata {
    /// The crates of the workspace.
    pub(crate) packages: Vec<Package>,
    /// Where cargo builds.
    pub(crate) target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    /// As the manifest declares them.
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or none for an ordinary one.
    pub(crate) kind: Option<String>,
}

/// Of the workspace at `root`, dependencies not resolved.
pub(crate) fn read(root: &Path) -> Result<Metadata> {
    let mut command = run::cargo();
    command.current_dir(root).args(["metadata", "--format-version", "1", "--no-deps"]);
    let json = run::output(&mut command)?;
    serde_json::from_str(&json).context("reading what `cargo metadata` prints")
}
