//! Recipes with their weights, recipes of one's own, and templates of campaigns.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::Window;
use caliber_platform::campaigns::TemplateId;
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::{RECIPES_READ, RECIPES_WRITE, TEMPLATES_READ, TEMPLATES_WRITE};
use caliber_platform::recipes::{KnownRecipe, platform_label};
use uuid::Uuid;

use super::figures::{CHANNELS, GOALS, LEVELS, channel_key, goal_key, level_key, meant};
use super::form::{Fields, Problems, said};
use super::metrics::metric_label;
use super::notice::Notice;
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::{Id, Words};
use crate::failure::Failure;
use crate::signed_in::By;
use crate::texts;

/// Steps of a slider: a weight is a whole number of them.
const STEPS: f64 = 100.0;
/// Weights that a line about a recipe tells, the heaviest.
const TOLD: usize = 3;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/recipes", Sees::Needs(RECIPES_READ), get(list))
        .page(app, "/recipes/{id}", Sees::Needs(RECIPES_READ), get(show))
        .page(app, "/recipes/{id}/copy", Sees::Needs(RECIPES_WRITE), post(copy))
        .page(app, "/recipes/{id}/save", Sees::Needs(RECIPES_WRITE), post(save))
        .page(app, "/recipes/{id}/delete", Sees::Needs(RECIPES_WRITE), post(delete))
        .page(app, "/templates/{id}/delete", Sees::Needs(TEMPLATES_WRITE), post(delete_template))
}

#[derive(Template, WebTemplate)]
#[template(path = "recipes.html")]
struct RecipesPage {
    shell: Shell,
    own: Vec<RecipeRow>,
    shipped: Vec<RecipeRow>,
    templates: Vec<TemplateRow>,
}

impl RecipesPage {
    /// The recipes under the keys of their headings; one's own come first.
    fn groups(&self) -> [(&'static str, &Vec<RecipeRow>); 2] {
        [("recipes-own", &self.own), ("recipes-shipped", &self.shipped)]
    }
}

/// A recipe as pages show it.
#[derive(Clone, Debug)]
struct RecipeRow {
    id: String,
    /// By which campaigns are scored with it.
    name: String,
    platform: String,
    /// In words, as `Display, Video`.
    channels: String,
    /// The key of its goal.
    goal: &'static str,
    ctr_sensitive: bool,
    /// The key of what is scored.
    level: &'static str,
    min_impressions: u64,
    shipped: bool,
    weights: Vec<WeightedMetric>,
}

#[derive(Clone, Debug)]
struct WeightedMetric {
    metric: String,
    label: String,
    /// 0 to 1.
    weight: f64,
    is_higher_better: bool,
}

impl WeightedMetric {
    /// The nearest step of a slider.
    fn steps(&self) -> f64 {
        (self.weight * STEPS).round()
    }
}

impl RecipeRow {
    fn of(KnownRecipe { id, shipped, recipe }: KnownRecipe) -> Self {
        // The words of a recipe are those of its file.
        let file = serde_json::to_value(&recipe).unwrap_or_default();
        let weights = recipe.metrics.iter().zip(file["metrics"].as_array().into_iter().flatten());
        let channels = recipe.channels.iter().filter_map(|channel| meant(&CHANNELS, channel.name()));
        let channels = channels.map(|channel| texts::text(channel_key(channel)));
        Self {
            id,
            platform: platform_label(&recipe.platform),
            channels: channels.collect::<Vec<_>>().join(", "),
            goal: meant(&GOALS, recipe.goal.name()).map_or("goal-either", goal_key),
            ctr_sensitive: recipe.ctr_sensitive,
            level: meant(&LEVELS, recipe.dimension.name()).map_or("level-domain", level_key),
            min_impressions: recipe.min_impressions,
            shipped,
            weights: weights
                .map(|(metric, file)| WeightedMetric {
                    label: metric_label(&metric.metric),
                    metric: metric.metric.clone(),
                    weight: metric.weight,
                    is_higher_better: file["better"] == "higher",
                })
                .collect(),
            name: recipe.name,
        }
    }

    /// What people call it: one that ships by what it is for, one's own by its name.
    fn title(&self) -> String {
        if self.shipped { format!("{}: {}", self.platform, self.purpose()) } else { self.name.clone() }
    }

    /// What it is for, the platform aside.
    fn purpose(&self) -> String {
        let mut parts = vec![self.channels.clone(), texts::text(self.goal)];
        if self.ctr_sensitive {
            parts.push(texts::text("recipe-ctr-sensitive"));
        }
        parts.join(", ")
    }

