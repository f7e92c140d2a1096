//! The `caliber` program as its users meet it: flags, files and exit codes of the contract, and nothing of the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::format_push_string, reason = "reports of a few rows are put together for reading")]
#![expect(clippy::format_collect, reason = "reports of a few rows are put together for reading")]

mod call;
mod tables;

mod analysis;
mod answers;
mod broken_files;
mod determinism;
mod evidence;
mod export_habits;
mod flags;
mod help;
mod hostile_files;
mod interruption;
mod lists;
mod machine;
mod mess;
mod odd_texts;
mod own_recipes;
mod properties;
mod recognition;
mod reports;
mod results;
mod several_files;
