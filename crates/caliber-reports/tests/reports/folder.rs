use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use caliber_engine::{Code, Error, Result};
use caliber_reports::{OutputFile, OutputFolder, hold_publishing};

fn stage(folder: &OutputFolder, file: OutputFile, text: &str) {
    let produce = |writer: &mut BufWriter<_>| {
        writer.write_all(text.as_bytes()).unwrap();
        Ok(())
    };
    folder.write(file, produce).unwrap();
}

/// The names in a folder, hidden ones too, with their contents; folders hold `/`.
fn listing(dir: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(dir).unwrap().map(std::result::Result::unwrap);
    entries
        .map(|entry| {
            let content = fs::read_to_string(entry.path()).unwrap_or_else(|_| "/".into());
            (entry.file_name().into_string().unwrap(), content)
        })
        .collect()
}

fn expect(dir: &Path, files: &[(&str, &str)]) {
    let expected = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(listing(dir), expected);
}

#[test]
fn publishing_leaves_the_files_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("deep/er/out");
    let folder = OutputFolder::create(&dir).unwrap();
    stage(&folder, OutputFile::Summary, "s");
    stage(&folder, OutputFile::ResultsCsv, "r");
    assert!(listing(&dir).keys().all(|name| name.starts_with(".caliber-")), "nothing shows before");
    let placed = folder.publish().unwrap();
    assert_eq!(placed, [dir.join("results.csv"), dir.join("summary.json")]);
    expect(&dir, &[("results.csv", "r"), ("summary.json", "s")]);
}

#[test]
fn a_run_that_stops_leaves_no_trace_of_itself_nor_of_the_folders_it_made() {
    let home = tempfile::tempdir().unwrap();
    let folder = OutputFolder::create(&home.path().join("deep/er/out")).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "r");
    drop(folder);
    expect(home.path(), &[]);
}

#[test]
fn a_run_that_stops_leaves_the_earlier_files_whole() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("results.csv"), "old").unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "new");
    drop(folder);
    expect(home.path(), &[("results.csv", "old")]);
}

#[test]
fn files_of_an_earlier_run_that_this_one_lacks_go_and_all_others_stay() {
    let home = tempfile::tempdir().unwrap();
    for file in OutputFile::ALL {
        fs::write(home.path().join(file.name()), "old").unwrap();
    }
    for foreign in ["notes.txt", "results.csv.bak", "allowlist.json", ".hidden", "RESULTS.CSV"] {
        fs::write(home.path().join(foreign), "mine").unwrap();
    }
    fs::create_dir(home.path().join(".caliber-data")).unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::ResultsParquet, "new");
    folder.publish().unwrap();
    let mine = ["notes.txt", "results.csv.bak", "allowlist.json", ".hidden", "RESULTS.CSV"]
        .map(|name| (name, "mine"));
    expect(home.path(), &[&mine[..], &[("results.parquet", "new"), (".caliber-data", "/")]].concat());
}

#[test]
fn a_folder_under_the_name_of_a_file_stops_publishing_before_anything_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("results.csv"), "old").unwrap();
    fs::create_dir(home.path().join("summary.json")).unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "new");
    stage(&folder, OutputFile::Summary, "new");
    let error = folder.publish().unwrap_err();
    assert_eq!(error.code, Code::Machine);
    assert_eq!(error.file.unwrap(), home.path().join("summary.json").display().to_string());
    assert!(error.message.contains("directory") && error.help.is_some(), "{}", error.message);
    expect(home.path(), &[("results.csv", "old"), ("summary.json", "/")]);
}

#[test]
fn a_folder_under_a_name_that_is_not_written_is_not_touched() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("results.xlsx")).unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::Summary, "s");
    folder.publish().unwrap();
    expect(home.path(), &[("results.xlsx", "/"), ("summary.json", "s")]);
}

#[test]
fn publishing_that_breaks_off_says_what_it_had_replaced() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("summary.json"), "old").unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "new");
    stage(&folder, OutputFile::Quality, "new");
    stage(&folder, OutputFile::Summary, "new");
    fs::remove_file(folder.scratch().join("summary.json")).unwrap();
    let error = folder.publish().unwrap_err();
    assert_eq!(error.code, Code::Machine);
    assert!(error.message.ends_with("; already replaced: results.csv, quality.json"), "{}", error.message);
    expect(home.path(), &[("quality.json", "new"), ("results.csv", "new"), ("summary.json", "old")]);
}

#[test]
fn a_file_whose_writing_failed_is_named_and_not_published() {
    let home = tempfile::tempdir().unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "r");
    stage(&folder, OutputFile::ResultsJson, "first");
    let failed = |_: &mut _| Err(Error::new(Code::TooLarge, "too large"));
    let error = folder.write(OutputFile::ResultsJson, failed).unwrap_err();
    assert_eq!(error.file.unwrap(), home.path().join("results.json").display().to_string());
    folder.publish().unwrap();
    expect(home.path(), &[("results.csv", "r")]);
}

#[test]
fn the_later_of_two_writings_of_a_file_counts() {
    let home = tempfile::tempdir().unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "a long first text");
    stage(&folder, OutputFile::ResultsCsv, "second");
    folder.publish().unwrap();
    expect(home.path(), &[("results.csv", "second")]);
}

