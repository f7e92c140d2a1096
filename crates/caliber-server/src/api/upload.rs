//! The file of a multipart form, as it comes in.

use std::io;

use axum::extract::{FromRequest, Request};
use axum::http::header;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use multer::{Field, Multipart};
use utoipa::ToSchema;

use crate::failure::{Failure, FailureCode};

/// A report.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the form of the body in the document")]
pub(super) struct ReportForm {
    /// .csv, .tsv, .xlsx, .xls or .parquet; text also as .gz or .zst.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// A form on its way in.
pub(crate) struct Form(Multipart<'static>);

/// The form's file.
pub(crate) struct FormFile {
    /// As the client calls it.
    pub(crate) name: String,
    /// The part `campaign_id`, where it stands before the file.
    pub(crate) campaign: Option<String>,
    /// Its bytes.
    pub(crate) bytes: BoxStream<'static, io::Result<Bytes>>,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let boundary = kind.and_then(|kind| multer::parse_boundary(kind).ok());
        let boundary = boundary.ok_or_else(|| {
            let message = "send a form (multipart/form-data) with the report as its part `file`";
            Failure::new(FailureCode::WrongKind, message)
        })?;
        Ok(Self(Multipart::new(request.into_body().into_data_stream(), boundary)))
    }
}

impl Form {
    /// Goes on to the part `file`.
    pub(crate) async fn file(&mut self) -> Result<FormFile, Failure> {
        let mut campaign = None;
        while let Some(field) = self.0.next_field().await.map_err(|error| broken(&error))? {
            match field.name() {
                Some("file") => {
                    let name = field.file_name().unwrap_or_default().to_owned();
                    return Ok(FormFile { name, campaign, bytes: field.map_err(io::Error::other).boxed() });
                }
                Some("campaign_id") => campaign = Some(short_text(field).await?),
                _ => {}
            }
        }
        Err(Failure::invalid("file", "is missing: send the report as the part `file` of the form"))
    }

    /// The part `campaign_id`, where it stands behind the file.
    pub(crate) async fn campaign_after(&mut self) -> Result<Option<String>, Failure> {
        while let Some(field) = self.0.next_field().await.map_err(|error| broken(&error))? {
            if field.name() == Some("campaign_id") {
                return short_text(field).await.map(Some);
            }
        }
        Ok(None)
    }
}

/// The text of a part that is short: what is longer is cut, and then is no id.
async fn short_text(mut field: Field<'static>) -> Result<String, Failure> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        text.extend(chunk.iter().take(64_usize.saturating_sub(text.len())));
    }
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

fn broken(error: &multer::Error) -> Failure {
    Failure::new(FailureCode::MalformedJson, format!("the form broke off: {error}"))
}
