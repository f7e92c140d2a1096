//! `/reports/export`: results, lists, summaries and the report for the client, as files that are made while they are sent.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use caliber_platform::campaigns::CampaignId;
use caliber_platform::exports::{Asked, ListFormat, ResultsFormat};
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::EXPORTS_READ;
use caliber_platform::results::ListType;
use serde::Deserialize;
use utoipa::{IntoParams, IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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

/// Every other answer than the file.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "these are forms of answers in the document")]
enum NoFile {
    /// The client has it: `If-None-Match`
    #[response(status = 304)]
    Unchanged,
    /// `not_scored`
    #[response(status = 409)]
    NotScored(#[to_schema] FailureBody),
    /// `too_large`: the form cannot hold it
    #[response(status = 413)]
    TooLarge(#[to_schema] FailureBody),
}

/// Who asks for a file of which campaign, and what of it they have.
struct Export {
    app: App,
    caller: Caller,
    campaign: CampaignId,
    known: Known,
}

impl FromRequestParts<App> for Export {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let By(caller) = By::from_request_parts(parts, app).await?;
        let Id(campaign) = Id::from_request_parts(parts, app).await?;
        let Ok(known) = Known::from_request_parts(parts, app).await;
        Ok(Self { app: app.clone(), caller, campaign: CampaignId(campaign), known })
    }
}

impl Export {
    /// Sends what is asked for, or says that the client has it already.
    async fn send(self, asked: Asked) -> Result<Response, Failure> {
        let exports = self.app.platform.exports();
        let prepared = exports.prepare(&self.caller, self.campaign, asked).await?;
        let etag = prepared.etag.clone();
        match self.known.unchanged(&etag) {
            Some(unchanged) => Ok(unchanged),
            None => Ok(download::file(exports.download(&self.caller, prepared).await?, &etag)),
        }
    }

    async fn results(self, format: ResultsFormat, rows: RowsParameters) -> Result<Response, Failure> {
        self.send(Asked::Results { format, rows: rows.query()? }).await
    }

    async fn list(
        self,
        list_type: ListType,
        format: ListFormat,
        options: ListParameters,
    ) -> Result<Response, Failure> {
        self.send(Asked::List { list_type, format, options: options.into() }).await
    }

    async fn upload(
        self,
        list_type: ListType,
        form: FormParameter,
        options: ListParameters,
    ) -> Result<Response, Failure> {
        self.send(Asked::Dsp { list_type, form: form.format, options: options.into() }).await
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
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody), NoFile))]
async fn results_csv(export: Export, Query(rows): Query<RowsParameters>) -> Result<Response, Failure> {
    export.results(ResultsFormat::Csv, rows).await
}

/// The results as a workbook: Summary, Results, Allowlist, Blocklist, Method.
#[utoipa::path(get, path = "/export/campaigns/{id}/results/xlsx", tag = "exports", params(("id" = Uuid, Path), RowsParameters),
    responses((status = 200, description = "The file", content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", body = FileBody), NoFile))]
async fn results_xlsx(export: Export, Query(rows): Query<RowsParameters>) -> Result<Response, Failure> {
    export.results(ResultsFormat::Xlsx, rows).await
}

/// The rows of the results as Parquet.
#[utoipa::path(get, path = "/export/campaigns/{id}/results/parquet", tag = "exports", params(("id" = Uuid, Path), RowsParameters),
    responses((status = 200, description = "The file", content_type = "application/vnd.apache.parquet", body = FileBody), NoFile))]
async fn results_parquet(export: Export, Query(rows): Query<RowsParameters>) -> Result<Response, Failure> {
    export.results(ResultsFormat::Parquet, rows).await
}

/// The rows of the results as JSON: one array.
#[utoipa::path(get, path = "/export/campaigns/{id}/results/json", tag = "exports", params(("id" = Uuid, Path), RowsParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object), NoFile))]
async fn results_json(export: Export, Query(rows): Query<RowsParameters>) -> Result<Response, Failure> {
    export.results(ResultsFormat::Json, rows).await
}

/// What to buy, as CSV. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/whitelist/csv", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody), NoFile))]
async fn whitelist_csv(export: Export, Query(options): Query<ListParameters>) -> Result<Response, Failure> {
    export.list(ListType::Whitelist, ListFormat::Csv, options).await
}

/// What to buy, as JSON. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/whitelist/json", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object), NoFile))]
async fn whitelist_json(export: Export, Query(options): Query<ListParameters>) -> Result<Response, Failure> {
    export.list(ListType::Whitelist, ListFormat::Json, options).await
}

