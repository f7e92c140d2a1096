//! What tests of pages share: somebody to show them to, and what must hold for every page.

use askama::Template;
use caliber_platform::campaigns::CampaignStatus;
use caliber_platform::identity::permissions::Role;
use caliber_platform::identity::{Caller, OrganizationId, User, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::figures::{CampaignFigures, RunFigures};
use super::shell::Shell;

/// The most bytes of a page.
const MOST_BYTES: usize = 150_000;

/// A moment.
pub(crate) fn time() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// A manager whose name is markup.
pub(crate) fn caller() -> Caller {
    let user = User {
        id: UserId(Uuid::nil()),
        organization_id: OrganizationId(Uuid::nil()),
        email: "ana@example.com".to_owned(),
        email_key: "ana@example.com".to_owned(),
        name: "Ana <b>Pérez</b>".to_owned(),
        role: Role::Manager,
        password_hash: None,
        external_issuer: None,
        external_subject: None,
        email_verified: false,
        is_active: true,
        created_at: time(),
        updated_at: time(),
        last_login_at: None,
    };
    Caller { user, session: None }
}

/// The shell that the caller sees.
pub(crate) fn shell() -> Shell {
    Shell::sample(Some(caller()), "/campaigns")
}

/// The shell of a page before signing in.
pub(crate) fn nobody() -> Shell {
    Shell::sample(None, "/sign-in")
}

/// The page, of which what holds for every page was seen to hold.
#[track_caller]
pub(crate) fn checked(page: &impl Template) -> String {
    let html = page.render().unwrap();
    assert!(html.len() < MOST_BYTES, "the page has {} bytes", html.len());
    assert!(!html.contains('\u{27e6}'), "a text is missing: {html}");
    for (phrase, why) in [
        ("<style", "an inline style"),
        (" style=", "an inline style"),
        (" onclick=", "an inline script"),
        (" onload=", "an inline script"),
        ("javascript:", "an inline script"),
        ("<b>Pérez", "a name that is not escaped"),
        ("=\"http://", "an address elsewhere"),
        ("=\"https://", "an address elsewhere"),
        ("=\"//", "an address elsewhere"),
    ] {
        assert!(!html.contains(phrase), "{why}: {html}");
    }
    for script in html.split("<script").skip(1) {
        assert!(script.trim_start().starts_with("src="), "an inline script: {html}");
    }
    html
}

/// A campaign that spent 1,000 and was scored.
pub(crate) fn campaign(name: &str, score: f64, currency: Option<&str>, risk: f64) -> CampaignFigures {
    let summary = serde_json::json!({
        "campaign_score": score, "scored": 1200, "currency": currency, "total_spend": 1000.0,
        "total_impressions": 5_000_000.0, "status_counts": {"good": 300, "moderate": 600, "poor": 300},
        "period": {"from": "2026-10-01", "to": "2026-10-31"},
        "lists": {"blocklist": {"count": 300, "spend": 1000.0 * risk}, "allowlist": {"count": 300}},
    });
    CampaignFigures {
        id: Uuid::nil(),
        name: name.to_owned(),
        platform: "The Trade Desk".to_owned(),
        channel: "channel-display",
        goal: "goal-awareness",
        status: CampaignStatus::Completed,
        progress: 100.0,
        has_file: true,
        error: None,
        created_at: time(),
        scored: Some(RunFigures::of(&summary)),
    }
}
