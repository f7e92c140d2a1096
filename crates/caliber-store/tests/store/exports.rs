//! Exports: whose they are, how long they are kept, what they go with.

use caliber_store::exports::{self, Export, Held, Made, NewExport};
use caliber_store::jobs::{JobState, Queue};
use caliber_store::queue::{self, NewJob};
use caliber_store::runs::Run;
use caliber_store::users::User;
use caliber_store::{ExportId, JobId, Reach, Store, Window, campaigns};
use caliber_testing::{TestDatabase, on_both_databases};
use chrono::TimeDelta;
use serde_json::json;

use super::rows::{self, at};

on_both_databases!(
    an_export_is_within_the_reach_of_its_campaign_for_a_day,
    an_export_is_outdated_when_it_was_made_or_will_never_be,
    exports_are_listed_with_their_jobs_and_campaigns,
    exports_are_counted_by_author_and_go_with_their_campaign,
);

/// A campaign's published run and its author.
async fn published(store: &Store) -> (User, Run) {
    let author = rows::manager(store).await;
    let campaign = rows::campaign(store, &author, "c").await;
    let upload = rows::upload(store, &author).await;
    let run = rows::start(store, campaign.id, upload.id).await.unwrap();
    assert!(rows::publish(store, &run).await);
    (author, run)
}

/// An export asked for at this second, and its job.
async fn export(store: &Store, author: &User, run: &Run, second: i64) -> Export {
    let (id, job_id) = (ExportId::new(at(second)), JobId::new(at(second)));
    let txn = store.begin().await.unwrap();
    let job = NewJob {
        campaign_id: Some(run.campaign_id),
        ..NewJob::new(job_id, Queue::Exports, "make_export", 1, json!({}))
    };
    queue::enqueue(&txn, job, at(second)).await.unwrap();
    let new = NewExport {
        id,
        campaign_id: run.campaign_id,
        run_id: run.id,
        author_id: author.id,
        job_id,
        asked: json!({"summary": null}),
    };
    let export = exports::create(&txn, new, at(second)).await.unwrap();
    txn.commit().await.unwrap();
    export
}

/// Does the job that has been due longest, as far as the rows know.
async fn make(store: &Store, export: &Export, second: i64) {
    let claimed = queue::claim(store.db(), &[Queue::Exports], "w", at(second)).await.unwrap().unwrap();
    assert_eq!(claimed.job.id, export.job_id);
    let made = Made {
        filename: "c.csv".into(),
        media_type: "text/csv".into(),
        size: 3,
        sha256: "0".repeat(64),
        left_out: Some(2),
    };
    let txn = store.begin().await.unwrap();
    queue::complete(&txn, &claimed.lease, at(second)).await.unwrap();
    assert!(exports::complete(&txn, export.id, made, at(second)).await.unwrap());
    txn.commit().await.unwrap();
}

const DAY: i64 = 24 * 3600;

async fn exports_are_listed_with_their_jobs_and_campaigns(database: TestDatabase) {
    let store = database.store();
    let (author, run) = published(store).await;
    let stranger = rows::manager(store).await;
    let first = export(store, &author, &run, 10).await;
    let second = export(store, &author, &run, 11).await;
    make(store, &first, 20).await;
    let listed = async |reach, second: i64, limit: u64| {
        let made_after = at(second) - TimeDelta::seconds(DAY);
        exports::list(store.db(), reach, made_after, Window::first(limit)).await.unwrap()
    };
    let own = Reach::organization(author.organization_id);
    let page = listed(own, 30, 10).await;
    let ids: Vec<_> = page.rows.iter().map(|row| (row.export.id, row.campaign_name.as_str())).collect();
    assert_eq!((page.total, ids), (2, vec![(second.id, "c"), (first.id, "c")]), "the newest first");
    let jobs: Vec<_> = page.rows.iter().map(|row| row.job.as_ref().unwrap().state).collect();
    assert_eq!(jobs, [JobState::Queued, JobState::Completed]);
    assert_eq!(page.rows[1].export.left_out, Some(2));
    assert_eq!((listed(own, 30, 1).await.rows.len(), listed(own, 30, 1).await.total), (1, 2));
    assert_eq!(listed(own, 20 + DAY, 10).await.rows.len(), 1, "what was made a day ago is gone");
    assert_eq!(listed(Reach::organization(stranger.organization_id), 30, 10).await.total, 0);
    assert_eq!(listed(Reach::INSTANCE, 30, 10).await.total, 2);
}

