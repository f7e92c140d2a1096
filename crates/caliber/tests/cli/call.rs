//! Runs the program in a folder of its own and judges how it ended.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Address space that no run may pass, in KiB; what a report needs does not grow with it.
pub(crate) const MEMORY_KIB: u64 = 600 << 10;

/// A folder for one test.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[track_caller]
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs `caliber` with arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        Call::new(self, args).run()
    }

    /// Runs `caliber score --json` with arguments, which must do its work, and gives the summary.
    #[track_caller]
    pub(crate) fn score(&self, args: &[&str]) -> Value {
        let mut call = vec!["score", "--json"];
        call.extend(args);
        self.run(&call).done().document()
    }

    /// Runs `caliber score` in small memory, which must refuse its input, and gives the error.
    #[track_caller]
    pub(crate) fn refusal(&self, args: &[&str]) -> Value {
        let mut call = vec!["score", "--json"];
        call.extend(args);
        Call::new(self, &call).within_memory().run().error(2)
    }

    /// Writes a synthetic report: `platform channel`, rows, names, and further flags.
    #[track_caller]
    pub(crate) fn sample(&self, layout: &str, rows: u32, names: u32, file: &str, more: &[&str]) {
        let (platform, channel) = layout.split_once(' ').unwrap();
        let (rows, names) = (rows.to_string(), names.to_string());
        let mut args = vec!["sample", "--quiet", "--platform", platform, "--channel", channel];
        args.extend(["--rows", &rows, "--domains", &names, "--out", file]);
        args.extend(more);
        self.run(&args).done();
    }

    /// The files of a folder with their bytes, by name.
    pub(crate) fn files_in(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let bytes = if entry.path().is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
                (entry.file_name().into_string().unwrap(), bytes)
            })
            .collect();
        files.sort();
        files
    }
}

/// A run that is not yet started.
pub(crate) struct Call<'a> {
    place: &'a Place,
    args: Vec<String>,
    stdin: Stdio,
    environment: Vec<(String, String)>,
    /// Shell commands before the program takes the shell's place.
    before: String,
    stdout: Option<File>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(place: &'a Place, args: &[&str]) -> Self {
        Self {
            place,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            stdin: Stdio::null(),
            environment: Vec::new(),
            before: String::new(),
            stdout: None,
        }
    }

    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        self.stdin = file.into();
        self
    }

    /// Through a pipe that is written to while the program runs.
    pub(crate) fn piped(mut self) -> Self {
        self.stdin = Stdio::piped();
        self
    }

    pub(crate) fn stdout(mut self, file: File) -> Self {
        self.stdout = Some(file);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// In an address space that a report of any size fits in, and no zip bomb.
    pub(crate) fn within_memory(self) -> Self {
        self.after(&format!("ulimit -v {MEMORY_KIB}"))
    }

    /// On a disk where no file may grow beyond so many blocks of 512 bytes.
    pub(crate) fn within_file_size(self, blocks: u64) -> Self {
        self.after(&format!("trap '' XFSZ; ulimit -f {blocks}"))
    }

    /// After shell commands.
    pub(crate) fn after(mut self, commands: &str) -> Self {
        self.before.push_str(commands);
        self.before.push_str("; ");
        self
    }

    /// The command, its output going where it is told.
    pub(crate) fn command(self, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Command {
        let program = env!("CARGO_BIN_EXE_caliber");
        let mut command = if self.before.is_empty() {
            Command::new(program)
        } else {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("{}exec \"$0\" \"$@\"", self.before)).arg(program);
            // Arenas of unused address space would count.
            shell.env("MALLOC_ARENA_MAX", "1");
            shell
        };
        command.args(self.args).current_dir(self.place.root());
        command.env_remove("CALIBER_DATA").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command.envs(self.environment);
        command.stdin(self.stdin).stdout(stdout).stderr(stderr);
        command
    }

    pub(crate) fn run(mut self) -> Outcome {
        let call = self.args.join(" ");
        let output = match self.stdout.take() {
            Some(file) => self.command(file, Stdio::piped()).output(),
            None => self.command(Stdio::piped(), Stdio::piped()).output(),
        };
        Outcome::of(call, &output.unwrap())
    }
}

/// How a run ended.
pub(crate) struct Outcome {
    call: String,
    /// None where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn of(call: String, output: &std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let outcome = Self {
            call,
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        for word in ["panicked", "RUST_BACKTRACE", "memory allocation of"] {
            assert!(!outcome.stderr.contains(word), "{outcome}");
        }
        outcome
    }

    /// It must have done its work.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The error of a run under `--json`: the exit code, nothing on standard output, the whole shape, what to do.
    #[track_caller]
    pub(crate) fn error(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self}");
        assert_eq!(self.stdout, "", "{self}");
        let document: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self}"));
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&document), ["error"], "{self}");
        let error = document["error"].clone();
        assert_eq!(keys(&error), ["code", "message", "file", "line", "column", "help"], "{self}");
        // Who cancelled knows what to do.
        let said: &[&str] = if code == 130 { &["code", "message"] } else { &["code", "message", "help"] };
        for key in said {
            let key = *key;
            assert!(error[key].as_str().is_some_and(|text| !text.trim().is_empty()), "no {key}: {self}");
        }
        error
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "caliber {} ended with {:?}", self.call, self.code)?;
        let cut = |text: &str| text.chars().take(3000).collect::<String>();
        write!(f, "\n--- stdout\n{}\n--- stderr\n{}", cut(&self.stdout), cut(&self.stderr))
    }
}

/// An error's code and the file and line it names.
#[track_caller]
pub(crate) fn assert_error(error: &Value, code: &str, file: Option<&str>, line: Option<u64>) {
    assert_eq!(error["code"], code, "{error}");
    assert_eq!(error["file"].as_str(), file, "{error}");
    assert_eq!(error["line"].as_u64(), line, "{error}");
}

/// A text of an error that must hold all of some words.
#[track_caller]
pub(crate) fn assert_says(error: &Value, key: &str, words: &[&str]) {
    for word in words {
        assert!(error[key].as_str().unwrap().contains(word), "{key} lacks {word:?}: {error}");
    }
}

/// A report that the generic recipe scores: `Domain,Impressions,Spend,Clicks`, so many names, one row each.
pub(crate) fn plain_report(names: usize) -> String {
    let mut text = String::from("Domain,Impressions,Spend,Clicks\n");
    for name in 0..names {
        let impressions = 1000 + (name * 7919) % 5000;
        let (spend, clicks) = (1.0 + (name % 97) as f64 / 8.0, (name * 31) % 40);
        text.push_str(&format!("site{name:06}.example,{impressions},{spend},{clicks}\n"));
    }
    text
}

/// Asks for the recipe that a plain report can be scored with.
pub(crate) const GENERIC: [&str; 4] = ["--platform", "generic", "--channel", "display"];

/// Whether this user may write everywhere.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// Runs a program of the system, which must succeed.
pub(crate) fn system<S: AsRef<OsStr>>(program: &str, args: &[S]) -> bool {
    Command::new(program).args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
