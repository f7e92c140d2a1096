//! Whether what the pages and their tests take from elsewhere is what was brought.

use std::path::Path;

use anyhow::Result;

use super::Finding;
use crate::vendored::{self, FOLDERS, Manifest};

const AS_BROUGHT: &str =
    "what others wrote stays as they published it, so that it can be checked and replaced";

/// Files that are missing, changed, or brought by nobody.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for folder in FOLDERS.into_iter().filter(|folder| root.join(folder).join("assets.toml").exists()) {
        check_folder(root, folder, &mut findings)?;
    }
    Ok(findings)
}

fn check_folder(root: &Path, folder: &str, findings: &mut Vec<Finding>) -> Result<()> {
    let wanted = Manifest::read(&root.join(folder))?.files();
    let recorded = vendored::recorded(&root.join(folder))?;
    for file in wanted.iter().chain(recorded.keys().filter(|file| !wanted.contains(file))) {
        let path = root.join(folder).join(file);
        let is_as_brought = path.exists()
            && wanted.contains(file)
            && recorded.get(file).is_some_and(|hash| vendored::hash(&path).is_ok_and(|found| found == *hash));
        if !is_as_brought {
            findings.push(Finding::new(
                format!("{folder}/{file}"),
                None,
                "is not the file that assets.toml and SHA256SUMS speak of",
                AS_BROUGHT,
                "run `cargo xtask assets`",
            ));
        }
    }
    Ok(())
}
