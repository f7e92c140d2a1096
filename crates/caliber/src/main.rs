//! The command line.

mod commands;
mod environment;
mod service;
mod settings;
mod terminal;

use std::process::ExitCode;

use caliber_engine::{Code, Error};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::commands::{
    compare, doctor, explain, inspect, lists, migrate, outliers, recipes, report, sample, score, serve,
    settings as settings_command, user, weights, what_if, worker, xls_sheet,
};
use crate::terminal::Terminal;

/// Where flags of every command stand in the help of each: below its own.
const LAST: usize = 900;

/// Scores the domains and supply vendors of a programmatic campaign.
#[derive(Parser)]
#[command(name = "caliber", version, max_term_width = 110, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print the answer as one JSON document, and errors as JSON on standard error
    #[arg(long, global = true, display_order = LAST)]
    json: bool,
    /// Print errors only
    #[arg(long, short, global = true, display_order = LAST + 1)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    Score(score::Args),
    Inspect(inspect::Args),
    Report(report::Args),
    Lists(lists::Args),
    Explain(explain::Args),
    Compare(compare::Args),
    Outliers(outliers::Args),
    Weights(weights::Args),
    WhatIf(what_if::Args),
    Recipes(recipes::Args),
    Sample(sample::Args),
    Serve(serve::Args),
    Worker(worker::Args),
    Migrate(migrate::Args),
    User(user::Args),
    Settings(settings_command::Args),
    Doctor(doctor::Args),
    #[command(hide = true, name = xls_sheet::SUBCOMMAND)]
    XlsSheet(xls_sheet::Args),
}

impl Command {
    /// Whether the command reads the settings, which then warn of unknown names themselves.
    fn reads_settings(&self) -> bool {
        matches!(
            self,
            Self::Serve(_)
                | Self::Worker(_)
                | Self::Migrate(_)
                | Self::User(_)
                | Self::Settings(_)
                | Self::Doctor(_)
                | Self::XlsSheet(_)
        )
    }
}

fn main() -> ExitCode {
    keep_caught_panics_quiet();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let terminal = Terminal { json: cli.json, quiet: cli.quiet };
    if !cli.command.reads_settings() {
        environment::warn_of_unknown(terminal);
    }
    let outcome = match cli.command {
        Command::Score(args) => score::run(&args, terminal),
        Command::Inspect(args) => inspect::run(args, terminal),
        Command::Report(args) => report::run(&args, terminal),
        Command::Lists(args) => lists::run(&args, terminal),
        Command::Explain(args) => explain::run(&args, terminal),
        Command::Compare(args) => compare::run(&args, terminal),
        Command::Outliers(args) => outliers::run(&args, terminal),
        Command::Weights(args) => weights::run(args, terminal),
        Command::WhatIf(args) => what_if::run(&args, terminal),
        Command::Recipes(args) => recipes::run(args, terminal),
        Command::Sample(args) => sample::run(args, terminal),
        Command::Serve(args) => serve::run(&args, terminal),
        Command::Worker(args) => worker::run(&args, terminal),
        Command::Migrate(args) => migrate::run(&args, terminal),
        Command::User(args) => user::run(&args, terminal),
        Command::Settings(args) => settings_command::run(&args, terminal),
        Command::Doctor(args) => doctor::run(&args, terminal),
        Command::XlsSheet(args) => return xls_sheet::main(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            exit_code(&error)
        }
    }
}

/// The writer of workbooks panics where its temporary file cannot grow. That is caught and said as an error; the
/// panic's own words would only frighten.
fn keep_caught_panics_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_caught = panic.location().is_some_and(|place| place.file().contains("rust_xlsxwriter"));
        if !is_caught {
            usual(panic);
        }
    }));
}

fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(match error.code {
        Code::Cancelled => 130,
        code if code.is_input() => 2,
        _ => 1,
    })
}

/// Help and version are answers; everything else that clap says is a misuse.
fn misused(error: &clap::Error) -> ExitCode {
    let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !is_answer && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        // Up to the first blank line: what is missing stands in lines of its own.
        let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let message = lines.join(" ").trim_start_matches("error: ").to_owned();
        let error = Error::new(Code::BadOption, message).help("`caliber --help` shows the options");
        Terminal { json: true, quiet: false }.error(&error);
        return exit_code(&error);
    }
    // Nothing can be said where even this cannot be printed.
    let _ = error.print();
    if is_answer { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
