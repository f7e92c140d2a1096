//! The forms that values of settings have.

use caliber_platform::identity::TrustedIssuer;
use caliber_platform::rate_limits::RateLimit;
use secrecy::{ExposeSecret, SecretString};

/// Comma-separated, blanks left out.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

pub(super) fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it is `on` or `off`".to_owned()),
    }
}

/// A size: `50MB`, `1.5 GB`, `64MiB`, or plain bytes.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "it is a size, as in 50MB or 64MiB".to_owned();
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    let size = number.parse::<f64>().map_err(|_| wrong())? * f64::from(unit);
    if (1.0..=1e15).contains(&size) { Ok(size as u64) } else { Err(wrong()) }
}

pub(super) fn at_most(text: &str, most: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number <= most)
        .ok_or_else(|| format!("it is a number from 0 to {most}"))
}

pub(super) fn rate_limit(text: &str) -> Result<RateLimit, String> {
    text.parse().map_err(str::to_owned)
}

/// The issuer of a project of Firebase, if one is given.
pub(super) fn firebase(project: &str) -> Result<Vec<TrustedIssuer>, String> {
    if project.is_empty() {
        Ok(Vec::new())
    } else {
        TrustedIssuer::firebase(project).map(|issuer| vec![issuer])
    }
}

/// Why a secret would not keep anybody out.
pub(super) fn weakness_of_secret(secret: &SecretString) -> Option<String> {
    let secret = secret.expose_secret();
    let least = caliber_platform::identity::LEAST_SECRET;
    if secret.chars().count() < least {
        return Some(format!("it has fewer than {least} characters"));
    }
    let lower = secret.to_ascii_lowercase();
    let placeholders =
        ["changeme", "change-me", "change_me", "placeholder", "your-secret", "your_secret", "example"];
    if let Some(word) = placeholders.iter().find(|word| lower.contains(**word)) {
        return Some(format!("it contains `{word}`, as placeholders do"));
    }
    let mut characters: Vec<char> = secret.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    (characters.len() < 10).then(|| "it repeats a few characters".to_owned())
}
