//! The people of the organisation, their roles, and invitations.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::Window;
use caliber_platform::identity::permissions::{
    INVITATIONS_WRITE, ORGANIZATION_READ, PROFILE_WRITE, Role, USERS_WRITE, rank,
};
use caliber_platform::identity::{Caller, InvitationId, NamedInvitation, Offer, User, UserId};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::form::{Fields, Problems};
use super::notice::Notice;
use super::paging::{Asked, Place};
use super::shell::{Shell, role_key};
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::{Id, Query};
use crate::failure::Failure;
use crate::signed_in::By;
use crate::texts;

/// Roles that an invitation may give, and that an administrator may give to people.
const ROLES: [(&str, Role); 6] = [
    ("viewer", Role::Viewer),
    ("analyst", Role::Analyst),
    ("manager", Role::Manager),
    ("admin", Role::Admin),
    ("client", Role::Client),
    ("expert", Role::Expert),
];

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/people", Sees::Needs(ORGANIZATION_READ), get(list))
        .page(app, "/people/invitations", Sees::Needs(INVITATIONS_WRITE), post(invite))
        .page(app, "/people/invitations/{id}/withdraw", Sees::Needs(INVITATIONS_WRITE), post(withdraw))
        .page(app, "/people/{id}/role", Sees::Needs(USERS_WRITE), post(give_role))
        .page(app, "/people/{id}/delete", Sees::Needs(USERS_WRITE), post(delete))
        .page(app, "/join", Sees::Needs(PROFILE_WRITE), get(join_form).post(join))
}

#[derive(Template, WebTemplate)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    people: Vec<Person>,
    invitations: Vec<InvitationRow>,
    roles: Vec<RoleChoice>,
    may_change: bool,
    place: Place,
    /// The link of an invitation that was just made: shown once.
    link: Option<String>,
    problem: Option<String>,
}

struct Person {
    id: Uuid,
    name: String,
    email: String,
    role: Role,
    is_self: bool,
    last_seen: Option<DateTime<Utc>>,
}

impl Person {
    fn of(user: User, caller: &Caller) -> Self {
        Self {
            id: user.id.0,
            is_self: user.id == caller.user.id,
            name: user.name,
            email: user.email,
            role: user.role,
            last_seen: user.last_login_at,
        }
    }

    fn role_key(&self) -> &'static str {
        role_key(self.role)
    }
}

struct InvitationRow {
    id: Uuid,
    email: Option<String>,
    role: &'static str,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    is_expired: bool,
    invited_by: Option<String>,
    accepted_by: Option<String>,
}

impl InvitationRow {
    fn of(named: NamedInvitation, now: DateTime<Utc>) -> Self {
        let NamedInvitation { invitation, invited_by, accepted_by } = named;
        Self {
            is_expired: invitation.accepted_at.is_none() && !invitation.is_open(now),
            id: invitation.id.0,
            email: invitation.email,
            role: role_key(invitation.role),
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            accepted_at: invitation.accepted_at,
            invited_by,
            accepted_by,
        }
    }

    fn status_key(&self) -> &'static str {
        match (self.accepted_at.is_some(), self.is_expired) {
            (true, _) => "accepted",
            (false, true) => "expired",
            (false, false) => "invitation-open",
        }
    }

    fn colour(&self) -> &'static str {
        match (self.accepted_at.is_some(), self.is_expired) {
            (true, _) => "green",
            (false, true) => "secondary",
            (false, false) => "azure",
        }
    }
}

struct RoleChoice {
    word: &'static str,
    key: &'static str,
    /// The key of what the role may.
    means: &'static str,
    role: Role,
    /// Whether an invitation of the caller's may give it.
    can_be_invited: bool,
}

fn role_choices(own: Role) -> Vec<RoleChoice> {
    let choice = |(word, role): (&'static str, Role)| RoleChoice {
        word,
        key: role_key(role),
        means: role_means(role),
        role,
        can_be_invited: role != Role::Admin && rank(role) <= rank(own),
    };
    ROLES.into_iter().map(choice).collect()
}

/// The key of what a role may.
fn role_means(role: Role) -> &'static str {
    match role {
        Role::Viewer => "role-viewer-means",
        Role::Analyst => "role-analyst-means",
        Role::Manager => "role-manager-means",
        Role::Admin => "role-admin-means",
        Role::Client | Role::Expert => "role-desk-means",
    }
}

async fn page(app: &App, shell: Shell, caller: &Caller, asked: &Asked) -> Result<PeoplePage, Failure> {
    let identity = app.platform.identity();
    let found = identity.users(caller, asked.window()).await?;
    let people: Vec<Person> = found.rows.into_iter().map(|user| Person::of(user, caller)).collect();
    let invitations = if INVITATIONS_WRITE.is_of(caller.user.role) {
        identity.named_invitations(caller, Window { skip: 0, limit: 50 }).await?
    } else {
        Vec::new()
    };
    Ok(PeoplePage {
        shell,
        place: Place::new(asked, people.len(), found.total, "/people", &[]),
        people,
        invitations: invitations.into_iter().map(|it| InvitationRow::of(it, app.platform.now())).collect(),
        roles: role_choices(caller.user.role),
        may_change: USERS_WRITE.is_of(caller.user.role),
        link: None,
        problem: None,
    })
}

async fn list(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(asked): Query<Asked>,
) -> Result<PeoplePage, Failure> {
    page(&app, shell, &caller, &asked).await
}

#[derive(Deserialize)]
struct NewInvitation {
    role: String,
    #[serde(default)]
    email: String,
}

