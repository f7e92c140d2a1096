//! Ids: UUIDs of version 7, one type a table, so that a campaign's id is never taken for a user's.

use chrono::{DateTime, Utc};
use sea_orm::prelude::Uuid;
use sea_orm::{DbErr, TryFromU64};
use uuid::{NoContext, Timestamp};

/// Defines id types.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            sea_orm::DeriveValueType,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id that sorts by `now`, to the millisecond.
            pub fn new(now: DateTime<Utc>) -> Self {
                Self(uuid_at(now))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

ids! {
    /// Of an organisation.
    OrganizationId;
    /// Of a user.
    UserId;
    /// Of a sign-in.
    SessionId;
    /// Of an invitation into an organisation.
    InvitationId;
    /// Of a one-time link to set a password.
    PasswordLinkId;
    /// Of a campaign template.
    TemplateId;
    /// Of a campaign.
    CampaignId;
    /// Of one scoring of a campaign.
    RunId;
    /// Of an uploaded file.
    UploadId;
    /// Of a recipe of an organisation's own.
    RecipeId;
    /// Of a list as it was taken out once.
    ListVersionId;
    /// Of a job.
    JobId;
    /// Of an export made in the background.
    ExportId;
}

/// A UUID of version 7 made at `now`.
pub(crate) fn uuid_at(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
