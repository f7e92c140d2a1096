//! Jobs.

use sea_orm_migration::prelude::*;

use super::table::{
    boolean, create, drop_all, id, index, json, number, required, text, time, unique_where, uuid, word,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let queues = ["scoring", "exports", "maintenance", "monitoring", "notifications"];
        let states = ["queued", "running", "completed", "failed", "cancelled"];
        let columns = vec![
            id(),
            required(text("kind")),
            required(word("jobs", "queue", &queues)),
            required(json("payload")),
            required(number("payload_version")),
            required(word("jobs", "state", &states)),
            uuid("organization_id"),
            uuid("campaign_id"),
            uuid("run_id"),
            text("unique_key"),
            required(time("run_at")),
            required(number("attempts")),
            required(number("max_attempts")),
            required(number("deliveries")),
            text("worker"),
            uuid("lease_token"),
            time("lease_until"),
            required(boolean("cancel_requested")),
            json("progress"),
            text("last_error"),
            required(time("created_at")),
            time("started_at"),
            time("finished_at"),
        ];
        let references = [
            ("organization_id", "organizations", ForeignKeyAction::Cascade),
            ("campaign_id", "campaigns", ForeignKeyAction::Cascade),
            ("run_id", "scoring_runs", ForeignKeyAction::Cascade),
        ];
        create(manager, "jobs", columns, &references).await?;
        let under_way =
            Expr::col("unique_key").is_not_null().and(Expr::col("state").is_in(["queued", "running"]));
        unique_where(manager, "jobs", &["unique_key"], under_way).await?;
        index(manager, "jobs", &["state", "queue", "run_at", "id"]).await?;
        index(manager, "jobs", &["organization_id", "created_at"]).await?;
        index(manager, "jobs", &["created_at"]).await?;
        index(manager, "jobs", &["campaign_id"]).await?;
        index(manager, "jobs", &["run_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["jobs"]).await
    }
}
