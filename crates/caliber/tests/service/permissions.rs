//! Every operation of the document, called by everybody: nobody, somebody of another organisation, and each role. What
//! is expected comes from the table of permissions alone.

use std::collections::{BTreeMap, BTreeSet};

use caliber_platform::identity::permissions::{Permission, Role};
use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::{Answer, Client, FORM, form};
use crate::people::{PASSWORD, id_of, report};
use crate::service::Service;

crate::on_both_databases! {
    operations_on_people_answer_everybody_as_the_table_of_permissions_says,
    operations_that_read_answer_everybody_as_the_table_of_permissions_says,
    operations_that_write_answer_everybody_as_the_table_of_permissions_says,
}

/// Every operation is of one part.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    People,
    Reads,
    Writes,
}

fn operations_on_people_answer_everybody_as_the_table_of_permissions_says(on: Backend) {
    all_answer_as_the_table_says(on, Part::People);
}

fn operations_that_read_answer_everybody_as_the_table_of_permissions_says(on: Backend) {
    all_answer_as_the_table_says(on, Part::Reads);
}

fn operations_that_write_answer_everybody_as_the_table_of_permissions_says(on: Backend) {
    all_answer_as_the_table_says(on, Part::Writes);
}

const ROLES: [(Role, &str); 6] = [
    (Role::Viewer, "viewer"),
    (Role::Analyst, "analyst"),
    (Role::Manager, "manager"),
    (Role::Admin, "admin"),
    (Role::Client, "client"),
    (Role::Expert, "expert"),
];

/// A good call of an operation: what its path's parameters are, and its body.
#[derive(Default)]
struct Call {
    parameters: Vec<String>,
    body: Body,
    /// Whether the body names an object of the organisation, so that another's is not found.
    names_object: bool,
}

#[derive(Default)]
enum Body {
    #[default]
    None,
    Json(Value),
    Report,
}

impl Call {
    fn of(parameter: impl Into<String>) -> Self {
        Self { parameters: vec![parameter.into()], ..Self::default() }
    }

    fn json(body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::default() }
    }

    fn with(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }
}

/// What calls are made of.
struct World<'a> {
    service: &'a Service,
    /// The manager of the organisation.
    manager: Client,
    /// A campaign that is scored.
    scored: String,
    /// Somebody in no organisation of interest.
    administrator: Client,
    strangers: std::cell::Cell<usize>,
}

