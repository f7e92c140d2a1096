//! How far a caller may see and act. It is part of the query, so that a row out of reach is a row that is not there.

use sea_orm::{ColumnTrait, Condition};

use crate::ids::{OrganizationId, UserId};

/// The rows a caller may see, or change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Only this organisation's; none is the instance-wide administrator.
    pub organization: Option<OrganizationId>,
    /// Only what this user made.
    pub author: Option<UserId>,
}

impl Reach {
    /// Everything: the instance-wide administrator, and the service itself.
    pub const INSTANCE: Self = Self { organization: None, author: None };

    /// All of an organisation.
    pub fn organization(organization: OrganizationId) -> Self {
        Self { organization: Some(organization), author: None }
    }

    /// What `author` made in an organisation.
    pub fn own(organization: OrganizationId, author: UserId) -> Self {
        Self { organization: Some(organization), author: Some(author) }
    }

    /// The rows within reach, by the table's columns.
    pub(crate) fn within<C: ColumnTrait>(self, organization: C, author: C) -> Condition {
        Condition::all()
            .add_option(self.organization.map(|id| organization.eq(id)))
            .add_option(self.author.map(|id| author.eq(id)))
    }

    /// As [`Self::within`], for a table whose rows have no author: then only those who may act for the whole
    /// organisation are asked for it.
    pub(crate) fn within_organization<C: ColumnTrait>(self, organization: C) -> Condition {
        Condition::all().add_option(self.organization.map(|id| organization.eq(id)))
    }
}
