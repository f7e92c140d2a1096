//! The JSON API: a file a resource. Thin: what a call means is in the platform.

mod analysis;
mod auth;
mod background_exports;
mod campaign_templates;
mod campaigns;
mod exports;
pub(crate) mod health;
mod jobs;
mod lists;
pub(crate) mod metrics;
mod organizations;
mod paging;
mod recipes;
mod reports;
mod result_row;
mod rows_parameters;
mod scoring;
pub(crate) mod upload;
mod users;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// Everything below `/api/v1`.
pub(crate) fn versioned(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .nest("/auth", auth::routes(app))
        .nest("/campaigns", campaign_templates::routes(app).merge(campaigns::routes(app)))
        .nest("/scoring", scoring(app))
        .nest("/reports", reports(app))
        .merge(users::routes(app))
        .merge(organizations::routes(app))
        .merge(jobs::routes(app))
}

/// The prefixes that answer without a version too.
pub(crate) fn unversioned(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new().nest("/scoring", scoring(app)).nest("/reports", reports(app))
}

fn scoring(app: &App) -> OpenApiRouter<App> {
    scoring::routes(app).merge(analysis::routes(app)).merge(lists::routes(app)).merge(recipes::routes(app))
}

fn reports(app: &App) -> OpenApiRouter<App> {
    reports::routes(app).merge(exports::routes(app)).merge(background_exports::routes(app))
}
