//! Every page in both themes, at a desk and on a phone: kept as a picture, and judged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use caliber_store::Backend;

use super::trader::Trader;
use super::window::{DESK, PHONE, Window};
use crate::service::Service;

/// Who looks at a page.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Nobody,
    /// Somebody who has just registered.
    Newcomer,
    /// A [`Trader`].
    Trader,
    Administrator,
}

/// A page, or one of its states.
struct Picture {
    /// Of the file.
    name: &'static str,
    /// As the router knows it.
    route: &'static str,
    who: Who,
    /// The address, with what it is about in braces.
    path: &'static str,
    /// What is clicked before one looks.
    click: Option<&'static str>,
}

const fn page(name: &'static str, route: &'static str, who: Who, path: &'static str) -> Picture {
    Picture { name, route, who, path, click: None }
}

/// Every page, and states of pages that look different.
const PICTURES: &[Picture] = &[
    page("sign-in", "/sign-in", Who::Nobody, "/sign-in?next=/lists"),
    page("register", "/register", Who::Nobody, "/register"),
    page("set-password", "/set-password", Who::Nobody, "/set-password?token={link}"),
    page("dashboard-empty", "/", Who::Newcomer, "/"),
    page("campaigns-empty", "/campaigns", Who::Newcomer, "/campaigns"),
    page("lists-empty", "/lists", Who::Newcomer, "/lists"),
    page("files-empty", "/files", Who::Newcomer, "/files"),
    page("exports-empty", "/exports", Who::Newcomer, "/exports"),
    page("jobs-empty", "/jobs", Who::Newcomer, "/jobs"),
    page("join", "/join", Who::Newcomer, "/join?token={invitation}"),
    page("dashboard", "/", Who::Trader, "/"),
    page("campaigns", "/campaigns", Who::Trader, "/campaigns"),
    page("campaigns-none-found", "/campaigns", Who::Trader, "/campaigns?search=nowhere"),
    page("new-campaign", "/campaigns/new", Who::Trader, "/campaigns/new"),
    page("review", "/campaigns/new/{upload}", Who::Trader, "/campaigns/new/{upload}"),
    page("review-not-recognised", "/campaigns/new/{upload}", Who::Trader, "/campaigns/new/{strange}"),
    page("campaign", "/campaigns/{id}", Who::Trader, "/campaigns/{id}"),
    Picture {
        click: Some("tbody .row-link"),
        ..page("campaign-drawer", "/campaigns/{id}", Who::Trader, "/campaigns/{id}?sort_direction=asc")
    },
    Picture {
        click: Some(".page-head .menu summary"),
        ..page("campaign-downloads", "/campaigns/{id}", Who::Trader, "/campaigns/{id}")
    },
    page("campaign-none-found", "/campaigns/{id}", Who::Trader, "/campaigns/{id}?search=nowhere.example"),
    page("campaign-without-report", "/campaigns/{id}", Who::Trader, "/campaigns/{waiting}"),
    page("explanation", "/campaigns/{id}/domains/{name}", Who::Trader, "/campaigns/{id}/domains/{name}"),
    page(
        "what-if",
        "/campaigns/{id}/what-if",
        Who::Trader,
        "/campaigns/{id}/what-if?w.cpm=60&w.ctr=10&w.ias_display_fully_in_view_1s_rate=30",
    ),
    page("campaign-lists", "/campaigns/{id}/lists", Who::Trader, "/campaigns/{id}/lists"),
    page("compare", "/campaigns/{id}/compare", Who::Trader, "/campaigns/{id}/compare"),
    page("lists", "/lists", Who::Trader, "/lists"),
    page("list-history", "/lists/{id}", Who::Trader, "/lists/{id}"),
    page("list-version", "/lists/{id}/{version}", Who::Trader, "/lists/{id}/2"),
    page("exports", "/exports", Who::Trader, "/exports"),
    page("files", "/files", Who::Trader, "/files"),
    page("recipes", "/recipes", Who::Trader, "/recipes"),
    page("recipe", "/recipes/{id}", Who::Trader, "/recipes/trade_desk-display-awareness"),
    page("recipe-own", "/recipes/{id}", Who::Trader, "/recipes/{recipe}"),
    page("jobs", "/jobs", Who::Trader, "/jobs"),
    page("people", "/people", Who::Trader, "/people"),
    page("organisation", "/organisation", Who::Trader, "/organisation"),
    page("profile", "/profile", Who::Trader, "/profile"),
    page("help", "/help", Who::Trader, "/help"),
    page("error-not-found", "/no-such-page", Who::Trader, "/no-such-page"),
    page("settings", "/settings", Who::Administrator, "/settings"),
];

/// What is asked for by a script or comes as a file: no pages.
const NO_PAGES: [&str; 3] =
    ["/campaigns/{id}/charts", "/campaigns/{id}/progress", "/lists/{id}/{version}/download"];

#[test]
fn every_page_in_light_is_seen_and_keeps_nobody_out() {
    walk("light");
}

