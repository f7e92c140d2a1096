//! What a page shows in place of itself where something failed.

use askama::Template;
use askama_web::WebTemplate;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::filters;
use super::shell::Shell;
use crate::failure::Failure;

#[derive(Template, WebTemplate)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    status: u16,
    /// The key of what it is called.
    title: &'static str,
    message: String,
}

/// A failure as a page.
pub(super) fn shown(shell: &Shell, failure: Failure) -> Response {
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
    let retry_after = failure.retry_after_s;
    let page = ErrorPage { shell: shell.clone(), status: status.as_u16(), title, message: failure.message };
    let mut response = (status, page).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_error_page_escapes_what_it_is_told() {
        let page = ErrorPage {
            shell: samples::shell(),
            status: 404,
            title: "error-not-found",
            message: "nothing at /<script>alert(1)</script>".to_owned(),
        };
        let html = samples::checked(&page);
        assert!(html.contains("/&#60;script&#62;alert(1)"), "{html}");
    }
}
