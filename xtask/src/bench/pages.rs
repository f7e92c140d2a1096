//! The pages of a large campaign: what the server takes for them, and what a browser does.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use super::browser::Browser;
use super::table::median;
use crate::{needs, run};

/// Requests a figure of the server is the median of.
const REQUESTS: u32 = 30;
/// Sites of the sample; about four of five have the volume to be scored.
const SITES: &str = "125000";
const ROWS: &str = "1000000";
const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "brass lantern under the stairs";

/// Prints a line a page, and what the weights' page takes while a slider moves.
pub(super) fn run(caliber: &Path) -> Result<()> {
    needs::ensure(&["chromium"])?;
    let server = Server::start(caliber)?;
    let token = server.register()?;
    let campaign = server.score(caliber, &token)?;
    let visitor = server.sign_in()?;
    let browser = Browser::start()?;
    for (name, value) in &visitor.cookies {
        browser.keep_cookie(&server.address, name, value)?;
    }
    println!(
        "\n{:18} {:>8} {:>8} {:>9} | {:>8} {:>8} {:>6} {:>5} {:>8} | {:>8} {:>5} {:>8}",
        "page",
        "HTML kB",
        "sent kB",
        "server ms",
        "FCP ms",
        "LCP ms",
        "shift",
        "reqs",
        "kB",
        "warm FCP",
        "reqs",
        "kB"
    );
    for (name, path) in pages(&server, &token, &campaign)? {
        let address = format!("{}{path}", server.address);
        let html = visitor.get(&address, "identity")?.1;
        let sent = visitor.get(&address, "br")?.1;
        let server_ms = visitor.median_ms(REQUESTS, |_| address.clone())?;
        let (cold, warm) = (browser.open_cold(&address)?, browser.open(&address)?);
        println!(
            "{name:18} {:>8.1} {:>8.1} {server_ms:>9.1} | {:>8.0} {:>8.0} {:>6.3} {:>5} {:>8.1} | {:>8.0} {:>5} {:>8.1}",
            kilobytes(html),
            kilobytes(sent),
            cold.first_paint_ms,
            cold.largest_paint_ms,
            cold.shift,
            cold.requests,
            kilobytes(cold.bytes as usize),
            warm.first_paint_ms,
            warm.requests,
            kilobytes(warm.bytes as usize),
        );
    }
    println!(
        "targets: HTML under 150 kB, server under 30 ms at the median, FCP under 1000 ms, shift under 0.05"
    );
    let what_if = visitor.median_ms(REQUESTS, |turn| what_if(&server.address, &campaign, turn))?;
    println!("what-if, other weights each time: {what_if:.1} ms, median of {REQUESTS}; target: under 150 ms");
    Ok(())
}

/// Each page, by what it is called and where it is.
fn pages(server: &Server, token: &str, campaign: &str) -> Result<Vec<(&'static str, String)>> {
    let path = format!("/api/v1/scoring/results/{campaign}?per_page=1");
    let rows = server.call("GET", &path, Some(token), None)?;
    let name = rows["data"][0]["domain"].as_str().context("the campaign has no rows")?;
    let of = |below: &str| format!("/campaigns/{campaign}{below}");
    let mut pages = vec![
        ("dashboard", "/".to_owned()),
        ("campaigns", "/campaigns".to_owned()),
        ("campaign", of("")),
        ("campaign, sorted", of("?sort_by=spend&quality_status=poor")),
        ("campaign, searched", of("?search=news")),
        ("campaign, page 900", of("?page=900")),
        ("explanation", of(&format!("/domains/{name}"))),
        ("what-if", of("/what-if")),
        ("lists, tried", of("/lists")),
        ("compare", of("/compare")),
        ("lists of a campaign", format!("/lists/{campaign}")),
    ];
    let plain =
        ["campaigns/new", "lists", "files", "recipes", "jobs", "people", "organisation", "profile", "help"];
    pages.extend(plain.map(|page| (page, format!("/{page}"))));
    Ok(pages)
}

/// The page of weights, with weights that were not asked for before.
fn what_if(address: &str, campaign: &str, turn: u32) -> String {
    let cpm = 30.0 + f64::from(turn) / 10.0;
    format!("{address}/campaigns/{campaign}/what-if?w.cpm={cpm:.1}&w.ctr={:.1}", 100.0 - cpm)
}

fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}

/// `caliber serve` on data of its own; it ends with this value.
struct Server {
    child: Child,
    address: String,
    agent: Agent,
    folder: TempDir,
}

impl Server {
    fn start(caliber: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("making a folder for the server")?;
        let mut child = Command::new(caliber)
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            .env("CALIBER_DEV_SIGN_IN", "off")
            .env("CALIBER_RATE_LIMIT", "off")
            .env("CALIBER_PAGE_RATE_LIMIT", "off")
            .env("CALIBER_MAX_UPLOAD", "500MB")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", caliber.display()))?;
        let mut out = BufReader::new(child.stdout.take().context("the server has no standard output")?);
        let mut line = String::new();
        out.read_line(&mut line).context("reading the server's address")?;
        thread::spawn(move || out.lines().map_while(Result::ok).for_each(drop));
        let address = line.trim().strip_prefix("listening on ").map(str::to_owned);
        Ok(Self {
            address: address.with_context(|| format!("the server says {line:?}"))?,
            child,
            agent: agent(),
            folder,
        })
    }

