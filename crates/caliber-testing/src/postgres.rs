//! The PostgreSQL server that the test command started. Only here is anything done that needs more than the plain role
//! that the application has.

use caliber_store::Store;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

/// The server's address, of a role that may create roles and databases.
const ADDRESS: &str = "CALIBER_TEST_POSTGRES";

/// The role the application has: it may log in and owns its database, no more.
const ROLE: &str = "caliber_plain";

/// So that of many tests that begin at once one prepares the server.
const LOCK: i64 = 0x0063_616c_6962_6572;

/// A server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Up to the name of the database, as the harness.
    address: String,
}

impl Server {
    pub(crate) fn from_environment() -> Self {
        let Ok(url) = std::env::var(ADDRESS) else {
            panic!(
                "this test needs PostgreSQL: run it by `cargo xtask test NAME`, or run any command beside a server by \
                 `cargo xtask postgres COMMAND` (the server: apt-get install --yes postgresql)"
            );
        };
        let (address, _database) = url.rsplit_once('/').expect("CALIBER_TEST_POSTGRES ends with a database");
        Self { address: address.to_owned() }
    }

    /// The address of a database for the application's role.
    pub(crate) fn url_of(&self, database: &str) -> String {
        let (_, host) = self.address.rsplit_once('@').expect("CALIBER_TEST_POSTGRES names a user");
        format!("postgres://{ROLE}:{ROLE}@{host}/{database}")
    }

    /// A new database of the application's role.
    pub(crate) async fn create(&self, template: Option<&str>) -> String {
        let admin = self.admin().await;
        if template.is_none() {
            locked(&admin, Box::pin(create_role(&admin))).await;
        }
        let name = format!("test_{}", Uuid::now_v7().simple());
        let template = template.unwrap_or("template0");
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}")).await;
        close(admin).await;
        name
    }

    /// The name of a database that all migrations were applied to, which is made where it is missing. It is marked as a
    /// template once it is whole.
    pub(crate) async fn migrated_template(&self) -> String {
        const NAME: &str = "caliber_migrated";
        let admin = self.admin().await;
        locked(
            &admin,
            Box::pin(async {
                let whole = format!("SELECT 1 FROM pg_database WHERE datname = '{NAME}' AND datistemplate");
                let statement = Statement::from_string(DbBackend::Postgres, whole);
                if admin.query_one_raw(statement).await.expect("the harness asks for databases").is_some() {
                    return;
                }
                create_role(&admin).await;
                run(&admin, &format!("DROP DATABASE IF EXISTS {NAME}")).await;
                run(&admin, &format!("CREATE DATABASE {NAME} TEMPLATE template0 OWNER {ROLE}")).await;
                let store = Store::connect(&self.url_of(NAME)).await.expect("the plain role connects");
                store.migrate_up().await.expect("the migrations run on PostgreSQL with a plain role");
                store.close().await.expect("the pool closes");
                run(&admin, &format!("ALTER DATABASE {NAME} IS_TEMPLATE true")).await;
            }),
        )
        .await;
        close(admin).await;
        NAME.to_owned()
    }

    /// Drops a database, whoever is still connected to it. On a thread of its own: it is called where a value is dropped,
    /// which cannot wait.
    pub(crate) fn drop_database(&self, name: &str) {
        let server = self.clone();
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let admin = server.admin().await;
                run(&admin, &sql).await;
                close(admin).await;
            });
        });
        // A failure was printed by the thread; the test's own outcome stands.
        let _ = dropping.join();
    }

    async fn admin(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(format!("{}/postgres", self.address));
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.expect("the server named by CALIBER_TEST_POSTGRES answers")
    }
}

/// Runs `work` while no other test does so. The lock is the connection's, of which `admin` has one.
async fn locked(admin: &DatabaseConnection, work: std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
    run(admin, &format!("SELECT pg_advisory_lock({LOCK})")).await;
    work.await;
    run(admin, &format!("SELECT pg_advisory_unlock({LOCK})")).await;
}

async fn create_role(admin: &DatabaseConnection) {
    let missing = format!("SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'");
    let statement = Statement::from_string(DbBackend::Postgres, missing);
    if admin.query_one_raw(statement).await.expect("the harness asks for roles").is_none() {
        let rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";
        run(admin, &format!("CREATE ROLE {ROLE} {rights} PASSWORD '{ROLE}'")).await;
    }
}

async fn run(admin: &DatabaseConnection, sql: &str) {
    if let Err(error) = admin.execute_unprepared(sql).await {
        panic!("the harness may not `{sql}`: {error}");
    }
}

async fn close(admin: DatabaseConnection) {
    admin.close().await.expect("the harness's connection closes");
}
