//! The page of the organisation: its logo.

use caliber_store::Backend;

use crate::client::{Answer, FORM, form};
use crate::pages::{Browser, checked};
use crate::service::Service;

crate::on_both_databases! {
    a_logo_is_uploaded_shown_and_removed,
    what_is_no_logo_is_told_beside_the_form,
}

const LOGO: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>";

fn upload(browser: &Browser, csrf: &str, picture: &[u8]) -> Answer {
    let path = format!("/organisation/logo?csrf={csrf}");
    browser.client.send("POST", &path, FORM, form(&[], "logo.svg", picture))
}

/// The address of the picture that the page shows.
fn shown(html: &str) -> Option<String> {
    let tag = html.split("<img src=\"").nth(1)?;
    tag.split('"').next().map(str::to_owned)
}

fn a_logo_is_uploaded_shown_and_removed(on: Backend) {
    let service = Service::start(on);
    let manager = service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    assert_eq!(shown(&ana.page("/organisation")), None);
    let set = upload(&ana, &ana.csrf, LOGO);
    assert_eq!(
        (set.status, set.header("location")),
        (303, Some("/organisation?done=saved")),
        "{}",
        set.text()
    );
    let first = shown(&ana.page("/organisation")).expect("the logo is shown");
    let picture = ana.client.get(&first);
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/svg+xml")));
    assert_eq!(picture.bytes, LOGO);
    assert_eq!(upload(&ana, &ana.csrf, LOGO).status, 303);
    assert_ne!(shown(&ana.page("/organisation")), Some(first), "another picture has another address");

    service.member(&manager, "analyst", "ben");
    let ben = Browser::of(&service, "ben@example.com");
    let html = ben.page("/organisation");
    assert!(shown(&html).is_some() && !html.contains("action=\"/organisation"), "{html}");
    checked(&upload(&ben, &ben.csrf, LOGO), 403);
    checked(&ben.post("/organisation/logo/remove", &[]), 403);
    checked(&upload(&ana, "guess", LOGO), 403);

    assert_eq!(ana.post("/organisation/logo/remove", &[]).status, 303);
    assert_eq!(shown(&ana.page("/organisation")), None);
    manager.get("/organizations/current/logo").refused(404, "not_found");
}

fn what_is_no_logo_is_told_beside_the_form(on: Backend) {
    let service = Service::start(on);
    service.manager("ana");
    let ana = Browser::of(&service, "ana@example.com");
    let large = vec![b' '; 3 << 20];
    let script =
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"><script>1</script></svg>";
    for (picture, status) in [(&b"GIF89a"[..], 415), (&script[..], 415), (&large[..], 413)] {
        let html = checked(&upload(&ana, &ana.csrf, picture), status);
        let beside = html.split("id=\"logo\"").nth(1).unwrap();
        assert!(beside.contains("alert-danger"), "{html}");
    }
    assert_eq!(shown(&ana.page("/organisation")), None);
}
