//! Ctrl-C and `kill -9` at every stage: code 130, earlier results whole, and the next run works.

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::call::{Call, GENERIC, Outcome, Place, plain_report, system};

const PATIENCE: Duration = Duration::from_secs(30);

fn args(report: &'static str) -> Vec<&'static str> {
    let mut args = vec!["score", "--json", report, "--out", "out", "--format", "csv,json,xlsx"];
    args.extend(GENERIC);
    args
}

/// A place with results of a small report in `out`, and a large report.
fn place(names: usize) -> Place {
    let place = Place::new();
    place.write("small.csv", plain_report(40));
    place.write("large.csv", plain_report(names));
    place.run(&args("small.csv")).done();
    place
}

fn started(call: Call<'_>) -> Child {
    call.command(Stdio::piped(), Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(system("kill", &[format!("-{name}"), child.id().to_string()]), "kill -{name}");
}

/// Waits for a state of the run; false where the run ended before.
fn wait_for(child: &mut Child, state: impl Fn(u32) -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if state(child.id()) {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(begin.elapsed() < PATIENCE, "the run never came so far");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Whether the program catches Ctrl-C by now.
fn listens(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask & 0b10 != 0)
}

/// Whether a run has a file in its staging folder.
fn stages(place: &Place, file: &str) -> bool {
    let entries = std::fs::read_dir(place.path("out")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.is_dir() && path.join(file).exists())
}

#[track_caller]
fn ended(child: Child, what: &str) -> Outcome {
    let begin = Instant::now();
    let outcome = Outcome::of(what.into(), &child.wait_with_output().unwrap());
    assert!(begin.elapsed() < Duration::from_secs(10), "{what}: it took too long to end");
    outcome
}

#[track_caller]
fn assert_cancelled(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert_eq!(outcome.stdout, "", "{outcome}");
}

#[test]
fn ctrl_c_while_standard_input_is_slow() {
    let place = place(40);
    let before = place.files_in("out");
    let mut child = started(Call::new(&place, &args("-")).piped());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(plain_report(10).as_bytes()).unwrap();
    stdin.flush().unwrap();
    assert!(wait_for(&mut child, listens), "it waits for the rest");
    signal(&child, "INT");
    assert_cancelled(&ended(child, "slow standard input"));
    drop(stdin);
    assert!(place.files_in("out") == before, "the earlier results are not as they were");
}

#[test]
fn ctrl_c_while_a_large_report_is_read() {
    let place = place(200_000);
    let before = place.files_in("out");
    let mut child = started(Call::new(&place, &args("large.csv")));
    assert!(wait_for(&mut child, |id| listens(id) && stages(&place, "")), "it reads for a while");
    signal(&child, "INT");
    let outcome = ended(child, "reading");
    assert_cancelled(&outcome);
    let error = outcome.error(130);
    assert_eq!(error["code"], "cancelled");
    assert!(
        place.files_in("out") == before,
        "the earlier results are not as they were, or something is left"
    );
}

/// Interrupts runs once they have begun to write a file, until one was caught; after each the folder holds the results
/// of the small report or of the large one, nothing between.
fn interrupt_while_writing(signal_name: &str) {
    let place = place(20_000);
    let small = results(&place);
    place.run(&args("large.csv")).done();
    let large = results(&place);
    place.run(&args("small.csv")).done();
    let mut caught = 0;
    for file in ["results.parquet", "results.csv", "results.json", "results.xlsx"].iter().cycle().take(8) {
        let mut child = started(Call::new(&place, &args("large.csv")));
        if wait_for(&mut child, |_| stages(&place, file)) {
            signal(&child, signal_name);
        }
        let outcome = ended(child, &format!("{signal_name} at {file}"));
        let found = results(&place);
        match outcome.code {
            Some(0) => assert!(found == large, "{file}: it was done before the signal, and is not whole"),
            code => {
                assert_eq!(code, (signal_name == "INT").then_some(130), "{outcome}");
                assert!(found == small, "{signal_name} at {file}: the earlier results are not whole");
                caught += 1;
            }
        }
        // The next run works, and clears away what a killed one left.
        place.run(&args("small.csv")).done();
        assert!(results(&place) == small, "the run after {signal_name} at {file}");
        let left: Vec<String> = place.files_in("out").into_iter().map(|(name, _)| name).collect();
        assert!(
            left.iter().all(|name| !name.starts_with('.')),
            "left after {signal_name} at {file}: {left:?}"
        );
    }
    assert!(caught > 0, "no run was caught while it wrote");
}

/// The files of results and lists, without those that tell the time.
fn results(place: &Place) -> Vec<(String, Vec<u8>)> {
    let mut files = place.files_in("out");
    files.retain(|(name, _)| !name.starts_with('.') && name != "summary.json");
    files
}

#[test]
fn ctrl_c_while_it_writes() {
    interrupt_while_writing("INT");
}

#[test]
fn kill_9_while_it_writes() {
    interrupt_while_writing("KILL");
}

#[test]
fn a_second_run_on_the_same_folder_is_no_harm() {
    let place = place(4000);
    let mut runs: Vec<Child> = (0..4)
        .map(|run| started(Call::new(&place, &args(if run % 2 == 0 { "small.csv" } else { "large.csv" }))))
        .collect();
    for child in &mut runs {
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success(), "{text}");
    }
    let found = results(&place);
    let names = place.read("out/results.csv").lines().count() - 1;
    assert!(names == 40 || names == 4000, "{names}");
    place.run(&args(if names == 40 { "small.csv" } else { "large.csv" })).done();
    assert!(results(&place) == found, "all files are of one run");
}
