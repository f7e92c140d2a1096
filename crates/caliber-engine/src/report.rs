//! Reading a report: from bytes of whatever kind to cells by position.

pub mod cell;
pub mod header_row;
pub mod mapping;
