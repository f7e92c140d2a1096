//! `caliber recipes`: the recipes there are, one of them, or whether a file is one.

use std::path::PathBuf;

use caliber_engine::Result;
use caliber_engine::recipe::{Better, Recipe, RecipeBook};
use clap::Subcommand;
use comfy_table::Table;
use serde::Serialize;

use super::reading::default_recipe_folder;
use crate::terminal::Terminal;

/// List recipes, show one, or check a file of your own
#[derive(clap::Args)]
#[command(after_help = "Example:\n  caliber recipes show trade_desk-display-awareness")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Folder of recipes of your own [default: recipes in `CALIBER_DATA`, itself ./caliber-data]
    #[arg(long, value_name = "DIR", global = true)]
    recipe_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// List all recipes
    #[command(after_help = "Example:\n  caliber recipes list")]
    List,
    /// Show a recipe as a file, to begin one of your own with
    #[command(after_help = "Example:\n  caliber recipes show pulsepoint-video > my-recipe.toml")]
    Show {
        /// Name of the recipe
        name: String,
    },
    /// Check a recipe file
    #[command(
        after_help = "Example:\n  caliber recipes show pulsepoint-video | sed s/pulsepoint-video/mine/ > mine.toml && caliber recipes check mine.toml"
    )]
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Serialize)]
struct Checked<'a> {
    valid: bool,
    recipe: &'a Recipe,
}

pub(crate) fn run(args: Args, terminal: Terminal) -> Result<()> {
    let folder = args.recipe_dir.clone().unwrap_or_else(default_recipe_folder);
    let book = || RecipeBook::shipped().clone().with_folder(&folder, args.recipe_dir.is_some());
    match args.action.unwrap_or(Action::List) {
        Action::List => list(&book()?, terminal),
        Action::Show { name } => {
            let book = book()?;
            let recipe = book.by_name(&name)?;
            let file = recipe.to_toml()?;
            terminal.answer(recipe, |out| out.write_all(file.as_bytes()))
        }
        Action::Check { file } => {
            let checked = RecipeBook::shipped().clone().with_file(&file)?;
            // The file's recipe is the last of the book.
            let Some(recipe) = checked.iter().last() else { return Ok(()) };
            terminal.answer(&Checked { valid: true, recipe }, |out| {
                writeln!(out, "{} is a valid recipe: {} for {}", file.display(), recipe.name, recipe.platform)
            })
        }
    }
}

fn list(book: &RecipeBook, terminal: Terminal) -> Result<()> {
    let recipes: Vec<&Recipe> = book.iter().collect();
    terminal.answer(&recipes, |out| {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["name", "metrics (v: lower is better)"]);
        for recipe in &recipes {
            let metrics = recipe.metrics.iter().map(|metric| {
                let sign = if metric.better == Better::Lower { " v" } else { "" };
                format!("{}{sign} {:.0} %", metric.metric, metric.weight * 100.0)
            });
            table.add_row([recipe.name.clone(), metrics.collect::<Vec<_>>().join(", ")]);
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    })
}
