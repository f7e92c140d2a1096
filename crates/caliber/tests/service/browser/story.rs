//! What a new user comes for, from registering to signing out.

use std::collections::BTreeSet;
use std::fs;

use caliber_store::Backend;
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::trader::{renamed, sample};
use super::window::Window;
use crate::client::Client;
use crate::kills::Worker;
use crate::people::PASSWORD;
use crate::service::Service;

const EMAIL: &str = "bea@example.com";
const REPORTS: &str = "/reports";

#[test]
fn a_new_user_goes_from_a_messy_report_to_lists_and_signs_out() {
    // Nobody works yet: what waits can be looked at.
    let service = Service::with(Backend::Sqlite, &[("CALIBER_WORKERS", "0")]);
    let window = Window::of(&service);
    register(&window);
    drop_a_report(&window);
    upload_a_messy_report(&window, &service);
    fix_a_mapping(&window);
    let (campaign, _worker) = score(&window, &service);
    let api = service.signed_in(EMAIL);
    sort(&window, &api, &campaign);
    filter_by_a_chart(&window, &api, &campaign);
    open_an_explanation(&window, &api, &campaign);
    tune_weights(&window, &campaign);
    choose_thresholds(&window, &api, &campaign);
    take_away(&window, &api, &campaign);
    score_again_and_compare(&window, &api, &campaign);
    sign_out(&window);
    window.has_no_errors(&[]);
}

fn register(window: &Window) {
    window.open("/");
    window.arrives("/sign-in");
    window.click_on("Create an account");
    window.fill("#name", "Bea Ruiz");
    window.fill("#email", EMAIL);
    window.fill("#password", PASSWORD);
    window.click_on("Create account");
    window.reads("Welcome to Caliber");
    window.arrives("/");
}

/// On the first page, as on every other, a report can be dropped.
fn drop_a_report(window: &Window) {
    let text = String::from_utf8(crate::people::report()).unwrap();
    let made = format!(
        "const carried = new DataTransfer();
         carried.items.add(new File([{}], 'week-12.csv', {{ type: 'text/csv' }}));
         const say = (name) => document.querySelector('main').dispatchEvent(
             new DragEvent(name, {{ dataTransfer: carried, bubbles: true, cancelable: true }}));
         say('dragenter');
         const isInvited = getComputedStyle(document.querySelector('.drop-veil')).display !== 'none';
         say('dragover');
         say('drop');
         return isInvited;",
        json!(text)
    );
    assert_eq!(window.script(&made), true, "one sees that a report can be dropped");
    window.reads("Recognised");
    assert!(window.path().starts_with("/campaigns/new/"), "{}", window.path());
    assert_eq!(value(window, "#name"), "Week 12");
}

fn upload_a_messy_report(window: &Window, service: &Service) {
    let messy = sample(&[
        "--platform",
        "trade_desk",
        "--channel",
        "display",
        "--rows",
        "40000",
        "--domains",
        "250",
        "--mess",
        "preamble,percent,totals,thousands",
    ]);
    let messy = renamed(&String::from_utf8(messy).unwrap(), ",Site,", ",Where it ran,");
    let file = service.folder().join("spring messy-report.csv");
    fs::write(&file, messy).unwrap();
    window.open("/campaigns/new");
    window.attach("#file", &file);
    window.reads("This cannot be scored yet");
    window.until("it cannot be started", "document.querySelector('#review .btn-primary').disabled");
}

fn fix_a_mapping(window: &Window) {
    window.choose("select[aria-label*='Where it ran']", "domain");
    window.until("it can be started", "!document.querySelector('#review .btn-primary').disabled");
    window.fill("#name", "Spring, messy");
}

/// Starts and watches; the campaign, and who works on it.
fn score(window: &Window, service: &Service) -> (String, Worker) {
    window.click("#review .btn-primary");
    window.until("progress is told", "document.querySelector('[sse-connect] progress')");
    let campaign = window.path().rsplit('/').next().unwrap().to_owned();
    window.keep("scoring");
    window.script("window.wasWatched = true");
    let log = fs::File::create(service.folder().join("worker.log")).unwrap();
    let worker = Worker::of(service, log.into());
    window.until(
        "the stream has led on, by itself, to the results",
        "document.querySelector('.tiles.figures') && !document.querySelector('[sse-connect]') && !window.wasWatched",
    );
    window.reads("Spring, messy");
    (campaign, worker)
}

