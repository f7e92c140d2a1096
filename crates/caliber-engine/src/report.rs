//! Reading a report: from bytes of whatever kind to cells by position.

pub mod cell;
mod csv;
pub mod day;
pub mod number;
pub mod source;
pub(crate) mod text;
