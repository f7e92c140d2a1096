//! People who use the service, and what they have.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::client::Client;
use crate::service::{Service, eventually};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "brass lantern under the stairs";

impl Service {
    /// Somebody new, who is the manager of an organisation of their own.
    pub(crate) fn manager(&self, name: &str) -> Client {
        let email = format!("{name}@example.com");
        let new = json!({"email": email, "password": PASSWORD, "name": name});
        self.client().post("/auth/register", new).data(201);
        self.signed_in(&email)
    }

    /// An administrator of the instance, made on the command line.
    pub(crate) fn administrator(&self) -> Client {
        let added = self.run(&["user", "add", "root@example.com", "--role", "admin"], PASSWORD);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        self.signed_in("root@example.com")
    }

    /// Somebody new, whom a manager invited.
    pub(crate) fn member(&self, manager: &Client, role: &str, name: &str) -> Client {
        let link = manager.post("/organizations/invitations", json!({"role": role})).data(201);
        let member = self.manager(name);
        member.post("/organizations/invitations/accept", json!({"token": link["token"]})).data(200);
        member
    }

    /// A client with an access token.
    pub(crate) fn signed_in(&self, email: &str) -> Client {
        let session = self.sign_in(email, PASSWORD);
        self.client().bearing(session["access_token"].as_str().unwrap())
    }

    /// A new session.
    pub(crate) fn sign_in(&self, email: &str, password: &str) -> Value {
        self.client().post("/auth/login", json!({"email": email, "password": password})).data(200)
    }
}

impl Client {
    /// A campaign for reports as [`report`] makes them; its id.
    pub(crate) fn campaign(&self, name: &str) -> String {
        let new =
            json!({"name": name, "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"});
        id_of(&self.post("/campaigns", new).data(201))
    }

    /// A campaign with a report; its id.
    pub(crate) fn campaign_with(&self, report: &[u8]) -> String {
        let id = self.campaign("Spring launch");
        self.upload(&format!("/campaigns/{id}/upload"), "report.csv", report).data(201);
        id
    }

    /// A campaign that is scored; its id.
    pub(crate) fn scored(&self, report: &[u8]) -> String {
        let id = self.campaign_with(report);
        self.post("/scoring/start", json!({"campaign_id": id})).data(202);
        assert_eq!(self.settled(&id)["status"], "completed", "{}", self.settled(&id));
        id
    }

    /// The campaign, once it is no longer being scored.
    pub(crate) fn settled(&self, campaign: &str) -> Value {
        eventually("the campaign is scored", || {
            let campaign = self.get(&format!("/campaigns/{campaign}")).data(200);
            (campaign["status"] != "processing").then_some(campaign)
        })
    }
}

pub(crate) fn id_of(object: &Value) -> String {
    object["id"].as_str().expect("an object with an id").to_owned()
}

/// A file beside the tests of the engine.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/../caliber-engine/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A report of The Trade Desk, awareness on display.
pub(crate) fn report() -> Vec<u8> {
    fixture("ttd_display.csv")
}

/// A report of so many sites.
pub(crate) fn long_report(sites: usize) -> Vec<u8> {
    let mut text = String::from(
        "Site,Impressions,Advertiser Cost,Clicks,IAS Display Fully In View 1 Second Rate,\
         Ad Load - XL (Excessive) - Impressions,Ad Refresh - Below 15s - Impressions\n",
    );
    for site in 0..sites {
        let (impressions, clicks) = (1000 + site * 7 % 9000, site * 13 % 40);
        writeln!(
            text,
            "site{site}.example,{impressions},{}.5,{clicks},0.{},{},{}",
            site % 90,
            1 + site % 9,
            site % 11,
            site % 17
        )
        .unwrap();
    }
    text.into_bytes()
}
