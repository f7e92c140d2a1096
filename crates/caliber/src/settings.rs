//! Settings: flags over environment over `.env` over `caliber.toml` over defaults.
//!
//! Only this crate reads them; the others take small structs.

mod sources;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use caliber_engine::{Code, Error, Result};
use caliber_platform::identity::{TrustedIssuer, trusted_issuers};
use caliber_platform::rate_limits::RateLimit;
use caliber_server::TrustedProxies;
use secrecy::SecretString;

pub(crate) use sources::{Sources, unknown_in};
use values::{at_most, bytes, firebase, list, on_or_off, rate_limit};

/// One setting: its name in the environment, and what `caliber settings` says of it. In `caliber.toml` it is the same
/// name in lower case, without `caliber_`.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// As a person reads it, where it is not made of other settings.
    pub(crate) default: &'static str,
    pub(crate) meaning: &'static str,
    /// Never shown.
    pub(crate) is_secret: bool,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, is_secret: false }
}

const fn secret(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: "", meaning, is_secret: true }
}

/// Every setting there is.
pub(crate) const SETTINGS: [Setting; 30] = [
    setting("CALIBER_ENVIRONMENT", "development", "development or production, which refuses what is unsafe"),
    setting("CALIBER_BIND", "127.0.0.1:8000", "address and port to listen on; port 0 takes a free one"),
    setting(
        "CALIBER_DATA",
        "./caliber-data",
        "folder of the database, stored files and the development secret",
    ),
    setting("DATABASE_URL", "", "sqlite: or postgres: [default: SQLite in CALIBER_DATA]"),
    setting("CALIBER_STORAGE", "", "a folder, or s3://bucket/prefix [default: CALIBER_DATA/files]"),
    secret(
        "CALIBER_SECRET_KEY",
        "keys are derived from it [default: made once in CALIBER_DATA in development]",
    ),
    secret("CALIBER_SECRET_KEYS_OLD", "comma-separated; they still verify and decrypt"),
    setting(
        "CALIBER_DEV_SIGN_IN",
        "",
        "on or off: who sends no credential is dev@example.com [default: on in development on loopback]",
    ),
    setting(
        "CALIBER_OIDC_ISSUERS",
        "",
        "comma-separated issuer=audience whose ID tokens sign in, as in https://accounts.example.com=my-client",
    ),
    setting(
        "CALIBER_FIREBASE_PROJECT",
        "",
        "a project's id: the short form of CALIBER_OIDC_ISSUERS for Firebase",
    ),
    setting(
        "CALIBER_RATE_LIMIT",
        "100/1m",
        "calls of a user, or of an address where nobody is signed in: so many in a time (s, m, h, d), several by comma, or off",
    ),
    setting(
        "CALIBER_PAGE_RATE_LIMIT",
        "1200/1m",
        "calls of a user under a cookie session; as CALIBER_RATE_LIMIT",
    ),
    setting(
        "CALIBER_AUTH_RATE_LIMIT",
        "5/15m",
        "failed sign-ins for an e-mail address or from a client's; as CALIBER_RATE_LIMIT",
    ),
    setting(
        "CALIBER_AI_RATE_LIMIT",
        "60/1m,1000/1h",
        "insights and messages of a user; as CALIBER_RATE_LIMIT",
    ),
    setting("CALIBER_CORS_ORIGINS", "", "comma-separated origins whose pages may call the API"),
    setting(
        "CALIBER_ALLOWED_HOSTS",
        "",
        "comma-separated host names to answer to [default: the bound address]",
    ),
    setting(
        "CALIBER_TRUSTED_PROXIES",
        "",
        "comma-separated addresses or networks of proxies that are believed for whom they ask (X-Forwarded-For)",
    ),
    setting("CALIBER_MAX_UPLOAD", "50MB", "largest report taken"),
    setting(
        "CALIBER_WORKERS",
        "",
        "scoring jobs at once in this process; 0 leaves them to `caliber worker` [default: one per core]",
    ),
    setting("CALIBER_RESULTS_CACHE", "512MB", "memory for the results of campaigns in use"),
    setting("CALIBER_LOG", "info", "what is logged: a level, or target=level,..."),
    setting("CALIBER_LOG_DIR", "", "folder of logs, rotated at 10 MB, 5 kept, errors in a file of their own"),
    secret("OPENAI_API_KEY", "key of OpenAI, or of another server with its API"),
    setting("OPENAI_BASE_URL", "", "address of another server with OpenAI's API"),
    setting("OPENAI_MODEL", "", "model to ask"),
    setting("OPENAI_MAX_TOKENS", "", "most tokens of an answer"),
    setting("OPENAI_TEMPERATURE", "", "how freely it answers, 0 to 2"),
    secret("ANTHROPIC_API_KEY", "key of Anthropic"),
    secret("GEMINI_API_KEY", "key of Gemini"),
    setting("OLLAMA_HOST", "", "address of an Ollama server"),
];

/// Where Caliber runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    Development,
    Production,
}

/// The settings of the service, parsed.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) environment: Environment,
    pub(crate) bind: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) database_url: String,
    pub(crate) storage: String,
    pub(crate) secret_key: Option<SecretString>,
    pub(crate) old_secret_keys: Vec<SecretString>,
    pub(crate) dev_sign_in: bool,
    pub(crate) issuers: Vec<TrustedIssuer>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) rate_limit: RateLimit,
    pub(crate) page_rate_limit: RateLimit,
    pub(crate) auth_rate_limit: RateLimit,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) max_upload: u64,
    pub(crate) workers: usize,
    pub(crate) results_cache: u64,
    pub(crate) log: String,
    pub(crate) log_dir: Option<PathBuf>,
}