/// What to buy, as a DSP takes it. A list of several files answers a ZIP with a manifest. Kept as a version as the list is.
#[utoipa::path(get, path = "/export/campaigns/{id}/whitelist/dsp", tag = "exports", params(("id" = Uuid, Path), FormParameter, ListParameters),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = FileBody,
            headers(("X-Caliber-Left-Out" = u64, description = "Names of the list that the form cannot hold, and that are in no file"))),
        NoFile))]
async fn whitelist_dsp(
    export: Export,
    Query(form): Query<FormParameter>,
    Query(options): Query<ListParameters>,
) -> Result<Response, Failure> {
    export.upload(ListType::Whitelist, form, options).await
}

/// What to block, as CSV. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/blacklist/csv", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody), NoFile))]
async fn blacklist_csv(export: Export, Query(options): Query<ListParameters>) -> Result<Response, Failure> {
    export.list(ListType::Blacklist, ListFormat::Csv, options).await
}

/// What to block, as JSON. A list that differs from the last one taken out is kept as a version.
#[utoipa::path(get, path = "/export/campaigns/{id}/blacklist/json", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object), NoFile))]
async fn blacklist_json(export: Export, Query(options): Query<ListParameters>) -> Result<Response, Failure> {
    export.list(ListType::Blacklist, ListFormat::Json, options).await
}

/// What to block, as a DSP takes it. A list of several files answers a ZIP with a manifest. Kept as a version as the list is.
#[utoipa::path(get, path = "/export/campaigns/{id}/blacklist/dsp", tag = "exports", params(("id" = Uuid, Path), FormParameter, ListParameters),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = FileBody,
            headers(("X-Caliber-Left-Out" = u64, description = "Names of the list that the form cannot hold, and that are in no file"))),
        NoFile))]
async fn blacklist_dsp(
    export: Export,
    Query(form): Query<FormParameter>,
    Query(options): Query<ListParameters>,
) -> Result<Response, Failure> {
    export.upload(ListType::Blacklist, form, options).await
}

/// Both lists in one CSV. Each is kept as a version where it differs from the last one taken out.
#[utoipa::path(get, path = "/export/campaigns/{id}/optimization-lists/csv", tag = "exports", params(("id" = Uuid, Path), ListParameters),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody), NoFile))]
async fn lists_csv(export: Export, Query(options): Query<ListParameters>) -> Result<Response, Failure> {
    export.send(Asked::Lists { options: options.into() }).await
}

/// The key figures of the campaign: a header and one row.
#[utoipa::path(get, path = "/export/campaigns/{id}/summary/csv", tag = "exports", params(("id" = Uuid, Path)),
    responses((status = 200, description = "The file", content_type = "text/csv", body = FileBody), NoFile))]
async fn summary_csv(export: Export) -> Result<Response, Failure> {
    export.send(Asked::Summary).await
}

/// All that is known of the campaign: what it is, how it was scored, its summary and its rows.
#[utoipa::path(get, path = "/export/campaigns/{id}/data/json", tag = "exports", params(("id" = Uuid, Path), DataParameters),
    responses((status = 200, description = "The file", content_type = "application/json", body = Object), NoFile))]
async fn data_json(export: Export, Query(with): Query<DataParameters>) -> Result<Response, Failure> {
    let asked = Asked::Data {
        results: with.include_results.unwrap_or(true),
        insights: with.include_insights.unwrap_or_default(),
    };
    export.send(asked).await
}

/// The report for the client.
#[utoipa::path(get, path = "/campaigns/{id}/pdf", tag = "exports", params(("id" = Uuid, Path), ReportParameters),
    responses((status = 200, description = "The file", content_type = "application/pdf", body = FileBody), NoFile))]
async fn report_pdf(export: Export, Query(with): Query<ReportParameters>) -> Result<Response, Failure> {
    export.send(with.asked()).await
}

/// The report for the client. The same as without the second `reports`, where older clients look for it.
#[utoipa::path(get, path = "/reports/campaigns/{id}/pdf", tag = "exports", params(("id" = Uuid, Path), ReportParameters),
    responses((status = 200, description = "The file", content_type = "application/pdf", body = FileBody), NoFile))]
async fn report_pdf_below(export: Export, Query(with): Query<ReportParameters>) -> Result<Response, Failure> {
    export.send(with.asked()).await
}

impl ReportParameters {
    fn asked(&self) -> Asked {
        Asked::Pdf {
            charts: self.include_charts.unwrap_or(true),
            details: self.include_details.unwrap_or(true),
        }
    }
}
