//! All recipes at hand: those shipped and those of one's own.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::parse::read_with_name_line;
use super::{Channel, Goal, Recipe};
use crate::dictionary::{Dictionary, did_you_mean};
use crate::{Code, Error, Result};

/// The recipe files compiled in.
const SHIPPED: [&str; 12] = [
    include_str!("../../recipes/trade_desk-display-awareness.toml"),
    include_str!("../../recipes/trade_desk-display-awareness-ctr_sensitive.toml"),
    include_str!("../../recipes/trade_desk-display-action.toml"),
    include_str!("../../recipes/trade_desk-ctv.toml"),
    include_str!("../../recipes/trade_desk-video.toml"),
    include_str!("../../recipes/pulsepoint-display-awareness.toml"),
    include_str!("../../recipes/pulsepoint-display-action.toml"),
    include_str!("../../recipes/pulsepoint-video.toml"),
    include_str!("../../recipes/dv360-display.toml"),
    include_str!("../../recipes/dv360-video.toml"),
    include_str!("../../recipes/generic-display-awareness.toml"),
    include_str!("../../recipes/generic-display-action.toml"),
];

#[derive(Clone, Debug)]
struct Entry {
    recipe: Recipe,
    dictionary: Dictionary,
    /// The file it came from; `None` for a shipped one.
    file: Option<PathBuf>,
}

/// Recipes by name, no two of one name.
#[derive(Clone, Debug)]
pub struct RecipeBook {
    entries: Vec<Entry>,
}

