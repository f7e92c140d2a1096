//! What a caller can do about a failure. The server maps it to HTTP once, the command line to exit codes.

use std::time::Duration;

/// A failure of a use case, by what its caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Words, types or ranges of the call are wrong.
    #[error("{}", first_message(.0))]
    Invalid(Vec<Problem>),
    /// The content of a file is none of the accepted kinds, or contradicts its name.
    #[error("{0}")]
    WrongKind(String),
    /// More bytes than are taken.
    #[error("{0}")]
    TooLarge(String),
    /// What the caller was sending ended in the middle.
    #[error("{0}")]
    BrokenOff(&'static str),
    /// No credential, or one that does not hold.
    #[error("{0}")]
    NotSignedIn(String),
    /// A refresh token was used a second time; its session has been ended.
    #[error("this refresh token was used before, so its session has been ended: sign in again")]
    RefreshReused,
    /// Signed in, and not allowed to.
    #[error("{0}")]
    Forbidden(String),
    /// Missing, or somebody else's: a caller cannot tell which.
    #[error("{0}")]
    NotFound(String),
    /// The state of the object does not allow it.
    #[error("{message}")]
    Conflict {
        /// Which of the contract's conflicts.
        code: Conflict,
        /// What stands in the way, for a person.
        message: String,
    },
    /// Too many attempts.
    #[error("too many attempts; try again in {} s", whole_seconds(*.retry_after))]
    Limit {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Something needed does not answer; later it may.
    #[error("{0}")]
    Unavailable(String),
    /// Ours. The cause is for the log only.
    #[error("something went wrong on our side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is wrong with one field of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The JSON path (`weights.ctr`) or the query parameter; empty for the call as a whole.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The conflicts that the contract names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The object's state does not allow the step.
    WrongState,
    /// The campaign is being scored.
    AlreadyRunning,
    /// The campaign has results and `force_reprocess` was not given.
    AlreadyScored,
    /// No run of the campaign was ever whole.
    NotScored,
    /// The campaign has no report.
    NoFile,
    /// Other objects refer to it.
    InUse,
    /// Taken already, or changed by somebody else at the same time.
    Other,
}

impl Error {
    /// One field that is wrong.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem { field: field.into(), message: message.into() }])
    }

    /// A conflict.
    pub fn conflict(code: Conflict, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    /// An object that is missing or not the caller's.
    pub fn not_found(what: &str) -> Self {
        Self::NotFound(format!("there is no {what} with this id"))
    }

    /// A failure of ours.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

/// Seconds to wait, as they are told: whole ones, at least one, and none too few.
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

fn first_message(problems: &[Problem]) -> String {
    match problems {
        [] => "the call is not valid".to_owned(),
        [Problem { field, message }, ..] if field.is_empty() => message.clone(),
        [Problem { field, message }, ..] => format!("{field}: {message}"),
    }
}

/// The result of every use case.
pub type Result<T> = std::result::Result<T, Error>;
