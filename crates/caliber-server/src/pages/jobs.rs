//! The queues, and the jobs of the organisation.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use caliber_platform::identity::permissions::JOBS_READ;
use caliber_platform::jobs::{Filter, Job, JobState, QueueStats};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::paging::{Asked, Place};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::Query;
use crate::failure::Failure;
use crate::signed_in::By;

const STATES: [(&str, &str); 5] = [
    ("queued", "job-queued"),
    ("running", "job-running"),
    ("completed", "job-completed"),
    ("failed", "job-failed"),
    ("cancelled", "job-cancelled"),
];

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/jobs", Sees::Needs(JOBS_READ), get(list))
}

#[derive(Template, WebTemplate)]
#[template(path = "jobs.html")]
struct JobsPage {
    shell: Shell,
    queues: Vec<QueueStats>,
    jobs: Vec<JobRow>,
    state: String,
    place: Place,
}

struct JobRow {
    id: Uuid,
    kind: String,
    state: JobState,
    campaign: Option<Uuid>,
    attempts: i32,
    max_attempts: i32,
    error: Option<String>,
    created_at: DateTime<Utc>,
    /// Seconds from start to end.
    took: Option<f64>,
}

impl From<Job> for JobRow {
    fn from(job: Job) -> Self {
        let took = job.started_at.zip(job.finished_at).map(|(from, to)| (to - from).as_seconds_f64());
        Self {
            id: job.id.0,
            kind: job.kind.replace('_', " "),
            state: job.state,
            campaign: job.campaign_id.map(|id| id.0),
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            error: job.last_error,
            created_at: job.created_at,
            took,
        }
    }
}

impl JobRow {
    fn state_key(&self) -> &'static str {
        match self.state {
            JobState::Queued => "job-queued",
            JobState::Running => "job-running",
            JobState::Completed => "job-completed",
            JobState::Failed => "job-failed",
            JobState::Cancelled => "job-cancelled",
        }
    }

    fn colour(&self) -> &'static str {
        match self.state {
            JobState::Queued | JobState::Cancelled => "secondary",
            JobState::Running => "azure",
            JobState::Completed => "green",
            JobState::Failed => "red",
        }
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(flatten)]
    page: Asked,
    #[serde(default)]
    state: String,
}

async fn list(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(wanted): Query<Wanted>,
) -> Result<JobsPage, Failure> {
    let state = match wanted.state.as_str() {
        "queued" => Some(JobState::Queued),
        "running" => Some(JobState::Running),
        "completed" => Some(JobState::Completed),
        "failed" => Some(JobState::Failed),
        "cancelled" => Some(JobState::Cancelled),
        _ => None,
    };
    let queues = app.platform.jobs().stats().await?;
    let page = app.platform.jobs().list(&caller, Filter { state, queue: None }, wanted.page.window()).await?;
    let jobs: Vec<JobRow> = page.rows.into_iter().map(JobRow::from).collect();
    let place = Place::new(&wanted.page, jobs.len(), page.total, "/jobs", &[("state", &wanted.state)]);
    Ok(JobsPage { shell, queues, jobs, state: wanted.state, place })
}

#[cfg(test)]
mod tests {
    use caliber_platform::Queue;

    use super::*;
    use crate::pages::samples;

    #[test]
    fn dead_letters_are_shown_with_why_they_died() {
        let queue = QueueStats { queue: Queue::Scoring, queued: 2, running: 1, dead: 3, oldest_due: None };
        let job = JobRow {
            id: Uuid::nil(),
            kind: "score campaign".to_owned(),
            state: JobState::Failed,
            campaign: Some(Uuid::nil()),
            attempts: 3,
            max_attempts: 3,
            error: Some("the report is <b>Pérez".to_owned()),
            created_at: samples::time(),
            took: Some(1.25),
        };
        let place = Place::new(&Asked::default(), 1, 1, "/jobs", &[]);
        let page = JobsPage {
            shell: samples::shell(),
            queues: vec![queue],
            jobs: vec![job],
            state: "failed".to_owned(),
            place,
        };
        let html = samples::checked(&page);
        assert!(html.contains("the report is &#60;b&#62;") && html.contains("1.2"), "{html}");
    }
}
