//! Organisations and invitations into them.

use std::collections::HashMap;

use chrono::TimeDelta;

use caliber_store::campaigns::{self, Filter};
use caliber_store::invitations::{self, Invitation, NewInvitation};
use caliber_store::organizations::{self, Organization, OrganizationChange};
use caliber_store::users::{self, Role, User};
use caliber_store::{InvitationId, Json, Page, Reach, StoreError, UserId, Window};

use super::accounts::{OneTimeLink, checked_email, checked_name};
use super::{Caller, Identity, keys, permissions};
use crate::error::{Conflict, Error, Result};

/// How long an invitation is good.
const INVITATION_DAYS: i64 = 7;

/// Names that an organisation may protect.
const MOST_PROTECTED: usize = 10_000;

/// The colours that a report has.
const COLOURS: [&str; 2] = ["primary", "accent"];

/// What of an organisation may be changed; `None` leaves it.
pub type OrganizationUpdate = OrganizationChange;

/// An invitation that was just made, with its link.
#[derive(Clone, Debug)]
pub struct InvitedBy {
    /// As it is kept.
    pub invitation: Invitation,
    /// To be handed over.
    pub link: OneTimeLink,
}

/// An invitation with what people are called.
#[derive(Clone, Debug)]
pub struct NamedInvitation {
    /// As it is kept.
    pub invitation: Invitation,
    /// Who made it, while they are known.
    pub invited_by: Option<String>,
    /// Who accepted it.
    pub accepted_by: Option<String>,
}

/// What accepting an invitation means for somebody.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The organisation that they would belong to.
    pub organization: String,
    /// Who invites, while they are known.
    pub invited_by: Option<String>,
    /// What they could do there.
    pub role: Role,
    /// Campaigns of theirs that would move with them.
    pub campaigns: u64,
}

