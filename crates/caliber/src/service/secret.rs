//! The secret that keys are derived from: given, or in development made once and kept.

use std::io::{ErrorKind, Write};
use std::path::Path;

use caliber_engine::{Code, Error, Result};
use secrecy::SecretString;

use crate::settings::Settings;

/// Its file in `CALIBER_DATA`.
const FILE: &str = "secret.key";

/// The secret of an installation. Production never comes here without one: its settings are refused before.
pub(super) fn of(settings: &Settings) -> Result<SecretString> {
    match &settings.secret_key {
        Some(secret) => Ok(secret.clone()),
        None => kept(&settings.data.join(FILE)),
    }
}

/// The secret in a file, which is made where there is none. Of two processes at once one makes it.
fn kept(path: &Path) -> Result<SecretString> {
    let failed = |error: std::io::Error| {
        Error::new(Code::Machine, format!("the development secret cannot be kept: {error}"))
            .in_file(path.display().to_string())
            .help("set CALIBER_SECRET_KEY, or CALIBER_DATA to a folder that can be written")
            .caused_by(error)
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    match std::fs::read_to_string(path) {
        Ok(secret) if !secret.trim().is_empty() => return Ok(secret.trim().into()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    // Whole before it has its name, so that nobody reads half of it.
    let fresh = caliber_platform::identity::fresh_secret_key();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".secret").tempfile_in(folder).map_err(failed)?;
    file.write_all(fresh.as_bytes()).map_err(failed)?;
    if file.persist_noclobber(path).is_ok() {
        return Ok(fresh.into());
    }
    let secret = std::fs::read_to_string(path).map_err(failed)?;
    Ok(secret.trim().into())
}
