//! The machine at fault: full disks, folders that cannot be written, things in the way. Code 1, and earlier results
//! stay whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::call::{Call, GENERIC, Place, assert_says, is_root, plain_report, system};

const FORMATS: [&str; 3] = ["csv", "json", "xlsx"];

fn args<'a>(report: &'a str, out: &'a str, format: &'a str) -> Vec<&'a str> {
    let mut args = vec!["score", "--json", report, "--out", out, "--format", format];
    args.extend(GENERIC);
    args
}

/// A place with a small report, a large one, and the results of the small one in `out`.
fn place() -> Place {
    let place = Place::new();
    place.write("small.csv", plain_report(40));
    place.write("large.csv", plain_report(4000));
    place.run(&args("small.csv", "out", "csv,json,xlsx")).done();
    place
}

#[test]
fn files_that_may_not_grow_are_a_fault_of_the_machine() {
    let place = place();
    let before = place.files_in("out");
    for format in FORMATS {
        // 64 KiB: less than any of the large report's files.
        let outcome = Call::new(&place, &args("large.csv", "out", format)).within_file_size(128).run();
        let error = outcome.error(1);
        assert_eq!(error["code"], "machine", "{format}: {error}");
        assert!(error["file"].as_str().unwrap().contains("out"), "{format}: {error}");
        assert_says(&error, "help", &["--out"]);
        assert!(place.files_in("out") == before, "{format}: the earlier results are not as they were");
        let outcome = Call::new(&place, &args("large.csv", "new", format)).within_file_size(128).run();
        outcome.error(1);
        assert!(!place.path("new").exists(), "{format}: half a run is left");
    }
}

/// A small disk of its own, where the system lets us have one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mounted(at: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let options = format!("size={size}");
        let target = at.to_str().unwrap();
        let mounted = is_root() && system("mount", &["-t", "tmpfs", "-o", &options, "tmpfs", target]);
        mounted.then_some(Self(at))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        system("umount", &[&self.0]);
    }
}

#[test]
fn a_full_disk_leaves_the_earlier_results_whole() {
    let place = place();
    let Some(_disk) = SmallDisk::mounted(place.path("disk"), "400k") else {
        // Without the right to mount: the limit of a file's size stands for the disk.
        eprintln!("no tmpfs could be mounted; files of limited size stand for it");
        return files_that_may_not_grow_are_a_fault_of_the_machine();
    };
    for format in FORMATS {
        place.run(&args("small.csv", "disk/out", format)).done();
        let before = place.files_in("disk/out");
        let error = place.run(&args("large.csv", "disk/out", format)).error(1);
        assert_eq!(error["code"], "machine", "{format}: {error}");
        assert!(error["file"].as_str().unwrap().contains("disk/out"), "{format}: {error}");
        assert_says(&error, "help", &["space"]);
        assert!(place.files_in("disk/out") == before, "{format}: the earlier results are not as they were");
        place.run(&args("large.csv", "disk/new", format)).error(1);
        assert!(!place.path("disk/new").exists(), "{format}: half a run is left");
        place.run(&args("small.csv", "disk/out", format)).done();
    }
    let sample = ["sample", "--platform", "generic", "--channel", "display", "--out", "disk/s.csv", "--json"];
    let outcome = place.run(&sample);
    outcome.error(1);
    assert!(!place.path("disk/s.csv").exists(), "half a sample is left");
}

#[test]
fn a_full_disk_for_standard_inputs_copy_is_a_fault_of_the_machine() {
    let place = place();
    let mut args = vec!["score", "--json", "-", "--out", "out"];
    args.extend(GENERIC);
    let before = place.files_in("out");
    let text = plain_report(400_000);
    let outcome = Call::new(&place, &args).stdin(text.as_bytes()).within_file_size(2048).run();
    outcome.error(1);
    assert!(place.files_in("out") == before);
}

/// Runs where file permissions count, also for root.
fn unprivileged<'a>(place: &'a Place, args: &[&str]) -> Call<'a> {
    let call = Call::new(place, args);
    if !is_root() {
        return call;
    }
    // The shell starts itself again without the right to pass over permissions.
    let drop = "setpriv --bounding-set=-dac_override,-dac_read_search,-fowner --inh-caps=-all";
    call.after(&format!("if [ -z \"$WITHOUT\" ]; then export WITHOUT=1; exec {drop} \"$0\" \"$@\"; fi"))
}

#[test]
fn a_folder_that_may_not_be_written_to() {
    let place = place();
    let before = place.files_in("out");
    fs::create_dir(place.path("closed")).unwrap();
    for folder in ["out", "closed"] {
        fs::set_permissions(place.path(folder), Permissions::from_mode(0o555)).unwrap();
    }
    for out in ["out", "closed", "closed/new"] {
        let error = unprivileged(&place, &args("large.csv", out, "csv")).run().error(1);
        assert_eq!(error["code"], "machine", "{error}");
        assert!(error["file"].as_str().unwrap().starts_with(out), "{error}");
        assert_says(&error, "help", &["--out"]);
    }
    for folder in ["out", "closed"] {
        fs::set_permissions(place.path(folder), Permissions::from_mode(0o755)).unwrap();
    }
    assert!(place.files_in("out") == before, "the earlier results are not as they were");
}

#[test]
fn a_report_that_may_not_be_read() {
    let place = place();
    fs::set_permissions(place.path("small.csv"), Permissions::from_mode(0)).unwrap();
    let error = unprivileged(&place, &args("small.csv", "new", "csv")).run().error(2);
    assert_eq!((&error["code"], &error["file"]), (&"not_readable".into(), &"small.csv".into()));
    assert!(!place.path("new").exists());
}

#[test]
fn out_is_a_file() {
    let place = place();
    place.write("taken", "mine");
    for out in ["taken", "taken/below"] {
        let error = place.run(&args("small.csv", out, "csv")).error(1);
        assert_eq!(error["code"], "machine", "{error}");
        assert!(error["file"].as_str().unwrap().starts_with("taken"), "{error}");
        assert_says(&error, "help", &["--out"]);
    }
    assert_eq!(place.read("taken"), "mine");
}

#[test]
fn a_folder_where_a_file_should_go() {
    let place = place();
    let summary = place.read("out/summary.json");
    fs::remove_file(place.path("out/results.csv")).unwrap();
    fs::create_dir(place.path("out/results.csv")).unwrap();
    let error = place.run(&args("large.csv", "out", "csv")).error(1);
    assert!(error["file"].as_str().unwrap().ends_with("results.csv"), "{error}");
    assert_eq!(place.read("out/summary.json"), summary, "nothing else was replaced");
}

#[test]
fn files_of_others_in_the_folder_are_never_touched() {
    let place = place();
    place.write("out/notes.txt", "mine");
    fs::create_dir(place.path("out/watchlist")).unwrap();
    place.run(&args("large.csv", "out", "csv")).done();
    assert_eq!(place.read("out/notes.txt"), "mine");
    assert!(place.path("out/watchlist").is_dir());
}

#[test]
fn without_a_home_or_temporary_folder_the_run_still_works() {
    let place = place();
    Call::new(&place, &args("small.csv", "other", "csv,xlsx"))
        .with("TMPDIR", "/gone")
        .with("HOME", "/gone")
        .run()
        .done();
}
