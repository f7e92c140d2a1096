//! A platform with a database and a clock of its own.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use caliber_engine::recipe::RecipeBook;
use caliber_platform::identity::{Caller, Secrets, SessionKind, SignedIn, TrustedIssuer};
use caliber_platform::rate_limits::RateLimit;
use caliber_platform::{Clock, Parts, Platform, Result};
use caliber_store::objects::Objects;
use caliber_testing::TestDatabase;
use tempfile::TempDir;

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
        let platform = Platform::new(Parts {
            store: database.store().clone(),
            objects: Objects::open(folder.path().to_str().unwrap()).unwrap(),
            clock: clock.clone(),
            secrets: Secrets::new("a secret of the tests".into(), Vec::new()),
            book: Arc::new(RecipeBook::shipped().clone()),
            sheet_reader: Arc::new(|_: &Path, _: Option<&str>| panic!("no test reads an old workbook")),
            max_upload: 10_000_000,
            results_cache: 10_000_000,
            threads: 1,
            failed_sign_ins,
            issuers,
        });
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
