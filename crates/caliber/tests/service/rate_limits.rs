//! How often somebody may call.

use caliber_store::Backend;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::people::PASSWORD;
use crate::service::{Service, eventually};

crate::on_both_databases! {
    a_user_is_counted_over_all_tokens_and_others_by_themselves,
    who_is_not_signed_in_is_counted_by_address,
    what_watches_and_what_machines_ask_is_not_counted,
    pages_and_calls_under_a_browsers_session_are_counted_by_themselves,
    a_limit_that_is_used_up_comes_back,
    too_many_failed_sign_ins_refuse_the_right_password,
    without_limits_nothing_is_counted,
}

/// The refusal of a limit, and in how many seconds to come again.
#[track_caller]
fn too_often(answer: &Answer, most: u32) -> u64 {
    let body = answer.refused(429, "rate_limited");
    assert!(body["message"].as_str().unwrap().contains("try again in"), "{body}");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds >= 1);
    let told = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
        .map(|name| answer.header(name).unwrap());
    assert_eq!(told, [most.to_string().as_str(), "0", seconds.to_string().as_str()]);
    seconds
}

fn limited(on: Backend, calls: &str) -> Service {
    // Whoever has no session yet registers and signs in under the limit of addresses, which is the same.
    Service::with(on, &[("CALIBER_RATE_LIMIT", calls)])
}

fn a_user_is_counted_over_all_tokens_and_others_by_themselves(on: Backend) {
    let service = limited(on, "5/1h");
    let (ana, ben) = (service.manager("ana"), service.manager("ben"));
    for left in ["4", "3", "2"] {
        let answer = ana.get("/auth/me");
        answer.data(200);
        let told =
            ["ratelimit-limit", "ratelimit-remaining", "ratelimit-policy"].map(|name| answer.header(name));
        assert_eq!(told, [Some("5"), Some(left), Some("5;w=3600")]);
        let reset: u64 = answer.header("ratelimit-reset").unwrap().parse().unwrap();
        assert!((3500..=3600).contains(&reset), "{reset}");
    }
    let other_token = service.signed_in("ana@example.com");
    ana.get("/campaigns/no-id").refused(404, "not_found");
    other_token.post("/campaigns", json!({})).refused(422, "invalid");
    for client in [&ana, &other_token] {
        let seconds = too_often(&client.get("/auth/me"), 5);
        assert!((3500..=3600).contains(&seconds), "{seconds}");
        too_often(&client.post("/campaigns", json!({})), 5);
    }
    ben.get("/auth/me").data(200);
    // Five calls of the address were for registering and signing in.
    too_often(&service.client().get("/auth/me"), 5);
}

fn who_is_not_signed_in_is_counted_by_address(on: Backend) {
    let service = limited(on, "6/1h");
    let ana = service.manager("ana");
    let anybody = service.client();
    let forged = anybody.with("x-forwarded-for", "203.0.113.7").with("forwarded", "for=203.0.113.8");
    anybody.get("/auth/me").refused(401, "not_signed_in");
    anybody.bearing("x").get("/auth/me").refused(401, "not_signed_in");
    anybody.with("x-api-key", "guess").get("/auth/me").refused(401, "not_signed_in");
    forged.at_root().get("/nothing").refused(404, "not_found");
    for client in [&anybody, &forged, &anybody.bearing("y"), &anybody.with("x-real-ip", "203.0.113.9")] {
        too_often(&client.get("/auth/me"), 6);
        too_often(&client.at_root().get("/nothing"), 6);
        let login = json!({"email": "ana@example.com", "password": PASSWORD});
        too_often(&client.post("/auth/login", login), 6);
        too_often(&client.post("/auth/register", json!({})), 6);
    }
    let page = anybody.at_root().with("accept", "text/html").get("/sign-in");
    assert_eq!((page.status, page.header("retry-after").is_some()), (429, true));
    assert!(
        page.text().contains("Too many attempts") && page.text().contains("try again in"),
        "{}",
        page.text()
    );
    ana.get("/auth/me").data(200);
}

