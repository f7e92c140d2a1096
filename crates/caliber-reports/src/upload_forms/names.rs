//! Which names a form can hold, and in which of its files.

use caliber_engine::names::{NameKind, classify, normalise, registrable};
use caliber_engine::recipe::Dimension;
use serde::Serialize;

use super::UploadForm;

/// What the names of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Inventory {
    /// Domains.
    Web,
    /// Ids and names of apps.
    App,
    /// Whatever the list holds.
    All,
}

impl Inventory {
    /// What files of it have in their name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Web => "-web",
            Self::App => "-app",
            Self::All => "",
        }
    }
}

/// What a name is, before anything is read into its points: `com.hulu.plus` is an app.
pub(super) fn kind(name: &str, dimension: Dimension) -> NameKind {
    classify(normalise(name.as_bytes(), dimension, &mut String::new()), dimension)
}

/// Why the form cannot hold a name; `None` where it can. What the name is is asked only where it decides.
pub(super) fn obstacle(form: &UploadForm, name: &str, kind: impl Fn() -> NameKind) -> Option<String> {
    let characters = name.chars().count();
    if let Some(longest) = form.longest_name
        && characters > longest
    {
        return Some(format!("it has {characters} characters, and {longest} are taken"));
    }
    let points = || name.bytes().filter(|byte| *byte == b'.').count();
    if let Some(levels) = form.subdomain_levels
        && points() > levels
        && kind() == NameKind::Host
        && let Some(domain) = registrable(name)
    {
        let below = name.split('.').count() - domain.split('.').count();
        if below > levels {
            return Some(format!("it has {below} levels of subdomains, and {levels} are taken"));
        }
    }
    let is_id = || matches!(kind(), NameKind::Host | NameKind::AppId);
    if form.sites_only && crate::neutralise::starts_formula(name) && !is_id() {
        return Some("it is neither a domain nor an app id, and a spreadsheet would run it".to_owned());
    }
    None
}
