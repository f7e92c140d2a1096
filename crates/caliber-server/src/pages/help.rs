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
    terms: &'static [Term],
    metrics: &'static [Metric],
}

/// A word that pages use.
struct Term {
    /// In the address: `/help#score`.
    id: &'static str,
    /// The key of the word.
    name: &'static str,
    /// The key of what it means.
    meaning: &'static str,
    /// Where it is found, and the key of what that is called.
    place: Option<(&'static str, &'static str)>,
}

const fn term(id: &'static str, name: &'static str, meaning: &'static str) -> Term {
    Term { id, name, meaning, place: None }
}

const TERMS: &[Term] = &[
    Term {
        place: Some(("/campaigns/new", "new-campaign")),
        ..term("start", "help-start-title", "help-start")
    },
    term("score", "score", "help-score"),
    term("campaign-score", "campaign-score", "help-campaign-score"),
    term("band", "band", "help-band"),
    term("percentile", "percentile", "help-percentile"),
    term("lists", "help-lists-title", "help-lists"),
    term("at-risk", "figure-at-risk", "help-at-risk"),
    term("evidence", "help-evidence-title", "help-evidence"),
    Term {
        place: Some(("/organisation", "organisation-title")),
        ..term("protected", "help-protected-title", "help-protected")
    },
    Term { place: Some(("/recipes", "nav-recipes")), ..term("recipe", "recipe", "help-recipe") },
    term("least-impressions", "least-impressions", "help-least-impressions"),
    term("template", "templates", "help-template"),
    Term { place: Some(("/people", "nav-people")), ..term("roles", "help-roles-title", "help-roles") },
    Term { place: Some(("/docs", "help-api-reference")), ..term("api", "help-api-title", "help-api") },
];

async fn show(shell: Shell) -> HelpPage {
    HelpPage { shell, terms: TERMS, metrics: METRICS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_glossary_has_every_metric_and_each_term_an_address() {
        let html = samples::checked(&HelpPage { shell: samples::shell(), terms: TERMS, metrics: METRICS });
        assert_eq!(html.matches("<dt class=\"term\"").count(), METRICS.len());
        for term in TERMS {
            assert_eq!(html.matches(&format!("<h3 id=\"{}\">", term.id)).count(), 1, "{}", term.id);
        }
    }
}
