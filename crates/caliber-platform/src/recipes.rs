//! Recipes: the shipped ones, those of the installation's folder, and an organisation's own.

use std::sync::Arc;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Recipe, RecipeBook};
use caliber_store::recipes::{self, UNIQUE_NAME};
use caliber_store::{OrganizationId, Reach, RecipeId};

use crate::Platform;
use crate::campaigns::{Settings, engine_channel, engine_goal};
use crate::error::{Conflict, Error, Result};
use crate::identity::Caller;
use crate::scoring::told;

/// Bytes of a recipe's text.
const MOST_BYTES: usize = 256 << 10;

/// The use cases of recipes.
#[derive(Clone, Copy, Debug)]
pub struct Recipes<'a>(pub(crate) &'a Platform);

/// A recipe as it is shown.
#[derive(Clone, Debug)]
pub struct KnownRecipe {
    /// A shipped one's is its name, as is one's of the installation's folder.
    pub id: String,
    /// Whether it comes with Caliber or its installation, and so cannot be deleted.
    pub shipped: bool,
    /// Itself.
    pub recipe: Recipe,
}

/// The recipe that settings lead to. One that somebody adds is used by its name; it does not change what others start
/// without one.
pub(crate) fn usual<'b>(
    shipped: &'b RecipeBook,
    book: &'b RecipeBook,
    settings: &Settings,
) -> caliber_engine::Result<&'b Recipe> {
    let (channel, goal) = (engine_channel(settings.channel), engine_goal(settings.goal));
    let of =
        |book: &'b RecipeBook| book.find(&settings.campaign_type, channel, goal, settings.ctr_sensitivity);
    of(shipped).or_else(|_| of(book))
}

/// What people call a platform, as `The Trade Desk`.
pub fn platform_label(platform: &str) -> String {
    Dictionary::shipped().platform_label(platform)
}

