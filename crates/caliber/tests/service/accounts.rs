//! Accounts and sessions.

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::people::PASSWORD;
use crate::service::{Service, at_once};

crate::on_both_databases! {
    somebody_registers_signs_in_and_is_known,
    a_refresh_token_is_good_once_and_used_again_ends_the_session,
    signing_out_ends_access_at_once,
    a_new_password_ends_all_other_sessions,
    a_browsers_session_needs_the_token_of_its_page_to_write,
    of_many_at_once_one_gets_what_there_is_once,
    nobody_learns_which_addresses_exist,
    a_token_is_verified_without_an_error,
    a_credential_is_optional_only_where_it_is_left_out,
}

fn somebody_registers_signs_in_and_is_known(on: Backend) {
    let service = Service::start(on);
    let anybody = service.client();
    let new = json!({"email": "Ana@Example.com", "password": PASSWORD, "name": "Ana Pérez", "role": "admin",
        "organization_id": "0198c0de-0000-7000-8000-000000000000", "is_active": false});
    let user = anybody.post("/auth/register", new.clone()).data(201);
    let mut keys: Vec<&String> = user.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "created_at",
            "email",
            "id",
            "is_active",
            "last_login_at",
            "name",
            "organization_id",
            "role",
            "updated_at"
        ]
    );
    assert_eq!((&user["email"], &user["name"]), (&json!("Ana@Example.com"), &json!("Ana Pérez")));
    assert_eq!((&user["role"], &user["is_active"]), (&json!("manager"), &json!(true)));
    assert_eq!(user["last_login_at"], Value::Null);
    let time = user["created_at"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.contains('T'), "{time}");

    let mut again = new.clone();
    again["email"] = json!("aNA@example.COM");
    anybody.post("/auth/register", again).refused(409, "conflict");
    for email in ["", "ana", "@example.com", "ana@", "a b@example.com"] {
        let new = json!({"email": email, "password": PASSWORD, "name": "Ana"});
        anybody.post("/auth/register", new).invalid("email");
    }
    for password in ["password1", "ana2@example.com", "qwerty123456", ""] {
        let new = json!({"email": "ana2@example.com", "password": password, "name": "Ana"});
        assert!(!anybody.post("/auth/register", new).invalid("password").is_empty());
    }
    anybody
        .post("/auth/register", json!({"email": "b@example.com", "password": PASSWORD, "name": ""}))
        .invalid("name");

    let session = service.sign_in("ANA@example.com", PASSWORD);
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("bearer"), &json!(900)));
    assert_eq!(session["user"]["id"], user["id"]);
    assert!(session["user"]["last_login_at"].is_string());
    let ana = anybody.bearing(session["access_token"].as_str().unwrap());
    assert_eq!(ana.get("/auth/me").data(200)["id"], user["id"]);
    assert_eq!(ana.get("/auth/profile").data(200)["id"], user["id"]);
    assert_eq!(ana.put("/auth/profile", json!({"name": "Ana P."})).data(200)["name"], "Ana P.");
    assert_eq!(ana.bare("PUT", "/auth/profile?name=Ana%20Q.").data(200)["name"], "Ana Q.");
    ana.bare("PUT", "/auth/profile").invalid("name");
    ana.put("/auth/profile", json!({"name": "x".repeat(256)})).invalid("name");
    let kept =
        ana.put("/auth/profile", json!({"name": "Ana", "role": "admin", "email": "x@example.com"})).data(200);
    assert_eq!((&kept["role"], &kept["email"]), (&json!("manager"), &json!("Ana@Example.com")));
}

