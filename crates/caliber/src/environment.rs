//! Settings in the environment.

use crate::terminal::Terminal;

/// Every setting there is, also of commands to come: a file of settings is shared by all of them.
const KNOWN: [&str; 19] = [
    "CALIBER_AI_RATE_LIMIT",
    "CALIBER_ALLOWED_HOSTS",
    "CALIBER_AUTH_RATE_LIMIT",
    "CALIBER_BIND",
    "CALIBER_CORS_ORIGINS",
    "CALIBER_DATA",
    "CALIBER_DEV_SIGN_IN",
    "CALIBER_ENVIRONMENT",
    "CALIBER_FIREBASE_PROJECT",
    "CALIBER_LOG",
    "CALIBER_LOG_DIR",
    "CALIBER_MAX_UPLOAD",
    "CALIBER_OIDC_ISSUERS",
    "CALIBER_PAGE_RATE_LIMIT",
    "CALIBER_RATE_LIMIT",
    "CALIBER_SECRET_KEY",
    "CALIBER_SECRET_KEYS_OLD",
    "CALIBER_STORAGE",
    "CALIBER_WORKERS",
];

/// Warns of names that look like settings and are none.
pub(crate) fn warn_of_unknown(terminal: Terminal) {
    let mut unknown: Vec<String> = std::env::vars_os()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("CALIBER_") && !KNOWN.contains(&name.as_str()))
        .collect();
    unknown.sort_unstable();
    for name in unknown {
        terminal.warning(
            &format!("the environment sets {name}, which is no setting"),
            &format!("did you mean {}? it has no effect as it is", nearest(&name)),
        );
    }
}

fn nearest(name: &str) -> &'static str {
    let of_all = KNOWN.into_iter().min_by_key(|known| strsim::osa_distance(name, known));
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