    /// Somebody new; their access token.
    fn register(&self) -> Result<String> {
        let new = json!({"email": EMAIL, "password": PASSWORD, "name": "Bench"});
        self.call("POST", "/api/v1/auth/register", None, Some(&new))?;
        let session = self.call("POST", "/api/v1/auth/login", None, Some(&new))?;
        Ok(session["data"]["access_token"].as_str().context("no access token")?.to_owned())
    }

    /// A large campaign, scored; its id.
    fn score(&self, caliber: &Path, token: &str) -> Result<String> {
        let report = self.folder.path().join("report.csv.zst");
        let mut sample = Command::new(caliber);
        sample.args(["sample", "--platform", "trade_desk", "--channel", "display", "--seed", "1"]);
        sample.args(["--rows", ROWS, "--domains", SITES]).arg("--out").arg(&report);
        run::succeed(&mut sample)?;
        let new = json!({"name": "Large", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"});
        let made = self.call("POST", "/api/v1/campaigns", Some(token), Some(&new))?;
        let id = made["data"]["id"].as_str().context("no campaign")?.to_owned();
        self.upload(&format!("/api/v1/campaigns/{id}/upload"), token, &report)?;
        let start = json!({"campaign_id": id});
        self.call("POST", "/api/v1/scoring/start", Some(token), Some(&start))?;
        loop {
            let campaign = self.call("GET", &format!("/api/v1/campaigns/{id}"), Some(token), None)?;
            match campaign["data"]["status"].as_str() {
                Some("completed") => break,
                Some("processing") => thread::sleep(Duration::from_millis(100)),
                _ => bail!("the campaign was not scored: {}", campaign["data"]),
            }
        }
        let rows =
            self.call("GET", &format!("/api/v1/scoring/results/{id}?per_page=1"), Some(token), None)?;
        println!("a campaign of {ROWS} rows and {SITES} sites, of which {} are scored", rows["total"]);
        Ok(id)
    }

    fn upload(&self, path: &str, token: &str, report: &Path) -> Result<()> {
        let bytes = std::fs::read(report).context("reading the report")?;
        let head = "--part\r\ncontent-disposition: form-data; name=\"file\"; filename=\"report.csv.zst\"\r\n\
                    content-type: application/zstd\r\n\r\n";
        let body = [head.as_bytes(), &bytes, b"\r\n--part--\r\n"].concat();
        let request = self.agent.post(format!("{}{path}", self.address));
        let mut answer = request
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "multipart/form-data; boundary=part")
            .send(body)?;
        let said = answer.body_mut().read_to_string()?;
        ensure!(answer.status().is_success(), "the upload is answered by {}: {said}", answer.status());
        Ok(())
    }

    /// A call of the API.
    fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Result<Value> {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json");
        let mut answer = match body {
            Some(body) => self.agent.run(request.body(body.to_string())?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let said = answer.body_mut().read_to_string()?;
        ensure!(answer.status().is_success(), "{method} {path}: {} {said}", answer.status());
        serde_json::from_str(&said).with_context(|| format!("{method} {path}: {said}"))
    }

    /// Signs in as a browser does.
    fn sign_in(&self) -> Result<Visitor> {
        let form = format!("email={}&password={}", EMAIL.replace('@', "%40"), PASSWORD.replace(' ', "+"));
        let answer = self
            .agent
            .post(format!("{}/sign-in", self.address))
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form)?;
        let set = answer.headers().get_all("set-cookie").iter();
        let cookies: Vec<_> = set
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next()?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        ensure!(!cookies.is_empty(), "signing in is answered by {}", answer.status());
        Ok(Visitor { agent: self.agent.clone(), cookies })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who is signed in, with a connection that stays open.
struct Visitor {
    agent: Agent,
    cookies: Vec<(String, String)>,
}

impl Visitor {
    /// How long a page took and how many bytes it has, packed as told.
    fn get(&self, address: &str, packing: &str) -> Result<(Duration, usize)> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let start = Instant::now();
        let mut answer = self
            .agent
            .get(address)
            .header("accept", "text/html")
            .header("accept-encoding", packing)
            .header("cookie", cookies.join("; "))
            .call()?;
        let bytes = answer.body_mut().read_to_vec()?;
        let took = start.elapsed();
        ensure!(answer.status() == 200, "{address} is answered by {}", answer.status());
        Ok((took, bytes.len()))
    }

    /// The median of so many requests, as a browser sends them.
    fn median_ms(&self, requests: u32, address: impl Fn(u32) -> String) -> Result<f64> {
        self.get(&address(requests), "br")?;
        let times = (0..requests).map(|turn| self.get(&address(turn), "br")).collect::<Result<Vec<_>>>()?;
        Ok(median(times.into_iter().map(|(took, _)| took.as_secs_f64() * 1000.0)))
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_mins(2)));
    config.build().into()
}
