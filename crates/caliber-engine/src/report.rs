//! Reading a report: from bytes of whatever kind to cells by position.

pub mod cell;
mod csv;
