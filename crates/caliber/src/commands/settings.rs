//! `caliber settings`: every setting, its value and where that came from.

use caliber_engine::Result;
use caliber_server::ShownSetting;

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
    let settings = all_shown(&sources);
    terminal.answer(&settings, |out| {
        for ShownSetting { name, value, source, meaning } in &settings {
            let value = if value.is_empty() { "-" } else { value };
            writeln!(out, "{BOLD}{name}{BOLD:#} = {value} {DIM}({source}){DIM:#}")?;
            writeln!(out, "    {meaning}")?;
        }
        Ok(())
    })?;
    // What does not fit is an error here too, once everything was shown.
    Settings::parse(&sources).map(drop)
}

/// Every setting as it may be shown.
pub(crate) fn all_shown(sources: &Sources) -> Vec<ShownSetting> {
    let show = |setting: &Setting| ShownSetting {
        name: setting.name,
        value: shown(setting, sources),
        source: sources.found(setting).source.clone(),
        meaning: setting.meaning,
    };
    SETTINGS.iter().map(show).collect()
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
