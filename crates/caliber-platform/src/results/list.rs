//! Lists to buy or to block, made from the rows of a run.

use std::collections::BTreeSet;

use caliber_engine::explain::Explainer;
use caliber_engine::lists::Lists;
use caliber_engine::names;
use caliber_engine::summary::ListSummary;
use caliber_reports::Figure;
use serde::Serialize;

use super::{InvalidQuery, ResultsTable};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ListType {
    /// What to buy.
    Whitelist,
    /// What to block.
    Blacklist,
}

/// How rows get on a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ListPolicy {
    /// The best or the worst share of the candidates.
    #[default]
    Quartile,
}

/// Which list is wanted, and by which rule.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRequest {
    /// The campaign, for the answer.
    pub campaign_id: String,
    /// Which list.
    pub list_type: ListType,
    /// How rows get on it.
    pub policy: ListPolicy,
    /// The least impressions of a candidate. Rows below the run's own minimum were never scored.
    pub min_impressions: f64,
    /// The share of the candidates, in (0, 0.5].
    pub share: f64,
    /// Names that are never blocked, as written by people.
    pub protected: Vec<String>,
}

/// A list with the figures of its rows.
#[derive(Clone, Debug, Serialize)]
pub struct List {
    /// Which list.
    pub list_type: ListType,
    /// The campaign.
    pub campaign_id: String,
    /// The names, in list order.
    pub domains: Vec<String>,
    /// The same rows with their figures.
    pub rows: Vec<ListRow>,
    /// The rule that was used.
    pub criteria_used: Criteria,
    /// Impressions of all rows.
    pub total_impressions: Figure,
    /// Spend of all rows; `null` where the report has none.
    pub total_spend: Option<Figure>,
    /// The mean of the rows' scores; `null` for an empty list.
    pub average_score: Option<Figure>,
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListRow {
    /// The domain or vendor.
    pub name: String,
    /// 0..100.
    pub score: Figure,
    /// Summed impressions.
    pub impressions: Figure,
    /// Summed spend; `null` where the report has none.
    pub spend: Option<Figure>,
    /// Why it is on the list, in words.
    pub reason: String,
}

/// The rule behind a list.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Criteria {
    /// How rows got on it.
    pub policy: ListPolicy,
    /// The least impressions of a candidate.
    pub min_impressions: Figure,
    /// The share of the candidates.
    pub share: Figure,
    /// Rows that were considered.
    pub total_candidates: usize,
    /// Rows on the list.
    pub selected_count: usize,
}

impl List {
    pub(super) fn of(table: &ResultsTable, request: &ListRequest) -> Result<Self, InvalidQuery> {
        check(request)?;
        let results = &table.results;
        let candidates: Vec<usize> =
            (0..results.len()).filter(|&row| results.impressions[row] >= request.min_impressions).collect();
        let key =
            |name: &str| names::normalise(name.as_bytes(), results.dimension, &mut String::new()).to_owned();
        let protected: BTreeSet<String> = request.protected.iter().map(|name| key(name)).collect();
        let is_protected = |name: &str| !protected.is_empty() && protected.contains(&key(name));
        let lists = match request.policy {
            ListPolicy::Quartile => Lists::quartile_among(results, &candidates, request.share, &is_protected),
        };
        let explainer = Explainer::new(results, &table.dictionary);
        let (chosen, reason): (_, &dyn Fn(usize) -> String) = match request.list_type {
            ListType::Whitelist => (lists.allow, &|row| explainer.best_reason(row)),
            ListType::Blacklist => (lists.block, &|row| explainer.worst_reason(row)),
        };
        let figures = ListSummary::of(results, &chosen);
        let row = |&row: &usize| ListRow {
            name: table.name(row).to_owned(),
            score: Figure(results.scores[row]),
            impressions: Figure(results.impressions[row]),
            spend: results.spend.as_ref().map(|spend| Figure(spend[row])),
            reason: reason(row),
        };
        Ok(Self {
            list_type: request.list_type,
            campaign_id: request.campaign_id.clone(),
            domains: chosen.iter().map(|&row| table.name(row).to_owned()).collect(),
            rows: chosen.iter().map(row).collect(),
            criteria_used: Criteria {
                policy: request.policy,
                min_impressions: Figure(request.min_impressions),
                share: Figure(request.share),
                total_candidates: candidates.len(),
                selected_count: chosen.len(),
            },
            total_impressions: Figure(figures.impressions),
            total_spend: figures.spend.map(Figure),
            average_score: figures.average_score.map(Figure),
        })
    }
}

fn check(request: &ListRequest) -> Result<(), InvalidQuery> {
    let invalid = |field, message: &str| Err(InvalidQuery { field, message: message.to_owned() });
    if !(request.share > 0.0 && request.share <= 0.5) {
        return invalid("share", "it is a number above 0 and up to 0.5");
    }
    if !(request.min_impressions >= 0.0 && request.min_impressions.is_finite()) {
        return invalid("min_impressions", "it is a number of impressions, 0 or more");
    }
    Ok(())
}
