//! Jobs as rows: what is seen of them. What is done with them is in [`crate::queue`].

use chrono::{DateTime, Utc};
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

use crate::{CampaignId, Document, JobId, OrganizationId, Page, Reach, Result, RunId, Window, paging};

/// The unique index of what is to be queued once at a time.
pub const UNIQUE_KEY: &str = "uq_jobs_unique_key";

/// A job.
pub type Job = Model;

/// Which workers take a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Queue {
    /// Scoring.
    Scoring,
    /// Exports.
    Exports,
    /// Clearing away.
    Maintenance,
    /// Looking after the service itself.
    Monitoring,
    /// Telling people.
    Notifications,
}

impl Queue {
    /// All, in the order above.
    pub const ALL: [Self; 5] =
        [Self::Scoring, Self::Exports, Self::Maintenance, Self::Monitoring, Self::Notifications];

    /// The word that settings and rows use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scoring => "scoring",
            Self::Exports => "exports",
            Self::Maintenance => "maintenance",
            Self::Monitoring => "monitoring",
            Self::Notifications => "notifications",
        }
    }

    /// The queue of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.name() == name)
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum JobState {
    /// It waits, for a worker or for its time.
    Queued,
    /// A worker has it.
    Running,
    /// Done.
    Completed,
    /// Given up: a dead letter, kept to be looked at.
    Failed,
    /// Stopped by somebody.
    Cancelled,
}

/// A row of `jobs`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// What is to be done, in the words of whoever does it.
    pub kind: String,
    /// Which workers take it.
    pub queue: Queue,
    /// What it needs to know.
    pub payload: Document,
    /// The form of the payload; a worker refuses one it does not know.
    pub payload_version: i32,
    /// How far it is.
    pub state: JobState,
    /// Whose it is; none is the service's own.
    pub organization_id: Option<OrganizationId>,
    /// What it works on; it goes with it.
    pub campaign_id: Option<CampaignId>,
    /// The run it does; it goes with it.
    pub run_id: Option<RunId>,
    /// Of jobs with the same key one is queued or running at a time.
    pub unique_key: Option<String>,
    /// Not to be begun before.
    pub run_at: DateTime<Utc>,
    /// How often it failed.
    pub attempts: i32,
    /// After how many failures it is given up.
    pub max_attempts: i32,
    /// How often a worker took it.
    pub deliveries: i32,
    /// The process that has it, or had it last.
    pub worker: Option<String>,
    /// What its worker shows to say anything of it.
    pub lease_token: Option<Uuid>,
    /// Until when the worker has it unless it says more.
    pub lease_until: Option<DateTime<Utc>>,
    /// Somebody wants it stopped.
    pub cancel_requested: bool,
    /// How far it is, in the words of whoever does it.
    pub progress: Option<Document>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When it was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, given up or stopped.
    pub finished_at: Option<DateTime<Utc>>,
}

/// No relations: queries join by columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which jobs a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that are so far.
    pub state: Option<JobState>,
    /// Only those of this queue.
    pub queue: Option<Queue>,
}

/// The job of this id. The service's own jobs are within the reach of the administrator alone.
pub async fn by_id<C: ConnectionTrait>(db: &C, reach: Reach, id: JobId) -> Result<Option<Job>> {
    let found = Entity::find_by_id(id).filter(reach.within_organization(Column::OrganizationId));
    Ok(found.one(db).await?)
}

/// Jobs within reach, newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    reach: Reach,
    filter: Filter,
    window: Window,
) -> Result<Page<Job>> {
    let mut jobs = Entity::find()
        .filter(reach.within_organization(Column::OrganizationId))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    if let Some(state) = filter.state {
        jobs = jobs.filter(Column::State.eq(state));
    }
    if let Some(queue) = filter.queue {
        jobs = jobs.filter(Column::Queue.eq(queue));
    }
    paging::page(db, jobs, window).await
}
