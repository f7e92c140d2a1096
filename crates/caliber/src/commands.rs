//! The commands, a file each.

pub(crate) mod inspect;
pub(crate) mod reading;
pub(crate) mod recipes;
pub(crate) mod sample;
pub(crate) mod score;
pub(crate) mod xls_sheet;
