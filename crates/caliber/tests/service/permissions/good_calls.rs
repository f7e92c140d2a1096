//! How each operation is called well.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::client::Client;
use crate::people::{PASSWORD, id_of};
use crate::service::Service;

/// A report that is quickly read, for it is sent often.
pub(super) const REPORT: &[u8] =
    b"Site,Impressions,Advertiser Cost,Clicks,IAS Display Fully In View 1 Second Rate,\
    Ad Load - XL (Excessive) - Impressions,Ad Refresh - Below 15s - Impressions\n\
    news.example,2000,5,9,0.6,2,3\nsport.example,3000,5,9,0.7,2,3\nfilm.example,900,4,1,0.5,5,1\n\
    jazz.example,700,1,2,0.4,3,4\nchess.example,650,2,3,0.8,1,9\nopera.example,410,1,1,0.3,2,2\n";

/// A picture of nothing.
pub(super) const LOGO: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>";

/// A good call of an operation: what its path's parameters are, and its body.
#[derive(Default)]
pub(super) struct Call {
    pub(super) parameters: Vec<String>,
    /// What is asked after the path.
    pub(super) query: String,
    pub(super) body: Body,
    /// Whether the body or the query names an object of the organisation, so that another's is not found.
    pub(super) names_object: bool,
}

#[derive(Default)]
pub(super) enum Body {
    #[default]
    None,
    Json(Value),
    Report,
    /// A picture.
    Logo,
}

impl Call {
    fn of(parameter: impl Into<String>) -> Self {
        Self { parameters: vec![parameter.into()], ..Self::default() }
    }

    fn of_two(one: &str, other: &str) -> Self {
        Self { parameters: vec![one.into(), other.into()], ..Self::default() }
    }

    fn json(body: Value) -> Self {
        Self::default().with(body)
    }

    fn with(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }

    fn with_report(self) -> Self {
        Self { body: Body::Report, ..self }
    }
}

/// Needs nothing but its caller.
const PLAIN: [&str; 19] = [
    "auth_verify",
    "auth_optional",
    "auth_logout",
    "auth_me",
    "auth_profile",
    "campaigns_list",
    "templates_templates",
    "jobs_list",
    "organizations_current",
    "organizations_invitations",
    "organizations_remove_logo",
    "files_files",
    "recipes_list",
    "users_list",
    "operations_health",
    "operations_live",
    "operations_ready",
    "operations_detailed_health",
    "operations_metrics",
];

/// What calls are made of.
pub(super) struct World<'a> {
    service: &'a Service,
    /// The manager of the organisation.
    pub(super) manager: Client,
    /// A campaign that is scored.
    scored: String,
    /// An export that is made.
    exported: String,
    /// Somebody in no organisation of interest.
    administrator: Client,
    strangers: Cell<usize>,
}

impl<'a> World<'a> {
    pub(super) fn new(
        service: &'a Service,
        manager: Client,
        (scored, exported): (String, String),
        administrator: Client,
    ) -> Self {
        Self { service, manager, scored, exported, administrator, strangers: Cell::new(0) }
    }

    /// Somebody new; their name.
    pub(super) fn somebody(&self) -> String {
        self.strangers.set(self.strangers.get() + 1);
        format!("somebody{}", self.strangers.get())
    }

    /// A member of the organisation with a role.
    pub(super) fn member(&self, role: &str) -> Client {
        let name = self.somebody();
        if role != "admin" {
            return self.service.member(&self.manager, role, &name);
        }
        let member = self.service.member(&self.manager, "manager", &name);
        let id = id_of(&member.get("/auth/me").data(200));
        self.administrator.put(&format!("/users/{id}/role"), json!({"role": "admin"})).data(200);
        member
    }

    /// How `operation` is called well, on objects that are new and belong to `owner`. Every operation has to be here.
    pub(super) fn call(&self, operation: &str, owner: &Client) -> Call {
        if PLAIN.contains(&operation) {
            return Call::default();
        }
        let call = match operation.split_once('_').unwrap_or_default() {
            ("auth", name) => self.of_accounts(name),
            ("users" | "organizations", _) => self.of_people(operation, owner),
            ("campaigns" | "templates", _) => self.of_campaigns(operation, owner),
            ("files" | "recipes" | "jobs", _) => self.of_what_campaigns_need(operation, owner),
            ("scoring" | "lists", _) => self.of_scoring(operation, owner),
            ("exports", name) => Some(self.of_exports(name, owner)),
            _ => None,
        };
        call.unwrap_or_else(|| panic!("say here how `{operation}` is called well"))
    }

    fn of_accounts(&self, name: &str) -> Option<Call> {
        let new_password = "seven quiet rivers at dusk";
        Some(Call::json(match name {
            "register" => {
                json!({"email": format!("{}@example.com", self.somebody()), "password": PASSWORD, "name": "x"})
            }
            "login" => json!({"email": "manager@example.com", "password": PASSWORD}),
            "refresh" => {
                let session = self.service.sign_in("manager@example.com", PASSWORD);
                json!({"refresh_token": session["refresh_token"]})
            }
            "set_password_by_link" => {
                let printed = self.service.run(&["user", "reset-password", "link@example.com", "--json"], "");
                let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
                let (_, token) = printed["link"].as_str().unwrap().split_once("token=").unwrap();
                json!({"token": token, "password": new_password})
            }
            "change_password" => json!({"current": PASSWORD, "new": new_password}),
            "update_profile" => json!({"name": "x"}),
            _ => return None,
        }))
    }

