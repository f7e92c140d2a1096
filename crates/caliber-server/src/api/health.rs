//! Health: for whoever runs this. Every answer is quick, also where what it asks for does not answer.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use caliber_platform::Platform;
use caliber_platform::identity::permissions::SYSTEM_READ;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::access::{Access, Declared};
use crate::answer::Answer;

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Public, routes!(health))
        .with(app, Access::Public, routes!(live))
        .with(app, Access::Public, routes!(ready))
        .with(app, Access::OnThisMachineOr(SYSTEM_READ), routes!(detailed_health))
}

/// Whether it runs.
#[derive(Serialize, ToSchema)]
struct Health {
    #[schema(example = "healthy")]
    status: &'static str,
    #[schema(example = "0.1.0")]
    version: &'static str,
}

fn healthy() -> Answer<Health> {
    Answer::new(Health { status: "healthy", version: env!("CARGO_PKG_VERSION") })
}

/// Whether it runs.
#[utoipa::path(get, path = "/health", tag = "operations", responses((status = 200, body = Answer<Health>)))]
async fn health() -> Answer<Health> {
    healthy()
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, body = Answer<Health>)))]
async fn live() -> Answer<Health> {
    healthy()
}

/// Whether it can serve: 503 while the database or the storage does not answer.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses((status = 200, body = Answer<Health>), (status = 503, description = "`unavailable`", body = crate::failure::FailureBody)))]
async fn ready(State(app): State<App>) -> Response {
    let database = probe(app.platform.store_answers()).await;
    if database.status == "healthy" {
        return healthy().into_response();
    }
    crate::failure::Failure::new(crate::failure::FailureCode::Unavailable, "the database does not answer")
        .into_response()
}

/// How a part is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Part {
    /// healthy or unhealthy.
    #[schema(example = "healthy")]
    pub(crate) status: &'static str,
    /// What it is.
    #[schema(example = "sqlite")]
    pub(crate) kind: String,
    /// How long it took to answer.
    #[schema(example = 0.4)]
    pub(crate) latency_ms: f64,
    /// More about it.
    #[schema(value_type = Option<Object>)]
    pub(crate) detail: Option<serde_json::Value>,
}

/// How everything is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DetailedHealth {
    /// healthy, degraded or unhealthy; degraded is not down.
    #[schema(example = "healthy")]
    pub(crate) status: &'static str,
    version: &'static str,
    pub(crate) database: Part,
    pub(crate) cache: Part,
    pub(crate) queue: Part,
    pub(crate) storage: Part,
}

struct Probed {
    status: &'static str,
    latency_ms: f64,
}

async fn probe<E>(answers: impl Future<Output = Result<(), E>>) -> Probed {
    let begun = Instant::now();
    let answered = tokio::time::timeout(PATIENCE, answers).await;
    let status = if matches!(answered, Ok(Ok(()))) { "healthy" } else { "unhealthy" };
    Probed { status, latency_ms: begun.elapsed().as_secs_f64() * 1000.0 }
}

/// How everything is: database, cache, queue, storage, and how long each took to answer.
#[utoipa::path(get, path = "/health/detailed", tag = "operations",
    responses((status = 200, body = Answer<DetailedHealth>), (status = 503, description = "the database does not answer", body = Answer<DetailedHealth>)))]
async fn detailed_health(State(app): State<App>) -> Response {
    let health = examined(&app.platform).await;
    let code = if health.status == "unhealthy" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, Answer::new(health)).into_response()
}

/// Asks every part how it is.
pub(crate) async fn examined(platform: &Platform) -> DetailedHealth {
    let database = probe(platform.store_answers()).await;
    let storage = probe(platform.storage_answers()).await;
    let begun = Instant::now();
    let found = tokio::time::timeout(PATIENCE, platform.jobs().stats()).await.ok().and_then(Result::ok);
    let queue_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let queues = found.as_ref().map(|stats| {
        stats
            .iter()
            .map(|queue| {
                let name = queue.queue.name().to_owned();
                (name, json!({"queued": queue.queued, "running": queue.running, "dead": queue.dead}))
            })
            .collect::<serde_json::Map<_, _>>()
    });
    let begun = Instant::now();
    let (tables, bytes) = platform.results_held().await;
    let cache_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let status = match (database.status, storage.status) {
        ("healthy", "healthy") => "healthy",
        ("healthy", _) => "degraded",
        _ => "unhealthy",
    };
    let part = |Probed { status, latency_ms }, kind: &str| Part {
        status,
        kind: kind.to_owned(),
        latency_ms,
        detail: None,
    };
    DetailedHealth {
        status,
        version: env!("CARGO_PKG_VERSION"),
        database: part(database, platform.database_kind()),
        storage: part(storage, platform.storage_kind()),
        cache: Part {
            status: "healthy",
            kind: "memory".to_owned(),
            latency_ms: cache_ms,
            detail: Some(json!({"tables": tables, "bytes": bytes})),
        },
        queue: Part {
            status: if queues.is_some() { "healthy" } else { "unhealthy" },
            kind: "database".to_owned(),
            latency_ms: queue_ms,
            detail: queues.map(serde_json::Value::Object),
        },
    }
}
