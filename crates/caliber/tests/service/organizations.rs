//! Organisations, invitations, users and their roles.

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::people::{PASSWORD, id_of, report};
use crate::service::Service;

crate::on_both_databases! {
    an_organisation_is_shown_and_changed,
    an_organisation_has_a_logo_and_colours,
    an_invitation_joins_once_and_takes_campaigns_along,
    an_invitation_gives_a_role_up_to_ones_own_and_only_to_whom_it_is_for,
    members_read_all_analysts_write_their_own_and_managers_all,
    the_administrator_gives_roles_and_deletes_but_never_themselves,
}

fn an_organisation_is_shown_and_changed(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let path = "/organizations/current";
    let own = ana.get(path).data(200);
    assert_eq!(
        (&own["protected_names"], &own["outside_models"], &own["ai_budget"]),
        (&json!([]), &json!(false), &Value::Null)
    );
    let change = json!({"name": "Northlight", "colours": {"primary": "#0f5c4a"}, "protected_names": ["news.example"],
        "outside_models": true, "ai_budget": 50.25});
    let changed = ana.put(path, change.clone()).data(200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&changed[field], value);
    }
    let less = ana.put(path, json!({"colours": null, "ai_budget": null})).data(200);
    assert_eq!(
        (&less["colours"], &less["ai_budget"], &less["name"]),
        (&Value::Null, &Value::Null, &json!("Northlight"))
    );
    for (field, value) in [
        ("name", json!("")),
        ("protected_names", json!("x")),
        ("colours", json!([])),
        ("outside_models", json!("yes")),
    ] {
        let mut change = json!({});
        change[field] = value;
        ana.put(path, change).invalid(field);
    }
    ana.put(path, json!({"protected_names": ["a.example", ""]})).invalid("protected_names[1]");
    assert_ne!(service.manager("bob").get(path).data(200)["id"], own["id"]);
}

