//! Who may see a page, and whether a write comes from one of ours. Declared where the page is registered.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::Permission;

use super::error_page;
use super::shell::Shell;
use crate::App;
use crate::extract::media_type;
use crate::failure::{Failure, FailureCode};
use crate::http::rate_limits::{self, Asks};
use crate::signed_in::{self, Identified};

/// The field of a form, or the parameter of the address of a form with a file, that repeats the session's token.
pub(super) const CSRF_FIELD: &str = "csrf";
/// The most of a form without a file.
const MOST_OF_A_FORM: usize = 2 << 20;

/// Who may see a page.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sees {
    /// Anybody; a session that has ended is as none.
    Anybody,
    /// Whoever has the permission; others are sent to sign in, and then back.
    Needs(Permission),
}

/// Lets a request pass with its caller and the shell of its page; what fails becomes a page as well.
pub(super) async fn guarded(
    State((app, sees)): State<(App, Sees)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let found = identified(&app, &parts).await;
    let who = found.as_ref().ok().and_then(Option::as_ref);
    let quota = match app.limits.take(&app, &parts, who, Asks::Page) {
        Ok(quota) => quota,
        Err(full) => {
            let shell = Shell::of(&app, &parts, who.map(|who| &who.caller));
            let page = error_page::shown(&shell, &parts.headers, rate_limits::refusal(full));
            return rate_limits::told(page, Some(full));
        }
    };
    let response = match found {
        Ok(found) => passed(&app, sees, parts, body, found, next).await,
        Err(failure) => error_page::shown(&Shell::of(&app, &parts, None), &parts.headers, failure),
    };
    rate_limits::told(response, quota)
}

/// The page, or what is shown in its place.
async fn passed(
    app: &App,
    sees: Sees,
    mut parts: Parts,
    body: Body,
    found: Option<Identified>,
    next: Next,
) -> Response {
    let (caller, by_cookie) = found.map_or((None, false), |found| (Some(found.caller), found.by_cookie));
    let shell = Shell::of(app, &parts, caller.as_ref());
    let (is_htmx, here) = (parts.headers.contains_key("hx-request"), way_back(&parts));
    let allowed = match (sees, &caller) {
        (Sees::Anybody, _) => Ok(()),
        (Sees::Needs(permission), Some(caller)) => caller.must(permission).map_err(Failure::from),
        (Sees::Needs(_), None) => return to_sign_in(is_htmx, &here, &parts.headers),
    };
    let passed = match allowed {
        Ok(()) if signed_in::is_write(&parts.method) => {
            ours(app, &parts, caller.as_ref(), by_cookie, body).await
        }
        Ok(()) => Ok(body),
        Err(failure) => Err(failure),
    };
    let body = match passed {
        Ok(body) => body,
        Err(failure) => return error_page::shown(&shell, &parts.headers, failure),
    };
    parts.extensions.insert(shell.clone());
    if let Some(caller) = caller {
        parts.extensions.insert(caller);
    }
    let asked = parts.headers.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    match response.extensions_mut().remove::<Failure>() {
        None => response,
        // The session ended between the guard and the handler.
        Some(failure) if failure.code == FailureCode::NotSignedIn => to_sign_in(is_htmx, &here, &asked),
        Some(failure) => error_page::shown(&shell, &asked, failure),
    }
}

/// Who asks; an ended session tells nobody.
async fn identified(app: &App, parts: &Parts) -> Result<Option<Identified>, Failure> {
    match signed_in::identified(app, parts).await {
        Err(failure) if failure.code == FailureCode::NotSignedIn => Ok(None),
        found => found,
    }
}

