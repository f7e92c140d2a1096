//! Starting, ending, and what stays.

use std::process::ExitStatus;

use caliber_store::Backend;

use crate::service::Service;

crate::on_both_databases! {
    a_service_with_no_settings_answers_and_keeps_what_it_was_told,
    a_service_that_is_asked_to_stop_ends_in_order,
}

fn a_service_with_no_settings_answers_and_keeps_what_it_was_told(on: Backend) {
    let mut service = Service::with(on, &[("CALIBER_DEV_SIGN_IN", "on")]);
    assert_eq!(service.client().get("/auth/me").data(200)["email"], "dev@example.com");
    let campaign = service.client().campaign("Spring launch");
    service.kill();
    service.start_again();
    let found = service.client().get(&format!("/campaigns/{campaign}")).data(200);
    assert_eq!(found["name"], "Spring launch");
}

fn a_service_that_is_asked_to_stop_ends_in_order(on: Backend) {
    let mut service = Service::start(on);
    service.client().at_root().get("/health/ready").data(200);
    assert!(ExitStatus::success(&service.stop()), "{}", service.log());
}
