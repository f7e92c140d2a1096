//! `cargo xtask documents`: writes the documents that are made from the code. The tests that compare them write them.

use std::process::ExitCode;

use anyhow::Result;

use crate::{run, workspace_root};

/// Makes `docs/openapi.json` and `docs/permissions.md`.
pub(crate) fn run() -> Result<ExitCode> {
    let mut tests = run::cargo();
    tests.current_dir(workspace_root()).env("CALIBER_TEST_WRITE_DOCUMENTS", "1");
    tests.args(["test", "--quiet", "--package", "caliber", "--test", "service", "documents::"]);
    run::succeed(&mut tests)?;
    Ok(ExitCode::SUCCESS)
}
