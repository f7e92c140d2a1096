//! Jobs over their whole life: tried again, given up, ended by their limits, and what is cleared away when.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use caliber_platform::campaigns::{
    AnalysisLevel, Campaign, CampaignId, CampaignStatus, Channel, Goal, Settings, SettingsFrom,
};
use caliber_platform::exports::{Asked, ExportId, ExportStatus, ListFormat};
use caliber_platform::identity::Caller;
use caliber_platform::jobs::{self, Filter, Job, JobState, WorkerOptions};
use caliber_platform::lists::ListOptions;
use caliber_platform::results::ListType;
use caliber_platform::scoring::StartOptions;
use caliber_platform::{Clock, Error, Parts, Platform, Queue, Window};
use caliber_store::objects::Objects;
use caliber_testing::s3::{BUCKET, S3Server};
use caliber_testing::{TestDatabase, on_both_databases};
use futures_util::stream;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use self::parts::parts;

#[path = "../parts/mod.rs"]
mod parts;

on_both_databases!(
    what_fails_on_our_side_is_tried_three_times_then_kept_as_a_dead_letter,
    a_report_that_cannot_be_scored_is_not_tried_again,
    a_job_that_takes_too_long_is_ended,
    a_job_that_does_not_end_when_told_is_given_up_and_publishes_nothing,
    what_nobody_needs_is_cleared_away_in_its_time,
    bytes_without_a_row_are_swept_and_others_stay,
    a_bucket_is_swept_as_a_folder_is,
    an_export_is_kept_for_a_day,
    an_export_that_nobody_can_make_says_so_and_goes,
);

/// A platform with a database, a folder and a clock of its own.
struct Fixture {
    platform: Platform,
    clock: Clock,
    caller: Caller,
    folder: TempDir,
    _database: TestDatabase,
}

impl Fixture {
    async fn new(database: TestDatabase) -> Self {
        let folder = TempDir::with_prefix("caliber-jobs-").unwrap();
        let objects = Objects::open(folder.path().join("files").to_str().unwrap()).unwrap();
        Self::storing(database, objects, folder).await
    }

    /// With files kept elsewhere.
    async fn storing(database: TestDatabase, objects: Objects, folder: TempDir) -> Self {
        let clock = Clock::default();
        let platform = Platform::new(Parts { threads: 2, ..parts(&database, objects, &clock) });
        let password = "brass lantern under the stairs";
        let user = platform.identity().register("ana@example.com", password, "Ana").await.unwrap();
        let caller = Caller { user, session: None };
        Self { platform, clock, caller, folder, _database: database }
    }

    async fn campaign(&self) -> CampaignId {
        let settings = Settings {
            campaign_type: "trade_desk".into(),
            goal: Goal::Awareness,
            channel: Channel::Display,
            ctr_sensitivity: false,
            analysis_level: AnalysisLevel::Domain,
        };
        let settings = SettingsFrom::Call(settings);
        self.platform.campaigns().create(&self.caller, "Spring", settings).await.unwrap().campaign.id
    }

    /// Gives the campaign a report; where its bytes are stored.
    async fn upload(&self, campaign: CampaignId, report: &[u8]) -> String {
        let bytes = stream::iter([io::Result::Ok(Bytes::copy_from_slice(report))]);
        let uploads = self.platform.uploads();
        uploads.receive_for(&self.caller, campaign, "report.csv", bytes).await.unwrap().storage_key
    }

    async fn start(&self, campaign: CampaignId) {
        self.platform.scoring().start(&self.caller, campaign, StartOptions::default()).await.unwrap();
    }

    fn options(&self) -> WorkerOptions {
        WorkerOptions::new(vec![Queue::Scoring], 1, self.folder.path().join("workers"))
    }

