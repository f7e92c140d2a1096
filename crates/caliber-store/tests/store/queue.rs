//! The queue: what is in it, who has what, how it ends.

use std::collections::HashSet;
use std::time::Duration;

use caliber_store::jobs::{self, Filter, Job, JobState, Queue};
use caliber_store::queue::{self, Cancel, Claimed, Failed, Failure, NewJob};
use caliber_store::{JobId, Json, Reach, Store, StoreError, Window};
use caliber_testing::{TestDatabase, on_both_databases};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::rows::{self, at};

on_both_databases!(
    a_job_is_there_once_its_transaction_is_committed,
    a_commit_wakes_who_waits,
    jobs_are_taken_by_when_they_are_due,
    two_workers_never_share_a_job,
    a_lost_lease_ends_nothing,
    a_job_is_completed_once_with_its_work,
    a_heartbeat_renews_and_tells_of_a_cancel,
    a_failed_job_is_tried_again_later_each_time,
    after_three_failures_it_is_a_dead_letter,
    what_cannot_be_mended_is_dead_at_once,
    a_job_given_back_is_nobodys_failure,
    what_has_not_begun_is_cancelled_at_once,
    of_one_key_one_job_is_under_way,
    a_dead_letter_is_queued_again_by_hand,
    the_queues_are_counted,
    finished_jobs_are_cleared_away_and_dead_letters_kept,
    jobs_are_within_their_organisations_reach,
);

pub(crate) fn job(queue: Queue, seconds: i64) -> NewJob {
    NewJob::new(JobId::new(at(seconds)), queue, "score", 1, json!({ "n": seconds }))
}

pub(crate) async fn enqueue(store: &Store, job: NewJob) -> JobId {
    let id = job.id;
    let txn = store.begin().await.unwrap();
    assert!(queue::enqueue(&txn, job, at(0)).await.unwrap());
    txn.commit().await.unwrap();
    id
}

pub(crate) async fn claim(store: &Store, seconds: i64) -> Option<Claimed> {
    queue::claim(store.db(), &[Queue::Scoring], "w", at(seconds)).await.unwrap()
}

pub(crate) async fn reload(store: &Store, id: JobId) -> Job {
    jobs::by_id(store.db(), Reach::INSTANCE, id).await.unwrap().unwrap()
}

async fn complete(store: &Store, claimed: &Claimed, seconds: i64) -> Result<(), StoreError> {
    let txn = store.begin().await.unwrap();
    queue::complete(&txn, &claimed.lease, at(seconds)).await?;
    txn.commit().await
}

async fn fail(store: &Store, claimed: &Claimed, retryable: bool, seconds: i64) -> Failed {
    let failure = Failure { message: "no disk".to_owned(), retryable, jitter: 0.5 };
    let txn = store.begin().await.unwrap();
    let failed = queue::fail(&txn, &claimed.lease, &failure, at(seconds)).await.unwrap();
    txn.commit().await.unwrap();
    failed
}

async fn a_job_is_there_once_its_transaction_is_committed(database: TestDatabase) {
    let store = database.store();
    let txn = store.begin().await.unwrap();
    queue::enqueue(&txn, job(Queue::Scoring, 0), at(0)).await.unwrap();
    txn.rollback().await.unwrap();
    assert_eq!(claim(store, 1).await, None);
    let txn = store.begin().await.unwrap();
    queue::enqueue(&txn, job(Queue::Scoring, 0), at(0)).await.unwrap();
    drop(txn);
    assert_eq!(claim(store, 1).await, None);

    let id = enqueue(store, job(Queue::Scoring, 7)).await;
    let claimed = claim(store, 1).await.unwrap();
    assert_eq!((claimed.job.id, claimed.job.payload), (id, json!({ "n": 7 }).into()));
    assert_eq!((claimed.job.state, claimed.job.deliveries), (JobState::Running, 1));
    assert_eq!((claimed.job.started_at, claimed.job.worker.as_deref()), (Some(at(1)), Some("w")));
    assert_eq!(claim(store, 1).await, None, "it is taken");
}

async fn a_commit_wakes_who_waits(database: TestDatabase) {
    let store = database.store().clone();
    let mut alarm = store.wakers().alarm();
    let long = Duration::from_mins(10);
    let txn = store.begin().await.unwrap();
    queue::enqueue(&txn, job(Queue::Scoring, 0), at(0)).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(50), alarm.wait(long)).await;
    assert!(early.is_err(), "nothing is committed");
    txn.commit().await.unwrap();
    // Rung between two waits, and heard.
    tokio::time::timeout(Duration::from_secs(30), alarm.wait(long)).await.unwrap();

    // Without a ring it is over when its patience is.
    tokio::time::timeout(Duration::from_secs(30), alarm.wait(Duration::from_millis(10))).await.unwrap();
}

