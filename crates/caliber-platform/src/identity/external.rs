//! People who sign in with ID tokens: found by issuer and subject, joined to the account of their address, or new.

use caliber_store::sessions;
use caliber_store::users::{self, Role, User};

use super::accounts::{Account, checked_email, checked_name, local_part};
use super::id_tokens::Person;
use super::sessions::SignedIn;
use super::{Identity, SessionKind};
use crate::error::{Conflict, Error, Result};

impl Identity<'_> {
    /// Begins a session by the ID token of a trusted issuer. Who is seen first is made, as the manager of an organisation
    /// of their own: no role is taken from a token.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] for a token that cannot be verified or somebody deactivated, [`Error::Unavailable`] where
    /// the issuer does not answer, [`Error::Conflict`] where the address has an account that cannot be joined,
    /// [`Error::Invalid`] where the token has no e-mail address.
    pub async fn sign_in_with_id_token(&self, token: &str, kind: SessionKind) -> Result<SignedIn> {
        let person = self.0.id_tokens().verify(token, self.0.now()).await?;
        // Of two first sign-ins at once, the second finds what the first made.
        for _ in 0..3 {
            if let Some(user) = self.user_of(&person).await? {
                if !user.is_active {
                    return Err(Error::NotSignedIn("this account is deactivated".to_owned()));
                }
                return self.begin(user, kind).await;
            }
        }
        Err(Error::conflict(Conflict::Other, "this account is being changed; try again"))
    }

    /// The user; none where somebody else was quicker, and one has to look again.
    async fn user_of(&self, person: &Person) -> Result<Option<User>> {
        let db = self.0.store().db();
        if let Some(user) = users::by_external(db, &person.issuer, &person.subject).await? {
            return Ok(Some(user));
        }
        let missing = "it has no e-mail address; ask its issuer for the scope `email`";
        let email = person.email.as_deref().ok_or_else(|| Error::invalid("token", missing))?;
        let email = checked_email(email).map_err(|_| Error::invalid("token", missing))?;
        match users::by_email(db, email).await? {
            Some(user) => self.joined(user, person).await,
            None => self.made(email, person).await,
        }
    }

    async fn made(&self, email: &str, person: &Person) -> Result<Option<User>> {
        let name = person.name.as_deref().and_then(|name| checked_name(name, "name").ok());
        let account = Account {
            email,
            name: name.unwrap_or_else(|| local_part(email)),
            role: Role::Manager,
            password_hash: None,
            external: Some((person.issuer.clone(), person.subject.clone())),
            email_verified: person.email_verified,
        };
        match self.create(account).await {
            Ok(user) => Ok(Some(user)),
            Err(error) if is_taken(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets somebody into the account that has their address. Whoever made it may have had no right to the address, so
    /// unless that is known what they could come in by ends: the password and all sessions.
    async fn joined(&self, user: User, person: &Person) -> Result<Option<User>> {
        if !user.is_active {
            return Ok(Some(user));
        }
        if let (Some(issuer), Some(subject)) = (&user.external_issuer, &user.external_subject) {
            if *issuer == person.issuer && *subject == person.subject {
                // Made or joined since it was looked for.
                return Ok(Some(user));
            }
            return Err(Error::conflict(
                Conflict::Other,
                "this address has an account that signs in with another identity",
            ));
        }
        if !person.email_verified {
            return Err(Error::conflict(
                Conflict::Other,
                "this address has an account already, and the issuer has not verified that it is yours; sign in with the password",
            ));
        }
        let now = self.0.now();
        let txn = self.0.store().begin().await?;
        let linked = users::link_external(&txn, user.id, &person.issuer, &person.subject, now).await;
        let linked = match linked {
            Ok(linked) => linked,
            Err(error) if is_taken(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(linked) = linked else { return Ok(None) };
        if !user.email_verified {
            users::clear_password(&txn, user.id, now).await?;
            sessions::end_all_of(&txn, user.id, None, sessions::SessionEnd::PasswordChanged, now).await?;
            tracing::info!(user = %user.id.0, "an account was joined by its address; its password and sessions ended");
        }
        txn.commit().await?;
        Ok(Some(linked))
    }
}

fn is_taken(error: &caliber_store::StoreError) -> bool {
    error.conflicts_on(users::UNIQUE_EMAIL) || error.conflicts_on(users::UNIQUE_EXTERNAL)
}
