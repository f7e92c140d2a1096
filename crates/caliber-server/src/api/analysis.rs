//! `/scoring`: questions to the results: outliers, weights, explanation, changes, what-if.
//!
//! The answers are the objects of the command line's `--json`, whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use caliber_platform::analysis::{
    AnalysedRun, ByMetric, Changes, DEFAULT_SEED, Refusal, available_threads, changes, explanation,
    json_line, outliers, weights, what_if,
};
use caliber_platform::campaigns::CampaignId;
use caliber_platform::identity::permissions::{SCORING_READ, SCORING_RUN};
use serde::{Deserialize, Serialize};
use serde_json::Map;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::App;
use crate::access::{Access, Declared};
use crate::answer::Answer;
use crate::extract::{Body, Id, Query, Words};
use crate::failure::{Failure, FailureBody};
use crate::signed_in::By;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Searches go through the rows once for each.
const MOST_FOLDS: usize = 100;
const MOST_PER_PAGE: usize = 100;

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(SCORING_READ), routes!(explain_changes))
        .with(app, Access::Needs(SCORING_READ), routes!(explain))
        .with(app, Access::Needs(SCORING_READ), routes!(explain_domain))
        .with(app, Access::Needs(SCORING_READ), routes!(find_outliers))
        .with(app, Access::Needs(SCORING_RUN), routes!(treat_outliers))
        .with(app, Access::Needs(SCORING_READ), routes!(learn_weights))
        .with(app, Access::Needs(SCORING_READ), routes!(optimize_weights))
        .with(app, Access::Needs(SCORING_READ), routes!(ask_what_if))
}

/// Runs a question on a thread that may take its time, and says how long it took.
async fn ask<T: Serialize + Send + 'static>(
    began: Instant,
    question: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<Response, Failure> {
    let read = began.elapsed();
    let (answer, took) = computed(question).await?;
    told(read, took, answer).await
}

/// Runs a question; what it gives, and how long it took.
async fn computed<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<(T, Duration), Failure> {
    let computed = tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        question().map(|answer| (answer, began.elapsed()))
    });
    computed.await.map_err(caliber_platform::Error::internal)?.map_err(refused)
}

/// The answer as JSON, and how long it took to read, compute and write.
async fn told<T: Serialize + Send + 'static>(
    read: Duration,
    took: Duration,
    answer: T,
) -> Result<Response, Failure> {
    let written = tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        let json = json_line(&Answer::new(answer)).map_err(Refusal::Engine)?;
        let mut response = ([(CONTENT_TYPE, "application/json")], json).into_response();
        let milliseconds = |part: Duration| part.as_secs_f64() * 1000.0;
        let timing = format!(
            "read;dur={:.3}, compute;dur={:.3}, write;dur={:.3}",
            milliseconds(read),
            milliseconds(took),
            milliseconds(began.elapsed())
        );
        if let Ok(timing) = HeaderValue::from_str(&timing) {
            response.headers_mut().insert(SERVER_TIMING, timing);
        }
        Ok(response)
    });
    written.await.map_err(caliber_platform::Error::internal)?.map_err(refused)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExplainParameters {
    /// shapley, `feature_importance`, correlation.
    #[param(default = "shapley")]
    method: Option<String>,
    /// The Shapley values of every row.
    #[param(default = false)]
    values: Option<bool>,
    /// Of the methods that draw.
    #[param(default = 42)]
    seed: Option<u64>,
}

