//! A database for one test.

use caliber_store::{Backend, Store};
use tempfile::TempDir;

use crate::postgres::Server;

/// A fresh database that is gone with this value.
#[derive(Debug)]
pub struct TestDatabase {
    store: Store,
    url: String,
    /// The folder of a SQLite file; it goes with this.
    _folder: Option<TempDir>,
    /// The server that has a database of this name, to be dropped.
    server: Option<(Server, String)>,
}

impl TestDatabase {
    /// A migrated file of SQLite in a folder of its own.
    pub async fn sqlite() -> Self {
        let database = Self::empty(Backend::Sqlite).await;
        database.store.migrate_up().await.expect("the migrations run on SQLite");
        database
    }

    /// A migrated database of PostgreSQL, belonging to a role that may nothing else: the copy of one that was migrated
    /// once.
    ///
    /// # Panics
    ///
    /// Where no server is named; the message says what to run.
    pub async fn postgres() -> Self {
        let server = Server::from_environment();
        let template = server.migrated_template().await;
        Self::on_server(server, Some(&template)).await
    }

    /// A migrated database of either system.
    pub async fn migrated(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::sqlite().await,
            Backend::Postgres => Self::postgres().await,
        }
    }

    /// A database with nothing in it.
    pub async fn empty(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let folder = TempDir::with_prefix("caliber-test-").expect("a folder for temporary files");
                let url = format!("sqlite:{}", folder.path().join("caliber.sqlite").display());
                let store = Store::connect(&url).await.expect("SQLite opens a new file");
                Self { store, url, _folder: Some(folder), server: None }
            }
            Backend::Postgres => Self::on_server(Server::from_environment(), None).await,
        }
    }

    async fn on_server(server: Server, template: Option<&str>) -> Self {
        let name = server.create(template).await;
        let url = server.url_of(&name);
        let store = Store::connect(&url).await.expect("the application's role connects to its database");
        Self { store, url, _folder: None, server: Some((server, name)) }
    }

    /// The database as the application sees it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Its address, for other processes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A second pool on the same database, as another process would have it.
    pub async fn another_store(&self) -> Store {
        Store::connect(&self.url).await.expect("a second pool connects")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            server.drop_database(name);
        }
    }
}
