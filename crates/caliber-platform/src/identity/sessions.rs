//! Sessions: begun by a password, carried on by tokens or a cookie, ended at once.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use caliber_store::sessions::{self, Session, SessionEnd, SessionKind};
use caliber_store::users::{self, User};
use caliber_store::{SessionId, UserId};

use super::attempts::Attempt;
use super::keys::{self, Use};
use super::tokens::{self, Bearer};
use super::{Caller, Identity, passwords};
use crate::error::{Error, Result};

/// How long a session lives without being used.
const IDLE_DAYS: i64 = 7;

/// How often the use of a session is noted.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(5);

/// What a client keeps of its session.
#[derive(Clone, Debug)]
pub enum Tokens {
    /// For programs.
    Bearer {
        /// Good for [`super::ACCESS_SECONDS`].
        access: String,
        /// Good once, for a new pair.
        refresh: String,
    },
    /// For browsers.
    Cookie {
        /// The value of the session's cookie.
        session: String,
        /// What writes repeat in a header.
        csrf: String,
        /// Until when the session lives.
        expires_at: DateTime<Utc>,
    },
}

/// Somebody who has just signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// Their session.
    pub tokens: Tokens,
}

impl Identity<'_> {
    /// Begins a session by a password, given by whoever calls from `client`. An unknown address and a wrong password are
    /// answered alike, and take as long.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; [`Error::Limit`] after too many failures, whatever the password is.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        kind: SessionKind,
        client: IpAddr,
    ) -> Result<SignedIn> {
        let attempt = Attempt::begin(self.0.failed_sign_ins(), email, client, self.0.now())?;
        let found = users::by_email(self.0.store().db(), email).await?;
        let hash = found.as_ref().and_then(|user| user.password_hash.clone());
        let is_right = passwords::is_right(password.to_owned(), hash).await?;
        match found {
            Some(user) if is_right && user.is_active => {
                attempt.succeeded(self.0.now())?;
                self.begin(user, kind).await
            }
            _ => {
                let wrong = Error::NotSignedIn("the address or the password is wrong".to_owned());
                Err(attempt.failed(wrong, self.0.now()))
            }
        }
    }

    /// Registers somebody and begins their session: nobody types a password twice.
    ///
    /// # Errors
    /// As [`Self::register`].
    pub async fn register_and_sign_in(
        &self,
        email: &str,
        password: &str,
        name: &str,
        kind: SessionKind,
    ) -> Result<SignedIn> {
        let user = self.register(email, password, name).await?;
        self.begin(user, kind).await
    }

    pub(super) async fn begin(self, mut user: User, kind: SessionKind) -> Result<SignedIn> {
        let now = self.0.now();
        let secret = keys::fresh_secret();
        let expires_at = now + TimeDelta::days(IDLE_DAYS);
        let txn = self.0.store().begin().await?;
        let session = sessions::create(&txn, user.id, kind, &keys::hash_of(&secret), expires_at, now).await?;
        users::note_login(&txn, user.id, now).await?;
        txn.commit().await?;
        user.last_login_at = Some(now);
        let tokens = match kind {
            SessionKind::Bearer => self.pair(user.id, session.id, &secret, now)?,
            SessionKind::Cookie => Tokens::Cookie {
                session: tokens::join(session.id, &secret),
                csrf: self.csrf_token(session.id),
                expires_at,
            },
        };
        Ok(SignedIn { user, tokens })
    }

    fn pair(self, user: UserId, session: SessionId, secret: &str, now: DateTime<Utc>) -> Result<Tokens> {
        let access = tokens::issue(self.0.secrets(), Bearer { user, session }, now)?;
        Ok(Tokens::Bearer { access, refresh: tokens::join(session, secret) })
    }

    /// A new pair of tokens for a refresh token, which is used up by it. One that was used before means that two have
    /// it: the session ends.
    ///
    /// # Errors
    /// [`Error::RefreshReused`], [`Error::NotSignedIn`].
    pub async fn refresh(&self, token: &str) -> Result<SignedIn> {
        let now = self.0.now();
        let db = self.0.store().db();
        let (id, secret) = tokens::split(token).ok_or_else(ended)?;
        let (session, user) = sessions::with_user(db, id).await?.ok_or_else(ended)?;
        if session.kind != SessionKind::Bearer {
            return Err(ended());
        }
        if session.ended_because == Some(SessionEnd::RefreshReused) {
            return Err(Error::RefreshReused);
        }
        if !session.is_live(now) || !user.is_active {
            return Err(ended());
        }
        let fresh = keys::fresh_secret();
        let expires_at = now + TimeDelta::days(IDLE_DAYS);
        let (old, new) = (keys::hash_of(secret), keys::hash_of(&fresh));
        if sessions::rotate(db, id, &old, &new, expires_at, now).await? {
            let tokens = self.pair(user.id, id, &fresh, now)?;
            return Ok(SignedIn { user, tokens });
        }
        // The secret is not the one in use. Only one that was handed out can name the session, so it was used before.
        sessions::end(db, id, SessionEnd::RefreshReused, now).await?;
        Err(Error::RefreshReused)
    }

    /// Ends the caller's session.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        if let Some(session) = caller.session {
            sessions::end(self.0.store().db(), session, SessionEnd::Logout, self.0.now()).await?;
        }
        Ok(())
    }

    /// Whom an access token stands for.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] where it does not hold, or its session has ended.
    pub async fn caller_of_access_token(&self, token: &str) -> Result<Caller> {
        let bearer = tokens::verify(self.0.secrets(), token, self.0.now()).ok_or_else(ended)?;
        let (session, user) = self.live(bearer.session, SessionKind::Bearer).await?;
        if session.user_id != bearer.user {
            return Err(ended());
        }
        Ok(Caller { user, session: Some(session.id) })
    }

    /// Whom a session's cookie stands for.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn caller_of_cookie(&self, cookie: &str) -> Result<Caller> {
        let (id, secret) = tokens::split(cookie).ok_or_else(ended)?;
        let (session, user) = self.live(id, SessionKind::Cookie).await?;
        if session.secret_hash != keys::hash_of(secret) {
            return Err(ended());
        }
        Ok(Caller { user, session: Some(session.id) })
    }

    async fn live(&self, id: SessionId, kind: SessionKind) -> Result<(Session, User)> {
        let now = self.0.now();
        let db = self.0.store().db();
        let (session, user) = sessions::with_user(db, id).await?.ok_or_else(ended)?;
        if session.kind != kind || !session.is_live(now) || !user.is_active {
            return Err(ended());
        }
        if session.last_used_at < now - NOTED_EVERY {
            sessions::note_use(db, id, now - NOTED_EVERY, now).await?;
        }
        Ok((session, user))
    }

    /// Whether a token is the one that the caller's page was given.
    pub fn is_csrf_token(&self, token: &str, caller: &Caller) -> bool {
        caller.session.is_some_and(|session| {
            self.0.secrets().verifying(Use::Csrf).any(|key| key.is_tag(token, session.0.as_bytes()))
        })
    }

    /// What a page of the caller's repeats when it writes; none under the development sign-in, which has no cookie.
    pub fn csrf_token_of(&self, caller: &Caller) -> Option<String> {
        caller.session.map(|session| self.csrf_token(session))
    }

    fn csrf_token(self, session: SessionId) -> String {
        self.0.secrets().signing(Use::Csrf).tag(session.0.as_bytes())
    }
}

fn ended() -> Error {
    Error::NotSignedIn("this session does not exist or has ended; sign in again".to_owned())
}
