//! Reading a report: from bytes of whatever kind to cells by position.

mod calendar;
pub mod cell;
pub mod workbook;
