//! `/reports/export`: results, lists, summaries and the report for the client, as files that are made while they are sent.

use axum::extract::State;
use axum::response::Response;
use caliber_platform::campaigns::CampaignId;
use caliber_platform::exports::{Asked, ListFormat, ResultsFormat};
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::EXPORTS_READ;
use caliber_platform::results::ListType;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::lists::ListParameters;
use super::rows_parameters::RowsParameters;
use crate::App;
use crate::access::{Access, Declared};
use crate::download::{self, Known};
use crate::extract::{Id, Query};
use crate::failure::{Failure, FailureBody};
use crate::signed_in::By;

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(EXPORTS_READ), routes!(results_csv))
        .with(app, Access::Needs(EXPORTS_READ), routes!(results_xlsx))
        .with(app, Access::Needs(EXPORTS_READ), routes!(results_parquet))
        .with(app, Access::Needs(EXPORTS_READ), routes!(results_json))
        .with(app, Access::Needs(EXPORTS_READ), routes!(whitelist_csv))
        .with(app, Access::Needs(EXPORTS_READ), routes!(whitelist_json))
        .with(app, Access::Needs(EXPORTS_READ), routes!(whitelist_dsp))
        .with(app, Access::Needs(EXPORTS_READ), routes!(blacklist_csv))
        .with(app, Access::Needs(EXPORTS_READ), routes!(blacklist_json))
        .with(app, Access::Needs(EXPORTS_READ), routes!(blacklist_dsp))
        .with(app, Access::Needs(EXPORTS_READ), routes!(lists_csv))
        .with(app, Access::Needs(EXPORTS_READ), routes!(summary_csv))
        .with(app, Access::Needs(EXPORTS_READ), routes!(data_json))
        .with(app, Access::Needs(EXPORTS_READ), routes!(report_pdf))
        .with(app, Access::Needs(EXPORTS_READ), routes!(report_pdf_below))
}

/// A file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it is the form of the answer in the document")]
pub(super) struct FileBody(String);

/// Sends an export, or says that the client has it already.
async fn send(app: App, caller: Caller, id: Uuid, known: Known, asked: Asked) -> Result<Response, Failure> {
    let exports = app.platform.exports();
    let prepared = exports.prepare(&caller, CampaignId(id), asked).await?;
    let etag = prepared.etag.clone();
    match known.unchanged(&etag) {
        Some(unchanged) => Ok(unchanged),
        None => Ok(download::file(exports.download(&caller, prepared).await?, &etag)),
    }
}

/// The form of a list for a DSP.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FormParameter {
    /// `trade_desk_csv`, `trade_desk_json`, `dv360`, `xandr`, `amazon`, `yahoo`, `basis` or `text`.
    #[param(example = "trade_desk_csv")]
    format: String,
}

/// What the campaign's JSON has beside what it always has.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DataParameters {
    /// With `scoring_results`.
    #[param(default = true)]
    include_results: Option<bool>,
    /// With `ai_insights`.
    #[param(default = false)]
    include_insights: Option<bool>,
}

/// What the report has beside what it always has.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReportParameters {
    /// With pictures of the figures.
    #[param(default = true)]
    include_charts: Option<bool>,
    /// With the first 50 rows.
    #[param(default = true)]
    include_details: Option<bool>,
}

/// The rows of the results as CSV. A text that a spreadsheet would run as a formula gets a leading `'`.
#[utoipa::path(get, path = "/export/campaigns/{id}/results/csv", tag = "exports", params(("id" = Uuid, Path), RowsParameters),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn results_csv(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(rows): Query<RowsParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, Asked::Results { format: ResultsFormat::Csv, rows: rows.query()? }).await
}

/// The results as a workbook: Summary, Results, Allowlist, Blocklist, Method.
#[utoipa::path(get, path = "/export/campaigns/{id}/results/xlsx", tag = "exports", params(("id" = Uuid, Path), RowsParameters),
    responses((status = 200, description = "The file", content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn results_xlsx(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(rows): Query<RowsParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, Asked::Results { format: ResultsFormat::Xlsx, rows: rows.query()? }).await
}

/// The rows of the results as Parquet.
#[utoipa::path(get, path = "/export/campaigns/{id}/results/parquet", tag = "exports", params(("id" = Uuid, Path), RowsParameters),
    responses((status = 200, description = "The file", content_type = "application/vnd.apache.parquet", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn results_parquet(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(rows): Query<RowsParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, Asked::Results { format: ResultsFormat::Parquet, rows: rows.query()? }).await
}

/// The rows of the results as JSON: one array.
#[utoipa::path(get, path = "/export/campaigns/{id}/results/json", tag = "exports", params(("id" = Uuid, Path), RowsParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn results_json(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(rows): Query<RowsParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, Asked::Results { format: ResultsFormat::Json, rows: rows.query()? }).await
}

/// What to buy, as CSV. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/whitelist/csv", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn whitelist_csv(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(options): Query<ListParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(
        app,
        caller,
        id,
        known,
        Asked::List { list_type: ListType::Whitelist, format: ListFormat::Csv, options: options.into() },
    )
    .await
}