#[test]
fn every_page_in_dark_is_seen_and_keeps_nobody_out() {
    walk("dark");
}

#[test]
fn no_page_is_without_a_picture() {
    let pages: BTreeSet<String> =
        routes().into_iter().filter(|route| !NO_PAGES.contains(&&**route)).collect();
    assert!(pages.len() > 20, "{pages:?}");
    let seen: BTreeSet<String> = PICTURES.iter().map(|picture| picture.route.to_owned()).collect();
    let unseen: Vec<_> = pages.difference(&seen).collect();
    assert!(unseen.is_empty(), "pages without a picture; add them to PICTURES: {unseen:?}");
}

/// What the pages' files register for reading: a router does not tell its routes.
fn routes() -> BTreeSet<String> {
    let mut files = Vec::new();
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../caliber-server/src/pages");
    files_below(&pages, &mut files);
    let mut routes = BTreeSet::new();
    for file in files {
        let source = fs::read_to_string(file).unwrap();
        for registered in source.split(".page(").skip(1) {
            let registered = registered.split("\n}").next().unwrap_or_default();
            if let Some(path) = registered
                .split('"')
                .nth(1)
                .filter(|path| path.starts_with('/') && registered.contains("get("))
            {
                routes.insert(path.to_owned());
            }
        }
    }
    routes
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, files) } else { files.push(path) }
    }
}

/// Opens every page in a theme, first at a desk and then on a phone.
fn walk(theme: &str) {
    let service = Service::start(Backend::Sqlite);
    let trader = Trader::of(&service);
    service.manager("newcomer");
    service.administrator();
    let window = Window::of(&service);
    window.prefer(theme);
    let folder = super::window::pictures();
    let mut problems = Vec::new();
    let mut who = Who::Nobody;
    for picture in PICTURES {
        if picture.who != who {
            who = picture.who;
            enter(&window, who, &trader);
        }
        let name = format!("{}-{theme}", picture.name);
        for view in [
            View { size: DESK, is_judged: true, file: folder.join(format!("{name}.png")) },
            View { size: PHONE, is_judged: theme == "light", file: folder.join(format!("{name}-phone.png")) },
        ] {
            let found = look(&window, picture, &trader, &view);
            let of = view.file.file_name().unwrap().to_string_lossy();
            problems.extend(found.into_iter().map(|problem| format!("{of}: {problem}")));
        }
    }
    eprintln!("pictures of the pages: {}", folder.display());
    window.has_no_errors(&[
        "/no-such-page - Failed to load resource: the server responded with a status of 404",
    ]);
    assert!(problems.is_empty(), "{}\nthe pictures are in {}", problems.join("\n"), folder.display());
}

/// How a page is looked at.
struct View {
    size: (u32, u32),
    /// Whether axe-core judges it.
    is_judged: bool,
    /// The picture.
    file: PathBuf,
}

/// Signs somebody else in.
fn enter(window: &Window, who: Who, trader: &Trader) {
    window.forget_cookies();
    window.resize(DESK);
    window.open("/sign-in");
    window.sign_in(match who {
        Who::Trader => trader.email,
        Who::Administrator => "root@example.com",
        Who::Nobody | Who::Newcomer => "newcomer@example.com",
    });
}

/// Opens a page at a width and keeps the picture; what is wrong with it.
fn look(window: &Window, picture: &Picture, trader: &Trader, view: &View) -> Vec<String> {
    let View { size, is_judged, ref file } = *view;
    window.resize(size);
    window.open(&address(picture, trader));
    window.settles();
    let mut problems = Vec::new();
    let shift = window.layout_shift();
    if shift >= 0.05 {
        problems.push(format!("the layout shifts by {shift:.3} while the page loads"));
    }
    if let Some(css) = picture.click {
        window.click(css);
        window.settles();
    }
    let wide =
        window.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    if wide.as_i64().is_some_and(|wide| wide > 0) {
        problems.push(format!("the page is wider than the window by {wide} px: {}", window.script(WIDEST)));
    }
    // On a phone the colours are those of a desk: one theme shows what the narrow layout does.
    let barriers = if is_judged { window.barriers() } else { String::new() };
    if !barriers.is_empty() {
        problems.push(barriers);
    }
    fs::write(file, window.whole_picture(size)).unwrap();
    problems
}

/// What sticks out furthest.
const WIDEST: &str = "return [...document.querySelectorAll('body *')]
    .map((it) => [it.getBoundingClientRect().right, it.outerHTML.slice(0, 120)])
    .sort((a, b) => b[0] - a[0])[0]";

fn address(picture: &Picture, trader: &Trader) -> String {
    let about = [
        ("{id}", &trader.campaign),
        ("{waiting}", &trader.waiting),
        ("{name}", &trader.name),
        ("{upload}", &trader.upload),
        ("{strange}", &trader.strange_upload),
        ("{recipe}", &trader.recipe),
        ("{invitation}", &trader.invitation),
        ("{link}", &trader.link),
    ];
    about.iter().fold(picture.path.to_owned(), |path, (mark, id)| path.replace(mark, id))
}
