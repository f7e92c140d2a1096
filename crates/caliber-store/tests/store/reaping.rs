//! Workers that die, and what becomes of their jobs.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use caliber_store::Store;
use caliber_store::jobs::{JobState, Queue};
use caliber_store::queue::{self, DELIVERIES_MAX, Presence, Reaped};
use caliber_testing::{TestDatabase, on_both_databases};
use tempfile::TempDir;

use super::queue::{claim, enqueue, job, reload};
use super::rows::at;

on_both_databases!(a_dead_processes_jobs_come_back_at_once, a_job_that_kills_its_workers_is_given_up,);

/// Under this name the test's own program is a worker that shows it lives, and nothing else.
const FOLDER: &str = "CALIBER_TEST_PRESENCE";

async fn reap(store: &Store, dead: &[String], seconds: i64) -> Reaped {
    let txn = store.begin().await.unwrap();
    let reaped = queue::reap(&txn, dead, at(seconds)).await.unwrap();
    txn.commit().await.unwrap();
    reaped
}

fn process_with_presence(folder: &TempDir) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "reaping::a_worker_shows_that_it_lives"]).env(FOLDER, folder.path());
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let sign = folder.path().join("killed.lock");
    let until = Instant::now() + Duration::from_mins(1);
    while !sign.exists() {
        assert!(Instant::now() < until, "the worker's process shows no sign");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_worker_shows_that_it_lives() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        let folder = TempDir::new().unwrap();
        let presence = Presence::show(folder.path(), "w-1").unwrap();
        assert!(queue::dead_workers(folder.path()).unwrap().names.is_empty());
        drop(presence);
        assert!(queue::dead_workers(folder.path()).unwrap().names.is_empty(), "it ended in order");
        assert!(queue::dead_workers(&folder.path().join("none")).unwrap().names.is_empty());
        assert!(Presence::show(folder.path(), "../w").is_err());
        assert!(Presence::show(folder.path(), "").is_err());
        return;
    };
    let _presence = Presence::show(folder.as_ref(), "killed").unwrap();
    // Until it is killed, or whoever started it gave up long ago.
    std::thread::sleep(Duration::from_mins(2));
}

async fn a_dead_processes_jobs_come_back_at_once(database: TestDatabase) {
    let store = database.store();
    let folder = TempDir::new().unwrap();
    let living = Presence::show(folder.path(), "living").unwrap();
    let mut process = process_with_presence(&folder);
    let (theirs, ours) =
        (enqueue(store, job(Queue::Scoring, 0)).await, enqueue(store, job(Queue::Scoring, 1)).await);
    for worker in ["killed", "living"] {
        queue::claim(store.db(), &Queue::ALL, worker, at(0)).await.unwrap().unwrap();
    }
    assert!(queue::dead_workers(folder.path()).unwrap().names.is_empty(), "both live");
    process.kill().unwrap();
    process.wait().unwrap();

    let dead = queue::dead_workers(folder.path()).unwrap();
    assert_eq!(dead.names, ["killed"]);
    assert!(queue::dead_workers(folder.path()).unwrap().names.is_empty(), "one reaper at a time");
    let reaped = reap(store, &dead.names, 1).await;
    dead.forget();
    assert_eq!(reaped.requeued.iter().map(|job| job.id).collect::<Vec<_>>(), [theirs]);
    assert!(queue::dead_workers(folder.path()).unwrap().names.is_empty(), "it is settled");
    assert_eq!(reload(store, ours).await.state, JobState::Running);
    let again = claim(store, 1).await.unwrap();
    assert_eq!((again.job.id, again.job.attempts, again.job.deliveries), (theirs, 0, 2));
    drop(living);
}

async fn a_job_that_kills_its_workers_is_given_up(database: TestDatabase) {
    let store = database.store();
    let id = enqueue(store, job(Queue::Scoring, 0)).await;
    for delivery in 1..=i64::from(DELIVERIES_MAX) {
        claim(store, delivery * 100).await.unwrap();
        let reaped = reap(store, &[], delivery * 100 + 16).await;
        let last = delivery == i64::from(DELIVERIES_MAX);
        assert_eq!((reaped.requeued.len(), reaped.dead.len()), if last { (0, 1) } else { (1, 0) });
    }
    let job = reload(store, id).await;
    assert_eq!((job.state, job.attempts, job.deliveries), (JobState::Failed, 0, DELIVERIES_MAX));
    assert!(job.last_error.unwrap().contains("25 workers"));
}
