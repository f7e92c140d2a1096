//! Every operation of the document, called by everybody: nobody, somebody of another organisation, and each role. What
//! is expected comes from the table of permissions alone.

mod good_calls;

use std::collections::{BTreeMap, BTreeSet};

use caliber_platform::identity::permissions::{Permission, Role};
use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::{Answer, Client, FORM, form};
use crate::service::Service;
use good_calls::{Body, Call, LOGO, REPORT, World};

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
        path.push_str(&call.query);
        let client = client.at_root();
        match &call.body {
            Body::None => client.bare(&self.method, &path),
            Body::Json(body) => client.json(&self.method, &path, body),
            Body::Logo => client.send(&self.method, &path, "image/svg+xml", LOGO.to_vec()),
            Body::Report => client.send(&self.method, &path, FORM, form(&[], "report.csv", REPORT)),
        }
    }
}

fn all_answer_as_the_table_says(on: Backend, part: Part) {
    let mut service = Service::start(on);
    let manager = service.manager("manager");
    let scored = manager.scored(REPORT);
    let exported =
        crate::background_exports::asked(&manager, json!({"campaign_id": scored, "kind": "summary"}));
    assert_eq!(crate::background_exports::ended(&manager, &exported)["status"], "completed");
    // What is begun from here on waits, so that it can be cancelled.
    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let manager = service.signed_in("manager@example.com");
    let administrator = service.administrator();
    let outsider = service.manager("outsider");
    service.manager("link");
    let world = World::new(&service, manager, (scored, exported), administrator);
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
            // An analyst writes only what is their own; a manager's is everybody's to read.
            let owns = matches!(role, Role::Analyst | Role::Manager | Role::Admin);
            let call = world.call(&operation.id, if owns { &caller } else { &world.manager });
            expect(name, &operation.ask(&caller, &call), 200);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
