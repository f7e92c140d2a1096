//! Banned phrases, paths of one machine, names of files and their length.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::tokens::{self, Scan, Word};
use super::{Finding, relative};

/// Lines from which a file is too long, and from which it is said.
const TOO_LONG: usize = 700;
const LONG: usize = 500;

/// A phrase that must not stand in the code of a crate, tests aside.
struct Ban {
    shown: &'static str,
    phrase: &'static [Word],
    why: &'static str,
    instead: &'static str,
}

const ALLOWED_FOR_EVER: &str = "an allowed lint stays allowed when its reason is gone";
const MERGED_WORKS: &str = "what is merged works";

const BANS: [Ban; 6] = [
    Ban {
        shown: "#[allow(",
        phrase: &[Word::Is("#"), Word::Attribute("allow")],
        why: ALLOWED_FOR_EVER,
        instead: "`#[expect(lint, reason = \"...\")]`, which warns once it is not needed",
    },
    Ban {
        shown: "#![allow(",
        phrase: &[Word::Is("#"), Word::Is("!"), Word::Attribute("allow")],
        why: ALLOWED_FOR_EVER,
        instead: "`#![expect(lint, reason = \"...\")]`, which warns once it is not needed",
    },
    Ban {
        shown: "todo!",
        phrase: &[Word::Is("todo"), Word::Is("!"), Word::Group],
        why: MERGED_WORKS,
        instead: "write it, or leave it out and say so in the issue",
    },
    Ban {
        shown: "unimplemented!",
        phrase: &[Word::Is("unimplemented"), Word::Is("!"), Word::Group],
        why: MERGED_WORKS,
        instead: "write it, or return an error that says what is not supported",
    },
    Ban {
        shown: "dbg!",
        phrase: &[Word::Is("dbg"), Word::Is("!"), Word::Group],
        why: "it prints to everybody's terminal",
        instead: "take it out; a test keeps what was learnt",
    },
    Ban {
        shown: ".unwrap()",
        phrase: &[Word::Is("."), Word::Is("unwrap"), Word::EmptyParentheses],
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

/// A source file as read.
struct Source {
    path: PathBuf,
    /// From the root on.
    name: String,
    text: String,
    scan: Scan,
}

impl Source {
    fn read(root: &Path, path: PathBuf) -> Result<Self> {
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        let phrases = BANS.each_ref().map(|ban| ban.phrase);
        let scan = if is_rust { tokens::scan(&text, &phrases) } else { Ok(Scan::default()) };
        let scan = scan.map_err(|error| anyhow!("reading {} as Rust: {error}", path.display()))?;
        Ok(Self { name: relative(root, &path), path, text, scan })
    }

    /// Where the modules are that `#[cfg(test)] mod name;` declares, without an extension.
    fn test_modules(&self) -> impl Iterator<Item = PathBuf> {
        let is_root =
            self.path.file_stem().is_some_and(|stem| stem == "lib" || stem == "main" || stem == "mod");
        let folder = if is_root { self.path.with_file_name("") } else { self.path.with_extension("") };
        self.scan.test_modules.iter().map(move |name| folder.join(name))
    }
}

/// Every source file against the rules.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut files = Vec::new();
    for place in PLACES {
        collect(&root.join(place), &mut files)?;
    }
    let sources = files.into_iter().map(|path| Source::read(root, path)).collect::<Result<Vec<_>>>()?;
    let tests: Vec<_> = sources.iter().flat_map(Source::test_modules).collect();
    let mut findings = Vec::new();
    for source in &sources {
        findings.extend(name_and_length(source));
        let by_name = source.name.contains("/tests/") || source.name.ends_with("/tests.rs");
        let by_module = tests.iter().any(|test| source.path.with_extension("").starts_with(test));
        if by_name || by_module {
            continue;
        }
        findings.extend(machine_paths(source));
        if in_crate_sources(&source.name) {
            findings.extend(banned(source));
        }
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

/// `crates/*/src/...`.
fn in_crate_sources(name: &str) -> bool {
    let mut parts = name.split('/');
    parts.next() == Some("crates") && parts.nth(1) == Some("src")
}

fn name_and_length(source: &Source) -> Vec<Finding> {
    let name = &source.name;
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
    let lines = source.text.lines().count();
    if lines > LONG {
        let finding = Finding::new(
            name.clone(),
            None,
            format!("{lines} lines"),
            "a file is read whole: past a few hundred lines it holds two things",
            format!("split it by what it holds; {LONG} lines are the aim, {TOO_LONG} the limit"),
        );
        findings.push(if lines > TOO_LONG { finding } else { finding.warning() });
    }
    findings
}

/// [`BANS`] in the file.
fn banned(source: &Source) -> impl Iterator<Item = Finding> {
    let found = source.scan.banned.iter().filter_map(|&(line, index)| Some((line, BANS.get(index)?)));
    found.map(|(line, ban)| {
        Finding::new(source.name.clone(), Some(line), format!("`{}`", ban.shown), ban.why, ban.instead)
    })
}

/// Paths that exist on one machine only. Comments and strings count, tests do not.
fn machine_paths(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code) in source.text.lines().enumerate().map(|(index, code)| (index + 1, code)) {
        if source.scan.tests.iter().any(|lines| lines.contains(&line)) {
            continue;
        }
        for folder in MACHINE_FOLDERS.iter().filter(|folder| names_folder(code, folder)) {
            findings.push(Finding::new(
                source.name.clone(),
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
