//! Writes what a scoring run leaves behind: results as CSV, JSON, Parquet and a workbook, lists, and the folder that holds
//! them, whole or not at all. Writes what is made of it later: exports of a campaign, and lists in the forms that DSPs
//! take. Reads results back, of Parquet and of CSV.
//!
//! Every results file has the same columns in the same order, from one list (`columns`). Text cells that a
//! spreadsheet would run as a formula are neutralised in CSV and XLSX, never in JSON and Parquet.

mod campaign_report;
mod columns;
mod csv_text;
mod exports;
mod failure;
mod folder;
mod folder_lock;
mod json;
mod lists;
mod neutralise;
mod number_text;
mod results_csv;
mod results_parquet;
mod results_reading;
mod upload_forms;
mod workbook;

pub use campaign_report::{
    CampaignReport, ListFacts, ListRow, MappingFacts, Period, PortionFacts, QualityFacts, RunFacts,
    UnreadableFacts, WarningFacts,
};
pub use exports::{ExportedCampaign, ListExport, ResultsExport, write_lists_csv, write_summary_csv};
pub use failure::unwritten;
pub use folder::{OutputFile, OutputFolder, PublishingHeld, hold_publishing};
pub use json::{Figure, json_line, write_json_pretty, write_results_json};
pub use lists::{write_list_csv, write_list_text};
pub use neutralise::{neutralise, restore};
pub use results_csv::write_results_csv;
pub use results_parquet::write_results_parquet;
pub use results_reading::{read_results_csv, read_results_parquet, read_results_parquet_bytes};
pub use upload_forms::{
    Inventory, LeftOut, ListKind, MANIFEST, Manifest, ManifestFile, UploadFile, UploadFiles, UploadForm,
};
pub use workbook::write_results_xlsx;
