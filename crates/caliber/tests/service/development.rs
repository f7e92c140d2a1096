//! The development sign-in: for the person at this machine, and nobody else.

use caliber_store::Backend;

use crate::service::Service;

crate::on_both_databases! {
    who_sends_no_credential_is_the_developer,
    pages_from_elsewhere_and_proxies_are_refused,
    turned_off_it_is_off,
}

fn who_sends_no_credential_is_the_developer(on: Backend) {
    let service = Service::with(on, &[("CALIBER_DEV_SIGN_IN", "on")]);
    let developer = service.client().get("/auth/me").data(200);
    assert_eq!((&developer["email"], &developer["role"]), (&"dev@example.com".into(), &"admin".into()));
    let own = service.address();
    let own_page = service.client().with("origin", own).with("sec-fetch-site", "same-origin");
    own_page.get("/auth/me").data(200);
    let typed = service.client().with("sec-fetch-site", "none");
    typed.get("/auth/me").data(200);
    for (name, value) in [("authorization", "Bearer x"), ("x-api-key", "x"), ("cookie", "caliber_session=x")]
    {
        service.client().with(name, value).get("/auth/me").refused(401, "not_signed_in");
    }
    let ana = service.manager("ana");
    assert_eq!(ana.get("/auth/me").data(200)["role"], "manager", "a credential is judged by itself");
    ana.get("/users").refused(403, "forbidden");
}

fn pages_from_elsewhere_and_proxies_are_refused(on: Backend) {
    let service = Service::with(on, &[("CALIBER_DEV_SIGN_IN", "on")]);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("forwarded", "for=10.0.0.1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-host", "caliber.example"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "10.0.0.1"),
        ("via", "1.1 proxy"),
    ] {
        service.client().with(name, value).get("/auth/me").refused(403, "forbidden");
        service.client().with(name, value).bare("POST", "/auth/logout").refused(403, "forbidden");
    }
}

fn turned_off_it_is_off(on: Backend) {
    let service = Service::start(on);
    service.client().get("/auth/me").refused(401, "not_signed_in");
    service.client().get("/campaigns").refused(401, "not_signed_in");
}