    fn of_people(&self, operation: &str, owner: &Client) -> Option<Call> {
        let invited =
            |by: &Client| by.post("/organizations/invitations", json!({"role": "viewer"})).data(201);
        let user = || {
            let new = json!({"email": format!("{}@example.com", self.somebody()), "password": PASSWORD, "name": "x"});
            id_of(&self.service.client().post("/auth/register", new).data(201))
        };
        Some(match operation {
            "organizations_update" => Call::json(json!({"outside_models": false})),
            "organizations_set_logo" => Call { body: Body::Logo, ..Call::default() },
            "organizations_logo" => {
                self.manager
                    .send("PUT", "/organizations/current/logo", "image/svg+xml", LOGO.to_vec())
                    .data(200);
                Call { names_object: true, ..Call::default() }
            }
            "organizations_invite" => Call::json(json!({"role": "viewer"})),
            "organizations_withdraw" => Call::of(id_of(&invited(owner))),
            "organizations_accept" => Call::json(json!({"token": invited(&self.administrator)["token"]})),
            "users_delete" => Call::of(user()),
            "users_give_role" => Call::of(user()).with(json!({"role": "viewer"})),
            _ => return None,
        })
    }

    fn of_campaigns(&self, operation: &str, owner: &Client) -> Option<Call> {
        let new =
            json!({"name": "x", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"});
        let campaign = || Call::of(owner.campaign("x"));
        Some(match operation {
            "campaigns_create" | "templates_create_template" => Call::json(new),
            "templates_template" | "templates_delete_template" => {
                Call::of(id_of(&owner.post("/campaigns/templates", new).data(201)))
            }
            "campaigns_get" | "campaigns_delete" => campaign(),
            "campaigns_update" => campaign().with(json!({"name": "y"})),
            "campaigns_set_status" => campaign().with(json!({"status": "processing"})),
            "campaigns_set_progress" => {
                let id = owner.campaign("x");
                let processing = json!({"status": "processing"});
                self.manager.put(&format!("/campaigns/{id}/status"), processing).data(200);
                Call::of(id).with(json!({"progress_percentage": 10}))
            }
            "campaigns_upload" => campaign().with_report(),
            _ => return None,
        })
    }

    fn of_what_campaigns_need(&self, operation: &str, owner: &Client) -> Option<Call> {
        let file = || Call::of(id_of(&owner.upload("/reports/upload", "report.csv", REPORT).data(201)));
        // Of a platform of its own: a second recipe for one that ships would have to be named at each start.
        let recipe = || {
            json!({"name": self.somebody(), "platform": "our_dsp", "channel": "display", "goal": "awareness",
                "metrics": [{"metric": "ctr", "weight": 1.0, "better": "higher"}]})
        };
        Some(match operation {
            "files_upload" => Call::default().with_report(),
            "files_file" | "files_delete" | "files_preview" | "files_validate" => file(),
            "files_assign" => file().with(json!({"campaign_id": owner.campaign("x")})),
            "recipes_create" => Call::json(recipe()),
            "recipes_get" | "recipes_delete" => {
                Call::of(id_of(&owner.post("/scoring/recipes", recipe()).data(201)))
            }
            "jobs_get" => Call::of(id_of(&self.manager.get("/jobs").body(200)["data"][0])),
            _ => return None,
        })
    }

    fn of_exports(&self, name: &str, owner: &Client) -> Call {
        let new = json!({"campaign_id": self.scored, "kind": "summary"});
        match name {
            "start" => Call { names_object: true, ..Call::json(new) },
            "get" => Call::of(id_of(&owner.post("/reports/exports", new).data(202))),
            "download" => Call::of(&self.exported),
            "whitelist_dsp" | "blacklist_dsp" => {
                Call { query: "?format=text".to_owned(), ..Call::of(&self.scored) }
            }
            _ => Call::of(&self.scored),
        }
    }

    fn of_scoring(&self, operation: &str, owner: &Client) -> Option<Call> {
        let naming = |body: Value| Call { names_object: true, ..Call::json(body) };
        Some(match operation {
            "scoring_start" => naming(json!({"campaign_id": owner.campaign_with(REPORT)})),
            "scoring_cancel" => {
                let id = owner.campaign_with(REPORT);
                owner.post("/scoring/start", json!({"campaign_id": id})).data(202);
                Call::of(id)
            }
            "scoring_progress" | "scoring_progress_stream" => Call::of(owner.campaign("x")),
            "scoring_results"
            | "scoring_summary"
            | "lists_whitelist"
            | "lists_blacklist"
            | "lists_versions"
            | "scoring_explain"
            | "scoring_find_outliers" => Call::of(&self.scored),
            "scoring_result" | "scoring_explain_domain" => Call::of_two(&self.scored, "news.example"),
            "scoring_explain_changes" => Call {
                names_object: true,
                query: format!("?before={0}&after={0}", self.scored),
                ..Call::default()
            },
            "scoring_treat_outliers" => {
                Call::of(&self.scored).with(json!({"treatment": "cap", "publish": false}))
            }
            "scoring_learn_weights" => naming(json!({"campaign_id": self.scored, "method": "variance"})),
            "scoring_optimize_weights" => naming(json!({"campaign_id": self.scored, "target": "cpm"})),
            "scoring_ask_what_if" => naming(json!({"campaign_id": self.scored, "weights": {"cpm": 1}})),
            "lists_optimization_list" => {
                naming(json!({"campaign_id": self.scored, "list_type": "whitelist"}))
            }
            "lists_version" => {
                self.manager.get(&format!("/scoring/whitelist/{}", self.scored)).data(200);
                Call::of_two(&self.scored, "1")
            }
            "lists_set_overrides" => Call::of(owner.campaign("x")).with(json!({"allow": ["a.example"]})),
            _ => return None,
        })
    }
}
