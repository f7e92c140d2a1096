//! `/reports/exports`: files that are made in the background, watched, and fetched when they are made.

use axum::extract::State;
use axum::response::Response;
use caliber_platform::campaigns::CampaignId;
use caliber_platform::exports::{Asked, BackgroundExport, ExportId, ExportStatus, ListFormat, ResultsFormat};
use caliber_platform::identity::permissions::{EXPORTS_READ, EXPORTS_WRITE};
use caliber_platform::lists::ListOptions;
use caliber_platform::results::ListType;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::exports::FileBody;
use super::lists::ListTypeWord;
use super::rows_parameters::{DirectionWord, RowsParameters};
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Accepted, Answer};
use crate::download::{self, Known};
use crate::extract::{Body, Id};
use crate::failure::{Failure, FailureBody};
use crate::signed_in::By;
use crate::words::{ExportStatus as ExportStatusWord, ListPolicy, QualityStatus};

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(EXPORTS_WRITE), routes!(start))
        .with(app, Access::Needs(EXPORTS_READ), routes!(get))
        .with(app, Access::Needs(EXPORTS_READ), routes!(download))
}

/// What an export is of.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Results,
    Whitelist,
    Blacklist,
    Lists,
    Summary,
    Data,
    Pdf,
    Dsp,
}

/// Which campaign is exported, and how.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"campaign_id": "0198c0de-0000-7000-8000-000000000000", "kind": "results", "format": "csv",
    "filters": {"quality_status": "poor"}}))]
struct NewExport {
    campaign_id: Uuid,
    kind: Kind,
    /// results: csv, which is usual, xlsx, parquet, json. whitelist, blacklist: csv, which is usual, json. lists, summary:
    /// csv. data: json. pdf: pdf. dsp: the form, as in `dv360`.
    #[schema(example = "csv")]
    format: Option<String>,
    /// The query parameters of the same file when it is downloaded at once.
    #[serde(default)]
    filters: Filters,
}

/// What of the campaign, by kind; what another kind knows is ignored, and what none knows is refused: a misspelt filter
/// would deliver another list.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object of filters")]
struct Filters {
    /// results.
    sort_by: Option<String>,
    /// results.
    #[schema(inline)]
    sort_direction: Option<DirectionWord>,
    /// results.
    quality_status: Option<QualityStatus>,
    /// results.
    min_score: Option<f64>,
    /// results.
    max_score: Option<f64>,
    /// results and lists.
    min_impressions: Option<f64>,
    /// results.
    search: Option<String>,
    /// results.
    outliers_only: Option<bool>,
    /// dsp: which list; what to block where nothing is said.
    #[schema(inline)]
    list_type: Option<ListTypeWord>,
    /// Lists: above 0 and up to 0.5.
    share: Option<f64>,
    /// Lists.
    policy: Option<ListPolicy>,
    /// Lists: when they should be made anew.
    expires_at: Option<DateTime<Utc>>,
    /// data: with `scoring_results`, unless false.
    include_results: Option<bool>,
    /// data: with `ai_insights`, where true.
    include_insights: Option<bool>,
    /// pdf: with pictures of the figures, unless false.
    include_charts: Option<bool>,
    /// pdf: with the first 50 rows, unless false.
    include_details: Option<bool>,
}

impl NewExport {
    fn asked(self) -> Result<Asked, Failure> {
        let Self { kind, format, filters, .. } = self;
        let format = format.as_deref();
        Ok(match kind {
            Kind::Results => Asked::Results {
                format: match format.unwrap_or("csv") {
                    "csv" => ResultsFormat::Csv,
                    "xlsx" => ResultsFormat::Xlsx,
                    "parquet" => ResultsFormat::Parquet,
                    "json" => ResultsFormat::Json,
                    _ => return Err(Failure::invalid("format", "is csv, xlsx, parquet or json for results")),
                },
                rows: filters.rows().query().map_err(within_filters)?,
            },
            Kind::Whitelist | Kind::Blacklist => Asked::List {
                list_type: match kind {
                    Kind::Whitelist => ListType::Whitelist,
                    _ => ListType::Blacklist,
                },
                format: match format.unwrap_or("csv") {
                    "csv" => ListFormat::Csv,
                    "json" => ListFormat::Json,
                    _ => {
                        return Err(Failure::invalid(
                            "format",
                            "is csv or json for a list; dsp is a kind of its own",
                        ));
                    }
                },
                options: filters.list_options()?,
            },
            Kind::Dsp => Asked::Dsp {
                list_type: filters.list_type.map_or(ListType::Blacklist, Into::into),
                form: format
                    .ok_or_else(|| Failure::invalid("format", "is missing: name the form, as in `dv360`"))?
                    .to_owned(),
                options: filters.list_options()?,
            },
            Kind::Lists => only(format, "csv", Asked::Lists { options: filters.list_options()? })?,
            Kind::Summary => only(format, "csv", Asked::Summary)?,
            Kind::Data => {
                let results = filters.include_results.unwrap_or(true);
                let insights = filters.include_insights.unwrap_or_default();
                only(format, "json", Asked::Data { results, insights })?
            }
            Kind::Pdf => {
                let charts = filters.include_charts.unwrap_or(true);
                let details = filters.include_details.unwrap_or(true);
                only(format, "pdf", Asked::Pdf { charts, details })?
            }
        })
    }
}

