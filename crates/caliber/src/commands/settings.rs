//! `caliber settings`: every setting, its value and where that came from.

use caliber_engine::Result;
use serde_json::json;

use crate::service::ServiceArgs;
use crate::settings::{SETTINGS, Setting, Settings, Sources};
use crate::terminal::{BOLD, DIM, Terminal};

/// Show every setting, what it means, its value and where that came from
#[derive(clap::Args)]
#[command(after_help = "Example:\n  caliber settings")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let sources = args.service.sources(terminal)?;
    let document: Vec<_> = SETTINGS
        .iter()
        .map(|setting| {
            json!({
                "name": setting.name, "value": shown(setting, &sources), "source": sources.found(setting).source,
                "meaning": setting.meaning,
            })
        })
        .collect();
    terminal.answer(&document, |out| {
        for setting in &SETTINGS {
            let value = shown(setting, &sources);
            let value = if value.is_empty() { "-" } else { &value };
            writeln!(
                out,
                "{BOLD}{}{BOLD:#} = {value} {DIM}({}){DIM:#}",
                setting.name,
                sources.found(setting).source
            )?;
            writeln!(out, "    {}", setting.meaning)?;
        }
        Ok(())
    })?;
    // What does not fit is an error here too, once everything was shown.
    Settings::parse(&sources).map(drop)
}

/// A value without what is secret in it.
fn shown(setting: &Setting, sources: &Sources) -> String {
    let text = &sources.found(setting).text;
    if setting.is_secret {
        return if text.is_empty() { String::new() } else { "********".to_owned() };
    }
    without_password(text)
}

/// A URL's password is a secret as well.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:********@{host}{path}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_in_addresses_are_masked() {
        let masked = without_password("postgres://caliber:hunter2@db:5432/caliber?sslmode=require");
        assert_eq!(masked, "postgres://caliber:********@db:5432/caliber?sslmode=require");
        for plain in ["sqlite:data/caliber.db", "postgres://db/caliber", "s3://bucket/prefix", ""] {
            assert_eq!(without_password(plain), plain);
        }
    }
}