impl Recipes<'_> {
    /// The name of the recipe that settings lead to where none is named.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn usual(&self, caller: &Caller, settings: &Settings) -> Result<Option<String>> {
        let book = self.book(caller.user.organization_id).await?;
        Ok(usual(&self.0.book(), &book, settings).ok().map(|recipe| recipe.name.clone()))
    }

    /// All recipes that an organisation has.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn book(&self, organization: OrganizationId) -> Result<Arc<RecipeBook>> {
        let own = recipes::list(self.0.store().db(), Reach::organization(organization)).await?;
        if own.is_empty() {
            return Ok(self.0.book());
        }
        let mut book = RecipeBook::clone(&self.0.book());
        for stored in own {
            // It was valid when it was stored. Where a name has since been shipped, the shipped one stands.
            match Recipe::parse(&stored.toml).and_then(|recipe| book.clone().with_recipe(recipe)) {
                Ok(with) => book = with,
                Err(error) => tracing::warn!(recipe = %stored.name, %error, "a stored recipe is left out"),
            }
        }
        Ok(Arc::new(book))
    }

    /// All recipes, the shipped ones first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<KnownRecipe>> {
        let mut known: Vec<KnownRecipe> = self.0.book().iter().map(shipped).collect();
        for stored in recipes::list(self.0.store().db(), own_reach(caller)).await? {
            if let Ok(recipe) = Recipe::parse(&stored.toml) {
                known.push(KnownRecipe { id: stored.id.to_string(), shipped: false, recipe });
            }
        }
        Ok(known)
    }

    /// One recipe, by its id or a shipped one's name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<KnownRecipe> {
        if let Some(recipe) = self.0.book().iter().find(|recipe| recipe.name == id) {
            return Ok(shipped(recipe));
        }
        let uuid: RecipeId = id.parse().map_err(|_| missing())?;
        let stored =
            recipes::by_id(self.0.store().db(), own_reach(caller), uuid).await?.ok_or_else(missing)?;
        let recipe = Recipe::parse(&stored.toml).map_err(Error::internal)?;
        Ok(KnownRecipe { id: id.to_owned(), shipped: false, recipe })
    }

    /// Adds a recipe to the caller's organisation.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what breaks a rule, with its line; [`Error::Conflict`] for a name that is taken.
    pub async fn create(&self, caller: &Caller, toml: &str) -> Result<KnownRecipe> {
        let recipe = parsed(toml)?;
        let taken = || {
            Error::conflict(
                Conflict::Other,
                format!("a recipe is named `{}` already; give it another name", recipe.name),
            )
        };
        if self.ships(&recipe.name) {
            return Err(taken());
        }
        let (db, user) = (self.0.store().db(), &caller.user);
        let created =
            recipes::create(db, user.organization_id, user.id, &recipe.name, toml, self.0.now()).await;
        match created {
            Ok(stored) => Ok(KnownRecipe { id: stored.id.to_string(), shipped: false, recipe }),
            Err(error) if error.conflicts_on(UNIQUE_NAME) => Err(taken()),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts another text in place of a recipe of one's own. What was scored by it keeps the text that it was scored by.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] for one that ships, [`Error::Invalid`] for what breaks a rule and for
    /// another name: campaigns are scored by it.
    pub async fn replace(&self, caller: &Caller, id: &str, toml: &str) -> Result<KnownRecipe> {
        if self.ships(id) {
            let message = "a recipe that ships cannot be changed; save it under another name";
            return Err(Error::conflict(Conflict::WrongState, message));
        }
        let recipe = parsed(toml)?;
        if self.get(caller, id).await?.recipe.name != recipe.name {
            return Err(Error::invalid(
                "name",
                "stays as it is; save the recipe as a copy to name it otherwise",
            ));
        }
        let uuid: RecipeId = id.parse().map_err(|_| missing())?;
        let changed = recipes::set_toml(self.0.store().db(), caller.writes(), uuid, toml).await?;
        changed.ok_or_else(missing)?;
        Ok(KnownRecipe { id: id.to_owned(), shipped: false, recipe })
    }

    /// Whether the caller may change and delete the recipe.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_changed_by(&self, caller: &Caller, id: &str) -> Result<bool> {
        match id.parse::<RecipeId>() {
            Ok(uuid) if !self.ships(id) => {
                Ok(recipes::by_id(self.0.store().db(), caller.writes(), uuid).await?.is_some())
            }
            _ => Ok(false),
        }
    }

    fn ships(self, name: &str) -> bool {
        self.0.book().iter().any(|recipe| recipe.name == name)
    }

    /// Deletes a recipe of one's own.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] for one that ships.
    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<()> {
        if self.ships(id) {
            return Err(Error::conflict(Conflict::WrongState, "a recipe that ships cannot be deleted"));
        }
        let uuid: RecipeId = id.parse().map_err(|_| missing())?;
        let is_deleted = recipes::delete(self.0.store().db(), caller.writes(), uuid).await?;
        if is_deleted { Ok(()) } else { Err(missing()) }
    }
}

/// A recipe of its text.
fn parsed(toml: &str) -> Result<Recipe> {
    if toml.len() > MOST_BYTES {
        return Err(Error::TooLarge(format!("a recipe has at most {} kB", MOST_BYTES >> 10)));
    }
    Recipe::parse(toml).map_err(|error| {
        let line = error.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        Error::invalid("", format!("{line}{}", told(&error)))
    })
}

/// Recipes are used by name, so even the administrator has those of one organisation.
fn own_reach(caller: &Caller) -> Reach {
    Reach::organization(caller.user.organization_id)
}

fn shipped(recipe: &Recipe) -> KnownRecipe {
    KnownRecipe { id: recipe.name.clone(), shipped: true, recipe: recipe.clone() }
}

fn missing() -> Error {
    Error::not_found("recipe")
}

/// The text of a recipe that came as JSON, for its rules are written for TOML.
///
/// # Errors
/// [`Error::Invalid`] for what TOML cannot say.
pub fn toml_of(fields: &serde_json::Map<String, serde_json::Value>) -> Result<String> {
    toml::to_string(fields).map_err(|error| Error::invalid("", format!("the recipe cannot be read: {error}")))
}
