//! `/scoring/recipes`: what scores are made of.

use axum::extract::State;
use axum::http::HeaderMap;
use caliber_platform::identity::permissions::{RECIPES_READ, RECIPES_WRITE};
use caliber_platform::recipes::KnownRecipe;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Created, Listing, Nothing};
use crate::extract::{Raw, Words, media_type, parse_json};
use crate::failure::{Failure, FailureBody, FailureCode};
use crate::signed_in::By;

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(RECIPES_READ), routes!(list))
        .with(app, Access::Needs(RECIPES_WRITE), routes!(create))
        .with(app, Access::Needs(RECIPES_READ), routes!(get))
        .with(app, Access::Needs(RECIPES_WRITE), routes!(delete))
}

/// One metric of a recipe.
#[derive(Serialize, ToSchema)]
struct MetricView {
    #[schema(example = "cpm")]
    metric: String,
    #[schema(example = 0.15)]
    weight: f64,
    /// `higher` or `lower`.
    #[schema(value_type = String, example = "lower")]
    better: Value,
}

/// A recipe.
#[derive(Serialize, ToSchema)]
#[schema(as = Recipe)]
struct RecipeView {
    /// A shipped one's is its name.
    #[schema(example = "trade_desk-display-awareness")]
    id: String,
    #[schema(example = "trade_desk-display-awareness")]
    name: String,
    #[schema(example = "trade_desk")]
    platform: String,
    /// One channel, or several that share the recipe.
    #[schema(value_type = String, example = "display")]
    channel: Value,
    /// `awareness`, `action` or `either`.
    #[schema(value_type = String, example = "awareness")]
    goal: Value,
    ctr_sensitive: bool,
    /// `domain` or `supply_vendor`.
    #[schema(value_type = String, example = "domain")]
    dimension: Value,
    #[schema(example = 250)]
    min_impressions: u64,
    min_impression_share: f64,
    metrics: Vec<MetricView>,
    /// Whether it comes with Caliber.
    shipped: bool,
}

impl RecipeView {
    fn of(known: KnownRecipe) -> Result<Self, Failure> {
        let KnownRecipe { id, shipped, recipe } = known;
        let word = |value: Result<Value, serde_json::Error>| {
            value.map_err(|error| Failure::from(caliber_platform::Error::internal(error)))
        };
        // One channel is a word, several are an array, as in the file.
        let document = word(serde_json::to_value(&recipe))?;
        let metrics = recipe
            .metrics
            .iter()
            .map(|metric| {
                let better = word(serde_json::to_value(metric.better))?;
                Ok(MetricView { metric: metric.metric.clone(), weight: metric.weight, better })
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Self {
            id,
            channel: document["channel"].clone(),
            goal: document["goal"].clone(),
            dimension: document["dimension"].clone(),
            name: recipe.name,
            platform: recipe.platform,
            ctr_sensitive: recipe.ctr_sensitive,
            min_impressions: recipe.min_impressions,
            min_impression_share: recipe.min_impression_share,
            metrics,
            shipped,
        })
    }
}

/// All recipes, the shipped ones first.
#[utoipa::path(get, path = "/recipes", tag = "recipes", responses((status = 200, body = Listing<RecipeView>)))]
async fn list(State(app): State<App>, By(caller): By) -> Result<Listing<RecipeView>, Failure> {
    let recipes = app.platform.recipes().list(&caller).await?;
    Ok(Listing::whole(recipes.into_iter().map(RecipeView::of).collect::<Result<_, _>>()?))
}

/// A recipe as JSON; the same keys as in TOML.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it is the form of the body in the document; the text is read by the recipe's own rules"
)]
#[schema(example = json!({"name": "our-display", "platform": "trade_desk", "channel": "display", "goal": "awareness", "dimension": "domain",
    "min_impressions": 250, "metrics": [{"metric": "cpm", "weight": 0.4, "better": "lower"}, {"metric": "ctr", "weight": 0.6, "better": "higher"}]}))]
struct NewRecipe {
    version: Option<u32>,
    name: String,
    platform: String,
    channel: String,
    goal: String,
    ctr_sensitive: Option<bool>,
    dimension: Option<String>,
    min_impressions: Option<u64>,
    min_impression_share: Option<f64>,
    #[schema(value_type = Vec<Object>)]
    metrics: Vec<Value>,
    #[schema(value_type = Option<Object>)]
    columns: Option<Value>,
    #[schema(value_type = Option<Vec<Object>>)]
    derived: Option<Value>,
}

/// Add a recipe: JSON, or TOML as application/toml.
#[utoipa::path(post, path = "/recipes", tag = "recipes",
    request_body(content((NewRecipe = "application/json"), (String = "application/toml"))),
    responses((status = 201, body = Answer<RecipeView>), (status = 409, description = "`conflict`", body = FailureBody)))]
async fn create(
    State(app): State<App>,
    By(caller): By,
    headers: HeaderMap,
    Raw(bytes): Raw,
) -> Result<Created<RecipeView>, Failure> {
    let toml = match media_type(&headers).as_deref() {
        Some("application/json") => toml_of(parse_json(&bytes)?)?,
        Some("application/toml") => String::from_utf8(bytes.to_vec())
            .map_err(|_| Failure::invalid("", "the recipe is not UTF-8 text"))?,
        _ => {
            let message = "send a recipe as application/json or application/toml";
            return Err(Failure::new(FailureCode::WrongKind, message));
        }
    };
    Ok(Created(RecipeView::of(app.platform.recipes().create(&caller, &toml).await?)?))
}

/// The recipe as the text that its rules are written for. What the answer of a recipe has besides is no part of it, so
/// that one that was read can be changed and sent back.
fn toml_of(mut fields: Map<String, Value>) -> Result<String, Failure> {
    for shown in ["id", "shipped"] {
        fields.remove(shown);
    }
    fields.retain(|_, value| !value.is_null());
    fields.entry("version").or_insert(Value::from(1));
    caliber_platform::recipes::toml_of(&fields).map_err(Failure::from)
}

/// One recipe.
#[utoipa::path(get, path = "/recipes/{id}", tag = "recipes", params(("id" = String, Path)),
    responses((status = 200, body = Answer<RecipeView>)))]
async fn get(
    State(app): State<App>,
    By(caller): By,
    Words(id): Words<String>,
) -> Result<Answer<RecipeView>, Failure> {
    Ok(Answer::new(RecipeView::of(app.platform.recipes().get(&caller, &id).await?)?))
}

/// Delete a recipe of one's own.
#[utoipa::path(delete, path = "/recipes/{id}", tag = "recipes", params(("id" = String, Path)),
    responses((status = 200, body = Answer<Nothing>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn delete(
    State(app): State<App>,
    By(caller): By,
    Words(id): Words<String>,
) -> Result<Answer<Nothing>, Failure> {
    app.platform.recipes().delete(&caller, &id).await?;
    Ok(Answer::done("deleted"))
}