    /// The weights in words, the heaviest first.
    fn told(&self, most: usize) -> String {
        let mut weights: Vec<&WeightedMetric> = self.weights.iter().collect();
        weights.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let parts = weights.iter().map(|weight| format!("{} {:.0}%", weight.label, weight.weight * 100.0));
        let mut parts: Vec<String> = parts.take(most).collect();
        if weights.len() > most {
            parts.push(format!("+{}", weights.len() - most));
        }
        parts.join(" \u{b7} ")
    }

    fn summary(&self) -> String {
        self.told(TOLD)
    }

    fn all_weights(&self) -> String {
        self.told(usize::MAX)
    }
}

struct TemplateRow {
    id: Uuid,
    name: String,
    platform: String,
    channel: &'static str,
    goal: &'static str,
    level: &'static str,
}

async fn list(State(app): State<App>, shell: Shell, By(caller): By) -> Result<RecipesPage, Failure> {
    let recipes = app.platform.recipes().list(&caller).await?;
    let templates = if TEMPLATES_READ.is_of(caller.user.role) {
        app.platform.campaigns().templates(&caller, Window { skip: 0, limit: 100 }).await?.rows
    } else {
        Vec::new()
    };
    let templates = templates.into_iter().map(|template| {
        let settings = template.settings();
        TemplateRow {
            id: template.id.0,
            name: template.name,
            platform: platform_label(&settings.campaign_type),
            channel: channel_key(settings.channel),
            goal: goal_key(settings.goal),
            level: level_key(settings.analysis_level),
        }
    });
    let (shipped, own) = recipes.into_iter().map(RecipeRow::of).partition(|recipe| recipe.shipped);
    Ok(RecipesPage { shell, own, shipped, templates: templates.collect() })
}

#[derive(Template, WebTemplate)]
#[template(path = "recipe.html")]
struct RecipePage {
    shell: Shell,
    recipe: RecipeRow,
    /// Whether the caller may put other weights in place of these.
    may_change: bool,
    /// What a copy is called unless it is called otherwise.
    copy_name: String,
    problem: Option<String>,
}

async fn show(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Words(id): Words<String>,
) -> Result<RecipePage, Failure> {
    let recipes = app.platform.recipes();
    let recipe = RecipeRow::of(recipes.get(&caller, &id).await?);
    let may_change = RECIPES_WRITE.is_of(caller.user.role) && recipes.is_changed_by(&caller, &id).await?;
    let copy_name = format!("{}-own", recipe.name);
    Ok(RecipePage { shell, recipe, may_change, copy_name, problem: None })
}

/// Keeps the recipe under another name with other weights: one that ships is never changed.
async fn copy(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Words(id): Words<String>,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let known = app.platform.recipes().get(&caller, &id).await?;
    let given = Given::of(&known, &fields);
    let made = match given.toml(&known, &given.name) {
        Ok(toml) => app.platform.recipes().create(&caller, &toml).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    kept(&app, shell, &caller, known, given, made).await
}

/// Puts other weights in place of those of a recipe of one's own.
async fn save(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Words(id): Words<String>,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let known = app.platform.recipes().get(&caller, &id).await?;
    let given = Given::of(&known, &fields);
    let made = match given.toml(&known, &known.recipe.name) {
        Ok(toml) => app.platform.recipes().replace(&caller, &id, &toml).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    kept(&app, shell, &caller, known, given, made).await
}

/// To the recipe as it was kept, or back to the form with what was wrong.
async fn kept(
    app: &App,
    shell: Shell,
    caller: &Caller,
    known: KnownRecipe,
    given: Given,
    made: Result<KnownRecipe, Failure>,
) -> Result<Response, Failure> {
    match made {
        Ok(made) => Ok(Redirect::to(&Notice::Saved.at(&format!("/recipes/{}", made.id))).into_response()),
        Err(failure) => {
            let status = failure.code.status();
            let problem = Some(Problems::of_form(failure)?.outside(&[]).join("; "));
            let may_change = app.platform.recipes().is_changed_by(caller, &known.id).await?;
            let mut recipe = RecipeRow::of(known);
            for (weight, share) in recipe.weights.iter_mut().zip(&given.weights) {
                weight.weight = *share;
            }
            let page = RecipePage { shell, recipe, may_change, copy_name: given.name, problem };
            Ok((status, page).into_response())
        }
    }
}

/// What the form of a recipe says.
struct Given {
    /// Of a copy.
    name: String,
    /// Of its metrics, in their order: shares of one whole.
    weights: Vec<f64>,
}

impl Given {
    fn of(known: &KnownRecipe, fields: &[(String, String)]) -> Self {
        let metrics = known.recipe.metrics.iter();
        let weight = |metric: &str| steps(said(fields, &format!("weight.{metric}")));
        let given: Vec<f64> = metrics.map(|metric| weight(&metric.metric)).collect();
        Self { name: said(fields, "name").to_owned(), weights: shares(&given) }
    }

    /// The text of the recipe under a name, with these weights. What has no weight is no part of the score.
    fn toml(&self, known: &KnownRecipe, name: &str) -> Result<String, Failure> {
        let mut recipe = known.recipe.clone();
        name.clone_into(&mut recipe.name);
        for (metric, weight) in recipe.metrics.iter_mut().zip(&self.weights) {
            metric.weight = *weight;
        }
        recipe.metrics.retain(|metric| metric.weight > 0.0);
        recipe.to_toml().map_err(|error| Failure::invalid("", error.to_string()))
    }
}

/// What a slider says; what is no number is nothing.
fn steps(text: &str) -> f64 {
    text.parse().ok().filter(|steps: &f64| steps.is_finite()).map_or(0.0, |steps| steps.clamp(0.0, STEPS))
}

/// Shares of one whole; all nothing stays nothing.
fn shares(steps: &[f64]) -> Vec<f64> {
    let sum: f64 = steps.iter().sum();
    steps.iter().map(|steps| if sum > 0.0 { steps / sum } else { 0.0 }).collect()
}

async fn delete(
    State(app): State<App>,
    By(caller): By,
    Words(id): Words<String>,
) -> Result<Response, Failure> {
    app.platform.recipes().delete(&caller, &id).await?;
    Ok(Redirect::to(&Notice::Deleted.at("/recipes")).into_response())
}

async fn delete_template(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    app.platform.campaigns().delete_template(&caller, TemplateId(id)).await?;
    Ok(Redirect::to(&Notice::Deleted.at("/recipes")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    fn recipe(shipped: bool) -> RecipeRow {
        let weight = |metric: &str, weight| WeightedMetric {
            metric: metric.to_owned(),
            label: metric_label(metric),
            weight,
            is_higher_better: metric != "cpm",
        };
        RecipeRow {
            id: "own".to_owned(),
            name: "<b>Pérez".to_owned(),
            platform: "The Trade Desk".to_owned(),
            channels: "Display".to_owned(),
            goal: "goal-awareness",
            ctr_sensitive: false,
            level: "level-domain",
            min_impressions: 250,
            shipped,
            weights: vec![weight("cpm", 0.4), weight("ctr", 0.6)],
        }
    }

    #[test]
    fn weights_are_shares_of_one_whole() {
        assert_eq!(shares(&[40.0, 60.0]), [0.4, 0.6]);
        assert_eq!(shares(&[1.0, 1.0, 1.0]).iter().sum::<f64>(), 1.0);
        assert_eq!(shares(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(
            [steps("40"), steps("-3"), steps("x"), steps("NaN"), steps("900")],
            [40.0, 0.0, 0.0, 0.0, 100.0]
        );
    }

    #[test]
    fn recipes_say_what_they_weigh_the_heaviest_first() {
        let templates = vec![TemplateRow {
            id: Uuid::nil(),
            name: "Spring".to_owned(),
            platform: "DV360".to_owned(),
            channel: "channel-ctv",
            goal: "goal-action",
            level: "level-domain",
        }];
        let page =
            RecipesPage { shell: samples::shell(), own: Vec::new(), shipped: vec![recipe(true)], templates };
        let html = samples::checked(&page);
        assert!(html.contains("The Trade Desk: Display, Awareness"), "{html}");
        let (ctr, cpm) = (html.find("CTR 60%").unwrap(), html.find("CPM 40%").unwrap());
        assert!(ctr < cpm);
    }

    #[test]
    fn a_line_about_a_recipe_tells_its_heaviest_weights() {
        let weight = |metric: &str, weight| WeightedMetric {
            metric: metric.to_owned(),
            label: metric.to_owned(),
            weight,
            is_higher_better: true,
        };
        let weights = vec![weight("a", 0.1), weight("b", 0.4), weight("c", 0.2), weight("d", 0.3)];
        let recipe = RecipeRow { weights, ..recipe(false) };
        assert_eq!(recipe.summary(), "b 40% \u{b7} d 30% \u{b7} c 20% \u{b7} +1");
        assert_eq!(recipe.all_weights(), "b 40% \u{b7} d 30% \u{b7} c 20% \u{b7} a 10%");
    }

    #[test]
    fn a_recipe_is_changed_by_sliders_and_a_shipped_one_is_not_deleted() {
        let page = |shipped: bool| RecipePage {
            shell: samples::shell(),
            recipe: recipe(shipped),
            may_change: !shipped,
            copy_name: "own".to_owned(),
            problem: Some("a recipe is named so already".to_owned()),
        };
        let own = samples::checked(&page(false));
        assert!(own.contains("type=\"range\"") && own.contains("/recipes/own/delete"), "{own}");
        assert!(own.contains("formaction=\"/recipes/own/save\""), "{own}");
        let shipped = samples::checked(&page(true));
        assert!(!shipped.contains("/delete") && !shipped.contains("/save"), "{shipped}");
    }
}
