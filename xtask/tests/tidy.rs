//! `cargo xtask tidy` over small workspaces, each with one thing wrong.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A workspace that tidy has nothing to say about.
fn workspace() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\nexclude = [\"elsewhere\"]\n[workspace.lints]\n",
    );
    for name in ["caliber-engine", "caliber-reports"] {
        member(root.path(), name, "");
    }
    write(root.path(), "README.md", "# Caliber\n\nScores live in `crates/caliber-engine/src/lib.rs`.\n");
    root
}

fn member(root: &Path, name: &str, more: &str) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}\n[lints]\nworkspace = true\n"
    );
    write(root, &format!("crates/{name}/Cargo.toml"), &manifest);
    write(root, &format!("crates/{name}/src/lib.rs"), "//! A crate.\n");
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Whether tidy passes, and what it prints.
fn tidy(root: &TempDir) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("tidy")
        .arg("--root")
        .arg(root.path())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn assert_refuses(root: &TempDir, expected: &str) {
    let (passes, printed) = tidy(root);
    assert!(!passes && printed.contains(expected), "`{expected}` was to be found in:\n{printed}");
    assert!(printed.contains("tidy: 1 errors, 0 warnings"), "only that was wrong:\n{printed}");
    assert!(printed.contains("  why: ") && printed.contains("  instead: "), "{printed}");
}

fn assert_passes(root: &TempDir) {
    let (passes, printed) = tidy(root);
    assert!(passes && printed == "tidy: 0 errors, 0 warnings\n", "{printed}");
}

const ENGINE: &str = "crates/caliber-engine/src/lib.rs";

#[test]
fn a_clean_workspace_passes() {
    assert_passes(&workspace());
}

#[test]
fn the_engine_depends_on_no_crate_of_the_workspace() {
    let root = workspace();
    member(
        root.path(),
        "caliber-engine",
        "[dependencies]\ncaliber-reports = { path = \"../caliber-reports\" }\n",
    );
    assert_refuses(&root, "crates/caliber-engine/Cargo.toml: `caliber-engine` depends on `caliber-reports`");
}

#[test]
fn what_the_architecture_allows_passes() {
    let root = workspace();
    member(
        root.path(),
        "caliber-reports",
        "[dependencies]\ncaliber-engine = { path = \"../caliber-engine\" }\n",
    );
    assert_passes(&root);
}

#[test]
fn sample_data_is_a_dependency_of_tests_only() {
    let root = workspace();
    member(root.path(), "caliber-sample", "");
    let sample = "caliber-sample = { path = \"../caliber-sample\" }\n";
    member(root.path(), "caliber-engine", &format!("[dev-dependencies]\n{sample}"));
    assert_passes(&root);
    member(root.path(), "caliber-engine", &format!("[dependencies]\n{sample}"));
    assert_refuses(&root, "`caliber-engine` depends on `caliber-sample`");
}

#[test]
fn the_engine_builds_without_heavy_crates_even_through_another() {
    let root = workspace();
    for (name, more) in [
        ("typst-library", ""),
        ("charts", "[dependencies]\ntypst-library = { path = \"../typst-library\" }\n"),
    ] {
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
        write(root.path(), &format!("elsewhere/{name}/Cargo.toml"), &manifest);
        write(root.path(), &format!("elsewhere/{name}/src/lib.rs"), "");
    }
    member(root.path(), "caliber-engine", "[dependencies]\ncharts = { path = \"../../elsewhere/charts\" }\n");
    assert_refuses(&root, "`caliber-engine` builds with `typst-library`");
}

#[test]
fn a_crate_without_a_place_in_the_layering_is_refused() {
    let root = workspace();
    member(root.path(), "caliber-misplaced", "");
    assert_refuses(&root, "the crate `caliber-misplaced` has no place in the layering");
}

#[test]
fn a_crate_with_lints_of_its_own_is_refused() {
    let root = workspace();
    let manifest = "[package]\nname = \"caliber-reports\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    write(root.path(), "crates/caliber-reports/Cargo.toml", manifest);
    assert_refuses(&root, "crates/caliber-reports/Cargo.toml: does not inherit the lints of the workspace");
}

