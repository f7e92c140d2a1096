//! Bans in source text, names of files and their length.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Finding, relative};

/// Lines from which a file is too long, and from which it is said.
const TOO_LONG: usize = 700;
const LONG: usize = 500;

/// A word that must not stand in the code of a crate, tests and comments aside.
struct Ban {
    text: &'static str,
    why: &'static str,
    instead: &'static str,
}

const BANS: [Ban; 6] = [
    Ban {
        text: "#[allow(",
        why: "an allowed lint stays allowed when its reason is gone",
        instead: "`#[expect(lint, reason = \"...\")]`, which warns once it is not needed",
    },
    Ban {
        text: "#![allow(",
        why: "an allowed lint stays allowed when its reason is gone",
        instead: "`#![expect(lint, reason = \"...\")]`, which warns once it is not needed",
    },
    Ban {
        text: "todo!",
        why: "what is merged works",
        instead: "write it, or leave it out and say so in the issue",
    },
    Ban {
        text: "unimplemented!",
        why: "what is merged works",
        instead: "write it, or return an error that says what is not supported",
    },
    Ban {
        text: "dbg!",
        why: "it prints to everybody's terminal",
        instead: "take it out; a test keeps what was learnt",
    },
    Ban {
        text: ".unwrap()",
        why: "no input may panic",
        instead: "return an error with its code and help; where it cannot fail, `expect` with the invariant as its text",
    },
];

/// Folders at the root of one machine or another; a path below one is right on that machine only.
const MACHINE_FOLDERS: [&str; 4] = ["work", "root", "home", "Users"];

/// Names that say nothing about what a file holds.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "common", "helper", "helpers", "manager", "misc", "shared"];

/// Folders of sources, from the root on.
const PLACES: [&str; 5] = ["crates", "xtask", "fuzz", "bench", ".ci"];

/// Folders that hold nothing written by hand.
const SKIPPED: [&str; 8] =
    ["target", "node_modules", "artifacts", "corpus", "data", ".venv", "vendor", "__pycache__"];

/// Every source file against the rules.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut files = Vec::new();
    for place in PLACES {
        collect(&root.join(place), &mut files)?;
    }
    files.sort();
    let mut tests = Vec::new();
    let mut findings = Vec::new();
    for path in &files {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        tests.extend(test_modules(path, &text));
        findings.extend(name_and_length(root, path, &text));
    }
    for path in &files {
        if tests.iter().any(|test| path.starts_with(test) || path.with_extension("").starts_with(test)) {
            continue;
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let name = relative(root, path);
        if in_sources(&name) {
            findings.extend(banned(&name, &text));
        }
        findings.extend(machine_paths(&name, &text));
    }
    Ok(findings)
}

/// Files of code below `folder`; a folder that is not there holds none.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry.with_context(|| format!("listing {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs" || e == "py" || e == "sh")
            || folder.file_name().is_some_and(|name| name == ".ci")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// `crates/*/src/**/*.rs`, but for files that are tests by their name.
fn in_sources(name: &str) -> bool {
    let mut parts = name.split('/');
    let in_source_folder = parts.next() == Some("crates") && parts.nth(1) == Some("src");
    in_source_folder
        && Path::new(name).extension().is_some_and(|e| e == "rs")
        && !name.ends_with("/tests.rs")
        && !name.contains("/tests/")
}

/// Where the modules are that `#[cfg(test)] mod name;` declares, without an extension.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let is_root = path.file_stem().is_some_and(|stem| stem == "lib" || stem == "main" || stem == "mod");
    let folder = if is_root { path.parent().unwrap_or(path).to_path_buf() } else { path.with_extension("") };
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]").filter_map(|pair| {
        let (_, name) = pair[1].strip_suffix(';')?.rsplit_once("mod ")?;
        Some(folder.join(name))
    });
    declared.collect()
}

fn name_and_length(root: &Path, path: &Path, text: &str) -> Vec<Finding> {
    let name = relative(root, path);
    let mut findings = Vec::new();
    let words = name.split('/').map(|part| part.split('.').next().unwrap_or(part));
    if let Some(word) = words.into_iter().find(|word| EMPTY_NAMES.contains(word)) {
        findings.push(Finding::new(
            name.clone(),
            None,
            format!("the name `{word}` says nothing"),
            "a file is named after what it holds, so that it is found and does not swallow everything",
            "name it after the thing in it, or move its parts to those who use them",
        ));
    }
    let lines = text.lines().count();
    if lines > LONG {
        let finding = Finding::new(
            name,
            None,
            format!("{lines} lines"),
            "a file is read whole: past a few hundred lines it holds two things",
            format!("split it by what it holds; {LONG} lines are the aim, {TOO_LONG} the limit"),
        );
        findings.push(if lines > TOO_LONG { finding } else { finding.warning() });
    }
    findings
}

/// [`BANS`] in `text`.
fn banned(name: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code) in code_lines(text) {
        for ban in BANS.iter().filter(|ban| mentions(code, ban.text)) {
            findings.push(Finding::new(name, Some(line), format!("`{}`", ban.text), ban.why, ban.instead));
        }
    }
    findings
}

/// Paths that exist on one machine only. Comments count, tests do not.
fn machine_paths(name: &str, text: &str) -> Vec<Finding> {
    let test_files = name.contains("/tests/") || name.ends_with("/tests.rs");
    if test_files {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, code) in outside_tests(text) {
        for folder in MACHINE_FOLDERS.iter().filter(|folder| names_folder(code, folder)) {
            findings.push(Finding::new(
                name,
                Some(line),
                format!("a path below `/{folder}`"),
                "it is right on one machine only",
                "take it from an argument or the environment, or make it relative to the checkout",
            ));
        }
    }
    findings
}

/// `/folder/` that begins a path: what stands before it is no part of one.
fn names_folder(code: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-./}~:".contains(c))
    })
}

/// Whether `word` stands in `code` and is not the end of a longer name.
fn mentions(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !(word.starts_with(char::is_alphabetic) && before.is_some_and(|c| c.is_alphanumeric() || c == '_'))
    })
}

/// Numbered lines outside tests, their comments cut off.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    outside_tests(text).map(|(number, line)| {
        let comment = line.match_indices("//").map(|(at, _)| at).find(|&at| !line[..at].ends_with(':'));
        (number, comment.map_or(line, |at| &line[..at]))
    })
}

/// Numbered lines outside what `#[cfg(test)]` marks. rustfmt keeps the closing brace under the item's first letter,
/// so an item ends at the first line that is as little indented and closes it.
fn outside_tests(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside: Option<usize> = None;
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(move |(_, line)| {
        let indent = line.len() - line.trim_start().len();
        match inside {
            None if line.trim_start().starts_with("#[cfg(test)]") => {
                inside = Some(indent);
                false
            }
            None => true,
            Some(start) => {
                let ends = indent == start && (line.trim_end().ends_with(['}', ';']));
                if ends {
                    inside = None;
                }
                false
            }
        }
    })
}
