//! What a form sends, and what was wrong with it.

use axum::extract::{FromRequest, Request};
use caliber_platform::error::Problem;
use serde::de::DeserializeOwned;

use crate::extract::Raw;
use crate::failure::{Failure, FailureCode};

/// The fields of a form without a file.
pub(super) struct Fields<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(&bytes));
        let parsed = serde_path_to_error::deserialize(reader);
        parsed.map(Self).map_err(|error| {
            let path = error.path().to_string();
            Failure::invalid(path, error.inner().to_string())
        })
    }
}

/// What a field says, without the blanks around it; empty where it is not there.
pub(super) fn said<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
}

/// What was wrong with a form, to be told beside its fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// What of a failure belongs on the form it came from; anything else is a page of its own.
    pub(super) fn of_form(failure: Failure) -> Result<Self, Failure> {
        match failure.code {
            FailureCode::Invalid if !failure.problems.is_empty() => Ok(Self(failure.problems)),
            FailureCode::Invalid
            | FailureCode::Conflict
            | FailureCode::WrongState
            | FailureCode::InUse
            | FailureCode::AlreadyRunning
            | FailureCode::NotFound
            | FailureCode::Forbidden
            | FailureCode::RateLimited => {
                Ok(Self(vec![Problem { field: String::new(), message: failure.message }]))
            }
            _ => Err(failure),
        }
    }

    /// What is wrong with one field.
    pub(super) fn of(&self, field: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|problem| problem.field == field)
            .map(|problem| problem.message.as_str())
            .collect()
    }

    /// Whether something is wrong with a field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|problem| problem.field == field)
    }

    /// What is wrong with the form as a whole.
    pub(super) fn general(&self) -> Option<&str> {
        self.of("").first().copied()
    }

    /// What is wrong with fields that the page does not have, with their names.
    pub(super) fn outside(&self, fields: &[&str]) -> Vec<String> {
        let elsewhere = self.0.iter().filter(|problem| !fields.contains(&problem.field.as_str()));
        elsewhere
            .map(|problem| match problem.field.as_str() {
                "" => problem.message.clone(),
                field => format!("{field}: {}", problem.message),
            })
            .collect()
    }
}
