//! The envelope of every JSON answer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A success: `{"success": true, "data": ..., "message": null, "errors": null}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer<T> {
    #[schema(example = true)]
    success: bool,
    data: T,
    #[schema(example = json!(null))]
    message: Option<String>,
    #[schema(value_type = Option<Vec<String>>, example = json!(null))]
    errors: Option<()>,
}

impl<T> Answer<T> {
    /// An answer with data.
    pub(crate) fn new(data: T) -> Self {
        Self { success: true, data, message: None, errors: None }
    }
}

/// No data: null.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing;

impl PartialSchema for Nothing {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Null).build().into()
    }
}

impl ToSchema for Nothing {}

impl Answer<Nothing> {
    /// It is done, in a sentence for a person.
    pub(crate) fn done(message: &str) -> Self {
        Self { message: Some(message.to_owned()), ..Self::new(Nothing) }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// 201: something was made.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Answer::new(self.0)).into_response()
    }
}

/// 202: something was begun.
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Answer::new(self.0)).into_response()
    }
}

/// One page of a list, with its place beside it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    #[schema(example = true)]
    success: bool,
    data: Vec<T>,
    #[schema(example = json!(null))]
    message: Option<String>,
    #[schema(value_type = Option<Vec<String>>, example = json!(null))]
    errors: Option<()>,
    /// Of all pages together.
    #[schema(example = 1)]
    total: u64,
    #[schema(example = 1)]
    page: u64,
    #[schema(example = 20)]
    per_page: u64,
    #[schema(example = false)]
    has_next: bool,
    #[schema(example = false)]
    has_prev: bool,
}

impl<T> Listing<T> {
    /// A page; `page` counts from 1.
    pub(crate) fn new(data: Vec<T>, total: u64, page: u64, per_page: u64) -> Self {
        let has_next = page.saturating_mul(per_page) < total;
        Self {
            success: true,
            data,
            message: None,
            errors: None,
            total,
            page,
            per_page,
            has_next,
            has_prev: page > 1,
        }
    }

    /// A list that is given whole.
    pub(crate) fn whole(data: Vec<T>) -> Self {
        let total = data.len() as u64;
        Self::new(data, total, 1, total.clamp(1, 100).max(total))
    }
}

impl<T: Serialize> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_knows_its_neighbours() {
        let page = |page, total| {
            let listing = Listing::new(vec![(); 10], total, page, 10);
            (listing.has_prev, listing.has_next)
        };
        assert_eq!(page(1, 10), (false, false));
        assert_eq!(page(1, 11), (false, true));
        assert_eq!(page(2, 11), (true, false));
        assert_eq!(page(9, 0), (true, false));
        assert_eq!(page(u64::MAX, u64::MAX), (true, false));
    }
}