/// The body of a write that one of our pages sent.
async fn ours(
    app: &App,
    parts: &Parts,
    caller: Option<&Caller>,
    by_cookie: bool,
    body: Body,
) -> Result<Body, Failure> {
    if !is_same_origin(&parts.headers) {
        return Err(signed_in::not_ours());
    }
    let Some(caller) = caller.filter(|_| by_cookie) else { return Ok(body) };
    if signed_in::repeats_token(app, caller, &parts.headers) {
        return Ok(body);
    }
    let is_token = |fields: &[u8]| {
        let token = form_urlencoded::parse(fields).find(|(name, _)| name == CSRF_FIELD);
        token.is_some_and(|(_, token)| app.platform.identity().is_csrf_token(&token, caller))
    };
    if media_type(&parts.headers).as_deref() == Some("multipart/form-data") {
        // Its fields come with the file, so the token stands in the address.
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        return if is_token(query) { Ok(body) } else { Err(signed_in::not_ours()) };
    }
    let too_large = |_| Failure::new(FailureCode::TooLarge, "a form has at most 2 MB");
    let bytes: Bytes = axum::body::to_bytes(body, MOST_OF_A_FORM).await.map_err(too_large)?;
    if is_token(&bytes) { Ok(Body::from(bytes)) } else { Err(signed_in::not_ours()) }
}

/// Whether the browser says nothing of another site. Behind a proxy that ends TLS the scheme is not ours to know.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return true };
    let host = text(header::HOST.as_str()).unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
}

/// Where to go on after signing in: this page, or the page that a write was sent from.
fn way_back(parts: &Parts) -> String {
    let here = || parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    if !signed_in::is_write(&parts.method) && !parts.headers.contains_key("hx-request") {
        return here();
    }
    // What a script asked for is a part of the page that the browser shows.
    let shown = parts.headers.get("hx-current-url").and_then(|value| value.to_str().ok());
    let path = shown.and_then(|url| url.split_once("://")?.1.split_once('/')).map(|(_, path)| path);
    path.map_or_else(|| "/".to_owned(), |path| format!("/{path}"))
}

/// To the page of signing in, and from there back. The cookie of a session that has ended goes: it would stand in the way
/// of the development sign-in.
fn to_sign_in(is_htmx: bool, here: &str, asked: &HeaderMap) -> Response {
    let next: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
    let address = if here == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={next}") };
    let way = gone_to(is_htmx, &address);
    let has_session = CookieJar::from_headers(asked).get(signed_in::SESSION_COOKIE).is_some();
    if has_session { (signed_in::no_cookies(), way).into_response() } else { way }
}

/// Sends the browser to another page, also where a script asked for a part of this one.
pub(super) fn gone_to(is_htmx: bool, address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) if is_htmx => (StatusCode::OK, [("hx-redirect", address)]).into_response(),
        _ => Redirect::to(address).into_response(),
    }
}

/// A way back that stays within this site: a path of ours, else the first page.
pub(super) fn safe_next(next: Option<&str>) -> &str {
    let is_path = |next: &&str| {
        let second = next.as_bytes().get(1);
        next.starts_with('/')
            && !matches!(second, Some(b'/' | b'\\'))
            && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    next.filter(is_path).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_sent_back_to_paths_of_ours_only() {
        for path in ["/", "/campaigns", "/campaigns/1?sort=score&dir=asc"] {
            assert_eq!(safe_next(Some(path)), path);
        }
        for wrong in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "campaigns", "/a\r\nb", "/\t/x"]
        {
            assert_eq!(safe_next(Some(wrong)), "/", "{wrong:?}");
        }
        assert_eq!(safe_next(None), "/");
    }

    #[test]
    fn what_a_browser_sends_from_another_site_is_told() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), (*value).parse().unwrap())).collect()
        };
        let host = ("host", "caliber.example");
        assert!(is_same_origin(&headers(&[host])));
        assert!(is_same_origin(&headers(&[host, ("origin", "https://caliber.example")])));
        assert!(!is_same_origin(&headers(&[host, ("origin", "https://evil.example")])));
        assert!(!is_same_origin(&headers(&[host, ("origin", "null")])));
        assert!(!is_same_origin(&headers(&[host, ("sec-fetch-site", "cross-site")])));
    }
}
