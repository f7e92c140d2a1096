//! What stands around every page: who is signed in, what they may, where they are, how it looks.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::{
    CAMPAIGNS_WRITE, INVITATIONS_WRITE, LISTS_WRITE, Permission, RECIPES_WRITE, Role, SCORING_RUN,
    SYSTEM_READ,
};

use super::notice::Notice;
use crate::App;
use crate::failure::{Failure, FailureCode};

/// Remembers light or dark; without it the system decides.
const THEME_COOKIE: &str = "caliber_theme";

/// What the layout shows. A handler takes it as an argument and puts it into its page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shell {
    caller: Option<Caller>,
    /// What forms and scripts repeat when they write.
    pub(crate) csrf: String,
    /// `light` or `dark` where the reader chose, else empty.
    pub(crate) theme: &'static str,
    /// Path and query of this page, for the way back.
    pub(crate) here: String,
    /// What was just done.
    pub(crate) notice: Option<Notice>,
}

impl Shell {
    pub(super) fn of(app: &App, parts: &Parts, caller: Option<&Caller>) -> Self {
        let cookies = CookieJar::from_headers(&parts.headers);
        let theme = match cookies.get(THEME_COOKIE).map(axum_extra::extract::cookie::Cookie::value) {
            Some("dark") => "dark",
            Some("light") => "light",
            _ => "",
        };
        let csrf = caller.and_then(|caller| app.platform.identity().csrf_token_of(caller));
        let here = parts.uri.path_and_query().map(|here| here.as_str().to_owned());
        Self {
            caller: caller.cloned(),
            csrf: csrf.unwrap_or_default(),
            theme,
            here: here.unwrap_or_default(),
            notice: Notice::of(parts.uri.query().unwrap_or_default()),
        }
    }

    /// A shell for a test.
    #[cfg(test)]
    pub(crate) fn sample(caller: Option<Caller>, here: &str) -> Self {
        Self { caller, csrf: "c5f".to_owned(), here: here.to_owned(), ..Self::default() }
    }

    /// For an error page where nothing is known of the caller.
    pub(super) fn anonymous() -> Self {
        Self::default()
    }

    /// Who is signed in.
    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    pub(crate) fn user_name(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| caller.user.name.as_str())
    }

    pub(crate) fn user_email(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| caller.user.email.as_str())
    }

    /// Up to two letters that stand for the user.
    pub(crate) fn initials(&self) -> String {
        let words = self.user_name().split_whitespace().filter_map(|word| word.chars().next());
        words.take(2).flat_map(char::to_uppercase).collect()
    }

    /// Whether the session is one that can be ended: the development sign-in is not.
    pub(crate) fn has_session(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.session.is_some())
    }

    /// Whether this page is in the part of the site below `path`.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        let here = self.here.split('?').next().unwrap_or_default();
        if path == "/" {
            return here == "/";
        }
        here.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn may(&self, permission: Permission) -> bool {
        self.caller.as_ref().is_some_and(|caller| permission.is_of(caller.user.role))
    }

    pub(crate) fn may_write_campaigns(&self) -> bool {
        self.may(CAMPAIGNS_WRITE)
    }

    pub(crate) fn may_score(&self) -> bool {
        self.may(SCORING_RUN)
    }

    pub(crate) fn may_write_recipes(&self) -> bool {
        self.may(RECIPES_WRITE)
    }

    pub(crate) fn may_write_lists(&self) -> bool {
        self.may(LISTS_WRITE)
    }

    pub(crate) fn may_invite(&self) -> bool {
        self.may(INVITATIONS_WRITE)
    }

    pub(crate) fn may_see_system(&self) -> bool {
        self.may(SYSTEM_READ)
    }

    /// The key of the text that names the user's role.
    pub(crate) fn role_key(&self) -> &'static str {
        self.caller.as_ref().map_or("role-viewer", |caller| role_key(caller.user.role))
    }
}

/// The key of the text that names a role.
pub(crate) fn role_key(role: Role) -> &'static str {
    match role {
        Role::Viewer => "role-viewer",
        Role::Analyst => "role-analyst",
        Role::Manager => "role-manager",
        Role::Admin => "role-admin",
        Role::Client => "role-client",
        Role::Expert => "role-expert",
    }
}

/// The shell that the guard of the page made.
impl<S: Send + Sync> FromRequestParts<S> for Shell {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let shell = parts.extensions.get::<Self>().cloned();
        shell.ok_or_else(|| Failure::new(FailureCode::Internal, "something went wrong on our side"))
    }
}
