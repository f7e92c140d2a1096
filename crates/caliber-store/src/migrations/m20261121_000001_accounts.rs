//! Organisations, users, and how they come in.

use sea_orm_migration::prelude::*;

use super::table::{
    boolean, count, create, drop_all, hash, id, index, json, required, text, time, unique, uuid, word,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const ROLES: [&str; 6] = ["viewer", "analyst", "manager", "admin", "client", "expert"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        organizations(manager).await?;
        users(manager).await?;
        invitations(manager).await?;
        password_links(manager).await?;
        sessions(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["sessions", "password_links", "invitations", "users", "organizations"]).await
    }
}

async fn organizations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        id(),
        required(text("name")),
        text("logo_key"),
        json("colours"),
        required(json("protected_names")),
        required(boolean("outside_models")),
        count("ai_budget_cents"),
        required(time("created_at")),
        required(time("updated_at")),
    ];
    create(manager, "organizations", columns, &[]).await
}

async fn users(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        id(),
        required(text("email")),
        required(text("email_key")),
        required(text("name")),
        required(word("users", "role", &ROLES)),
        required(uuid("organization_id")),
        text("password_hash"),
        text("external_issuer"),
        text("external_subject"),
        required(boolean("email_verified")),
        required(boolean("is_active")),
        required(time("created_at")),
        required(time("updated_at")),
        time("last_login_at"),
    ];
    let references = [("organization_id", "organizations", ForeignKeyAction::Restrict)];
    create(manager, "users", columns, &references).await?;
    unique(manager, "users", &["email_key"]).await?;
    unique(manager, "users", &["external_issuer", "external_subject"]).await?;
    index(manager, "users", &["organization_id", "email_key"]).await
}

async fn invitations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        id(),
        required(uuid("organization_id")),
        required(word("invitations", "role", &ROLES)),
        text("email"),
        required(hash("token_hash")),
        uuid("invited_by"),
        required(time("created_at")),
        required(time("expires_at")),
        time("accepted_at"),
        uuid("accepted_by"),
    ];
    let references = [
        ("organization_id", "organizations", ForeignKeyAction::Cascade),
        ("invited_by", "users", ForeignKeyAction::SetNull),
        ("accepted_by", "users", ForeignKeyAction::SetNull),
    ];
    create(manager, "invitations", columns, &references).await?;
    unique(manager, "invitations", &["token_hash"]).await?;
    index(manager, "invitations", &["organization_id", "created_at"]).await?;
    index(manager, "invitations", &["invited_by"]).await?;
    index(manager, "invitations", &["accepted_by"]).await
}

async fn password_links(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        id(),
        required(uuid("user_id")),
        required(hash("token_hash")),
        required(time("created_at")),
        required(time("expires_at")),
        time("used_at"),
    ];
    create(manager, "password_links", columns, &[("user_id", "users", ForeignKeyAction::Cascade)]).await?;
    unique(manager, "password_links", &["token_hash"]).await?;
    index(manager, "password_links", &["user_id"]).await
}

async fn sessions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let reasons = ["logout", "password_changed", "refresh_reused", "revoked"];
    let columns = vec![
        id(),
        required(uuid("user_id")),
        required(word("sessions", "kind", &["bearer", "cookie"])),
        required(hash("secret_hash")),
        required(time("created_at")),
        required(time("last_used_at")),
        required(time("expires_at")),
        time("ended_at"),
        word("sessions", "ended_because", &reasons),
    ];
    create(manager, "sessions", columns, &[("user_id", "users", ForeignKeyAction::Cascade)]).await?;
    index(manager, "sessions", &["user_id"]).await?;
    index(manager, "sessions", &["expires_at"]).await
}
