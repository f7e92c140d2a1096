//! What a person sees: through the program, into a pipe.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn caliber(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caliber"));
    command.current_dir(folder).env_remove("CLICOLOR_FORCE").env_remove("CALIBER_DATA");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    caliber(folder).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder with this report of The Trade Desk in it.
fn with_report(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("report.csv"), text).unwrap();
    folder
}

/// A report of these names, under headers that the generic display recipe is made for.
fn generic(names: &[&str]) -> String {
    let rows = names.iter().enumerate();
    let rows = rows.map(|(at, name)| format!("{name},{},{},{}", 1000 * (at + 1), 3 + at, 2 + 3 * at));
    let head = "Domain,Impressions,Clicks,Spend".to_owned();
    std::iter::once(head).chain(rows).map(|line| line + "\n").collect()
}

const GENERIC: [&str; 4] = ["--platform", "generic", "--channel", "display"];

fn score_generic(folder: &Path, more: &[&str]) -> Output {
    run(folder, &[&["score", "report.csv"], &GENERIC[..], more].concat())
}

fn sample(folder: &Path, more: &[&str]) -> Output {
    run(folder, &[&["sample", "--platform", "trade_desk", "--channel", "display"], more].concat())
}

#[test]
fn notes_are_no_part_of_the_answer() {
    let folder = with_report(&(generic(&["a.example", "b.example"]) + "c.example,many,1,1\n"));
    let output = score_generic(folder.path(), &["--min-impressions", "0"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stdout(&output).contains("note:"), "{}", stdout(&output));
    let note = "note: 1 cell of `Impressions` cannot be read and counts as missing; on line 4";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    let quiet = score_generic(folder.path(), &["--min-impressions", "0", "--quiet"]);
    assert_eq!((stdout(&quiet), stderr(&quiet)), (String::new(), String::new()));
}

#[test]
fn one_of_a_kind_is_said_in_the_singular() {
    let folder =
        with_report("Domain,Impressions,Clicks,Spend\na.example,1,0,1\nDomain,Impressions,Clicks,Spend\n");
    let output = score_generic(folder.path(), &["--min-impressions", "0"]);
    let text = stdout(&output);
    assert!(text.contains("1 domain, 1 impression, "), "{text}");
    assert!(text.contains("1 row that repeats the header"), "{text}");
}

#[test]
fn few_rows_stand_in_one_table_and_no_points_are_no_reason() {
    let folder = with_report(&generic(&["a.example"]));
    let text = stdout(&score_generic(folder.path(), &["--min-impressions", "0"]));
    assert!(text.contains("\nAll ") && !text.contains("\nBest ") && !text.contains("\nWorst "), "{text}");
    assert!(text.contains("as average as the campaign") && !text.contains(" 0.0 points"), "{text}");
}

#[test]
fn a_pipe_gets_counts_and_no_bars_and_lines_of_100_columns() {
    let folder = tempfile::tempdir().unwrap();
    sample(folder.path(), &["--rows", "3000", "--out", "report.csv"]);
    let output = run(folder.path(), &["score", "report.csv"]);
    let text = stdout(&output);
    assert!(!text.contains('█') && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains("\nBest ") && text.contains("\nWorst "), "{text}");
    for command in [&["score", "report.csv"][..], &["inspect", "report.csv"], &["recipes"]] {
        let text = stdout(&run(folder.path(), command));
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        assert!(!text.contains("\n\n\n"), "{text}");
    }
    let forced =
        caliber(folder.path()).args(["score", "report.csv"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(stdout(&forced).contains('█'));
}

#[test]
fn reasons_are_in_words_on_the_terminal_and_in_the_lists() {
    let folder = tempfile::tempdir().unwrap();
    sample(folder.path(), &["--rows", "3000", "--out", "report.csv"]);
    let text = stdout(&run(folder.path(), &["score", "report.csv"]));
    let lists = ["allowlist.csv", "blocklist.csv"]
        .map(|name| fs::read_to_string(folder.path().join("report-caliber").join(name)).unwrap());
    for text in [&text, &lists[0], &lists[1]] {
        assert!(!text.contains("_rate"), "{text}");
    }
    let known =
        ["in view (IAS, 1 s)", "excessive ad load", "ad refresh under 15 s", "CTR", "CPM", "conversion rate"];
    let reasons = lists.iter().flat_map(|list| list.lines().skip(1));
    for line in reasons {
        let is_known = known.iter().any(|label| line.contains(label));
        assert!(
            is_known || line.contains("as average as the campaign") || line.contains("in view"),
            "{line}"
        );
    }
}

#[test]
fn scales_that_contradict_each_other_or_mean_nothing_are_refused() {
    let folder = with_report(&generic(&["a.example", "b.example"]));
    for (scales, message) in [
        (["ctr=percent", "ctr=fraction"], "`ctr` is given two scales"),
        (["cpm=percent", "cpm=percent"], "`cpm` is no rate"),
    ] {
        let output = score_generic(folder.path(), &["--scale", scales[0], "--scale", scales[1]]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains(message) && stderr(&output).contains("help:"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn flags_that_cannot_be_say_why() {
    let folder = with_report(&generic(&["a.example", "b.example"]));
    for (flags, message) in [
        (&["--min-impressions", "-5"][..], "cannot be negative"),
        (&["--no-header"], "--no-header leaves the columns without names"),
    ] {
        let output = score_generic(folder.path(), flags);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
}

#[test]
fn protected_names_are_shown_in_unicode_whatever_their_file_is_written_in() {
    let names: Vec<String> = (0..12).map(|at| format!("{at}.zürich.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = with_report(&generic(&names));
    let list = format!("Domain;Owner\n{}\n", names.join(";me\n"));
    let utf16: Vec<u8> = format!("\u{feff}{list}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cp1252: Vec<u8> = list.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in [list.clone().into_bytes(), utf16, cp1252] {
        fs::write(folder.path().join("protect.csv"), bytes).unwrap();
        let text = stdout(&score_generic(folder.path(), &["--protect", "protect.csv"]));
        let protected = text.lines().find(|line| line.starts_with("Protected from the blocklist: ")).unwrap();
        assert!(protected.contains(".zürich.example") && !protected.contains("xn--"), "{protected}");
        assert!(text.contains("blocklist 0"), "{text}");
    }
}

#[test]
fn a_sample_says_what_is_wrong_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = sample(folder.path(), &["--out", "nodir/x.csv"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains("nodir/x.csv") && text.contains("there is no folder `nodir`"), "{text}");
    assert!(text.contains("help:") && !text.contains(".caliber-sample-"), "{text}");
    for (word, help) in
        [("foo", "help: the kinds are: all, "), ("total", "help: did you mean `totals`? the kinds")]
    {
        let output = sample(folder.path(), &["--mess", word, "--out", "x.csv"]);
        assert_eq!(output.status.code(), Some(2));
        let text = stderr(&output);
        assert!(
            text.contains(&format!("error: `{word}` is not a kind of mess\n")) && text.contains(help),
            "{text}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_setting_that_is_none_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let output = caliber(folder.path()).arg("recipes").env("CALIBER_DATTA", "x").output().unwrap();
    assert!(output.status.success());
    let text = stderr(&output);
    assert!(text.contains("CALIBER_DATTA") && text.contains("did you mean CALIBER_DATA?"), "{text}");
    let quiet =
        caliber(folder.path()).args(["recipes", "--quiet"]).env("CALIBER_DATTA", "x").output().unwrap();
    assert_eq!(stderr(&quiet), "");
    let known = caliber(folder.path()).arg("recipes").env("CALIBER_WORKERS", "2").output().unwrap();
    assert_eq!(stderr(&known), "");
}

#[test]
fn a_report_cannot_steer_the_terminal() {
    let folder = with_report(
        "Domain,Impressions,Clicks,Spend,\"Odd\nheader\",\u{1b}[31mred\n\
         \u{1b}[2J.example,1000,5,1,\u{202e}x,1\nb.example,2000,5,3,y,1\n",
    );
    for command in ["score", "inspect"] {
        let output = run(folder.path(), &[&[command, "report.csv"], &GENERIC[..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        for text in [stdout(&output), stderr(&output)] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        }
        assert_eq!(command == "inspect", stdout(&output).contains("Odd header"), "{}", stdout(&output));
    }
    let output = run(folder.path(), &["score", "\u{1b}[31m.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!stderr(&output).contains('\u{1b}'), "{:?}", stderr(&output));
}

#[test]
fn a_preview_has_heads_and_the_columns_that_serve_first() {
    let folder = tempfile::tempdir().unwrap();
    sample(folder.path(), &["--rows", "50", "--out", "report.csv"]);
    let text = stdout(&run(folder.path(), &["inspect", "report.csv"]));
    let heads = text.lines().skip_while(|line| !line.starts_with("First rows")).nth(1).unwrap();
    let first: Vec<&str> = heads.split("  ").filter(|head| !head.is_empty()).take(3).map(str::trim).collect();
    // The advertiser, the second column of the file, serves nothing.
    assert!(first.contains(&"Site") && !heads.contains("Advertiser  "), "{heads}");
}

#[test]
fn recipes_that_tie_name_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = |name: &str, channel: &str| {
        format!(
            "version = 1\nname = \"{name}\"\nplatform = \"acme\"\nchannel = \"{channel}\"\ngoal = \"either\"\n\
             ctr_sensitive = false\ndimension = \"domain\"\nmin_impressions = 0\nmin_impression_share = 0.0\n\n\
             [[metrics]]\nmetric = \"odd_rate\"\nweight = 1.0\nbetter = \"higher\"\n\n[columns]\nodd_rate = [\"Odd Rate\"]\n"
        )
    };
    fs::create_dir(folder.path().join("own")).unwrap();
    for (name, channel) in [("acme-display", "display"), ("acme-video", "video")] {
        fs::write(folder.path().join(format!("own/{name}.toml")), recipe(name, channel)).unwrap();
    }
    fs::write(
        folder.path().join("report.csv"),
        "Domain,Impressions,Odd Rate\na.example,1000,0.5\nb.example,900,0.2\n",
    )
    .unwrap();
    let text = stdout(&run(folder.path(), &["inspect", "report.csv", "--recipe-dir", "own"]));
    assert!(text.contains("--channel display or --channel video"), "{text}");
}

#[test]
fn help_ends_with_the_flags_of_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["score", "inspect", "recipes", "sample"] {
        let text = stdout(&run(folder.path(), &[command, "--help"]));
        let words = text.lines().filter_map(|line| line.trim_start().strip_prefix('-')).map(|line| {
            let line = line.trim_start_matches('-');
            let long = line.split_once("--").map_or(line, |(_, long)| long);
            long.split([' ', '.']).next().unwrap_or_default().to_owned()
        });
        let flags: Vec<String> = words.collect();
        assert!(flags.len() > 3, "{text}");
        assert_eq!(flags[flags.len() - 3..flags.len() - 1], ["json", "quiet"], "{flags:?}");
    }
    let text = stdout(&run(folder.path(), &["sample", "--help"]));
    for word in ["pulsepoint", "ctv", "tail_aggregate"] {
        assert!(text.contains(word), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_wait_for_standard_input_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut child = caliber(folder.path())
        .args(["score", "-"])
        .env("TMPDIR", scratch.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Open for as long as the program may wait: `wait` would close it.
    let _open = child.stdin.take();
    // It listens once it has begun to keep what comes.
    let started = std::time::Instant::now();
    while fs::read_dir(scratch.path()).unwrap().count() == 0 && started.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let interrupted = std::time::Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(interrupted.elapsed().as_millis() < 1500, "{:?}", interrupted.elapsed());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
    assert_eq!((status.code(), text.contains("cancelled")), (Some(130), true), "{text}");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing is left behind");
}
