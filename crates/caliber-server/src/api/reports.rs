//! `/reports`: reports' files.

use axum::extract::State;
use caliber_platform::campaigns::CampaignId;
use caliber_platform::identity::permissions::{FILES_READ, FILES_WRITE};
use caliber_platform::uploads::{Upload, UploadId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::paging::Pages;
use super::upload::Form;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Created, Listing, Nothing};
use crate::extract::{Body, Id, Query};
use crate::failure::{Failure, FailureBody};
use crate::signed_in::By;
use crate::words::UploadStatus;

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(FILES_WRITE), routes!(upload))
        .with(app, Access::Needs(FILES_READ), routes!(files))
        .with(app, Access::Needs(FILES_READ), routes!(file))
        .with(app, Access::Needs(FILES_WRITE), routes!(delete))
        .with(app, Access::Needs(FILES_READ), routes!(preview))
        .with(app, Access::Needs(FILES_READ), routes!(validate))
        .with(app, Access::Needs(FILES_WRITE), routes!(assign))
}

/// A report's file.
#[derive(Serialize, ToSchema)]
#[schema(as = File)]
struct FileView {
    id: Uuid,
    #[schema(example = "trade-desk-october.csv")]
    filename: String,
    #[schema(example = 1_048_576)]
    size: i64,
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
    /// csv, xlsx, xls or parquet.
    #[schema(example = "csv")]
    format: String,
    campaign_id: Option<Uuid>,
    status: UploadStatus,
    created_at: DateTime<Utc>,
}

impl From<Upload> for FileView {
    fn from(upload: Upload) -> Self {
        Self {
            id: upload.id.0,
            filename: upload.filename,
            size: upload.size,
            sha256: upload.sha256,
            format: upload.format,
            campaign_id: upload.campaign_id.map(|id| id.0),
            status: upload.status.into(),
            created_at: upload.created_at,
        }
    }
}

/// A report, and the campaign it is for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the form of the body in the document")]
struct UploadForm {
    /// Before the file, where it is given.
    campaign_id: Option<Uuid>,
    /// .csv, .tsv, .xlsx, .xls or .parquet; text also as .gz or .zst.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// The campaign it is for, where the form does not say.
    campaign_id: Option<Uuid>,
}

/// Upload a report, for a campaign or to be assigned later.
#[utoipa::path(post, path = "/upload", tag = "files", params(UploadQuery),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Answer<FileView>), (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn upload(
    State(app): State<App>,
    By(caller): By,
    Query(query): Query<UploadQuery>,
    mut form: Form,
) -> Result<Created<FileView>, Failure> {
    let file = form.file().await?;
    let named = match &file.campaign {
        Some(text) => Some(Uuid::try_parse(text).map_err(|_| Failure::invalid("campaign_id", "is no UUID"))?),
        None => query.campaign_id,
    };
    let uploads = app.platform.uploads();
    let mut upload = match named {
        Some(campaign) => uploads.receive_for(&caller, CampaignId(campaign), &file.name, file.bytes).await?,
        None => uploads.receive(&caller, &file.name, file.bytes).await?,
    };
    if named.is_none()
        && let Some(text) = form.campaign_after().await?
    {
        let campaign = Uuid::try_parse(&text).map_err(|_| Failure::invalid("campaign_id", "is no UUID"))?;
        upload = uploads.assign_new(&caller, upload, CampaignId(campaign)).await?;
    }
    Ok(Created(upload.into()))
}

/// Files, newest first.
#[utoipa::path(get, path = "/files", tag = "files", params(Pages), responses((status = 200, body = Listing<FileView>)))]
async fn files(
    State(app): State<App>,
    By(caller): By,
    Query(pages): Query<Pages>,
) -> Result<Listing<FileView>, Failure> {
    let page = app.platform.uploads().list(&caller, pages.window()?).await?;
    Ok(pages.listing(page.rows.into_iter().map(FileView::from).collect(), page.total))
}

