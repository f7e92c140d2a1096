//! A scored campaign as documents for people tell it, put together from what a run left or has in hand.

use std::path::Path;

use caliber_engine::dictionary::Dictionary;
use caliber_engine::evidence::{Decision, EvidenceRows};
use caliber_engine::explain::Explainer;
use caliber_engine::lists::Lists;
use caliber_engine::results::Results;
use caliber_engine::{Code, Error, Result};
use caliber_platform::Clock;
use caliber_reports::{CampaignReport, ListRow, QualityFacts, RunFacts};
use serde::Serialize;
use serde_json::Value;

use super::reading::without_extensions;

/// What documents tell beside the results.
pub(crate) struct DocumentedCampaign {
    pub(crate) name: String,
    pub(crate) run: RunFacts,
    pub(crate) quality: QualityFacts,
    pub(crate) lists: ListedRows,
}

/// The rows of both lists, with their reasons.
pub(crate) struct ListedRows {
    pub(crate) allow: Vec<ListRow>,
    pub(crate) block: Vec<ListRow>,
}

impl DocumentedCampaign {
    /// The campaign, now.
    pub(crate) fn report<'a>(
        &'a self,
        results: &'a Results,
        dictionary: &'a Dictionary,
    ) -> CampaignReport<'a> {
        CampaignReport {
            name: &self.name,
            results,
            dictionary,
            run: &self.run,
            quality: &self.quality,
            allowlist: &self.lists.allow,
            blocklist: &self.lists.block,
            scored_at: None,
            generated_at: Clock::default().now(),
        }
    }
}

impl ListedRows {
    /// The rows of these lists. What the evidence decided is the reason where it decided so; else it is the metric that
    /// lifts the row most, or costs it most.
    pub(crate) fn of(
        results: &Results,
        explainer: &Explainer,
        lists: &Lists,
        evidence: Option<&EvidenceRows>,
    ) -> Self {
        let decided = |row: usize, decision: Decision| {
            let evidence = evidence.filter(|evidence| evidence.decisions[row] == decision)?;
            Some(evidence.reasons[row].clone())
        };
        let listed = |rows: &[usize], decision: Decision, reason: &dyn Fn(usize) -> String| {
            let row = |&row: &usize| {
                let reason = decided(row, decision).unwrap_or_else(|| reason(row));
                ListRow::scored(results, row, reason)
            };
            rows.iter().map(row).collect()
        };
        Self {
            allow: listed(&lists.allow, Decision::Allow, &|row| explainer.best_reason(row)),
            block: listed(&lists.block, Decision::Block, &|row| explainer.worst_reason(row)),
        }
    }
}

/// What is serialised, as a JSON document.
pub(crate) fn document(of: &impl Serialize) -> Result<Value> {
    serde_json::to_value(of).map_err(|cause| {
        Error::new(Code::Machine, format!("a document cannot be put together: {cause}"))
            .help("this is a bug of ours; please report it")
            .caused_by(cause)
    })
}

/// What a campaign is called of which only the files are known: the first one's name.
pub(crate) fn name_of(files: &[String]) -> String {
    let first = files.first().map(|file| without_extensions(Path::new(file)));
    let name = first.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.filter(|name| !name.is_empty() && name != "standard input").unwrap_or_else(|| "Campaign".to_owned())
}