    /// A worker until the campaign is no longer being scored; time passes quickly.
    async fn work(&self, options: WorkerOptions, campaign: CampaignId) -> Campaign {
        let stop = CancellationToken::new();
        let worker = tokio::spawn(jobs::run(self.platform.clone(), options, stop.clone()));
        let until = Instant::now() + Duration::from_secs(20);
        let campaign = loop {
            let found = self.platform.campaigns().get(&self.caller, campaign).await.unwrap().campaign;
            if found.status != CampaignStatus::Processing {
                break found;
            }
            assert!(Instant::now() < until, "{found:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            // Sooner than in real time is the next attempt due.
            self.clock.advance(Duration::from_millis(200));
        };
        stop.cancel();
        worker.await.unwrap().unwrap();
        campaign
    }

    async fn job(&self) -> Job {
        let filter = Filter { queue: Some(Queue::Scoring), state: None };
        let mut page = self.platform.jobs().list(&self.caller, filter, Window::first(10)).await.unwrap();
        assert_eq!(page.total, 1);
        page.rows.remove(0)
    }

    async fn is_stored(&self, key: &str) -> bool {
        self.platform.objects().info(key).await.unwrap().is_some()
    }
}

fn report() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../caliber-engine/tests/fixtures/ttd_display.csv");
    std::fs::read(path).unwrap()
}

const DAY: Duration = Duration::from_hours(24);

async fn what_fails_on_our_side_is_tried_three_times_then_kept_as_a_dead_letter(database: TestDatabase) {
    let fixture = Fixture::new(database).await;
    let campaign = fixture.campaign().await;
    let key = fixture.upload(campaign, &report()).await;
    fixture.platform.objects().delete(&key).await.unwrap();
    fixture.start(campaign).await;
    let ended = fixture.work(fixture.options(), campaign).await;
    assert_eq!(ended.status, CampaignStatus::Failed);
    assert!(ended.error_message.unwrap().contains("on our side"));
    let job = fixture.job().await;
    assert_eq!((job.state, job.attempts, job.deliveries), (JobState::Failed, 3, 3));
    assert!(job.last_error.unwrap().contains("went wrong on our side: "), "a dead letter says why");
}

async fn a_report_that_cannot_be_scored_is_not_tried_again(database: TestDatabase) {
    let fixture = Fixture::new(database).await;
    let campaign = fixture.campaign().await;
    fixture.upload(campaign, b"Site,Impressions\nnews.example,1000\n").await;
    fixture.start(campaign).await;
    let ended = fixture.work(fixture.options(), campaign).await;
    assert_eq!(ended.status, CampaignStatus::Failed);
    let job = fixture.job().await;
    assert_eq!((job.state, job.attempts, job.deliveries), (JobState::Failed, 1, 1));
    assert_eq!(job.last_error, ended.error_message);
}

async fn a_job_that_takes_too_long_is_ended(database: TestDatabase) {
    let fixture = Fixture::new(database).await;
    let campaign = fixture.campaign().await;
    let report = String::from_utf8(report()).unwrap();
    let (header, rows) = report.split_once('\n').unwrap();
    let long = format!("{header}\n{}", format!("{}\n", rows.trim_end()).repeat(60));
    fixture.upload(campaign, long.as_bytes()).await;
    fixture.start(campaign).await;
    let options = WorkerOptions { soft_limit: Duration::ZERO, hard_limit: DAY, ..fixture.options() };
    let ended = fixture.work(options, campaign).await;
    assert_eq!(ended.status, CampaignStatus::Failed);
    assert!(ended.error_message.unwrap().contains("more than 0 minutes"));
}

async fn a_job_that_does_not_end_when_told_is_given_up_and_publishes_nothing(database: TestDatabase) {
    let fixture = Fixture::new(database).await;
    let campaign = fixture.campaign().await;
    fixture.upload(campaign, &report()).await;
    fixture.start(campaign).await;
    let options = WorkerOptions { soft_limit: DAY, hard_limit: Duration::ZERO, ..fixture.options() };
    let ended = fixture.work(options, campaign).await;
    assert_eq!((ended.status, ended.current_run_id), (CampaignStatus::Failed, None));
    assert_eq!(fixture.job().await.state, JobState::Failed);
    // The thread goes on to its end meanwhile.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let later = fixture.platform.campaigns().get(&fixture.caller, campaign).await.unwrap().campaign;
    assert_eq!((later.status, later.current_run_id), (CampaignStatus::Failed, None));
}

