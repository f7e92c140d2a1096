//! Reading a report: from bytes of whatever kind to cells by position.

mod calendar;
pub mod cell;
mod csv;
pub mod day;
pub mod mapping;
pub mod number;
pub mod parquet;
pub mod quality;
pub mod source;
pub mod text;
pub mod workbook;
pub mod xls;
