//! What the writers leave, read back by other libraries.

mod folder;
mod lists;
mod results_csv;
mod results_json;
mod results_parquet;
mod results_xlsx;
mod sample;
