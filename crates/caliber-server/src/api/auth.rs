//! `/auth`: accounts, sessions, oneself.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use caliber_platform::identity::permissions::{PROFILE_READ, PROFILE_WRITE};
use caliber_platform::identity::{ACCESS_SECONDS, SessionKind, SignedIn, Tokens};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::users::UserView;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Created, Nothing};
use crate::extract::{Body, Query, Raw};
use crate::failure::Failure;
use crate::http::client_address::Client;
use crate::signed_in::{By, MaybeCaller, no_cookies, session_cookies};

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Public, routes!(register))
        .with(app, Access::Public, routes!(login))
        .with(app, Access::Public, routes!(refresh))
        .with(app, Access::Public, routes!(verify))
        .with(app, Access::Public, routes!(set_password_by_link))
        .with(app, Access::Optional, routes!(optional))
        .with(app, Access::Needs(PROFILE_WRITE), routes!(logout))
        .with(app, Access::Needs(PROFILE_WRITE), routes!(change_password))
        .with(app, Access::Needs(PROFILE_READ), routes!(me))
        .with(app, Access::Needs(PROFILE_READ), routes!(profile))
        .with(app, Access::Needs(PROFILE_WRITE), routes!(update_profile))
}

/// Somebody new. A role is never taken from here.
#[derive(Deserialize, ToSchema)]
struct Registration {
    #[schema(example = "ana@example.com")]
    email: String,
    #[schema(example = "correct horse battery staple")]
    password: String,
    #[schema(example = "Ana Pérez")]
    name: String,
}

/// Register. It does not sign in.
#[utoipa::path(post, path = "/register", tag = "auth", request_body = Registration,
    responses((status = 201, body = Answer<UserView>), (status = 409, description = "`conflict`", body = crate::failure::FailureBody)))]
async fn register(
    State(app): State<App>,
    Body(new): Body<Registration>,
) -> Result<Created<UserView>, Failure> {
    let user = app.platform.identity().register(&new.email, &new.password, &new.name).await?;
    Ok(Created(user.into()))
}

/// As [`Login`], so read that what is missing can be named.
#[derive(Deserialize)]
struct GivenLogin {
    email: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

/// What signs in.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
enum Login {
    /// An address and its password.
    Password {
        #[schema(example = "ana@example.com")]
        email: String,
        #[schema(example = "correct horse battery staple")]
        password: String,
    },
    /// The ID token of an issuer that is trusted here. Who is seen first is made.
    IdToken {
        #[schema(example = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2ln")]
        token: String,
    },
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LoginQuery {
    /// `cookie` sets the cookies of a browser's session instead of giving tokens.
    #[param(inline)]
    session: Option<SessionWord>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SessionWord {
    Bearer,
    Cookie,
}

/// What a client keeps.
#[derive(Serialize, ToSchema)]
struct SessionView {
    user: UserView,
    /// Of a bearer session: send it as `Authorization: Bearer ...`.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln")]
    access_token: Option<String>,
    /// Of a bearer session: good once, for a new pair.
    #[schema(example = "0198c0de000070008000000000000000.c2VjcmV0")]
    refresh_token: Option<String>,
    /// Of a cookie session: what writes repeat in `X-CSRF-Token`.
    csrf_token: Option<String>,
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds that the access token holds.
    #[schema(example = 900)]
    expires_in: i64,
}

/// Sign in, by a password or by the ID token of another issuer.
#[utoipa::path(post, path = "/login", tag = "auth", params(LoginQuery), request_body = Login,
    responses((status = 200, body = Answer<SessionView>), (status = 401, description = "`not_signed_in`", body = crate::failure::FailureBody),
        (status = 409, description = "`conflict`", body = crate::failure::FailureBody)))]
async fn login(
    State(app): State<App>,
    Client(client): Client,
    Query(query): Query<LoginQuery>,
    Body(login): Body<GivenLogin>,
) -> Result<Response, Failure> {
    let kind = match query.session {
        Some(SessionWord::Cookie) => SessionKind::Cookie,
        Some(SessionWord::Bearer) | None => SessionKind::Bearer,
    };
    let identity = app.platform.identity();
    let missing = |field: &str| Failure::invalid(field, "is missing");
    let signed_in = match login {
        GivenLogin { token: Some(token), email: None, password: None } => {
            identity.sign_in_with_id_token(&token, kind).await?
        }
        GivenLogin { token: Some(_), .. } => {
            return Err(Failure::invalid("token", "comes alone, without an address and a password"));
        }
        GivenLogin { email, password, token: None } => {
            let email = email.ok_or_else(|| missing("email"))?;
            let password = password.ok_or_else(|| missing("password"))?;
            identity.sign_in(&email, &password, kind, client).await?
        }
    };
    Ok(answer(&app, signed_in))
}

fn answer(app: &App, SignedIn { user, tokens }: SignedIn) -> Response {
    let user = user.into();
    match tokens {
        Tokens::Bearer { access, refresh } => Answer::new(SessionView {
            user,
            access_token: Some(access),
            refresh_token: Some(refresh),
            csrf_token: None,
            token_type: "bearer",
            expires_in: ACCESS_SECONDS,
        })
        .into_response(),
        Tokens::Cookie { session, csrf, expires_at } => {
            let lifetime = expires_at - app.platform.now();
            let cookies = session_cookies(app, session, csrf.clone(), lifetime.num_seconds());
            let view = SessionView {
                user,
                access_token: None,
                refresh_token: None,
                csrf_token: Some(csrf),
                token_type: "cookie",
                expires_in: lifetime.num_seconds(),
            };
            (cookies, Answer::new(view)).into_response()
        }
    }
}

#[derive(Deserialize, ToSchema)]
struct Refresh {
    #[schema(example = "0198c0de000070008000000000000000.c2VjcmV0")]
    refresh_token: String,
}

/// A new pair of tokens. The old refresh token is used up; used again, it ends the session.
#[utoipa::path(post, path = "/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, body = Answer<SessionView>), (status = 401, description = "`not_signed_in`, `refresh_reused`", body = crate::failure::FailureBody)))]
async fn refresh(State(app): State<App>, Body(body): Body<Refresh>) -> Result<Response, Failure> {
    let signed_in = app.platform.identity().refresh(&body.refresh_token).await?;
    Ok(answer(&app, signed_in))
}

/// End the session: its tokens hold no longer.
#[utoipa::path(post, path = "/logout", tag = "auth", responses((status = 200, body = Answer<Nothing>)))]
async fn logout(State(app): State<App>, By(caller): By) -> Result<Response, Failure> {
    app.platform.identity().sign_out(&caller).await?;
    Ok((no_cookies(), Answer::done("signed out")).into_response())
}

#[derive(Deserialize, ToSchema)]
struct PasswordChange {
    current: String,
    #[schema(example = "brass lantern under the stairs")]
    new: String,
}

/// Change one's password. All other sessions end.
#[utoipa::path(put, path = "/password", tag = "auth", request_body = PasswordChange,
    responses((status = 200, body = Answer<Nothing>)))]
