//! A window of the browser, and what a person does with it. Everything waits for what it needs.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use ureq::http::Method;
use url::{ParseError, Url};

use super::driver::Driver;
use crate::service::{PATIENCE, Service, eventually};

/// A window at a desk; see [`Window::resize`].
pub(super) const DESK: (u32, u32) = (1440, 900);
/// A small phone.
pub(super) const PHONE: (u32, u32) = (360, 740);

/// The folder of the pictures.
pub(super) fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// No picture is higher.
const HIGHEST: u32 = 4000;

pub(super) struct Window {
    client: Client,
    runtime: Runtime,
    driver: Driver,
    address: String,
}

impl Window {
    /// A window at a desk, on a browser that was never used.
    pub(super) fn of(service: &Service) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let driver = Driver::start();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(driver.capabilities());
        let client = runtime.block_on(builder.connect(driver.address()));
        let client = client.unwrap_or_else(|error| panic!("no browser: {error}; {}", Driver::hint()));
        let window = Self { client, runtime, driver, address: service.address().to_owned() };
        window.resize(DESK);
        window
    }

    /// Opens a page and waits until it is loaded.
    pub(super) fn open(&self, path: &str) {
        let address = format!("{}{path}", self.address);
        self.run(self.client.goto(&address)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Path and query of the page.
    pub(super) fn path(&self) -> String {
        let url = self.run(self.client.current_url()).unwrap();
        url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// Waits until the page has this path.
    #[track_caller]
    pub(super) fn arrives(&self, path: &str) {
        eventually(&format!("the page is {path} (it is {})", self.path()), || {
            (self.path() == path).then_some(())
        });
    }

    /// Runs a script in the page; what it returns.
    #[track_caller]
    pub(super) fn script(&self, script: &str) -> Value {
        let done = self.run(self.client.execute(script, Vec::new()));
        done.unwrap_or_else(|error| panic!("`{script}`: {error}"))
    }

    /// Runs a script that calls its last argument with what it has found.
    #[track_caller]
    pub(super) fn script_that_calls_back(&self, script: &str) -> Value {
        let done = self.run(self.client.execute_async(script, Vec::new()));
        done.unwrap_or_else(|error| panic!("`{script}`: {error}"))
    }

    /// Waits until an expression of the page is true.
    #[track_caller]
    pub(super) fn until(&self, what: &str, expression: &str) {
        let script = format!("return Boolean({expression})");
        self.persistently(what, || {
            let is = self.run(self.client.execute(&script, Vec::new())).map_err(|error| error.to_string())?;
            if is == true { Ok(()) } else { Err(format!("`{expression}` is false at {}", self.path())) }
        });
    }

    /// Waits until the page says something.
    #[track_caller]
    pub(super) fn reads(&self, text: &str) {
        self.until(text, &format!("document.body.innerText.includes({})", json!(text)));
    }

    /// The text of an element.
    #[track_caller]
    pub(super) fn text(&self, css: &str) -> String {
        self.with(css, |element| self.run(element.text()))
    }

    /// Clicks as a person would: where something lies above the element, it is not clicked.
    #[track_caller]
    pub(super) fn click(&self, css: &str) {
        self.with(css, |element| self.run(element.click()));
    }

    /// Clicks a link or a button by what it says.
    #[track_caller]
    pub(super) fn click_on(&self, text: &str) {
        let words =
            format!("//*[self::a or self::button or self::summary][normalize-space()={}]", json!(text));
        self.persistently(&words, || {
            let element = self.run(self.client.find(Locator::XPath(&words))).map_err(|e| e.to_string())?;
            self.run(element.click()).map_err(|e| e.to_string())
        });
    }

    /// Puts a text into a field, in place of what is there.
    #[track_caller]
    pub(super) fn fill(&self, css: &str, text: &str) {
        self.with(css, |element| {
            self.run(element.clear())?;
            self.run(element.send_keys(text))
        });
    }

    /// Chooses a file of this machine.
    #[track_caller]
    pub(super) fn attach(&self, css: &str, file: &Path) {
        let path = file.to_str().expect("a path that is a text").to_owned();
        self.with(css, |element| self.run(element.send_keys(&path)));
    }

    /// Chooses from a list.
    #[track_caller]
    pub(super) fn choose(&self, css: &str, value: &str) {
        self.with(css, |element| self.run(element.select_by_value(value)));
    }

    /// Presses a key, wherever the focus is.
    pub(super) fn press(&self, key: impl Into<char>) {
        let value = key.into();
        let strokes = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.run(self.client.perform_actions(strokes)).unwrap();
    }

    /// Clicks at a point of the window, in pixels from its upper left.
    pub(super) fn click_at(&self, x: f64, y: f64) {
        let hand = MouseActions::new("mouse".to_owned())
            .then(PointerAction::MoveTo { duration: None, x, y })
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.run(self.client.perform_actions(hand)).unwrap();
    }

    /// Gives the window another size, also one that windows do not have.
    pub(super) fn resize(&self, (width, height): (u32, u32)) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Has the system say that it is `light` or `dark`. Nothing moves.
    pub(super) fn prefer(&self, theme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// What is to be seen, as PNG.
    pub(super) fn picture(&self) -> Vec<u8> {
        self.run(self.client.screenshot()).unwrap()
    }

    /// What the whole page shows, as PNG. The window is as high as the page for it, and then as before.
    pub(super) fn whole_picture(&self, (width, height): (u32, u32)) -> Vec<u8> {
        let page = self.script("return document.documentElement.scrollHeight").as_u64().unwrap_or_default();
        self.resize((width, height.max((page as u32).min(HIGHEST))));
        self.settles();
        let picture = self.picture();
        self.resize((width, height));
        picture
    }

    /// Keeps a picture of a state that no address leads to.
    pub(super) fn keep(&self, name: &str) {
        self.settles();
        for theme in ["light", "dark"] {
            self.prefer(theme);
            for (size, of) in [(DESK, ""), (PHONE, "-phone")] {
                self.resize(size);
                std::fs::write(pictures().join(format!("{name}-{theme}{of}.png")), self.whole_picture(size))
                    .unwrap();
            }
        }
        self.prefer("light");
        self.resize(DESK);
    }

    /// Waits until all is there: fonts, charts, parts that scripts ask for, two frames painted.
    #[track_caller]
    pub(super) fn settles(&self) {
        self.until(
            "the page is whole",
            "document.readyState === 'complete' && document.fonts.status === 'loaded' \
             && !document.querySelector('.htmx-request') \
             && [...document.querySelectorAll('[data-chart]')].every((chart) => chart.querySelector('canvas'))",
        );
        self.script_that_calls_back(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))",
        );
    }

    /// How much of the page moved while it loaded, as Chromium counts it: 0 is nothing.
    pub(super) fn layout_shift(&self) -> f64 {
        let shift = self.script_that_calls_back(
            "const done = arguments[0];
             let sum = 0;
             const add = (shifts) => shifts.filter((it) => !it.hadRecentInput).forEach((it) => { sum += it.value; });
             const seen = new PerformanceObserver((list) => add(list.getEntries()));
             seen.observe({ type: 'layout-shift', buffered: true });
             requestAnimationFrame(() => setTimeout(() => { add(seen.takeRecords()); done(sum); }))",
        );
        shift.as_f64().expect("a number")
    }

    /// Forgets who is signed in.
    pub(super) fn forget_cookies(&self) {
        self.run(self.client.delete_all_cookies()).unwrap();
    }

    /// Signs in on the page of signing in, wherever that leads.
    pub(super) fn sign_in(&self, email: &str) {
        self.fill("#email", email);
        self.fill("#password", crate::people::PASSWORD);
        self.click("form button");
        self.until(
            "signed in",
            "!location.pathname.startsWith('/sign-in') && document.readyState === 'complete'",
        );
    }

    /// A file that arrives among the downloads, its name ending as told. It is taken away from there.
    #[track_caller]
    pub(super) fn download(&self, ending: &str) -> Vec<u8> {
        eventually(&format!("a download that ends in {ending}"), || {
            let files = std::fs::read_dir(self.driver.downloads()).unwrap();
            let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
            // What is under way has another name.
            let file = files.into_iter().find(|file| file.to_string_lossy().ends_with(ending))?;
            let bytes = std::fs::read(&file).unwrap();
            std::fs::remove_file(&file).unwrap();
            Some(bytes)
        })
    }

    /// Fails where the console has an error: of a script, of the policy of what may be loaded, or of an answer. Called
    /// where all has been done; `expected` are parts of those that belong there.
    #[track_caller]
    pub(super) fn has_no_errors(&self, expected: &[&str]) {
        let log = self.command("se/log", json!({"type": "browser"}));
        let entries = log.as_array().expect("a log is a list").iter();
        let errors: Vec<&str> = entries
            .filter(|entry| entry["level"] == "SEVERE")
            .filter_map(|entry| entry["message"].as_str())
            .filter(|message| !expected.iter().any(|part| message.contains(part)))
            .collect();
        assert!(errors.is_empty(), "the console says:\n{}", errors.join("\n"));
    }

    /// Asks the browser itself, by its own protocol.
    #[expect(clippy::needless_pass_by_value, reason = "it is called with json!")]
    fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    fn command(&self, path: &'static str, body: Value) -> Value {
        let done = self.run(self.client.issue_cmd(Command { path, body }));
        done.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Finds an element and does something with it, again where it is not there yet or was just replaced.
    #[track_caller]
    fn with<T>(&self, css: &str, act: impl Fn(&Element) -> Result<T, CmdError>) -> T {
        self.persistently(css, || {
            let found = self.run(self.client.find(Locator::Css(css)));
            found.and_then(|element| act(&element)).map_err(|error| error.to_string())
        })
    }

    #[track_caller]
    fn persistently<T, E: Display>(&self, what: &str, mut attempt: impl FnMut() -> Result<T, E>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            match attempt() {
                Ok(done) => return done,
                Err(error) => assert!(
                    Instant::now() < until,
                    "{what}: not after {PATIENCE:?} at {}: {error}",
                    self.path()
                ),
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let file = pictures().join(format!("failed-{}.png", std::process::id()));
            let kept = self.run(self.client.screenshot()).map(|picture| std::fs::write(&file, picture));
            if matches!(kept, Ok(Ok(()))) {
                eprintln!("what the window showed: {}", file.display());
            }
        }
        // The driver is killed anyway; so its browser ends in order.
        let _ = self.run(self.client.clone().close());
    }
}

/// A command that chromedriver knows beyond the standard.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
