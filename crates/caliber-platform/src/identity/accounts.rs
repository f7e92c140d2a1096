//! Accounts: made, named, given roles, deleted.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use email_address::{EmailAddress, Options};

use caliber_store::users::{self, Deleted, NewUser, Role, User};
use caliber_store::{Page, Reach, StoreError, UserId, Window, organizations, password_links, sessions};

use super::attempts::Attempt;
use super::{Caller, Identity, keys, passwords};
use crate::error::{Conflict, Error, Result};

/// How long a link to set a password is good.
const LINK_DAYS: i64 = 7;

/// Who acts while the development sign-in is on.
const DEVELOPER: &str = "dev@example.com";

/// A secret that is shown once, and until when it is good.
#[derive(Clone, Debug)]
pub struct OneTimeLink {
    /// To be handed over; only its hash is kept.
    pub token: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// An account to make.
pub(super) struct Account<'a> {
    pub(super) email: &'a str,
    pub(super) name: &'a str,
    pub(super) role: Role,
    pub(super) password_hash: Option<String>,
    /// Issuer and subject of ID tokens.
    pub(super) external: Option<(String, String)>,
    pub(super) email_verified: bool,
}

impl<'a> Account<'a> {
    fn new(email: &'a str, name: &'a str, role: Role) -> Self {
        Self { email, name, role, password_hash: None, external: None, email_verified: false }
    }
}