async fn change_password(
    State(app): State<App>,
    By(caller): By,
    Client(client): Client,
    Body(change): Body<PasswordChange>,
) -> Result<Answer<Nothing>, Failure> {
    app.platform.identity().change_password(&caller, &change.current, &change.new, client).await?;
    Ok(Answer::done("the password is changed, and all other sessions have ended"))
}

#[derive(Deserialize, ToSchema)]
struct LinkPassword {
    /// Of the link.
    token: String,
    #[schema(example = "brass lantern under the stairs")]
    password: String,
}

/// Set a password by a one-time link, as `caliber user` prints one.
#[utoipa::path(post, path = "/password/link", tag = "auth", request_body = LinkPassword,
    responses((status = 200, body = Answer<UserView>), (status = 404, description = "`not_found`", body = crate::failure::FailureBody)))]
async fn set_password_by_link(
    State(app): State<App>,
    Body(body): Body<LinkPassword>,
) -> Result<Answer<UserView>, Failure> {
    let user = app.platform.identity().set_password_by_link(&body.token, &body.password).await?;
    Ok(Answer::new(user.into()))
}

/// Oneself.
#[utoipa::path(get, path = "/me", tag = "auth", responses((status = 200, body = Answer<UserView>)))]
async fn me(By(caller): By) -> Answer<UserView> {
    Answer::new(caller.user.into())
}

/// Oneself.
#[utoipa::path(get, path = "/profile", tag = "auth", responses((status = 200, body = Answer<UserView>)))]
async fn profile(By(caller): By) -> Answer<UserView> {
    Answer::new(caller.user.into())
}

#[derive(Deserialize, ToSchema)]
struct ProfileChange {
    #[schema(example = "Ana Pérez")]
    name: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ProfileQuery {
    /// The new name, where there is no body.
    name: Option<String>,
}

/// Change one's name.
#[utoipa::path(put, path = "/profile", tag = "auth", params(ProfileQuery), request_body = Option<ProfileChange>,
    responses((status = 200, body = Answer<UserView>)))]
async fn update_profile(
    State(app): State<App>,
    By(caller): By,
    Query(query): Query<ProfileQuery>,
    body: Option<Body<ProfileChange>>,
) -> Result<Answer<UserView>, Failure> {
    let name = match (body, query.name) {
        (Some(Body(change)), _) => change.name,
        (None, Some(name)) => name,
        (None, None) => return Err(Failure::invalid("name", "is missing")),
    };
    let user = app.platform.identity().rename(&caller, &name).await?;
    Ok(Answer::new(user.into()))
}

/// The user, or null where no credential is given.
#[utoipa::path(get, path = "/optional", tag = "auth", responses((status = 200, body = Answer<Option<UserView>>)))]
async fn optional(MaybeCaller(caller): MaybeCaller) -> Answer<Option<UserView>> {
    Answer::new(caller.map(|caller| caller.user.into()))
}

#[derive(Deserialize, ToSchema)]
struct Verification {
    /// An access token, where it is not in the header.
    token: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Verified {
    #[schema(example = true)]
    verified: bool,
    user_id: Option<Uuid>,
}

/// Whether a token holds. Never an error.
#[utoipa::path(post, path = "/verify", tag = "auth", request_body = Option<Verification>,
    responses((status = 200, body = Answer<Verified>)))]
async fn verify(State(app): State<App>, headers: axum::http::HeaderMap, Raw(body): Raw) -> Answer<Verified> {
    let given = serde_json::from_slice::<Verification>(&body).ok().and_then(|body| body.token);
    let header = headers.get(axum::http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim().to_owned());
    let user_id = match given.or(bearer) {
        Some(token) => {
            let caller = app.platform.identity().caller_of_access_token(&token).await;
            caller.ok().map(|caller| caller.user.id.0)
        }
        None => None,
    };
    Answer::new(Verified { verified: user_id.is_some(), user_id })
}
