//! The page behind a one-time link to set a password, as `caliber user` prints one. A plain form: it needs no script, and
//! goes back to its own address, which has the token.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Form, Router};
use serde::Deserialize;

use crate::App;
use crate::extract::Query;
use crate::failure::{Failure, FailureCode};

const POLICY: &str = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/set-password", axum::routing::get(page).post(set))
}

async fn page() -> Response {
    shown(StatusCode::OK, include_str!("../assets/set-password.html"))
}

#[derive(Deserialize)]
struct Link {
    token: String,
}

#[derive(Deserialize)]
struct Password {
    password: String,
}

async fn set(
    State(app): State<App>,
    Query(link): Query<Link>,
    Form(form): Form<Password>,
) -> Result<Response, Failure> {
    match app.platform.identity().set_password_by_link(&link.token, &form.password).await {
        Ok(_) => Ok(shown(StatusCode::OK, include_str!("../assets/password-set.html"))),
        Err(error) => {
            let failure = Failure::from(error);
            if failure.code == FailureCode::Internal {
                return Err(failure);
            }
            let told = failure
                .problems
                .iter()
                .map(|problem| problem.message.as_str())
                .collect::<Vec<_>>()
                .join("\n");
            let told = if told.is_empty() { failure.message } else { told };
            // Plain text: nothing in it is markup.
            Ok((failure.code.status(), format!("{told}\n\nGo back to try again.\n")).into_response())
        }
    }
}

fn shown(status: StatusCode, html: &'static str) -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))];
    (status, policy, Html(html)).into_response()
}
