//! `caliber recipes`: the recipes there are, one of them, or whether a file is one.

use std::path::PathBuf;

use caliber_engine::Result;
use caliber_engine::recipe::{Better, Recipe, RecipeBook};
use clap::Subcommand;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::reading::default_recipe_folder;
use crate::terminal::layout::{flowed, width};
use crate::terminal::{BOLD, Terminal, foreign};

/// Blanks between the two columns of the list.
const GAP: usize = 2;

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
                let file = file.display().to_string();
                let (name, platform) = (foreign(&recipe.name), foreign(&recipe.platform));
                writeln!(out, "{} is a valid recipe: {name} for {platform}", foreign(&file))
            })
        }
    }
}

fn list(book: &RecipeBook, terminal: Terminal) -> Result<()> {
    let recipes: Vec<&Recipe> = book.iter().collect();
    let vocabulary = book.vocabulary();
    terminal.answer(&recipes, |out| {
        let names =
            recipes.iter().map(|recipe| foreign(&recipe.name).width()).max().unwrap_or(0).max("recipe".len());
        let indent = names + GAP;
        writeln!(out, "{BOLD}{:indent$}metrics and weights (↓ lower is better){BOLD:#}", "recipe")?;
        for recipe in &recipes {
            let name = foreign(&recipe.name);
            let metrics: Vec<String> = recipe
                .metrics
                .iter()
                .map(|metric| {
                    let label = vocabulary.label(&metric.metric);
                    let sign = if metric.better == Better::Lower { " ↓" } else { "" };
                    format!("{}{sign} {:.0} %", foreign(&label), metric.weight * 100.0)
                })
                .collect();
            let room = width().saturating_sub(indent);
            let metrics = flowed(metrics.iter().map(String::as_str), ", ", room, 0);
            for (at, line) in metrics.lines().enumerate() {
                let head = if at == 0 { &*name } else { "" };
                writeln!(out, "{head}{:gap$}{line}", "", gap = indent - head.width())?;
            }
        }
        Ok(())
    })
}
