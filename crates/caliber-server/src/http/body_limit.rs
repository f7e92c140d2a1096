//! How much a stranger may send, and what happens to the rest.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::failure::{Failure, FailureCode};

/// What is read and thrown away of a body that nobody read to its end, so that the client sees the answer and not a
/// broken connection.
const MOST_THROWN_AWAY: usize = 16 << 20;

/// Refuses a body whose stated length is over the limit. What an answer leaves of a body is read before it is sent.
pub(crate) async fn limited(most: u64, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let stated =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let rest = Rest(Arc::new(Mutex::new(body)));
    let response = match stated {
        Some(stated) if stated > most => {
            let [stated, most] = [stated, most].map(|bytes| bytes as f64 / 1e6);
            let message = format!("the request has {stated:.1} MB, and at most {most:.1} MB are taken");
            Failure::new(FailureCode::TooLarge, message).into_response()
        }
        _ => next.run(Request::from_parts(parts, Body::new(rest.clone()))).await,
    };
    throw_away(rest).await;
    response
}

async fn throw_away(mut rest: Rest) {
    let mut thrown = 0;
    while let Some(Ok(frame)) = rest.frame().await {
        thrown += frame.data_ref().map_or(0, Bytes::len);
        if thrown > MOST_THROWN_AWAY {
            return;
        }
    }
}

/// A body that is still at hand after a handler dropped its end of it.
#[derive(Clone)]
struct Rest(Arc<Mutex<Body>>);

impl HttpBody for Rest {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        // A poisoned lock is a body whose reader panicked; it may still be read to its end.
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}
