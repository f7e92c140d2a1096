//! A session that has ended leads back to where one was.

use caliber_store::Backend;
use serde_json::json;

use super::window::Window;
use crate::people::{PASSWORD, report};
use crate::service::Service;

#[test]
fn whose_session_has_ended_signs_in_and_is_where_they_were() {
    let service = Service::start(Backend::Sqlite);
    let ana = service.manager("ana");
    let campaign = ana.scored(&report());
    let window = Window::of(&service);
    let here = format!("/campaigns/{campaign}?sort_by=spend");
    window.open(&here);
    window.sign_in("ana@example.com");
    window.arrives(&here);
    // Ended by the server, from elsewhere: a new password ends all other sessions.
    let new = "copper kettle on the windowsill";
    ana.put("/auth/password", json!({"current": PASSWORD, "new": new})).body(200);
    window.settles();
    window.click(".grid-table th a[href*='sort_by=impressions']");
    window.until("asked to sign in", "location.pathname === '/sign-in'");
    window.reads("Sign in to go on");
    window.fill("#email", "ana@example.com");
    window.fill("#password", new);
    window.click("form button");
    window.arrives(&here);
    window.until("the grid is there", "document.querySelector('#grid tbody .row-link')");
    window.has_no_errors(&[]);
}