/// What has one form only.
fn only(format: Option<&str>, form: &str, asked: Asked) -> Result<Asked, Failure> {
    match format {
        Some(other) if other != form => Err(Failure::invalid("format", format!("is {form} for this kind"))),
        _ => Ok(asked),
    }
}

/// A problem with a parameter, where the parameters stand below `filters`.
fn within_filters(mut failure: Failure) -> Failure {
    for problem in &mut failure.problems {
        problem.field = format!("filters.{}", problem.field);
    }
    failure
}

impl Filters {
    fn rows(self) -> RowsParameters {
        RowsParameters {
            sort_by: self.sort_by,
            sort_direction: self.sort_direction,
            quality_status: self.quality_status,
            min_score: self.min_score,
            max_score: self.max_score,
            min_impressions: self.min_impressions,
            search: self.search,
            outliers_only: self.outliers_only,
        }
    }

    fn list_options(&self) -> Result<ListOptions, Failure> {
        let whole = |least: f64| {
            let is_whole = least >= 0.0 && least.fract() == 0.0 && least <= 1e15;
            let problem =
                || Failure::invalid("filters.min_impressions", "is a whole number from 0 for lists");
            is_whole.then_some(least as u64).ok_or_else(problem)
        };
        Ok(ListOptions {
            min_impressions: self.min_impressions.map(whole).transpose()?,
            share: self.share,
            policy: self.policy.map(Into::into),
            expires_at: self.expires_at,
        })
    }
}

/// An export that was asked for.
#[derive(Serialize, ToSchema)]
struct Begun {
    id: Uuid,
    status: ExportStatusWord,
}

/// Ask for a file to be made in the background. It is of the results that the campaign shows now.
#[utoipa::path(post, path = "/exports", tag = "exports", request_body = NewExport,
    responses((status = 202, body = Answer<Begun>), (status = 404, description = "`not_found`", body = FailureBody),
        (status = 409, description = "`not_scored`; `conflict`: too many at a time", body = FailureBody)))]
async fn start(
    State(app): State<App>,
    By(caller): By,
    Body(new): Body<NewExport>,
) -> Result<Accepted<Begun>, Failure> {
    let campaign = CampaignId(new.campaign_id);
    let export = app.platform.exports().start(&caller, campaign, new.asked()?).await?;
    Ok(Accepted(Begun { id: export.id.0, status: ExportStatusWord::Pending }))
}

/// How far an export is.
#[derive(Serialize, ToSchema)]
#[schema(as = Export)]
struct ExportView {
    id: Uuid,
    campaign_id: Uuid,
    run_id: Uuid,
    status: ExportStatusWord,
    /// 0 to 100.
    #[schema(example = 42.0)]
    progress_percentage: f64,
    /// Once it is completed.
    #[schema(example = json!("/api/v1/reports/exports/0198c0de-0000-7000-8000-000000000000/download"))]
    download_url: Option<String>,
    /// Once it is completed.
    #[schema(example = json!("Spring launch-results.csv"))]
    filename: Option<String>,
    /// In bytes, once it is completed.
    size: Option<i64>,
    /// dsp: names of the list that the form cannot hold, and that are in no file; once it is completed.
    #[schema(example = json!(null))]
    left_out: Option<i64>,
    /// Why it failed.
    error_message: Option<String>,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    /// 24 hours after it was completed; from then on it is not found.
    expires_at: Option<DateTime<Utc>>,
}

impl From<BackgroundExport> for ExportView {
    fn from(background: BackgroundExport) -> Self {
        let BackgroundExport { export, status, progress_percentage, error_message, expires_at } = background;
        Self {
            id: export.id.0,
            campaign_id: export.campaign_id.0,
            run_id: export.run_id.0,
            status: status.into(),
            progress_percentage,
            download_url: (status == ExportStatus::Completed)
                .then(|| format!("/api/v1/reports/exports/{}/download", export.id)),
            filename: export.filename,
            size: export.size,
            left_out: export.left_out,
            error_message,
            created_at: export.created_at,
            completed_at: export.completed_at,
            expires_at,
        }
    }
}

/// How far an export is; where to fetch it, once it is made.
#[utoipa::path(get, path = "/exports/{id}", tag = "exports", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<ExportView>)))]
async fn get(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<ExportView>, Failure> {
    Ok(Answer::new(app.platform.exports().get(&caller, ExportId(id)).await?.into()))
}

/// The file of an export.
#[utoipa::path(get, path = "/exports/{id}/download", tag = "exports", params(("id" = Uuid, Path)),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = FileBody,
            headers(("X-Caliber-Left-Out" = u64, description = "dsp: names of the list that the form cannot hold, and that are in no file"))),
        (status = 304, description = "The client has it: `If-None-Match`"),
        (status = 409, description = "`wrong_state`: it is not made yet, or failed", body = FailureBody)))]
async fn download(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    known: Known,
) -> Result<Response, Failure> {
    let (file, etag) = app.platform.exports().fetch(&caller, ExportId(id)).await?;
    Ok(known.unchanged(&etag).unwrap_or_else(|| download::file(file, &etag)))
}
