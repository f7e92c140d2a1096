//! The settings of the service and how its parts are, for the administrator.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use caliber_platform::analysis::capital;
use caliber_platform::identity::permissions::SYSTEM_READ;

use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::api::health::{self, Part};
use crate::{App, ShownSetting, texts};

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/settings", Sees::Needs(SYSTEM_READ), get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "settings.html")]
struct SettingsPage {
    shell: Shell,
    is_production: bool,
    /// The key of each part's name, and how it is.
    parts: Vec<(&'static str, Part)>,
    set: Vec<SettingRow>,
    as_shipped: Vec<SettingRow>,
}

impl SettingsPage {
    fn new(
        shell: Shell,
        is_production: bool,
        parts: Vec<(&'static str, Part)>,
        settings: &[ShownSetting],
    ) -> Self {
        let rows = |is_set: bool| {
            let of = settings.iter().filter(|setting| (setting.source != "default") == is_set);
            of.map(SettingRow::of).collect()
        };
        Self { shell, is_production, parts, set: rows(true), as_shipped: rows(false) }
    }

    /// The settings under the keys of their headings: first those that somebody has set.
    fn groups(&self) -> [(&'static str, &Vec<SettingRow>); 2] {
        [("settings-set", &self.set), ("settings-as-shipped", &self.as_shipped)]
    }
}

/// A setting in words.
struct SettingRow {
    name: &'static str,
    value: String,
    /// What it is where it has no value, made of other settings.
    usual: Option<String>,
    meaning: String,
    source: String,
}

impl SettingRow {
    fn of(setting: &ShownSetting) -> Self {
        let (meaning, usual) = match setting.meaning.split_once(" [default: ") {
            Some((meaning, usual)) => (meaning, Some(capital(usual.trim_end_matches(']')))),
            None => (setting.meaning, None),
        };
        Self {
            name: setting.name,
            value: setting.value.clone(),
            usual,
            meaning: capital(&meaning.replace('`', "")),
            source: match setting.source.as_str() {
                "default" => texts::text("setting-default"),
                "flag" => texts::text("setting-flag"),
                "environment" => texts::text("setting-environment"),
                file => file.to_owned(),
            },
        }
    }
}

impl Part {
    fn is_healthy(&self) -> bool {
        self.status == "healthy"
    }

    /// What it is, as it is spelt.
    fn kind_name(&self) -> String {
        match self.kind.as_str() {
            "sqlite" => "SQLite".to_owned(),
            "postgres" | "postgresql" => "PostgreSQL".to_owned(),
            "s3" => "S3".to_owned(),
            other => capital(other),
        }
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
    SettingsPage::new(shell, app.config.production, parts, &app.config.settings)
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
            meaning: "largest <report> taken [default: one per core]",
        };
        let page = SettingsPage::new(
            samples::shell(),
            false,
            vec![("part-database", part("healthy")), ("part-storage", part("unhealthy"))],
            &[
                setting("CALIBER_MAX_UPLOAD", "", "default"),
                setting("CALIBER_BIND", "127.0.0.1:80", "flag"),
                setting("CALIBER_DATA", "/data", "caliber.toml"),
            ],
        );
        assert_eq!((page.set.len(), page.as_shipped.len()), (2, 1));
        let html = samples::checked(&page);
        assert!(html.contains("Not answering") && html.contains("Largest &#60;report&#62; taken"), "{html}");
        assert!(html.contains("SQLite") && html.contains("One per core"), "{html}");
        assert!(html.contains("in development"), "somebody is told that it is not for clients: {html}");
    }
}
