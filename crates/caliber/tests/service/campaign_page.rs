//! The pages of a scored campaign, as a browser without scripts and one with htmx ask for them.

use caliber_store::Backend;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::people::{PASSWORD, report};
use crate::service::{Service, at_once};

crate::on_both_databases! {
    the_figures_of_the_page_are_those_of_the_api,
    the_grid_has_the_rows_of_the_api_in_their_order,
    a_script_gets_the_grid_alone,
    a_row_is_explained_in_the_words_of_the_api,
    other_weights_are_tried_and_saved_as_a_recipe,
    lists_are_tried_without_being_kept,
    names_are_marked_by_hand,
    names_that_are_marked_at_once_all_stay,
    scoring_again_that_was_cancelled_is_told_as_such,
    runs_and_campaigns_are_compared,
    somebody_elses_campaign_has_no_pages,
    what_is_wrong_in_an_address_is_told,
}

/// The most bytes of a page.
const MOST_BYTES: usize = 150_000;

/// The same client as a browser.
fn browser(client: &Client) -> Client {
    client.at_root().with("accept", "text/html")
}

/// A page, of which what holds for every page was seen to hold.
#[track_caller]
fn page(client: &Client, path: &str) -> String {
    let answer = browser(client).get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let varies =
        answer.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("HX-Request"));
    assert!(varies, "{path}");
    let html = answer.text();
    assert!(html.len() < MOST_BYTES, "{path} has {} bytes", html.len());
    for inline in ["<style", " style=", " onclick=", "javascript:", "<script>"] {
        assert!(!html.contains(inline), "{path}: {inline}");
    }
    assert!(html.contains("<main"), "{path}");
    html.replace("&#39;", "'")
}

/// What stands between two marks, each time it does.
fn all_between<'a>(html: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    html.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

/// The names of the grid, from the top.
fn names(html: &str) -> Vec<String> {
    let names = all_between(html, "hx-boost=\"false\" data-explain>", "</a>");
    names.into_iter().map(str::to_owned).collect()
}

fn names_of(client: &Client, id: &str, query: &str) -> Vec<String> {
    let rows = client.get(&format!("/scoring/results/{id}?per_page=50&{query}")).data(200);
    rows.as_array().unwrap().iter().map(|row| row["domain_display"].as_str().unwrap().to_owned()).collect()
}

/// A form as a browser sends it.
fn send(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    crate::pages::post(&browser(client), path, fields)
}