async fn jobs_are_taken_by_when_they_are_due(database: TestDatabase) {
    let store = database.store();
    for (name, queue, due) in [
        ("later", Queue::Scoring, 20),
        ("first", Queue::Scoring, 5),
        ("other", Queue::Exports, 1),
        ("second", Queue::Scoring, 9),
    ] {
        let mut job = job(queue, 0);
        job.kind = name.to_owned();
        job.run_at = Some(at(due));
        enqueue(store, job).await;
    }
    assert_eq!(claim(store, 4).await, None, "none is due");
    let mut taken = Vec::new();
    while let Some(claimed) = claim(store, 19).await {
        taken.push(claimed.job.kind);
    }
    assert_eq!(taken, ["first", "second"]);
    let any = queue::claim(store.db(), &Queue::ALL, "w", at(19)).await.unwrap().unwrap();
    assert_eq!(any.job.kind, "other");
    assert_eq!(queue::claim(store.db(), &[], "w", at(19)).await.unwrap(), None);
}

async fn two_workers_never_share_a_job(database: TestDatabase) {
    const JOBS: i64 = 300;
    let store = database.store();
    let txn = store.begin().await.unwrap();
    for index in 0..JOBS {
        queue::enqueue(&txn, job(Queue::Scoring, index), at(0)).await.unwrap();
    }
    txn.commit().await.unwrap();

    // Two pools, as two processes have them; four slots each.
    let stores = [store.clone(), database.another_store().await];
    let slots = stores.iter().flat_map(|store| std::iter::repeat_n(store.clone(), 4)).enumerate();
    let taken = join_all(slots.map(|(slot, store)| {
        tokio::spawn(async move {
            let mut taken = Vec::new();
            let worker = format!("w{slot}");
            while let Some(claimed) = queue::claim(store.db(), &Queue::ALL, &worker, at(1)).await.unwrap() {
                complete(&store, &claimed, 2).await.unwrap();
                taken.push(claimed.job.id);
            }
            taken
        })
    }))
    .await;
    let taken: Vec<Vec<_>> = taken.into_iter().map(Result::unwrap).collect();
    let shares: Vec<_> = taken.iter().map(Vec::len).collect();
    assert_eq!(i64::try_from(shares.iter().sum::<usize>()), Ok(JOBS), "each was taken once: {shares:?}");
    assert_eq!(taken.into_iter().flatten().collect::<HashSet<_>>().len() as u64, JOBS.unsigned_abs());
    assert!(shares.iter().filter(|share| **share > 0).count() > 1, "they share the work: {shares:?}");
}

async fn reap(store: &Store, seconds: i64) -> queue::Reaped {
    let txn = store.begin().await.unwrap();
    let reaped = queue::reap(&txn, &[], at(seconds)).await.unwrap();
    txn.commit().await.unwrap();
    reaped
}

async fn a_lost_lease_ends_nothing(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    let slow = claim(store, 0).await.unwrap();
    assert_eq!(reap(store, 15).await.requeued.len(), 0, "the lease is good to the second");
    assert_eq!(reap(store, 16).await.requeued.len(), 1);
    let quick = claim(store, 16).await.unwrap();
    assert_eq!((quick.job.id, quick.job.deliveries, quick.job.attempts), (id, 2, 0));

    let lost = |result: Result<(), StoreError>| matches!(result, Err(StoreError::LeaseLost));
    assert!(lost(complete(store, &slow, 17).await));
    assert!(lost(queue::heartbeat(store.db(), &slow.lease, None, at(17)).await.map(drop)));
    let txn = store.begin().await.unwrap();
    let failure = Failure { message: "late".to_owned(), retryable: false, jitter: 0.0 };
    assert!(lost(queue::fail(&txn, &slow.lease, &failure, at(17)).await.map(drop)));
    assert!(lost(queue::release(&txn, &slow.lease, at(17)).await));
    assert!(lost(queue::end_cancelled(&txn, &slow.lease, at(17)).await));
    txn.commit().await.unwrap();
    assert_eq!(reload(store, id).await.state, JobState::Running);
    complete(store, &quick, 18).await.unwrap();
}

async fn a_job_is_completed_once_with_its_work(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let upload = rows::upload(store, &user).await;
    let run = rows::start(store, campaign.id, upload.id).await.unwrap();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    let first = claim(store, 0).await.unwrap();
    reap(store, 100).await;
    let second = claim(store, 100).await.unwrap();

    let publish = async |claimed: &Claimed| {
        let txn = store.begin().await.unwrap();
        let run = caliber_store::campaigns::publish(&txn, campaign.id, run.id, rows::published(), at(101));
        assert!(run.await.unwrap());
        queue::complete(&txn, &claimed.lease, at(101)).await?;
        txn.commit().await
    };
    assert!(publish(&first).await.is_err());
    assert_eq!(rows::reload(store, campaign.id).await.current_run_id, None, "it was rolled back");
    publish(&second).await.unwrap();
    assert_eq!(rows::reload(store, campaign.id).await.current_run_id, Some(run.id));
    let done = reload(store, id).await;
    assert_eq!((done.state, done.finished_at, done.lease_until), (JobState::Completed, Some(at(101)), None));
    assert!(matches!(complete(store, &second, 102).await, Err(StoreError::LeaseLost)), "it is done");
}

