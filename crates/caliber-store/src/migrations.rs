//! The schema, a migration a step. What is released is never changed; what it made is changed by the next one.

mod m20261121_000001_accounts;
mod m20261121_000002_campaigns;
mod m20261121_000003_jobs;
mod m20261121_000004_exports;
mod m20261121_000005_left_out;
mod table;

use sea_orm_migration::prelude::*;

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_accounts::Migration),
            Box::new(m20261121_000002_campaigns::Migration),
            Box::new(m20261121_000003_jobs::Migration),
            Box::new(m20261121_000004_exports::Migration),
            Box::new(m20261121_000005_left_out::Migration),
        ]
    }
}
