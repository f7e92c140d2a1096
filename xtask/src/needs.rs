//! What the chores need that a Rust toolchain does not bring: how it is recognised and how it is installed.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::{postgres, run};

/// Flags of `cargo xtask need`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tools by name; none lists them
    names: Vec<String>,
}

/// A tool, a service or a library outside the toolchain.
pub(crate) struct Need {
    /// What it is called on the command line of `cargo xtask need`.
    pub(crate) name: &'static str,
    /// What it is for.
    purpose: &'static str,
    detect: Detect,
    /// Commands that install it, one after the other; also what a person is told to type.
    install: &'static [&'static [&'static str]],
    /// Whether a chore may install it unasked: what the README's command for the tests says it installs.
    unasked: bool,
}

/// How it is recognised.
enum Detect {
    /// A command that succeeds where it is installed.
    Command(&'static [&'static str]),
    /// Where looking needs more than that.
    Look(fn() -> bool),
}

/// Everything known. Versions are pinned: what passed today passes on a new machine tomorrow.
static NEEDS: [Need; 7] = [
    Need {
        name: "cargo-nextest",
        purpose: "runs the tests",
        detect: Detect::Command(&["cargo", "nextest", "--version"]),
        install: &[&["cargo", "install", "cargo-nextest", "--locked", "--version", "0.9.151"]],
        unasked: true,
    },
    Need {
        name: "cargo-deny",
        purpose: "checks licences, bans and sources of dependencies",
        detect: Detect::Command(&["cargo", "deny", "--version"]),
        install: &[&["cargo", "install", "cargo-deny", "--locked", "--version", "0.20.2"]],
        unasked: true,
    },
    Need {
        name: "cargo-fuzz",
        purpose: "runs the fuzz targets",
        detect: Detect::Command(&["cargo", "fuzz", "--version"]),
        install: &[&["cargo", "install", "cargo-fuzz", "--locked", "--version", "0.13.2"]],
        unasked: true,
    },
    Need {
        name: "postgresql",
        purpose: "is the database that half of the tests of the store and the service run on",
        detect: Detect::Look(postgres::installed),
        install: &[&["apt-get", "update"], &["apt-get", "install", "--yes", "postgresql"]],
        unasked: true,
    },
    Need {
        name: "fonts",
        purpose: "are what the PDF takes for Chinese, Japanese and Arabic names",
        detect: Detect::Look(fonts_installed),
        install: &[
            &["apt-get", "update"],
            &[
                "apt-get",
                "install",
                "--yes",
                "--no-install-recommends",
                "fonts-droid-fallback",
                "fonts-hosny-amiri",
            ],
        ],
        unasked: true,
    },
    Need {
        name: "chromium",
        purpose: "is the browser that the tests drive through the pages, with chromedriver",
        detect: Detect::Look(|| {
            run::answers("chromedriver", &["--version"]) && run::answers("chromium", &["--version"])
        }),
        install: &[
            &["apt-get", "update"],
            &["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"],
        ],
        unasked: true,
    },
    Need {
        name: "python3-venv",
        purpose: "holds the peers of the benchmark",
        detect: Detect::Command(&["python3", "-c", "import venv, ensurepip"]),
        install: &[&["apt-get", "install", "--yes", "python3-venv"]],
        unasked: false,
    },
];

/// What the tests need.
pub(crate) const TESTS: &[&str] = &["cargo-nextest", "postgresql", "fonts", "chromium"];

/// Whether there are fonts for scripts that the PDF's own fonts lack. Other systems than Linux bring them.
fn fonts_installed() -> bool {
    let fonts = ["truetype/droid/DroidSansFallbackFull.ttf", "opentype/fonts-hosny-amiri/Amiri-Regular.ttf"];
    !cfg!(target_os = "linux") || fonts.iter().all(|font| Path::new("/usr/share/fonts").join(font).is_file())
}

impl Need {
    fn present(&self) -> bool {
        match self.detect {
            Detect::Command(command) => {
                command.split_first().is_some_and(|(program, arguments)| run::answers(program, arguments))
            }
            Detect::Look(look) => look(),
        }
    }

    fn install_line(&self) -> String {
        self.install.iter().map(|command| command.join(" ")).collect::<Vec<_>>().join(" && ")
    }

    fn install(&self) -> Result<()> {
        eprintln!("{} is missing; installing it: {}", self.name, self.install_line());
        let mut commands = self.install.iter().filter_map(|command| command.split_first());
        let done =
            commands.try_for_each(|(program, arguments)| run::succeed(Command::new(program).args(arguments)));
        if done.is_ok() && self.present() {
            return Ok(());
        }
        let why = done.err().map_or_else(|| "it still does not answer".to_owned(), |e| format!("{e:#}"));
        bail!(
            "{} ({}) could not be installed: {why}\n  install it with: {}",
            self.name,
            self.purpose,
            self.install_line()
        );
    }
}

/// Installs what of `names` is missing; an error that says the line to type where that cannot be done.
pub(crate) fn ensure(names: &[&str]) -> Result<()> {
    for name in names {
        let Some(need) = NEEDS.iter().find(|need| need.name == *name) else {
            let known: Vec<_> = NEEDS.iter().map(|need| need.name).collect();
            bail!("`{name}` is no known need; known are {}", known.join(", "));
        };
        if need.present() {
            continue;
        }
        if !need.unasked {
            bail!("{} ({}) is missing\n  install it with: {}", need.name, need.purpose, need.install_line());
        }
        need.install()?;
    }
    Ok(())
}

/// Installs the named tools, or lists all with their state.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.names.is_empty() {
        for need in &NEEDS {
            let state = if need.present() { "present" } else { "missing" };
            println!("{:14} {state:8} {}; {}", need.name, need.purpose, need.install_line());
        }
    }
    ensure(&arguments.names.iter().map(String::as_str).collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}
