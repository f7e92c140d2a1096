//! Where the values of settings come from.

use std::collections::BTreeMap;
use std::path::Path;

use caliber_engine::{Code, Error, Result};
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{SETTINGS, Setting};

/// The file of settings in the working folder.
const FILE: &str = "caliber.toml";

/// The values found, by name.
#[derive(Debug)]
pub(crate) struct Sources {
    found: BTreeMap<&'static str, Found>,
    /// Names that look like settings and are none, and where they stand.
    pub(crate) unknown: Vec<(String, String)>,
}

/// One value.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) text: String,
    /// `flag`, `environment`, `.env`, `caliber.toml` or `default`.
    pub(crate) source: String,
}

/// Values by name, all texts: nothing is guessed of a secret that looks like a number.
struct Texts {
    source: &'static str,
    values: Vec<(String, String)>,
}

impl Provider for Texts {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source)
    }

    fn data(&self) -> std::result::Result<Map<Profile, Dict>, figment::Error> {
        let known = self.values.iter().filter(|(name, _)| SETTINGS.iter().any(|it| it.name == name));
        let dict = known.map(|(name, text)| (key(name), Value::from(text.clone()))).collect();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

impl Sources {
    /// Reads the files of the working folder and the environment, beneath what flags say.
    ///
    /// # Errors
    /// `BadOption` where a file is broken.
    pub(crate) fn read(flags: &[(&str, Option<String>)]) -> Result<Self> {
        Self::of(
            Path::new("."),
            std::env::vars_os().map(|(name, value)| {
                (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
            }),
            flags,
        )
    }

    /// As [`Self::read`], of a folder and an environment.
    pub(super) fn of(
        folder: &Path,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(&str, Option<String>)],
    ) -> Result<Self> {
        let dotenv = dotenv(&folder.join(".env"))?;
        let environment: Vec<(String, String)> = environment.collect();
        let mut unknown = unknown_in("the environment", &environment);
        unknown.extend(unknown_in(".env", &dotenv));

        let defaults = SETTINGS.iter().map(|setting| (setting.name.to_owned(), setting.default.to_owned()));
        let flags = flags.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
        let file = folder.join(FILE);
        let mut figment = Figment::from(Texts { source: "default", values: defaults.collect() });
        if file.exists() {
            figment = figment.merge(Toml::file_exact(&file));
        }
        let figment = figment
            .merge(Texts { source: ".env", values: dotenv })
            .merge(Texts { source: "environment", values: environment })
            .merge(Texts { source: "flag", values: flags.collect() });
        let merged: Dict = figment.extract().map_err(|error| {
            Error::new(Code::BadOption, format!("{FILE} is not valid TOML: {error}"))
                .in_file(file.display().to_string())
                .help("it has a line per setting, as in bind = \"127.0.0.1:8000\"")
        })?;
        let is_known = |name: &String| SETTINGS.iter().any(|known| key(known.name) == *name);
        let in_file = merged.keys().filter(|name| !is_known(name));
        unknown.extend(in_file.map(|name| (name.clone(), FILE.to_owned())));

        let mut found = BTreeMap::new();
        for setting in &SETTINGS {
            let key = key(setting.name);
            let text = merged.get(&key).map(text_of).unwrap_or_default();
            let source = figment.find_metadata(&key).map_or("default", |metadata| match &*metadata.name {
                name @ ("default" | ".env" | "environment" | "flag") => name,
                _ => FILE,
            });
            found.insert(setting.name, Found { text, source: source.to_owned() });
        }
        Ok(Self { found, unknown })
    }

    /// A value and where it came from.
    pub(crate) fn found(&self, setting: &Setting) -> &Found {
        &self.found[setting.name]
    }

    /// A value; empty where it was not given and has no default.
    pub(super) fn text(&self, name: &str) -> &str {
        &self.found[name].text
    }

    /// A value, parsed; where it does not fit, the error says whose it is.
    pub(super) fn parse<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let Found { text, source } = &self.found[name];
        parse(text).map_err(|what| {
            Error::new(Code::BadOption, format!("{name} is `{text}` ({source}), and {what}"))
                .help("`caliber settings` shows every setting and what it means")
        })
    }
}

fn dotenv(path: &Path) -> Result<Vec<(String, String)>> {
    let broken = |error: &dyn std::fmt::Display| {
        Error::new(Code::BadOption, format!(".env cannot be read: {error}"))
            .in_file(path.display().to_string())
            .help("it has a line per setting, as in CALIBER_BIND=127.0.0.1:8000")
    };
    match dotenvy::from_path_iter(path) {
        Ok(lines) => lines.collect::<std::result::Result<_, _>>().map_err(|error| broken(&error)),
        Err(error) if error.not_found() => Ok(Vec::new()),
        Err(error) => Err(broken(&error)),
    }
}

/// The name in `caliber.toml`.
fn key(name: &str) -> String {
    name.strip_prefix("CALIBER_").unwrap_or(name).to_ascii_lowercase()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, true) => "on".to_owned(),
        Value::Bool(_, false) => "off".to_owned(),
        Value::Num(_, number) => number
            .to_i128()
            .map(|number| number.to_string())
            .or_else(|| number.to_f64().map(|number| number.to_string()))
            .unwrap_or_default(),
        Value::Array(_, values) => values.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => format!("{other:?}"),
    }
}

/// Names that look like settings and are none, each with its place. Those of tests are nobody's mistake.
pub(crate) fn unknown_in(source: &str, values: &[(String, String)]) -> Vec<(String, String)> {
    let is_ours = |name: &str| name.starts_with("CALIBER_") && !name.starts_with("CALIBER_TEST_");
    let mut unknown: Vec<(String, String)> = values
        .iter()
        .filter(|(name, _)| is_ours(name) && SETTINGS.iter().all(|known| known.name != name))
        .map(|(name, _)| (name.clone(), source.to_owned()))
        .collect();
    unknown.sort_unstable();
    unknown
}
