//! The commands, a file each.

pub(crate) mod inspect;
mod protected;
pub(crate) mod reading;
pub(crate) mod recipes;
pub(crate) mod sample;
pub(crate) mod score;
mod watching;
pub(crate) mod xls_sheet;