/// One file.
#[utoipa::path(get, path = "/files/{id}", tag = "files", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<FileView>)))]
async fn file(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<FileView>, Failure> {
    Ok(Answer::new(app.platform.uploads().get(&caller, UploadId(id)).await?.into()))
}

/// Delete a file and its bytes.
#[utoipa::path(delete, path = "/files/{id}", tag = "files", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<Nothing>), (status = 409, description = "`wrong_state`", body = FailureBody)))]
async fn delete(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<Nothing>, Failure> {
    app.platform.uploads().delete(&caller, UploadId(id)).await?;
    Ok(Answer::done("deleted"))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 10)]
    rows: Option<i64>,
}

/// The first rows of a report.
#[derive(Serialize, ToSchema)]
struct Preview {
    /// The headers.
    #[schema(example = json!(["Site", "Impressions"]))]
    columns: Vec<String>,
    /// Cells as they stand; null where empty.
    #[schema(example = json!([["news.example", "1200"]]))]
    rows: Vec<Vec<Option<String>>>,
    /// Of the whole report.
    #[schema(example = 20_000)]
    total_rows: Option<u64>,
}

/// The first rows of a report, as they stand.
#[utoipa::path(get, path = "/files/{id}/preview", tag = "files", params(("id" = Uuid, Path), PreviewQuery),
    responses((status = 200, body = Answer<Preview>)))]
async fn preview(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(query): Query<PreviewQuery>,
) -> Result<Answer<Preview>, Failure> {
    let rows = usize::try_from(query.rows.unwrap_or(10)).ok().filter(|rows| (1..=100).contains(rows));
    let rows = rows.ok_or_else(|| Failure::invalid("rows", "is a whole number from 1 to 100"))?;
    let inspection = app.platform.uploads().preview(&caller, UploadId(id), rows).await?;
    Ok(Answer::new(Preview {
        columns: inspection.headers,
        rows: inspection.preview,
        total_rows: inspection.rows_read,
    }))
}

/// Whether a report can be scored.
#[derive(Serialize, ToSchema)]
struct ValidationView {
    valid: bool,
    /// Platform, channel and recipe, where one fits.
    #[schema(value_type = Option<Object>, example = json!({"platform": "trade_desk", "channel": "display", "recipe": "trade_desk-display-awareness"}))]
    recognised: Option<Value>,
    /// The recipes it may be for, where none fits alone.
    #[schema(value_type = Option<Vec<Object>>)]
    candidates: Option<Value>,
    /// Which header serves which column.
    #[schema(value_type = Vec<Object>)]
    mapping: Value,
    /// What stands in the way.
    errors: Vec<String>,
    /// What a person should look at.
    #[schema(value_type = Vec<Object>)]
    warnings: Value,
}

/// Look whether a report can be scored, and how its headers are understood.
#[utoipa::path(get, path = "/files/{id}/validate", tag = "files", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<ValidationView>)))]
async fn validate(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
) -> Result<Answer<ValidationView>, Failure> {
    let validation = app.platform.uploads().validate(&caller, UploadId(id)).await?;
    let document = match &validation.inspection {
        Some(inspection) => serde_json::to_value(inspection).map_err(caliber_platform::Error::internal)?,
        None => json!({}),
    };
    let part = |name: &str| document.get(name).cloned();
    Ok(Answer::new(ValidationView {
        valid: validation.errors.is_empty(),
        recognised: part("recognised"),
        candidates: part("candidates"),
        mapping: part("mapping").unwrap_or_else(|| json!([])),
        errors: validation.errors,
        warnings: part("warnings").unwrap_or_else(|| json!([])),
    }))
}

#[derive(Deserialize, ToSchema)]
struct Assignment {
    campaign_id: Uuid,
}

/// Give a file to a campaign, in place of the one it had.
#[utoipa::path(post, path = "/files/{id}/assign-campaign", tag = "files", params(("id" = Uuid, Path)), request_body = Assignment,
    responses((status = 200, body = Answer<FileView>), (status = 409, description = "`wrong_state`, `in_use`", body = FailureBody)))]
async fn assign(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Body(assignment): Body<Assignment>,
) -> Result<Answer<FileView>, Failure> {
    let campaign = CampaignId(assignment.campaign_id);
    Ok(Answer::new(app.platform.uploads().assign(&caller, UploadId(id), campaign).await?.into()))
}
