//! What a platform of tests is made of.

use std::path::Path;
use std::sync::Arc;

use caliber_engine::recipe::RecipeBook;
use caliber_platform::identity::Secrets;
use caliber_platform::rate_limits::RateLimit;
use caliber_platform::{Clock, Parts};
use caliber_store::objects::Objects;
use caliber_testing::TestDatabase;

/// Without limits and without issuers of ID tokens, on one thread.
pub(crate) fn parts(database: &TestDatabase, objects: Objects, clock: &Clock) -> Parts {
    Parts {
        store: database.store().clone(),
        objects,
        clock: clock.clone(),
        secrets: Secrets::new("a secret of the tests".into(), Vec::new()),
        book: Arc::new(RecipeBook::shipped().clone()),
        sheet_reader: Arc::new(|_: &Path, _: Option<&str>| panic!("no test reads an old workbook")),
        max_upload: 10_000_000,
        results_cache: 10_000_000,
        threads: 1,
        failed_sign_ins: RateLimit::OFF,
        issuers: Vec::new(),
    }
}
