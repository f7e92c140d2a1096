//! The pages as a browser meets them, scripts aside.

use caliber_store::Backend;
use serde_json::json;

use crate::client::{Answer, Client, FORM, form};
use crate::people::{PASSWORD, id_of, report};
use crate::service::Service;

crate::on_both_databases! {
    every_page_is_safe_small_and_whole,
    who_is_not_signed_in_is_sent_to_sign_in_and_back,
    what_is_anothers_is_a_page_that_is_not_there,
    a_write_shows_that_it_comes_from_our_page,
    a_report_goes_from_upload_to_lists_without_scripts,
    roles_see_what_they_may_and_no_more,
    a_recipe_is_changed_in_place_by_whom_it_belongs_to,
    assets_are_packed_and_kept_for_ever,
}

pub(crate) const HTML: &str = "text/html,application/xhtml+xml";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A browser: its cookies, and the token that its forms repeat.
pub(crate) struct Browser {
    pub(crate) client: Client,
    pub(crate) csrf: String,
}

impl Browser {
    /// Signs in as a browser does.
    pub(crate) fn of(service: &Service, email: &str) -> Self {
        let anybody = service.client().at_root().with("accept", HTML);
        let fields = [("email", email), ("password", PASSWORD), ("next", "/profile")];
        let answer = post(&anybody, "/sign-in", &fields);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/profile")), "{}", answer.text());
        let cookies = answer.headers.get_all("set-cookie");
        let cookies: Vec<&str> =
            cookies.iter().map(|it| it.to_str().unwrap().split(';').next().unwrap()).collect();
        let csrf = cookies.iter().find_map(|cookie| cookie.strip_prefix("caliber_csrf=")).unwrap();
        Self { csrf: csrf.to_owned(), client: anybody.with("cookie", &cookies.join("; ")) }
    }

    /// A page that is there, of which what holds for every page holds.
    #[track_caller]
    pub(crate) fn page(&self, path: &str) -> String {
        checked(&self.client.get(path), 200)
    }

    /// Sends a form, with its token.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend(fields);
        post(&self.client, path, &all)
    }
}

/// Sends a form as a browser does.
pub(crate) fn post(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    client.send("POST", path, "application/x-www-form-urlencoded", body.into_bytes())
}

/// What holds for every page.
#[track_caller]
pub(crate) fn checked(answer: &Answer, status: u16) -> String {
    let html = answer.text();
    assert_eq!(answer.status, status, "{html}");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("content-security-policy"), Some(POLICY));
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(html.len() < 150_000, "{} bytes", html.len());
    for phrase in
        ["<style", " style=", " onclick=", "javascript:", "=\"http://", "=\"https://", "=\"//", "\u{27e6}"]
    {
        assert!(!html.contains(phrase), "`{phrase}` in {html}");
    }
    assert!(
        html.split("<script").skip(1).all(|script| script.trim_start().starts_with("src=\"/assets/")),
        "{html}"
    );
    assert!(html.contains("<html lang=\"en-GB\"") && html.contains("<h1"), "{html}");
    html
}

fn every_page_is_safe_small_and_whole(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let campaign = ana.scored(&report());
    let browser = Browser::of(&service, "ana@example.com");
    for path in [
        "/",
        "/campaigns",
        "/campaigns/new",
        "/lists",
        "/exports",
        "/files",
        "/recipes",
        "/jobs",
        "/people",
        "/organisation",
        "/help",
        "/profile",
        "/recipes/trade_desk-display-awareness",
    ] {
        browser.page(path);
    }
    let html = browser.page(&format!("/campaigns/{campaign}"));
    assert!(html.contains("class=\"table\""), "{html}");
    browser.page(&format!("/lists/{campaign}"));
    let anybody = service.client().at_root().with("accept", HTML);
    for path in ["/sign-in", "/register"] {
        checked(&anybody.get(path), 200);
    }
    for path in ["/no-such-page", "/set-password?token=x"] {
        checked(&anybody.get(path), 404);
    }
    checked(&browser.client.get("/join?token=x"), 404);
    let within = checked(&browser.client.get("/no-such-page"), 404);
    assert!(within.contains("href=\"/campaigns\""), "whoever is signed in keeps the way around: {within}");
    assert_eq!(
        service.client().at_root().get("/").data(200)["name"],
        "Caliber",
        "a program is told what this is"
    );
    service.client().at_root().with("accept", HTML).get("/api/v1/nothing").refused(404, "not_found");
}

