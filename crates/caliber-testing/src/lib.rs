//! What tests stand on: a database of one's own, on every database system that is supported.
//!
//! Real servers are started by `cargo xtask test`, which names them in the environment. Where one is missing a test fails
//! and says what to run; none is passed over.

mod database;
pub mod issuer;
mod postgres;
pub mod s3;

pub use database::TestDatabase;

/// Runs each of the named `async fn(TestDatabase)` as a test on SQLite and as one on PostgreSQL, each on a fresh migrated
/// database. The crate that uses it needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    super::$name($crate::TestDatabase::sqlite().await).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    super::$name($crate::TestDatabase::postgres().await).await;
                }
            )*
        }
    };
}
