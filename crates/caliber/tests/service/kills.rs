//! What is started ends once, whatever dies meanwhile.
//!
//! The moments of the kills come from a seed. `cargo xtask soak kills` does the same with many more of them
//! (`CALIBER_TEST_KILLS`, `CALIBER_TEST_SEED`).

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use caliber_store::Backend;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::client::Client;
use crate::people::report;
use crate::service::{Service, eventually};

on_both_databases!(
    every_start_ends_in_one_published_run_whatever_is_killed,
    a_server_that_is_told_to_stop_gives_its_work_back,
);

/// A worker apart from the server; killed with this value.
pub(crate) struct Worker(Child);

impl Worker {
    /// Starts one on the data of a service; its log goes to `log`.
    pub(crate) fn of(service: &Service, log: Stdio) -> Self {
        let mut command: Command = service.command(&["worker"]);
        Self(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// The fixture's rows many times over, so that scoring takes long enough to be killed in the middle.
fn long_report() -> Vec<u8> {
    let report = String::from_utf8(report()).unwrap();
    let (header, rows) = report.split_once('\n').unwrap();
    let rows = format!("{}\n", rows.trim_end());
    let times = 120_000 / rows.lines().count();
    format!("{header}\n{}", rows.repeat(times)).into_bytes()
}

fn start(client: &Client, campaign: &str) -> String {
    let started = client.post("/scoring/start", json!({"campaign_id": campaign})).data(202);
    started["run_id"].as_str().unwrap().to_owned()
}

/// The results, as far as they do not name the run.
fn results(client: &Client, campaign: &str) -> Value {
    client.get(&format!("/scoring/results/{campaign}?per_page=100")).body(200)["data"].take()
}

/// The run that a campaign shows.
fn shown(client: &Client, campaign: &str) -> String {
    let summary = client.get(&format!("/scoring/summary/{campaign}")).data(200);
    summary["run_id"].as_str().unwrap().to_owned()
}

/// The one job of a campaign, once it has ended.
fn ended_job(client: &Client, campaign: &str) -> Value {
    eventually("the job has ended", || {
        let jobs = client.get("/jobs?per_page=100").body(200)["data"].take();
        let mut jobs: Vec<Value> =
            jobs.as_array().unwrap().iter().filter(|job| job["campaign_id"] == campaign).cloned().collect();
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        let job = jobs.remove(0);
        (job["status"] != "queued" && job["status"] != "running").then_some(job)
    })
}

fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

fn every_start_ends_in_one_published_run_whatever_is_killed(on: Backend) {
    let kills = from_environment("CALIBER_TEST_KILLS", 5);
    let mut random = ChaCha8Rng::seed_from_u64(from_environment("CALIBER_TEST_SEED", 1));
    let report = long_report();
    let mut service = Service::with(on, &[("CALIBER_WORKERS", "1")]);
    let client = service.manager("ana");
    let undisturbed = client.campaign_with(&report);
    let begun = Instant::now();
    start(&client, &undisturbed);
    assert_eq!(client.settled(&undisturbed)["status"], "completed");
    let usual = begun.elapsed();
    let expected = results(&client, &undisturbed);
    assert!(!expected.as_array().unwrap().is_empty());

    let token = client;
    let mut worker = Worker::of(&service, Stdio::null());
    let (mut servers, mut workers, mut redelivered) = (0, 0, 0);
    for kill in 0..kills {
        let client = token.to(service.address());
        let campaign = client.campaign_with(&report);
        let run = start(&client, &campaign);
        // The moment is the point of the test, so it is not waited for.
        std::thread::sleep(usual.mul_f64(random.random_range(0.0..1.0)));
        if random.random_bool(0.5) {
            service.kill();
            service.start_again();
            servers += 1;
        } else {
            drop(worker);
            worker = Worker::of(&service, Stdio::null());
            workers += 1;
        }
        let client = token.to(service.address());
        let settled = client.settled(&campaign);
        assert_eq!(settled["status"], "completed", "kill {kill}: {settled}");
        assert_eq!(shown(&client, &campaign), run, "kill {kill}");
        assert_eq!(results(&client, &campaign), expected, "kill {kill}");
        let job = ended_job(&client, &campaign);
        assert_eq!(job["status"], "completed", "kill {kill}: {job}");
        assert_eq!(job["attempts"], 0, "kill {kill}: a dead worker is no failure of the job: {job}");
        redelivered += u64::from(job["deliveries"].as_u64().unwrap() > 1);
    }
    eprintln!(
        "{kills} kills: {servers} of the server, {workers} of the worker; {redelivered} jobs were delivered again"
    );
}

fn a_server_that_is_told_to_stop_gives_its_work_back(on: Backend) {
    let mut service = Service::with(on, &[("CALIBER_WORKERS", "1")]);
    let client = service.manager("ana");
    let campaign = client.campaign_with(&long_report());
    let run = start(&client, &campaign);
    let ended = service.stop();
    assert!(ended.success(), "{ended:?}");
    service.start_again();
    let client = client.to(service.address());
    assert_eq!(client.settled(&campaign)["status"], "completed");
    assert_eq!(shown(&client, &campaign), run);
    assert_eq!(ended_job(&client, &campaign)["attempts"], 0);
}

#[test]
fn two_workers_on_one_postgres_share_the_work_and_never_a_job() {
    let service = Service::with(Backend::Postgres, &[("CALIBER_WORKERS", "0")]);
    let client = service.manager("ana");
    let report = long_report();
    let campaigns: Vec<String> = (0..6).map(|_| client.campaign_with(&report)).collect();
    for campaign in &campaigns {
        start(&client, campaign);
    }
    // The server leaves its jobs to the workers.
    let waiting = client.get("/jobs?status=queued&queue=scoring").body(200)["total"].take();
    assert_eq!(waiting, 6);

    let logs = ["one.log", "two.log"].map(|name| service.folder().join(name));
    let _workers = logs.each_ref().map(|log| Worker::of(&service, File::create(log).unwrap().into()));
    for campaign in &campaigns {
        assert_eq!(client.settled(campaign)["status"], "completed");
        let job = ended_job(&client, campaign);
        assert_eq!((&job["status"], &job["deliveries"]), (&json!("completed"), &json!(1)), "{job}");
    }
    let begun = logs.map(|log| {
        let text = std::fs::read_to_string(log).unwrap();
        text.lines().filter(|line| line.contains("\"begun\"") && line.contains("score_campaign")).count()
    });
    assert_eq!(begun.iter().sum::<usize>(), 6, "{begun:?}");
    assert!(begun.iter().all(|jobs| *jobs > 0), "one worker did all: {begun:?}");
}