fn who_is_not_signed_in_is_sent_to_sign_in_and_back(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let anybody = service.client().at_root().with("accept", HTML);
    let sent = anybody.get("/campaigns?status=failed&page=2");
    let to = "/sign-in?next=%2Fcampaigns%3Fstatus%3Dfailed%26page%3D2";
    assert_eq!((sent.status, sent.header("location")), (303, Some(to)));
    let html = checked(&anybody.get(to), 200);
    assert!(html.contains("value=\"/campaigns?status=failed&#38;page=2\""), "{html}");
    let part = anybody
        .with("hx-request", "true")
        .with("hx-current-url", "http://127.0.0.1/lists?page=2")
        .get("/jobs");
    assert_eq!((part.status, part.header("hx-redirect")), (200, Some("/sign-in?next=%2Flists%3Fpage%3D2")));
    let wrong = post(
        &anybody,
        "/sign-in",
        &[("email", "ana@example.com"), ("password", "wrong"), ("next", "/lists")],
    );
    assert!(checked(&wrong, 401).contains("the address or the password is wrong"));
    for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let fields = [("email", "ana@example.com"), ("password", PASSWORD), ("next", elsewhere)];
        assert_eq!(post(&anybody, "/sign-in", &fields).header("location"), Some("/"), "{elsewhere}");
    }
    let ended = anybody.with("cookie", "caliber_session=gone").get("/lists");
    assert_eq!(ended.header("location"), Some("/sign-in?next=%2Flists"));
    assert!(ended.header("set-cookie").unwrap().contains("Max-Age=0"), "what has ended is forgotten");
    let browser = Browser::of(&service, "ana@example.com");
    assert_eq!(browser.client.get("/sign-in?next=/lists").header("location"), Some("/lists"));
    let out = browser.post("/sign-out", &[]);
    assert_eq!((out.status, out.header("location")), (303, Some("/sign-in?done=signed-out")));
    assert_eq!(browser.client.get("/lists").status, 303, "the session is over");
}

fn what_is_anothers_is_a_page_that_is_not_there(on: Backend) {
    let service = Service::start(on);
    let campaign = service.manager("ana").scored(&report());
    service.manager("eve");
    let eve = Browser::of(&service, "eve@example.com");
    let own = "00000000-0000-7000-8000-000000000000";
    for (there, nowhere) in [
        (format!("/campaigns/{campaign}"), format!("/campaigns/{own}")),
        (format!("/lists/{campaign}"), format!("/lists/{own}")),
        (format!("/campaigns/{campaign}/progress"), format!("/campaigns/{own}/progress")),
    ] {
        let (anothers, nobodys) = (eve.client.get(&there), eve.client.get(&nowhere));
        checked(&anothers, 404);
        assert_eq!(anothers.text().replace(&campaign, own), nobodys.text(), "one cannot tell which");
    }
    checked(&eve.post(&format!("/campaigns/{campaign}/delete"), &[]), 404);
    checked(&eve.client.get("/campaigns/no-uuid"), 404);
}

fn a_write_shows_that_it_comes_from_our_page(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let name = [("name", "Ana Maria")];
    checked(&post(&ana.client, "/profile", &name), 403);
    checked(&post(&ana.client, "/profile", &[("csrf", "guess"), name[0]]), 403);
    checked(&ana.client.send("POST", "/campaigns/new", FORM, form(&[], "a.csv", &report())), 403);
    for (header, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let from_elsewhere = Browser { client: ana.client.with(header, value), csrf: ana.csrf.clone() };
        checked(&from_elsewhere.post("/profile", &name), 403);
    }
    assert!(!ana.page("/profile").contains("Ana Maria"));
    let by_form = ana.post("/profile", &name);
    assert_eq!((by_form.status, by_form.header("location")), (303, Some("/profile?done=saved")));
    assert!(ana.page("/profile?done=saved").contains("Saved."));
    let by_header =
        post(&ana.client.with("x-csrf-token", &ana.csrf), "/profile", &[("name", "Ana <b>Sol</b>")]);
    assert_eq!(by_header.status, 303);
    assert!(ana.page("/profile").contains("Ana &#60;b&#62;Sol"), "what people write is no markup");
    checked(&ana.post("/profile", &[("name", " ")]), 422);
}

