//! Paths that the documents print: a map with a wrong road is worse than none.

use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

/// Documents at the root whose paths are checked.
const DOCUMENTS: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Characters that end a path in running text.
const ENDS: &str = " \t\"'`()[],;|<>{}*";

/// Paths in the documents that lead nowhere.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let ignored = ignored(root);
    let folders = top_folders(root)?;
    for document in DOCUMENTS {
        let path = root.join(document);
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {document}"))?;
        for (index, line) in text.lines().enumerate() {
            for target in printed_paths(line, &folders).chain(linked_paths(line)) {
                let made_later = ignored.iter().any(|prefix| target.starts_with(prefix.as_str()));
                if made_later || root.join(target).exists() {
                    continue;
                }
                findings.push(Finding::new(
                    document,
                    Some(index + 1),
                    format!("`{target}` does not exist"),
                    "a newcomer follows it",
                    "print the path as it is now, or take it out",
                ));
            }
        }
    }
    Ok(findings)
}

/// Folders at the root, each with a `/` behind: what begins with one is meant as a path from there.
fn top_folders(root: &Path) -> Result<Vec<String>> {
    let mut folders = vec!["crates/".to_owned(), "docs/".to_owned()];
    for entry in std::fs::read_dir(root).with_context(|| format!("listing {}", root.display()))? {
        let entry = entry.with_context(|| format!("listing {}", root.display()))?;
        if entry.path().is_dir() {
            folders.push(format!("{}/", entry.file_name().to_string_lossy()));
        }
    }
    Ok(folders)
}

/// What version control leaves out: made by a run, so absent from a fresh clone.
fn ignored(root: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix('/')).map(str::to_owned).collect()
}

/// Words of `line` that begin with a folder of the root, up to the first placeholder (`*`, `<name>`).
fn printed_paths<'a>(line: &'a str, folders: &'a [String]) -> impl Iterator<Item = &'a str> {
    let mut words = Vec::new();
    for (at, _) in line.char_indices() {
        let begins = line[..at].chars().next_back().is_none_or(|c| ENDS.contains(c));
        if !begins || !folders.iter().any(|folder| line[at..].starts_with(folder.as_str())) {
            continue;
        }
        let rest = &line[at..];
        let end = rest.find(|c| ENDS.contains(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        let placeholder = rest[end..].starts_with(['*', '<', '{']) || word.contains("...");
        let known = if placeholder { word.rfind('/').map_or(word, |slash| &word[..slash]) } else { word };
        words.push(known.trim_end_matches(['.', ':', '?', '!']));
    }
    words.into_iter()
}

/// Targets of Markdown links inside the checkout, without their anchors.
fn linked_paths(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, opening)| {
        let rest = &line[at + opening.len()..];
        let target = &rest[..rest.find(')')?];
        let target = target.split('#').next().unwrap_or(target);
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}
