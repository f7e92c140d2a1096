//! What is kept: the database, the stored files and the queue of jobs.
//!
//! One file a table, with its row and its queries. A function takes the connection or the [`Transaction`] it works in
//! (`db`), the [`Reach`] of the caller where rows have an owner, and the time (`now`) where it matters: nothing here
//! looks at the clock. Times are UTC, to the microsecond at most (see [`to_microseconds`]), so that a row reads the same
//! from both databases.

/// Shows words as they stand in the database and in JSON.
macro_rules! displayed_by_value {
    ($($name:ty),*) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&sea_orm::ActiveEnum::to_value(self))
            }
        }
    )*};
}

pub mod campaigns;
mod connection;
mod document;
mod error;
pub mod exports;
mod ids;
pub mod invitations;
pub mod jobs;
pub mod list_versions;
mod migrations;
pub mod objects;
pub mod organizations;
mod paging;
pub mod password_links;
pub mod queue;
mod reach;
pub mod recipes;
pub mod runs;
pub mod sessions;
pub mod templates;
mod transaction;
pub mod uploads;
pub mod users;

pub use connection::{Backend, MigrationStatus, Store, StoreOptions, to_microseconds};
pub use document::Document;
pub use error::StoreError;
pub use ids::{
    CampaignId, ExportId, InvitationId, JobId, ListVersionId, OrganizationId, PasswordLinkId, RecipeId,
    RunId, SessionId, TemplateId, UploadId, UserId,
};
pub use paging::{Attempt, Page, Window};
pub use reach::Reach;
pub use sea_orm::{ConnectionTrait, DatabaseConnection};
pub use transaction::Transaction;

/// Any JSON value; as a column has it, it is a [`Document`].
pub type Json = serde_json::Value;

/// What every query function gives.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
