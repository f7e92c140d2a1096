//! Signing in, registering, signing out.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::identity::permissions::PROFILE_WRITE;
use caliber_platform::identity::{SessionKind, SignedIn, Tokens};
use serde::Deserialize;

use super::form::{Fields, Problems};
use super::guard::safe_next;
use super::notice::Notice;
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::Query;
use crate::failure::{Failure, FailureCode};
use crate::http::client_address::Client;
use crate::signed_in::{By, no_cookies, session_cookies};

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/sign-in", Sees::Anybody, get(form).post(sign_in))
        .page(app, "/register", Sees::Anybody, get(register_form).post(register))
        .page(app, "/sign-out", Sees::Needs(PROFILE_WRITE), post(sign_out))
}

#[derive(Template, WebTemplate)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    email: String,
    next: String,
    /// Whether the reader asked for another page.
    was_sent_here: bool,
    message: Option<String>,
    register_query: String,
}

impl SignInPage {
    fn new(shell: Shell, email: String, next: &str) -> Self {
        let next = safe_next(Some(next)).to_owned();
        let register_query = if next == "/" {
            String::new()
        } else {
            form_urlencoded::Serializer::new("?".to_owned()).append_pair("next", &next).finish()
        };
        Self { shell, email, was_sent_here: next != "/", next, message: None, register_query }
    }
}

#[derive(Deserialize)]
struct Way {
    next: Option<String>,
    email: Option<String>,
}

async fn form(shell: Shell, Query(way): Query<Way>) -> Response {
    let next = safe_next(way.next.as_deref());
    if shell.caller().is_some() {
        return Redirect::to(next).into_response();
    }
    SignInPage::new(shell, way.email.unwrap_or_default(), next).into_response()
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    State(app): State<App>,
    shell: Shell,
    Client(client): Client,
    Fields(given): Fields<Credentials>,
) -> Result<Response, Failure> {
    let (identity, email) = (app.platform.identity(), given.email.trim());
    let signed_in = identity.sign_in(email, &given.password, SessionKind::Cookie, client).await;
    match signed_in.map_err(Failure::from) {
        Ok(signed_in) => begun(&app, signed_in, safe_next(Some(&given.next))),
        Err(failure) if matches!(failure.code, FailureCode::NotSignedIn | FailureCode::RateLimited) => {
            let page = SignInPage::new(shell, given.email, &given.next);
            let page = SignInPage { message: Some(failure.message), ..page };
            Ok(Failure::answered_by(failure.code.status(), failure.retry_after_s, page))
        }
        Err(failure) => Err(failure),
    }
}

/// The cookies of a session that was begun, and the way on.
fn begun(app: &App, SignedIn { tokens, .. }: SignedIn, next: &str) -> Result<Response, Failure> {
    let Tokens::Cookie { session, csrf, expires_at } = tokens else {
        return Err(Failure::new(FailureCode::Internal, "something went wrong on our side"));
    };
    let seconds = (expires_at - app.platform.now()).num_seconds();
    Ok((session_cookies(app, session, csrf, seconds), Redirect::to(next)).into_response())
}

#[derive(Template, WebTemplate)]
#[template(path = "register.html")]
struct RegisterPage {
    shell: Shell,
    name: String,
    email: String,
    next: String,
    problems: Problems,
}

async fn register_form(shell: Shell, Query(way): Query<Way>) -> RegisterPage {
    let next = safe_next(way.next.as_deref()).to_owned();
    let email = way.email.unwrap_or_default();
    RegisterPage { shell, name: String::new(), email, next, problems: Problems::default() }
}

#[derive(Deserialize)]
struct Registration {
    name: String,
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Registers, and signs in with what was just given: nobody types a password twice.
async fn register(
    State(app): State<App>,
    shell: Shell,
    Fields(given): Fields<Registration>,
) -> Result<Response, Failure> {
    let identity = app.platform.identity();
    let registered =
        identity.register_and_sign_in(&given.email, &given.password, &given.name, SessionKind::Cookie).await;
    match registered {
        Ok(signed_in) => begun(&app, signed_in, &Notice::Registered.at(safe_next(Some(&given.next)))),
        Err(error) => {
            let failure = Failure::from(error);
            let status = failure.code.status();
            let problems = Problems::of_form(failure)?;
            let next = safe_next(Some(&given.next)).to_owned();
            let page = RegisterPage { shell, name: given.name, email: given.email, next, problems };
            Ok((status, page).into_response())
        }
    }
}

async fn sign_out(State(app): State<App>, By(caller): By) -> Result<Response, Failure> {
    app.platform.identity().sign_out(&caller).await?;
    let on = Redirect::to(&Notice::SignedOut.at("/sign-in"));
    Ok((StatusCode::SEE_OTHER, no_cookies(), on).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_sign_in_page_keeps_the_way_back_and_shows_what_was_wrong() {
        let page = SignInPage::new(samples::nobody(), "ana@example.com".to_owned(), "/campaigns/1?a=b&c=d");
        let page = SignInPage { message: Some("the address or the password is wrong".to_owned()), ..page };
        let html = samples::checked(&page);
        assert!(html.contains("name=\"next\" value=\"/campaigns/1?a=b&#38;c=d\""), "{html}");
        assert!(html.contains("the address or the password is wrong"));
        let away = SignInPage::new(samples::nobody(), String::new(), "https://evil.example/");
        assert!(!samples::checked(&away).contains("evil"));
    }

    #[test]
    fn the_register_page_shows_problems_beside_their_fields() {
        let weak = Failure::invalid("password", "is easy to guess");
        let page = RegisterPage {
            shell: samples::nobody(),
            name: "Ana".to_owned(),
            email: "ana@example.com".to_owned(),
            next: "/".to_owned(),
            problems: Problems::of_form(weak).unwrap(),
        };
        let html = samples::checked(&page);
        assert!(html.contains("id=\"password-problem\">is easy to guess"), "{html}");
    }
}
