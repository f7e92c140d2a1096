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
    one_of_several_currencies_is_taken_by_a_click_and_a_scale_beside_its_column,
    filters_of_rows_that_cannot_be_are_told_and_can_be_mended,
    a_file_without_a_header_row_is_read_by_what_its_columns_are_said_to_be,
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
    assert!(html.contains("Recommended: trade_desk-display-awareness"), "{html}");
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

/// What the form says of a report of no platform.
const PLAIN: [(&str, &str); 5] = [
    ("name", "Plain"),
    ("platform", "generic"),
    ("channel", "display"),
    ("goal", "awareness"),
    ("level", "domain"),
];
const TWO_CURRENCIES: &str = "Domain,Currency,Impressions,Spend,CTR\na.example,USD,1000,1,0.5\n\
                              a.example,EUR,2000,1,0.25\nb.example,USD,4000,1,0.75\nb.example,EUR,8000,1,0.3\n";
const IS_OPEN: &str = "id=\"more-of-file\" open";

/// The campaign that a form began, once it is scored.
fn begun(
    ana: &Browser,
    api: &crate::client::Client,
    check: &str,
    fields: &[(&str, &str)],
) -> serde_json::Value {
    let answer = ana.post(check, fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let settled = api.settled(answer.header("location").unwrap().rsplit('/').next().unwrap());
    assert_eq!(settled["status"], "completed", "{settled}");
    settled
}

fn one_of_several_currencies_is_taken_by_a_click_and_a_scale_beside_its_column(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let check = uploaded(&ana, "report.csv", TWO_CURRENCIES.as_bytes());
    let again = format!("{check}/check");
    let html = ana.post(&again, &PLAIN).text();
    assert!(html.contains("This cannot be scored yet") && html.contains("EUR and USD"), "{html}");
    assert!(html.contains("name=\"only\" value=\"Currency=EUR\"") && html.contains("Only USD"), "{html}");
    assert!(html.contains(IS_OPEN) && !html.contains("--where"), "{html}");
    let ctr = html.split("<tr>").find(|row| row.contains("title=\"CTR\"")).unwrap();
    assert!(ctr.contains("name=\"scale.ctr\"") && ctr.contains("Read as a fraction: 0.5 is 50%"), "{ctr}");
    assert!(ctr.contains("As recognised: fraction") && !ctr.contains("--scale"), "{ctr}");
    let spend = html.split("<tr>").find(|row| row.contains("title=\"Spend\"")).unwrap();
    assert!(!spend.contains("scale."), "an amount has no scale: {spend}");

    let clicked = ana.post(&again, &[&PLAIN[..], &[("only", "Currency=EUR")]].concat());
    let html = clicked.text();
    assert!(!html.contains("This cannot be scored yet") && html.contains("<dd>2 of 4</dd>"), "{html}");
    assert!(html.contains("name=\"where.0.value\"") && html.contains("name=\"where.1.value\""), "{html}");
    let kept = ana.page(clicked.header("hx-replace-url").unwrap());
    assert!(is_selected(&kept, "Currency") && kept.contains("value=\"EUR\""), "{kept}");

    let said = [("where.0.column", "Currency"), ("where.0.value", "eur"), ("scale.ctr", "percent")];
    let said = [&PLAIN[..], &said].concat();
    let answer = ana.post(&again, &said);
    let html = answer.text();
    assert!(is_selected(&html, "percent") && !html.contains("Nothing in the file tells"), "{html}");
    let settled =
        begun(&ana, &api, answer.header("hx-replace-url").unwrap().split('?').next().unwrap(), &said);
    let config = &settled["scoring_config_snapshot"];
    assert_eq!(
        (&config["where"], &config["scales"]),
        (&json!({"Currency": "eur"}), &json!({"ctr": "percent"}))
    );
    let html = ana.page(&check);
    assert!(is_selected(&html, "percent") && is_selected(&html, "Currency"), "who scores again: {html}");
    assert!(html.contains(IS_OPEN) && html.contains("value=\"eur\""), "{html}");
    let campaign = settled["id"].as_str().unwrap();
    ana.post(&format!("/campaigns/{campaign}/score"), &[]);
    let again = api.settled(campaign);
    assert_ne!(again["completed_at"], settled["completed_at"], "{again}");
    assert_eq!(&again["scoring_config_snapshot"], config, "scored again as it was");
}

fn filters_of_rows_that_cannot_be_are_told_and_can_be_mended(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let text = TWO_CURRENCIES.replace("USD", "EUR");
    let check = uploaded(&ana, "report.csv", text.as_bytes());
    let with = |column, value| [&PLAIN[..], &[("where.0.column", column), ("where.0.value", value)]].concat();
    let plain = ana.post(&format!("{check}/check"), &PLAIN).text();
    assert!(plain.contains("id=\"more-of-file\"") && !plain.contains(IS_OPEN), "calm: {plain}");
    for (column, value, said) in
        [("Domain", "z*", "no row of the report has"), ("Nation", "DE", "no column called `Nation`")]
    {
        let html = ana.post(&format!("{check}/check"), &with(column, value)).text();
        assert!(html.contains(said) && html.contains(IS_OPEN), "{html}");
        assert!(is_selected(&html, column) && html.contains("name=\"column.4\""), "{html}");
        assert_eq!(ana.post(&check, &with(column, value)).status, 422);
    }
    let open = ana.post(&check, &with("Domain", ""));
    assert_eq!(open.status, 422);
    assert!(open.text().contains("lacks its column or its value") && is_selected(&open.text(), "Domain"));
    assert_eq!(ana.post(&check, &with("Domain", "*.example")).status, 303);
}

fn a_file_without_a_header_row_is_read_by_what_its_columns_are_said_to_be(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let text = "a.example,1000,1,10\nb.example,900,2,20\nc.example,800,3,15\n";
    let check = uploaded(&ana, "report.csv", text.as_bytes());
    let html = ana.page(&check);
    assert!(html.contains("no row looks like the header") && html.contains(IS_OPEN), "{html}");
    assert!(html.contains("name=\"no_header\" value=\"on\"") && !html.contains("--no-header"), "{html}");
    let clicked = ana.post(
        &format!("{check}/check"),
        &[&PLAIN[..], &[("no_header", "on"), ("no_header_was", "")]].concat(),
    );
    let html = clicked.text();
    assert!(
        html.contains("title=\"#4\"") && html.contains("<td class=\"mono nowrap cell\">a.example</td>"),
        "{html}"
    );
    let said = [
        ("no_header", "on"),
        ("no_header_was", "on"),
        ("column.0", "domain"),
        ("column.1", "impressions"),
        ("column.2", "spend"),
        ("column.3", "clicks"),
    ];
    let said = [&PLAIN[..], &said].concat();
    let mapped = ana.post(&format!("{check}/check"), &said);
    assert!(!mapped.text().contains("This cannot be scored yet"), "{}", mapped.text());
    assert!(ana.page(mapped.header("hx-replace-url").unwrap()).contains("name=\"no_header\" checked"));
    let settled = begun(&ana, &api, &check, &said);
    let config = &settled["scoring_config_snapshot"];
    let mapping = json!({"domain": "#1", "impressions": "#2", "spend": "#3", "clicks": "#4"});
    assert_eq!(
        (&config["no_header"], &config["mapping"], &settled["total_records"]),
        (&json!(true), &mapping, &json!(3))
    );
    let html = ana.page(&check);
    assert!(html.contains("name=\"no_header\" checked") && html.contains("kept.domain"), "{html}");
}
