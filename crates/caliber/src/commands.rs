//! The commands, a file each.

pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod migrate;
pub(crate) mod outliers;
mod protected;
pub(crate) mod reading;
pub(crate) mod recipes;
mod run;
mod run_files;
pub(crate) mod sample;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod settings;
mod timing;
pub(crate) mod user;
mod watching;
pub(crate) mod weights;
pub(crate) mod what_if;
pub(crate) mod worker;
pub(crate) mod xls_sheet;