/// What to buy, as JSON. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/whitelist/json", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn whitelist_json(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(options): Query<ListParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(
        app,
        caller,
        id,
        known,
        Asked::List { list_type: ListType::Whitelist, format: ListFormat::Json, options: options.into() },
    )
    .await
}

/// What to buy, as a DSP takes it. A list of several files answers a ZIP with a manifest. Kept as a version as the list is.
#[utoipa::path(get, path = "/export/campaigns/{id}/whitelist/dsp", tag = "exports", params(("id" = Uuid, Path), FormParameter, ListParameters),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn whitelist_dsp(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(form): Query<FormParameter>,
    Query(options): Query<ListParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(
        app,
        caller,
        id,
        known,
        Asked::Dsp { list_type: ListType::Whitelist, form: form.format, options: options.into() },
    )
    .await
}

/// What to block, as CSV. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/blacklist/csv", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn blacklist_csv(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(options): Query<ListParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(
        app,
        caller,
        id,
        known,
        Asked::List { list_type: ListType::Blacklist, format: ListFormat::Csv, options: options.into() },
    )
    .await
}

/// What to block, as JSON. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/blacklist/json", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn blacklist_json(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(options): Query<ListParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(
        app,
        caller,
        id,
        known,
        Asked::List { list_type: ListType::Blacklist, format: ListFormat::Json, options: options.into() },
    )
    .await
}

/// What to block, as a DSP takes it. A list of several files answers a ZIP with a manifest. Kept as a version as the list is.
#[utoipa::path(get, path = "/export/campaigns/{id}/blacklist/dsp", tag = "exports", params(("id" = Uuid, Path), FormParameter, ListParameters),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn blacklist_dsp(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(form): Query<FormParameter>,
    Query(options): Query<ListParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(
        app,
        caller,
        id,
        known,
        Asked::Dsp { list_type: ListType::Blacklist, form: form.format, options: options.into() },
    )
    .await
}

/// Both lists in one CSV. Each is kept as a version where it differs from the last one taken out.
#[utoipa::path(get, path = "/export/campaigns/{id}/optimization-lists/csv", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn lists_csv(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(options): Query<ListParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, Asked::Lists { options: options.into() }).await
}

/// The key figures of the campaign: a header and one row.
#[utoipa::path(get, path = "/export/campaigns/{id}/summary/csv", tag = "exports", params(("id" = Uuid, Path)),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn summary_csv(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, Asked::Summary).await
}

/// All that is known of the campaign: what it is, how it was scored, its summary and its rows.
#[utoipa::path(get, path = "/export/campaigns/{id}/data/json", tag = "exports", params(("id" = Uuid, Path), DataParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn data_json(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(with): Query<DataParameters>,
    known: Known,
) -> Result<Response, Failure> {
    let asked = Asked::Data {
        results: with.include_results.unwrap_or(true),
        insights: with.include_insights.unwrap_or_default(),
    };
    send(app, caller, id, known, asked).await
}

/// The report for the client.
#[utoipa::path(get, path = "/campaigns/{id}/pdf", tag = "exports", params(("id" = Uuid, Path), ReportParameters),
    responses((status = 200, description = "The file", content_type = "application/pdf", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn report_pdf(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(with): Query<ReportParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, with.asked()).await
}

/// The report for the client. The same as without the second `reports`, where older clients look for it.
#[utoipa::path(get, path = "/reports/campaigns/{id}/pdf", tag = "exports", params(("id" = Uuid, Path), ReportParameters),
    responses((status = 200, description = "The file", content_type = "application/pdf", body = FileBody),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`not_scored`", body = FailureBody)))]
async fn report_pdf_below(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Query(with): Query<ReportParameters>,
    known: Known,
) -> Result<Response, Failure> {
    send(app, caller, id, known, with.asked()).await
}

impl ReportParameters {
    fn asked(&self) -> Asked {
        Asked::Pdf {
            charts: self.include_charts.unwrap_or(true),
            details: self.include_details.unwrap_or(true),
        }
    }
}
