//! Explanation, changes and what-if, against numpy and scipy on scored fixtures, and by what must hold for any rows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changes;
mod explanation;
mod random;
mod scored;
mod what_if;
