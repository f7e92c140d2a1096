//! Headers as DSPs and people write them: which column each is, which it is not, and which recipe they make.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod aliases;
mod collisions;
mod likeness;
mod overrides;
mod recipe_files;
mod recognition;
mod supply;
mod table;
