//! Failures on their way to a client: status, code and the envelope. The one place where they are mapped.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use caliber_platform::error::{Conflict, Problem, whole_seconds};
use serde::Serialize;
use utoipa::ToSchema;

/// A failed call. The request's id is added on the way out (`http::request_id`).
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: FailureCode,
    pub(crate) message: String,
    pub(crate) problems: Vec<Problem>,
    pub(crate) retry_after_s: Option<u64>,
}

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailureCode {
    MalformedJson,
    WrongKind,
    NotSignedIn,
    RefreshReused,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    WrongState,
    AlreadyRunning,
    AlreadyScored,
    NotScored,
    NoFile,
    InUse,
    Conflict,
    TooLarge,
    Invalid,
    HostNotAllowed,
    RateLimited,
    Internal,
    Unavailable,
}

impl FailureCode {
    /// The status that goes with it.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson => StatusCode::BAD_REQUEST,
            Self::WrongKind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotSignedIn | Self::RefreshReused => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongState
            | Self::AlreadyRunning
            | Self::AlreadyScored
            | Self::NotScored
            | Self::NoFile
            | Self::InUse
            | Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::HostNotAllowed => StatusCode::MISDIRECTED_REQUEST,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Failure {
    /// A failure with a sentence for a person.
    pub(crate) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), problems: Vec::new(), retry_after_s: None }
    }

    /// A page that tells of it, with the status and the headers that programs go by.
    pub(crate) fn answered_by(
        status: StatusCode,
        retry_after_s: Option<u64>,
        page: impl IntoResponse,
    ) -> Response {
        let mut response = (status, page).into_response();
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// One field that is wrong.
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        caliber_platform::Error::invalid(field, message).into()
    }
}

impl From<caliber_platform::Error> for Failure {
    fn from(error: caliber_platform::Error) -> Self {
        use caliber_platform::Error;
        let message = error.to_string();
        let code = match &error {
            Error::Invalid(_) => FailureCode::Invalid,
            Error::WrongKind(_) => FailureCode::WrongKind,
            Error::TooLarge(_) => FailureCode::TooLarge,
            Error::BrokenOff(_) => FailureCode::MalformedJson,
            Error::NotSignedIn(_) => FailureCode::NotSignedIn,
            Error::RefreshReused => FailureCode::RefreshReused,
            Error::Forbidden(_) => FailureCode::Forbidden,
            Error::NotFound(_) => FailureCode::NotFound,
            Error::Conflict { code, .. } => match code {
                Conflict::WrongState => FailureCode::WrongState,
                Conflict::AlreadyRunning => FailureCode::AlreadyRunning,
                Conflict::AlreadyScored => FailureCode::AlreadyScored,
                Conflict::NotScored => FailureCode::NotScored,
                Conflict::NoFile => FailureCode::NoFile,
                Conflict::InUse => FailureCode::InUse,
                Conflict::Other => FailureCode::Conflict,
            },
            Error::Limit { .. } => FailureCode::RateLimited,
            Error::Unavailable(_) => FailureCode::Unavailable,
            Error::Internal(cause) => {
                tracing::error!(error = format!("{cause:?}"), "a call failed on our side");
                FailureCode::Internal
            }
        };
        let mut failure = Self::new(code, message);
        match error {
            Error::Invalid(problems) => failure.problems = problems,
            Error::Limit { retry_after } => failure.retry_after_s = Some(whole_seconds(retry_after)),
            _ => {}
        }
        failure
    }
}

/// What every failure looks like.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureBody {
    #[schema(example = false)]
    success: bool,
    #[schema(value_type = Option<Object>, example = json!(null))]
    data: Option<()>,
    /// For a person: what was wrong and what to do.
    message: String,
    /// The fields that are wrong; empty where it is not about fields.
    errors: Vec<FieldFailure>,
    /// For a program.
    code: FailureCode,
    /// Also in the header `X-Request-Id`, and in the log.
    pub(crate) request_id: String,
}

/// One field that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldFailure {
    /// The JSON path, `weights.ctr`, or the query parameter.
    #[schema(example = "name")]
    field: String,
    #[schema(example = "has 1 to 255 characters")]
    message: String,
}

impl FailureBody {
    pub(crate) fn new(failure: Failure, request_id: String) -> Self {
        let errors = failure
            .problems
            .into_iter()
            .map(|Problem { field, message }| FieldFailure { field, message })
            .collect();
        Self { success: false, data: None, message: failure.message, errors, code: failure.code, request_id }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Self::answered_by(self.code.status(), self.retry_after_s, ());
        // The body is written by `http::request_id`, which knows the id.
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer with its body, once the request's id is known.
pub(crate) fn with_body(mut response: Response, request_id: &str) -> Response {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = Json(FailureBody::new(failure, request_id.to_owned())).into_response();
    let (body_parts, body) = body.into_parts();
    parts.headers.extend(body_parts.headers);
    Response::from_parts(parts, body)
}
