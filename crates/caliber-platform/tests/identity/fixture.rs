//! A platform with a database and a clock of its own.

use std::net::IpAddr;

use caliber_platform::identity::{Caller, SessionKind, SignedIn, TrustedIssuer};
use caliber_platform::rate_limits::RateLimit;
use caliber_platform::{Clock, Parts, Platform, Result};
use caliber_store::objects::Objects;
use caliber_testing::TestDatabase;
use tempfile::TempDir;

use crate::parts::parts;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "brass lantern under the stairs";

pub(crate) struct Fixture {
    pub(crate) platform: Platform,
    pub(crate) clock: Clock,
    _folder: TempDir,
    _database: TestDatabase,
}

impl Fixture {
    /// With a limit of failed sign-ins, and issuers that are trusted.
    pub(crate) fn new(
        database: TestDatabase,
        failed_sign_ins: RateLimit,
        issuers: Vec<TrustedIssuer>,
    ) -> Self {
        let folder = TempDir::with_prefix("caliber-identity-").unwrap();
        let clock = Clock::default();
        let objects = Objects::open(folder.path().to_str().unwrap()).unwrap();
        let platform = Platform::new(Parts { failed_sign_ins, issuers, ..parts(&database, objects, &clock) });
        Self { platform, clock, _folder: folder, _database: database }
    }

    /// Somebody new.
    pub(crate) async fn registered(&self, name: &str) -> Caller {
        let email = format!("{name}@example.com");
        let user = self.platform.identity().register(&email, PASSWORD, name).await.unwrap();
        Caller { user, session: None }
    }

    /// A sign-in from a client's address.
    pub(crate) async fn sign_in(&self, email: &str, password: &str, client: &str) -> Result<SignedIn> {
        let client: IpAddr = client.parse().unwrap();
        self.platform.identity().sign_in(email, password, SessionKind::Bearer, client).await
    }
}
