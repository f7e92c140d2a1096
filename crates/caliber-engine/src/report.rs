//! Reading a report: from bytes of whatever kind to cells by position.

pub mod cell;
pub mod day;
pub mod number;
