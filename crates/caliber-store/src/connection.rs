//! The connection to a database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::sync::Mutex;
use url::Url;

use crate::error::StoreError;
use crate::migrations::Migrator;
use crate::queue::Wakers;
use crate::transaction::Transaction;

/// How long a statement of SQLite waits for another process that writes.
const SQLITE_PATIENCE: Duration = Duration::from_secs(15);

/// The advisory lock of PostgreSQL that is held while the schema changes.
const MIGRATING: i64 = 0x6361_6c69_6265_7231;

/// A database system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Backend {
    /// `sqlite` or `postgres`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// How to connect.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Connections at most; of SQLite all but one only read.
    pub connections_max: u32,
    /// How long to wait for a connection, and for a free one.
    pub patience: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { connections_max: 20, patience: Duration::from_secs(10) }
    }
}

/// The database. Cheap to clone; clones share one pool.
#[derive(Clone, Debug)]
pub struct Store {
    db: DatabaseConnection,
    backend: Backend,
    /// SQLite has one writer: transactions of this process wait here, not each on a connection of the pool.
    turn: Arc<Mutex<()>>,
    wakers: Wakers,
    /// The file of SQLite that processes lock while they migrate.
    migrating: Option<PathBuf>,
}

/// A migration and whether it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// As the database knows it.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
}

impl Store {
    /// Connects with the usual options. `sqlite:<path>` (a file, made if missing) or `postgres://...`.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(url, StoreOptions::default()).await
    }

    /// Connects. The schema is left as it is: see [`Self::migrate_up`].
    pub async fn connect_with(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let (backend, options, migrating) = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => {
                let (options, path) = sqlite(url, options)?;
                (Backend::Sqlite, options, Some(path.with_added_extension("migrating")))
            }
            Some("postgres" | "postgresql") => (Backend::Postgres, postgres(url, options)?, None),
            _ => return Err(address(url, "it begins with neither `sqlite:` nor `postgres:`")),
        };
        let db = Database::connect(options).await?;
        Ok(Self { db, backend, turn: Arc::default(), wakers: Wakers::default(), migrating })
    }

    /// The pool, to read by and to write single statements.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// What tells workers of this process that jobs were queued.
    pub fn wakers(&self) -> &Wakers {
        &self.wakers
    }

    /// Begins a write transaction.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let turn = match self.backend {
            Backend::Sqlite => Some(Arc::clone(&self.turn).lock_owned().await),
            Backend::Postgres => None,
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend == Backend::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let inner = self.db.begin_with_options(options).await?;
        Ok(Transaction::new(inner, turn, self.wakers.clone()))
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.db.ping().await?)
    }

    /// Closes all connections; for a tidy end.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }

    /// Applies what migrations are missing, each whole or not at all. Of many processes that begin at once one does it and
    /// the others wait.
    pub async fn migrate_up(&self) -> Result<(), StoreError> {
        let alone = self.migrate_alone().await?;
        let done = Migrator::up(&self.db, None).await;
        alone.end().await?;
        Ok(done?)
    }

    /// Takes back the last `steps` migrations, all where it is none; what they made is lost.
    pub async fn migrate_down(&self, steps: Option<u32>) -> Result<(), StoreError> {
        let alone = self.migrate_alone().await?;
        let done = Migrator::down(&self.db, steps).await;
        alone.end().await?;
        Ok(done?)
    }

    /// Waits until no other process migrates.
    async fn migrate_alone(&self) -> Result<MigratingAlone, StoreError> {
        let Some(path) = self.migrating.clone() else {
            let txn = self.begin().await?;
            txn.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATING})")).await?;
            return Ok(MigratingAlone::Postgres(txn));
        };
        let shown = path.clone();
        let locking = tokio::task::spawn_blocking(move || {
            let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.lock()?;
            Ok(file)
        });
        let locked = locking.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let file = locked.map_err(|source| StoreError::Folder { path: shown, source })?;
        Ok(MigratingAlone::Sqlite { _lock: file })
    }

    /// All migrations, in order.
    pub async fn migrations(&self) -> Result<Vec<MigrationStatus>, StoreError> {
        let pending = Migrator::get_pending_migrations(&self.db).await?;
        let pending: Vec<_> = pending.iter().map(|migration| migration.name().to_owned()).collect();
        let all = Migrator::migrations();
        let names = all.iter().map(|migration| migration.name().to_owned());
        Ok(names.map(|name| MigrationStatus { applied: !pending.contains(&name), name }).collect())
    }
}

/// The right to migrate, which one process has at a time.
enum MigratingAlone {
    /// An advisory lock, which ends with the transaction.
    Postgres(Transaction),
    /// A lock of the operating system, which ends with the handle.
    Sqlite { _lock: std::fs::File },
}

impl MigratingAlone {
    async fn end(self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(txn) => txn.rollback().await,
            Self::Sqlite { .. } => Ok(()),
        }
    }
}

/// `time` without what is smaller than a microsecond, which PostgreSQL would round away.
pub fn to_microseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

fn sqlite(url: &str, options: StoreOptions) -> Result<(ConnectOptions, PathBuf), StoreError> {
    let parsed: SqliteConnectOptions = url.parse().map_err(|error| address(url, format!("{error}")))?;
    let path = parsed.get_filename().to_owned();
    if url.contains(":memory:") || url.contains("mode=memory") || path.as_os_str().is_empty() {
        return Err(address(url, "every connection would have a database of its own; name a file"));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
    }
    let mut connect = shared_options(url, options);
    connect.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // In WAL mode this loses no consistency, and of the last commits only what a power cut takes.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(SQLITE_PATIENCE)
    });
    Ok((connect, path))
}

fn postgres(url: &str, options: StoreOptions) -> Result<ConnectOptions, StoreError> {
    Url::parse(url).map_err(|error| address(url, format!("{error}")))?;
    let mut connect = shared_options(url, options);
    connect.set_application_name("caliber");
    Ok(connect)
}

fn shared_options(url: &str, options: StoreOptions) -> ConnectOptions {
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(options.connections_max)
        .connect_timeout(options.patience)
        .acquire_timeout(options.patience)
        .sqlx_logging(false);
    connect
}

/// An error over an address, which may hold a password.
fn address(url: &str, why: impl Into<String>) -> StoreError {
    let shown = Url::parse(url).ok().map_or_else(
        || "the address given".to_owned(),
        |mut url| {
            // Fails for an address that has no place for a password, which then holds none.
            let _ = url.set_password(url.password().map(|_| "***").map(str::to_owned).as_deref());
            url.set_query(None);
            url.to_string()
        },
    );
    StoreError::Address { url: shown, why: why.into() }
}
