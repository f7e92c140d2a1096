//! Reading a report: from bytes of whatever kind to cells by position.

mod calendar;
pub mod cell;
pub mod parquet;
pub mod workbook;
pub mod xls;