async fn what_nobody_needs_is_cleared_away_in_its_time(database: TestDatabase) {
    let fixture = Fixture::new(database).await;
    let uploads = fixture.platform.uploads();
    let bytes = stream::iter([io::Result::Ok(Bytes::from(report()))]);
    let alone = uploads.receive(&fixture.caller, "report.csv", bytes).await.unwrap();
    let campaign = fixture.campaign().await;
    let assigned = fixture.upload(campaign, &report()).await;

    fixture.clock.advance(29 * DAY);
    fixture.platform.jobs().clear_away().await.unwrap();
    assert!(fixture.is_stored(&alone.storage_key).await);

    fixture.clock.advance(2 * DAY);
    fixture.platform.jobs().clear_away().await.unwrap();
    assert!(!fixture.is_stored(&alone.storage_key).await);
    let gone = uploads.get(&fixture.caller, alone.id).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    assert!(fixture.is_stored(&assigned).await);
}

async fn bytes_without_a_row_are_swept_and_others_stay(database: TestDatabase) {
    is_swept(&Fixture::new(database).await).await;
}

async fn a_bucket_is_swept_as_a_folder_is(database: TestDatabase) {
    let server = S3Server::start();
    let bucket = Objects::open_with(&format!("s3://{BUCKET}/caliber"), server.environment()).unwrap();
    let folder = TempDir::with_prefix("caliber-jobs-").unwrap();
    let fixture = Fixture::storing(database, bucket, folder).await;
    is_swept(&fixture).await;
    let keys = server.keys();
    assert!(keys.len() >= 2 && keys.iter().all(|key| key.starts_with("caliber/")), "{keys:?}");
}

async fn is_swept(fixture: &Fixture) {
    let campaign = fixture.campaign().await;
    let report_key = fixture.upload(campaign, &report()).await;
    fixture.start(campaign).await;
    let ended = fixture.work(fixture.options(), campaign).await;
    let run = ended.current_run_id.unwrap();
    let kept = [report_key, format!("campaigns/{campaign}/{run}/results.parquet")];
    let objects = fixture.platform.objects();
    let left_behind = [
        "uploads/01a1fd13-3905-7e0b-82e6-ba3b9fbba0ed/01a1fd13-3905-7e0b-82e6-ba3b9fbba0ee".to_owned(),
        format!("campaigns/{campaign}/01a1fd13-3905-7e0b-82e6-ba3b9fbba0ed/results.parquet"),
        format!("campaigns/{campaign}/lists/01a1fd13-3905-7e0b-82e6-ba3b9fbba0ed.json"),
    ];
    for key in &left_behind {
        objects.put_bytes(key, Bytes::from_static(b"left by a crash")).await.unwrap();
    }
    // It may be an upload that is still coming in.
    fixture.platform.jobs().clear_away().await.unwrap();
    assert!(fixture.is_stored(&left_behind[0]).await);

    fixture.clock.advance(DAY);
    fixture.platform.jobs().clear_away().await.unwrap();
    for key in &left_behind {
        assert!(!fixture.is_stored(key).await, "{key}");
    }
    for key in &kept {
        assert!(fixture.is_stored(key).await, "{key}");
    }
}

impl Fixture {
    /// A campaign that is scored.
    async fn scored(&self) -> CampaignId {
        let campaign = self.campaign().await;
        self.upload(campaign, &report()).await;
        self.start(campaign).await;
        self.work(self.options(), campaign).await;
        campaign
    }