fn an_organisation_has_a_logo_and_colours(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let (own, path) = ("/organizations/current", "/organizations/current/logo");
    ana.get(path).refused(404, "not_found");
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>".to_vec();
    let png = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x08\x00\x00\x00\x08\x08\x02\x00\x00\x00Km)\xdc\x00\x00\x00\x11IDATx\xdac\x10\x08\x98\x80\x151\x0c-\x09\x00R!<\x01\x9b\xbf\xe1\x15\x00\x00\x00\x00IEND\xaeB`\x82".to_vec();
    // Whatever it is called, the content counts.
    for (picture, kind) in [(&svg, "image/svg+xml"), (&png, "image/png")] {
        let changed = ana.send("PUT", path, "application/octet-stream", picture.clone()).data(200);
        assert_eq!(changed["logo"], "/api/v1/organizations/current/logo");
        let shown = ana.get(path);
        assert_eq!((shown.header("content-type"), &shown.bytes), (Some(kind), picture));
        assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(service.stored_files(), 1, "the one before is gone");
    }
    for wrong in [
        b"GIF89a".to_vec(),
        Vec::new(),
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec(),
    ] {
        ana.send("PUT", path, "image/png", wrong).refused(415, "wrong_kind");
    }
    for large in [600_000, 3_000_000] {
        ana.send("PUT", path, "image/png", vec![b' '; large]).refused(413, "too_large");
    }
    let member = service.member(&ana, "analyst", "ben");
    member.send("PUT", path, "image/png", png.clone()).refused(403, "forbidden");
    assert_eq!(member.get(path).bytes, png);
    assert_eq!(ana.delete(path).data(200)["logo"], Value::Null);
    ana.get(path).refused(404, "not_found");
    assert_eq!(service.stored_files(), 0);

    ana.put(own, json!({"colours": {"primary": "#0F5c4a", "accent": "#f2a541"}})).data(200);
    for (name, colour) in [
        ("primary", json!("red")),
        ("primary", json!("#12345")),
        ("accent", json!("#12345g")),
        ("accent", json!(7)),
    ] {
        ana.put(own, json!({"colours": {name: colour}})).invalid(&format!("colours.{name}"));
    }
    ana.put(own, json!({"colours": {"third": "#000000"}})).invalid("colours.third");
}

fn an_invitation_joins_once_and_takes_campaigns_along(on: Backend) {
    let service = Service::start(on);
    let (ana, bob, eve) = (service.manager("ana"), service.manager("bob"), service.manager("eve"));
    let campaign = bob.scored(&report());
    let invited = ana.post("/organizations/invitations", json!({"role": "analyst"})).data(201);
    let token = invited["token"].as_str().unwrap();
    assert!(invited["link"].as_str().unwrap().contains(token));
    let listed = ana.get("/organizations/invitations").body(200);
    assert_eq!((&listed["total"], &listed["data"][0]["id"]), (&json!(1), &invited["id"]));
    assert!(listed["data"][0].get("token").is_none(), "shown once");
    let joined = bob.post("/organizations/invitations/accept", json!({"token": token})).data(200);
    let organization = ana.get("/organizations/current").data(200)["id"].clone();
    assert_eq!((&joined["role"], &joined["organization_id"]), (&json!("analyst"), &organization));
    assert_eq!(ana.get(&format!("/campaigns/{campaign}")).data(200)["status"], "completed");
    ana.get(&format!("/scoring/results/{campaign}")).body(200);
    assert_eq!(ana.get("/reports/files").body(200)["total"], 1);
    bob.put(&format!("/campaigns/{campaign}"), json!({"name": "still mine"})).data(200);
    eve.post("/organizations/invitations/accept", json!({"token": token})).refused(404, "not_found");
    eve.post("/organizations/invitations/accept", json!({"token": "guess"})).refused(404, "not_found");
    assert!(ana.get("/organizations/invitations").body(200)["data"][0]["accepted_at"].is_string());
    ana.delete(&format!("/organizations/invitations/{}", id_of(&invited))).refused(404, "not_found");

    let back = ana.post("/organizations/invitations", json!({"role": "viewer"})).data(201);
    ana.delete(&format!("/organizations/invitations/{}", id_of(&back))).body(200);
    eve.post("/organizations/invitations/accept", json!({"token": back["token"]})).refused(404, "not_found");
    let own = ana.post("/organizations/invitations", json!({"role": "viewer"})).data(201);
    ana.post("/organizations/invitations/accept", json!({"token": own["token"]})).refused(409, "conflict");
    assert_eq!(ana.get("/auth/me").data(200)["role"], "manager");
    eve.post("/organizations/invitations/accept", json!({"token": own["token"]})).data(200);
}

fn an_invitation_gives_a_role_up_to_ones_own_and_only_to_whom_it_is_for(on: Backend) {
    let service = Service::start(on);
    let (ana, bob) = (service.manager("ana"), service.manager("bob"));
    ana.post("/organizations/invitations", json!({"role": "admin"})).refused(403, "forbidden");
    ana.post("/organizations/invitations", json!({"role": "king"})).invalid("role");
    ana.post("/organizations/invitations", json!({"role": "viewer", "email": "no address"})).invalid("email");
    let invited = ana
        .post("/organizations/invitations", json!({"role": "manager", "email": "CAROL@example.com"}))
        .data(201);
    bob.post("/organizations/invitations/accept", json!({"token": invited["token"]}))
        .refused(404, "not_found");
    let carol = service.manager("carol");
    assert_eq!(
        carol.post("/organizations/invitations/accept", json!({"token": invited["token"]})).data(200)["role"],
        "manager"
    );
}

fn members_read_all_analysts_write_their_own_and_managers_all(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let bob = service.member(&ana, "analyst", "bob");
    let carol = service.member(&ana, "analyst", "carol");
    let id = bob.campaign_with(&report());
    let path = format!("/campaigns/{id}");
    for reader in [&ana, &bob, &carol] {
        assert_eq!(reader.get(&path).data(200)["id"], id.as_str());
    }
    carol.put(&path, json!({"name": "mine"})).refused(404, "not_found");
    carol.delete(&path).refused(404, "not_found");
    carol.upload(&format!("{path}/upload"), "r.csv", &report()).refused(404, "not_found");
    carol.post("/scoring/start", json!({"campaign_id": id})).refused(404, "not_found");
    carol.put(&format!("/scoring/lists/{id}/overrides"), json!({})).refused(404, "not_found");
    ana.put(&path, json!({"name": "the manager's word"})).data(200);
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    assert_eq!(carol.settled(&id)["status"], "completed");
    assert_eq!(carol.get("/campaigns").data(200)["total"], 1);
}

fn the_administrator_gives_roles_and_deletes_but_never_themselves(on: Backend) {
    let service = Service::start(on);
    let (root, ana) = (service.administrator(), service.manager("ana"));
    let bob = service.member(&ana, "analyst", "bob");
    let campaign = bob.campaign_with(&report());
    let emails: Vec<Value> = root.get("/users").body(200)["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["email"].clone())
        .collect();
    assert_eq!(emails, ["ana@example.com", "bob@example.com", "root@example.com"]);
    let me = id_of(&root.get("/auth/me").data(200));
    root.put(&format!("/users/{me}/role"), json!({"role": "viewer"})).refused(403, "forbidden");
    root.delete(&format!("/users/{me}")).refused(403, "forbidden");
    let bobs = id_of(&bob.get("/auth/me").data(200));
    assert_eq!(
        root.put(&format!("/users/{bobs}/role"), json!({"role": "viewer"})).data(200)["role"],
        "viewer"
    );
    bob.put(&format!("/campaigns/{campaign}"), json!({"name": "x"})).refused(403, "forbidden");
    root.put(&format!("/users/{bobs}/role"), json!({"role": "king"})).invalid("role");
    ana.put(&format!("/users/{bobs}/role"), json!({"role": "viewer"})).refused(403, "forbidden");
    assert_eq!(
        root.get(&format!("/campaigns/{campaign}")).data(200)["id"],
        campaign.as_str(),
        "the instance is theirs"
    );
    root.delete(&format!("/users/{bobs}")).body(200);
    bob.get("/auth/me").refused(401, "not_signed_in");
    let login = json!({"email": "bob@example.com", "password": PASSWORD});
    service.client().post("/auth/login", login).refused(401, "not_signed_in");
    let left = ana.get(&format!("/campaigns/{campaign}")).data(200);
    assert_eq!(left["user_id"], ana.get("/auth/me").data(200)["id"], "what they made is the manager's");
    root.delete(&format!("/users/{bobs}")).refused(404, "not_found");
    let printed = service.run(&["user", "add", "new@example.com", "--role", "viewer", "--json"], "");
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let token = printed["link"].as_str().unwrap().split_once("token=").unwrap().1;
    let set = |password: &str| {
        service.client().post("/auth/password/link", json!({"token": token, "password": password}))
    };
    set("password1").invalid("password");
    assert_eq!(set(PASSWORD).data(200)["email"], "new@example.com");
    set(PASSWORD).refused(404, "not_found");
    service.signed_in("new@example.com").get("/auth/me").data(200);
}