impl Identity<'_> {
    /// Registers somebody, as the manager of an organisation of their own.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that is none or a weak password, [`Error::Conflict`] for an address taken.
    pub async fn register(&self, email: &str, password: &str, name: &str) -> Result<User> {
        let email = checked_email(email)?;
        let name = checked_name(name, "name")?;
        passwords::judge(password, "password", &[email, name])?;
        let hash = passwords::hash(password.to_owned()).await?;
        let account = Account { password_hash: Some(hash), ..Account::new(email, name, Role::Manager) };
        self.create(account).await.map_err(address_taken)
    }

    /// Adds somebody with a role, in an organisation of their own; on the command line only. Whoever runs the service
    /// vouches for the address.
    ///
    /// # Errors
    /// As [`Self::register`].
    pub async fn add(&self, email: &str, role: Role, password: Option<&str>) -> Result<User> {
        let email = checked_email(email)?;
        let hash = match password {
            Some(password) => {
                passwords::judge(password, "password", &[email])?;
                Some(passwords::hash(password.to_owned()).await?)
            }
            None => None,
        };
        let account = Account {
            password_hash: hash,
            email_verified: true,
            ..Account::new(email, local_part(email), role)
        };
        self.create(account).await.map_err(address_taken)
    }

    /// Makes an account in an organisation of its own.
    pub(super) async fn create(&self, account: Account<'_>) -> std::result::Result<User, StoreError> {
        let now = self.0.now();
        let txn = self.0.store().begin().await?;
        let name = format!("{}'s organisation", account.name);
        let organization = organizations::create(&txn, &name, now).await?;
        let user = NewUser {
            email: account.email.to_owned(),
            name: account.name.to_owned(),
            role: account.role,
            organization_id: organization.id,
            password_hash: account.password_hash,
            external: account.external,
            email_verified: account.email_verified,
        };
        let user = users::create(&txn, user, now).await?;
        txn.commit().await?;
        Ok(user)
    }

    /// A link by which a user sets their password, good once.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody has the address.
    pub async fn password_link(&self, email: &str) -> Result<OneTimeLink> {
        let user = self.by_email(email).await?;
        let now = self.0.now();
        let link = OneTimeLink { token: keys::fresh_secret(), expires_at: now + TimeDelta::days(LINK_DAYS) };
        let hash = keys::hash_of(&link.token);
        password_links::create(self.0.store().db(), user.id, &hash, link.expires_at, now).await?;
        Ok(link)
    }

    /// The address of whose password a link sets; the link stays good.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a link that was used or has run out.
    pub async fn email_of_link(&self, token: &str) -> Result<String> {
        let db = self.0.store().db();
        let owner = password_links::owner(db, &keys::hash_of(token), self.0.now()).await?;
        let owner = owner.ok_or_else(link_gone)?;
        let user = users::by_id(db, Reach::INSTANCE, owner).await?.ok_or_else(link_gone)?;
        Ok(user.email)
    }

    /// Sets a password by a link, and ends all sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a link that was used or has run out, [`Error::Invalid`] for a weak password.
    pub async fn set_password_by_link(&self, token: &str, password: &str) -> Result<User> {
        passwords::judge(password, "password", &[])?;
        let hash = passwords::hash(password.to_owned()).await?;
        let now = self.0.now();
        let txn = self.0.store().begin().await?;
        let user = password_links::redeem(&txn, &keys::hash_of(token), now).await?.ok_or_else(link_gone)?;
        let user = users::set_password(&txn, user, &hash, now).await?.ok_or_else(link_gone)?;
        sessions::end_all_of(&txn, user.id, None, sessions::SessionEnd::PasswordChanged, now).await?;
        txn.commit().await?;
        Ok(user)
    }

    /// Changes one's password and ends one's other sessions; `client` is where one calls from. A wrong present password
    /// counts as a failed sign-in: whoever found a session open may not guess it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the present password is wrong or the new one weak, [`Error::Limit`] after too many failures.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &str,
        new: &str,
        client: IpAddr,
    ) -> Result<()> {
        let attempt = Attempt::begin(self.0.failed_sign_ins(), &caller.user.email, client, self.0.now())?;
        let is_right = passwords::is_right(current.to_owned(), caller.user.password_hash.clone()).await?;
        if !is_right {
            let wrong = Error::invalid("current", "this is not your present password");
            return Err(attempt.failed(wrong, self.0.now()));
        }
        attempt.succeeded(self.0.now())?;
        passwords::judge(new, "new", &[&caller.user.email, &caller.user.name])?;
        let hash = passwords::hash(new.to_owned()).await?;
        let now = self.0.now();
        let txn = self.0.store().begin().await?;
        users::set_password(&txn, caller.user.id, &hash, now).await?;
        let because = sessions::SessionEnd::PasswordChanged;
        sessions::end_all_of(&txn, caller.user.id, caller.session, because, now).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Changes one's name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is blank or too long.
    pub async fn rename(&self, caller: &Caller, name: &str) -> Result<User> {
        let name = checked_name(name, "name")?;
        let renamed = users::set_name(self.0.store().db(), caller.user.id, name, self.0.now()).await?;
        renamed.ok_or_else(|| Error::not_found("user"))
    }

    /// All users.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn users(&self, caller: &Caller, window: Window) -> Result<Page<User>> {
        Ok(users::list(self.0.store().db(), caller.reads(), window).await?)
    }

    /// Gives somebody else a role.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for oneself, [`Error::NotFound`].
    pub async fn give_role(&self, caller: &Caller, id: UserId, role: Role) -> Result<User> {
        if id == caller.user.id {
            return Err(Error::Forbidden(
                "nobody changes their own role; ask another administrator".to_owned(),
            ));
        }
        let changed = users::set_role(self.0.store().db(), caller.writes(), id, role, self.0.now()).await?;
        changed.ok_or_else(|| Error::not_found("user"))
    }

    /// Gives the user of an address a role; on the command line only.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody has the address.
    pub async fn set_role(&self, email: &str, role: Role) -> Result<User> {
        let user = self.by_email(email).await?;
        let changed =
            users::set_role(self.0.store().db(), Reach::INSTANCE, user.id, role, self.0.now()).await?;
        changed.ok_or_else(|| Error::not_found("user"))
    }

    /// Deletes somebody else. What they made goes to their organisation's longest-standing manager.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for oneself, [`Error::NotFound`], [`Error::Conflict`] where nobody could take what they made.
    pub async fn delete(&self, caller: &Caller, id: UserId) -> Result<()> {
        if id == caller.user.id {
            return Err(Error::Forbidden("nobody deletes themselves; ask another administrator".to_owned()));
        }
        let txn = self.0.store().begin().await?;
        match users::delete(&txn, caller.writes(), id, self.0.now()).await? {
            Deleted::Done { .. } => Ok(txn.commit().await?),
            Deleted::Missing => Err(Error::not_found("user")),
            Deleted::NoHeir => Err(Error::conflict(
                Conflict::InUse,
                "they have campaigns or reports, and their organisation has no other manager to take them; delete those first",
            )),
        }
    }

    /// The user that acts while the development sign-in is on, made on first sight.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn development_caller(&self) -> Result<Caller> {
        let db = self.0.store().db();
        let user = match users::by_email(db, DEVELOPER).await? {
            Some(user) => user,
            // Two first requests at once: the second finds what the first made.
            None => match self.create(Account::new(DEVELOPER, "Developer", Role::Admin)).await {
                Ok(user) => user,
                Err(error) if error.conflicts_on(users::UNIQUE_EMAIL) => self.by_email(DEVELOPER).await?,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(Caller { user, session: None })
    }

    async fn by_email(&self, email: &str) -> Result<User> {
        let user = users::by_email(self.0.store().db(), email).await?;
        user.ok_or_else(|| Error::NotFound(format!("nobody here has the address {email}")))
    }
}

fn link_gone() -> Error {
    Error::NotFound("this link was used before, or has run out; ask for a new one".to_owned())
}

fn address_taken(error: StoreError) -> Error {
    if error.conflicts_on(users::UNIQUE_EMAIL) {
        return Error::conflict(Conflict::Other, "this address has an account already; sign in");
    }
    error.into()
}

pub(super) fn checked_email(email: &str) -> Result<&str> {
    let email = email.trim();
    let options = Options::default().without_display_text().without_domain_literal();
    let is_address = email.len() <= 254 && EmailAddress::parse_with_options(email, options).is_ok();
    if is_address { Ok(email) } else { Err(Error::invalid("email", "is no e-mail address")) }
}

/// A name for a person to read: 1 to 255 characters, no control characters.
pub(crate) fn checked_name<'a>(name: &'a str, field: &str) -> Result<&'a str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 255 {
        return Err(Error::invalid(field, "has 1 to 255 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "has no control characters"));
    }
    Ok(name)
}

/// What stands before the `@`: the name of somebody who gave none.
pub(super) fn local_part(email: &str) -> &str {
    email.split('@').next().unwrap_or(email)
}