async fn a_heartbeat_renews_and_tells_of_a_cancel(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    let claimed = claim(store, 0).await.unwrap();
    let beat = async |progress: Option<Json>, seconds| {
        queue::heartbeat(store.db(), &claimed.lease, progress, at(seconds)).await.unwrap().cancel_requested
    };
    assert!(!beat(Some(json!({ "step": "scoring" })), 10).await);
    assert!(!beat(None, 12).await);
    let now = reload(store, id).await;
    assert_eq!((now.progress, now.lease_until), (Some(json!({ "step": "scoring" }).into()), Some(at(27))));
    assert_eq!(reap(store, 26).await.requeued.len(), 0);

    let txn = store.begin().await.unwrap();
    assert!(matches!(queue::cancel(&txn, Reach::INSTANCE, id, at(13)).await.unwrap(), Cancel::Asked(_)));
    txn.commit().await.unwrap();
    assert!(beat(None, 14).await);
    let txn = store.begin().await.unwrap();
    queue::end_cancelled(&txn, &claimed.lease, at(15)).await.unwrap();
    txn.commit().await.unwrap();
    assert_eq!(reload(store, id).await.state, JobState::Cancelled);
}

async fn a_failed_job_is_tried_again_later_each_time(database: TestDatabase) {
    let store = database.store();
    let mut new = job(Queue::Scoring, 0);
    new.max_attempts = 100;
    let id = enqueue(store, new).await;
    let mut now = at(0);
    for seconds in [2.5, 5.0, 10.0, 20.0] {
        let claimed = queue::claim(store.db(), &Queue::ALL, "w", now).await.unwrap().unwrap();
        let failure = Failure { message: "no disk".to_owned(), retryable: true, jitter: 0.5 };
        let txn = store.begin().await.unwrap();
        let failed = queue::fail(&txn, &claimed.lease, &failure, now).await.unwrap();
        txn.commit().await.unwrap();
        let due = now + TimeDelta::milliseconds((seconds * 1000.0) as i64);
        assert_eq!(failed, Failed::Retry { at: due });
        let early = due - TimeDelta::microseconds(1);
        assert_eq!(queue::claim(store.db(), &Queue::ALL, "w", early).await.unwrap(), None);
        now = due;
    }
    let job = reload(store, id).await;
    assert_eq!((job.attempts, job.last_error.as_deref()), (4, Some("no disk")));
}

async fn after_three_failures_it_is_a_dead_letter(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    for (now, dead) in [(0, false), (100, false), (200, true)] {
        let claimed = claim(store, now).await.unwrap();
        assert_eq!(fail(store, &claimed, true, now).await == Failed::Dead, dead);
    }
    let job = reload(store, id).await;
    assert_eq!((job.state, job.attempts, job.finished_at), (JobState::Failed, 3, Some(at(200))));
    assert_eq!(claim(store, 10_000).await, None);
}

async fn what_cannot_be_mended_is_dead_at_once(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    let claimed = claim(store, 0).await.unwrap();
    assert_eq!(fail(store, &claimed, false, 1).await, Failed::Dead);
    assert_eq!((reload(store, id).await.attempts, claim(store, 10_000).await), (1, None));
}

async fn a_job_given_back_is_nobodys_failure(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    let claimed = claim(store, 0).await.unwrap();
    let mut alarm = store.wakers().alarm();
    let txn = store.begin().await.unwrap();
    queue::release(&txn, &claimed.lease, at(3)).await.unwrap();
    txn.commit().await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), alarm.wait(Duration::from_mins(10))).await.unwrap();
    let again = claim(store, 3).await.unwrap();
    assert_eq!((again.job.id, again.job.attempts, again.job.started_at), (id, 0, Some(at(0))));
}

async fn what_has_not_begun_is_cancelled_at_once(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    let cancel = async || {
        let txn = store.begin().await.unwrap();
        let cancelled = queue::cancel(&txn, Reach::INSTANCE, id, at(1)).await.unwrap();
        txn.commit().await.unwrap();
        cancelled
    };
    let Cancel::Done(job) = cancel().await else { panic!("it waits") };
    assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(1))));
    assert_eq!(cancel().await, Cancel::Nothing);
    assert_eq!(claim(store, 10).await, None);
}

