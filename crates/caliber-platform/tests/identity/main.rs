//! Accounts with a clock that tests move: what is refused for a while, and what is not after it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attempts;
mod fixture;
