//! Whether what the pages take from elsewhere is what was brought.

use std::path::Path;

use anyhow::Result;

use super::Finding;
use crate::vendored::{self, FOLDER, Manifest};

const AS_BROUGHT: &str =
    "what others wrote stays as they published it, so that it can be checked and replaced";

/// Files that are missing, changed, or brought by nobody.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    if !root.join(FOLDER).join("assets.toml").exists() {
        return Ok(Vec::new());
    }
    let wanted = Manifest::read(root)?.files();
    let recorded = vendored::recorded(root)?;
    let mut findings = Vec::new();
    for file in wanted.iter().chain(recorded.keys().filter(|file| !wanted.contains(file))) {
        let path = root.join(FOLDER).join(file);
        let is_as_brought = path.exists()
            && wanted.contains(file)
            && recorded.get(file).is_some_and(|hash| vendored::hash(&path).is_ok_and(|found| found == *hash));
        if !is_as_brought {
            findings.push(Finding::new(
                format!("{FOLDER}/{file}"),
                None,
                "is not the file that assets.toml and SHA256SUMS speak of",
                AS_BROUGHT,
                "run `cargo xtask assets`",
            ));
        }
    }
    Ok(findings)
}
