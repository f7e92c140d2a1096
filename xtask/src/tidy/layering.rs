//! Which crate may depend on which, and that each follows the workspace's lints.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Finding, relative};
use crate::metadata::{self, Package};
use crate::run;

/// What a crate may depend on.
enum May {
    Only(&'static [&'static str]),
    Anything,
}

/// A row of the map in ARCHITECTURE.md.
struct Layer {
    name: &'static str,
    may: May,
}

/// The direction of dependencies. A crate that is not here is a finding: it has no place yet.
const LAYERS: [Layer; 13] = [
    Layer { name: "caliber-engine", may: May::Only(&[]) },
    Layer { name: "caliber-sample", may: May::Only(&[]) },
    Layer { name: "caliber-store", may: May::Only(&[]) },
    Layer { name: "caliber-llm", may: May::Only(&[]) },
    Layer { name: "caliber-analysis", may: May::Only(&["caliber-engine"]) },
    Layer { name: "caliber-reports", may: May::Only(&["caliber-engine"]) },
    Layer { name: "caliber-pdf", may: May::Only(&["caliber-analysis", "caliber-engine", "caliber-reports"]) },
    Layer { name: "caliber-cluster", may: May::Only(&["caliber-engine"]) },
    Layer {
        name: "caliber-platform",
        may: May::Only(&[
            "caliber-analysis",
            "caliber-engine",
            "caliber-llm",
            "caliber-pdf",
            "caliber-reports",
            "caliber-store",
        ]),
    },
    Layer { name: "caliber-server", may: May::Only(&["caliber-platform"]) },
    Layer { name: "caliber", may: May::Anything },
    Layer { name: "caliber-testing", may: May::Anything },
    Layer { name: "xtask", may: May::Only(&[]) },
];

/// Crates that exist for tests: anyone's dev-dependency, nobody's other one (but the binary's, which has
/// `caliber sample`).
const FOR_TESTS: [&str; 2] = ["caliber-sample", "caliber-testing"];

/// Crates that the engine, its tests included, must build without, each with all that begins with its name.
const HEAVY: [&str; 9] =
    ["axum", "datafusion", "diesel", "hyper", "reqwest", "sea-orm", "sqlx", "tokio", "typst"];

const DIRECTION: &str = "dependencies point one way (ARCHITECTURE.md); the engine knows nobody";
const LIGHT_ENGINE: &str = "whoever changes a scoring rule waits for the engine's crate and its tests only, so they stay light and synchronous";

/// Dependencies between the crates, what the engine builds with, and the lints of each crate.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let members = metadata::read(root)?.packages;
    let mut findings = Vec::new();
    for package in &members {
        findings.extend(wrong_dependencies(root, package, &members));
        findings.extend(own_lints(root, package)?);
    }
    if members.iter().any(|package| package.name == "caliber-engine") {
        findings.extend(heavy_engine(root)?);
    }
    Ok(findings)
}

/// Dependencies of `package` on crates of the workspace that its layer does not allow.
fn wrong_dependencies(root: &Path, package: &Package, members: &[Package]) -> Vec<Finding> {
    let manifest = relative(root, &package.manifest_path);
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
        return vec![Finding::new(
            manifest,
            None,
            format!("the crate `{}` has no place in the layering", package.name),
            DIRECTION,
            "give it a row in xtask/src/tidy/layering.rs and in ARCHITECTURE.md, or move its code into a crate that has one",
        )];
    };
    let May::Only(allowed) = layer.may else { return Vec::new() };
    let wrong = package.dependencies.iter().filter(|dependency| {
        let name = dependency.name.as_str();
        let test_only = dependency.kind.as_deref() == Some("dev") && FOR_TESTS.contains(&name);
        members.iter().any(|member| member.name == name) && !allowed.contains(&name) && !test_only
    });
    wrong
        .map(|dependency| {
            let may =
                if allowed.is_empty() { "no crate of the workspace".into() } else { allowed.join(", ") };
            Finding::new(
                manifest.clone(),
                None,
                format!("`{}` depends on `{}`", package.name, dependency.name),
                DIRECTION,
                format!("it may depend on {may}; pass in what it needs, or move the code to the crate above"),
            )
        })
        .collect()
}

/// A crate that does not take the workspace's lints.
fn own_lints(root: &Path, package: &Package) -> Result<Option<Finding>> {
    let path = &package.manifest_path;
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let manifest: toml::Table = text.parse().with_context(|| format!("parsing {}", path.display()))?;
    let inherits =
        manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    Ok((inherits != Some(true)).then(|| {
        Finding::new(
            relative(root, path),
            None,
            "does not inherit the lints of the workspace",
            "one set of lints, with its reasons, stands in the root Cargo.toml",
            "add `[lints]` with `workspace = true`",
        )
    }))
}

/// Heavy crates anywhere below the engine, its tests included. `cargo tree` and not the metadata's graph: that one
/// unites the features of the whole workspace, so another crate's feature would be laid to the engine.
fn heavy_engine(root: &Path) -> Result<Vec<Finding>> {
    let tree = run::output(run::cargo().current_dir(root).args([
        "tree",
        "--package",
        "caliber-engine",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let found: BTreeSet<_> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| heavy(name)).collect();
    Ok(found
        .into_iter()
        .map(|name| {
            Finding::new(
                "crates/caliber-engine/Cargo.toml",
                None,
                format!("`caliber-engine` builds with `{name}`"),
                LIGHT_ENGINE,
                format!("`cargo tree -p caliber-engine -i {name}` shows the way in; turn the feature off, or move what needs it out"),
            )
        })
        .collect())
}

/// Whether the crate is one of [`HEAVY`] or of its family (`typst-library`).
fn heavy(name: &str) -> bool {
    HEAVY
        .iter()
        .any(|heavy| name.strip_prefix(heavy).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
}