impl Settings {
    /// Parses what was found.
    ///
    /// # Errors
    /// `BadOption` that names the setting, where its value came from and what would be right.
    pub(crate) fn parse(sources: &Sources) -> Result<Self> {
        let environment = sources.parse("CALIBER_ENVIRONMENT", |text| match text {
            "development" => Ok(Environment::Development),
            "production" => Ok(Environment::Production),
            _ => Err("it is `development` or `production`".to_owned()),
        })?;
        let bind: SocketAddr = sources.parse("CALIBER_BIND", |text| {
            text.replace("localhost", "127.0.0.1")
                .parse()
                .map_err(|_| "it is an address and a port, as in 127.0.0.1:8000".to_owned())
        })?;
        let data = PathBuf::from(sources.text("CALIBER_DATA"));
        let is_local = bind.ip().is_loopback();
        let dev_sign_in = sources.parse("CALIBER_DEV_SIGN_IN", |text| match text {
            "" => Ok(environment == Environment::Development && is_local),
            text => on_or_off(text),
        })?;
        sources.parse("CALIBER_AI_RATE_LIMIT", rate_limit)?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            environment,
            bind,
            database_url: sources.parse("DATABASE_URL", |text| database_url(text, &data))?,
            storage: match sources.text("CALIBER_STORAGE") {
                "" => data.join("files").display().to_string(),
                storage => storage.to_owned(),
            },
            secret_key: Some(sources.text("CALIBER_SECRET_KEY"))
                .filter(|key| !key.is_empty())
                .map(SecretString::from),
            old_secret_keys: list(sources.text("CALIBER_SECRET_KEYS_OLD"))
                .into_iter()
                .map(SecretString::from)
                .collect(),
            dev_sign_in,
            issuers: [
                sources.parse("CALIBER_OIDC_ISSUERS", trusted_issuers)?,
                sources.parse("CALIBER_FIREBASE_PROJECT", firebase)?,
            ]
            .concat(),
            trusted_proxies: sources
                .parse("CALIBER_TRUSTED_PROXIES", |text| text.parse().map_err(str::to_owned))?,
            rate_limit: sources.parse("CALIBER_RATE_LIMIT", rate_limit)?,
            page_rate_limit: sources.parse("CALIBER_PAGE_RATE_LIMIT", rate_limit)?,
            auth_rate_limit: sources.parse("CALIBER_AUTH_RATE_LIMIT", rate_limit)?,
            cors_origins: list(sources.text("CALIBER_CORS_ORIGINS")),
            allowed_hosts: match sources.text("CALIBER_ALLOWED_HOSTS") {
                "" if is_local => ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec(),
                "" => vec![host_of(bind)],
                hosts => list(hosts),
            },
            max_upload: sources.parse("CALIBER_MAX_UPLOAD", bytes)?,
            workers: sources.parse("CALIBER_WORKERS", |text| match text {
                "" => Ok(cores),
                text => at_most(text, 256),
            })?,
            results_cache: sources.parse("CALIBER_RESULTS_CACHE", bytes)?,
            log: sources.text("CALIBER_LOG").to_owned(),
            log_dir: Some(sources.text("CALIBER_LOG_DIR")).filter(|dir| !dir.is_empty()).map(PathBuf::from),
            data,
        })
        .and_then(Self::refused)
    }

    /// Refuses combinations that are not safe.
    fn refused(self) -> Result<Self> {
        let no = |message: &str, help: &str| Err(Error::new(Code::BadOption, message).help(help));
        if self.dev_sign_in && !self.bind.ip().is_loopback() {
            return no(
                "the development sign-in is on, and CALIBER_BIND is not a loopback address",
                "set CALIBER_DEV_SIGN_IN=off, or bind to 127.0.0.1: whoever reaches the port would be an administrator",
            );
        }
        if self.environment == Environment::Development {
            return Ok(self);
        }
        if self.dev_sign_in {
            return no("the development sign-in is on in production", "remove CALIBER_DEV_SIGN_IN");
        }
        if self.cors_origins.iter().any(|origin| origin == "*") {
            return no("CALIBER_CORS_ORIGINS lets every origin in", "list the origins of your pages");
        }
        if self.allowed_hosts.iter().any(|host| host == "*") {
            return no("CALIBER_ALLOWED_HOSTS lets every name in", "list the names of this server");
        }
        let Some(key) = &self.secret_key else {
            return no(
                "CALIBER_SECRET_KEY is not set",
                "make one with `openssl rand -base64 48`, and keep it where secrets are kept",
            );
        };
        if let Some(weakness) = values::weakness_of_secret(key) {
            return no(
                &format!("CALIBER_SECRET_KEY is weak: {weakness}"),
                "make one with `openssl rand -base64 48`, and keep it where secrets are kept",
            );
        }
        Ok(self)
    }
}

fn host_of(bind: SocketAddr) -> String {
    match bind {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

fn database_url(text: &str, data: &std::path::Path) -> std::result::Result<String, String> {
    match text {
        "" => Ok(format!("sqlite:{}", data.join("caliber.db").display())),
        text if ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| text.starts_with(scheme)) => {
            Ok(text.to_owned())
        }
        _ => Err("it begins with `sqlite:` or `postgres:`".to_owned()),
    }
}

#[cfg(test)]
mod tests;