fn a_refresh_token_is_good_once_and_used_again_ends_the_session(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let anybody = service.client();
    let first = service.sign_in("ana@example.com", PASSWORD);
    let refresh =
        |session: &Value| anybody.post("/auth/refresh", json!({"refresh_token": session["refresh_token"]}));
    let second = refresh(&first).data(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let ana = bearing(&anybody, &second);
    ana.get("/auth/me").data(200);
    refresh(&first).refused(401, "refresh_reused");
    ana.get("/auth/me").refused(401, "not_signed_in");
    refresh(&second).refused(401, "refresh_reused");
    for token in ["", "x", "0198c0de000070008000000000000000.c2VjcmV0"] {
        anybody.post("/auth/refresh", json!({"refresh_token": token})).refused(401, "not_signed_in");
    }
    bearing(&anybody, &service.sign_in("ana@example.com", PASSWORD)).get("/auth/me").data(200);
}

fn signing_out_ends_access_at_once(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let anybody = service.client();
    let (one, other) =
        (service.sign_in("ana@example.com", PASSWORD), service.sign_in("ana@example.com", PASSWORD));
    let ana = bearing(&anybody, &one);
    ana.bare("POST", "/auth/logout").body(200);
    ana.get("/auth/me").refused(401, "not_signed_in");
    anybody
        .post("/auth/refresh", json!({"refresh_token": one["refresh_token"]}))
        .refused(401, "not_signed_in");
    bearing(&anybody, &other).get("/auth/me").data(200);
}

fn a_new_password_ends_all_other_sessions(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let anybody = service.client();
    let (here, elsewhere) =
        (service.sign_in("ana@example.com", PASSWORD), service.sign_in("ana@example.com", PASSWORD));
    let ana = bearing(&anybody, &here);
    let change =
        |current: &str, new: &str| ana.put("/auth/password", json!({"current": current, "new": new}));
    change("wrong", "seven quiet rivers at dusk").invalid("current");
    change(PASSWORD, "password1").invalid("new");
    change(PASSWORD, "seven quiet rivers at dusk").body(200);
    ana.get("/auth/me").data(200);
    bearing(&anybody, &elsewhere).get("/auth/me").refused(401, "not_signed_in");
    anybody
        .post("/auth/refresh", json!({"refresh_token": elsewhere["refresh_token"]}))
        .refused(401, "not_signed_in");
    anybody
        .post("/auth/login", json!({"email": "ana@example.com", "password": PASSWORD}))
        .refused(401, "not_signed_in");
    service.sign_in("ana@example.com", "seven quiet rivers at dusk");
}

fn a_browsers_session_needs_the_token_of_its_page_to_write(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let anybody = service.client();
    let login = json!({"email": "ana@example.com", "password": PASSWORD});
    let answer = anybody.post("/auth/login?session=cookie", login);
    let session = answer.data(200);
    assert_eq!((&session["access_token"], &session["refresh_token"]), (&Value::Null, &Value::Null));
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap()).collect();
    let cookie = |name: &str| *cookies.iter().find(|cookie| cookie.starts_with(name)).unwrap();
    let (secret, csrf) = (cookie("caliber_session="), cookie("caliber_csrf="));
    assert!(
        secret.contains("HttpOnly") && secret.contains("SameSite=") && secret.contains("Path=/"),
        "{secret}"
    );
    assert!(!csrf.contains("HttpOnly") && csrf.contains("SameSite="), "{csrf}");
    let pair = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
    let token = pair(csrf).split_once('=').unwrap().1.to_owned();
    let page = anybody.with("cookie", &format!("{}; {}", pair(secret), pair(csrf)));
    assert_eq!(page.get("/auth/me").data(200)["email"], "ana@example.com");
    page.put("/auth/profile", json!({"name": "Eve"})).refused(403, "forbidden");
    page.with("x-csrf-token", "guess").put("/auth/profile", json!({"name": "Eve"})).refused(403, "forbidden");
    let page = page.with("x-csrf-token", &token);
    assert_eq!(page.put("/auth/profile", json!({"name": "Ana"})).data(200)["name"], "Ana");
    anybody.with("cookie", "caliber_session=guess").get("/auth/me").refused(401, "not_signed_in");
    let gone = page.bare("POST", "/auth/logout");
    gone.body(200);
    assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
    page.get("/auth/me").refused(401, "not_signed_in");
}

