//! Exports made in the background.

use sea_orm_migration::prelude::*;

use super::table::{count, create, drop_all, id, index, json, required, text, time, unique, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            id(),
            required(uuid("campaign_id")),
            required(uuid("run_id")),
            uuid("author_id"),
            required(uuid("job_id")),
            required(json("asked")),
            text("filename"),
            text("media_type"),
            count("size"),
            text("sha256"),
            required(time("created_at")),
            time("completed_at"),
        ];
        let references = [
            ("campaign_id", "campaigns", ForeignKeyAction::Cascade),
            ("run_id", "scoring_runs", ForeignKeyAction::Cascade),
            ("author_id", "users", ForeignKeyAction::SetNull),
        ];
        create(manager, "exports", columns, &references).await?;
        unique(manager, "exports", &["job_id"]).await?;
        index(manager, "exports", &["campaign_id"]).await?;
        index(manager, "exports", &["run_id"]).await?;
        index(manager, "exports", &["author_id"]).await?;
        index(manager, "exports", &["created_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["exports"]).await
    }
}