fn a_report_goes_from_upload_to_lists_without_scripts(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let upload = |name: &str, bytes: &[u8]| {
        let path = format!("/campaigns/new?csrf={}", ana.csrf);
        ana.client.send("POST", &path, FORM, form(&[], name, bytes))
    };
    checked(&upload("report.pdf", b"%PDF-1.7"), 415);
    let check = upload("spring-report.csv", &report()).header("location").unwrap().to_owned();
    let html = ana.page(&check);
    assert!(html.contains("Recognised") && html.contains("value=\"Spring report\""), "{html}");
    let unknown =
        checked(&ana.post(&format!("{check}/check"), &[("platform", "pulsepoint"), ("channel", "ctv")]), 200);
    assert!(unknown.contains("This cannot be scored yet") && unknown.contains("disabled"), "{unknown}");
    let settings = [
        ("name", "Spring"),
        ("platform", "trade_desk"),
        ("channel", "display"),
        ("goal", "awareness"),
        ("level", "domain"),
        ("save_template", "on"),
    ];
    let begun = ana.post(&check, &settings);
    assert_eq!(begun.status, 303, "{}", begun.text());
    let path = begun.header("location").unwrap().to_owned();
    let campaign = path.rsplit('/').next().unwrap();
    assert_eq!(api.settled(campaign)["status"], "completed");
    assert!(ana.page(&path).contains("Campaign score"));
    assert!(ana.page("/recipes").contains("Spring"), "the settings are a template now");
    let taken = ana.post(
        &format!("/lists/{campaign}"),
        &[("list", "blocklist"), ("policy", "quartile"), ("share", "25")],
    );
    let version = taken.header("location").unwrap().to_owned();
    let html = ana.page(&version);
    assert!(html.contains("Version 1, blocklist") && html.contains("Worst 25% by score"), "{html}");
    let worst = api.get(&format!("/scoring/blacklist/{campaign}?share=0.25")).data(200)["rows"][0].clone();
    // It begins as a sentence does.
    let reason = &worst["reason"].as_str().unwrap()[1..];
    assert!(html.replace("&#39;", "'").contains(reason), "{worst} in {html}");
    assert!(ana.page("/lists").contains("Worst 25% by score"), "the newest that was kept");
    let download = ana.client.get(&format!("{version}/download"));
    assert_eq!(download.header("content-disposition"), Some("attachment; filename=\"blocklist-1.txt\""));
    let names = api.get(&format!("/scoring/lists/{campaign}/versions/1")).data(200)["names"].clone();
    let downloaded: Vec<String> = download.text().lines().map(str::to_owned).collect();
    assert_eq!(json!(downloaded), names);
    checked(&ana.post(&format!("/lists/{campaign}"), &[("list", "blocklist"), ("share", "80")]), 422);
    let until = [("list", "blocklist"), ("share", "10"), ("expires", "2999-01-31")];
    assert_eq!(ana.post(&format!("/lists/{campaign}"), &until).status, 303);
    let second = api.get(&format!("/scoring/lists/{campaign}/versions/2")).data(200);
    assert_eq!(second["expires_at"], "2999-01-31T23:59:59Z");
    let html = ana.page(&format!("/campaigns/{campaign}/lists?share=10&policy=quartile"));
    assert!(html.contains(">Compared with version 2</a>: 0 added, 0 removed"), "{html}");
    let html = checked(
        &ana.post(&format!("/lists/{campaign}"), &[until[0], until[1], ("expires", "2020-01-31")]),
        422,
    );
    assert!(html.contains("value=\"2020-01-31\""), "{html}");
}

