//! Rows that tests begin with.

use caliber_store::campaigns::{
    self, AnalysisLevel, Campaign, Channel, Goal, NewCampaign, Published, Settings,
};
use caliber_store::organizations::{self, Organization};
use caliber_store::runs::{NewRun, Run};
use caliber_store::uploads::{self, NewUpload, Upload};
use caliber_store::users::{self, NewUser, Role, User};
use caliber_store::{Attempt, CampaignId, JobId, OrganizationId, Reach, RunId, Store, UploadId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// A moment of the tests' own time, with microseconds, so that a database that loses them is found out.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap();
    start + TimeDelta::seconds(seconds)
}

pub(crate) async fn organization(store: &Store) -> Organization {
    organizations::create(store.db(), "Acme", at(0)).await.unwrap()
}

pub(crate) fn new_user(organization: OrganizationId, email: &str, role: Role) -> NewUser {
    NewUser {
        email: email.to_owned(),
        name: "Someone".to_owned(),
        role,
        organization_id: organization,
        password_hash: None,
        external: None,
        email_verified: false,
    }
}

pub(crate) async fn user(store: &Store, organization: OrganizationId, email: &str, role: Role) -> User {
    users::create(store.db(), new_user(organization, email, role), at(0)).await.unwrap()
}

/// An organisation and its manager.
pub(crate) async fn manager(store: &Store) -> User {
    let organization = organization(store).await;
    let email = format!("{}@example.com", UserId::new(at(0)));
    user(store, organization.id, &email, Role::Manager).await
}

pub(crate) fn settings() -> Settings {
    Settings {
        campaign_type: "trade_desk".to_owned(),
        goal: Goal::Awareness,
        channel: Channel::Display,
        ctr_sensitivity: false,
        analysis_level: AnalysisLevel::Domain,
    }
}

pub(crate) fn new_campaign(author: &User, name: &str) -> NewCampaign {
    NewCampaign {
        organization_id: author.organization_id,
        user_id: author.id,
        name: name.to_owned(),
        settings: settings(),
        template_id: None,
    }
}

pub(crate) async fn campaign(store: &Store, author: &User, name: &str) -> Campaign {
    campaigns::create(store.db(), new_campaign(author, name), at(0)).await.unwrap()
}

pub(crate) async fn upload(store: &Store, author: &User) -> Upload {
    let id = UploadId::new(at(0));
    let upload = NewUpload {
        id,
        organization_id: author.organization_id,
        user_id: author.id,
        filename: "report.csv".to_owned(),
        size: 3,
        sha256: "0".repeat(64),
        format: "csv".to_owned(),
        compression: None,
        storage_key: format!("uploads/{id}"),
    };
    uploads::create(store.db(), upload, at(0)).await.unwrap()
}

/// Starts a run of the campaign in a transaction of its own; rolls back where it is refused.
pub(crate) async fn start(store: &Store, campaign: CampaignId, upload: UploadId) -> Option<Run> {
    let txn = store.begin().await.unwrap();
    let run = NewRun {
        id: RunId::new(at(1)),
        upload_id: Some(upload),
        job_id: Some(JobId::new(at(1))),
        config: json!({ "b": 1, "a": 0.1 }),
    };
    match campaigns::start(&txn, Reach::INSTANCE, campaign, run, at(1)).await.unwrap() {
        Attempt::Done(run) => {
            txn.commit().await.unwrap();
            Some(run)
        }
        Attempt::Refused(_) | Attempt::Missing => None,
    }
}

pub(crate) fn published() -> Published {
    Published {
        results_key: "campaigns/x/results.parquet".to_owned(),
        row_count: 7,
        total_records: 9,
        campaign_score: Some(0.1 + 0.2),
        summary: json!({ "z": 1, "a": [0.1, 1e300, "a\0b"] }),
        quality: json!({}),
    }
}

/// Publishes the run in a transaction of its own; whether it was the one under way.
pub(crate) async fn publish(store: &Store, run: &Run) -> bool {
    let txn = store.begin().await.unwrap();
    let done = campaigns::publish(&txn, run.campaign_id, run.id, published(), at(2)).await.unwrap();
    txn.commit().await.unwrap();
    done
}

pub(crate) async fn reload(store: &Store, campaign: CampaignId) -> Campaign {
    campaigns::by_id(store.db(), Reach::INSTANCE, campaign).await.unwrap().unwrap()
}
