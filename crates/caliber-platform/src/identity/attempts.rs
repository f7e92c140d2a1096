//! Guesses of passwords: so many failures for an address or from one, then nobody is let in there for a while.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::rate_limits::{Quota, RateKey, RateLimiter};

/// A password that is being tried, for an e-mail address and from a client's.
///
/// A failure counts for both, and no success takes one back: who knows one password could clear the way for guessing
/// others. It is looked before the work of comparing and counted after it, so that of many tried at once no more are
/// answered than are allowed, and right ones at the same time do not stand in each other's way.
pub(super) struct Attempt<'a> {
    failures: &'a RateLimiter,
    keys: [RateKey; 2],
}

impl<'a> Attempt<'a> {
    /// Begins to try.
    ///
    /// # Errors
    /// [`Error::Limit`] where there were too many failures.
    pub(super) fn begin(
        failures: &'a RateLimiter,
        email: &str,
        client: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let attempt = Self { failures, keys: [RateKey::email(email), RateKey::client(client)] };
        attempt.allowed(now)?;
        Ok(attempt)
    }

    /// The password is right; whether that may be told.
    ///
    /// # Errors
    /// [`Error::Limit`] where others failed too often meanwhile.
    pub(super) fn succeeded(self, now: DateTime<Utc>) -> Result<()> {
        self.allowed(now)
    }

    /// The password is wrong: what to tell, which is `otherwise` while there were not too many.
    pub(super) fn failed(self, otherwise: Error, now: DateTime<Utc>) -> Error {
        let counted = self.keys.map(|key| self.failures.take(key, now));
        counted.into_iter().find_map(std::result::Result::err).map_or(otherwise, |full| limit(&full))
    }

    fn allowed(&self, now: DateTime<Utc>) -> Result<()> {
        self.keys.iter().try_for_each(|key| self.failures.check(*key, now)).map_err(|full| limit(&full))
    }
}

fn limit(full: &Quota) -> Error {
    Error::Limit { retry_after: full.more_in }
}
