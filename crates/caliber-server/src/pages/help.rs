//! Help: what the figures mean, and what to do with them.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::routing::get;
use caliber_platform::identity::permissions::PROFILE_READ;

use super::metrics::{METRICS, Metric};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/help", Sees::Needs(PROFILE_READ), get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "help.html")]
struct HelpPage {
    shell: Shell,
    metrics: &'static [Metric],
}

async fn show(shell: Shell) -> HelpPage {
    HelpPage { shell, metrics: METRICS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_glossary_has_every_metric() {
        let html = samples::checked(&HelpPage { shell: samples::shell(), metrics: METRICS });
        assert_eq!(html.matches("<dt class=\"term\">").count(), METRICS.len());
    }
}
