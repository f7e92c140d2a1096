//! `/organizations`: one's own, and invitations into it.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use caliber_platform::identity::permissions::{
    INVITATIONS_WRITE, ORGANIZATION_READ, ORGANIZATION_WRITE, PROFILE_WRITE,
};
use caliber_platform::identity::{Invitation, InvitationId, Organization, OrganizationUpdate};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::paging::Pages;
use super::users::UserView;
use crate::App;
use crate::access::{Access, Declared};
use crate::answer::{Answer, Created, Listing, Nothing};
use crate::extract::{Body, Id, Query, Raw};
use crate::failure::Failure;
use crate::signed_in::By;
use crate::words::Role;

pub(super) fn routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .with(app, Access::Needs(ORGANIZATION_READ), routes!(current))
        .with(app, Access::Needs(ORGANIZATION_WRITE), routes!(update))
        .with(app, Access::Needs(ORGANIZATION_READ), routes!(logo))
        .with(app, Access::Needs(ORGANIZATION_WRITE), routes!(set_logo))
        .with(app, Access::Needs(ORGANIZATION_WRITE), routes!(remove_logo))
        .with(app, Access::Needs(INVITATIONS_WRITE), routes!(invite))
        .with(app, Access::Needs(INVITATIONS_WRITE), routes!(invitations))
        .with(app, Access::Needs(INVITATIONS_WRITE), routes!(withdraw))
        .with(app, Access::Needs(PROFILE_WRITE), routes!(accept))
}

/// An organisation.
#[derive(Serialize, ToSchema)]
#[schema(as = Organization)]
struct OrganizationView {
    id: Uuid,
    #[schema(example = "Northlight Media")]
    name: String,
    /// Where its logo is fetched.
    #[schema(example = "/api/v1/organizations/current/logo")]
    logo: Option<&'static str>,
    /// As the page and the report use them: `primary` and `accent`.
    #[schema(value_type = Option<Object>, example = json!({"primary": "#0f5c4a", "accent": "#f2a541"}))]
    colours: Option<Value>,
    /// Names that are never blocked.
    #[schema(value_type = Vec<String>, example = json!(["news.example"]))]
    protected_names: Value,
    /// Whether texts may go to models outside.
    outside_models: bool,
    /// What models may cost a month, in dollars.
    ai_budget: Option<f64>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Organization> for OrganizationView {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id.0,
            name: organization.name,
            logo: organization.logo_key.is_some().then_some("/api/v1/organizations/current/logo"),
            colours: organization.colours.map(|colours| colours.0),
            protected_names: organization.protected_names.0,
            outside_models: organization.outside_models,
            ai_budget: organization.ai_budget_cents.map(|cents| cents as f64 / 100.0),
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

/// One's organisation.
#[utoipa::path(get, path = "/organizations/current", tag = "organizations",
    responses((status = 200, body = Answer<OrganizationView>)))]
async fn current(State(app): State<App>, By(caller): By) -> Result<Answer<OrganizationView>, Failure> {
    Ok(Answer::new(app.platform.identity().organization(&caller).await?.into()))
}

/// What is to change; what is left out stays, null takes away.
#[derive(Default, Deserialize, ToSchema)]
#[expect(clippy::option_option, reason = "null takes away, what is left out stays")]
struct OrganizationChange {
    #[schema(example = "Northlight Media")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    /// `primary` and `accent`, each `#rrggbb`.
    #[schema(value_type = Option<Object>, example = json!({"primary": "#0f5c4a", "accent": "#f2a541"}))]
    colours: Option<Option<serde_json::Map<String, Value>>>,
    #[schema(example = json!(["news.example"]))]
    protected_names: Option<Vec<String>>,
    outside_models: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<f64>, example = 50.0)]
    ai_budget: Option<Option<f64>>,
}

/// Tells null from what is left out.
#[expect(clippy::option_option, reason = "it is what it tells")]
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Change one's organisation.
#[utoipa::path(put, path = "/organizations/current", tag = "organizations", request_body = OrganizationChange,
    responses((status = 200, body = Answer<OrganizationView>)))]
async fn update(
    State(app): State<App>,
    By(caller): By,
    Body(change): Body<OrganizationChange>,
) -> Result<Answer<OrganizationView>, Failure> {
    let budget = |dollars: f64| -> Result<i64, Failure> {
        let is_amount = (0.0..=1e9).contains(&dollars);
        if is_amount {
            Ok((dollars * 100.0).round() as i64)
        } else {
            Err(Failure::invalid("ai_budget", "is an amount of dollars, 0 or more"))
        }
    };
    let update = OrganizationUpdate {
        name: change.name,
        colours: change.colours.map(|colours| colours.map(Value::Object)),
        protected_names: change.protected_names,
        outside_models: change.outside_models,
        ai_budget_cents: change.ai_budget.map(|dollars| dollars.map(budget).transpose()).transpose()?,
        ..OrganizationUpdate::default()
    };
    Ok(Answer::new(app.platform.identity().update_organization(&caller, update).await?.into()))
}