impl Identity<'_> {
    /// The caller's organisation.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn organization(&self, caller: &Caller) -> Result<Organization> {
        let id = caller.user.organization_id;
        let found = organizations::by_id(self.0.store().db(), caller.reads(), id).await?;
        found.ok_or_else(|| Error::not_found("organisation"))
    }

    /// Changes the caller's organisation.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn update_organization(
        &self,
        caller: &Caller,
        mut change: OrganizationUpdate,
    ) -> Result<Organization> {
        if let Some(name) = &mut change.name {
            *name = checked_name(name, "name")?.to_owned();
        }
        if let Some(names) = &change.protected_names {
            if names.len() > MOST_PROTECTED {
                let message = format!("at most {MOST_PROTECTED} names can be protected");
                return Err(Error::invalid("protected_names", message));
            }
            for (at, name) in names.iter().enumerate() {
                checked_name(name, &format!("protected_names[{at}]"))?;
            }
        }
        if let Some(Some(colours)) = &change.colours {
            check_colours(colours)?;
        }
        if change.ai_budget_cents.flatten().is_some_and(|cents| cents < 0) {
            return Err(Error::invalid("ai_budget", "cannot be negative"));
        }
        let id = caller.user.organization_id;
        let changed =
            organizations::update(self.0.store().db(), caller.writes(), id, change, self.0.now()).await?;
        changed.ok_or_else(|| Error::not_found("organisation"))
    }

    /// Invites somebody into the caller's organisation, with a role up to the caller's own.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a role above one's own, [`Error::Invalid`] for an address that is none.
    pub async fn invite(&self, caller: &Caller, role: Role, email: Option<String>) -> Result<InvitedBy> {
        // Client and expert stand beside the ranks; a manager may give them.
        let is_above = permissions::rank(role) > permissions::rank(caller.user.role);
        if is_above || role == Role::Admin {
            return Err(Error::Forbidden(
                "an invitation gives a role up to one's own, and never `admin`".to_owned(),
            ));
        }
        let email = email.as_deref().map(checked_email).transpose()?.map(str::to_owned);
        let now = self.0.now();
        let link =
            OneTimeLink { token: keys::fresh_secret(), expires_at: now + TimeDelta::days(INVITATION_DAYS) };
        let invitation = NewInvitation {
            organization_id: caller.user.organization_id,
            role,
            email,
            token_hash: keys::hash_of(&link.token),
            invited_by: caller.user.id,
            expires_at: link.expires_at,
        };
        let invitation = invitations::create(self.0.store().db(), invitation, now).await?;
        Ok(InvitedBy { invitation, link })
    }

    /// The invitations of the caller's organisation, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn invitations(&self, caller: &Caller, window: Window) -> Result<Page<Invitation>> {
        Ok(invitations::list(self.0.store().db(), caller.reads(), window).await?)
    }

    /// As [`Self::invitations`], with the names of those who made and accepted them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn named_invitations(&self, caller: &Caller, window: Window) -> Result<Vec<NamedInvitation>> {
        let db = self.0.store().db();
        let found = invitations::list(db, caller.reads(), window).await?.rows;
        let people: Vec<UserId> =
            found.iter().flat_map(|it| [it.invited_by, it.accepted_by]).flatten().collect();
        let names: HashMap<UserId, String> = users::names(db, &people).await?.into_iter().collect();
        let name = |id: Option<UserId>| id.and_then(|id| names.get(&id).cloned());
        let all = found.into_iter().map(|invitation| NamedInvitation {
            invited_by: name(invitation.invited_by),
            accepted_by: name(invitation.accepted_by),
            invitation,
        });
        Ok(all.collect())
    }

    /// What accepting an invitation would mean for the caller; nothing changes by asking.
    ///
    /// # Errors
    /// As [`Self::accept_invitation`].
    pub async fn offer(&self, caller: &Caller, token: &str) -> Result<Offer> {
        let db = self.0.store().db();
        let found = invitations::by_token(db, &keys::hash_of(token)).await?;
        let open = found.filter(|it| it.is_open(self.0.now()) && is_for(it, caller));
        let invitation = open.ok_or_else(invitation_gone)?;
        let (from, to) = (caller.user.organization_id, invitation.organization_id);
        if from == to {
            return Err(member_already());
        }
        let organization = organizations::by_id(db, Reach::organization(to), to).await?;
        let inviter = match invitation.invited_by {
            Some(inviter) => users::by_id(db, Reach::INSTANCE, inviter).await?,
            None => None,
        };
        let own = Reach::own(from, caller.user.id);
        Ok(Offer {
            organization: organization.ok_or_else(invitation_gone)?.name,
            invited_by: inviter.map(|user| user.name),
            role: role_there(caller, &invitation),
            campaigns: campaigns::list(db, own, &Filter::default(), Window::first(1)).await?.total,
        })
    }

    /// Takes back an invitation that nobody has accepted.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn withdraw_invitation(&self, caller: &Caller, id: InvitationId) -> Result<()> {
        let is_deleted = invitations::delete_open(self.0.store().db(), caller.writes(), id).await?;
        if is_deleted { Ok(()) } else { Err(Error::not_found("open invitation")) }
    }

    /// Joins the organisation of an invitation, taking one's campaigns and files along.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an invitation that was used, has run out, or is for another address; [`Error::Conflict`]
    /// where a recipe of one's own has a name that is taken there, or one is in it already.
    pub async fn accept_invitation(&self, caller: &Caller, token: &str) -> Result<User> {
        let now = self.0.now();
        let txn = self.0.store().begin().await?;
        let invitation = invitations::accept(&txn, &keys::hash_of(token), caller.user.id, now).await?;
        let invitation = invitation.filter(|it| is_for(it, caller)).ok_or_else(invitation_gone)?;
        let (from, to) = (caller.user.organization_id, invitation.organization_id);
        if from == to {
            return Err(member_already());
        }
        let role = role_there(caller, &invitation);
        let moved = users::move_to_organization(&txn, caller.user.id, to, role, now).await;
        let moved = moved.map_err(recipe_taken)?.ok_or_else(invitation_gone)?;
        organizations::delete_if_empty(&txn, from).await?;
        txn.commit().await?;
        Ok(moved)
    }
}

/// Whether the caller may accept it: one with an address is for that account alone.
fn is_for(invitation: &Invitation, caller: &Caller) -> bool {
    let email = invitation.email.as_deref();
    email.is_none_or(|email| users::email_key(email) == caller.user.email_key)
}

/// The administrator of the instance stays one wherever they go.
fn role_there(caller: &Caller, invitation: &Invitation) -> Role {
    if caller.user.role == Role::Admin { Role::Admin } else { invitation.role }
}

fn invitation_gone() -> Error {
    Error::NotFound("this invitation was used, has run out, or is for somebody else".to_owned())
}

fn member_already() -> Error {
    Error::conflict(Conflict::Other, "you are in this organisation already")
}

/// Refuses what a report could not be coloured with.
fn check_colours(colours: &Json) -> Result<()> {
    for (name, colour) in colours.as_object().into_iter().flatten() {
        let field = format!("colours.{name}");
        if !COLOURS.contains(&name.as_str()) {
            return Err(Error::invalid(field, format!("is none of {}", COLOURS.join(", "))));
        }
        let digits = colour.as_str().and_then(|colour| colour.strip_prefix('#'));
        if !digits
            .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        {
            return Err(Error::invalid(field, "is a colour as in `#0f5c4a`"));
        }
    }
    Ok(())
}

fn recipe_taken(error: StoreError) -> Error {
    if error.conflicts_on(caliber_store::recipes::UNIQUE_NAME) {
        let message = "a recipe of yours has a name that is taken there; save it under another name first";
        return Error::conflict(Conflict::Other, message);
    }
    error.into()
}