fn what_watches_and_what_machines_ask_is_not_counted(on: Backend) {
    let service = limited(on, "7/1h");
    let ana = service.manager("ana");
    let campaign = ana.campaign("Spring");
    let root = ana.at_root();
    let asset = {
        let page = service.client().at_root().with("accept", "text/html").get("/sign-in").text();
        page.split('"').find(|part| part.starts_with("/assets/")).unwrap().to_owned()
    };
    let free = [
        "/health",
        "/health/live",
        "/health/ready",
        "/health/detailed",
        "/metrics",
        "/openapi.json",
        "/docs/index.html",
        "/redoc",
        &asset,
        &format!("/api/v1/scoring/progress/{campaign}"),
        &format!("/scoring/progress/{campaign}"),
        &format!("/api/v1/scoring/progress/{campaign}/stream"),
    ];
    for path in free {
        for turn in 0..8 {
            let answer = root.get(path);
            assert_eq!(answer.status, 200, "{path} {turn}");
            assert_eq!(answer.header("ratelimit-limit"), None, "{path}");
        }
    }
    assert_eq!(ana.get("/auth/me").header("ratelimit-remaining"), Some("5"), "one campaign, and this");
}

/// Somebody's browser.
fn browser(service: &Service, email: &str) -> Client {
    let login = json!({"email": email, "password": PASSWORD});
    let answer = service.client().post("/auth/login?session=cookie", login);
    let cookies: Vec<&str> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .collect();
    service.client().at_root().with("cookie", &cookies.join("; ")).with("accept", "text/html")
}

fn pages_and_calls_under_a_browsers_session_are_counted_by_themselves(on: Backend) {
    let limits = [("CALIBER_RATE_LIMIT", "100/1h"), ("CALIBER_PAGE_RATE_LIMIT", "4/1h")];
    let service = Service::with(on, &limits);
    let ana = service.manager("ana");
    let (laptop, phone) = (browser(&service, "ana@example.com"), browser(&service, "ana@example.com"));
    for (browser, path) in
        [(&laptop, "/campaigns"), (&phone, "/lists"), (&laptop, "/api/v1/auth/me"), (&phone, "/")]
    {
        assert_eq!(browser.get(path).status, 200, "{path}");
    }
    for path in ["/campaigns", "/"] {
        let page = laptop.get(path);
        assert_eq!(
            (page.status, page.header("content-type")),
            (429, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(page.header("retry-after").unwrap().parse::<u64>().unwrap() >= 3500);
        let text = page.text();
        assert!(
            text.contains("Too many attempts") && text.contains("too many calls: 4 in 1 h are taken"),
            "{text}"
        );
        assert!(text.contains("href=\"/lists\""), "within the frame of the other pages");
    }
    too_often(&phone.get("/api/v1/auth/me"), 4);
    assert_eq!(
        ana.get("/auth/me").header("ratelimit-remaining"),
        Some("99"),
        "a token has a limit of its own"
    );
}

fn a_limit_that_is_used_up_comes_back(on: Backend) {
    let service = limited(on, "20/4s,1000/1h");
    let anybody = service.client();
    let refused = (0..2000).map(|_| anybody.get("/auth/me")).find(|answer| answer.status == 429).unwrap();
    let seconds = too_often(&refused, 20);
    assert!(seconds <= 4, "{seconds}");
    eventually("it comes back", || (anybody.get("/auth/me").status == 401).then_some(()));
}

fn too_many_failed_sign_ins_refuse_the_right_password(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let page = service.client().at_root().with("accept", "text/html");
    let form = |email: &str, password: &str| {
        let form = format!("email={email}&password={password}").into_bytes();
        page.send("POST", "/sign-in", "application/x-www-form-urlencoded", form)
    };
    let call = |email: &str, password: &str| {
        service.client().post("/auth/login", json!({"email": email, "password": password}))
    };
    // By either way, for somebody and for nobody: the fifth failure of this address is the last that is answered.
    call("ana@example.com", "wrong").refused(401, "not_signed_in");
    call("nobody@example.com", "wrong").refused(401, "not_signed_in");
    assert_eq!(form("nobody@example.com", "wrong").status, 401);
    assert_eq!(form("ana@example.com", "wrong").status, 401);
    ana.put("/auth/password", json!({"current": "wrong", "new": "seven quiet rivers at dusk"}))
        .invalid("current");
    let refused = |email: &str| {
        let answer = call(email, PASSWORD);
        let mut body = answer.refused(429, "rate_limited");
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((800..=900).contains(&seconds), "{seconds}");
        let message = body["message"].as_str().unwrap().replace(&seconds.to_string(), "some");
        body["request_id"].take();
        body["message"].take();
        (message, body)
    };
    assert_eq!(refused("ana@example.com"), refused("nobody@example.com"), "nobody learns who has an account");
    let shown = form("ana@example.com", &PASSWORD.replace(' ', "+"));
    assert_eq!((shown.status, shown.header("set-cookie")), (429, None));
    assert!(shown.header("retry-after").is_some());
    assert!(shown.text().contains("too many attempts; try again in"), "{}", shown.text());
    let change = json!({"current": PASSWORD, "new": "seven quiet rivers at dusk"});
    ana.put("/auth/password", change).refused(429, "rate_limited");
    ana.get("/auth/me").data(200);
}

fn without_limits_nothing_is_counted(on: Backend) {
    let service = Service::with(on, &[("CALIBER_AUTH_RATE_LIMIT", "off")]);
    let ana = service.manager("ana");
    for _ in 0..120 {
        let answer = ana.get("/auth/me");
        assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, None));
    }
    for _ in 0..7 {
        let login = json!({"email": "ana@example.com", "password": "wrong"});
        service.client().post("/auth/login", login).refused(401, "not_signed_in");
    }
    service.sign_in("ana@example.com", PASSWORD);
}

