//! The commands around the server: settings, migrations, people, the look at every part, the log.

use caliber_store::Backend;
use serde_json::Value;

use crate::client::Client;
use crate::people::PASSWORD;
use crate::service::{Service, eventually, text_of};

crate::on_both_databases! {
    the_schema_goes_up_and_down_and_says_where_it_is,
    a_worker_refuses_a_database_that_is_not_migrated,
    somebody_added_without_a_password_sets_it_by_a_link_that_works_once,
    the_doctor_looks_at_every_part,
}

/// The answer of a command as JSON.
fn answer(service: &Service, arguments: &[&str], input: &str) -> Value {
    let output = service.run(&[arguments, &["--json"]].concat(), input);
    assert!(output.status.success(), "{}", text_of(&*output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn the_schema_goes_up_and_down_and_says_where_it_is(on: Backend) {
    let service = Service::prepared(on, &[]);
    let applied = |arguments: &[&str]| -> Vec<bool> {
        let migrations = answer(&service, arguments, "");
        migrations.as_array().unwrap().iter().map(|it| it["applied"].as_bool().unwrap()).collect()
    };
    let up = applied(&["migrate", "up"]);
    assert!(up.len() >= 3 && up.iter().all(|applied| *applied));
    let all = up.len().to_string();
    assert!(applied(&["migrate", "down", "--steps", &all]).iter().all(|applied| !applied));
    assert!(applied(&["migrate", "status"]).iter().all(|applied| !applied));
    assert_eq!(applied(&["migrate", "up"]), up);
}

fn a_worker_refuses_a_database_that_is_not_migrated(on: Backend) {
    let service = Service::prepared(on, &[]);
    answer(&service, &["migrate", "up"], "");
    answer(&service, &["migrate", "down"], "");
    let output = service.run(&["worker"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text_of(&*output.stderr).contains("caliber migrate up"));
}

fn somebody_added_without_a_password_sets_it_by_a_link_that_works_once(on: Backend) {
    let service = Service::start(on);
    let added = answer(&service, &["user", "add", "ana@example.com", "--role", "admin"], "");
    let link = added["link"].as_str().unwrap();
    let path = &link[link.find("/set-password").unwrap()..];
    let page = service.client().at_root();
    assert!(crate::pages::checked(&page.get(path), 200).contains("<form"));
    let set = |password: &str| crate::pages::post(&page, path, &[("password", password)]);
    assert!(crate::pages::checked(&set("password"), 422).contains("id=\"password-problem\""));
    assert!(crate::pages::checked(&set(PASSWORD), 200).contains("href=\"/sign-in?email=ana%40example.com\""));
    crate::pages::checked(&set("another lantern under the stairs"), 404);
    let administrator: Client = service.signed_in("ana@example.com");
    assert_eq!(administrator.get("/users").body(200)["total"], 1);

    answer(&service, &["user", "set-role", "ana@example.com", "--role", "viewer"], "");
    administrator.get("/users").refused(403, "forbidden");
    assert!(answer(&service, &["user", "reset-password", "ana@example.com"], "")["link"].is_string());
    let nobody = service.run(&["user", "set-role", "ben@example.com", "--role", "viewer"], "");
    assert_eq!(nobody.status.code(), Some(2));
}

fn the_doctor_looks_at_every_part(on: Backend) {
    let service = Service::start(on);
    let findings = answer(&service, &["doctor"], "");
    let parts: Vec<(&str, bool)> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["part"].as_str().unwrap(), finding["ok"].as_bool().unwrap()))
        .collect();
    assert_eq!(parts, [("data", true), ("database", true), ("storage", true)]);
}

#[test]
fn the_doctor_says_what_does_not_answer() {
    let service =
        Service::prepared(Backend::Sqlite, &[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")]);
    let output = service.run(&["doctor"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text_of(&*output.stdout).contains("!!  database"), "{}", text_of(&*output.stdout));
}

#[test]
fn settings_show_values_and_sources_and_no_secret() {
    let secret = "nV3x0PqkS7fYt2WmRz8LdGhJcB5aEuQ1";
    let settings = [
        ("CALIBER_SECRET_KEY", secret),
        ("DATABASE_URL", "postgres://caliber:hunter2@db/caliber"),
        ("CALIBER_WORKER", "2"),
    ];
    let service = Service::prepared(Backend::Sqlite, &settings);
    std::fs::write(service.folder().join("caliber.toml"), "max_upload = \"7MB\"\n").unwrap();
    let output = service.run(&["settings", "--json"], "");
    let (shown, told) = (text_of(&*output.stdout), text_of(&*output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(!shown.contains(secret) && !shown.contains("hunter2"), "{shown}");
    assert!(told.contains("CALIBER_WORKERS"), "the nearest name is told: {told}");
    let found: Value = serde_json::from_str(&shown).unwrap();
    let of = |name: &str| found.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone();
    assert_eq!(of("CALIBER_MAX_UPLOAD")["value"], "7MB");
    assert_eq!(of("CALIBER_MAX_UPLOAD")["source"], "caliber.toml");
    assert_eq!(of("DATABASE_URL")["source"], "environment");
    assert_eq!(of("CALIBER_DATA")["source"], "flag");
    assert_eq!(of("CALIBER_BIND")["source"], "default");
}

#[test]
fn production_refuses_to_start_without_a_secret_and_says_why() {
    let service = Service::prepared(Backend::Sqlite, &[("CALIBER_ENVIRONMENT", "production")]);
    let output = service.run(&["serve", "--bind", "127.0.0.1:0"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text_of(&*output.stderr).contains("CALIBER_SECRET_KEY is not set"));
}

#[test]
fn the_log_is_json_a_line_with_the_id_of_the_request_and_goes_to_a_folder() {
    let service = Service::with(Backend::Sqlite, &[("CALIBER_LOG_DIR", "logs")]);
    service.client().at_root().with("x-request-id", "from-the-test").get("/health").data(200);
    let line = eventually("the request is logged", || {
        let log = std::fs::read_to_string(service.folder().join("logs/caliber.log")).ok()?;
        log.lines().find(|line| line.contains("from-the-test")).map(str::to_owned)
    });
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["status"], 200);
    assert_eq!(line["span"]["path"], "/health");
    assert!(service.folder().join("logs/errors.log").exists());
}
