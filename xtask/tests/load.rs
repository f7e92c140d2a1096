//! `cargo xtask load` against a server of a few lines.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

const PAGE: &str = r#"{"success":true,"data":[{"domain":"example.com"}],"total":1}"#;

/// Serves on a port of its own for as long as the test runs: what to answer, and how long to think before.
fn serve(answer: impl Fn(&str) -> (u16, Duration) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || drop(answer_all(stream.unwrap(), &answer)));
        }
    });
    url
}

/// Answers on one connection until it closes.
fn answer_all(mut stream: TcpStream, answer: &impl Fn(&str) -> (u16, Duration)) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(request) = lines.next() {
        let request = request?;
        let headers: Vec<String> =
            lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        assert!(headers.iter().any(|header| header.eq_ignore_ascii_case("authorization: bearer secret")));
        let (status, thinking) = answer(&request);
        thread::sleep(thinking);
        // In one piece: small pieces wait for each other's acknowledgement.
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{PAGE}", PAGE.len());
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// Whether the load passes, and what it prints.
fn load(url: &str, more: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(["load", "--url", url, "--token", "secret", "--campaign", "c-1", "--seconds", "1"])
        .args(more);
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

/// A figure of the line that begins with a name.
fn figure(printed: &str, line: &str, at: usize) -> f64 {
    let line = printed.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    line.split_whitespace().nth(at).unwrap().parse().unwrap()
}

#[test]
fn every_request_is_asked_and_counted() {
    let url = serve(|request| {
        assert!(request.starts_with("GET /api/v1/scoring/results/c-1?"), "{request}");
        (200, Duration::ZERO)
    });
    let (passes, printed) = load(&url, &["--rate", "100"]);
    assert!(passes, "{printed}");
    assert_eq!(figure(&printed, "all", 0), 100.0);
    assert_eq!(figure(&printed, "all", 5), 0.0);
    let kinds = ["first page", "other sorts", "filters", "search"];
    assert_eq!(kinds.map(|kind| figure(&printed, kind, 0)).iter().sum::<f64>(), 100.0);
}

#[test]
fn who_waits_behind_a_slow_answer_is_counted_from_the_time_it_was_due() {
    let url = serve(|_| (200, Duration::from_millis(50)));
    // One connection answers 20 a second; at 40 a second the last waits half a second and more.
    let (passes, printed) = load(&url, &["--rate", "40", "--connections", "1", "--p99-ms-max", "200"]);
    assert!(!passes && printed.contains("more than 200 ms"), "{printed}");
    assert!(figure(&printed, "all", 4) > 500.0, "{printed}");
}

#[test]
fn errors_are_counted_by_kind_shown_and_fail() {
    let second_pages_fail =
        |request: &str| (if request.contains("?page=2") { 503 } else { 200 }, Duration::ZERO);
    let (passes, printed) = load(&serve(second_pages_fail), &["--rate", "100", "--seed", "2"]);
    assert!(!passes && printed.contains("requests failed"), "{printed}");
    assert!(figure(&printed, "other sorts", 5) > 0.0, "{printed}");
    assert_eq!(figure(&printed, "first page", 5), 0.0);
    assert!(printed.contains("failed: ?page=2") && printed.contains("503"), "{printed}");
}

#[test]
fn a_server_that_is_not_there_is_an_error_at_once() {
    let (passes, printed) = load("http://127.0.0.1:9", &[]);
    assert!(!passes && printed.contains("the first page"), "{printed}");
}
