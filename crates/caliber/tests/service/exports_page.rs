//! The page of exports in the background, and what is told of names that a form of a DSP cannot hold.

use caliber_store::Backend;
use serde_json::json;

use crate::background_exports::{asked, ended};
use crate::pages::{Browser, checked};
use crate::people::report;
use crate::service::Service;

crate::on_both_databases! {
    a_file_is_asked_for_watched_and_fetched_without_scripts,
    what_cannot_be_made_is_told_on_the_page,
    names_that_a_form_cannot_hold_are_told,
}

/// Six levels below the registrable domain, one more than Display & Video 360 takes.
const DEEP: &str = "a.b.c.d.e.f.site.example";

fn a_file_is_asked_for_watched_and_fetched_without_scripts(on: Backend) {
    let mut service = Service::start(on);
    let api = service.manager("ana");
    let id = api.scored(&report());
    let ana = Browser::of(&service, "ana@example.com");
    assert!(ana.page("/exports").contains("No exports yet"));
    assert!(ana.page(&format!("/campaigns/{id}")).contains(&format!("href=\"/exports?campaign={id}\"")));
    assert!(ana.page(&format!("/exports?campaign={id}")).contains(&format!("value=\"{id}\" selected")));
    let begun = ana.post("/exports", &[("campaign", &id), ("what", "blocklist.upload.trade_desk_csv")]);
    assert_eq!(
        (begun.status, begun.header("location")),
        (303, Some("/exports?done=asked")),
        "{}",
        begun.text()
    );
    let made = || {
        let html = ana.page("/exports");
        let link = html.split("href=\"").find(|rest| rest.starts_with("/api/v1/reports/exports/"));
        link.map(|rest| rest.split('"').next().unwrap().to_owned())
    };
    let link = crate::service::eventually("the file is made", made);
    let html = ana.page("/exports");
    assert!(html.contains("Blocklist as upload, The Trade Desk, CSV") && html.contains("Ready"), "{html}");
    assert!(!html.contains("every 2s"), "nothing is to come: {html}");
    let fetched = ana.client.get(&link);
    let direct = api.get(&format!("/reports/export/campaigns/{id}/blacklist/dsp?format=trade_desk_csv"));
    assert!(fetched.status == 200 && fetched.bytes == direct.bytes, "{}", fetched.text());

    // Somebody of the organisation sees it as well, and nobody else does.
    service.member(&api, "viewer", "vera");
    let vera = Browser::of(&service, "vera@example.com");
    assert!(vera.page("/exports").contains(&link));
    service.manager("eve");
    let eve = Browser::of(&service, "eve@example.com");
    assert!(!eve.page(&format!("/exports?campaign={id}")).contains(&id), "not even its name");
    checked(&eve.post("/exports", &[("campaign", &id), ("what", "summary")]), 404);

    // While one waits, the page looks again by itself.
    service.stop();
    service.set("CALIBER_WORKERS", "0");
    service.start_again();
    let ana = Browser::of(&service, "ana@example.com");
    assert_eq!(ana.post("/exports", &[("campaign", &id), ("what", "pdf")]).status, 303);
    let html = ana.page("/exports");
    assert!(html.contains("hx-trigger=\"every 2s\"") && html.contains("http-equiv=\"refresh\""), "{html}");
}

fn what_cannot_be_made_is_told_on_the_page(on: Backend) {
    let service = Service::start(on);
    let api = service.manager("ana");
    let id = api.scored(&report());
    let unscored = api.campaign("x");
    let ana = Browser::of(&service, "ana@example.com");
    assert!(!ana.page("/exports").contains(&format!("value=\"{unscored}\"")), "it has nothing to export");
    for (campaign, what, status) in
        [(id.as_str(), "luck", 422), ("luck", "summary", 422), (unscored.as_str(), "summary", 409)]
    {
        let html = checked(&ana.post("/exports", &[("campaign", campaign), ("what", what)]), status);
        assert!(html.contains("alert-danger"), "{html}");
    }
}

fn names_that_a_form_cannot_hold_are_told(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let id = ana.scored(&report());
    ana.put(&format!("/scoring/lists/{id}/overrides"), json!({"block": [DEEP]})).data(200);
    let upload = |form: &str| ana.get(&format!("/reports/export/campaigns/{id}/blacklist/dsp?format={form}"));
    for (form, left_out) in [("dv360", "1"), ("text", "0")] {
        let file = upload(form);
        assert_eq!((file.status, file.header("x-caliber-left-out")), (200, Some(left_out)), "{form}");
        assert_eq!(file.text().contains(DEEP), left_out == "0", "{form}");
    }
    let plain = ana.get(&format!("/reports/export/campaigns/{id}/blacklist/csv"));
    assert_eq!(plain.header("x-caliber-left-out"), None, "a list of ours holds every name");
    let filters = json!({"list_type": "blacklist"});
    let export =
        asked(&ana, json!({"campaign_id": id, "kind": "dsp", "format": "dv360", "filters": filters}));
    let done = ended(&ana, &export);
    assert_eq!(done["left_out"], 1, "{done}");
    let fetched = ana.get(&format!("/reports/exports/{export}/download"));
    assert_eq!(fetched.header("x-caliber-left-out"), Some("1"));
    let browser = Browser::of(&service, "ana@example.com");
    assert!(browser.page("/exports").contains("1 name left out"));
    let html = browser.page(&format!("/campaigns/{id}/lists"));
    assert!(html.contains("Display &#38; Video 360 (1 name left out)"), "{html}");
}