fn the_figures_of_the_page_are_those_of_the_api(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let summary = ana.get(&format!("/scoring/summary/{id}")).data(200);
    let html = page(&ana, &format!("/campaigns/{id}"));
    let score = format!("{:.1}<small> / 100</small>", summary["campaign_score"].as_f64().unwrap());
    assert!(html.contains(&score), "{score}");
    for band in ["good", "moderate", "poor"] {
        let count = format!("<strong>{}</strong>", summary["status_counts"][band]);
        let link = format!("data-filter=\"{band}\"");
        let told = html.split(&link).nth(1).unwrap();
        assert!(told.starts_with('>') && told[..200].contains(&count), "{band}: {count}");
    }
    let blocked = format!("<dd class=\"figure\">{}</dd>", summary["lists"]["blocklist"]["count"]);
    assert!(html.contains(&blocked), "{blocked}");
    for export in [
        "results/csv",
        "results/xlsx",
        "results/parquet",
        "results/json",
        "summary/csv",
        "data/json",
        "whitelist/csv",
        "whitelist/json",
        "blacklist/csv",
        "blacklist/json",
        "optimization-lists/csv",
    ] {
        assert!(html.contains(&format!("/api/v1/reports/export/campaigns/{id}/{export}\"")), "{export}");
    }
    assert!(html.contains(&format!("/api/v1/reports/campaigns/{id}/pdf\"")));

    let charts: Value = browser(&ana).get(&format!("/campaigns/{id}/charts")).json();
    let binned = |band: &str| {
        charts["histogram"].as_array().unwrap().iter().map(|bin| bin[band].as_u64().unwrap()).sum::<u64>()
    };
    for band in ["good", "moderate", "poor"] {
        assert_eq!(binned(band), summary["status_counts"][band].as_u64().unwrap(), "{band}");
        assert_eq!(charts["status_counts"][band], summary["status_counts"][band]);
    }
    let bubbles: Vec<&str> =
        charts["bubbles"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    let by_spend = ana.get(&format!("/scoring/results/{id}?sort_by=spend&per_page=100")).data(200);
    let by_spend: Vec<&str> =
        by_spend.as_array().unwrap().iter().map(|row| row["domain"].as_str().unwrap()).collect();
    assert_eq!(bubbles, by_spend);
}

fn the_grid_has_the_rows_of_the_api_in_their_order(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let all = names_of(&ana, &id, "");
    assert!(all.len() > 20);
    for query in [
        "",
        "sort_by=spend&sort_direction=asc",
        "sort_by=domain&sort_direction=asc",
        "sort_by=metric.ctr",
        "quality_status=poor",
        "min_score=40&max_score=60",
        "min_impressions=1000&sort_by=impressions",
        "outliers_only=true",
        "search=example",
        "quality_status=good&search=a&sort_by=percentile_rank&sort_direction=asc",
    ] {
        let html = page(&ana, &format!("/campaigns/{id}?{query}"));
        assert_eq!(names(&html), names_of(&ana, &id, query), "{query}");
    }
    // Pages lead to each other by links, and keep what was asked for.
    let first = page(&ana, &format!("/campaigns/{id}?per_page=25&sort_by=spend&sort_direction=asc"));
    let before = first.split("\" rel=\"next\"").next().unwrap();
    let next = before.rsplit("href=\"").next().unwrap().replace("&#38;", "&");
    let second = page(&ana, &next);
    let both = [names(&first), names(&second)].concat();
    assert_eq!(both, names_of(&ana, &id, "sort_by=spend&sort_direction=asc")[..both.len()]);
    // What the address does not choose is not shown.
    let few = page(&ana, &format!("/campaigns/{id}?cols=impressions"));
    assert!(few.contains("value=\"impressions\" checked") && !few.contains("value=\"spend\" checked"));
    let nothing = page(&ana, &format!("/campaigns/{id}?search=no-such-name"));
    assert!(names(&nothing).is_empty() && nothing.contains("Nothing found"));
}

fn a_script_gets_the_grid_alone(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let path = format!("/campaigns/{id}?quality_status=good");
    let htmx = browser(&ana).with("hx-request", "true").with("hx-target", "grid");
    let part = htmx.get(&path);
    assert_eq!(part.status, 200);
    let part = part.text();
    assert!(part.trim_start().starts_with("<section") && !part.contains("<main"), "{part}");
    assert_eq!(names(&part), names(&page(&ana, &path)));
    let row = names(&part).swap_remove(0);
    let drawer = browser(&ana).with("hx-request", "true").with("hx-target", "drawer-body");
    let drawer = drawer.get(&format!("/campaigns/{id}/domains/{row}")).text();
    assert!(!drawer.contains("<main") && drawer.contains(&row), "{drawer}");
}

fn a_row_is_explained_in_the_words_of_the_api(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let worst = names_of(&ana, &id, "sort_direction=asc").swap_remove(0);
    let explained = ana.get(&format!("/scoring/explain/{id}/{worst}")).data(200);
    let html = page(&ana, &format!("/campaigns/{id}/domains/{worst}"));
    let words = explained["explanation"].as_str().unwrap();
    assert!(html.contains(words), "{words}");
    for (_, points) in explained["feature_contributions"].as_object().unwrap() {
        let points = format!("{:.1}", points.as_f64().unwrap().abs());
        assert!(html.contains(&format!("{points}</td>")), "{points}");
    }
    let (low, high) = (explained["score_low"].as_f64().unwrap(), explained["score_high"].as_f64().unwrap());
    assert!(html.contains(&format!("{low:.1}&ndash;{high:.1}")), "{low} {high}");
    // However it is written, the same row is found; what is none is told with what is near.
    let written = page(&ana, &format!("/campaigns/{id}/domains/https%3A%2F%2Fwww.{worst}%2Fx"));
    assert!(written.contains(words));
    let missing = browser(&ana).get(&format!("/campaigns/{id}/domains/x{worst}"));
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains(&worst), "{}", missing.text());
}