async fn of_one_key_one_job_is_under_way(database: TestDatabase) {
    let store = database.store();
    let daily = || NewJob { unique_key: Some("daily".to_owned()), ..job(Queue::Scoring, 0) };
    let put = async || {
        let txn = store.begin().await.unwrap();
        let queued = queue::enqueue(&txn, daily(), at(0)).await.unwrap();
        // The transaction goes on whether or not there was one.
        queue::enqueue(&txn, job(Queue::Exports, 0), at(0)).await.unwrap();
        txn.commit().await.unwrap();
        queued
    };
    assert!(put().await);
    assert!(!put().await, "it is queued");
    let claimed = claim(store, 0).await.unwrap();
    assert!(!put().await, "it is running");
    complete(store, &claimed, 1).await.unwrap();
    assert!(put().await, "it is done");
    let exports = Filter { queue: Some(Queue::Exports), state: None };
    let page = jobs::list(store.db(), Reach::INSTANCE, exports, Window::first(1)).await.unwrap();
    assert_eq!(page.total, 4);
}

async fn a_dead_letter_is_queued_again_by_hand(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    let requeue = async || {
        let txn = store.begin().await.unwrap();
        let requeued = queue::requeue_dead(&txn, Reach::INSTANCE, id, at(9)).await.unwrap();
        txn.commit().await.unwrap();
        requeued
    };
    assert!(!requeue().await, "it is not dead");
    let claimed = claim(store, 0).await.unwrap();
    fail(store, &claimed, false, 1).await;
    assert!(requeue().await);
    let again = claim(store, 9).await.unwrap();
    assert_eq!((again.job.attempts, again.job.deliveries, again.job.finished_at), (0, 1, None));
}

async fn the_queues_are_counted(database: TestDatabase) {
    let store = database.store();
    for _ in 0..4 {
        enqueue(store, job(Queue::Scoring, 0)).await;
    }
    let mut later = job(Queue::Exports, 0);
    later.run_at = Some(at(1000));
    enqueue(store, later).await;
    let dead = claim(store, 1).await.unwrap();
    fail(store, &dead, false, 1).await;
    claim(store, 1).await.unwrap();

    let stats = queue::stats(store.db(), at(2)).await.unwrap();
    assert_eq!(stats.iter().map(|stats| stats.queue).collect::<Vec<_>>(), Queue::ALL);
    let scoring = &stats[0];
    assert_eq!((scoring.queued, scoring.running, scoring.dead, scoring.oldest_due), (2, 1, 1, Some(at(0))));
    assert_eq!((stats[1].queued, stats[1].due, stats[1].oldest_due), (1, 0, None), "it is not due");
    assert_eq!((stats[2].queued, stats[2].running), (0, 0));
}

async fn finished_jobs_are_cleared_away_and_dead_letters_kept(database: TestDatabase) {
    let store = database.store();
    for index in 0..4 {
        enqueue(store, job(Queue::Scoring, index)).await;
    }
    let claimed =
        [claim(store, 1).await.unwrap(), claim(store, 1).await.unwrap(), claim(store, 1).await.unwrap()];
    complete(store, &claimed[0], 5).await.unwrap();
    complete(store, &claimed[1], 50).await.unwrap();
    fail(store, &claimed[2], false, 5).await;
    assert_eq!(queue::delete_finished(store.db(), at(10)).await.unwrap(), 1);
    let left = jobs::list(store.db(), Reach::INSTANCE, Filter::default(), Window::first(10)).await.unwrap();
    assert_eq!(left.total, 3);
    let dead = Filter { state: Some(JobState::Failed), queue: None };
    let dead = jobs::list(store.db(), Reach::INSTANCE, dead, Window::first(10)).await.unwrap();
    assert_eq!(dead.rows[0].id, claimed[2].job.id);
}

async fn jobs_are_within_their_organisations_reach(database: TestDatabase) {
    let store = database.store();
    let (ours, theirs) = (rows::organization(store).await, rows::organization(store).await);
    let id = enqueue(store, NewJob { organization_id: Some(ours.id), ..job(Queue::Scoring, 0) }).await;
    let service = enqueue(store, job(Queue::Maintenance, 0)).await;
    let (us, them) = (Reach::organization(ours.id), Reach::organization(theirs.id));
    assert!(jobs::by_id(store.db(), us, id).await.unwrap().is_some());
    assert!(jobs::by_id(store.db(), us, service).await.unwrap().is_none());
    assert!(jobs::by_id(store.db(), them, id).await.unwrap().is_none());
    let total = async |reach| {
        jobs::list(store.db(), reach, Filter::default(), Window::first(10)).await.unwrap().total
    };
    assert_eq!((total(us).await, total(them).await, total(Reach::INSTANCE).await), (1, 0, 2));
    let txn = store.begin().await.unwrap();
    assert_eq!(queue::cancel(&txn, them, id, at(1)).await.unwrap(), Cancel::Nothing);
}