impl World<'_> {
    /// Somebody new; their name.
    fn somebody(&self) -> String {
        self.strangers.set(self.strangers.get() + 1);
        format!("somebody{}", self.strangers.get())
    }

    /// A member of the organisation with a role.
    fn member(&self, role: &str) -> Client {
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
    fn call(&self, operation: &str, owner: &Client) -> Call {
        let template = || {
            let new = json!({"name": "t", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"});
            id_of(&owner.post("/campaigns/templates", new).data(201))
        };
        let recipe = || {
            json!({"name": self.somebody(), "platform": "our_dsp", "channel": "display", "goal": "awareness",
                "metrics": [{"metric": "ctr", "weight": 1.0, "better": "higher"}]})
        };
        let file = || id_of(&owner.upload("/reports/upload", "report.csv", &report()).data(201));
        let invitation = || {
            owner_of_invitations(&self.manager, owner)
                .post("/organizations/invitations", json!({"role": "viewer"}))
                .data(201)
        };
        let session = || self.service.sign_in("manager@example.com", PASSWORD);
        let scored = || Call::of(&self.scored);
        match operation {
            "auth_register" => Call::json(
                json!({"email": format!("{}@example.com", self.somebody()), "password": PASSWORD, "name": "x"}),
            ),
            "auth_login" => Call::json(json!({"email": "manager@example.com", "password": PASSWORD})),
            "auth_refresh" => Call::json(json!({"refresh_token": session()["refresh_token"]})),
            "auth_set_password_by_link" => {
                let printed = self.service.run(&["--json", "user", "reset-password", "link@example.com"], "");
                let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
                let token = printed["token"]
                    .as_str()
                    .or_else(|| printed["link"].as_str()?.split_once("token=").map(|it| it.1));
                Call::json(
                    json!({"token": token.unwrap_or_else(|| panic!("{printed}")), "password": "seven quiet rivers at dusk"}),
                )
            }
            "auth_change_password" => {
                Call::json(json!({"current": PASSWORD, "new": "seven quiet rivers at dusk"}))
            }
            "auth_update_profile" => Call::json(json!({"name": "x"})),
            "auth_verify"
            | "auth_optional"
            | "auth_logout"
            | "auth_me"
            | "auth_profile"
            | "campaigns_list"
            | "templates_templates"
            | "jobs_list"
            | "organizations_current"
            | "organizations_invitations"
            | "files_files"
            | "recipes_list"
            | "users_list"
            | "operations_health"
            | "operations_live"
            | "operations_ready"
            | "operations_detailed_health" => Call::default(),
            "campaigns_create" => Call::json(
                json!({"name": "x", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"}),
            ),
            "campaigns_get" | "campaigns_delete" | "scoring_progress" | "scoring_progress_stream" => {
                Call::of(owner.campaign("x"))
            }
            "campaigns_update" => Call::of(owner.campaign("x")).with(json!({"name": "y"})),
            "campaigns_set_status" => Call::of(owner.campaign("x")).with(json!({"status": "processing"})),
            "campaigns_set_progress" => {
                let id = owner.campaign("x");
                self.manager
                    .put(&format!("/campaigns/{id}/status"), json!({"status": "processing"}))
                    .data(200);
                Call::of(id).with(json!({"progress_percentage": 10}))
            }
            "campaigns_upload" => Call { body: Body::Report, ..Call::of(owner.campaign("x")) },
            "templates_create_template" => Call::json(
                json!({"name": "t", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"}),
            ),
            "templates_template" | "templates_delete_template" => Call::of(template()),
            "jobs_get" => Call::of(id_of(&self.manager.get("/jobs").body(200)["data"][0])),
            "organizations_update" => Call::json(json!({"outside_models": false})),
            "organizations_invite" => Call::json(json!({"role": "viewer"})),
            "organizations_withdraw" => Call::of(id_of(&invitation())),
            "organizations_accept" => {
                let other = self.service.manager(&self.somebody());
                let invitation =
                    other.post("/organizations/invitations", json!({"role": "viewer"})).data(201);
                Call::json(json!({"token": invitation["token"]}))
            }
            "files_upload" => Call { body: Body::Report, ..Call::default() },
            "files_file" | "files_delete" | "files_preview" | "files_validate" => Call::of(file()),
            "files_assign" => Call::of(file()).with(json!({"campaign_id": owner.campaign("x")})),
            "recipes_create" => Call::json(recipe()),
            "recipes_get" | "recipes_delete" => {
                Call::of(id_of(&owner.post("/scoring/recipes", recipe()).data(201)))
            }
            "scoring_start" => {
                let body = json!({"campaign_id": owner.campaign_with(&report())});
                Call { names_object: true, ..Call::json(body) }
            }
            "scoring_cancel" => {
                let id = owner.campaign_with(&report());
                owner.post("/scoring/start", json!({"campaign_id": id})).data(202);
                Call::of(id)
            }
            "scoring_results" | "scoring_summary" | "lists_whitelist" | "lists_blacklist"
            | "lists_versions" => scored(),
            "scoring_result" => {
                Call { parameters: vec![self.scored.clone(), "secondnews.example".into()], ..Call::default() }
            }
            "lists_optimization_list" => {
                let body = json!({"campaign_id": self.scored, "list_type": "whitelist"});
                Call { names_object: true, ..Call::json(body) }
            }
            "lists_version" => {
                self.manager.get(&format!("/scoring/whitelist/{}", self.scored)).data(200);
                Call { parameters: vec![self.scored.clone(), "1".into()], ..Call::default() }
            }
            "lists_set_overrides" => Call::of(owner.campaign("x")).with(json!({"allow": ["a.example"]})),
            "users_give_role" | "users_delete" => {
                let name = self.somebody();
                let id = id_of(&self.service.manager(&name).get("/auth/me").data(200));
                let call = Call::of(id);
                if operation == "users_delete" { call } else { call.with(json!({"role": "viewer"})) }
            }
            _ => panic!("say here how `{operation}` is called well"),
        }
    }
}

/// Whoever may invite: the owner of what is looked at, where that is a manager.
fn owner_of_invitations<'a>(manager: &'a Client, owner: &'a Client) -> &'a Client {
    if owner.get("/auth/me").data(200)["role"] == "analyst" { manager } else { owner }
}

/// Operations after which the caller is not who they were.
const SPENDS_ITS_CALLER: [&str; 3] = ["auth_logout", "auth_change_password", "organizations_accept"];

struct Operation {
    id: String,
    method: String,
    path: String,
    permission: Option<&'static Permission>,
    /// Whether it answers without a credential.
    is_open: bool,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let security =
                operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} has no security"));
            let is_open = security.is_empty() || security.contains(&json!({}));
            let permission = operation["x-caliber-permission"].as_str().map(|name| {
                let permission = Permission::by_name(name).unwrap_or_else(|| panic!("nobody knows {name}"));
                assert_eq!(operation["x-caliber-role"], permission.role.to_string(), "{method} {path}");
                permission
            });
            assert!(is_open || permission.is_some(), "{method} {path} is for nobody");
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                permission,
                is_open,
            });
        }
    }
    let ids: BTreeSet<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids.len(), operations.len(), "two operations have one id");
    operations
}

