//! Which recipe a report is for, told by its headers.

use serde::Serialize;

use super::{Channel, Goal, Recipe, RecipeBook};
use crate::dictionary::Dictionary;
use crate::report::mapping::{self, ColumnPeek, Mapping, Needs, Override};
use crate::{Code, Error, Result};

/// The platform that is only asked for, never recognised.
const GENERIC: &str = "generic";

/// The header row of a report and what else is known of its columns.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    /// The headers by position; empty texts in a report without.
    pub texts: &'a [String],
    /// A look at the cells.
    pub peek: &'a dyn ColumnPeek,
    /// Columns mapped by hand.
    pub overrides: &'a [Override],
}

/// What the call says about the report; recognition finds the rest.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The platform, where given.
    pub platform: Option<&'a str>,
    /// The channel, where given.
    pub channel: Option<Channel>,
    /// The campaign's goal.
    pub goal: Goal,
    /// Whether the CTR-sensitive recipe is wanted.
    pub ctr_sensitive: bool,
}

/// A report whose recipe is settled.
#[derive(Clone, Debug)]
pub struct Recognised<'b> {
    /// The recipe.
    pub recipe: &'b Recipe,
    /// The dictionary with the recipe's own columns.
    pub dictionary: &'b Dictionary,
    /// The channel: as given, else `video` where several share the recipe.
    pub channel: Channel,
    /// The report's columns. What is missing for the recipe, only where the recipe was asked for, `supply` says.
    pub mapping: Mapping,
}

/// A recipe judged by a report's headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The recipe's name.
    pub recipe: String,
    /// Its platform.
    pub platform: String,
    /// Its channels.
    pub channels: Vec<Channel>,
    /// How many of its metrics the report supplies.
    pub found: usize,
    /// How many of those stand under the platform's own spelling.
    pub own: usize,
    /// What the report lacks: a metric or column, and the headers that would supply it.
    pub lacking: Vec<(String, String)>,
}

struct Judged<'b> {
    recipe: &'b Recipe,
    dictionary: &'b Dictionary,
    mapping: Mapping,
    found: usize,
    own: usize,
}

impl Judged<'_> {
    fn is_whole(&self) -> bool {
        self.found == self.recipe.metrics.len()
    }

    fn rank(&self) -> (usize, usize) {
        (self.own, self.found)
    }

    fn candidate(&self) -> Candidate {
        Candidate {
            recipe: self.recipe.name.clone(),
            platform: self.recipe.platform.clone(),
            channels: self.recipe.channels.clone(),
            found: self.found,
            own: self.own,
            lacking: mapping::lacking(&Needs::of(self.recipe), self.dictionary, &self.mapping),
        }
    }
}

/// Finds the recipe of a report: as asked for, else by its headers. Among recipes whose metrics are all found, the one
/// with most metrics under its platform's own spellings wins, then the one with most metrics.
///
/// # Errors
/// `UnknownRecipe` where none serves what was asked for; `NotRecognised` with the nearest recipe; `SeveralRecipes`
/// with the flag that settles it; and whatever [`map_headers`](crate::report::mapping::map_headers) refuses.
pub fn recognise<'b>(
    book: &'b RecipeBook,
    asked: &Asked<'_>,
    headers: &Headers<'_>,
) -> Result<Recognised<'b>> {
    check_overrides(book, headers.overrides)?;
    if let Some(platform) = asked.platform {
        book.check_platform(platform)?;
    }
    if let (Some(platform), Some(channel)) = (asked.platform, asked.channel) {
        let recipe = book.find(platform, channel, asked.goal, asked.ctr_sensitive)?;
        return settle(book, recipe, channel, headers);
    }
    let judged = judge(book, asked, headers)?;
    let chosen = choose(&judged, asked)?;
    let channel = asked.channel.unwrap_or_else(|| chosen.usual_channel());
    let recipe = if chosen.ctr_sensitive == asked.ctr_sensitive {
        chosen
    } else {
        book.find(&chosen.platform, channel, asked.goal, asked.ctr_sensitive)?
    };
    settle(book, recipe, channel, headers)
}

/// The recipes a report may be for, the likeliest first; those it supplies whole stand before all others.
///
/// # Errors
/// Those of overrides.
pub fn candidates(book: &RecipeBook, asked: &Asked<'_>, headers: &Headers<'_>) -> Result<Vec<Candidate>> {
    check_overrides(book, headers.overrides)?;
    let mut judged = judge(book, asked, headers)?;
    judged.sort_by_key(|judged| std::cmp::Reverse((judged.is_whole(), judged.rank())));
    Ok(judged.iter().map(Judged::candidate).collect())
}

/// Judges every recipe that what was asked for leaves open.
fn judge<'b>(book: &'b RecipeBook, asked: &Asked<'_>, headers: &Headers<'_>) -> Result<Vec<Judged<'b>>> {
    let open = |recipe: &Recipe| {
        let platform =
            asked.platform.map_or(recipe.platform != GENERIC, |platform| platform == recipe.platform);
        let channel = asked.channel.is_none_or(|channel| recipe.serves(channel));
        let sensitive = asked.ctr_sensitive || !recipe.ctr_sensitive;
        platform && channel && sensitive && recipe.goal.serves(asked.goal)
    };
    let recipes = book.with_dictionaries().filter(|(recipe, _)| open(recipe));
    recipes.map(|(recipe, dictionary)| judge_one(recipe, dictionary, headers)).collect()
}

