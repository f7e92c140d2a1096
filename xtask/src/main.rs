//! Chores of the workspace: `cargo xtask <chore>`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the terminal")]

mod assets;
mod bench;
mod documents;
mod load;
mod metadata;
mod needs;
mod postgres;
mod run;
mod soak;
mod test;
mod tidy;
mod vendored;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what the tests need, then run all of them
    Test(test::Arguments),
    /// Check layering, lints, file sizes, banned patterns and the paths that the documents print
    Tidy(tidy::Arguments),
    /// Long runs that no commit waits for
    Soak(soak::Arguments),
    /// Time `caliber` beside Polars, DuckDB and pandas
    Bench(bench::Arguments),
    /// Page through the results of a running server, and say how long it takes
    Load(load::Arguments),
    /// Run a command beside a PostgreSQL server of its own
    Postgres(postgres::Arguments),
    /// Write the documents that are made from the code: docs/openapi.json, docs/permissions.md
    Documents,
    /// Bring styles, scripts and fonts of the pages from npm, as assets.toml lists them
    Assets(assets::Arguments),
    /// Install the named tools where they are missing
    Need(needs::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Test(arguments) => test::run(&arguments),
        Chore::Tidy(arguments) => tidy::run(&arguments),
        Chore::Soak(arguments) => soak::run(&arguments),
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Load(arguments) => load::run(&arguments),
        Chore::Postgres(arguments) => postgres::run(&arguments),
        Chore::Documents => documents::run(),
        Chore::Assets(arguments) => assets::run(&arguments),
        Chore::Need(arguments) => needs::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// The root of the workspace that cargo runs this chore in. Asked at run time: two checkouts that share a target folder
/// share the binary too, and the path built into it is only right for one of them.
fn workspace_root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}
