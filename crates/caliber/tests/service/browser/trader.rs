//! Somebody who has worked with the service for a while: what there is to see on each page.

use std::process::Command;

use serde_json::{Value, json};

use crate::background_exports::{asked, ended};
use crate::client::Client;
use crate::people::{PASSWORD, id_of};
use crate::service::Service;

/// A report that `caliber sample` writes; no two seeds give the same.
pub(super) fn sample(flags: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.csv");
    let mut command = Command::new(env!("CARGO_BIN_EXE_caliber"));
    let done = command.arg("sample").args(flags).arg("--out").arg(&file).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(file).unwrap()
}

/// What stands in the addresses of pages about something.
pub(super) struct Trader {
    pub(super) email: &'static str,
    /// A campaign that was scored twice.
    pub(super) campaign: String,
    /// A campaign without a report.
    pub(super) waiting: String,
    /// The worst name of the first.
    pub(super) name: String,
    /// A report that was not scored yet.
    pub(super) upload: String,
    /// A report that nobody recognises.
    pub(super) strange_upload: String,
    /// A recipe of their own.
    pub(super) recipe: String,
    /// What an invitation is accepted with.
    pub(super) invitation: String,
    /// What a password is set with.
    pub(super) link: String,
}

impl Trader {
    pub(super) fn of(service: &Service) -> Self {
        let email = "ana@example.com";
        let api = registered(service, "Ana Solano", email);
        let campaign = api.campaign("Spring launch");
        let report = display(9000, 300, 7);
        api.upload(&format!("/campaigns/{campaign}/upload"), "spring-launch.csv", &report).data(201);
        score(&api, json!({"campaign_id": campaign}));
        let recipe = id_of(&api.post("/scoring/recipes", recipe()).data(201));
        score(&api, json!({"campaign_id": campaign, "recipe": "attention-first", "force_reprocess": true}));
        lists(&api, &campaign);
        exports(&api, &campaign);
        let logo = br##"<svg xmlns="http://www.w3.org/2000/svg" width="96" height="32"><circle cx="16" cy="16" r="12" fill="#0f766e"/><rect x="36" y="10" width="56" height="12" fill="#334155"/></svg>"##;
        api.send("PUT", "/organizations/current/logo", "image/svg+xml", logo.to_vec()).data(200);
        let autumn = api.campaign("Autumn always-on");
        api.upload(&format!("/campaigns/{autumn}/upload"), "autumn.csv", &display(3000, 90, 8)).data(201);
        score(&api, json!({"campaign_id": autumn}));
        service.member(&api, "analyst", "vera");
        let invited = api.post("/organizations/invitations", json!({"role": "viewer"})).data(201);
        let new = json!({"name": "Display, awareness", "campaign_type": "trade_desk", "goal": "awareness",
            "channel": "display"});
        api.post("/campaigns/templates", new).data(201);
        let file = |name: &str, bytes: &[u8]| id_of(&api.upload("/reports/upload", name, bytes).data(201));
        let strange = String::from_utf8(display(400, 20, 9)).unwrap();
        Self {
            email,
            waiting: api.campaign("Winter test"),
            name: worst(&api, &campaign),
            upload: file("summer-push.csv", &display(2000, 60, 10)),
            strange_upload: file(
                "partner-export.csv",
                renamed(&strange, ",Site,", ",Where it ran,").as_bytes(),
            ),
            recipe,
            invitation: invited["token"].as_str().unwrap().to_owned(),
            link: link_to_set_a_password(service, "vera@example.com"),
            campaign,
        }
    }
}

/// A report of The Trade Desk.
fn display(rows: u32, domains: u32, seed: u32) -> Vec<u8> {
    let [rows, domains, seed] = [rows, domains, seed].map(|number| number.to_string());
    sample(&[
        "--platform",
        "trade_desk",
        "--channel",
        "display",
        "--rows",
        &rows,
        "--domains",
        &domains,
        "--seed",
        &seed,
    ])
}

/// The same report with another header in place of one.
pub(super) fn renamed(report: &str, header: &str, other: &str) -> String {
    assert!(report.contains(header), "the report has no `{header}`");
    report.replacen(header, other, 1)
}

fn recipe() -> Value {
    json!({"name": "attention-first", "platform": "trade_desk", "channel": "display", "goal": "awareness",
        "dimension": "domain", "min_impressions": 100, "metrics": [
            {"metric": "cpm", "weight": 0.3, "better": "lower"},
            {"metric": "ctr", "weight": 0.1, "better": "higher"},
            {"metric": "ias_display_fully_in_view_1s_rate", "weight": 0.6, "better": "higher"}]})
}

/// Two versions of a list, and names by hand.
fn lists(api: &Client, campaign: &str) {
    let list = api.get(&format!("/scoring/blacklist/{campaign}")).data(200);
    let names = &list["domains"];
    let by_hand = json!({"allow": [names[0]], "block": [], "protect": [names[1]]});
    api.put(&format!("/scoring/lists/{campaign}/overrides"), by_hand).data(200);
    api.get(&format!("/scoring/blacklist/{campaign}?share=0.1")).data(200);
}

/// Files that were made in the background.
fn exports(api: &Client, campaign: &str) {
    for body in [
        json!({"campaign_id": campaign, "kind": "results", "format": "xlsx"}),
        json!({"campaign_id": campaign, "kind": "pdf"}),
    ] {
        let export = asked(api, body);
        assert_eq!(ended(api, &export)["status"], "completed");
    }
}

/// Somebody new, with a whole name.
fn registered(service: &Service, name: &str, email: &str) -> Client {
    let new = json!({"email": email, "password": PASSWORD, "name": name});
    service.client().post("/auth/register", new).data(201);
    service.signed_in(email)
}

/// What stands in the one-time link that the command line prints.
fn link_to_set_a_password(service: &Service, email: &str) -> String {
    let printed = service.run(&["user", "reset-password", email, "--json"], "");
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    printed["link"].as_str().unwrap().rsplit('=').next().unwrap().to_owned()
}

/// Scores to the end.
#[expect(clippy::needless_pass_by_value, reason = "it is called with json!")]
fn score(api: &Client, what: Value) {
    let campaign = what["campaign_id"].as_str().unwrap();
    api.post("/scoring/start", what.clone()).data(202);
    assert_eq!(api.settled(campaign)["status"], "completed");
}

fn worst(api: &Client, campaign: &str) -> String {
    let rows = api.get(&format!("/scoring/results/{campaign}?per_page=1&sort_direction=asc")).data(200);
    rows[0]["domain"].as_str().unwrap().to_owned()
}
