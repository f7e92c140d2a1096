//! How many names an export left out because the form of its DSP cannot hold them.

use sea_orm_migration::prelude::*;

use super::table::count;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut left_out = count("left_out");
        manager.alter_table(Table::alter().table("exports").add_column(&mut left_out).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("exports").drop_column("left_out").take()).await
    }
}
