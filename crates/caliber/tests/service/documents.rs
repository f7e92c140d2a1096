//! Documents that are made from the code, compared with what is committed. `cargo xtask documents` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use caliber_platform::identity::permissions::PERMISSIONS;
use caliber_store::Backend;

use crate::service::Service;

/// Compares a document with what is committed, or writes it.
#[track_caller]
fn is_committed(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("CALIBER_TEST_WRITE_DOCUMENTS").is_some() {
        // In one step, for other tests read it meanwhile.
        let whole = path.with_extension("whole");
        std::fs::write(&whole, text).unwrap();
        std::fs::rename(whole, &path).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/{name} is not what the code says: run `cargo xtask documents`, and look at the difference"
    );
}

#[test]
fn the_document_of_the_api_is_the_committed_one() {
    let service = Service::start(Backend::Sqlite);
    is_committed("openapi.json", &service.client().at_root().get("/openapi.json").text());
}

#[test]
fn the_table_of_permissions_is_the_committed_one() {
    let mut text = "# Permissions\n\n\
        Each operation of the API needs one of these; [openapi.json](openapi.json) says which, as `x-caliber-permission`. \
        Viewer, analyst, manager and admin are ranks: each has what those before it have. Client and expert stand aside, \
        for the review desk, and have what is marked so. Members see all of their organisation, analysts change what they \
        made themselves, managers all of it; admin is instance-wide.\n\n\
        This page is made from the code: `cargo xtask documents`.\n\n\
        | permission | from role | client, expert | meaning |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for permission in PERMISSIONS {
        let for_all = if permission.for_all { "yes" } else { "" };
        let (name, role, meaning) = (permission.name, permission.role, permission.meaning);
        writeln!(text, "| `{name}` | {role} | {for_all} | {meaning} |").unwrap();
    }
    is_committed("permissions.md", &text);
}

#[test]
fn every_operation_is_described_with_all_that_its_form_can_answer() {
    let service = Service::start(Backend::Sqlite);
    let document = service.client().at_root().get("/openapi.json").json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let mut must = vec!["421", "429", "500", "503"];
            if operation["x-caliber-role"].is_string() {
                must.extend(["401", "403"]);
            }
            if path.contains('{') {
                must.push("404");
            }
            if operation["requestBody"].is_object() {
                must.extend(["400", "413", "415", "422"]);
                let content = operation["requestBody"]["content"].as_object().unwrap();
                assert!(content.values().all(|it| it["schema"].is_object()), "{method} {path}");
            }
            for status in must {
                let examples = &responses[status]["content"]["application/json"]["examples"];
                assert!(
                    examples.as_object().is_some_and(|it| !it.is_empty()),
                    "{method} {path} {status} has no example"
                );
            }
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}
