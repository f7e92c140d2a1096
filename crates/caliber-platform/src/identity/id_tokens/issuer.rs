//! An issuer's keys, fetched from what its discovery document names, and kept for a while.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::Header;
use jsonwebtoken::jwk::Jwk;
use moka::future::Cache;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::key::Key;
use super::setting::is_on_this_machine;
use crate::rate_limits::{RateKey, RateLimit, RateLimiter};

/// How long keys are good before they are asked for again: so long at most does a key hold that was withdrawn.
const HOLD: TimeDelta = TimeDelta::hours(1);
/// How often an issuer is asked, whatever strangers send.
const MOST_FETCHES: (u32, TimeDelta) = (10, TimeDelta::minutes(1));
/// How long one answer of an issuer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const MOST_BYTES: usize = 256 << 10;
/// Keys of an issuer that are kept.
const MOST_KEYS: usize = 100;

/// An issuer that is trusted.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) audiences: Vec<String>,
    current: Mutex<Arc<Keys>>,
    /// What is being fetched, by the generation of keys it follows: whoever needs it waits for the one fetch.
    fetches: Cache<u64, Arc<Keys>>,
    fetched: RateLimiter,
}

/// The keys of an issuer as they were at some time.
#[derive(Debug, Default)]
struct Keys {
    /// 0 where none were fetched yet.
    generation: u64,
    fetched_at: DateTime<Utc>,
    usable: Vec<Key>,
}

/// Why an issuer's keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysMissing {
    #[error("{url}: {cause}")]
    Unreachable { url: String, cause: String },
    #[error("{url} answers {status}")]
    Status { url: String, status: StatusCode },
    #[error("{url} answers with more than {MOST_BYTES} bytes")]
    TooLarge { url: String },
    #[error("{url}: {why}")]
    Content { url: String, why: String },
    #[error("it was asked too often; it is asked again within a minute")]
    TooOften,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Published {
    /// One that is not understood must not hide the others.
    keys: Vec<serde_json::Value>,
}

impl Issuer {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            audiences: Vec::new(),
            current: Mutex::default(),
            fetches: Cache::new(4),
            fetched: RateLimiter::new(RateLimit::of(MOST_FETCHES.0, MOST_FETCHES.1)),
        }
    }

    /// The key that a token was signed with; none where the issuer has no such key. One that is not known may be new, so
    /// the issuer is asked once more.
    pub(super) async fn key_for(
        &self,
        header: &Header,
        now: DateTime<Utc>,
    ) -> Result<Option<Key>, Arc<KeysMissing>> {
        let known = self.current();
        let is_fresh = known.generation > 0 && now < known.fetched_at + HOLD;
        let keys = if is_fresh { known } else { self.after(known.generation, now).await? };
        if let Some(key) = keys.find(header) {
            return Ok(Some(key.clone()));
        }
        if !is_fresh {
            return Ok(None);
        }
        match self.after(keys.generation, now).await {
            Ok(keys) => Ok(keys.find(header).cloned()),
            // Known ones hold on: it is only this one that cannot be looked for.
            Err(missing) if matches!(*missing, KeysMissing::TooOften) => Ok(None),
            Err(missing) => Err(missing),
        }
    }

    fn current(&self) -> Arc<Keys> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys that follow a generation: fetched once, however many wait.
    async fn after(&self, generation: u64, now: DateTime<Utc>) -> Result<Arc<Keys>, Arc<KeysMissing>> {
        let fetching = async {
            let key = RateKey::issuer(&self.url);
            self.fetched.take(key, now).map_err(|_| KeysMissing::TooOften)?;
            let usable = fetch(&self.url).await?;
            Ok(Arc::new(Keys { generation: generation + 1, fetched_at: now, usable }))
        };
        let keys = self.fetches.try_get_with(generation, fetching).await?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.generation < keys.generation {
            *current = Arc::clone(&keys);
        }
        drop(current);
        Ok(keys)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Keys {
    /// By its id; a token without one needs that there is a single key it could be.
    fn find(&self, header: &Header) -> Option<&Key> {
        let mut fitting = self.usable.iter().filter(|key| key.fits(header.alg));
        match &header.kid {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

/// The keys that an issuer publishes now.
pub(super) async fn fetch(issuer: &str) -> Result<Vec<Key>, KeysMissing> {
    let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let content = |url: &str, why: &str| KeysMissing::Content { url: url.to_owned(), why: why.to_owned() };
    let address = Url::parse(&discovery).map_err(|error| content(&discovery, &error.to_string()))?;
    let is_local = is_on_this_machine(&address);
    let client = client(is_local).map_err(|error| unreachable(&discovery, &error))?;
    let found: Discovery = get(&client, address).await?;
    if found.issuer != issuer {
        return Err(content(&discovery, "it is the document of another issuer"));
    }
    let address = Url::parse(&found.jwks_uri).ok();
    let may = |url: &Url| url.scheme() == "https" || (is_local && is_on_this_machine(url));
    let address = address.filter(may).ok_or_else(|| content(&discovery, "its `jwks_uri` is not https"))?;
    let published: Published = get(&client, address).await?;
    let keys = published.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    Ok(keys.filter_map(|key| Key::of(&key)).take(MOST_KEYS).collect())
}

/// A client that goes nowhere but where it is sent.
fn client(is_local: bool) -> reqwest::Result<Client> {
    // One cryptography for all of TLS; where the process has chosen another, that stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().redirect(Policy::none()).timeout(PATIENCE).https_only(!is_local);
    if is_local { client.no_proxy().build() } else { client.build() }
}

async fn get<T: DeserializeOwned>(client: &Client, url: Url) -> Result<T, KeysMissing> {
    let name = url.to_string();
    let mut answer = client.get(url).send().await.map_err(|error| unreachable(&name, &error))?;
    if answer.status() != StatusCode::OK {
        return Err(KeysMissing::Status { url: name, status: answer.status() });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&name, &error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(KeysMissing::TooLarge { url: name });
        }
    }
    serde_json::from_slice(&bytes).map_err(|error| KeysMissing::Content {
        url: name,
        why: format!("what it answers is not right: {error}"),
    })
}

/// What happened on the way, to its last cause.
fn unreachable(url: &str, error: &reqwest::Error) -> KeysMissing {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = if error.is_timeout() { "it takes too long".to_owned() } else { cause.to_string() };
    KeysMissing::Unreachable { url: url.to_owned(), cause }
}
