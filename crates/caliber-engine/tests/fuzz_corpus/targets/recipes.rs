//! Recipe files: whatever text, refused at its line or read, and then written so that it reads back.

use caliber_engine::recipe::{Asked, Goal, Headers, Recipe, RecipeBook, candidates};
use caliber_engine::report::mapping::HeadersOnly;
use caliber_engine::{Code, Error};

/// A recipe that is read is the recipe that is written, and the book takes it in.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Recipe::parse(&text) {
        Ok(recipe) => is_sound_recipe(recipe),
        Err(error) => refuses_at_a_line(&error, &text),
    }
}

fn is_sound_recipe(recipe: Recipe) {
    let written = recipe.to_toml().expect("what was read can be written");
    let again = Recipe::parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(again, recipe, "{written}");
    let sum: f64 = recipe.metrics.iter().map(|metric| metric.weight).sum();
    assert!((sum - 1.0).abs() < 1e-8 && recipe.metrics.iter().all(|metric| metric.weight > 0.0), "{sum}");
    assert!(recipe.serves(recipe.usual_channel()));

    let (name, platform) = (recipe.name.clone(), recipe.platform.clone());
    let headers: Vec<String> = recipe.columns.values().flatten().cloned().collect();
    let book = match RecipeBook::shipped().clone().with_recipe(recipe) {
        Ok(book) => book,
        Err(error) => {
            assert_eq!(error.code, Code::BadRecipe);
            let taken = RecipeBook::shipped().by_name(&name).is_ok();
            assert!(taken, "{error}: it was read and its name is free");
            return;
        }
    };
    assert!(book.by_name(&name).is_ok());
    assert!(book.vocabulary().columns().len() >= RecipeBook::shipped().vocabulary().columns().len());
    let asked = Asked { platform: Some(&platform), channel: None, goal: Goal::Either, ctr_sensitive: true };
    let headers = Headers { texts: &headers, peek: &HeadersOnly, overrides: &[] };
    let judged = candidates(&book, &asked, &headers).expect("no override that could be refused");
    assert!(
        judged.iter().any(|candidate| candidate.recipe == name),
        "{name} is no candidate for its headers"
    );
}

fn refuses_at_a_line(error: &Error, text: &str) {
    assert_eq!(error.code, Code::BadRecipe, "{error}");
    let lines = 1 + text.bytes().filter(|byte| *byte == b'\n').count() as u64;
    assert!(error.line.is_some_and(|line| (1..=lines).contains(&line)), "{error}: line {:?}", error.line);
    assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{error}: without help");
}