/// A picture.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it is the form of the body in the document")]
struct Picture(String);

/// The logo of one's organisation.
#[utoipa::path(get, path = "/organizations/current/logo", tag = "organizations",
    responses((status = 200, description = "The picture", content((Picture = "image/png"), (Picture = "image/jpeg"), (Picture = "image/svg+xml"))),
        (status = 404, description = "`not_found`", body = crate::failure::FailureBody)))]
async fn logo(State(app): State<App>, By(caller): By) -> Result<Response, Failure> {
    let (picture, media_type) = app.platform.identity().logo(&caller).await?;
    // A page shows it as a picture; opened by itself it is saved, and an SVG runs nothing.
    let headers = [(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, "attachment")];
    Ok((headers, picture).into_response())
}

/// Give one's organisation a logo, for its reports: at most 512 KB, told by its content.
#[utoipa::path(put, path = "/organizations/current/logo", tag = "organizations",
    request_body(content((Picture = "image/png"), (Picture = "image/jpeg"), (Picture = "image/svg+xml"))),
    responses((status = 200, body = Answer<OrganizationView>)))]
async fn set_logo(
    State(app): State<App>,
    By(caller): By,
    Raw(picture): Raw,
) -> Result<Answer<OrganizationView>, Failure> {
    Ok(Answer::new(app.platform.identity().set_logo(&caller, picture).await?.into()))
}

/// Take the logo away.
#[utoipa::path(delete, path = "/organizations/current/logo", tag = "organizations",
    responses((status = 200, body = Answer<OrganizationView>)))]
async fn remove_logo(State(app): State<App>, By(caller): By) -> Result<Answer<OrganizationView>, Failure> {
    Ok(Answer::new(app.platform.identity().remove_logo(&caller).await?.into()))
}

#[derive(Deserialize, ToSchema)]
struct NewInvitation {
    /// Up to one's own, and never `admin`.
    role: Role,
    /// Whom it is for; whoever has the link where it is left out.
    #[schema(example = "ben@example.com")]
    email: Option<String>,
}

/// An invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationView {
    id: Uuid,
    role: Role,
    email: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    /// The secret of the link; shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The link; shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.0,
            role: invitation.role.into(),
            email: invitation.email,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            token: None,
            link: None,
        }
    }
}

/// Invite somebody: a link that joins once.
#[utoipa::path(post, path = "/organizations/invitations", tag = "organizations", request_body = NewInvitation,
    responses((status = 201, body = Answer<InvitationView>)))]
async fn invite(
    State(app): State<App>,
    By(caller): By,
    Body(new): Body<NewInvitation>,
) -> Result<Created<InvitationView>, Failure> {
    let made = app.platform.identity().invite(&caller, new.role.into(), new.email).await?;
    let mut view = InvitationView::from(made.invitation);
    view.link = Some(format!("/join?token={}", made.link.token));
    view.token = Some(made.link.token);
    Ok(Created(view))
}

/// Invitations of one's organisation, newest first.
#[utoipa::path(get, path = "/organizations/invitations", tag = "organizations", params(Pages),
    responses((status = 200, body = Listing<InvitationView>)))]
async fn invitations(
    State(app): State<App>,
    By(caller): By,
    Query(pages): Query<Pages>,
) -> Result<Listing<InvitationView>, Failure> {
    let page = app.platform.identity().invitations(&caller, pages.window()?).await?;
    Ok(pages.listing(page.rows.into_iter().map(InvitationView::from).collect(), page.total))
}

/// Take back an invitation that nobody has accepted.
#[utoipa::path(delete, path = "/organizations/invitations/{id}", tag = "organizations", params(("id" = Uuid, Path)),
    responses((status = 200, body = Answer<Nothing>)))]
async fn withdraw(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Answer<Nothing>, Failure> {
    app.platform.identity().withdraw_invitation(&caller, InvitationId(id)).await?;
    Ok(Answer::done("taken back"))
}

#[derive(Deserialize, ToSchema)]
struct Acceptance {
    /// Of the link.
    token: String,
}

/// Join the organisation of an invitation, taking one's campaigns along.
#[utoipa::path(post, path = "/organizations/invitations/accept", tag = "organizations", request_body = Acceptance,
    responses((status = 200, body = Answer<UserView>), (status = 404, description = "`not_found`", body = crate::failure::FailureBody),
        (status = 409, description = "`conflict`", body = crate::failure::FailureBody)))]
async fn accept(
    State(app): State<App>,
    By(caller): By,
    Body(acceptance): Body<Acceptance>,
) -> Result<Answer<UserView>, Failure> {
    let user = app.platform.identity().accept_invitation(&caller, &acceptance.token).await?;
    Ok(Answer::new(user.into()))
}
