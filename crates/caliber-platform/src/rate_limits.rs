//! So many in a time: calls of a user, failures of an address.
//!
//! A log of when, and not a bucket that refills (GCRA): "100 in a minute" then means it, in whichever minute one counts.
//! A bucket of 100 lets 199 through in its first minute. What is kept has a bound, however many addresses a stranger has.

mod log;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use caliber_store::{UserId, users};
use chrono::{DateTime, TimeDelta, Utc};
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use log::Log;

/// Memory for the logs of one limiter, in bytes. What was used longest ago goes first.
const MOST_BYTES: u64 = 32 << 20;
/// The most that a window may allow; more is as good as `off`.
const MOST_ALLOWED: u32 = 1_000_000;
/// The longest window.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// How many are allowed: so many in each of its windows at once. Written `100/1m`, `60/1m,1000/1h`, `off`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimit(Vec<Window>);

/// So many in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    most: u32,
    length: TimeDelta,
}

/// What one has of a limit: of several windows, the one that has least left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// How many the window allows.
    pub most: u32,
    /// How many of them are left.
    pub left: u32,
    /// How long the window is.
    pub window: Duration,
    /// In how long the first of those that count no longer will.
    pub more_in: Duration,
}

/// Whose calls or failures are counted together. Of one size, whatever it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateKey([u8; 16]);

/// Counts against a limit.
pub struct RateLimiter {
    limit: RateLimit,
    logs: Cache<RateKey, Log>,
}

impl RateLimit {
    /// No limit.
    pub const OFF: Self = Self(Vec::new());

    /// So many in a time.
    pub(crate) fn of(most: u32, length: TimeDelta) -> Self {
        Self(vec![Window { most, length }])
    }

    fn longest(&self) -> Duration {
        self.0.iter().map(|window| length_of(window.length)).max().unwrap_or_default()
    }
}

impl FromStr for RateLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "off" {
            return Ok(Self::OFF);
        }
        let windows: Option<Vec<Window>> = text.split(',').map(|part| Window::parse(part.trim())).collect();
        windows.map(Self).ok_or("it is so many in a time, as in 100/1m or 60/1m,1000/1h (s, m, h, d), or off")
    }
}

impl Window {
    fn parse(text: &str) -> Option<Self> {
        let (most, length) = text.split_once('/')?;
        let most = most.trim().parse().ok().filter(|most| (1..=MOST_ALLOWED).contains(most))?;
        let length = length.trim();
        let number_ends = length.find(|char: char| !char.is_ascii_digit())?;
        let (number, unit) = length.split_at(number_ends);
        let unit = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let seconds = number.parse::<i64>().ok()?.checked_mul(unit)?;
        let length = TimeDelta::try_seconds(seconds)?;
        (length > TimeDelta::zero() && length <= LONGEST).then_some(Self { most, length })
    }
}

impl RateKey {
    /// A user, over all sessions and tokens.
    pub fn user(id: UserId) -> Self {
        Self::of(b"user", id.0.as_bytes())
    }

    /// Whoever calls from an address. Of IPv6 the network counts: a stranger has 2^64 addresses in it.
    pub fn client(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of(b"client", &address.octets()),
            IpAddr::V6(address) => Self::of(b"client", &address.octets()[..8]),
        }
    }

    /// An e-mail address, whether somebody here has it or not.
    pub fn email(address: &str) -> Self {
        Self::of(b"email", users::email_key(address).as_bytes())
    }

    /// An issuer of ID tokens that is asked for its keys.
    pub(crate) fn issuer(url: &str) -> Self {
        Self::of(b"issuer", url.as_bytes())
    }

    fn of(kind: &[u8], what: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(what).finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

impl RateLimiter {
    /// A limiter that has counted nothing.
    pub fn new(limit: RateLimit) -> Self {
        let logs = Cache::builder()
            .max_capacity(MOST_BYTES)
            .weigher(|_, log: &Log| log.bytes())
            // Frequency would not let somebody new in while others call often: they would not be counted.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(limit.longest().max(Duration::from_secs(1)))
            .build();
        Self { limit, logs }
    }

    /// Counts one, and says what is left; `None` where there is no limit. Of many at once no more than are allowed come
    /// through.
    ///
    /// # Errors
    /// What there is of the limit, where nothing is left. Then it does not count.
    pub fn take(&self, key: RateKey, now: DateTime<Utc>) -> Result<Option<Quota>, Quota> {
        if self.limit.0.is_empty() {
            return Ok(None);
        }
        let mut taken = None;
        let done = self.logs.entry(key).and_compute_with(|found| {
            let mut log = found.map(moka::Entry::into_value).unwrap_or_default();
            let quota = taken.insert(log.take(&self.limit.0, now));
            if quota.is_ok() { Op::Put(log) } else { Op::Nop }
        });
        debug_assert!(!matches!(done, CompResult::Removed(_)), "nothing is removed by counting");
        taken.transpose()
    }

    /// Whether one more would be allowed; it is not counted.
    ///
    /// # Errors
    /// What there is of the limit, where nothing is left.
    pub fn check(&self, key: RateKey, now: DateTime<Utc>) -> Result<(), Quota> {
        let Some(mut log) = self.logs.get(&key) else { return Ok(()) };
        log.take(&self.limit.0, now).map(drop)
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A length of time that is not negative.
fn length_of(length: TimeDelta) -> Duration {
    length.to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests;
