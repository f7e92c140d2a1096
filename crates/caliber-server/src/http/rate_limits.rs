//! How often somebody may call: a user over all tokens, an address where nobody is signed in.
//!
//! It is counted where it is known who calls, in `access` for operations and in `pages::guard` for pages.

use std::time::Duration;

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use caliber_platform::error::whole_seconds;
use caliber_platform::rate_limits::{Quota, RateKey, RateLimit, RateLimiter};

use crate::App;
use crate::failure::{Failure, FailureCode};
use crate::http::client_address::client_of;
use crate::signed_in::Identified;

/// Headers that tell what is left, as in draft-ietf-httpapi-ratelimit-headers.
pub(crate) const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
pub(crate) const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
pub(crate) const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts calls.
#[derive(Debug)]
pub(crate) struct CallLimits {
    calls: RateLimiter,
    pages: RateLimiter,
}

/// What asks: an operation of the API, or a page, which asks many times for one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    Operation,
    Page,
}

impl CallLimits {
    pub(crate) fn new(calls: RateLimit, pages: RateLimit) -> Self {
        Self { calls: RateLimiter::new(calls), pages: RateLimiter::new(pages) }
    }

    /// Counts a request; what is left, where it counts.
    ///
    /// # Errors
    /// What there is of the limit, where nothing is left.
    pub(crate) fn take(
        &self,
        app: &App,
        request: &Parts,
        who: Option<&Identified>,
        asks: Asks,
    ) -> Result<Option<Quota>, Quota> {
        let route = request.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        if !counts(route) {
            return Ok(None);
        }
        let (limiter, key) = match who {
            None => (&self.calls, RateKey::client(client_of(app, request))),
            Some(Identified { caller, by_cookie }) => {
                // The developer's pages have no cookie.
                let is_page = *by_cookie || (asks == Asks::Page && caller.session.is_none());
                (if is_page { &self.pages } else { &self.calls }, RateKey::user(caller.user.id))
            }
        };
        limiter.take(key, app.platform.now())
    }
}

/// Whether calls of a route are counted. What watches something asks again and again, and health is asked by machines;
/// documents, their pages and assets never come here.
fn counts(route: &str) -> bool {
    let is_free = route.starts_with("/health") || route == "/metrics";
    !is_free && !route.split('/').any(|part| matches!(part, "progress" | "stream"))
}

/// A refusal for whoever called too often.
pub(crate) fn refusal(full: Quota) -> Failure {
    let seconds = whole_seconds(full.more_in);
    let message = format!(
        "too many calls: {} in {} are taken; try again in {seconds} s",
        full.most,
        in_words(full.window)
    );
    let mut failure = Failure::new(FailureCode::RateLimited, message);
    failure.retry_after_s = Some(seconds);
    failure
}

/// Tells what is left.
pub(crate) fn told(mut response: Response, quota: Option<Quota>) -> Response {
    let Some(Quota { most, left, window, more_in }) = quota else { return response };
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(most));
    headers.insert(REMAINING, HeaderValue::from(left));
    headers.insert(RESET, HeaderValue::from(whole_seconds(more_in)));
    if let Ok(policy) = HeaderValue::from_str(&format!("{most};w={}", window.as_secs())) {
        headers.insert(POLICY, policy);
    }
    response
}

fn in_words(window: Duration) -> String {
    let seconds = window.as_secs();
    let unit =
        [(86_400, "d"), (3600, "h"), (60, "min")].into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, word) = unit.unwrap_or((1, "s"));
    format!("{} {word}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_watches_is_not_counted_and_everything_else_is() {
        for free in [
            "/health",
            "/health/live",
            "/health/ready",
            "/health/detailed",
            "/metrics",
            "/api/v1/scoring/progress/{id}",
            "/api/v1/scoring/progress/{id}/stream",
            "/scoring/progress/{id}",
            "/api/v1/campaigns/{id}/progress",
            "/campaigns/{id}/progress",
        ] {
            assert!(!counts(free), "{free}");
        }
        for counted in
            ["", "/", "/api/v1/auth/login", "/api/v1/campaigns/{id}", "/jobs", "/campaigns/{id}/charts"]
        {
            assert!(counts(counted), "{counted}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_taken_and_when_to_come_again() {
        let full = |window, more_in| refusal(Quota { most: 100, left: 0, window, more_in });
        let failure = full(Duration::from_mins(1), Duration::from_millis(100));
        assert_eq!(failure.retry_after_s, Some(1));
        assert_eq!(failure.message, "too many calls: 100 in 1 min are taken; try again in 1 s");
        let failure = full(Duration::from_mins(90), Duration::from_millis(59_001));
        assert!(failure.message.contains("in 90 min") && failure.retry_after_s == Some(60), "{failure:?}");
        assert!(full(Duration::from_hours(24), Duration::ZERO).message.contains("in 1 d"));
        assert!(full(Duration::from_secs(45), Duration::ZERO).message.contains("in 45 s"));
    }
}