async fn an_export_is_within_the_reach_of_its_campaign_for_a_day(database: TestDatabase) {
    let store = database.store();
    let (author, run) = published(store).await;
    let stranger = rows::manager(store).await;
    let export = export(store, &author, &run, 10).await;
    let seen = async |reach, second: i64| {
        let made_after = at(second) - TimeDelta::seconds(DAY);
        exports::by_id(store.db(), reach, export.id, made_after).await.unwrap()
    };
    let own = Reach::organization(author.organization_id);
    let (waiting, job) = seen(own, 10).await.unwrap();
    assert_eq!((waiting.completed_at, job.unwrap().id), (None, export.job_id));
    assert!(seen(own, 100 * DAY).await.is_some(), "while it waits it stays");
    make(store, &export, 20).await;
    let (made, _) = seen(own, 20 + DAY - 1).await.unwrap();
    assert_eq!(
        (made.completed_at, made.filename.as_deref(), made.size),
        (Some(at(20)), Some("c.csv"), Some(3))
    );
    assert!(seen(own, 20 + DAY).await.is_none());
    assert!(seen(Reach::INSTANCE, 20).await.is_some());
    assert!(seen(Reach::organization(stranger.organization_id), 20).await.is_none());
    assert!(seen(Reach::own(author.organization_id, stranger.id), 20).await.is_none());
}

async fn an_export_is_outdated_when_it_was_made_or_will_never_be(database: TestDatabase) {
    let store = database.store();
    let (author, run) = published(store).await;
    let made = export(store, &author, &run, 10).await;
    make(store, &made, 20).await;
    let given_up = export(store, &author, &run, 30).await;
    let claimed = queue::claim(store.db(), &[Queue::Exports], "w", at(31)).await.unwrap().unwrap();
    let outdated = async |second| {
        let found = exports::outdated(store.db(), at(second), 10).await.unwrap();
        found.into_iter().map(|export| export.id).collect::<Vec<_>>()
    };
    assert_eq!(outdated(19).await, []);
    assert_eq!(outdated(20).await, [made.id]);
    assert_eq!(outdated(1000).await, [made.id], "the other is still being made");
    let txn = store.begin().await.unwrap();
    let failure = queue::Failure { message: "no".into(), retryable: false, jitter: 0.0 };
    queue::fail(&txn, &claimed.lease, &failure, at(40)).await.unwrap();
    txn.commit().await.unwrap();
    assert_eq!(outdated(29).await, [made.id]);
    assert_eq!(outdated(30).await, [made.id, given_up.id]);
    exports::delete(store.db(), made.id).await.unwrap();
    assert_eq!(outdated(30).await, [given_up.id]);
    assert_eq!(exports::existing(store.db(), &[made.id, given_up.id]).await.unwrap(), [given_up.id]);
}

async fn exports_are_counted_by_author_and_go_with_their_campaign(database: TestDatabase) {
    let store = database.store();
    let (author, run) = published(store).await;
    let other = rows::manager(store).await;
    let first = export(store, &author, &run, 10).await;
    let second = export(store, &author, &run, 11).await;
    export(store, &other, &run, 12).await;
    make(store, &first, 20).await;
    let held = |user: &User| {
        let id = user.id;
        async move { exports::held_by(store.db(), id).await.unwrap() }
    };
    assert_eq!(held(&author).await, Held { under_way: 1, all: 2 });
    assert_eq!(held(&other).await, Held { under_way: 1, all: 1 });
    let txn = store.begin().await.unwrap();
    campaigns::delete(&txn, Reach::INSTANCE, run.campaign_id, true).await.unwrap();
    txn.commit().await.unwrap();
    assert_eq!(held(&author).await, Held { under_way: 0, all: 0 });
    let gone = exports::by_id(store.db(), Reach::INSTANCE, second.id, at(0)).await.unwrap();
    assert!(gone.is_none());
}
