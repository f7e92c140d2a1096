//! Entity tags of answers that are packed on the way.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// A strong tag names bytes; packed they are others, so it becomes a weak one, which names what they unpack to.
pub(crate) async fn weakened_where_packed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(tag) = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok())
        && !tag.starts_with("W/")
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        headers.insert(header::ETAG, weak);
    }
    response
}