#[test]
fn as_it_comes_a_hundred_calls_a_minute_are_taken() {
    let mut service = Service::prepared(Backend::Sqlite, &[]);
    service.unset("CALIBER_RATE_LIMIT");
    service.unset("CALIBER_PAGE_RATE_LIMIT");
    service.start_again();
    let ana = service.manager("ana");
    let answer = ana.get("/auth/me");
    let told = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-policy"].map(|name| answer.header(name));
    assert_eq!(told, [Some("100"), Some("99"), Some("100;w=60")]);
    let page = browser(&service, "ana@example.com").get("/campaigns");
    assert_eq!(page.header("ratelimit-policy"), Some("1200;w=60"));
}

#[test]
fn the_developers_pages_are_counted_as_pages_and_calls_as_calls() {
    let limits =
        [("CALIBER_DEV_SIGN_IN", "on"), ("CALIBER_RATE_LIMIT", "2/1h"), ("CALIBER_PAGE_RATE_LIMIT", "3/1h")];
    let service = Service::with(Backend::Sqlite, &limits);
    let page = service.client().at_root().with("accept", "text/html");
    for _ in 0..3 {
        assert_eq!(page.get("/campaigns").status, 200);
    }
    assert_eq!(page.get("/campaigns").status, 429);
    for _ in 0..2 {
        service.client().get("/auth/me").data(200);
    }
    too_often(&service.client().get("/auth/me"), 2);
}

#[test]
fn behind_a_trusted_proxy_clients_are_told_apart() {
    let settings = [("CALIBER_RATE_LIMIT", "2/1h"), ("CALIBER_TRUSTED_PROXIES", "127.0.0.0/8")];
    let service = Service::with(Backend::Sqlite, &settings);
    // What the client wrote, and what the proxy added.
    let client = |forged: &str, address: &str| {
        service.client().with("x-forwarded-for", &format!("{forged}, {address}")).get("/auth/me")
    };
    for address in ["203.0.113.7", "203.0.113.8"] {
        for forged in ["198.51.100.1", "198.51.100.2"] {
            client(forged, address).refused(401, "not_signed_in");
        }
        too_often(&client("198.51.100.3", address), 2);
    }
    let wrong = |address: &str| {
        let login = json!({"email": "nobody@example.com", "password": "wrong"});
        service.client().with("x-forwarded-for", address).post("/auth/login", login).status
    };
    assert_eq!([wrong("203.0.113.9"), wrong("203.0.113.9"), wrong("203.0.113.9")], [401, 401, 429]);
}
