//! Who somebody is and what they may: accounts, sessions, organisations, invitations.

mod accounts;
mod attempts;
mod external;
mod id_tokens;
mod keys;
mod logo;
mod organizations;
mod passwords;
pub mod permissions;
mod sessions;
mod tokens;

use caliber_store::users::Role;
use caliber_store::{Reach, SessionId};

pub use caliber_store::invitations::Invitation;
pub use caliber_store::organizations::Organization;
pub use caliber_store::sessions::SessionKind;
pub use caliber_store::users::User;
pub use caliber_store::{InvitationId, OrganizationId, UserId};

pub use self::accounts::OneTimeLink;
pub(crate) use self::accounts::checked_name;
pub(crate) use self::id_tokens::IdTokens;
pub use self::id_tokens::{TrustedIssuer, trusted_issuers};
pub use self::keys::{LEAST_SECRET, Secrets, fresh_secret as fresh_secret_key};
pub use self::logo::MOST_BYTES as MOST_OF_A_LOGO;
pub use self::organizations::{InvitedBy, NamedInvitation, Offer, OrganizationUpdate};
use self::permissions::Permission;
pub use self::sessions::{SignedIn, Tokens};
pub use self::tokens::ACCESS_SECONDS;
use crate::Platform;
use crate::error::{Error, Result};

/// The use cases of accounts.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a>(pub(crate) &'a Platform);

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is, as the database has them now.
    pub user: User,
    /// Under which session; `None` is the development sign-in.
    pub session: Option<SessionId>,
}

impl Caller {
    /// Refuses what the role does not allow.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn must(&self, permission: Permission) -> Result<()> {
        if permission.is_of(self.user.role) {
            return Ok(());
        }
        Err(Error::Forbidden(format!("your role does not allow this: it needs {permission}")))
    }

    /// What the caller may see: all of the organisation; the administrator everything.
    pub fn reads(&self) -> Reach {
        match self.user.role {
            Role::Admin => Reach::INSTANCE,
            _ => Reach::organization(self.user.organization_id),
        }
    }

    /// What the caller may change: managers all of the organisation, others what they made.
    pub fn writes(&self) -> Reach {
        match self.user.role {
            Role::Admin => Reach::INSTANCE,
            Role::Manager => Reach::organization(self.user.organization_id),
            _ => Reach::own(self.user.organization_id, self.user.id),
        }
    }
}
