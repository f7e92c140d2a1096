//! `/jobs`: what is done in the background.

use axum::extract::State;
use caliber_platform::identity::permissions::JOBS_READ;
use caliber_platform::jobs::{Filter, Job, JobId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::paging::Pages;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Listing};
use crate::extract::{Id, Query};
use crate::failure::Failure;
use crate::signed_in::By;
use crate::words::{JobState, Queue};

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new().with(app, Access::Needs(JOBS_READ), routes!(list)).with(
        app,
        Access::Needs(JOBS_READ),
        routes!(get),
    )
}

/// A job.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
struct JobView {
    id: Uuid,
    #[schema(example = "score_campaign")]
    kind: String,
    queue: Queue,
    /// `failed` is a dead letter, kept to be looked at.
    status: JobState,
    campaign_id: Option<Uuid>,
    run_id: Option<Uuid>,
    /// How often it failed.
    attempts: i32,
    max_attempts: i32,
    /// How often a worker took it.
    deliveries: i32,
    /// What went wrong last.
    last_error: Option<String>,
    /// Not to be begun before.
    run_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id.0,
            kind: job.kind,
            queue: job.queue.into(),
            status: job.state.into(),
            campaign_id: job.campaign_id.map(|id| id.0),
            run_id: job.run_id.map(|id| id.0),
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            deliveries: job.deliveries,
            last_error: job.last_error,
            run_at: job.run_at,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// From 1.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<i64>,
    status: Option<JobState>,
    queue: Option<Queue>,
}

/// Jobs of one's organisation, newest first.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobQuery), responses((status = 200, body = Listing<JobView>)))]
async fn list(
    State(app): State<App>,
    By(caller): By,
    Query(query): Query<JobQuery>,
) -> Result<Listing<JobView>, Failure> {
    let pages = Pages::new(query.page, query.per_page);
    let filter = Filter { state: query.status.map(Into::into), queue: query.queue.map(Into::into) };
    let page = app.platform.jobs().list(&caller, filter, pages.window()?).await?;
    Ok(pages.listing(page.rows.into_iter().map(JobView::from).collect(), page.total))
}

/// One job.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<JobView>)))]
async fn get(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<JobView>, Failure> {
    Ok(Answer::new(app.platform.jobs().get(&caller, JobId(id)).await?.into()))
}