#[test]
fn a_file_over_500_lines_is_warned_of_and_one_over_700_refused() {
    let root = workspace();
    write(root.path(), ENGINE, &"//! Words.\n".repeat(500));
    assert_passes(&root);
    write(root.path(), ENGINE, &"//! Words.\n".repeat(501));
    let (passes, printed) = tidy(&root);
    assert!(passes && printed.contains("lib.rs: 501 lines"), "{printed}");
    write(root.path(), ENGINE, &"//! Words.\n".repeat(701));
    assert_refuses(&root, "lib.rs: 701 lines");
}

#[test]
fn banned_words_are_found_in_code_with_their_line() {
    for (code, found) in [
        ("#[allow(dead_code)]\nfn f() {}", "`#[allow(`"),
        ("fn f() { todo!() }", "`todo!`"),
        ("fn f() { g(|| unimplemented!(\"later\")) }", "`unimplemented!`"),
        ("fn f() { dbg!(x); }", "`dbg!`"),
        ("fn f() { println!(\"{}\", y.unwrap()) }", "`.unwrap()`"),
    ] {
        let root = workspace();
        write(root.path(), ENGINE, &format!("//! A crate.\n{code}\n"));
        assert_refuses(&root, &format!("{ENGINE}:2: {found}"));
    }
}

#[test]
fn banned_words_are_free_in_tests_comments_and_strings() {
    let root = workspace();
    let code = r##"//! Never `.unwrap()` here.
pub mod rows;
const HELP: &str = "no todo!() // dbg!()";
fn same(todo: u8) -> bool {
    todo != 3
}

#[cfg(all(test, unix))]
mod tests {
    const JSON: &str = r#"
{
}
"#;
    #[test]
    fn t() {
        x.unwrap();
    }
}
"##;
    write(root.path(), ENGINE, code);
    write(root.path(), "crates/caliber-engine/src/rows.rs", "#[cfg(test)]\nmod cases;\n");
    write(root.path(), "crates/caliber-engine/src/rows/cases.rs", "fn t() { x.unwrap(); }\n");
    write(root.path(), "crates/caliber-engine/tests/front.rs", "fn t() { x.unwrap(); }\n");
    assert_passes(&root);
}

#[test]
fn code_after_a_test_module_is_checked_again() {
    let root = workspace();
    write(
        root.path(),
        ENGINE,
        "#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n\nfn f() {\n    x.unwrap();\n}\n",
    );
    assert_refuses(&root, &format!("{ENGINE}:7: `.unwrap()`"));
}

#[test]
fn file_names_say_what_they_hold() {
    for name in ["utils.rs", "common.rs", "helpers.rs", "manager.rs", "helpers/csv.rs"] {
        let root = workspace();
        write(root.path(), &format!("crates/caliber-engine/src/{name}"), "//! Things.\n");
        assert_refuses(&root, &format!("crates/caliber-engine/src/{name}: the name"));
    }
}

#[test]
fn paths_of_one_machine_are_refused_and_relative_ones_are_not() {
    for folder in ["work", "root", "home"] {
        let root = workspace();
        write(root.path(), ENGINE, &format!("const DATA: &str = \"/{folder}/data\";\n"));
        assert_refuses(&root, &format!("{ENGINE}:1: a path below `/{folder}`"));
    }
    let root = workspace();
    write(root.path(), ENGINE, "const PAGE: &str = \"https://site.example/home/page\";\n");
    assert_passes(&root);
}

#[test]
fn documents_print_paths_that_exist() {
    let root = workspace();
    write(root.path(), "ARCHITECTURE.md", "Recipes: `crates/caliber-engine/src/*.rs`, crates/<name>/src.\n");
    assert_passes(&root);
    write(root.path(), "ARCHITECTURE.md", "# Map\n\nRecipes: `crates/caliber-engine/recipes/`.\n");
    assert_refuses(&root, "ARCHITECTURE.md:3: `crates/caliber-engine/recipes/` does not exist");
    write(
        root.path(),
        "ARCHITECTURE.md",
        "See [the changes](CHANGES.md#today) and [the site](https://site.example).\n",
    );
    assert_refuses(&root, "ARCHITECTURE.md:1: `CHANGES.md` does not exist");
}

#[test]
fn what_a_run_makes_may_be_printed_before_it_exists() {
    let root = workspace();
    write(root.path(), ".gitignore", "/bench/data\n");
    write(root.path(), "bench/README.md", "");
    write(root.path(), "README.md", "The rows are kept in `bench/data/rows.csv`.\n");
    assert_passes(&root);
}
