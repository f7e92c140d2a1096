//! Reading a report: from bytes of whatever kind to cells by position.

mod calendar;
pub mod cell;
mod csv;
pub mod day;
mod file;
pub mod header_row;
pub mod mapping;
pub mod number;
pub mod parquet;
pub mod quality;
pub mod source;
pub mod text;
pub mod workbook;
pub mod xls;

pub(crate) use self::csv::{Chunk, ChunkError, Chunks, Record};
pub use self::file::best_sheet;
pub(crate) use self::file::{Body, MAX_COLUMNS, Opening, Peek, ReportFile};
