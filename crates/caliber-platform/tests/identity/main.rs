//! Accounts with a clock that tests move, and issuers of ID tokens that tests run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attempts;
mod fixture;
mod id_tokens;
mod joining;
#[path = "../parts/mod.rs"]
mod parts;