fn other_weights_are_tried_and_saved_as_a_recipe(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let weights = json!({"campaign_id": id, "weights": {"cpm": 30, "ctr": 70}, "per_page": 25});
    let found = ana.post("/scoring/what-if", weights).data(200);
    let html = page(&ana, &format!("/campaigns/{id}/what-if?w.cpm=30&w.ctr=70"));
    let rows = all_between(&html, "hx-boost=\"false\">", "</a></th>");
    let rows: Vec<&str> = rows.into_iter().filter(|row| !row.contains('<')).collect();
    let must: Vec<&str> =
        found["results"].as_array().unwrap().iter().map(|row| row["domain"].as_str().unwrap()).collect();
    assert_eq!(rows, must);
    let after = format!("{:.1} ", found["campaign_score_after"].as_f64().unwrap());
    assert!(html.contains(&after), "{after}");
    assert!(html.contains(&format!("<dd class=\"figure\">{}<small>", found["status_changed"])));

    let recipe = format!("/campaigns/{id}/what-if/recipe");
    let fields = [("w.cpm", "30"), ("w.ctr", "70"), ("recipe_name", "ours-tuned")];
    let saved = send(&ana, &recipe, &fields);
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert!(page(&ana, saved.header("location").unwrap()).contains("The recipe ours-tuned is saved."));
    let known = ana.get("/scoring/recipes").data(200);
    let known = known.as_array().unwrap().iter().find(|recipe| recipe["name"] == "ours-tuned").unwrap();
    let weight = |metric: &str| {
        let metrics = known["metrics"].as_array().unwrap();
        let found = metrics.iter().find(|it| it["metric"] == metric).map(|it| it["weight"].as_f64().unwrap());
        found.unwrap_or_default()
    };
    assert!((weight("cpm") - 0.3).abs() < 1e-9 && (weight("ctr") - 0.7).abs() < 1e-9, "{known}");
    let again = send(&ana, &recipe, &fields);
    assert_eq!(again.status, 409);
    assert!(again.text().contains("class=\"problem\""), "{}", again.text());
    let scored = send(&ana, &format!("/campaigns/{id}/score"), &[("recipe", "ours-tuned")]);
    assert_eq!(scored.status, 303, "{}", scored.text());
    assert_eq!(ana.settled(&id)["scoring_config_snapshot"]["recipe"], "ours-tuned");
}

fn lists_are_tried_without_being_kept(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let html = page(&ana, &format!("/campaigns/{id}/lists?share=10&min_impressions=1000&policy=quartile"));
    assert_eq!(ana.get(&format!("/scoring/lists/{id}/versions")).body(200)["total"], 0);
    for list in ["whitelist", "blacklist"] {
        let must = ana.get(&format!("/scoring/{list}/{id}?share=0.1&min_impressions=1000")).data(200);
        let told = html.split(&format!("id=\"draft-{list}\"")).nth(1).unwrap();
        let figures = format!(
            "{}<small> / {}</small>",
            must["criteria_used"]["selected_count"], must["criteria_used"]["total_candidates"]
        );
        assert!(told.contains(&figures), "{list}: {figures}");
        let first = must["domains"][0].as_str().unwrap();
        assert!(told.contains(&format!(">{first}</a>")), "{list}: {first}");
        assert!(told.contains(&format!("/export/campaigns/{id}/{list}/dsp")));
    }
    let part = browser(&ana).with("hx-request", "true").with("hx-target", "drafts");
    let part = part.get(&format!("/campaigns/{id}/lists?share=40")).text();
    assert!(part.trim_start().starts_with("<div class=\"drafts\""), "{part}");
}

