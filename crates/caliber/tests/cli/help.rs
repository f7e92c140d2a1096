//! `--help` of each command shows one example that works as it is.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::call::Place;

const COMMANDS: [&[&str]; 15] = [
    &["score"],
    &["report"],
    &["lists"],
    &["explain"],
    &["compare"],
    &["outliers"],
    &["weights"],
    &["weights", "optimize"],
    &["what-if"],
    &["inspect"],
    &["recipes"],
    &["recipes", "list"],
    &["recipes", "show"],
    &["recipes", "check"],
    &["sample"],
];

/// The lines below `Example:`, as one: a narrow terminal breaks them.
fn example(help: &str) -> String {
    let below = help.split("Example:").nth(1).unwrap_or_else(|| panic!("no example: {help}"));
    below.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_example_works_as_it_is() {
    for command in COMMANDS {
        let place = Place::new();
        std::fs::create_dir(place.path("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_caliber"), place.path("bin/caliber")).unwrap();
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = place.run(&args).done();
        assert_eq!(help.stderr, "", "help is an answer: {help}");
        let line = example(&help.stdout);
        assert!(line.starts_with("caliber "), "{line}");
        let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-e", "-c", &line])
            .current_dir(place.root())
            .env("PATH", path)
            .env_remove("CALIBER_DATA")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}\n{stderr}");
        // A note is no fault.
        assert!(!stderr.contains("error:") && !stderr.contains("warning:"), "{line}\n{stderr}");
    }
}

#[test]
fn help_shows_every_flag_of_the_contract() {
    let place = Place::new();
    let score = place.run(&["score", "--help"]).done().stdout;
    for flag in [
        "--platform",
        "--channel",
        "--goal",
        "--recipe-dir",
        "--ctr-sensitive",
        "--recipe",
        "--dimension",
        "--normalization",
        "--min-impressions",
        "--list-policy",
        "--list-share",
        "--block-patterns",
        "--protect",
        "--map",
        "--no-header",
        "--scale",
        "--where",
        "--sheet",
        "--out",
        "--format",
        "--json",
        "--quiet",
    ] {
        assert!(score.contains(flag), "{flag}: {score}");
    }
    let sample = place.run(&["sample", "--help"]).done().stdout;
    for flag in ["--platform", "--channel", "--rows", "--domains", "--seed", "--mess", "--out"] {
        assert!(sample.contains(flag), "{flag}: {sample}");
    }
    let top = place.run(&["--help"]).done().stdout;
    for command in [
        "score", "report", "lists", "explain", "compare", "outliers", "weights", "what-if", "inspect",
        "recipes", "sample",
    ] {
        assert!(top.contains(command), "{command}: {top}");
    }
    let version = place.run(&["--version"]).done().stdout;
    assert_eq!(version.trim(), format!("caliber {}", env!("CARGO_PKG_VERSION")));
}
