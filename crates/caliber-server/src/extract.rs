//! What handlers take from a request, refused in the contract's words where it does not fit.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use uuid::Uuid;

use crate::failure::{Failure, FailureCode};

/// A JSON body. Not JSON: 400; JSON of the wrong types or words: 422 with the path of the field.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let kind = media_type(request.headers());
        if !kind.as_deref().is_some_and(is_json) {
            let got = kind.map_or_else(|| "no Content-Type".to_owned(), |kind| format!("`{kind}`"));
            let message = format!("send JSON, with `Content-Type: application/json`; this had {got}");
            return Err(Failure::new(FailureCode::WrongKind, message));
        }
        let Raw(bytes) = Raw::from_request(request, state).await?;
        parse_json(&bytes).map(Self)
    }
}

/// A body may be left out where the query says it all.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Failure> {
        if media_type(request.headers()).is_none() {
            let Raw(bytes) = Raw::from_request(request, state).await?;
            return if bytes.is_empty() {
                Ok(None)
            } else {
                let message = "send JSON, with `Content-Type: application/json`; this had no Content-Type";
                Err(Failure::new(FailureCode::WrongKind, message))
            };
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// A body as it is, whatever its kind.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        Bytes::from_request(request, state).await.map(Self).map_err(|error| unread(&error))
    }
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The media type of a body without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn unread(error: &BytesRejection) -> Failure {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Failure::new(FailureCode::TooLarge, "a body that is no form has at most 2 MB");
    }
    Failure::new(FailureCode::MalformedJson, "the body broke off")
}

/// Reads JSON, telling broken JSON from the wrong JSON: what is broken anywhere is broken, whatever else is wrong.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| broken(&error))?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        let cause = error.into_inner();
        if cause.is_data() { refused(field_of(field, &cause), &plain(&cause)) } else { broken(&cause) }
    })
}

/// The field of an error: a missing one is named only in the message.
fn field_of(path: String, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match missing {
        Some(missing) if path.is_empty() => missing.to_owned(),
        Some(missing) => format!("{path}.{missing}"),
        None => path,
    }
}

fn broken(error: &serde_json::Error) -> Failure {
    Failure::new(FailureCode::MalformedJson, format!("the body is not JSON: {error}"))
}

/// The message without the place, which the field already names.
fn plain(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

/// What is wrong with a field, in words for people.
fn refused(field: String, message: &str) -> Failure {
    let message = match message {
        "invalid float literal" => "is no number".to_owned(),
        "invalid digit found in string" => "is no whole number".to_owned(),
        message => message
            .replace("expected f64", "expected a number")
            .replace("expected u64", "expected a whole number from 0")
            .replace("expected usize", "expected a whole number from 0"),
    };
    Failure::invalid(field, message)
}

/// The query's parameters. Unknown ones are ignored; wrong ones are 422 with their name.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let reader = serde_urlencoded::Deserializer::new(pairs);
        let parsed = serde_path_to_error::deserialize(reader).map_err(|error| {
            let path = error.path().to_string();
            let message = error.inner().to_string();
            let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            refused(missing.map_or(path, ToOwned::to_owned), &message)
        })?;
        Ok(Self(parsed))
    }
}

/// The id in the path. What is no UUID names nothing: 404.
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| Uuid::try_parse(&text).ok());
        id.map(Self).ok_or_else(|| Failure::new(FailureCode::NotFound, "nothing has this id: it is no UUID"))
    }
}

/// The words in the path. What is no text names nothing: 404.
pub(crate) struct Words<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Words<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let words = Path::<T>::from_request_parts(parts, state).await;
        let nothing = || Failure::new(FailureCode::NotFound, "nothing has this address: it is no UTF-8 text");
        words.map(|Path(words)| Self(words)).map_err(|_| nothing())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only its reading is looked at")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading is looked at")]
        ctr: f64,
    }

    fn refused(text: &str) -> (FailureCode, String) {
        let failure = parse_json::<Outer>(text.as_bytes()).unwrap_err();
        let field = failure.problems.first().map(|problem| problem.field.clone()).unwrap_or_default();
        (failure.code, field)
    }

    #[test]
    fn broken_json_is_told_from_wrong_json() {
        for text in ["", "{", "{\"inner\": }", "nope", "{\"inner\":{\"ctr\":1}} and more", "{} {}"] {
            assert_eq!(refused(text), (FailureCode::MalformedJson, String::new()), "{text}");
        }
        assert_eq!(refused(r#"{"inner":{"ctr":"x"}}"#), (FailureCode::Invalid, "inner.ctr".into()));
        assert_eq!(refused(r#"{"inner":{}}"#), (FailureCode::Invalid, "inner.ctr".into()));
        assert_eq!(refused(r"{}"), (FailureCode::Invalid, "inner".into()));
        assert_eq!(refused(r"[]").0, FailureCode::Invalid);
    }
}
