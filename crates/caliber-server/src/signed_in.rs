//! Who calls: from the credential of a request to a [`Caller`].

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use caliber_platform::identity::Caller;

use crate::App;
use crate::failure::{Failure, FailureCode};

/// The cookie of a session; scripts cannot read it.
pub(crate) const SESSION_COOKIE: &str = "caliber_session";
/// The cookie that scripts repeat in [`CSRF_HEADER`] when they write.
pub(crate) const CSRF_COOKIE: &str = "caliber_csrf";
/// Shows that a write comes from our own page.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// The caller of an operation that takes both.
#[derive(Clone, Debug)]
pub(crate) struct MaybeCaller(pub(crate) Option<Caller>);

/// Whether a proxy adds this header.
fn is_of_a_proxy(header: &HeaderName) -> bool {
    let name = header.as_str();
    matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded")
}

/// Whom a credential stands for, and whether a browser sent it by itself.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) caller: Caller,
    /// A cookie goes along with any request of the browser, so a write has to show that it is ours.
    pub(crate) by_cookie: bool,
}

/// Whoever was found, if what they ask for is theirs: a write under a cookie shows that it is ours.
pub(crate) fn writer(
    app: &App,
    request: &Parts,
    found: Option<Identified>,
) -> Result<Option<Caller>, Failure> {
    let Some(Identified { caller, by_cookie }) = found else { return Ok(None) };
    if by_cookie && is_write(&request.method) && !repeats_token(app, &caller, &request.headers) {
        return Err(not_ours());
    }
    Ok(Some(caller))
}

/// The caller of a request; `None` where it has no credential. A credential that does not hold is a failure, also where
/// the development sign-in would let a request without one pass. Whether a write is ours remains to be asked.
pub(crate) async fn identified(app: &App, request: &Parts) -> Result<Option<Identified>, Failure> {
    let headers = &request.headers;
    let identity = app.platform.identity();
    if let Some(token) = bearer(headers)? {
        let caller = identity.caller_of_access_token(token).await?;
        return Ok(Some(Identified { caller, by_cookie: false }));
    }
    if headers.contains_key("x-api-key") {
        return Err(Failure::new(FailureCode::NotSignedIn, "this API key is not known"));
    }
    let cookies = CookieJar::from_headers(headers);
    if let Some(cookie) = cookies.get(SESSION_COOKIE) {
        let caller = identity.caller_of_cookie(cookie.value()).await?;
        return Ok(Some(Identified { caller, by_cookie: true }));
    }
    if app.config.dev_sign_in {
        refuse_strangers(headers)?;
        return Ok(Some(Identified { caller: identity.development_caller().await?, by_cookie: false }));
    }
    Ok(None)
}

/// Whether the header has the session's token.
pub(crate) fn repeats_token(app: &App, caller: &Caller, headers: &HeaderMap) -> bool {
    let repeated = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    repeated.is_some_and(|token| app.platform.identity().is_csrf_token(token, caller))
}

/// A write that does not show that it comes from our own page.
pub(crate) fn not_ours() -> Failure {
    let message = "the request does not carry the session's X-CSRF-Token; reload the page";
    Failure::new(FailureCode::Forbidden, message)
}

/// The cookies of a browser's session.
pub(crate) fn session_cookies(app: &App, session: String, csrf: String, seconds: i64) -> CookieJar {
    let cookie = |name: &'static str, value: String, is_hidden| {
        Cookie::build((name, value))
            .path("/")
            .http_only(is_hidden)
            .secure(app.config.production)
            .same_site(SameSite::Lax)
            .max_age(time::Duration::seconds(seconds))
    };
    CookieJar::new().add(cookie(SESSION_COOKIE, session, true)).add(cookie(CSRF_COOKIE, csrf, false))
}

/// What takes the cookies of a session away.
pub(crate) fn no_cookies() -> CookieJar {
    let gone = |name: &'static str| Cookie::build((name, "")).path("/").max_age(time::Duration::ZERO);
    CookieJar::new().add(gone(SESSION_COOKIE)).add(gone(CSRF_COOKIE))
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let wrong = || Failure::new(FailureCode::NotSignedIn, "send `Authorization: Bearer <access token>`");
    let value = value.to_str().map_err(|_| wrong())?;
    let (scheme, token) = value.split_once(' ').ok_or_else(wrong)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(wrong()) }
}

/// Whether a method changes something.
pub(crate) fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The development sign-in is for the person at this machine: a page from elsewhere in their browser, or somebody behind
/// a proxy, is not that person.
fn refuse_strangers(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let refused = |what: &str| {
        let message = format!("the development sign-in is for this machine only, and the request {what}");
        Err(Failure::new(FailureCode::Forbidden, message))
    };
    if headers.keys().any(is_of_a_proxy) {
        return refused("came through a proxy");
    }
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return refused("came from another site");
    }
    if headers.contains_key(header::ORIGIN) {
        let host = text(header::HOST.as_str()).unwrap_or_default();
        let is_own = text(header::ORIGIN.as_str())
            .and_then(|origin| origin.strip_prefix("http://"))
            .is_some_and(|origin| origin.eq_ignore_ascii_case(host));
        if !is_own {
            return refused("came from another origin");
        }
    }
    Ok(())
}

/// The caller that `access` found.
impl<S: Send + Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(None)))
    }
}

/// The caller of an operation that needs a permission.
#[derive(Clone, Debug)]
pub(crate) struct By(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        // Only a route declared public could come here without a caller.
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(Self).ok_or_else(|| Failure::new(FailureCode::NotSignedIn, "sign in first"))
    }
}
