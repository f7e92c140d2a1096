//! The document of the API, and two pages to read it, all served from here.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::App;
use crate::extract::Words;
use crate::failure::Failure;

/// Both pages style themselves from scripts, and Swagger UI shows pictures that it carries inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'";

const REDOC: &str = include_str!("../assets/vendor/redoc/redoc.standalone.js");

pub(crate) fn routes(document: &OpenApi) -> Router<App> {
    // A document that is made of our own types always is JSON.
    let text = crate::openapi::text_of(document).unwrap_or_default();
    let config = Arc::new(Config::from("/openapi.json"));
    Router::new()
        // Not `/docs/`: a slash at the end of a path changes nothing here, so that would lead to itself.
        .route("/docs", get(|| async { Redirect::to("/docs/index.html") }))
        .route("/docs/{*file}", get(move |Words(file): Words<String>| async move { swagger(&file, config) }))
        .route("/redoc", get(redoc_page))
        .layer(axum::middleware::map_response(with_policy))
        .route(
            "/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }),
        )
        .route("/redoc/redoc.standalone.js", get(redoc_script))
}

async fn with_policy(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// A file of Swagger UI.
fn swagger(file: &str, config: Arc<Config<'static>>) -> Result<Response, Failure> {
    let served = utoipa_swagger_ui::serve(file, config);
    let served = served.map_err(|error| caliber_platform::Error::internal(error.to_string()))?;
    let missing = || caliber_platform::Error::not_found("page");
    let file = served.ok_or_else(missing)?;
    Ok(([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response())
}

async fn redoc_page() -> Html<&'static str> {
    Html(include_str!("../assets/redoc.html"))
}

async fn redoc_script() -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    (headers, REDOC).into_response()
}