fn of_many_at_once_one_gets_what_there_is_once(on: Backend) {
    let service = Service::start(on);
    let count =
        |answers: &[Answer], status: u16| answers.iter().filter(|answer| answer.status == status).count();
    let registered = at_once(8, |at| {
        let email = if at % 2 == 0 { "ana@example.com" } else { "ANA@example.com" };
        service.client().post("/auth/register", json!({"email": email, "password": PASSWORD, "name": "Ana"}))
    });
    assert_eq!((count(&registered, 201), count(&registered, 409)), (1, 7), "{registered:?}");

    let token = service.sign_in("ana@example.com", PASSWORD)["refresh_token"].clone();
    let refreshed = at_once(8, |_| service.client().post("/auth/refresh", json!({"refresh_token": token})));
    assert_eq!((count(&refreshed, 200), count(&refreshed, 401)), (1, 7), "{refreshed:?}");

    let host = service.manager("host");
    let token = host.post("/organizations/invitations", json!({"role": "viewer"})).data(201)["token"].clone();
    let guests: Vec<_> = (0..4).map(|at| service.manager(&format!("guest{at}"))).collect();
    let joined =
        at_once(4, |at| guests[at].post("/organizations/invitations/accept", json!({"token": token})));
    assert_eq!((count(&joined, 200), count(&joined, 404)), (1, 3), "{joined:?}");
}

fn nobody_learns_which_addresses_exist(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let refused = |email: &str| {
        let login = json!({"email": email, "password": "seven quiet rivers at dusk"});
        let mut body = service.client().post("/auth/login", login).refused(401, "not_signed_in");
        body["request_id"].take();
        body
    };
    assert_eq!(refused("ana@example.com"), refused("nobody@example.com"));
    assert_eq!(refused("ana@example.com"), refused("no address"));
}

fn a_token_is_verified_without_an_error(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let anybody = service.client();
    let session = service.sign_in("ana@example.com", PASSWORD);
    let (token, user) = (session["access_token"].as_str().unwrap(), &session["user"]["id"]);
    let holds = json!({"verified": true, "user_id": user});
    let holds_not = json!({"verified": false, "user_id": null});
    assert_eq!(anybody.bearing(token).bare("POST", "/auth/verify").data(200), holds);
    assert_eq!(anybody.post("/auth/verify", json!({"token": token})).data(200), holds);
    assert_eq!(anybody.post("/auth/verify", json!({"token": "x"})).data(200), holds_not);
    assert_eq!(anybody.post("/auth/verify", json!({"token": 17})).data(200), holds_not);
    assert_eq!(anybody.bearing("x").bare("POST", "/auth/verify").data(200), holds_not);
    assert_eq!(anybody.bare("POST", "/auth/verify").data(200), holds_not);
    assert_eq!(anybody.send("POST", "/auth/verify", "text/plain", b"{".to_vec()).data(200), holds_not);
}

fn a_credential_is_optional_only_where_it_is_left_out(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let anybody = service.client();
    assert_eq!(anybody.get("/auth/optional").data(200), Value::Null);
    assert_eq!(ana.get("/auth/optional").data(200)["email"], "ana@example.com");
    for (name, value) in [
        ("authorization", "Bearer x"),
        ("authorization", "Bearer "),
        ("authorization", "Basic YTpi"),
        ("authorization", "x"),
        ("x-api-key", "x"),
        ("cookie", "caliber_session=x"),
    ] {
        anybody.with(name, value).get("/auth/optional").refused(401, "not_signed_in");
        anybody.with(name, value).get("/auth/me").refused(401, "not_signed_in");
    }
    anybody.get("/auth/me").refused(401, "not_signed_in");
}

fn bearing(anybody: &Client, session: &Value) -> Client {
    anybody.bearing(session["access_token"].as_str().unwrap())
}