fn roles_see_what_they_may_and_no_more(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    service.member(&ana, "viewer", "vera");
    let vera = Browser::of(&service, "vera@example.com");
    assert!(!vera.page("/").contains("href=\"/campaigns/new\""));
    checked(&vera.client.get("/campaigns/new"), 403);
    checked(&vera.post("/people/invitations", &[("role", "viewer")]), 403);
    checked(
        &vera.post("/organisation", &[("name", "Mine"), ("primary", "#000000"), ("accent", "#000000")]),
        403,
    );
    assert!(!vera.page("/people").contains("action=\"/people/invitations\""));
    let manager = Browser::of(&service, "ana@example.com");
    let invited = checked(&manager.post("/people/invitations", &[("role", "analyst")]), 200);
    assert!(invited.contains("value=\"/join?token="), "{invited}");
    assert!(!manager.page("/people").contains("/join?token="), "shown once");
    let link = invited.split("value=\"/join?").nth(1).unwrap().split('"').next().unwrap();
    service.manager("ben");
    let ben = Browser::of(&service, "ben@example.com");
    let offer = ben.page(&format!("/join?{link}"));
    assert!(offer.contains("ana invited you") && offer.contains("ben@example.com"), "{offer}");
    checked(&manager.client.get(&format!("/join?{link}")), 409);
    let token = link.split('=').nth(1).unwrap();
    assert_eq!(ben.post("/join", &[("token", token)]).status, 303);
    assert!(manager.page("/people").contains("ben, <time"), "one sees who accepted");
    checked(&manager.post("/people/invitations", &[("role", "admin")]), 403);
}

fn a_recipe_is_changed_in_place_by_whom_it_belongs_to(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let recipe = json!({"name": "ours", "platform": "trade_desk", "channel": "display", "goal": "awareness",
        "dimension": "domain", "min_impressions": 100, "metrics": [
            {"metric": "cpm", "weight": 0.4, "better": "lower"}, {"metric": "ctr", "weight": 0.6, "better": "higher"}]});
    let id = id_of(&api.post("/scoring/recipes", recipe).data(201));
    let ana = Browser::of(&service, "ana@example.com");
    let (path, save) = (format!("/recipes/{id}"), format!("/recipes/{id}/save"));
    assert!(ana.page(&path).contains(&format!("formaction=\"{save}\"")));
    let weights = [("weight.cpm", "75"), ("weight.ctr", "25"), ("name", "of a copy")];
    let saved = ana.post(&save, &weights);
    assert_eq!(
        (saved.status, saved.header("location")),
        (303, Some(&*format!("{path}?done=saved"))),
        "{}",
        saved.text()
    );
    let changed = api.get(&format!("/scoring/recipes/{id}")).data(200);
    let weight_of = |at: usize| changed["metrics"][at]["weight"].as_f64();
    assert_eq!((&changed["name"], weight_of(0), weight_of(1)), (&json!("ours"), Some(0.75), Some(0.25)));
    assert!(checked(&ana.post(&save, &[]), 422).contains("alert-danger"), "nothing weighs anything");
    checked(&ana.post("/recipes/trade_desk-display-awareness/save", &[("weight.cpm", "100")]), 409);

    service.member(&api, "analyst", "ben");
    let ben = Browser::of(&service, "ben@example.com");
    assert!(!ben.page(&path).contains(&save), "a colleague's is seen, and copied");
    checked(&ben.post(&save, &weights), 404);
    service.manager("eve");
    checked(&Browser::of(&service, "eve@example.com").post(&save, &weights), 404);
    assert_eq!(api.get(&format!("/scoring/recipes/{id}")).data(200), changed);
}

fn assets_are_packed_and_kept_for_ever(on: Backend) {
    let service = Service::start(on);
    let anybody = service.client().at_root();
    let html = anybody.with("accept", HTML).get("/sign-in").text();
    let assets: Vec<&str> =
        html.split('"').filter(|part| part.starts_with("/assets/") && !part.contains('#')).collect();
    assert!(assets.len() >= 5, "{html}");
    for path in assets {
        let plain = anybody.get(path);
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        if plain.header("content-type") == Some("text/css; charset=utf-8") {
            let packed = anybody.with("accept-encoding", "gzip, br").get(path);
            assert_eq!(packed.header("content-encoding"), Some("br"));
            assert!(packed.bytes.len() * 3 < plain.bytes.len(), "{path}");
        }
    }
    let old = anybody.get("/assets/0000000000000000/app.css");
    assert_eq!((old.status, old.header("cache-control")), (200, Some("no-cache")));
    assert_eq!(anybody.get("/assets/0000000000000000/no-such-file").status, 404);
}
