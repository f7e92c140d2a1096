//! `caliber weights`: the weights that the rows of a run suggest, or that a search finds.

mod text;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use caliber_analysis::weights::{
    DEFAULT_FOLDS, Method, OptimizeOptions, Options, Search, learn, learned_recipe, optimize,
};
use caliber_analysis::{ByMetric, DEFAULT_SEED};
use caliber_engine::{Code, Error, Result, parallel};
use clap::Subcommand;

use super::run::{RunArgs, ScoredRun, Weights, refused, weights};
use super::timing::Timing;
use crate::terminal::Terminal;

/// Learn weights from the rows of a run, or search for the best
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv && caliber weights report-caliber --target conversion_rate"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    learn: LearnArgs,
}

#[derive(Subcommand)]
enum Action {
    /// Search for the weights whose score follows a target best, judged on rows that the search has not seen
    #[command(
        after_help = "Example:\n  caliber sample --platform trade_desk --channel display --out report.csv && caliber score report.csv && caliber weights optimize report-caliber --target conversion_rate"
    )]
    Optimize(OptimizeArgs),
}

#[derive(clap::Args)]
struct LearnArgs {
    /// Results of `caliber score`: results.parquet, results.csv, or the folder that holds them
    #[arg(value_name = "RESULTS", required = true)]
    results: Option<PathBuf>,
    /// Column of the results that the weights are to follow, as in `conversion_rate`
    #[arg(long, value_name = "T")]
    target: Option<String>,
    /// How a metric gets its weight: equal, correlation, `f_score`, `mutual_info`, variance, custom
    #[arg(long, value_name = "METHOD", default_value = "correlation")]
    method: String,
    /// Weights of the method custom, every metric named
    #[arg(long, value_name = "a=.3,b=.7", value_parser = weights)]
    weights: Option<Weights>,
    /// Seed of methods that draw
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// File to save a recipe with these weights to, named as the file; it must not be there
    #[arg(long, value_name = "FILE")]
    save_recipe: Option<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(clap::Args)]
struct OptimizeArgs {
    /// Results of `caliber score`: results.parquet, results.csv, or the folder that holds them
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// Column of the results that the score is to follow, as in `conversion_rate`
    #[arg(long, value_name = "T")]
    target: Option<String>,
    /// How it is searched: `grid_search`, genetic, bayesian
    #[arg(long, value_name = "METHOD", default_value = "grid_search")]
    method: String,
    /// Parts that the rows are cut in; each is judged by a search on the others
    #[arg(long, value_name = "K", default_value_t = DEFAULT_FOLDS, allow_negative_numbers = true)]
    folds: usize,
    /// Weights to start from [default: the recipe's]
    #[arg(long, value_name = "a=.3,b=.7", value_parser = weights)]
    weights: Option<Weights>,
    /// Seed of methods that draw
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// File to save a recipe with these weights to, named as the file; it must not be there
    #[arg(long, value_name = "FILE")]
    save_recipe: Option<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: Args, terminal: Terminal) -> Result<()> {
    match (args.action, &args.learn.results) {
        (Some(Action::Optimize(args)), _) => run_optimize(args, terminal),
        (None, Some(results)) => run_learn(&results.clone(), args.learn, terminal),
        (None, None) => Err(Error::new(Code::BadOption, "RESULTS: no results are given")
            .help("give results.parquet, results.csv, or the folder that holds them")),
    }
}

fn run_learn(results: &Path, args: LearnArgs, terminal: Terminal) -> Result<()> {
    let mut timing = Timing::start(args.run.timing);
    let options = Options {
        target: args.target,
        method: Method::of(&args.method).map_err(refused)?,
        weights: args.weights.map(|weights| weights.0),
        seed: args.seed,
        threads: parallel::available(),
    };
    refuse_existing(args.save_recipe.as_deref())?;
    let run = args.run.read(results, terminal)?;
    timing.has_read();
    let mut learned = learn(&run.subject(), &options).map_err(refused)?;
    timing.has_computed();
    learned.saved_as = save(&run, &learned.weights, args.save_recipe.as_deref())?;
    terminal.answer(&learned, |out| text::print_learned(&run, &learned, out))?;
    timing.has_written();
    terminal.notes(learned.warnings);
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(run);
    Ok(())
}

fn run_optimize(args: OptimizeArgs, terminal: Terminal) -> Result<()> {
    let mut timing = Timing::start(args.run.timing);
    let options = OptimizeOptions {
        target: args.target,
        method: Search::of(&args.method).map_err(refused)?,
        folds: args.folds,
        weights: args.weights.map(|weights| weights.0),
        seed: args.seed,
        threads: parallel::available(),
    };
    refuse_existing(args.save_recipe.as_deref())?;
    let run = args.run.read(&args.results, terminal)?;
    timing.has_read();
    let mut optimized = optimize(&run.subject(), &options).map_err(refused)?;
    timing.has_computed();
    optimized.saved_as = save(&run, &optimized.best_weights, args.save_recipe.as_deref())?;
    terminal.answer(&optimized, |out| text::print_optimized(&run, &optimized, out))?;
    timing.has_written();
    // The process ends here; giving back every name first would only take time.
    std::mem::forget(run);
    Ok(())
}

/// Before anything is computed.
fn refuse_existing(file: Option<&Path>) -> Result<()> {
    match file {
        Some(file) if file.symlink_metadata().is_ok() => Err(exists(file)),
        _ => Ok(()),
    }
}

fn exists(file: &Path) -> Error {
    Error::new(Code::BadOption, format!("--save-recipe: {} is there already", file.display()))
        .help("give a file that is not there; nothing is overwritten")
}

/// Saves a recipe with these weights under the name of the file; returns where.
fn save(run: &ScoredRun, weights: &ByMetric<f64>, file: Option<&Path>) -> Result<Option<String>> {
    let Some(file) = file else { return Ok(None) };
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let recipe = learned_recipe(&run.recipe, weights, &name).map_err(refused)?;
    let text = recipe.to_toml()?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut saved| saved.write_all(text.as_bytes()));
    written.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AlreadyExists => exists(file),
        _ => Error::new(Code::Machine, format!("the recipe cannot be saved: {cause}"))
            .in_file(file.display().to_string())
            .help("choose another place with --save-recipe")
            .caused_by(cause),
    })?;
    Ok(Some(file.display().to_string()))
}