fn judge_one<'b>(
    recipe: &'b Recipe,
    dictionary: &'b Dictionary,
    headers: &Headers<'_>,
) -> Result<Judged<'b>> {
    let known = |given: &&Override| dictionary.column_index(&given.name).is_some();
    let overrides: Vec<Override> = headers.overrides.iter().filter(known).cloned().collect();
    let needs = Needs::of(recipe);
    let mapping = mapping::assign(headers.texts, dictionary, &needs, &overrides, headers.peek)?;
    let is_own = |part: &str| {
        let spelled = mapping.columns.iter().filter(|mapped| mapped.canonical == part);
        spelled.into_iter().any(|mapped| mapped.own_of.contains(&recipe.platform))
    };
    let found: Vec<&String> = needs
        .metrics
        .iter()
        .filter(|metric| mapping::metric_supply(metric, dictionary, &mapping).is_some())
        .collect();
    let own =
        found.iter().filter(|metric| mapping::parts_of(metric, dictionary).into_iter().any(is_own)).count();
    let found = found.len();
    Ok(Judged { recipe, dictionary, mapping, found, own })
}

/// The winner among the judged, by the rules of [`recognise`].
fn choose<'b>(judged: &[Judged<'b>], asked: &Asked<'_>) -> Result<&'b Recipe> {
    if let (Some(_), [only]) = (asked.platform, judged) {
        return Ok(only.recipe);
    }
    let whole = || judged.iter().filter(|judged| judged.is_whole());
    let Some(best) = whole().map(Judged::rank).max() else {
        return Err(not_recognised(judged, asked));
    };
    let mut winners: Vec<&Recipe> =
        whole().filter(|judged| judged.rank() == best).map(|judged| judged.recipe).collect();
    // Of one platform and channel a recipe made for the goal goes before one for either, and where a CTR-sensitive
    // one is asked for before the plain one.
    for better in [
        |one: &Recipe, asked: &Asked<'_>| one.goal == asked.goal,
        |one: &Recipe, asked: &Asked<'_>| one.ctr_sensitive == asked.ctr_sensitive,
    ] {
        let all = winners.clone();
        let served = |one: &Recipe| {
            all.iter().any(|other| {
                other.platform == one.platform && other.channels == one.channels && better(other, asked)
            })
        };
        winners.retain(|one| better(one, asked) || !served(one));
    }
    match winners.as_slice() {
        [one] => Ok(one),
        several => Err(several_recipes(several)),
    }
}

/// Maps the report for the recipe that is settled, with every override judged.
fn settle<'b>(
    book: &'b RecipeBook,
    recipe: &'b Recipe,
    channel: Channel,
    headers: &Headers<'_>,
) -> Result<Recognised<'b>> {
    let dictionary = book.dictionary_of(recipe);
    let needs = Needs::of(recipe);
    let mapping = mapping::map_headers(headers.texts, dictionary, &needs, headers.overrides, headers.peek)?;
    Ok(Recognised { recipe, dictionary, channel, mapping })
}

/// Refuses a name that no recipe of the book knows.
fn check_overrides(book: &RecipeBook, overrides: &[Override]) -> Result<()> {
    overrides.iter().try_for_each(|given| book.check_column(&given.name))
}

fn not_recognised(judged: &[Judged<'_>], asked: &Asked<'_>) -> Error {
    let share = |judged: &&Judged<'_>| judged.found * 1000 / judged.recipe.metrics.len().max(1);
    // Of equals the first, so that shipped recipes go before one's own.
    let nearest = judged.iter().rev().max_by_key(|judged| (share(judged), judged.own));
    let Some(nearest) = nearest else {
        return Error::new(Code::UnknownRecipe, format!("no recipe serves the goal {} as asked", asked.goal))
            .help("`caliber recipes list` shows what there is");
    };
    let candidate = nearest.candidate();
    let lacking: Vec<String> =
        candidate.lacking.iter().map(|(name, hint)| format!("{name} ({hint})")).collect();
    let message = format!(
        "the headers fit no recipe; the nearest is {}, which misses {}",
        candidate.recipe,
        lacking.join("; ")
    );
    Error::new(Code::NotRecognised, message)
        .help("name the columns with --map NAME=HEADER, or choose with --platform and --channel or --recipe")
}

fn several_recipes(recipes: &[&Recipe]) -> Error {
    let names: Vec<&str> = recipes.iter().map(|recipe| recipe.name.as_str()).collect();
    let mut platforms: Vec<&str> = recipes.iter().map(|recipe| recipe.platform.as_str()).collect();
    platforms.dedup();
    let mut channels: Vec<&str> = recipes.iter().map(|recipe| recipe.usual_channel().name()).collect();
    channels.dedup();
    let flags = match (platforms.as_slice(), channels.as_slice()) {
        ([_, _, ..], _) => format!("--platform {}", platforms.join(" or --platform ")),
        (_, [_, _, ..]) => format!("--channel {}", channels.join(" or --channel ")),
        _ => format!("--recipe {}", names.join(" or --recipe ")),
    };
    Error::new(
        Code::SeveralRecipes,
        format!("the headers fit several recipes equally well: {}", names.join(", ")),
    )
    .help(format!("say which: {flags}"))
}