fn names_are_marked_by_hand(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let best = names_of(&ana, &id, "").swap_remove(0);
    let marks = format!("/campaigns/{id}/marks");
    let next = format!("/campaigns/{id}?quality_status=good");
    let block = [("name", best.as_str()), ("mark", "block"), ("next", next.as_str())];
    let done = send(&ana, &marks, &block);
    assert_eq!((done.status, done.header("location")), (303, Some(next.as_str())), "{}", done.text());
    let listed = |list: &str| ana.get(&format!("/scoring/{list}/{id}")).data(200)["domains"].to_string();
    assert!(listed("blacklist").contains(&best) && !listed("whitelist").contains(&best));
    assert!(page(&ana, &next).contains("Blocked</span>"));
    // Another decision takes the place of the first, and none gives the rule its way.
    send(&ana, &marks, &[("name", &best), ("mark", "protect"), ("next", "//evil.example")]);
    assert!(!listed("blacklist").contains(&best) && listed("whitelist").contains(&best));
    let pasted = send(&ana, &marks, &[("names", "one.example, two.example"), ("mark", "allow")]);
    assert_eq!(pasted.header("location"), Some(format!("/campaigns/{id}").as_str()));
    let html = page(&ana, &format!("/campaigns/{id}/lists"));
    assert!(
        [best.as_str(), "one.example", "two.example"]
            .iter()
            .all(|name| html.contains(&format!("<li>{name}")))
    );
    send(&ana, &marks, &[("name", "one.example"), ("mark", "none")]);
    assert!(!listed("whitelist").contains("one.example") && listed("whitelist").contains("two.example"));
    assert_eq!(send(&ana, &marks, &[("name", &best), ("mark", "burn")]).status, 422);

    // A viewer sees, and does not decide; a cookie alone is not enough to write.
    let viewer = service.member(&ana, "viewer", "vic");
    assert!(!page(&viewer, &format!("/campaigns/{id}")).contains("name=\"mark\""));
    assert_eq!(send(&viewer, &marks, &block).status, 403);
    let login = json!({"email": "ana@example.com", "password": PASSWORD});
    let session = service.client().post("/auth/login?session=cookie", login);
    let cookies: Vec<&str> = session
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .collect();
    let cookie = service.client().with("cookie", &cookies.join("; "));
    assert_eq!(send(&cookie, &marks, &block).status, 403);
    let html = page(&cookie, &format!("/campaigns/{id}"));
    let token = all_between(&html, "name=\"csrf\" value=\"", "\"").swap_remove(0).to_owned();
    let with_token = [&block[..], &[("csrf", token.as_str())]].concat();
    assert_eq!(send(&cookie, &marks, &with_token).status, 303);
}

fn names_that_are_marked_at_once_all_stay(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let marks = format!("/campaigns/{id}/marks");
    let statuses = at_once(12, |at| {
        let client = service.client().with("authorization", ana.credential());
        let (name, mark) = (format!("site{at}.example"), ["allow", "block", "protect"][at % 3]);
        send(&client, &marks, &[("name", &name), ("mark", mark)]).status
    });
    assert_eq!(statuses, [303; 12]);
    let html = page(&ana, &format!("/campaigns/{id}/lists"));
    for at in 0..12 {
        assert!(html.contains(&format!("<li>site{at}.example")), "site{at}.example is lost");
    }
}

fn scoring_again_that_was_cancelled_is_told_as_such(on: Backend) {
    let mut service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    let never = ana.campaign_with(&report());
    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let ana = service.signed_in("ana@example.com");
    for (id, body) in
        [(&id, json!({"campaign_id": id, "force_reprocess": true})), (&never, json!({"campaign_id": never}))]
    {
        ana.post("/scoring/start", body).data(202);
        assert_eq!(send(&ana, &format!("/campaigns/{id}/cancel"), &[]).status, 303);
    }
    let html = page(&ana, &format!("/campaigns/{id}"));
    assert!(html.contains("Scoring again was cancelled. These are still the results of the run before."));
    assert!(!html.contains("Scoring again failed") && !names(&html).is_empty(), "{html}");
    let html = page_of_unscored(&ana, &never);
    assert!(html.contains("Scoring was cancelled") && !html.contains("Scoring failed"), "{html}");
    let dashboard = browser(&ana).get("/").text();
    assert!(!dashboard.contains("Scoring failed"), "{dashboard}");
}

