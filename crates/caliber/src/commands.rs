//! The commands, a file each.

pub(crate) mod doctor;
pub(crate) mod inspect;
pub(crate) mod migrate;
mod protected;
pub(crate) mod reading;
pub(crate) mod recipes;
pub(crate) mod sample;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod user;
mod watching;
pub(crate) mod worker;
pub(crate) mod xls_sheet;