    /// A worker until the export is no longer under way; time passes quickly where it is to be tried again.
    async fn make(&self, export: ExportId, at_a_time: Duration) -> ExportStatus {
        let stop = CancellationToken::new();
        let options = WorkerOptions::new(vec![Queue::Exports], 1, self.folder.path().join("workers"));
        let worker = tokio::spawn(jobs::run(self.platform.clone(), options, stop.clone()));
        let until = Instant::now() + Duration::from_secs(20);
        let status = loop {
            let found = self.platform.exports().get(&self.caller, export).await.unwrap();
            if !matches!(found.status, ExportStatus::Pending | ExportStatus::Processing) {
                break found.status;
            }
            assert!(Instant::now() < until, "{found:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.clock.advance(at_a_time);
        };
        stop.cancel();
        worker.await.unwrap().unwrap();
        status
    }
}

async fn an_export_is_kept_for_a_day(database: TestDatabase) {
    let fixture = Fixture::new(database).await;
    let campaign = fixture.scored().await;
    let exports = fixture.platform.exports();
    let asked = Asked::List {
        list_type: ListType::Blacklist,
        format: ListFormat::Csv,
        options: ListOptions::default(),
    };
    let export = exports.start(&fixture.caller, campaign, asked.clone()).await.unwrap().id;
    let waiting = exports.start(&fixture.caller, campaign, asked).await.unwrap().id;
    assert_eq!(fixture.make(export, Duration::ZERO).await, ExportStatus::Completed);
    assert_eq!(fixture.make(waiting, Duration::ZERO).await, ExportStatus::Completed);
    let key = format!("campaigns/{campaign}/exports/{export}");
    let stray = format!("campaigns/{campaign}/exports/01a1fd13-3905-7e0b-82e6-ba3b9fbba0ed");
    fixture.platform.objects().put_bytes(&stray, Bytes::from_static(b"left by a crash")).await.unwrap();
    let (versions, first) = {
        let page =
            fixture.platform.lists().versions(&fixture.caller, campaign, Window::first(10)).await.unwrap();
        (page.total, page.rows[0].author_id)
    };
    assert_eq!((versions, first), (1, Some(fixture.caller.user.id)), "a list that is exported is taken out");

    fixture.clock.advance(23 * DAY / 24);
    fixture.platform.jobs().clear_away().await.unwrap();
    assert!(fixture.is_stored(&key).await && !fixture.is_stored(&stray).await);
    exports.fetch(&fixture.caller, export).await.unwrap();

    fixture.clock.advance(DAY / 24);
    let gone = exports.get(&fixture.caller, export).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "before it is cleared away too: {gone:?}");
    fixture.platform.jobs().clear_away().await.unwrap();
    assert!(!fixture.is_stored(&key).await);
}

async fn an_export_that_nobody_can_make_says_so_and_goes(database: TestDatabase) {
    let fixture = Fixture::new(database).await;
    let campaign = fixture.scored().await;
    let run =
        fixture.platform.campaigns().get(&fixture.caller, campaign).await.unwrap().campaign.current_run_id;
    let results = format!("campaigns/{campaign}/{}/results.parquet", run.unwrap());
    fixture.platform.objects().delete(&results).await.unwrap();
    let exports = fixture.platform.exports();
    let asked = Asked::Lists { options: ListOptions::default() };
    let export = exports.start(&fixture.caller, campaign, asked).await.unwrap().id;
    // While it waits it stays, however long.
    fixture.clock.advance(3 * DAY);
    fixture.platform.jobs().clear_away().await.unwrap();
    assert_eq!(exports.get(&fixture.caller, export).await.unwrap().status, ExportStatus::Pending);
    assert_eq!(fixture.make(export, Duration::from_millis(200)).await, ExportStatus::Failed);
    let failed = exports.get(&fixture.caller, export).await.unwrap();
    assert!(failed.error_message.unwrap().contains("on our side"));
    let fetched = exports.fetch(&fixture.caller, export).await;
    assert!(matches!(fetched, Err(Error::Conflict { .. })), "{fetched:?}");
    fixture.platform.jobs().clear_away().await.unwrap();
    let gone = exports.get(&fixture.caller, export).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}
