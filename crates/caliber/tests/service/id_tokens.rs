//! Signing in with the ID tokens of another issuer.

use caliber_store::Backend;
use caliber_testing::issuer::{Issuer, SigningKey};
use serde_json::{Value, json};

use crate::people::PASSWORD;
use crate::service::{Service, at_once};

crate::on_both_databases! {
    an_id_token_signs_in_and_makes_one_user,
    what_is_wrong_with_a_token_is_told,
}

fn trusting(on: Backend, issuer: &Issuer) -> Service {
    Service::with(on, &[("CALIBER_OIDC_ISSUERS", &format!("{}=caliber", issuer.url()))])
}

fn an_id_token_signs_in_and_makes_one_user(on: Backend) {
    let key = SigningKey::rsa("k", 2048);
    let issuer = Issuer::start(&[&key]);
    let service = trusting(on, &issuer);
    let anybody = service.client();
    let token = key.token(&issuer.claims("ana"));
    let answers = at_once(6, |_| anybody.post("/auth/login", json!({"token": token})).data(200));
    assert!(answers.iter().all(|answer| answer["user"]["id"] == answers[0]["user"]["id"]), "{answers:?}");
    let session = &answers[0];
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("bearer"), &json!(900)));
    let (user, access) = (&session["user"], session["access_token"].as_str().unwrap());
    assert_eq!((&user["name"], &user["role"]), (&json!("ana"), &json!("manager")));
    assert_eq!(anybody.bearing(access).get("/auth/me").data(200)["email"], "ana@example.com");
    let refreshed =
        anybody.post("/auth/refresh", json!({"refresh_token": session["refresh_token"]})).data(200);
    assert_eq!(refreshed["user"]["id"], user["id"]);

    let page = anybody.post("/auth/login?session=cookie", json!({"token": token}));
    assert_eq!(
        (&page.data(200)["user"]["id"], page.headers.get_all("set-cookie").iter().count()),
        (&user["id"], 2)
    );

    // It signs in, and is no credential by itself.
    anybody.bearing(&token).get("/auth/me").refused(401, "not_signed_in");
    let verified = anybody.post("/auth/verify", json!({"token": token})).data(200);
    assert_eq!(verified["verified"], false);
}

fn what_is_wrong_with_a_token_is_told(on: Backend) {
    let key = SigningKey::ec("k");
    let issuer = Issuer::start(&[&key]);
    let service = trusting(on, &issuer);
    let anybody = service.client();
    let login = |body: Value| anybody.post("/auth/login", body);
    let claiming = |name: &str, value: Value| {
        let mut claims = issuer.claims("ana");
        claims[name] = value;
        key.token(&claims)
    };
    service.manager("ana");
    // More than passwords may fail: nobody guesses a signature.
    for _ in 0..4 {
        for token in [claiming("exp", json!(1)), claiming("aud", json!("another")), "x".to_owned()] {
            let told = login(json!({"token": token})).refused(401, "not_signed_in");
            assert!(
                told["message"].as_str().unwrap().starts_with("this ID token cannot be verified: "),
                "{told}"
            );
        }
    }
    login(json!({"token": claiming("email_verified", json!(false))})).refused(409, "conflict");
    let told = login(json!({"token": claiming("email", json!(null))})).invalid("token");
    assert!(told.contains("e-mail"), "{told}");
    login(json!({})).invalid("email");
    login(json!({"email": "ana@example.com"})).invalid("password");
    login(json!({"token": 7})).invalid("token");
    login(json!({"token": "x", "email": "ana@example.com", "password": PASSWORD})).invalid("token");
    service.sign_in("ana@example.com", PASSWORD);
    drop(issuer);
    let gone = Issuer::start(&[&key]);
    let down = trusting(on, &gone);
    let token = key.token(&gone.claims("ana"));
    drop(gone);
    let told = down.client().post("/auth/login", json!({"token": token})).refused(503, "unavailable");
    assert!(told["message"].as_str().unwrap().contains("does not answer with its keys"), "{told}");
}

#[test]
fn issuers_are_looked_at_by_doctor_and_checked_at_start() {
    let key = SigningKey::ed25519("k");
    let issuer = Issuer::start(&[&key]);
    let mut service = Service::prepared(Backend::Sqlite, &[]);
    let list = format!("{}=caliber", issuer.url());
    service.set("CALIBER_OIDC_ISSUERS", &list);
    let said = service.run(&["doctor"], "");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && text.contains(&issuer.url()) && text.contains("has 1 key"), "{text}");
    let shown = service.run(&["settings", "--json"], "");
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let setting = shown.as_array().unwrap().iter().find(|it| it["name"] == "CALIBER_OIDC_ISSUERS").unwrap();
    assert_eq!((&setting["value"], &setting["source"]), (&json!(list), &json!("environment")));
    drop(issuer);
    let said = service.run(&["doctor"], "");
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stderr).contains("issuer: "), "{said:?}");
    for wrong in ["http://accounts.example.com=caliber", "https://accounts.example.com", "accounts=caliber"] {
        service.set("CALIBER_OIDC_ISSUERS", wrong);
        let said = service.run(&["serve", "--bind", "127.0.0.1:0"], "");
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(2), "{wrong}: {told}");
        assert!(told.contains("CALIBER_OIDC_ISSUERS") && told.contains(wrong), "{told}");
    }
}
