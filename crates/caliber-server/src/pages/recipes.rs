//! Recipes with their weights, recipes of one's own, and templates of campaigns.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::Window;
use caliber_platform::campaigns::TemplateId;
use caliber_platform::identity::permissions::{RECIPES_READ, RECIPES_WRITE, TEMPLATES_READ, TEMPLATES_WRITE};
use caliber_platform::recipes::{KnownRecipe, platform_label};
use uuid::Uuid;

use super::figures::{channel_key, goal_key, level_key};
use super::form::{Fields, Problems};
use super::metrics::metric_label;
use super::notice::Notice;
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::{Id, Words};
use crate::failure::Failure;
use crate::signed_in::By;

/// Steps of a slider: a weight is a whole number of them.
const STEPS: f64 = 100.0;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/recipes", Sees::Needs(RECIPES_READ), get(list))
        .page(app, "/recipes/{id}", Sees::Needs(RECIPES_READ), get(show))
        .page(app, "/recipes/{id}/copy", Sees::Needs(RECIPES_WRITE), post(copy))
        .page(app, "/recipes/{id}/delete", Sees::Needs(RECIPES_WRITE), post(delete))
        .page(app, "/templates/{id}/delete", Sees::Needs(TEMPLATES_WRITE), post(delete_template))
}

#[derive(Template, WebTemplate)]
#[template(path = "recipes.html")]
struct RecipesPage {
    shell: Shell,
    recipes: Vec<RecipeRow>,
    templates: Vec<TemplateRow>,
}

/// A recipe as pages show it.
#[derive(Clone, Debug)]
struct RecipeRow {
    id: String,
    name: String,
    platform: String,
    channels: String,
    goal: String,
    ctr_sensitive: bool,
    level: String,
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
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().replace('_', " ");
        // The words of a recipe are those of its file.
        let file = serde_json::to_value(&recipe).unwrap_or_default();
        let weights = recipe.metrics.iter().zip(file["metrics"].as_array().into_iter().flatten());
        Self {
            id,
            platform: platform_label(&recipe.platform),
            channels: recipe.channels.iter().map(|channel| channel.name()).collect::<Vec<_>>().join(", "),
            goal: word(&file["goal"]),
            ctr_sensitive: recipe.ctr_sensitive,
            level: word(&file["dimension"]),
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

    /// The weights in words, the heaviest first.
    fn summary(&self) -> String {
        let mut weights: Vec<&WeightedMetric> = self.weights.iter().collect();
        weights.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let parts = weights.iter().map(|weight| format!("{} {:.0}%", weight.label, weight.weight * 100.0));
        parts.collect::<Vec<_>>().join(" \u{b7} ")
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
    let recipes = recipes.into_iter().map(RecipeRow::of).collect();
    Ok(RecipesPage { shell, recipes, templates: templates.collect() })
}

#[derive(Template, WebTemplate)]
#[template(path = "recipe.html")]
struct RecipePage {
    shell: Shell,
    recipe: RecipeRow,
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
    let recipe = RecipeRow::of(app.platform.recipes().get(&caller, &id).await?);
    let copy_name = format!("{}-own", recipe.name);
    Ok(RecipePage { shell, recipe, copy_name, problem: None })
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
    let field =
        |name: &str| fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim());
    let mut recipe = known.recipe.clone();
    field("name").clone_into(&mut recipe.name);
    let given: Vec<f64> =
        recipe.metrics.iter().map(|metric| steps(field(&format!("weight.{}", metric.metric)))).collect();
    for (metric, weight) in recipe.metrics.iter_mut().zip(shares(&given)) {
        metric.weight = weight;
    }
    // What has no weight is no part of the score.
    recipe.metrics.retain(|metric| metric.weight > 0.0);
    let toml = recipe.to_toml().map_err(|error| Failure::invalid("", error.to_string()));
    let made = match toml {
        Ok(toml) => app.platform.recipes().create(&caller, &toml).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match made {
        Ok(made) => Ok(Redirect::to(&Notice::Saved.at(&format!("/recipes/{}", made.id))).into_response()),
        Err(failure) => {
            let status = failure.code.status();
            let problem = Some(Problems::of_form(failure)?.outside(&[]).join("; "));
            let mut shown = RecipeRow::of(known);
            for (weight, share) in shown.weights.iter_mut().zip(shares(&given)) {
                weight.weight = share;
            }
            let copy_name = field("name").to_owned();
            Ok((status, RecipePage { shell, recipe: shown, copy_name, problem }).into_response())
        }
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
            channels: "display".to_owned(),
            goal: "awareness".to_owned(),
            ctr_sensitive: false,
            level: "domain".to_owned(),
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
        let page = RecipesPage { shell: samples::shell(), recipes: vec![recipe(true)], templates };
        let html = samples::checked(&page);
        let (ctr, cpm) = (html.find("CTR 60%").unwrap(), html.find("CPM 40%").unwrap());
        assert!(ctr < cpm);
    }

    #[test]
    fn a_recipe_is_changed_by_sliders_and_a_shipped_one_is_not_deleted() {
        let page = |shipped| RecipePage {
            shell: samples::shell(),
            recipe: recipe(shipped),
            copy_name: "own".to_owned(),
            problem: Some("a recipe is named so already".to_owned()),
        };
        let own = samples::checked(&page(false));
        assert!(own.contains("type=\"range\"") && own.contains("/recipes/own/delete"), "{own}");
        assert!(!samples::checked(&page(true)).contains("/delete"));
    }
}
