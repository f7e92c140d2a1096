//! The pages: a file a page here, its template of the same name in `templates/`.
//!
//! A page is registered with who may see it ([`Sees`]); its handler takes a [`shell::Shell`] and calls the platform's use
//! cases, and returns its template's struct. What fails becomes a page too (`guard.rs`).

mod campaign;
mod campaigns;
mod dashboard;
mod error_page;
mod exports;
mod figures;
mod files;
mod filters;
mod form;
mod guard;
mod help;
mod jobs;
mod lists;
mod metrics;
mod new_campaign;
mod notice;
mod organisation;
mod paging;
mod people;
mod profile;
mod recipes;
mod results;
mod review;
#[cfg(test)]
mod samples;
mod set_password;
mod settings;
mod shell;
mod sign_in;

use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use crate::App;
use crate::failure::{Failure, FailureCode};
use guard::Sees;

/// Everything comes from this server; nothing is run or styled that stands in a page itself. Pictures in styles are
/// written as `data:`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// All pages.
pub(crate) fn routes(app: &App) -> Router<App> {
    Router::new()
        .merge(dashboard::routes(app).layer(from_fn(json_for_programs)))
        .merge(sign_in::routes(app))
        .merge(set_password::routes(app))
        .merge(profile::routes(app))
        .merge(new_campaign::routes(app))
        .merge(campaigns::routes(app))
        .merge(campaign::routes(app))
        .merge(files::routes(app))
        .merge(lists::routes(app))
        .merge(exports::routes(app))
        .merge(recipes::routes(app))
        .merge(jobs::routes(app))
        .merge(people::routes(app))
        .merge(organisation::routes(app))
        .merge(settings::routes(app))
        .merge(help::routes(app))
        .merge(results::routes(app))
        .layer(map_response(with_policy))
}

/// Routes that say who may see their page.
trait Guarded {
    /// Adds a page and who may see it.
    #[must_use]
    fn page(self, app: &App, path: &str, sees: Sees, methods: MethodRouter<App>) -> Self;
}

impl Guarded for Router<App> {
    fn page(self, app: &App, path: &str, sees: Sees, methods: MethodRouter<App>) -> Self {
        self.route(path, methods.route_layer(from_fn_with_state((app.clone(), sees), guard::guarded)))
    }
}

async fn with_policy(mut response: Response) -> Response {
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        // Without a referrer at all, browsers say of a form of ours that it comes from `null`.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

/// Whether a browser asks: a program that takes anything is answered as one.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT);
    accepts.iter().any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")))
}

/// At the root, what this is, for those that do not ask for a page.
async fn json_for_programs(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read && !wants_page(request.headers()) { crate::about() } else { next.run(request).await }
}

/// What there is not, as a page where a browser asks.
pub(crate) async fn nothing_here(app: &App, parts: &Parts) -> Response {
    let path = parts.uri.path();
    let is_api = path.starts_with("/api/");
    if is_api || !wants_page(&parts.headers) {
        let message = format!("there is nothing at {path}; /docs shows what there is");
        return Failure::new(FailureCode::NotFound, message).into_response();
    }
    let message = crate::texts::with("error-nothing-at", &[("path", path.into())]);
    let failure = Failure::new(FailureCode::NotFound, message);
    with_policy(error_page::shown(&shell_of(app, parts).await, &parts.headers, failure)).await
}

/// The shell of a page outside of the guard.
async fn shell_of(app: &App, parts: &Parts) -> shell::Shell {
    match crate::signed_in::identified(app, parts).await {
        Ok(found) => shell::Shell::of(app, parts, found.as_ref().map(|found| &found.caller)),
        Err(_) => shell::Shell::anonymous(),
    }
}