/// Makes an invitation and shows its link, which nobody can be shown again.
async fn invite(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Fields(new): Fields<NewInvitation>,
) -> Result<Response, Failure> {
    let email = Some(new.email.trim().to_owned()).filter(|email| !email.is_empty());
    let made = match role_of(&new.role) {
        Ok(role) => app.platform.identity().invite(&caller, role, email).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    let (link, problem, status) = match made {
        Ok(made) => (Some(format!("/join?token={}", made.link.token)), None, axum::http::StatusCode::OK),
        Err(failure) => {
            let status = failure.code.status();
            (None, Some(Problems::of_form(failure)?.outside(&[]).join("; ")), status)
        }
    };
    let shown = page(&app, shell, &caller, &Asked::default()).await?;
    Ok((status, PeoplePage { link, problem, ..shown }).into_response())
}

fn role_of(word: &str) -> Result<Role, Failure> {
    let known = ROLES.iter().find(|(known, _)| *known == word).map(|(_, role)| *role);
    known.ok_or_else(|| Failure::invalid("role", "is none of the roles"))
}

async fn withdraw(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    app.platform.identity().withdraw_invitation(&caller, InvitationId(id)).await?;
    Ok(Redirect::to(&Notice::Withdrawn.at("/people")).into_response())
}

#[derive(Deserialize)]
struct RoleChange {
    role: String,
}

async fn give_role(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Fields(change): Fields<RoleChange>,
) -> Result<Response, Failure> {
    app.platform.identity().give_role(&caller, UserId(id), role_of(&change.role)?).await?;
    Ok(Redirect::to(&Notice::Saved.at("/people")).into_response())
}

async fn delete(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    app.platform.identity().delete(&caller, UserId(id)).await?;
    Ok(Redirect::to(&Notice::Deleted.at("/people")).into_response())
}

#[derive(Template, WebTemplate)]
#[template(path = "join.html")]
struct JoinPage {
    shell: Shell,
    token: String,
    offer: Offer,
    problem: Option<String>,
}

impl JoinPage {
    fn title(&self) -> String {
        texts::with("join-title", &[("organisation", self.offer.organization.as_str().into())])
    }

    /// Who invites, and as what.
    fn text(&self) -> String {
        let role = ("role", texts::text(role_key(self.offer.role)).into());
        match &self.offer.invited_by {
            Some(inviter) => texts::with("join-invited-by", &[role, ("inviter", inviter.as_str().into())]),
            None => texts::with("join-invited", &[role]),
        }
    }

    fn means_key(&self) -> &'static str {
        role_means(self.offer.role)
    }
}

#[derive(Deserialize)]
struct Link {
    token: String,
}

async fn join_form(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(link): Query<Link>,
) -> Result<JoinPage, Failure> {
    let offer = app.platform.identity().offer(&caller, &link.token).await?;
    Ok(JoinPage { shell, token: link.token, offer, problem: None })
}

async fn join(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Fields(link): Fields<Link>,
) -> Result<Response, Failure> {
    match app.platform.identity().accept_invitation(&caller, &link.token).await {
        Ok(_) => Ok(Redirect::to(&Notice::Joined.at("/")).into_response()),
        Err(error) => {
            let failure = Failure::from(error);
            let status = failure.code.status();
            // An invitation that does not hold has nothing to decide about.
            let offer = app.platform.identity().offer(&caller, &link.token).await?;
            let problem = Some(Problems::of_form(failure)?.outside(&[]).join("; "));
            Ok((status, JoinPage { shell, token: link.token, offer, problem }).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn a_manager_invites_up_to_manager_and_never_an_administrator() {
        let may = |own| {
            let choices = role_choices(own).into_iter().filter(|choice| choice.can_be_invited);
            choices.map(|choice| choice.word).collect::<Vec<_>>()
        };
        assert_eq!(may(Role::Manager), ["viewer", "analyst", "manager", "client", "expert"]);
        assert_eq!(may(Role::Admin), ["viewer", "analyst", "manager", "client", "expert"]);
    }

    #[test]
    fn people_and_invitations_are_shown_with_their_roles() {
        let caller = samples::caller();
        let page = PeoplePage {
            shell: samples::shell(),
            people: vec![Person::of(caller.user.clone(), &caller)],
            invitations: vec![InvitationRow {
                id: Uuid::nil(),
                email: None,
                role: "role-analyst",
                created_at: samples::time(),
                expires_at: samples::time(),
                accepted_at: None,
                is_expired: true,
                invited_by: Some("<b>P\u{e9}rez".to_owned()),
                accepted_by: None,
            }],
            roles: role_choices(Role::Manager),
            may_change: true,
            place: Place::new(&Asked::default(), 1, 1, "/people", &[]),
            link: Some("/join?token=once".to_owned()),
            problem: None,
        };
        let html = samples::checked(&page);
        assert!(html.contains("/join?token=once") && html.contains("Analyst"), "{html}");
        assert!(html.contains("Expired") && !html.contains("/withdraw"), "{html}");
        // Nobody changes or deletes themselves.
        assert!(!html.contains("/delete\""), "{html}");
    }

    #[test]
    fn an_invitation_says_who_invites_where_to_and_as_what() {
        let offer = Offer {
            organization: "Acme <b>P\u{e9}rez".to_owned(),
            invited_by: Some("Vera".to_owned()),
            role: Role::Viewer,
            campaigns: 3,
        };
        let page = JoinPage {
            shell: samples::shell(),
            token: "\"><b>P\u{e9}rez".to_owned(),
            offer,
            problem: Some("used".to_owned()),
        };
        let html = samples::checked(&page);
        assert!(html.contains("action=\"/join\"") && html.contains("Join Acme"), "{html}");
        assert!(html.contains("Vera invited you") && html.contains("Viewer"), "{html}");
        assert!(html.contains("Your 3 campaigns") && html.contains("ana@example.com"), "{html}");
    }
}