#[test]
fn what_is_no_folder_or_unwritable_is_an_error_of_the_machine() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "mine").unwrap();
    // Not even root makes files in /sys/kernel.
    for (dir, reason) in [
        (file.clone(), "not a directory"),
        (file.join("below"), "Not a directory"),
        ("/sys/kernel".into(), "Permission denied"),
        ("/sys/kernel/below/it".into(), "Operation not permitted"),
    ] {
        let error = OutputFolder::create(&dir).unwrap_err();
        assert_eq!((error.code, error.file.as_deref()), (Code::Machine, dir.to_str()));
        assert!(error.message.starts_with("cannot write into the folder: "), "{}", error.message);
        assert!(error.message.contains(reason) && error.help.is_some(), "{}", error.message);
    }
    expect(home.path(), &[("file", "mine")]);
}

#[test]
fn files_are_as_readable_as_any_other_new_file() {
    use std::os::unix::fs::PermissionsExt;

    let home = tempfile::tempdir().unwrap();
    let folder = OutputFolder::create(&home.path().join("out")).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "r");
    folder.publish().unwrap();
    fs::write(home.path().join("other"), "").unwrap();
    let mode = |name| fs::metadata(home.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("out/results.csv"), mode("other"));
}

/// Stages a file in `CALIBER_TEST_KILL_DIR` and waits to be killed: the child of the test below.
#[test]
#[ignore = "the child process of another test"]
fn stage_and_wait() {
    let Some(dir) = std::env::var_os("CALIBER_TEST_KILL_DIR") else { return };
    let folder = OutputFolder::create(Path::new(&dir)).unwrap();
    stage(&folder, OutputFile::ResultsCsv, "half");
    println!("staged");
    thread::sleep(Duration::from_mins(2));
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_run_and_a_live_one_is_spared() -> std::io::Result<()> {
    let home = tempfile::tempdir()?;
    fs::write(home.path().join("results.csv"), "old")?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--exact", "folder::stage_and_wait", "--ignored", "--nocapture"])
        .env("CALIBER_TEST_KILL_DIR", home.path())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("staged")));
    let stagings =
        || listing(home.path()).keys().filter(|name| name.starts_with(".caliber-staging-")).count();

    drop(OutputFolder::create(home.path()).unwrap());
    assert_eq!(stagings(), 1, "the child lives");
    child.kill()?;
    child.wait()?;
    assert_eq!(stagings(), 1, "nobody tidied up after the kill");
    expect_old(home.path());

    drop(OutputFolder::create(home.path()).unwrap());
    expect(home.path(), &[("results.csv", "old")]);
    Ok(())
}

fn expect_old(dir: &Path) {
    assert_eq!(listing(dir)["results.csv"], "old");
}

#[test]
fn the_lock_file_of_a_killed_run_stops_nobody() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".caliber-lock"), "").unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::Summary, "s");
    folder.publish().unwrap();
    expect(home.path(), &[("summary.json", "s")]);
}

#[test]
fn of_runs_at_once_the_last_wins_with_all_its_files_and_failing_ones_disturb_nobody() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let run = |name: String| -> Result<()> {
        let folder = OutputFolder::create(&dir)?;
        for file in OutputFile::ALL {
            stage(&folder, file, &name);
        }
        if name.ends_with('3') { Ok(()) } else { folder.publish().map(|_| ()) }
    };
    for _ in 0..5 {
        thread::scope(|scope| {
            for runner in 0..4 {
                let run = &run;
                scope.spawn(move || (0..8).for_each(|round| run(format!("{runner} {round}")).unwrap()));
            }
        });
        let files = listing(&dir);
        assert_eq!(files.len(), OutputFile::ALL.len(), "{files:?}");
        let winner = &files["summary.json"];
        assert!(files.values().all(|text| text == winner), "{files:?}");
        fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn runs_that_all_fail_at_once_make_the_folder_again_for_each_other_and_leave_no_file() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(OutputFolder::create(&dir).unwrap())));
        }
    });
    // One that found the folder made by another does not remove it.
    assert!(!dir.exists() || listing(&dir).is_empty());
}

#[test]
fn nothing_is_put_in_place_while_publishing_is_held() {
    let home = tempfile::tempdir().unwrap();
    let earlier = OutputFolder::create(home.path()).unwrap();
    stage(&earlier, OutputFile::Summary, "earlier");
    earlier.publish().unwrap();
    let folder = OutputFolder::create(home.path()).unwrap();
    stage(&folder, OutputFile::Summary, "later");
    stage(&folder, OutputFile::ResultsCsv, "later");

    let held = hold_publishing(Duration::from_secs(20)).unwrap();
    assert!(held.is_after_publishing(), "the earlier run's files are in place");
    assert!(hold_publishing(Duration::from_millis(20)).is_none(), "who waits does not wait for ever");
    thread::scope(|scope| {
        let publishing = scope.spawn(|| folder.publish().unwrap());
        thread::sleep(Duration::from_millis(100));
        assert_eq!(fs::read_to_string(home.path().join("summary.json")).unwrap(), "earlier");
        assert!(!home.path().join("results.csv").exists());
        drop(held);
        publishing.join().unwrap();
    });
    expect(home.path(), &[("results.csv", "later"), ("summary.json", "later")]);
}
