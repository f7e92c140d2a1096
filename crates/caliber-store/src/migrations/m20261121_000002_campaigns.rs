//! Campaigns, their files, runs and lists.

use sea_orm_migration::prelude::*;

use super::table::{
    boolean, count, create, drop_all, figure, id, index, json, required, text, time, unique, unique_where,
    uuid, word,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        templates(manager).await?;
        campaigns(manager).await?;
        uploads(manager).await?;
        runs(manager).await?;
        recipes(manager).await?;
        list_versions(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables =
            ["list_versions", "recipes", "scoring_runs", "file_uploads", "campaigns", "campaign_templates"];
        drop_all(manager, &tables).await
    }
}

/// What templates and campaigns are scored by. `campaign_type` is any word: a recipe of one's own may bring a new one.
fn settings(table: &str) -> Vec<ColumnDef> {
    vec![
        required(text("campaign_type")),
        required(word(table, "goal", &["awareness", "action"])),
        required(word(table, "channel", &["ctv", "display", "video", "audio"])),
        required(boolean("ctr_sensitivity")),
        required(word(table, "analysis_level", &["domain", "supply_vendor"])),
    ]
}

async fn templates(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut columns =
        vec![id(), required(uuid("organization_id")), uuid("created_by"), required(text("name"))];
    columns.extend(settings("campaign_templates"));
    columns.push(required(time("created_at")));
    let references = [
        ("organization_id", "organizations", ForeignKeyAction::Cascade),
        ("created_by", "users", ForeignKeyAction::SetNull),
    ];
    create(manager, "campaign_templates", columns, &references).await?;
    index(manager, "campaign_templates", &["organization_id", "created_at"]).await?;
    index(manager, "campaign_templates", &["created_by"]).await
}

async fn campaigns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut columns = vec![
        id(),
        required(uuid("organization_id")),
        required(uuid("user_id")),
        required(text("name")),
        required(text("name_key")),
    ];
    columns.extend(settings("campaigns"));
    columns.extend([
        uuid("template_id"),
        required(word("campaigns", "status", &["pending", "processing", "completed", "failed"])),
        // A campaign and its runs point at one another. Runs go only with their campaign, so these two need no
        // foreign key, which could only be checked at the end of a transaction.
        uuid("current_run_id"),
        uuid("active_run_id"),
        count("total_records"),
        required(count("processed_records")),
        required(figure("progress_percentage")),
        text("current_step"),
        time("estimated_completion"),
        text("error_message"),
        required(json("overrides")),
        required(time("created_at")),
        required(time("updated_at")),
        time("completed_at"),
    ]);
    let references = [
        ("organization_id", "organizations", ForeignKeyAction::Restrict),
        ("user_id", "users", ForeignKeyAction::Restrict),
        ("template_id", "campaign_templates", ForeignKeyAction::Restrict),
    ];
    create(manager, "campaigns", columns, &references).await?;
    index(manager, "campaigns", &["organization_id", "created_at", "id"]).await?;
    index(manager, "campaigns", &["created_at", "id"]).await?;
    index(manager, "campaigns", &["user_id"]).await?;
    index(manager, "campaigns", &["template_id"]).await
}

async fn uploads(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let statuses = ["uploaded", "assigned", "validated", "rejected"];
    let columns = vec![
        id(),
        required(uuid("organization_id")),
        required(uuid("user_id")),
        uuid("campaign_id"),
        required(text("filename")),
        required(count("size")),
        required(text("sha256")),
        required(text("format")),
        text("compression"),
        required(text("storage_key")),
        required(word("file_uploads", "status", &statuses)),
        required(time("created_at")),
        required(time("updated_at")),
    ];
    let references = [
        ("organization_id", "organizations", ForeignKeyAction::Restrict),
        ("user_id", "users", ForeignKeyAction::Restrict),
        ("campaign_id", "campaigns", ForeignKeyAction::SetNull),
    ];
    create(manager, "file_uploads", columns, &references).await?;
    unique_where(manager, "file_uploads", &["campaign_id"], Expr::col("campaign_id").is_not_null()).await?;
    unique(manager, "file_uploads", &["storage_key"]).await?;
    index(manager, "file_uploads", &["organization_id", "created_at", "id"]).await?;
    index(manager, "file_uploads", &["user_id"]).await?;
    index(manager, "file_uploads", &["updated_at"]).await
}

async fn runs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let states = ["queued", "running", "published", "failed", "cancelled"];
    let columns = vec![
        id(),
        required(uuid("campaign_id")),
        uuid("upload_id"),
        uuid("job_id"),
        required(word("scoring_runs", "state", &states)),
        required(json("config")),
        json("summary"),
        json("quality"),
        text("results_key"),
        count("row_count"),
        figure("campaign_score"),
        json("error"),
        required(time("created_at")),
        time("started_at"),
        time("finished_at"),
    ];
    let references = [
        ("campaign_id", "campaigns", ForeignKeyAction::Cascade),
        ("upload_id", "file_uploads", ForeignKeyAction::SetNull),
    ];
    create(manager, "scoring_runs", columns, &references).await?;
    index(manager, "scoring_runs", &["campaign_id", "created_at"]).await?;
    index(manager, "scoring_runs", &["upload_id"]).await
}

async fn recipes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        id(),
        required(uuid("organization_id")),
        uuid("user_id"),
        required(text("name")),
        required(text("toml")),
        required(time("created_at")),
    ];
    let references = [
        ("organization_id", "organizations", ForeignKeyAction::Cascade),
        ("user_id", "users", ForeignKeyAction::SetNull),
    ];
    create(manager, "recipes", columns, &references).await?;
    unique(manager, "recipes", &["organization_id", "name"]).await?;
    index(manager, "recipes", &["user_id"]).await
}

async fn list_versions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        id(),
        required(uuid("campaign_id")),
        required(count("number")),
        required(uuid("run_id")),
        required(word("list_versions", "list_type", &["whitelist", "blacklist"])),
        uuid("author_id"),
        required(text("policy")),
        required(json("criteria")),
        required(text("names_key")),
        required(count("names_count")),
        required(count("added")),
        required(count("removed")),
        time("expires_at"),
        required(time("created_at")),
    ];
    let references = [
        ("campaign_id", "campaigns", ForeignKeyAction::Cascade),
        ("run_id", "scoring_runs", ForeignKeyAction::Cascade),
        ("author_id", "users", ForeignKeyAction::SetNull),
    ];
    create(manager, "list_versions", columns, &references).await?;
    unique(manager, "list_versions", &["campaign_id", "number"]).await?;
    index(manager, "list_versions", &["run_id"]).await?;
    index(manager, "list_versions", &["author_id"]).await
}
