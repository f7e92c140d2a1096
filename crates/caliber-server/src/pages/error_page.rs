//! What a page shows in place of itself where something failed.

use askama::Template;
use askama_web::WebTemplate;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::filters;
use super::shell::Shell;
use crate::failure::Failure;

/// For somebody who is not signed in: there is nowhere to go but the beginning.
#[derive(Template, WebTemplate)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    status: u16,
    /// The key of what it is called.
    title: &'static str,
    message: String,
}

/// Within the frame of the other pages, so that one goes on from there.
#[derive(Template, WebTemplate)]
#[template(path = "error_within.html")]
struct ErrorWithin {
    shell: Shell,
    status: u16,
    /// The key of what it is called.
    title: &'static str,
    message: String,
    /// The page that led here.
    back: Option<String>,
}

/// A failure as a page.
pub(super) fn shown(shell: &Shell, headers: &HeaderMap, failure: Failure) -> Response {
    let status = failure.code.status();
    let title = match status {
        StatusCode::NOT_FOUND => "error-not-found",
        StatusCode::FORBIDDEN => "error-forbidden",
        StatusCode::CONFLICT => "error-conflict",
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "error-invalid"
        }
        StatusCode::PAYLOAD_TOO_LARGE => "error-too-large",
        StatusCode::TOO_MANY_REQUESTS => "error-rate-limited",
        StatusCode::SERVICE_UNAVAILABLE => "error-unavailable",
        _ => "error-internal",
    };
    let (retry_after, message) = (failure.retry_after_s, failure.message);
    let (shell, code) = (shell.clone(), status.as_u16());
    let page = if shell.caller().is_some() {
        let back = led_here(headers).filter(|back| *back != shell.here);
        ErrorWithin { shell, status: code, title, message, back }.into_response()
    } else {
        ErrorPage { shell, status: code, title, message }.into_response()
    };
    Failure::answered_by(status, retry_after, page)
}

/// The page of ours that led here, as its path.
fn led_here(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (host, path) = text(header::REFERER)?.split_once("://")?.1.split_once('/')?;
    let is_ours = text(header::HOST).is_some_and(|own| own.eq_ignore_ascii_case(host));
    let path = format!("/{path}");
    (is_ours && super::guard::safe_next(Some(&path)) == path).then_some(path)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_error_page_escapes_what_it_is_told() {
        let message = "nothing at /<script>alert(1)</script>".to_owned();
        let title = "error-not-found";
        let page = ErrorPage { shell: samples::nobody(), status: 404, title, message: message.clone() };
        let html = samples::checked(&page);
        assert!(html.contains("/&#60;script&#62;alert(1)"), "{html}");
        let back = Some("/campaigns?search=\"><b>P\u{e9}rez".to_owned());
        let page = ErrorWithin { shell: samples::shell(), status: 404, title, message, back };
        let html = samples::checked(&page);
        assert!(html.contains("/&#60;script&#62;alert(1)") && html.contains("href=\"/lists\""), "{html}");
    }

    #[test]
    fn one_goes_back_to_pages_of_ours_only() {
        let led = |referer: &'static str| {
            let pairs = [("host", "caliber.example"), ("referer", referer)];
            let pair = |(name, value): (&'static str, &'static str)| {
                (name.parse::<header::HeaderName>().unwrap(), HeaderValue::from_static(value))
            };
            led_here(&pairs.into_iter().map(pair).collect())
        };
        assert_eq!(led("https://caliber.example/lists?page=2").as_deref(), Some("/lists?page=2"));
        for elsewhere in ["https://evil.example/lists", "https://caliber.example//evil.example", "lists", ""]
        {
            assert_eq!(led(elsewhere), None, "{elsewhere}");
        }
    }
}
