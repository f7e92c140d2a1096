//! Who may do what: the one table that code, documents and tests share.

use std::fmt;

/// What somebody is in their organisation; `admin` is instance-wide.
///
/// Viewer, analyst, manager and admin are ranks: each may do what those before it may. Client and expert stand aside, for
/// the review desk.
pub use caliber_store::users::Role;

/// A `resource:action` that an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permission {
    /// The name, `campaigns:write`.
    pub name: &'static str,
    /// The lowest rank that has it.
    pub role: Role,
    /// What it allows.
    pub meaning: &'static str,
    /// Whether client and expert have it too.
    pub for_all: bool,
}

impl Permission {
    /// Whether a role has it.
    pub fn is_of(&self, role: Role) -> bool {
        match (rank(role), rank(self.role)) {
            (Some(has), Some(needs)) => has >= needs,
            _ => self.for_all,
        }
    }

    /// The permission of a name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PERMISSIONS.iter().copied().find(|permission| permission.name == name)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The rank of a role, where it has one.
pub fn rank(role: Role) -> Option<u8> {
    match role {
        Role::Viewer => Some(0),
        Role::Analyst => Some(1),
        Role::Manager => Some(2),
        Role::Admin => Some(3),
        Role::Client | Role::Expert => None,
    }
}

/// Declares each permission as a constant and all of them as one table.
macro_rules! permissions {
    ($($constant:ident = $name:literal, $role:ident, $for_all:literal, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $constant: Permission =
                Permission { name: $name, role: Role::$role, meaning: $meaning, for_all: $for_all };
        )*
        /// Every permission there is.
        pub const PERMISSIONS: &[&Permission] = &[$(&$constant),*];
    };
}

permissions! {
    PROFILE_READ = "profile:read", Viewer, true, "See oneself.";
    PROFILE_WRITE = "profile:write", Viewer, true, "Change one's name and password, end one's session.";
    CAMPAIGNS_READ = "campaigns:read", Viewer, false, "See the organisation's campaigns.";
    CAMPAIGNS_WRITE = "campaigns:write", Analyst, false, "Make, change and delete campaigns of one's own, and their reports.";
    CAMPAIGNS_WORK = "campaigns:work", Manager, false, "Report status and progress of a campaign that is worked on elsewhere.";
    TEMPLATES_READ = "templates:read", Viewer, false, "See the organisation's templates.";
    TEMPLATES_WRITE = "templates:write", Analyst, false, "Make and delete templates.";
    FILES_READ = "files:read", Viewer, false, "See the organisation's reports, their first rows and what is wrong with them.";
    FILES_WRITE = "files:write", Analyst, false, "Upload reports, assign and delete those of one's own.";
    RECIPES_READ = "recipes:read", Viewer, false, "See the shipped recipes and the organisation's.";
    RECIPES_WRITE = "recipes:write", Analyst, false, "Add recipes; change and delete those of one's own.";
    SCORING_READ = "scoring:read", Viewer, false, "Watch progress; see results and summaries.";
    SCORING_RUN = "scoring:run", Analyst, false, "Start and cancel scoring of one's own campaigns.";
    LISTS_READ = "lists:read", Viewer, false, "Take out lists and see their versions.";
    LISTS_WRITE = "lists:write", Analyst, false, "Allow, block and protect names by hand.";
    EXPORTS_READ = "exports:read", Viewer, false, "Download results, lists and reports; watch and fetch exports.";
    EXPORTS_WRITE = "exports:write", Viewer, false, "Have files made in the background.";
    JOBS_READ = "jobs:read", Viewer, false, "See the organisation's jobs and dead letters.";
    ORGANIZATION_READ = "organization:read", Viewer, false, "See the organisation's settings.";
    ORGANIZATION_WRITE = "organization:write", Manager, false, "Change the organisation's settings.";
    INVITATIONS_WRITE = "invitations:write", Manager, false, "Invite people, with a role up to one's own.";
    USERS_READ = "users:read", Admin, false, "See all users.";
    USERS_WRITE = "users:write", Admin, false, "Change the roles of others, and delete users.";
    SYSTEM_READ = "system:read", Admin, false, "See the service's settings, and metrics and detailed health from elsewhere than this machine.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_may_all_that_those_below_it_may() {
        let ranks = [Role::Viewer, Role::Analyst, Role::Manager, Role::Admin];
        for permission in PERMISSIONS {
            let has: Vec<bool> = ranks.iter().map(|role| permission.is_of(*role)).collect();
            assert!(has.is_sorted(), "{permission}: {has:?}");
            assert!(has[3], "{permission}: the admin may all");
        }
    }

    #[test]
    fn names_are_resource_and_action_and_unique() {
        for permission in PERMISSIONS {
            let (resource, action) = permission.name.split_once(':').unwrap();
            assert!(!resource.is_empty() && !action.is_empty());
            assert_eq!(Permission::by_name(permission.name), Some(*permission));
        }
    }

    #[test]
    fn client_and_expert_see_only_themselves_for_now() {
        for role in [Role::Client, Role::Expert] {
            let has: Vec<&str> =
                PERMISSIONS.iter().filter(|permission| permission.is_of(role)).map(|it| it.name).collect();
            assert_eq!(has, ["profile:read", "profile:write"]);
        }
    }
}
