//! `cargo xtask load`: readers of one campaign's results, as many a second as told, whether the server keeps up or
//! not.
//!
//! The loop is open: each request has its time, and its latency counts from then. A server that stalls is charged
//! with everyone who had to wait behind it, which a client that waits for its answers would hide.

mod figures;
mod mix;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ureq::Agent;

use figures::{Answer, Figures};
use mix::{Kind, Mix};

/// Flags of `cargo xtask load`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The server, as in <http://127.0.0.1:8000>, started with `CALIBER_RATE_LIMIT=off`
    #[arg(long)]
    url: String,
    /// A bearer token that may read the campaign
    #[arg(long, env = "CALIBER_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The campaign, scored
    #[arg(long, value_name = "ID")]
    campaign: String,
    /// Requests a second
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// How long
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Requests under way at the same time, at most
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Fail where the 99th percentile of all is longer than this
    #[arg(long, value_name = "MS")]
    p99_ms_max: Option<f64>,
    /// Another seed asks other questions
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Longer than this no reader waits.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One reader, with a connection of its own that stays open.
struct Reader<'a> {
    agent: Agent,
    results: String,
    token: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections_per_host(1)
            .proxy(None)
            .build();
        let url = arguments.url.trim_end_matches('/');
        let results = format!("{url}/api/v1/scoring/results/{}", arguments.campaign);
        Self { agent: config.into(), results, token: arguments.token.as_deref() }
    }

    /// The body of the answer to one question.
    fn ask(&self, question: &str) -> Result<String> {
        let mut request = self.agent.get(format!("{}{question}", self.results));
        if let Some(token) = self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call()?;
        let body = answer.body_mut().read_to_string()?;
        ensure!(answer.status() == 200, "{} {}", answer.status(), body.chars().take(300).collect::<String>());
        Ok(body)
    }
}

/// Warms up, asks, prints; fails on any error, or where it took longer than allowed.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mix = warm_up(arguments)?;
    let due_last = u64::from(arguments.rate) * u64::from(arguments.seconds);
    let next = AtomicU64::new(0);
    let answers = Mutex::new(Vec::with_capacity(due_last as usize));
    let start = Instant::now() + Duration::from_millis(100);
    thread::scope(|scope| {
        for _ in 0..arguments.connections {
            scope.spawn(|| {
                let own = read(arguments, &mix, start, || {
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < due_last)
                });
                answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(own);
            });
        }
    });
    let answers = answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let took = start.elapsed();
    let figures = Figures::of(&answers);
    println!(
        "{} requests in {:.1} s ({:.1} a second), the latest left {:.1} ms after its time",
        answers.len(),
        took.as_secs_f64(),
        answers.len() as f64 / took.as_secs_f64(),
        figures.late_ms_max()
    );
    println!("{figures}");
    if figures.errors() > 0 {
        bail!("{} of {} requests failed", figures.errors(), answers.len());
    }
    match arguments.p99_ms_max {
        Some(most) if figures.p99_ms() > most => {
            bail!("p99 is {:.1} ms, more than {most} ms", figures.p99_ms())
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Asks one question of each sort, and learns from the first page what there is to search for.
fn warm_up(arguments: &Arguments) -> Result<Mix> {
    let reader = Reader::new(arguments);
    let started = Instant::now();
    let first = reader.ask(mix::FIRST_PAGE).context("the first page")?;
    println!("first touch: {:.1} ms", started.elapsed().as_secs_f64() * 1000.0);
    let first: serde_json::Value = serde_json::from_str(&first).context("the first page is no JSON")?;
    let rows = first["data"].as_array().context("the first page has no `data`")?;
    let names = rows.iter().filter_map(|row| row["domain"].as_str().map(str::to_owned)).collect();
    let mix = Mix::new(arguments.seed, names);
    let started = Instant::now();
    for question in mix.one_of_each() {
        reader.ask(&question).with_context(|| question.clone())?;
    }
    println!("warm-up: {:.1} ms", started.elapsed().as_secs_f64() * 1000.0);
    Ok(mix)
}

/// Asks whatever question is next at its time, until there is none.
fn read(arguments: &Arguments, mix: &Mix, start: Instant, next: impl Fn() -> Option<u64>) -> Vec<Answer> {
    let reader = Reader::new(arguments);
    let mut answers = Vec::new();
    while let Some(number) = next() {
        let (kind, question) = mix.question(number);
        let due = start + Duration::from_secs_f64(number as f64 / f64::from(arguments.rate));
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let late = due.elapsed();
        let failed = reader.ask(&question).err().map(|error| format!("{question}: {error:#}"));
        answers.push(Answer { kind, latency: due.elapsed(), late, failed });
    }
    answers
}
