//! The settings of the service and how its parts are, for the administrator.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use caliber_platform::identity::permissions::SYSTEM_READ;

use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::api::health::{self, Part};
use crate::{App, ShownSetting};

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/settings", Sees::Needs(SYSTEM_READ), get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "settings.html")]
struct SettingsPage {
    shell: Shell,
    /// The key of each part's name, and how it is.
    parts: Vec<(&'static str, Part)>,
    settings: Vec<ShownSetting>,
}

impl Part {
    fn is_healthy(&self) -> bool {
        self.status == "healthy"
    }
}

impl ShownSetting {
    /// Whether somebody has set it.
    fn is_set(&self) -> bool {
        self.source != "default"
    }
}

async fn show(State(app): State<App>, shell: Shell) -> SettingsPage {
    let health = health::examined(&app.platform).await;
    let parts = vec![
        ("part-database", health.database),
        ("part-storage", health.storage),
        ("part-queue", health.queue),
        ("part-cache", health.cache),
    ];
    SettingsPage { shell, parts, settings: app.config.settings.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn what_does_not_answer_is_said_in_words() {
        let part = |status| Part { status, kind: "sqlite".to_owned(), latency_ms: 0.41, detail: None };
        let setting = |name, value: &str, source: &str| ShownSetting {
            name,
            value: value.to_owned(),
            source: source.to_owned(),
            meaning: "largest <report> taken",
        };
        let page = SettingsPage {
            shell: samples::shell(),
            parts: vec![("part-database", part("healthy")), ("part-storage", part("unhealthy"))],
            settings: vec![
                setting("CALIBER_MAX_UPLOAD", "50MB", "default"),
                setting("CALIBER_BIND", "127.0.0.1:80", "flag"),
            ],
        };
        let html = samples::checked(&page);
        assert!(
            html.contains("Does not answer") && html.contains("largest &#60;report&#62; taken"),
            "{html}"
        );
        assert_eq!(html.matches("state-azure").count(), 1, "what was set is told from what is as shipped");
    }
}