fn runs_and_campaigns_are_compared(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    assert!(page(&ana, &format!("/campaigns/{id}/compare")).contains("Nothing to compare with yet"));
    let before = ana.get(&format!("/scoring/summary/{id}")).data(200)["run_id"].as_str().unwrap().to_owned();
    ana.post(&format!("/scoring/outliers/{id}/treat"), json!({"treatment": "drop"})).data(200);
    let changed = ana.get(&format!("/scoring/explain/changes?before={before}&after={id}")).data(200);
    // The run before is what one compares with unless one chooses.
    let html = page(&ana, &format!("/campaigns/{id}/compare"));
    assert!(html.contains(changed["explanation"].as_str().unwrap()), "{changed}");
    for change in changed["score_changes"].as_array().unwrap() {
        let name = change["domain"].as_str().unwrap();
        assert!(html.contains(&format!(">{name}<")), "{name}");
    }
    let other = ana.scored(&report());
    let with = page(&ana, &format!("/campaigns/{other}/compare?with={id}"));
    assert!(with.contains(&format!("value=\"{id}\" selected")), "{with}");
}

fn somebody_elses_campaign_has_no_pages(on: Backend) {
    let service = Service::start(on);
    let (ana, ben) = (service.manager("ana"), service.manager("ben"));
    let id = ana.scored(&report());
    let own = ben.scored(&report());
    let row = names_of(&ana, &id, "").swap_remove(0);
    for below in ["", "/charts", "/what-if", "/lists", "/compare", &format!("/domains/{row}")] {
        let answer = browser(&ben).get(&format!("/campaigns/{id}{below}"));
        assert_eq!(answer.status, 404, "{below}");
        let asked = browser(&service.client()).get(&format!("/campaigns/{id}{below}"));
        assert_eq!(asked.status, 303, "{below}");
        assert!(asked.header("location").unwrap().starts_with("/sign-in?next="), "{below}");
    }
    assert_eq!(browser(&ben).get(&format!("/campaigns/{own}/compare?with={id}")).status, 404);
    for (below, fields) in [
        ("marks", vec![("name", row.as_str()), ("mark", "block")]),
        ("score", Vec::new()),
        ("what-if/recipe", vec![("w.ctr", "1"), ("recipe_name", "stolen")]),
    ] {
        assert_eq!(send(&ben, &format!("/campaigns/{id}/{below}"), &fields).status, 404, "{below}");
    }
}

fn what_is_wrong_in_an_address_is_told(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    for below in [
        "?sort_by=mood",
        "?sort_by=metric.magic",
        "?min_score=x",
        "?page=0",
        "/what-if?w.magic=1",
        "/what-if?w.ctr=-1",
        "/what-if?w.ctr=0",
        "/lists?share=51",
        "/lists?policy=mood",
        "/compare?with=x",
    ] {
        let answer = browser(&ana).get(&format!("/campaigns/{id}{below}"));
        assert_eq!(answer.status, 422, "{below}: {}", answer.text());
        assert!(answer.text().contains("error-code"), "{below}");
    }
    let unscored = ana.campaign("empty");
    assert!(page_of_unscored(&ana, &unscored).contains("No report yet"));
    for below in ["what-if", "lists", "compare", "domains/x.example"] {
        let answer = browser(&ana).get(&format!("/campaigns/{unscored}/{below}"));
        assert_eq!(answer.status, 409, "{below}");
        assert!(answer.text().contains("has not been scored yet"), "{below}");
    }
}

fn page_of_unscored(client: &Client, id: &str) -> String {
    let answer = browser(client).get(&format!("/campaigns/{id}"));
    assert_eq!(answer.status, 200);
    answer.text()
}
