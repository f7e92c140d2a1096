//! A browser that opens pages and says what that took: Chromium without a window, by chromedriver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

/// A running browser; it ends with this value.
pub(super) struct Browser {
    driver: Child,
    agent: Agent,
    session: String,
    profile: TempDir,
}

/// What a page took to be seen.
#[derive(Deserialize)]
pub(super) struct Seen {
    /// Until anything but the background was painted.
    pub(super) first_paint_ms: f64,
    /// Until the largest text or picture was.
    pub(super) largest_paint_ms: f64,
    /// How much of what was painted moved; 0 is nothing.
    pub(super) shift: f64,
    /// What went over the network, the page itself included.
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

/// Asks the page, once nothing is under way any more. What came from the cache has no transferred size.
const ASK: &str = "
    const done = arguments[arguments.length - 1];
    const all = { first: 0, largest: 0, shift: 0 };
    const watch = (type, add) => new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type, buffered: true });
    watch('largest-contentful-paint', (it) => { all.largest = it.startTime; });
    watch('layout-shift', (it) => { if (!it.hadRecentInput) all.shift += it.value; });
    const isWhole = () => document.readyState === 'complete' && performance.getEntriesByName('first-contentful-paint').length
      && !document.querySelector('.htmx-request')
      && [...document.querySelectorAll('[data-chart]')].every((chart) => chart.querySelector('canvas'));
    const ask = () => {
      if (!isWhole()) { setTimeout(ask, 20); return; }
      requestAnimationFrame(() => setTimeout(() => {
        const parts = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
        const sent = parts.filter((it) => it.transferSize > 0);
        done({
          first_paint_ms: performance.getEntriesByName('first-contentful-paint')[0].startTime,
          largest_paint_ms: all.largest, shift: all.shift,
          requests: sent.length, bytes: sent.reduce((sum, it) => sum + it.transferSize, 0),
        });
      }, 100));
    };
    ask();";

impl Browser {
    pub(super) fn start() -> Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting chromedriver")?;
        let out = driver.stdout.take().context("chromedriver has no standard output")?;
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let port = lines.find_map(|line| Some(line.split_once("successfully on port ")?.1.to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        let config = Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent: Agent = config.timeout_global(Some(Duration::from_mins(1))).build().into();
        let profile = tempfile::tempdir().context("making a folder for the browser")?;
        let mut browser = Self { driver, agent, session: String::new(), profile };
        let port = port.context("chromedriver ended before it listened")?;
        let address = format!("http://127.0.0.1:{}/session", port.trim_end_matches('.'));
        let made = browser.post(&address, &capabilities(browser.profile.path()))?;
        let id = made["sessionId"].as_str().context("chromedriver named no session")?;
        browser.session = format!("{address}/{id}");
        browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false}),
        )?;
        Ok(browser)
    }

    /// Takes a cookie along to every page of `address`.
    pub(super) fn keep_cookie(&self, address: &str, name: &str, value: &str) -> Result<()> {
        self.devtools("Network.setCookie", json!({"url": address, "name": name, "value": value})).map(drop)
    }

    /// Opens a page as one who was never there.
    pub(super) fn open_cold(&self, address: &str) -> Result<Seen> {
        self.devtools("Network.clearBrowserCache", json!({}))?;
        self.open(address)
    }

    /// Opens a page; what was kept of an earlier visit is not asked for.
    pub(super) fn open(&self, address: &str) -> Result<Seen> {
        self.command("url", &json!({"url": "about:blank"}))?;
        self.command("url", &json!({"url": address}))?;
        let seen = self.command("execute/async", &json!({"script": ASK, "args": []}))?;
        serde_json::from_value(seen).with_context(|| format!("what the browser says of {address}"))
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is called with json!")]
    fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        self.command("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value> {
        self.post(&format!("{}/{path}", self.session), body)
    }

    fn post(&self, address: &str, body: &Value) -> Result<Value> {
        let mut answer = self.agent.post(address).send(body.to_string())?;
        let text = answer.body_mut().read_to_string()?;
        ensure!(answer.status() == 200, "chromedriver answers {}: {text}", answer.status());
        let mut answer: Value = serde_json::from_str(&text).context("parsing what chromedriver answers")?;
        Ok(answer["value"].take())
    }
}

fn capabilities(profile: &std::path::Path) -> Value {
    let profile = format!("--user-data-dir={}", profile.display());
    json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": [
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server",
        "--disable-background-networking", "--disable-component-update", "--no-first-run", profile,
    ]}}}})
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