impl RecipeBook {
    /// The recipes that ship with the engine.
    pub fn shipped() -> &'static Self {
        static BOOK: LazyLock<RecipeBook> = LazyLock::new(|| {
            let entry = |text: &&str| {
                // The files are compiled in, and the tests of this module read each.
                let recipe = Recipe::parse(text).expect("a shipped recipe is valid");
                Entry { recipe, dictionary: Dictionary::shipped().clone(), file: None }
            };
            RecipeBook { entries: SHIPPED.iter().map(entry).collect() }
        });
        &BOOK
    }

    /// This book with the recipes (`*.toml`) of a folder. A folder that is not there adds nothing, unless it must
    /// exist because somebody named it.
    ///
    /// # Errors
    /// `NotReadable` for the folder or a file; `BadRecipe` for a file that breaks a rule, or a name taken already.
    pub fn with_folder(self, folder: &Path, must_exist: bool) -> Result<Self> {
        let listed = std::fs::read_dir(folder).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()
        });
        let mut files = match listed {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => return Ok(self),
            Err(error) => {
                return Err(Error::new(Code::NotReadable, "the folder of recipes cannot be read")
                    .in_file(folder.display().to_string())
                    .help("give the folder that holds your recipes")
                    .caused_by(error));
            }
        };
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml") && file.is_file());
        files.sort();
        files.iter().try_fold(self, |book, file| book.with_file(file))
    }

    /// This book with the recipe of one file.
    ///
    /// # Errors
    /// As [`RecipeBook::with_folder`].
    pub fn with_file(self, path: &Path) -> Result<Self> {
        let (recipe, name_line) = read_with_name_line(path)?;
        // The file alone is sound, so what the book refuses is its name.
        self.with(recipe, Some(path))
            .map_err(|error| error.in_file(path.display().to_string()).at_line(name_line))
    }

    /// This book with a recipe from elsewhere.
    ///
    /// # Errors
    /// `BadRecipe` where the name is taken already.
    pub fn with_recipe(self, recipe: Recipe) -> Result<Self> {
        self.with(recipe, None)
    }

    fn with(mut self, recipe: Recipe, file: Option<&Path>) -> Result<Self> {
        if let Some(known) = self.entries.iter().find(|entry| entry.recipe.name == recipe.name) {
            let by = known.file.as_ref().map_or_else(
                || "is that of a shipped recipe".to_owned(),
                |file| format!("is taken by {}", file.display()),
            );
            return Err(Error::new(Code::BadRecipe, format!("the name `{}` {by}", recipe.name))
                .help("give the recipe a name of its own"));
        }
        let dictionary = Dictionary::shipped().extended_by(&recipe)?;
        self.entries.push(Entry { recipe, dictionary, file: file.map(Path::to_owned) });
        Ok(self)
    }

    /// The recipes, the shipped ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.entries.iter().map(|entry| &entry.recipe)
    }

    /// Each recipe with the dictionary it is read by.
    pub(crate) fn with_dictionaries(&self) -> impl Iterator<Item = (&Recipe, &Dictionary)> {
        self.entries.iter().map(|entry| (&entry.recipe, &entry.dictionary))
    }

    /// Refuses a name that is no canonical column of any recipe.
    ///
    /// # Errors
    /// `BadOption` with the nearest name.
    pub fn check_column(&self, name: &str) -> Result<()> {
        if self.entries.iter().any(|entry| entry.dictionary.column_index(name).is_some()) {
            return Ok(());
        }
        self.vocabulary().known_column(name).map(|_| ())
    }

    /// The dictionary a recipe is read by: the shipped one where it brings nothing or is not in the book.
    pub(crate) fn dictionary_of(&self, recipe: &Recipe) -> &Dictionary {
        let own = self.with_dictionaries().find(|(known, _)| known.name == recipe.name);
        own.map_or(Dictionary::shipped(), |(_, dictionary)| dictionary)
    }

    /// One dictionary that knows the headers of all recipes, to find the header row of a report by.
    pub fn vocabulary(&self) -> Dictionary {
        let own = self.iter().filter(|recipe| !recipe.columns.is_empty() || !recipe.derived.is_empty());
        own.fold(Dictionary::shipped().clone(), |words, recipe| {
            // Two recipes may define one name differently; the first then stands, the row is found all the same.
            words.extended_by(recipe).unwrap_or(words)
        })
    }

    /// The platforms, each once.
    pub fn platforms(&self) -> Vec<&str> {
        let mut platforms = Vec::new();
        for recipe in self.iter() {
            if !platforms.contains(&recipe.platform.as_str()) {
                platforms.push(recipe.platform.as_str());
            }
        }
        platforms
    }

    /// The recipe of a name.
    ///
    /// # Errors
    /// `UnknownRecipe` with the names there are.
    pub fn by_name(&self, name: &str) -> Result<&Recipe> {
        self.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
            let names = || self.iter().map(|recipe| recipe.name.as_str());
            let near = did_you_mean(name, names());
            Error::new(Code::UnknownRecipe, format!("no recipe is named `{name}`"))
                .help(format!("{near}there are {}", names().collect::<Vec<_>>().join(", ")))
        })
    }

    /// The recipe for a platform, channel and goal. One that is made for the goal goes before one for either.
    ///
    /// # Errors
    /// `UnknownRecipe` with what is supported; `SeveralRecipes` where one's own recipes leave it open.
    pub fn find(&self, platform: &str, channel: Channel, goal: Goal, ctr_sensitive: bool) -> Result<&Recipe> {
        self.check_platform(platform)?;
        let serving: Vec<&Recipe> = self
            .iter()
            .filter(|recipe| {
                recipe.platform == platform && recipe.serves(channel) && recipe.goal.serves(goal)
            })
            .collect();
        let mut fitting: Vec<&Recipe> =
            serving.iter().copied().filter(|recipe| recipe.ctr_sensitive == ctr_sensitive).collect();
        if fitting.iter().any(|recipe| recipe.goal == goal) {
            fitting.retain(|recipe| recipe.goal == goal);
        }
        match fitting.as_slice() {
            [] if ctr_sensitive && !serving.is_empty() => Err(self.no_ctr_sensitive(platform, channel, goal)),
            [] => Err(self.unsupported(platform, channel, goal)),
            [one] => Ok(one),
            several => {
                let names: Vec<&str> = several.iter().map(|recipe| recipe.name.as_str()).collect();
                let message =
                    format!("several recipes serve {platform} {channel} {goal}: {}", names.join(", "));
                Err(Error::new(Code::SeveralRecipes, message)
                    .help(format!("give --recipe {}", names.join(" or --recipe "))))
            }
        }
    }

    pub(crate) fn check_platform(&self, platform: &str) -> Result<()> {
        let platforms = self.platforms();
        if platforms.contains(&platform) {
            return Ok(());
        }
        let near = did_you_mean(platform, platforms.iter().copied());
        Err(Error::new(Code::UnknownRecipe, format!("no recipe is for the platform `{platform}`"))
            .help(format!("{near}there are recipes for {}", platforms.join(", "))))
    }

    pub(crate) fn no_ctr_sensitive(&self, platform: &str, channel: Channel, goal: Goal) -> Error {
        let sensitive: Vec<&str> =
            self.iter().filter(|recipe| recipe.ctr_sensitive).map(|recipe| recipe.name.as_str()).collect();
        Error::new(Code::UnknownRecipe, format!("no CTR-sensitive recipe is for {platform} {channel} {goal}"))
            .help(format!("leave --ctr-sensitive out; CTR-sensitive are {}", sensitive.join(", ")))
    }

    fn unsupported(&self, platform: &str, channel: Channel, goal: Goal) -> Error {
        let supported = |recipe: &Recipe| {
            let channels: Vec<&str> = recipe.channels.iter().map(|channel| channel.name()).collect();
            format!("{} {} {}", recipe.platform, channels.join("/"), recipe.goal)
        };
        let mut lines: Vec<String> = self.iter().map(supported).collect();
        lines.dedup();
        Error::new(Code::UnknownRecipe, format!("no recipe is for {platform} {channel} {goal}"))
            .help(format!("supported are {}", lines.join(", ")))
    }
}
