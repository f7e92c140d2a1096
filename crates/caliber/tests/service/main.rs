//! The service as its clients meet it: the program itself over HTTP, on SQLite and on PostgreSQL, and nothing of the
//! code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "what a failed test needs to be understood")]

/// Runs each of the named `fn(Backend)` as a test on SQLite and as one on PostgreSQL.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(caliber_store::Backend::Sqlite); })*
        }

        mod on_postgres {
            $(#[test] fn $name() { super::$name(caliber_store::Backend::Postgres); })*
        }
    };
}

use on_both_databases;

mod client;
mod document;
mod people;
mod service;

mod accounts;
mod analysis;
mod background_exports;
mod browser;
mod bucket;
mod campaign_page;
mod campaigns;
mod commands;
mod development;
mod documents;
mod downloads;
mod errors;
mod exports;
mod exports_page;
mod id_tokens;
mod kills;
mod lists;
mod operations;
mod organisation_page;
mod organizations;
mod pages;
mod permissions;
mod rate_limits;
mod reading_options;
mod recipes;
mod results;
mod review_page;
mod scoring;
mod starting;
mod uploads;
