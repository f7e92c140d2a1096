//! The id of a request: in the answer, in the body of a failure and in every line of the log.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use crate::failure;

/// The header, both ways.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id, logs it, and writes the bodies of failures.
pub(crate) async fn identified(request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let id = match given {
        Some(id) if is_fit(id) => id.to_owned(),
        _ => Uuid::now_v7().to_string(),
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", request_id = %id, %method, path);
    async move {
        let begun = Instant::now();
        let mut response = failure::with_body(next.run(request).await, &id);
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, value);
        }
        let latency_ms = begun.elapsed().as_secs_f64() * 1000.0;
        tracing::info!(status = response.status().as_u16(), latency_ms, "answered");
        response
    }
    .instrument(span)
    .await
}

/// Whether a client's id may stand in a header and in the log: 1 to 64 letters, digits, `_` and `-`.
fn is_fit(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::is_fit;

    #[test]
    fn only_short_plain_ids_are_taken_over() {
        assert!(is_fit("a-B_9"));
        assert!(is_fit(&"x".repeat(64)));
        for wrong in ["", "a b", "a\nb", "ä", "a/b", &"x".repeat(65)] {
            assert!(!is_fit(wrong), "{wrong}");
        }
    }
}
