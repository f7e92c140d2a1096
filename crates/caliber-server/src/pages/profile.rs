//! Oneself: name and password.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::identity::permissions::{PROFILE_READ, PROFILE_WRITE};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::form::{Fields, Problems};
use super::notice::Notice;
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::failure::Failure;
use crate::http::client_address::Client;
use crate::signed_in::By;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/profile", Sees::Needs(PROFILE_READ), get(show).post(rename)).page(
        app,
        "/profile/password",
        Sees::Needs(PROFILE_WRITE),
        post(change_password),
    )
}

#[derive(Template, WebTemplate)]
#[template(path = "profile.html")]
struct ProfilePage {
    shell: Shell,
    name: String,
    since: DateTime<Utc>,
    problems: Problems,
}

async fn show(shell: Shell, By(caller): By) -> ProfilePage {
    let (name, since) = (caller.user.name, caller.user.created_at);
    ProfilePage { shell, name, since, problems: Problems::default() }
}

#[derive(Deserialize)]
struct NameChange {
    name: String,
}

async fn rename(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Fields(change): Fields<NameChange>,
) -> Result<Response, Failure> {
    let renamed = app.platform.identity().rename(&caller, &change.name).await;
    let since = caller.user.created_at;
    done(renamed, Notice::Saved, shell, change.name, since)
}

#[derive(Deserialize)]
struct PasswordChange {
    current: String,
    new: String,
}

async fn change_password(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Client(client): Client,
    Fields(change): Fields<PasswordChange>,
) -> Result<Response, Failure> {
    let identity = app.platform.identity();
    let changed = identity.change_password(&caller, &change.current, &change.new, client).await;
    let (name, since) = (caller.user.name, caller.user.created_at);
    done(changed, Notice::PasswordChanged, shell, name, since)
}

/// Back to the profile, which tells what was done, or with what was wrong.
fn done<T>(
    result: caliber_platform::Result<T>,
    notice: Notice,
    shell: Shell,
    name: String,
    since: DateTime<Utc>,
) -> Result<Response, Failure> {
    match result {
        Ok(_) => Ok(Redirect::to(&notice.at("/profile")).into_response()),
        Err(error) => {
            let failure = Failure::from(error);
            let (status, retry_after) = (failure.code.status(), failure.retry_after_s);
            let problems = Problems::of_form(failure)?;
            let page = ProfilePage { shell, name, since, problems };
            Ok(Failure::answered_by(status, retry_after, page))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_profile_shows_who_one_is_and_escapes_it() {
        let page = ProfilePage {
            shell: samples::shell(),
            name: "\"><script>".to_owned(),
            since: samples::time(),
            problems: Problems::of_form(Failure::invalid("name", "is too long")).unwrap(),
        };
        let html = samples::checked(&page);
        assert!(html.contains("is too long") && !html.contains("\"><script>"), "{html}");
    }
}
