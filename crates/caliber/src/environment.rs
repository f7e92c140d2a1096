//! Names in the environment and in files that look like settings and are none.

use crate::settings::SETTINGS;
use crate::terminal::Terminal;

/// Warns of them. `names` are pairs of a name and where it stands.
pub(crate) fn warn_of(terminal: Terminal, names: &[(String, String)]) {
    for (name, place) in names {
        terminal.warning(
            &format!("{place} sets {name}, which is no setting"),
            &format!("did you mean {}? it has no effect as it is", nearest(name)),
        );
    }
}

/// Warns of those in the environment, for commands that need no settings.
pub(crate) fn warn_of_unknown(terminal: Terminal) {
    let names = std::env::vars_os().map(|(name, _)| (name.to_string_lossy().into_owned(), String::new()));
    warn_of(terminal, &crate::settings::unknown_in("the environment", &names.collect::<Vec<_>>()));
}

fn nearest(name: &str) -> &'static str {
    let known = SETTINGS.iter().map(|setting| setting.name);
    let of_all = known.min_by_key(|known| strsim::osa_distance(&name.to_ascii_uppercase(), known));
    // The list is not empty.
    of_all.unwrap_or("CALIBER_DATA")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_setting_finds_its_name() {
        assert_eq!(nearest("CALIBER_DATTA"), "CALIBER_DATA");
        assert_eq!(nearest("CALIBER_RATELIMIT"), "CALIBER_RATE_LIMIT");
        assert_eq!(nearest("CALIBER_WORKER"), "CALIBER_WORKERS");
    }
}