impl Operation {
    fn part(&self) -> Part {
        let is_of_people = ["/auth", "/users", "/organizations"].iter().any(|of| self.path.contains(of));
        match self.method.as_str() {
            _ if is_of_people => Part::People,
            "GET" => Part::Reads,
            _ => Part::Writes,
        }
    }

    fn ask(&self, client: &Client, call: &Call) -> Answer {
        let mut path = String::new();
        let mut parameters = call.parameters.iter();
        for part in self.path.split_inclusive('}') {
            match part.split_once('{') {
                Some((before, _)) => path.extend([before, parameters.next().expect("a parameter for each")]),
                None => path.push_str(part),
            }
        }
        assert!(parameters.next().is_none(), "{}: too many parameters", self.id);
        let client = client.at_root();
        match &call.body {
            Body::None => client.bare(&self.method, &path),
            Body::Json(body) => client.json(&self.method, &path, body),
            Body::Report => client.send(&self.method, &path, FORM, form(&[], "report.csv", &report())),
        }
    }
}

fn all_answer_as_the_table_says(on: Backend, part: Part) {
    let mut service = Service::start(on);
    let scored = service.manager("manager").scored(&report());
    // What is begun from here on waits, so that it can be cancelled.
    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let manager = service.signed_in("manager@example.com");
    let administrator = service.administrator();
    let outsider = service.manager("outsider");
    service.manager("link");
    let world =
        World { service: &service, manager, scored, administrator, strangers: std::cell::Cell::new(0) };
    let members: BTreeMap<&str, Client> = ROLES.map(|(_, name)| (name, world.member(name))).into();
    let document = service.client().at_root().get("/openapi.json").json();
    let mut wrong = Vec::new();
    for operation in operations(&document).into_iter().filter(|operation| operation.part() == part) {
        let mut expect = |who: &str, answer: &Answer, status: u16| {
            let is_right =
                if status == 200 { (200..300).contains(&answer.status) } else { answer.status == status };
            if !is_right {
                let body = answer.text();
                wrong.push(format!("{} by {who}: {} and not {status}: {body}", operation.id, answer.status));
            }
        };
        let nobody = service.client();
        let of_manager = world.call(&operation.id, &world.manager);
        expect("nobody", &operation.ask(&nobody, &of_manager), if operation.is_open { 200 } else { 401 });
        let Some(permission) = operation.permission.filter(|_| !operation.is_open) else { continue };
        let has_object = operation.path.contains('{') || of_manager.names_object;
        let spends = SPENDS_ITS_CALLER.contains(&operation.id.as_str());
        let outside = if !permission.is_of(Role::Manager) {
            403
        } else if has_object {
            404
        } else {
            200
        };
        let stranger = if spends { service.manager(&world.somebody()) } else { outsider.clone() };
        expect("another organisation's manager", &operation.ask(&stranger, &of_manager), outside);
        for (role, name) in ROLES {
            let caller = if spends { world.member(name) } else { members[name].clone() };
            if !permission.is_of(role) {
                expect(name, &operation.ask(&caller, &of_manager), 403);
                continue;
            }
            let owns = matches!(role, Role::Analyst | Role::Manager | Role::Admin);
            let call = world.call(&operation.id, if owns { &caller } else { &world.manager });
            expect(name, &operation.ask(&caller, &call), 200);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
