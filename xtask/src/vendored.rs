//! What the pages and their tests take from elsewhere: which packages and files, and the hashes of what is committed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Where it stands, from the root of the workspace: what is built into the program, and what only its tests take.
pub(crate) const FOLDERS: [&str; 2] =
    ["crates/caliber-server/assets/vendor", "crates/caliber/tests/service/browser/vendor"];
/// What is wanted.
const MANIFEST: &str = "assets.toml";
/// What is there: `<sha256>  <path>`, a line a file, as `sha256sum` writes and checks it.
const HASHES: &str = "SHA256SUMS";
/// The file that a package's `sprite` makes.
pub(crate) const SPRITE: &str = "icons.svg";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) package: Vec<Package>,
}

/// A package of npm, and what is taken from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As SPDX says it.
    pub(crate) license: String,
    /// Below one of [`FOLDERS`].
    pub(crate) folder: String,
    /// Paths in the package; only their last part is kept.
    pub(crate) files: Vec<String>,
    /// Icons that go into one file, [`SPRITE`].
    #[serde(default)]
    pub(crate) sprite: Vec<String>,
}

impl Manifest {
    /// That of one of [`FOLDERS`], found.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("parsing {}", path.display()))
    }

    /// Every file that must be there, from the manifest's folder on.
    pub(crate) fn files(&self) -> Vec<String> {
        let of = |package: &Package| {
            let sprite = (!package.sprite.is_empty()).then(|| SPRITE.to_owned());
            let names = package.files.iter().map(|path| last(path).to_owned()).chain(sprite);
            names.map(|name| format!("{}/{name}", package.folder)).collect::<Vec<_>>()
        };
        self.package.iter().flat_map(of).collect()
    }
}

/// The last part of a path.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The hash of each file as it was brought.
pub(crate) fn recorded(folder: &Path) -> Result<BTreeMap<String, String>> {
    let path = hashes(folder);
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    Ok(lines.map(|(hash, path)| (path.to_owned(), hash.to_owned())).collect())
}

/// Writes down the hash of each file as it is.
pub(crate) fn record(folder: &Path, files: &[String]) -> Result<()> {
    let mut lines = Vec::new();
    for file in files {
        lines.push(format!("{}  {file}\n", hash(&folder.join(file))?));
    }
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    std::fs::write(hashes(folder), lines.concat()).context("writing the hashes")
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn hash(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(hex::encode(Sha256::digest(&bytes)))
}

fn hashes(folder: &Path) -> PathBuf {
    folder.join(HASHES)
}
