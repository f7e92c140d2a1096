//! What was understood of a report, changed before it is scored: the recipe, the sheet, and the way back.

use caliber_store::Backend;
use rust_xlsxwriter::Workbook;
use serde_json::json;

use crate::client::{FORM, form};
use crate::pages::Browser;
use crate::people::report;
use crate::service::Service;

crate::on_both_databases! {
    a_saved_recipe_is_chosen_by_its_name_and_kept,
    the_sheet_of_a_workbook_is_chosen_and_kept,
    a_mapping_by_hand_is_there_when_one_comes_back,
}

/// What the form says of the report.
const SETTINGS: [(&str, &str); 5] = [
    ("name", "Spring"),
    ("platform", "trade_desk"),
    ("channel", "display"),
    ("goal", "awareness"),
    ("level", "domain"),
];

/// Uploads a report; the address of its check.
fn uploaded(browser: &Browser, name: &str, bytes: &[u8]) -> String {
    let path = format!("/campaigns/new?csrf={}", browser.csrf);
    let answer = browser.client.send("POST", &path, FORM, form(&[], name, bytes));
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

fn is_selected(html: &str, value: &str) -> bool {
    html.contains(&format!("value=\"{value}\" selected"))
}

fn a_saved_recipe_is_chosen_by_its_name_and_kept(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let ours = json!({"name": "ours", "platform": "trade_desk", "channel": "display", "goal": "awareness",
        "ctr_sensitive": false, "dimension": "domain", "min_impressions": 100,
        "metrics": [{"metric": "cpm", "weight": 1.0, "better": "lower"}]});
    api.post("/scoring/recipes", ours).data(201);
    let ana = Browser::of(&service, "ana@example.com");
    let check = uploaded(&ana, "report.csv", &report());
    let html = ana.page(&check);
    assert!(html.contains("As the settings say: trade_desk-display-awareness"), "{html}");
    assert!(html.contains("label=\"Your recipes\"") && html.contains("value=\"pulsepoint-video\""), "{html}");

    let with = |recipe| [&SETTINGS[..], &[("recipe", recipe)]].concat();
    let changed = ana.post(&format!("{check}/check"), &with("ours"));
    assert!(is_selected(&changed.text(), "ours"), "{}", changed.text());
    let kept = changed.header("hx-replace-url").unwrap();
    assert!(is_selected(&ana.page(kept), "ours"), "{kept}");
    // A recipe that is for something else brings its settings.
    let action = ana.post(&format!("{check}/check"), &with("trade_desk-display-action")).text();
    assert!(is_selected(&action, "action"), "{action}");

    let begun = ana.post(&check, &with("ours"));
    let campaign = begun.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(api.settled(&campaign)["scoring_config_snapshot"]["recipe"], "ours");
    assert!(is_selected(&ana.page(&check), "ours"), "who scores again finds the recipe of before");
    let again = ana.post(&check, &with(""));
    assert_eq!(again.status, 303, "{}", again.text());
    assert_eq!(api.settled(&campaign)["scoring_config_snapshot"]["recipe"], "trade_desk-display-awareness");
    assert!(!is_selected(&ana.page(&check), "ours"));
}

/// The report on two sheets, of which the second has half the rows, and one with notes.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let text = String::from_utf8(report()).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    for (name, taken) in [("All", rows.len()), ("Half & half", rows.len() / 2)] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        for (at, record) in reader.records().take(taken).enumerate() {
            for (column, cell) in record.unwrap().iter().enumerate() {
                sheet.write_string(at as u32, column as u16, cell).unwrap();
            }
        }
    }
    book.add_worksheet().set_name("Notes").unwrap().write_string(0, 0, "nothing here").unwrap();
    book.save_to_buffer().unwrap()
}

fn the_sheet_of_a_workbook_is_chosen_and_kept(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let check = uploaded(&ana, "report.xlsx", &workbook());
    let html = ana.page(&check);
    assert!(is_selected(&html, "All") && html.contains("<option value=\"Half &#38; half\">"), "{html}");
    assert!(!html.contains("--sheet"), "the words of the command line are not for pages: {html}");
    let with = |sheet| [&SETTINGS[..], &[("sheet_was", "All"), ("sheet", sheet)]].concat();
    let notes = ana.post(&format!("{check}/check"), &with("Notes")).text();
    assert!(notes.contains("This cannot be scored yet") && is_selected(&notes, "Notes"), "{notes}");
    assert!(notes.contains("<option value=\"All\">"), "the way back: {notes}");
    let half = ana.post(&format!("{check}/check"), &with("Half & half"));
    let kept = half.header("hx-replace-url").unwrap();
    assert!(is_selected(&ana.page(kept), "Half &#38; half"), "{kept}");
    let begun = ana.post(&check, &with("Half & half"));
    assert_eq!(begun.status, 303, "{}", begun.text());
    let campaign = begun.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    let settled = api.settled(&campaign);
    assert_eq!(settled["scoring_config_snapshot"]["sheet"], "Half & half", "{settled}");
    assert!(is_selected(&ana.page(&check), "Half &#38; half"), "who scores again finds the sheet of before");
    let plain = uploaded(&ana, "report.csv", &report());
    assert!(!ana.page(&plain).contains("name=\"sheet\""), "a text has no sheets");
}

fn a_mapping_by_hand_is_there_when_one_comes_back(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let text = String::from_utf8(report()).unwrap().replacen("Clicks", "Taps of people", 1);
    let clicks = text.lines().next().unwrap().split(',').position(|header| header.contains("Taps")).unwrap();
    let check = uploaded(&ana, "report.csv", text.as_bytes());
    let column = format!("column.{clicks}");
    let mapped = [&SETTINGS[..], &[(column.as_str(), "clicks")]].concat();
    let begun = ana.post(&check, &mapped);
    assert_eq!(begun.status, 303, "{}", begun.text());
    let campaign = begun.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    let by_hand = json!({"clicks": format!("#{}", clicks + 1)});
    assert_eq!(api.settled(&campaign)["scoring_config_snapshot"]["mapping"], by_hand);
    let target = format!("#{}", clicks + 1);
    let html = ana.page(&check);
    assert!(html.contains(&format!("name=\"kept.clicks\" value=\"{target}\"")), "{html}");
    let again = [&SETTINGS[..], &[("kept.clicks", target.as_str())]].concat();
    assert_eq!(ana.post(&check, &again).status, 303);
    assert_eq!(api.settled(&campaign)["scoring_config_snapshot"]["mapping"], by_hand);
}
