//! The service with its files in a bucket, of a server that speaks S3.

use caliber_store::Backend;
use caliber_testing::s3::{BUCKET, S3Server};
use serde_json::json;

use crate::background_exports::{asked, ended};
use crate::people::{long_report, report};
use crate::service::{Service, eventually};

crate::on_both_databases! {
    a_campaign_lives_and_goes_in_a_bucket,
    a_bucket_that_does_not_answer_is_told_and_used_again,
}

/// A service that keeps its files in the bucket.
fn storing(on: Backend, server: &S3Server) -> Service {
    let mut service = prepared(on, server);
    service.start_again();
    service
}

fn prepared(on: Backend, server: &S3Server) -> Service {
    let mut service = Service::prepared(on, &[("CALIBER_STORAGE", &format!("s3://{BUCKET}/team/files"))]);
    for (name, value) in server.environment() {
        service.set(&name, &value);
    }
    service
}

fn a_campaign_lives_and_goes_in_a_bucket(on: Backend) {
    let server = S3Server::start();
    let service = storing(on, &server);
    let ana = service.manager("ana");
    // Of more than one part of an upload.
    let large = long_report(200_000);
    assert!(large.len() > 6 << 20, "{} bytes", large.len());
    let campaign = ana.scored(&large);
    let results = ana.get(&format!("/scoring/results/{campaign}?per_page=3")).data(200);
    assert_eq!(results.as_array().unwrap().len(), 3);
    let blacklist = ana.get(&format!("/scoring/blacklist/{campaign}")).data(200);
    assert!(blacklist["domains"].as_array().unwrap().len() > 10_000);
    let csv = ana.get(&format!("/reports/export/campaigns/{campaign}/results/csv"));
    assert_eq!((csv.status, csv.text().lines().count()), (200, 200_001));
    let export = asked(&ana, json!({"campaign_id": campaign, "kind": "results", "format": "parquet"}));
    assert_eq!(ended(&ana, &export)["status"], "completed");
    let made = ana.get(&format!("/reports/exports/{export}/download"));
    assert_eq!((made.status, &made.bytes[..4]), (200, &b"PAR1"[..]));
    let small = ana.scored(&report());
    let detailed = ana.at_root().get("/health/detailed").data(200);
    assert_eq!(
        (&detailed["storage"]["status"], &detailed["storage"]["kind"]),
        (&json!("healthy"), &json!("s3"))
    );

    let keys = server.keys();
    assert!(keys.iter().all(|key| key.starts_with("team/files/")), "{keys:?}");
    assert!(keys.iter().any(|key| key.contains(&format!("campaigns/{campaign}/"))), "{keys:?}");
    assert_eq!(service.stored_files(), 0, "nothing is kept on the machine");
    ana.delete(&format!("/campaigns/{campaign}?force=true")).body(200);
    let of_small = |key: &String| key.contains(&format!("campaigns/{small}/")) || key.contains("/uploads/");
    eventually("what belonged to it is gone", || server.keys().iter().all(of_small).then_some(()));
    ana.delete(&format!("/campaigns/{small}?force=true")).body(200);
    eventually("nothing is left", || server.keys().is_empty().then_some(()));
}

fn a_bucket_that_does_not_answer_is_told_and_used_again(on: Backend) {
    let mut server = S3Server::start();
    let service = storing(on, &server);
    let ana = service.manager("ana");
    let campaign = ana.campaign("Spring");
    server.stop();
    let upload = || ana.upload(&format!("/campaigns/{campaign}/upload"), "report.csv", &report());
    let told = upload().refused(503, "unavailable");
    assert!(told["message"].as_str().unwrap().contains("the storage of files does not answer"), "{told}");
    assert_eq!(ana.at_root().get("/health/detailed").json()["data"]["storage"]["status"], "unhealthy");
    server.start_again();
    upload().data(201);
}

#[test]
fn doctor_says_what_is_wrong_with_a_bucket() {
    let mut server = S3Server::start();
    let mut service = prepared(Backend::Sqlite, &server);
    let said = service.run(&["doctor"], "");
    assert!(said.status.success(), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stdout).contains("takes and gives files"), "{said:?}");
    let refused = |service: &Service, word: &str| {
        let said = service.run(&["doctor"], "");
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(1), "{told}");
        assert!(told.contains("storage: ") && told.contains(word), "{told}");
        assert!(!told.contains("wrong-secret"), "{told}");
    };
    service.set("CALIBER_STORAGE", "s3://another-bucket/files");
    refused(&service, "there is no such bucket");
    service.set("CALIBER_STORAGE", &format!("s3://{BUCKET}/files"));
    service.set("AWS_SECRET_ACCESS_KEY", "wrong-secret");
    refused(&service, "AWS_SECRET_ACCESS_KEY");
    for (name, value) in server.environment() {
        service.set(&name, &value);
    }
    server.stop();
    refused(&service, "the storage of files failed");
}