fn sort(window: &Window, api: &Client, campaign: &str) {
    window.click(".grid-table th a[href*='sort_by=spend']");
    window.until("sorted", "location.search.includes('sort_by=spend')");
    shows_rows_of(window, api, campaign, "sort_by=spend");
    window.fill("#grid-search", "a");
    window.until("searched", "location.search.includes('search=a')");
    shows_rows_of(window, api, campaign, "sort_by=spend&search=a");
    window.open(&window.path());
    shows_rows_of(window, api, campaign, "sort_by=spend&search=a");
    window.open(&format!("/campaigns/{campaign}"));
}

/// Waits until the grid has the rows that the API has.
#[track_caller]
fn shows_rows_of(window: &Window, api: &Client, campaign: &str, query: &str) {
    let rows = api.get(&format!("/scoring/results/{campaign}?per_page=50&{query}")).data(200);
    let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["domain_display"].clone()).collect();
    assert!(!names.is_empty(), "{query}");
    window.until(
        query,
        &format!("JSON.stringify([...document.querySelectorAll('#grid tbody .row-link')].map((it) => it.textContent)) === {}",
            json!(json!(names).to_string())),
    );
}

fn filter_by_a_chart(window: &Window, api: &Client, campaign: &str) {
    window.settles();
    let bar = window.script(
        "const canvas = document.querySelector('[data-chart=histogram]');
         canvas.scrollIntoView({ block: 'center' });
         const chart = echarts.getInstanceByDom(canvas);
         const bins = chart.getOption().xAxis[0].data;
         const at = Math.floor(bins.length / 2);
         const lowest = chart.getOption().series.findIndex((it) => it.data[at] > 0);
         const [x, y] = chart.convertToPixel({ seriesIndex: lowest }, [at, chart.getOption().series[lowest].data[at] / 2]);
         const box = canvas.getBoundingClientRect();
         return [box.x + x, box.y + y, Number(bins[at])];",
    );
    let [x, y, from] = [0, 1, 2].map(|at| bar[at].as_f64().unwrap());
    window.click_at(x, y);
    window.until("filtered", "location.search.includes('min_score')");
    assert!(window.path().contains(&format!("min_score={from}")), "{}", window.path());
    let query = window.path().split_once('?').unwrap().1.to_owned();
    shows_rows_of(window, api, campaign, &query);
    window.click(".figures a[data-filter=poor]");
    window.until("poor ones", "location.search.includes('quality_status=poor')");
    let query = window.path().split_once('?').unwrap().1.to_owned();
    shows_rows_of(window, api, campaign, &query);
    window.open(&format!("/campaigns/{campaign}"));
    window.settles();
    window.click(".diverging a.good");
    window.until("good ones by that metric", "location.search.includes('sort_by=metric.')");
    let query = window.path().split_once('?').unwrap().1.to_owned();
    assert!(query.contains("quality_status=good"), "{query}");
    shows_rows_of(window, api, campaign, &query);
}

fn open_an_explanation(window: &Window, api: &Client, campaign: &str) {
    let name = window.text("#grid tbody .row-link");
    window.click("#grid tbody .row-link");
    window.until("the explanation is open", "document.getElementById('drawer').open");
    assert_eq!(window.text("#drawer-title"), name);
    let told = api.get(&format!("/scoring/explain/{campaign}/{name}")).data(200);
    assert_eq!(window.text("#drawer .explained-words"), told["explanation"].as_str().unwrap());
    window.press(Key::Escape);
    window.until("it is closed", "!document.getElementById('drawer').open");
}

