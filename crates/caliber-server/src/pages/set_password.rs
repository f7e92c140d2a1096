//! The page behind a one-time link to set a password, as `caliber user` prints one. Its form goes back to its own address,
//! which has the token.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::form::{Fields, Problems};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::Query;
use crate::failure::{Failure, FailureCode};

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/set-password", Sees::Anybody, get(form).post(set))
}

#[derive(Template, WebTemplate)]
#[template(path = "set_password.html")]
struct SetPasswordPage {
    shell: Shell,
    /// Whose password it is.
    email: String,
    is_set: bool,
    problems: Problems,
}

/// The form; a link that was used or has run out has none.
async fn form(
    State(app): State<App>,
    shell: Shell,
    Query(link): Query<Link>,
) -> Result<SetPasswordPage, Failure> {
    let email = app.platform.identity().email_of_link(&link.token).await?;
    Ok(SetPasswordPage { shell, email, is_set: false, problems: Problems::default() })
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
struct Password {
    password: String,
}

async fn set(
    State(app): State<App>,
    shell: Shell,
    Query(link): Query<Link>,
    Fields(given): Fields<Password>,
) -> Result<Response, Failure> {
    match app.platform.identity().set_password_by_link(&link.token, &given.password).await {
        Ok(user) => {
            let (email, problems) = (user.email, Problems::default());
            Ok(SetPasswordPage { shell, email, is_set: true, problems }.into_response())
        }
        Err(error) => {
            let failure = Failure::from(error);
            // A link that was used or has run out: there is nothing to fill in again.
            if failure.code == FailureCode::NotFound {
                return Err(failure);
            }
            let status = failure.code.status();
            let problems = Problems::of_form(failure)?;
            let email = app.platform.identity().email_of_link(&link.token).await?;
            Ok((status, SetPasswordPage { shell, email, is_set: false, problems }).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_form_tells_what_is_wrong_and_the_end_leads_to_signing_in() {
        let weak = Failure::invalid("password", "is easy to guess");
        let page = |is_set, problems| {
            let email = "vera+1@example.com".to_owned();
            SetPasswordPage { shell: samples::nobody(), email, is_set, problems }
        };
        let html = samples::checked(&page(false, Problems::of_form(weak).unwrap()));
        assert!(html.contains("id=\"password-problem\">is easy to guess"), "{html}");
        assert!(html.contains("Choose a password for vera+1@example.com"), "{html}");
        let html = samples::checked(&page(true, Problems::default()));
        assert!(
            html.contains("href=\"/sign-in?email=vera%2B1%40example.com\"") && !html.contains("<form"),
            "{html}"
        );
    }
}
