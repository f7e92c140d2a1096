//! `/users`: everybody, for the administrator.

use axum::extract::State;
use caliber_platform::identity::permissions::{USERS_READ, USERS_WRITE};
use caliber_platform::identity::{User, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::paging::Pages;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Listing, Nothing};
use crate::extract::{Body, Id, Query};
use crate::failure::Failure;
use crate::signed_in::By;
use crate::words::Role;

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(USERS_READ), routes!(list))
        .with(app, Access::Needs(USERS_WRITE), routes!(give_role))
        .with(app, Access::Needs(USERS_WRITE), routes!(delete))
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserView {
    id: Uuid,
    #[schema(example = "ana@example.com")]
    email: String,
    #[schema(example = "Ana Pérez")]
    name: String,
    role: Role,
    organization_id: Uuid,
    #[schema(example = true)]
    is_active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    last_login_at: Option<DateTime<Utc>>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.0,
            email: user.email,
            name: user.name,
            role: user.role.into(),
            organization_id: user.organization_id.0,
            is_active: user.is_active,
            created_at: user.created_at,
            updated_at: user.updated_at,
            last_login_at: user.last_login_at,
        }
    }
}

/// All users, by address.
#[utoipa::path(get, path = "/users", tag = "users", params(Pages),
    responses((status = 200, body = Listing<UserView>)))]
async fn list(
    State(app): State<App>,
    By(caller): By,
    Query(pages): Query<Pages>,
) -> Result<Listing<UserView>, Failure> {
    let window = pages.window()?;
    let page = app.platform.identity().users(&caller, window).await?;
    Ok(pages.listing(page.rows.into_iter().map(UserView::from).collect(), page.total))
}

#[derive(Deserialize, ToSchema)]
struct RoleChange {
    role: Role,
}

/// Give somebody else a role.
#[utoipa::path(put, path = "/users/{id}/role", tag = "users", params(("id" = Uuid, Path)), request_body = RoleChange,
    responses((status = 200, body = Answer<UserView>)))]
async fn give_role(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Body(change): Body<RoleChange>,
) -> Result<Answer<UserView>, Failure> {
    let user = app.platform.identity().give_role(&caller, UserId(id), change.role.into()).await?;
    Ok(Answer::new(user.into()))
}

/// Delete somebody else. What they made goes to their organisation's longest-standing manager.
#[utoipa::path(delete, path = "/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<Nothing>), (status = 409, description = "`in_use`", body = crate::failure::FailureBody)))]
async fn delete(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<Nothing>, Failure> {
    app.platform.identity().delete(&caller, UserId(id)).await?;
    Ok(Answer::done("deleted"))
}
