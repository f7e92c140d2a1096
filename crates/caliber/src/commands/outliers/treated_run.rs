//! The folder of a treated run: the files of `caliber score`, made from the rows that were treated.

use std::path::{Path, PathBuf};

use caliber_analysis::outliers::{Treated, TreatmentAnswer, treated_summary};
use caliber_analysis::what_if::ListRules;
use caliber_engine::Result;
use caliber_reports::{OutputFile, OutputFolder};
use serde_json::{Map, Value, json};

use crate::commands::run::{ScoredRun, refused};
use crate::commands::run_files::{ResultsFormat, RunFiles};

/// Writes the files; returns where they are.
pub(super) fn write(run: &ScoredRun, treated: &Treated, folder: &Path) -> Result<Vec<PathBuf>> {
    let results = &treated.results;
    let rules = ListRules {
        share: run.lists.share,
        min_impressions: run.lists.min_impressions,
        protected: &run.lists.never_blocked,
    };
    let before = run.document(OutputFile::Summary)?.unwrap_or_else(|| unread(run));
    let (lists, summary) = treated_summary(before, &run.subject(), results, rules).map_err(refused)?;
    let quality = quality(run, &treated.answer)?;
    let folder = OutputFolder::create(folder)?;
    let files = RunFiles {
        results,
        lists: &lists,
        dictionary: &run.dictionary,
        summary: &summary,
        quality: &quality,
        name: "",
    };
    files.write(&folder, &[ResultsFormat::Csv])?;
    folder.publish()
}

/// The keys of a summary in their order, with what is known of a run whose report nobody here has read.
fn unread(run: &ScoredRun) -> Map<String, Value> {
    let recipe = &run.recipe;
    let summary = json!({
        "recipe": recipe, "normalization_stats": {}, "currency": null, "period": {"from": null, "to": null},
        "platform": recipe.platform, "channel": recipe.usual_channel(), "goal": recipe.goal,
        "dimension": run.results.dimension, "normalization": run.normalization, "files": [], "rows_read": null,
        "rows_used": null, "rows_dropped": {}, "aggregate_rows": {"count": 0, "impressions": 0, "spend": 0},
        "dimension_values": run.results.len(), "scored": 0,
        "below_minimum": {"count": 0, "impressions": 0, "spend": 0}, "campaign_score": null,
        "total_impressions": 0, "total_clicks": null, "total_conversions": null, "total_spend": null,
        "average_cpm": null, "status_counts": {}, "scores": {}, "top": [], "bottom": [], "lists": {},
        "weight_sensitivity": {},
        "weight_sensitivity": {}, "elapsed_ms": 0, "caliber_version": "",
    });
    if let Value::Object(summary) = summary { summary } else { Map::new() }
}

/// The quality of the report as it was read, and that its rows were treated.
fn quality(run: &ScoredRun, answer: &TreatmentAnswer) -> Result<Value> {
    let mut quality = run.document(OutputFile::Quality)?.unwrap_or_default();
    for key in ["files", "mapping", "unmapped_headers", "unreadable_cells", "warnings"] {
        quality.entry(key).or_insert_with(|| json!([]));
    }
    let cells: usize = answer.cells_changed.0.iter().map(|(_, cells)| cells).sum();
    let message = format!(
        "outliers were treated after scoring: {} of {} rows stayed, {cells} cells changed",
        answer.rows_after, answer.rows_before
    );
    let warning = json!({"code": "outliers_treated", "message": message});
    if let Some(Value::Array(warnings)) = quality.get_mut("warnings") {
        warnings.push(warning);
    }
    Ok(Value::Object(quality))
}
