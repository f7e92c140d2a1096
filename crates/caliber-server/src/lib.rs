//! The HTTP side of the service. Thin: what a call means is in [`caliber_platform`].

mod access;
mod answer;
mod api;
mod assets;
mod docs;
mod download;
mod extract;
mod failure;
mod http;
mod openapi;
mod pages;
mod progress;
mod signed_in;
mod texts;
mod words;

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use caliber_platform::Platform;
use caliber_platform::rate_limits::RateLimit;
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::normalize_path::NormalizePathLayer;

use failure::{Failure, FailureCode};
use http::rate_limits::{self, Asks};

pub use http::client_address::TrustedProxies;
pub use openapi::document;

/// What a form has beside its file: headers of parts, boundaries.
const AROUND_A_FILE: u64 = 64 << 10;

/// How the server is set up.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Whether the strict rules of production hold: secure cookies, HSTS.
    pub production: bool,
    /// Whether only this machine can reach it.
    pub is_local: bool,
    /// Whether a request without a credential acts as the developer.
    pub dev_sign_in: bool,
    /// Host names it answers to.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call it.
    pub cors_origins: Vec<String>,
    /// Proxies that are believed when they say for whom they ask.
    pub trusted_proxies: TrustedProxies,
    /// Calls of a user, or of an address where nobody is signed in.
    pub rate_limit: RateLimit,
    /// Calls under a browser's session.
    pub page_rate_limit: RateLimit,
    /// Every setting, for the administrator to read.
    pub settings: Vec<ShownSetting>,
    /// Makes a report for whoever has none at hand.
    pub sample: fn() -> std::io::Result<SampleReport>,
}

/// A setting as it may be shown: without what is secret in it.
#[derive(Clone, Debug, Serialize)]
pub struct ShownSetting {
    /// Its name in the environment.
    pub name: &'static str,
    /// Its value, secrets masked; empty where there is none.
    pub value: String,
    /// `flag`, `environment`, `.env`, `caliber.toml` or `default`.
    pub source: String,
    /// What it is for.
    pub meaning: &'static str,
}

/// A report that was made up.
#[derive(Clone, Debug)]
pub struct SampleReport {
    /// What its file is called.
    pub filename: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What every handler has.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) platform: Platform,
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) metrics: Arc<http::metrics::RequestMetrics>,
    pub(crate) limits: Arc<http::rate_limits::CallLimits>,
    /// Ends streams when the server stops.
    pub(crate) stopping: CancellationToken,
}

/// Serves until `stop`, then lets requests that are under way end.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    platform: Platform,
    config: ServerConfig,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let metrics = Arc::new(http::metrics::RequestMetrics::new());
    let limits =
        http::rate_limits::CallLimits::new(config.rate_limit.clone(), config.page_rate_limit.clone());
    let app =
        App { platform, config: Arc::new(config), metrics, limits: Arc::new(limits), stopping: stop.clone() };
    tokio::task::spawn_blocking(assets::warm_up);
    // Outside the router, for the path to be made plain before it is looked up.
    let service = NormalizePathLayer::trim_trailing_slash().layer(router(&app));
    let service = axum::ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(service);
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// All routes with what holds for each.
fn router(app: &App) -> Router {
    let (versioned, document) = openapi::described(app);
    let (unversioned, _) = api::unversioned(app).split_for_parts();
    let max_upload = app.platform.max_upload() + AROUND_A_FILE;
    Router::new()
        .merge(versioned)
        .merge(unversioned)
        .merge(docs::routes(&document))
        .merge(assets::routes())
        .merge(pages::routes(app))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app.clone())
        .layer(from_fn(move |request, next| http::body_limit::limited(max_upload, request, next)))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(http::origins::cors(&app.config.cors_origins))
        .layer(map_response(http::origins::only_to_those_listed))
        .layer(from_fn_with_state(app.clone(), http::hosts::allowed))
        .layer(from_fn_with_state(app.clone(), http::security_headers::added))
        .layer(CompressionLayer::new().compress_when(is_worth_packing()))
        .layer(map_response(http::etags::weakened_where_packed))
        .layer(from_fn_with_state(app.clone(), http::metrics::counted))
        .layer(from_fn(http::request_id::identified))
}

/// What is packed already only takes time.
fn is_worth_packing() -> impl Predicate {
    DefaultPredicate::new()
        .and(NotForContentType::const_new("application/pdf"))
        .and(NotForContentType::const_new("application/zip"))
        .and(NotForContentType::const_new("application/vnd.openxmlformats"))
}

/// What this is, for programs.
fn about() -> Response {
    answer::Answer::new(json!({"name": "Caliber", "version": env!("CARGO_PKG_VERSION"), "docs": "/docs"}))
        .into_response()
}

async fn wrong_method(method: Method) -> Failure {
    Failure::new(FailureCode::MethodNotAllowed, format!("this address does not take {method}"))
}

/// What is nowhere; it is counted as calls are, of the address.
async fn nowhere(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let quota = match app.limits.take(&app, &parts, None, Asks::Operation) {
        Ok(quota) => quota,
        Err(full) => return rate_limits::told(rate_limits::refusal(full).into_response(), Some(full)),
    };
    rate_limits::told(pages::nothing_here(&app, &parts).await, quota)
}

#[expect(clippy::needless_pass_by_value, reason = "it is the form that the layer asks for")]
fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let cause =
        cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(cause, "a handler panicked");
    Failure::new(FailureCode::Internal, "something went wrong on our side").into_response()
}

/// How long a graceful stop may take before connections are cut.
pub const STOP_PATIENCE: Duration = Duration::from_secs(10);