fn tune_weights(window: &Window, campaign: &str) {
    window.open(&format!("/campaigns/{campaign}/what-if"));
    let order =
        "[...document.querySelectorAll('#what-if tbody .row-link')].map((it) => it.textContent).join()";
    let before = window.script(&format!("return {order}"));
    window.script("document.querySelector('[data-what-if] input[type=range]').focus()");
    window.press(Key::End);
    window.until("ranked anew", &format!("{order} !== {before}"));
    let sliders = window.script(
        "return [...document.querySelectorAll('[data-what-if] input[type=range]')].map((it) => it.valueAsNumber)",
    );
    let sliders: Vec<f64> = sliders.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert_eq!((sliders[0], sliders.iter().sum::<f64>()), (100.0, 100.0), "{sliders:?}");
    window.press(Key::Left);
    window.until("the address says so", "location.search.includes('=99.9')");
    let after = window.script(&format!("return {order}"));
    window.open(&window.path());
    assert_eq!(window.script(&format!("return {order}")), after, "the address is the whole state");
}

fn choose_thresholds(window: &Window, api: &Client, campaign: &str) {
    window.open(&format!("/campaigns/{campaign}/lists"));
    window.script("document.getElementById('share').focus()");
    for _ in 0..5 {
        window.press(Key::Left);
    }
    window.until("a smaller share", "location.search.includes('share=20')");
    let list = api.get(&format!("/scoring/blacklist/{campaign}?share=0.2")).data(200);
    let count = list["domains"].as_array().unwrap().len();
    let shown =
        "document.querySelector('[aria-labelledby=draft-blacklist] .figure').firstChild.textContent.trim()";
    window.until("the count of the list", &format!("{shown} === '{count}'"));
    window.click("[aria-labelledby=draft-blacklist] form[action^='/lists/'] button");
    window.until("it is kept", &format!("location.pathname.startsWith('/lists/{campaign}/')"));
    window.reads("Worst 20% by score");
}

/// Both lists and the PDF, as files.
fn take_away(window: &Window, api: &Client, campaign: &str) {
    window.open(&format!("/campaigns/{campaign}"));
    for (path, begins) in [
        (format!("/export/campaigns/{campaign}/whitelist/csv"), &b""[..]),
        (format!("/export/campaigns/{campaign}/blacklist/csv"), b""),
        (format!("/campaigns/{campaign}/pdf"), b"%PDF-"),
    ] {
        window.click(".page-head .menu summary");
        window.click(&format!("a[href='/api/v1{REPORTS}{path}']"));
        let of_api = api.get(&format!("{REPORTS}{path}"));
        let name = of_api.header("content-disposition").unwrap().split('"').nth(1).unwrap();
        let file = window.download(name);
        assert!(file.starts_with(begins) && file.len() > 500, "{path}: {} bytes", file.len());
        if begins.is_empty() {
            assert_eq!(String::from_utf8_lossy(&file), of_api.text(), "{path}");
        }
        window.press(Key::Escape);
        window.script("document.querySelectorAll('details.menu').forEach((menu) => { menu.open = false; })");
    }
}

fn score_again_and_compare(window: &Window, api: &Client, campaign: &str) {
    window.click_on("Score again");
    window.until("the settings", "document.querySelector('#review')");
    assert_eq!(value(window, "select[aria-label*='Where it ran']"), "domain", "what was chosen is kept");
    let other = "trade_desk-display-action";
    window.choose("#recipe", other);
    let is_checked = format!("document.querySelector('[name=recipe_was]').value === '{other}'");
    window.until(
        "checked",
        &format!("{is_checked} && !document.querySelector('#review .btn-primary').disabled"),
    );
    window.settles();
    window.click("#review .btn-primary");
    window.arrives(&format!("/campaigns/{campaign}"));
    api.settled(campaign);
    window.open(&format!("/campaigns/{campaign}/compare"));
    window.until("compared", "document.querySelector('#drivers')");
    window.open(&format!("/lists/{campaign}"));
    let numbers: BTreeSet<String> =
        window.text("#versions ~ *, [aria-labelledby=versions]").lines().map(str::to_owned).collect();
    assert!(numbers.iter().any(|line| line.contains("blocklist")), "{numbers:?}");
}

fn sign_out(window: &Window) {
    window.click("[aria-label='Sign out']");
    window.reads("You are signed out");
    window.open("/campaigns");
    window.arrives("/sign-in?next=%2Fcampaigns");
}

/// What a field holds.
fn value(window: &Window, css: &str) -> String {
    let value = window.script(&format!("return document.querySelector({}).value", json!(css)));
    value.as_str().unwrap_or_default().to_owned()
}
