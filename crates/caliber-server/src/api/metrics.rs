//! `/metrics`: figures for Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use caliber_platform::identity::permissions::SYSTEM_READ;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::access::{Access, Declared};
use crate::failure::{Failure, FailureCode};

/// What Prometheus asks for and names first.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new().with(app, Access::OnThisMachineOr(SYSTEM_READ), routes!(metrics))
}

/// How many jobs of a queue are in a state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Jobs {
    queue: &'static str,
    state: &'static str,
}

/// Requests of this process, and the jobs of all, as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Figures in the text format of OpenMetrics", content_type = "application/openmetrics-text", body = String)))]
async fn metrics(State(app): State<App>) -> Result<Response, Failure> {
    let mut registry = Registry::default();
    app.metrics.register(&mut registry);

    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("caliber_build", "The program that answers", build);

    // Asked now and not counted: workers are processes of their own.
    let jobs = Family::<Jobs, Gauge>::default();
    let queues = app.platform.jobs().stats().await?;
    for queue in &queues {
        let states = [("queued", queue.queued), ("running", queue.running), ("dead", queue.dead)];
        for (state, count) in states {
            let labels = Jobs { queue: queue.queue.name(), state };
            jobs.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    registry.register("caliber_jobs", "Jobs that wait, that run, and dead letters", jobs);

    let (tables, bytes) = app.platform.results_held().await;
    let (held, size) = (Gauge::<i64>::default(), Gauge::<i64>::default());
    held.set(i64::try_from(tables).unwrap_or(i64::MAX));
    size.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    registry.register("caliber_results_cached", "Campaigns whose results are in memory", held);
    registry.register_with_unit("caliber_results_cache", "Memory for results in use", Unit::Bytes, size);

    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|error| {
        Failure::new(FailureCode::Internal, format!("metrics cannot be written: {error}"))
    })?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], body).into_response())
}
