//! Without a mouse.

use caliber_store::Backend;
use fantoccini::key::Key;

use super::trader::Trader;
use super::window::{PHONE, Window};
use crate::service::Service;

#[test]
fn the_keyboard_alone_reaches_reads_and_closes() {
    let service = Service::start(Backend::Sqlite);
    let trader = Trader::of(&service);
    let window = Window::of(&service);
    signs_in(&window, trader.email);
    let campaign = format!("/campaigns/{}", trader.campaign);
    for path in
        ["/", "/campaigns", "/campaigns/new", "/lists", "/people", "/organisation", "/help", &campaign]
    {
        skips_to_content(&window, path);
    }
    goes_through_the_grid(&window, &campaign);
    closes_a_menu(&window, &campaign);
    opens_the_menu_of_a_phone(&window);
    window.has_no_errors(&[]);
}

fn signs_in(window: &Window, email: &str) {
    window.open("/sign-in");
    window.until("the first field has the focus", "document.activeElement.id === 'email'");
    types(window, email);
    window.press(Key::Tab);
    types(window, crate::people::PASSWORD);
    window.press(Key::Enter);
    window.arrives("/");
}

fn types(window: &Window, text: &str) {
    text.chars().for_each(|key| window.press(key));
}

fn skips_to_content(window: &Window, path: &str) {
    window.open(path);
    window.settles();
    window.press(Key::Tab);
    window.until(
        path,
        "document.activeElement.matches('.skip') && document.activeElement.getBoundingClientRect().left >= 0",
    );
    window.press(Key::Enter);
    window.until(path, "document.activeElement.id === 'content'");
    // From there, and not from the navigation, one goes on.
    window.press(Key::Tab);
    window.until(
        path,
        "document.activeElement.closest('main, aside') || document.activeElement === document.body",
    );
}

fn goes_through_the_grid(window: &Window, campaign: &str) {
    window.open(campaign);
    window.settles();
    window.script("document.querySelector('.grid-scroll').focus()");
    window.press(Key::Down);
    window.press(Key::Down);
    let second = "document.querySelectorAll('#grid tbody .row-link')[1]";
    window.until("the second row", &format!("document.activeElement === {second}"));
    window.press('x');
    window.until("it is selected", &format!("{second}.closest('tr').querySelector('input').checked"));
    window.press(Key::Enter);
    window.until("its explanation", "document.getElementById('drawer').open");
    window.until("the focus is within", "document.activeElement.closest('#drawer')");
    window.press(Key::Escape);
    window.until("it is closed", "!document.getElementById('drawer').open");
    window.until("the focus is where it was", &format!("document.activeElement === {second}"));
}

fn closes_a_menu(window: &Window, campaign: &str) {
    window.open(campaign);
    window.settles();
    for menu in [".page-head .menu", "#grid-more", "#grid-columns"] {
        window.script(&format!("document.querySelector('{menu} summary').focus()"));
        window.press(Key::Enter);
        window.until(menu, &format!("document.querySelector('{menu}').open"));
        window.press(Key::Tab);
        window.until(menu, &format!("document.activeElement.closest('{menu} .menu-list')"));
        window.press(Key::Escape);
        window.until(menu, &format!("!document.querySelector('{menu}').open"));
        window.until(menu, &format!("document.activeElement === document.querySelector('{menu} summary')"));
    }
}

fn opens_the_menu_of_a_phone(window: &Window) {
    window.resize(PHONE);
    window.open("/campaigns");
    window.settles();
    let button = "document.querySelector('[popovertarget=menu]')";
    window.script(&format!("{button}.focus()"));
    window.press(Key::Enter);
    window.until("the menu", "document.querySelector('#menu:popover-open')");
    window.press(Key::Tab);
    window.until("the focus is within", "document.activeElement.closest('#menu')");
    window.press(Key::Escape);
    window.until("it is closed", "!document.querySelector('#menu:popover-open')");
    window.until("the focus is back", &format!("document.activeElement === {button}"));
}
