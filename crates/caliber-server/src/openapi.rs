//! The `OpenAPI` document, made from the routes themselves.

use axum::Router;
use caliber_platform::Platform;
use caliber_platform::rate_limits::RateLimit;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;

use crate::failure::FailureBody;
use crate::http::rate_limits::CallLimits;
use crate::{App, api};

/// The routes below `/api/v1` and those of operations, and the document of all of them.
pub(crate) fn described(app: &App) -> (Router<App>, OpenApi) {
    let base = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Caliber")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Scores the domains and supply vendors of programmatic campaigns. Every JSON answer is an envelope: \
                     `success`, `data`, `message`, `errors`; a failure has a `code` and the `request_id` besides.",
                ))
                .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
                .contact(Some(ContactBuilder::new().name(Some("Caliber")).build()))
                .build(),
        )
        .build();
    let (router, mut document) = OpenApiRouter::with_openapi(base)
        .nest("/api/v1", api::versioned(app))
        .merge(api::health::routes(app))
        .merge(api::metrics::routes(app))
        .split_for_parts();
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::signed_in::SESSION_COOKIE));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    add_schema::<FailureBody>(components);
    (router, document)
}

/// Adds a schema, and those it is made of, that no handler names.
fn add_schema<T: utoipa::ToSchema>(components: &mut utoipa::openapi::Components) {
    let mut schemas = vec![(T::name().into_owned(), <T as utoipa::PartialSchema>::schema())];
    <T as utoipa::ToSchema>::schemas(&mut schemas);
    components.schemas.extend(schemas);
}

/// The document as it is committed and compared: keys in order, so that the same routes give the same text.
///
/// # Errors
/// Where it cannot be written as JSON, which no document is known to do.
pub fn document(platform: &Platform) -> serde_json::Result<String> {
    let app = App {
        platform: platform.clone(),
        config: std::sync::Arc::new(crate::ServerConfig {
            production: true,
            is_local: false,
            dev_sign_in: false,
            allowed_hosts: Vec::new(),
            cors_origins: Vec::new(),
            trusted_proxies: crate::TrustedProxies::default(),
            rate_limit: RateLimit::OFF,
            page_rate_limit: RateLimit::OFF,
            settings: Vec::new(),
            sample: || Err(std::io::ErrorKind::Unsupported.into()),
        }),
        metrics: std::sync::Arc::new(crate::http::metrics::RequestMetrics::new()),
        limits: std::sync::Arc::new(CallLimits::new(RateLimit::OFF, RateLimit::OFF)),
        stopping: tokio_util::sync::CancellationToken::new(),
    };
    text_of(&described(&app).1)
}

/// The document as text, its keys in order.
pub(crate) fn text_of(document: &OpenApi) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(document)?;
    value.sort_all_objects();
    serde_json::to_string_pretty(&value).map(|text| text + "\n")
}
