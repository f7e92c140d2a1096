//! Files as answers: bare, with their name and their entity tag.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use caliber_platform::exports::Download;

/// How many names of a list the form of a DSP cannot hold.
pub(crate) const LEFT_OUT: HeaderName = HeaderName::from_static("x-caliber-left-out");

/// What the client has already: the tags of `If-None-Match`.
pub(crate) struct Known(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let given = parts.headers.get_all(header::IF_NONE_MATCH).iter();
        let tags = given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        // Compared weakly, as for a file that is the same but for its packing.
        let tags = tags.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned());
        Ok(Self(tags.collect()))
    }
}

impl Known {
    /// 304 where the client has what the tag names.
    pub(crate) fn unchanged(&self, etag: &str) -> Option<Response> {
        let is_known = self.0.iter().any(|tag| tag == etag || tag == "*");
        is_known.then(|| (StatusCode::NOT_MODIFIED, tagged(etag)).into_response())
    }
}

/// The answer that is the file.
pub(crate) fn file(download: Download, etag: &str) -> Response {
    let Download { filename, media_type, size, left_out, bytes } = download;
    let mut headers = tagged(etag);
    if let Ok(kind) = HeaderValue::from_str(&media_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CONTENT_DISPOSITION, attachment(&filename));
    if let Some(size) = size {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    }
    if let Some(left_out) = left_out {
        headers.insert(LEFT_OUT, HeaderValue::from(left_out));
    }
    (headers, Body::from_stream(bytes)).into_response()
}

/// The tag, and that the file may be kept by the client alone and is to be asked for again.
fn tagged(etag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // A tag is hexadecimal digits, which a header may have.
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{etag}\"")) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers
}

/// `attachment` with the name twice (RFC 6266): in ASCII for old clients, and in full.
fn attachment(filename: &str) -> HeaderValue {
    let plain: String = filename
        .chars()
        .map(|character| match character {
            '"' | '\\' | '%' => '_',
            ' '..='~' => character,
            _ => '_',
        })
        .collect();
    let mut full = String::with_capacity(filename.len() * 3);
    for byte in filename.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            full.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(full, "%{byte:02X}");
        }
    }
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}");
    // All of it is printable ASCII.
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_in_ascii_and_in_full() {
        let value = attachment("Ünïcode 名前-results.csv");
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"_n_code __-results.csv\"; \
             filename*=UTF-8''%C3%9Cn%C3%AFcode%20%E5%90%8D%E5%89%8D-results.csv"
        );
        let hostile = attachment("a\"; filename=\"b\\\r\nx: y\0%41");
        assert_eq!(
            hostile.to_str().unwrap(),
            "attachment; filename=\"a_; filename=_b___x: y__41\"; \
             filename*=UTF-8''a%22%3B%20filename%3D%22b%5C%0D%0Ax%3A%20y%00%2541"
        );
    }
}
