//! The files that a run leaves in its folder.

use std::panic::{AssertUnwindSafe, catch_unwind};

use caliber_engine::dictionary::Dictionary;
use caliber_engine::explain::Explainer;
use caliber_engine::lists::Lists;
use caliber_engine::parallel;
use caliber_engine::results::Results;
use caliber_engine::{Code, Error, Result};
use caliber_reports::{
    OutputFile, OutputFolder, QualityFacts, RunFacts, write_json_pretty, write_list_csv, write_list_text,
    write_results_csv, write_results_json, write_results_parquet, write_results_xlsx,
};
use clap::ValueEnum;
use serde::Serialize;

use super::documents::{DocumentedCampaign, ListedRows, document};
use super::pdf;
use super::placing::write_bytes;

/// A form of the results beside Parquet.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultsFormat {
    Csv,
    Json,
    Xlsx,
    Pdf,
}

/// What the files of a run hold.
pub(crate) struct RunFiles<'a, S, Q> {
    pub(crate) results: &'a Results,
    pub(crate) lists: &'a Lists,
    pub(crate) dictionary: &'a Dictionary,
    pub(crate) summary: &'a S,
    pub(crate) quality: &'a Q,
    /// What documents for people call the campaign.
    pub(crate) name: &'a str,
}

impl<S: Serialize + Sync, Q: Serialize + Sync> RunFiles<'_, S, Q> {
    /// Writes every file, the large ones side by side.
    pub(crate) fn write(&self, folder: &OutputFolder, formats: &[ResultsFormat]) -> Result<()> {
        let (results, lists) = (self.results, self.lists);
        let explainer = Explainer::new(results, self.dictionary);
        let decided = |row: usize| results.evidence.as_ref().map(|evidence| evidence.reasons[row].clone());
        let wants = |format| formats.contains(&format);
        let lists_and_parquet = || -> Result<()> {
            folder.write(OutputFile::ResultsParquet, |file| write_results_parquet(results, file))?;
            folder.write(OutputFile::AllowlistTxt, |file| write_list_text(results, &lists.allow, file))?;
            folder.write(OutputFile::BlocklistTxt, |file| write_list_text(results, &lists.block, file))?;
            folder.write(OutputFile::AllowlistCsv, |file| {
                let reason = |row: usize| decided(row).unwrap_or_else(|| explainer.best_reason(row));
                write_list_csv(results, &lists.allow, reason, file)
            })?;
            folder.write(OutputFile::BlocklistCsv, |file| {
                let reason = |row: usize| decided(row).unwrap_or_else(|| explainer.worst_reason(row));
                write_list_csv(results, &lists.block, reason, file)
            })?;
            if let Some(evidence) = &results.evidence {
                let watched: Vec<usize> = evidence.watched().collect();
                folder.write(OutputFile::WatchlistCsv, |file| {
                    write_list_csv(results, &watched, |row| evidence.reasons[row].clone(), file)
                })?;
            }
            folder.write(OutputFile::Quality, |file| write_json_pretty(self.quality, file))?;
            folder.write(OutputFile::Summary, |file| write_json_pretty(self.summary, file))
        };
        let results_files = || -> Result<()> {
            if wants(ResultsFormat::Csv) {
                folder.write(OutputFile::ResultsCsv, |file| write_results_csv(results, file))?;
            }
            if wants(ResultsFormat::Json) {
                folder.write(OutputFile::ResultsJson, |file| write_results_json(results, file))?;
            }
            if wants(ResultsFormat::Xlsx) || wants(ResultsFormat::Pdf) {
                self.write_documents(folder, &explainer, formats)?;
            }
            Ok(())
        };
        // Nothing of a file that was being written is read again.
        let written = catch_unwind(AssertUnwindSafe(|| parallel::join(lists_and_parquet, results_files)));
        let (lists_and_parquet, results_files) = written.map_err(|_| {
            Error::new(Code::Machine, "a thread broke down while it wrote")
                .help("this is a bug of ours; please report it")
        })?;
        results_files.and(lists_and_parquet)
    }

    /// Writes the documents for people.
    fn write_documents(
        &self,
        folder: &OutputFolder,
        explainer: &Explainer,
        formats: &[ResultsFormat],
    ) -> Result<()> {
        let campaign = DocumentedCampaign {
            name: self.name.to_owned(),
            run: RunFacts::of(document(self.summary)?)?,
            quality: QualityFacts::of(document(self.quality)?)?,
            lists: ListedRows::of(self.results, explainer, self.lists, self.results.evidence.as_ref()),
        };
        let report = campaign.report(self.results, self.dictionary);
        if formats.contains(&ResultsFormat::Xlsx) {
            folder
                .write(OutputFile::ResultsXlsx, |file| write_results_xlsx(&report, folder.scratch(), file))?;
        }
        if formats.contains(&ResultsFormat::Pdf) {
            let bytes = pdf::render(&report, &pdf::Look::default())?;
            folder.write(OutputFile::ReportPdf, |file| write_bytes(&bytes, file))?;
        }
        Ok(())
    }
}
