//! The queues, and the jobs of the organisation.

use std::collections::HashMap;

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use caliber_platform::analysis::capital;
use caliber_platform::campaigns::CampaignId;
use caliber_platform::identity::permissions::JOBS_READ;
use caliber_platform::jobs::{Filter, Job, JobState, QueueStats};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::filters::grouped;
use super::paging::{Asked, Place};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::Query;
use crate::failure::Failure;
use crate::signed_in::By;
use crate::texts;

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
    /// Those of the whole service, for administrators.
    queues: Vec<QueueRow>,
    jobs: Vec<JobRow>,
    state: String,
    place: Place,
}

impl JobsPage {
    /// Whether something is still to come, so that the page looks again by itself. The turns of clearing away, which are
    /// of no campaign, never end.
    fn is_under_way(&self) -> bool {
        let waits = |job: &JobRow| matches!(job.state, JobState::Queued | JobState::Running);
        self.jobs.iter().any(|job| job.campaign.is_some() && waits(job))
    }
}

/// How a queue stands.
struct QueueRow {
    name: String,
    due: u64,
    /// Jobs whose time has not come.
    scheduled: u64,
    running: u64,
    dead: u64,
    oldest_due: Option<DateTime<Utc>>,
}

impl From<QueueStats> for QueueRow {
    fn from(stats: QueueStats) -> Self {
        Self {
            name: capital(stats.queue.name()),
            due: stats.due,
            scheduled: stats.queued.saturating_sub(stats.due),
            running: stats.running,
            dead: stats.dead,
            oldest_due: stats.oldest_due,
        }
    }
}

struct JobRow {
    id: Uuid,
    kind: String,
    state: JobState,
    /// Its id and what it is called.
    campaign: Option<(Uuid, String)>,
    attempts: i32,
    max_attempts: i32,
    error: Option<String>,
    created_at: DateTime<Utc>,
    /// Seconds from start to end.
    took: Option<f64>,
}

impl JobRow {
    fn of(job: Job, campaigns: &HashMap<CampaignId, String>) -> Self {
        let took = job.started_at.zip(job.finished_at).map(|(from, to)| (to - from).as_seconds_f64());
        Self {
            id: job.id.0,
            kind: job.kind,
            state: job.state,
            campaign: job.campaign_id.and_then(|id| Some((id.0, campaigns.get(&id)?.clone()))),
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            error: job.last_error,
            created_at: job.created_at,
            took,
        }
    }

    /// What is done.
    fn title(&self) -> String {
        match self.kind.as_str() {
            "score_campaign" => texts::text("job-kind-score"),
            "make_export" => texts::text("job-kind-export"),
            other => capital(&other.replace('_', " ")),
        }
    }

    /// How often it failed.
    fn failures(&self) -> String {
        let count = |attempts: i32| attempts.to_string().into();
        texts::with("job-failures", &[("failed", count(self.attempts)), ("most", count(self.max_attempts))])
    }

    /// The seconds it took.
    fn took_text(&self) -> Option<String> {
        self.took.map(|took| if took < 0.1 { "< 0.1".to_owned() } else { grouped(took, 1) })
    }

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
    let queues = if shell.may_see_system() { app.platform.jobs().stats().await? } else { Vec::new() };
    let queues = queues.into_iter().map(QueueRow::from).collect();
    let page = app.platform.jobs().list(&caller, Filter { state, queue: None }, wanted.page.window()).await?;
    let ids: Vec<CampaignId> = page.rows.iter().filter_map(|job| job.campaign_id).collect();
    let names = app.platform.campaigns().names(&caller, &ids).await?;
    let jobs: Vec<JobRow> = page.rows.into_iter().map(|job| JobRow::of(job, &names)).collect();
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
        let queue =
            QueueStats { queue: Queue::Scoring, queued: 7, due: 2, running: 1, dead: 3, oldest_due: None };
        let queue = QueueRow::from(queue);
        assert_eq!((queue.due, queue.scheduled), (2, 5));
        let job = JobRow {
            id: Uuid::nil(),
            kind: "score_campaign".to_owned(),
            state: JobState::Failed,
            campaign: Some((Uuid::nil(), "Spring <b>P\u{e9}rez".to_owned())),
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
        assert!(html.contains("Scoring") && html.contains("Failed 3 of 3 attempts"), "{html}");
        assert!(!html.contains("every 3s"), "nothing is to come: {html}");
    }

    #[test]
    fn a_job_that_was_quick_did_not_take_nothing() {
        let job = |took| JobRow {
            id: Uuid::nil(),
            kind: "clear_away".to_owned(),
            state: JobState::Completed,
            campaign: None,
            attempts: 0,
            max_attempts: 1,
            error: None,
            created_at: samples::time(),
            took,
        };
        assert_eq!(job(Some(0.02)).took_text().as_deref(), Some("< 0.1"));
        assert_eq!(job(Some(1.26)).took_text().as_deref(), Some("1.3"));
        assert_eq!((job(None).took_text(), job(None).title()), (None, "Clear away".to_owned()));
    }
}
