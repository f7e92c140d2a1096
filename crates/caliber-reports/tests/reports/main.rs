//! What the writers leave, read back by other libraries.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod exports;
mod folder;
mod lists;
mod results_csv;
mod results_json;
mod results_parquet;
mod results_reading;
mod results_xlsx;
mod sample;
mod upload_forms;
