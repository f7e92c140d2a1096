//! The schema: what migrations make is what the rows say, and what it refuses.

use std::collections::BTreeMap;

use caliber_store::{
    Backend, MigrationStatus, Store, StoreError, StoreOptions, campaigns, exports, invitations, jobs,
    list_versions, organizations, password_links, recipes, runs, sessions, templates, uploads, users,
};
use caliber_testing::{TestDatabase, on_both_databases};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, Iterable, Statement};

use super::rows::{self, at};

on_both_databases!(
    every_row_has_the_columns_of_its_table,
    a_word_that_is_not_known_is_refused,
    every_foreign_key_is_led_by_an_index,
    times_compare_as_times,
    a_ping_is_answered,
    a_write_transaction_waits_for_the_one_before,
);

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_and_down_and_up_on_sqlite() {
    migrations_go_up_and_down_and_up(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_and_down_and_up_on_postgres() {
    migrations_go_up_and_down_and_up(Backend::Postgres).await;
}

async fn migrations_go_up_and_down_and_up(backend: Backend) {
    let database = TestDatabase::empty(backend).await;
    let store = database.store();
    let applied = async || {
        let all = store.migrations().await.unwrap();
        let applied = all.iter().filter(|migration: &&MigrationStatus| migration.applied).count();
        (all.len(), applied)
    };
    let (all, none) = applied().await;
    assert_eq!(none, 0);
    assert_eq!(tables(store).await.len(), 0, "asking for the state changes nothing");
    store.migrate_up().await.unwrap();
    store.migrate_up().await.unwrap();
    assert_eq!(applied().await, (all, all));
    let first = schema(store).await;
    assert!(first.len() > 12, "{first:?}");
    store.migrate_down(Some(1)).await.unwrap();
    assert_eq!(applied().await, (all, all - 1));
    store.migrate_down(None).await.unwrap();
    assert_eq!(applied().await, (all, 0));
    assert_eq!(tables(store).await.len(), 0);
    store.migrate_up().await.unwrap();
    assert_eq!(schema(store).await, first);
    rows::manager(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_may_begin_at_once_on_sqlite() {
    many_processes_may_begin_at_once(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_may_begin_at_once_on_postgres() {
    many_processes_may_begin_at_once(Backend::Postgres).await;
}

async fn many_processes_may_begin_at_once(backend: Backend) {
    let database = TestDatabase::empty(backend).await;
    let beginning = (0..8).map(|_| {
        let url = database.url().to_owned();
        tokio::spawn(async move {
            let store = Store::connect(&url).await.unwrap();
            store.migrate_up().await.unwrap();
            rows::manager(&store).await
        })
    });
    for begun in futures_util::future::join_all(beginning).await {
        begun.unwrap();
    }
}

/// Tables but for the migrations' own.
async fn tables(store: &Store) -> Vec<String> {
    let sql = match store.backend() {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'seaql_migrations'"
        }
        Backend::Postgres => {
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'seaql_migrations'"
        }
    };
    texts(store, sql, "name").await
}

/// Everything that makes up the schema, in words of the database.
async fn schema(store: &Store) -> Vec<String> {
    let sql = match store.backend() {
        Backend::Sqlite => "SELECT name || ' ' || coalesce(sql, '') AS line FROM sqlite_master ORDER BY 1",
        Backend::Postgres => {
            "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable) AS line FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL SELECT concat(conrelid::regclass, ' ', conname, ' ', pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
             ORDER BY 1"
        }
    };
    texts(store, sql, "line").await
}

async fn texts(store: &Store, sql: &str, column: &str) -> Vec<String> {
    let rows = store.db().query_all_raw(Statement::from_string(store.db().get_database_backend(), sql)).await;
    rows.unwrap().into_iter().map(|row| row.try_get("", column).unwrap()).collect()
}

/// The columns of a table as the database has them: name, type, whether it may be missing.
async fn columns(store: &Store, table: &str) -> BTreeMap<String, (String, bool)> {
    let sql = match store.backend() {
        Backend::Sqlite => {
            format!(
                "SELECT name, lower(type) AS kind, \"notnull\" = 0 AS missing FROM pragma_table_info('{table}')"
            )
        }
        Backend::Postgres => format!(
            "SELECT column_name::text AS name, data_type::text AS kind, is_nullable = 'YES' AS missing
             FROM information_schema.columns WHERE table_name = '{table}'"
        ),
    };
    let rows = store.db().query_all_raw(Statement::from_string(store.db().get_database_backend(), sql)).await;
    let column = |row: sea_orm::QueryResult| {
        let name = row.try_get("", "name").unwrap();
        (name, (row.try_get("", "kind").unwrap(), row.try_get("", "missing").unwrap()))
    };
    rows.unwrap().into_iter().map(column).collect()
}

async fn check<E: EntityTrait>(store: &Store, known: &mut Vec<String>) {
    let table = E::default().table_name().to_owned();
    let expected: BTreeMap<_, _> = E::Column::iter()
        .map(|column| {
            let definition = column.def();
            let kind = definition.get_column_type().clone();
            (column.as_str().to_owned(), (kind_name(store.backend(), &kind), definition.is_null()))
        })
        .collect();
    assert_eq!(columns(store, &table).await, expected, "{table}");
    known.push(table);
}

/// What the database calls the type of a row's field.
fn kind_name(backend: Backend, kind: &sea_orm::ColumnType) -> String {
    use sea_orm::ColumnType as T;
    let names = match kind {
        T::Uuid => ("uuid_text", "uuid"),
        T::Text | T::String(_) | T::Enum { .. } => ("text", "text"),
        T::Boolean => ("boolean", "boolean"),
        T::BigInteger => ("integer", "bigint"),
        T::Integer => ("integer", "integer"),
        T::Double => ("double", "double precision"),
        T::VarBinary(_) => ("varbinary_blob(32)", "bytea"),
        T::TimestampWithTimeZone => ("timestamp_with_timezone_text", "timestamp with time zone"),
        other => panic!("no row has a field of type {other:?}"),
    };
    match backend {
        Backend::Sqlite => names.0.to_owned(),
        Backend::Postgres => names.1.to_owned(),
    }
}

async fn every_row_has_the_columns_of_its_table(database: TestDatabase) {
    let store = database.store();
    let mut known = Vec::new();
    check::<organizations::Entity>(store, &mut known).await;
    check::<users::Entity>(store, &mut known).await;
    check::<invitations::Entity>(store, &mut known).await;
    check::<password_links::Entity>(store, &mut known).await;
    check::<sessions::Entity>(store, &mut known).await;
    check::<templates::Entity>(store, &mut known).await;
    check::<campaigns::Entity>(store, &mut known).await;
    check::<uploads::Entity>(store, &mut known).await;
    check::<runs::Entity>(store, &mut known).await;
    check::<recipes::Entity>(store, &mut known).await;
    check::<list_versions::Entity>(store, &mut known).await;
    check::<jobs::Entity>(store, &mut known).await;
    check::<exports::Entity>(store, &mut known).await;
    let mut tables = tables(store).await;
    known.sort();
    tables.sort();
    assert_eq!(tables, known, "every table has its rows here");
}

async fn a_word_that_is_not_known_is_refused(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    rows::campaign(store, &user, "c").await;
    let template = caliber_store::templates::create(
        store.db(),
        user.organization_id,
        user.id,
        "t",
        rows::settings(),
        at(0),
    );
    template.await.unwrap();
    let words = [
        ("users", "role", "viewer analyst manager admin client expert"),
        ("campaigns", "goal", "awareness action"),
        ("campaigns", "channel", "ctv display video audio"),
        ("campaigns", "analysis_level", "domain supply_vendor"),
        ("campaigns", "status", "pending processing completed failed"),
        ("campaigns", "campaign_type", "trade_desk anything"),
        ("campaign_templates", "goal", "awareness action"),
        ("campaign_templates", "channel", "ctv display video audio"),
        ("campaign_templates", "analysis_level", "domain supply_vendor"),
    ];
    for (table, column, known) in words {
        for word in known.split(' ') {
            set(store, table, column, word).await.unwrap();
        }
        let open = column == "campaign_type";
        for word in ["deleted", "", "Viewer", "PENDING"] {
            assert_eq!(set(store, table, column, word).await.is_ok(), open, "{table}.{column} = {word:?}");
        }
    }
    // Tables that would need more rows first: the constraint stands in the schema.
    let schema = schema(store).await.join("\n");
    for name in [
        "ck_invitations_role",
        "ck_sessions_kind",
        "ck_sessions_ended_because",
        "ck_file_uploads_status",
        "ck_scoring_runs_state",
        "ck_list_versions_list_type",
        "ck_jobs_queue",
        "ck_jobs_state",
    ] {
        assert!(schema.contains(name), "{name}");
    }
}

async fn set(store: &Store, table: &str, column: &str, word: &str) -> Result<(), StoreError> {
    let sql = format!("UPDATE {table} SET {column} = '{word}'");
    store.db().execute_unprepared(&sql).await?;
    Ok(())
}

async fn every_foreign_key_is_led_by_an_index(database: TestDatabase) {
    // Else every delete of what it points at reads the whole table. PostgreSQL tells it of both.
    let store = database.store();
    let sql = match store.backend() {
        Backend::Sqlite => {
            "SELECT m.name || '.' || f.\"from\" AS line FROM sqlite_master m, pragma_foreign_key_list(m.name) f
             WHERE m.type = 'table' AND NOT EXISTS (
                 SELECT 1 FROM pragma_index_list(m.name) i, pragma_index_info(i.name) c
                 WHERE c.seqno = 0 AND c.name = f.\"from\")"
        }
        Backend::Postgres => {
            "SELECT concat(conrelid::regclass, '.', conname) AS line FROM pg_constraint c
             WHERE contype = 'f' AND NOT EXISTS (
                 SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
        }
    };
    assert_eq!(texts(store, sql, "line").await, Vec::<String>::new());
}

async fn times_compare_as_times(database: TestDatabase) {
    // As text in SQLite, with more and with fewer digits after the second.
    let store = database.store();
    let user = rows::manager(store).await;
    let second = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let times: Vec<_> = [0, 1, 999, 1_000, 100_000, 123_000, 123_001, 999_999, 1_000_000]
        .map(|micros| second + chrono::TimeDelta::microseconds(micros))
        .to_vec();
    for (index, time) in times.iter().enumerate().rev() {
        campaigns::create(store.db(), rows::new_campaign(&user, &index.to_string()), *time).await.unwrap();
    }
    let all = campaigns::Filter::default();
    let window = caliber_store::Window::first(100);
    let page = campaigns::list(store.db(), caliber_store::Reach::INSTANCE, &all, window).await.unwrap();
    let mut read: Vec<_> = page.rows.into_iter().map(|row| row.created_at).collect();
    read.reverse();
    assert_eq!(read, times);
    for (index, time) in times.iter().enumerate() {
        let before = campaigns::Entity::find();
        let before = sea_orm::QueryFilter::filter(before, campaigns::Column::CreatedAt.lt(*time));
        assert_eq!(before.all(store.db()).await.unwrap().len(), index, "{time}");
    }
}

async fn a_ping_is_answered(database: TestDatabase) {
    database.store().ping().await.unwrap();
}

async fn a_write_transaction_waits_for_the_one_before(database: TestDatabase) {
    // Read, then write by what was read: with a deferred beginning SQLite would refuse most of these.
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let stores = [store.clone(), database.another_store().await];
    let adding = (0..40).map(|index| {
        let store = stores[index % 2].clone();
        tokio::spawn(async move {
            let txn = store.begin().await.unwrap();
            let reach = caliber_store::Reach::INSTANCE;
            let read = campaigns::lock(&txn, reach, campaign.id).await.unwrap().unwrap();
            let count = read.overrides["count"].as_i64().unwrap_or(0) + 1;
            let overrides = serde_json::json!({ "count": count });
            campaigns::set_overrides(&txn, reach, campaign.id, overrides, at(1)).await.unwrap();
            txn.commit().await.unwrap();
        })
    });
    for added in futures_util::future::join_all(adding).await {
        added.unwrap();
    }
    assert_eq!(rows::reload(store, campaign.id).await.overrides, serde_json::json!({ "count": 40 }).into());
}

#[tokio::test]
async fn an_address_that_leads_nowhere_says_why_and_keeps_its_password() {
    for url in [
        "mysql://u:geheim@h/d",
        "sqlite::memory:",
        "sqlite://?mode=memory",
        "nothing",
        "postgres://u:geheim@[::1",
    ] {
        let error = Store::connect(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Address { .. }), "{url}: {error:?}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
    let options = StoreOptions { patience: std::time::Duration::from_millis(200), ..StoreOptions::default() };
    let nobody = Store::connect_with("postgres://u:geheim@127.0.0.1:1/d", options).await.unwrap_err();
    assert!(nobody.is_transient(), "{nobody:?}");
}