/// What makes the scores of a campaign.
#[utoipa::path(get, path = "/explain/{id}", tag = "scoring", params(("id" = Uuid, Path), ExplainParameters),
    responses((status = 200, body = Answer<explanation::Explanation>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn explain(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(asked): Query<ExplainParameters>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let method = explanation::Method::of(asked.method.as_deref().unwrap_or("shapley")).map_err(refused)?;
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(id)).await?;
    let options = explanation::Options {
        method,
        values: asked.values.unwrap_or_default(),
        seed: asked.seed.unwrap_or(DEFAULT_SEED),
        threads: available_threads(),
    };
    ask(began, move || explanation::explain(&run.subject(), options)).await
}

/// What makes the score of one domain, and what would move it.
#[utoipa::path(get, path = "/explain/{id}/{domain}", tag = "scoring",
    params(("id" = Uuid, Path), ("domain" = String, Path, description = "Percent-encoded; normalised as the report's names were")),
    responses((status = 200, body = Answer<explanation::DomainExplanation>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn explain_domain(
    State(app): State<App>,
    By(caller): By,
    Words((id, domain)): Words<(String, String)>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let id = Uuid::try_parse(&id).map_err(|_| caliber_platform::Error::not_found("campaign"))?;
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(id)).await?;
    ask(began, move || explanation::explain_domain(&run.subject(), &domain, run.evidence())).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ChangesParameters {
    /// A campaign, for the results it shows, or one of its runs.
    before: Uuid,
    /// As before.
    after: Uuid,
}

/// What changed from one run to another.
#[utoipa::path(get, path = "/explain/changes", tag = "scoring", params(ChangesParameters),
    responses((status = 200, body = Answer<Changes>), (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn explain_changes(
    State(app): State<App>,
    By(caller): By,
    Query(asked): Query<ChangesParameters>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let analysis = app.platform.analysis();
    let before = analysis.of_campaign_or_run(&caller, asked.before).await?;
    let after = analysis.of_campaign_or_run(&caller, asked.after).await?;
    ask(began, move || changes(&before.subject(), &after.subject())).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OutliersParameters {
    /// `isolation_forest`, `local_outlier_factor`, `elliptic_envelope`, zscore, iqr, combined.
    #[param(default = "isolation_forest")]
    method: Option<String>,
    /// The share of rows taken for outliers, above 0 and up to 0.5.
    #[param(default = 0.1)]
    contamination: Option<f64>,
    /// Of the methods that draw.
    #[param(default = 42)]
    seed: Option<u64>,
    /// The score of every row.
    #[param(default = false)]
    scores: Option<bool>,
    /// How many outliers are described.
    #[param(default = 20)]
    limit: Option<usize>,
}

/// The rows of a campaign that are strange, and why.
#[utoipa::path(get, path = "/outliers/{id}", tag = "scoring", params(("id" = Uuid, Path), OutliersParameters),
    responses((status = 200, body = Answer<outliers::Outliers>), (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn find_outliers(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(asked): Query<OutliersParameters>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let usual = outliers::Options::default();
    let options = outliers::Options {
        method: asked.method.as_deref().map_or(Ok(usual.method), outliers::Method::of).map_err(refused)?,
        contamination: asked.contamination.unwrap_or(usual.contamination),
        seed: asked.seed.unwrap_or(usual.seed),
        scores: asked.scores.unwrap_or(usual.scores),
        limit: asked.limit.unwrap_or(usual.limit),
        threads: available_threads(),
    };
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(id)).await?;
    ask(began, move || outliers::detect(&run.subject(), &options)).await
}

/// What is done about outliers.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"treatment": "winsorize", "publish": false}))]
struct Treat {
    /// drop, cap, winsorize.
    treatment: String,
    /// How outliers are found, for drop.
    method: Option<String>,
    contamination: Option<f64>,
    seed: Option<u64>,
    /// Whether the campaign shows the treated results from now on; usual.
    publish: Option<bool>,
}

/// Score a campaign again without its outliers, or with them tamed.
#[utoipa::path(post, path = "/outliers/{id}/treat", tag = "scoring", params(("id" = Uuid, Path)), request_body = Treat,
    responses((status = 200, body = Answer<outliers::TreatmentAnswer>),
        (status = 409, description = "`not_scored`, `already_running`", body = FailureBody)))]
async fn treat_outliers(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Body(asked): Body<Treat>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let usual = outliers::Options::default();
    let treatment = outliers::Treatment::of(&asked.treatment).map_err(refused)?;
    let options = outliers::Options {
        method: asked.method.as_deref().map_or(Ok(usual.method), outliers::Method::of).map_err(refused)?,
        contamination: asked.contamination.unwrap_or(usual.contamination),
        seed: asked.seed.unwrap_or(usual.seed),
        ..usual
    };
    let publishes = asked.publish.unwrap_or(true);
    let (analysis, id) = (app.platform.analysis(), CampaignId(id));
    let run = if publishes {
        analysis.of_campaign_to_change(&caller, id).await?
    } else {
        analysis.of_campaign(&caller, id).await?
    };
    let (read, asked_of) = (began.elapsed(), run.clone());
    let (treated, took) = computed(move || outliers::treat(&asked_of.subject(), treatment, &options)).await?;
    let treated = Arc::new(treated);
    if publishes {
        analysis.publish(&caller, &run, Arc::clone(&treated)).await?;
    }
    told(read, took, treated.answer.clone()).await
}

/// What weights are made from.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"campaign_id": "0198c0de-0000-7000-8000-000000000000", "target": "conversion_rate"}))]
struct Learn {
    campaign_id: Uuid,
    /// A column of the results; needed but for equal, variance and custom.
    target: Option<String>,
    /// equal, correlation, `f_score`, `mutual_info`, variance, custom.
    method: Option<String>,
    /// Of custom: {metric: weight}.
    #[schema(value_type = Option<Object>)]
    weights: Option<WeightsGiven>,
    seed: Option<u64>,
    /// Save them as a recipe of this name.
    save_as: Option<String>,
}

/// Weights by metric, in the order they were given.
type WeightsGiven = Map<String, serde_json::Value>;

/// Weights that follow a column of the results.
#[utoipa::path(post, path = "/weights", tag = "scoring", request_body = Learn,
    responses((status = 200, body = Answer<weights::Learned>), (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`not_scored`, `conflict`", body = FailureBody)))]
async fn learn_weights(
    State(app): State<App>,
    By(caller): By,
    Body(asked): Body<Learn>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let options = weights::Options {
        target: asked.target,
        method: asked
            .method
            .as_deref()
            .map_or(Ok(weights::Method::default()), weights::Method::of)
            .map_err(refused)?,
        weights: asked.weights.map(pairs).transpose()?,
        seed: asked.seed.unwrap_or(DEFAULT_SEED),
        threads: available_threads(),
    };
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(asked.campaign_id)).await?;
    let (read, asked_of) = (began.elapsed(), run.clone());
    let (mut learned, took) = computed(move || weights::learn(&asked_of.subject(), &options)).await?;
    learned.saved_as = save(&app, &caller, &run, &learned.weights, asked.save_as.as_deref()).await?;
    told(read, took, learned).await
}

/// What weights are searched for.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"campaign_id": "0198c0de-0000-7000-8000-000000000000", "target": "conversion_rate"}))]
struct Optimize {
    campaign_id: Uuid,
    /// A column of the results.
    target: Option<String>,
    /// `grid_search`, genetic, bayesian.
    method: Option<String>,
    /// Parts of the rows, each to judge what was found on the others.
    #[schema(minimum = 2, maximum = 100, default = 5)]
    folds: Option<usize>,
    /// What to start from: {metric: weight}.
    #[schema(value_type = Option<Object>)]
    weights: Option<WeightsGiven>,
    seed: Option<u64>,
    /// Save them as a recipe of this name.
    save_as: Option<String>,
}

/// Weights with which the score follows a column best, judged on rows they were not made from.
#[utoipa::path(post, path = "/weights/optimize", tag = "scoring", request_body = Optimize,
    responses((status = 200, body = Answer<weights::Optimized>), (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`not_scored`, `conflict`", body = FailureBody)))]
async fn optimize_weights(
    State(app): State<App>,
    By(caller): By,
    Body(asked): Body<Optimize>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let usual = weights::OptimizeOptions::default();
    let folds = asked.folds.unwrap_or(usual.folds);
    if folds > MOST_FOLDS {
        return Err(Failure::invalid(
            "folds",
            format!("{folds} is more than the {MOST_FOLDS} that are taken"),
        ));
    }
    let options = weights::OptimizeOptions {
        target: asked.target,
        method: asked.method.as_deref().map_or(Ok(usual.method), weights::Search::of).map_err(refused)?,
        folds,
        weights: asked.weights.map(pairs).transpose()?,
        seed: asked.seed.unwrap_or(usual.seed),
        threads: available_threads(),
    };
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(asked.campaign_id)).await?;
    let (read, asked_of) = (began.elapsed(), run.clone());
    let (mut optimized, took) = computed(move || weights::optimize(&asked_of.subject(), &options)).await?;
    optimized.saved_as = save(&app, &caller, &run, &optimized.best_weights, asked.save_as.as_deref()).await?;
    told(read, took, optimized).await
}

/// Other weights.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"campaign_id": "0198c0de-0000-7000-8000-000000000000", "weights": {"cpm": 0.3, "ctr": 0.7}}))]
struct AskWhatIf {
    campaign_id: Uuid,
    /// {metric: weight}; only their proportions count, and a metric that is not named weighs nothing.
    #[schema(value_type = Object)]
    weights: WeightsGiven,
    #[schema(minimum = 1, default = 1)]
    page: Option<usize>,
    #[schema(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<usize>,
}

/// The scores and lists that other weights would give; nothing is stored.
#[utoipa::path(post, path = "/what-if", tag = "scoring", request_body = AskWhatIf,
    responses((status = 200, body = Answer<what_if::WhatIf>), (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn ask_what_if(
    State(app): State<App>,
    By(caller): By,
    Body(asked): Body<AskWhatIf>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let (weights, page, per_page) =
        (pairs(asked.weights)?, asked.page.unwrap_or(1), asked.per_page.unwrap_or(20));
    if per_page > MOST_PER_PAGE {
        let message = format!("{per_page} is more than the {MOST_PER_PAGE} that a page holds");
        return Err(Failure::invalid("per_page", message));
    }
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(asked.campaign_id)).await?;
    ask(began, move || {
        let options = what_if::Options { weights: &weights, lists: run.list_rules(), page, per_page };
        what_if::what_if(&run.subject(), options)
    })
    .await
}

async fn save(
    app: &App,
    caller: &caliber_platform::identity::Caller,
    run: &AnalysedRun,
    weights: &ByMetric<f64>,
    name: Option<&str>,
) -> Result<Option<String>, Failure> {
    let Some(name) = name else { return Ok(None) };
    Ok(Some(app.platform.analysis().save_recipe(caller, run, weights, name).await?))
}

fn pairs(weights: WeightsGiven) -> Result<Vec<(String, f64)>, Failure> {
    let pair = |(metric, weight): (String, serde_json::Value)| match weight.as_f64() {
        Some(weight) => Ok((metric, weight)),
        None => Err(Failure::invalid(format!("weights.{metric}"), "is a number")),
    };
    weights.into_iter().map(pair).collect()
}

fn refused(refusal: Refusal) -> Failure {
    caliber_platform::Error::from(refusal).into()
}
