//! Lists to buy or to block, made from the rows of a run.

use std::collections::BTreeSet;

use caliber_engine::evidence::{Decision, EvidenceRows};
use caliber_engine::explain::Explainer;
use caliber_engine::lists::{ListPolicy, ListRule, Lists};
use caliber_engine::names;
use caliber_engine::summary::ListSummary;
use caliber_reports::{Figure, ListRow};
use serde::{Deserialize, Serialize};

use super::{InvalidQuery, ResultsTable};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListType {
    /// What to buy.
    Whitelist,
    /// What to block.
    Blacklist,
}

/// Which list is wanted, and by which rule.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRequest {
    /// The campaign, for the answer.
    pub campaign_id: String,
    /// Which list.
    pub list_type: ListType,
    /// What it takes to get on it.
    pub rule: ListRule,
    /// The least impressions of a candidate. Rows below the run's own minimum were never scored.
    pub min_impressions: f64,
    /// Names that are never blocked, as written by people.
    pub protected: Vec<String>,
    /// Names that are on the list whatever the rule says, unless they are protected from it.
    pub added: Vec<String>,
    /// Names that are not on the list whatever the rule says.
    pub removed: Vec<String>,
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

/// The rule behind a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Names that would have been blocked and are protected; not told where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<String>,
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
        let refused = |reason| InvalidQuery {
            field: "policy",
            message: format!("lists cannot be made by evidence: {reason}"),
        };
        let evidence = request.rule.needs_evidence().then(|| table.evidence_rows()).transpose();
        let evidence = evidence.map_err(refused)?;
        let lists = Lists::among(results, evidence, &candidates, &request.rule, &is_protected);
        let reasons = Reasons::new(table, request.list_type, evidence);
        let chosen = match request.list_type {
            ListType::Whitelist => lists.allow,
            ListType::Blacklist => lists.block,
        };
        let by_hand = ByHand::of(table, request, &key, &is_protected);
        let chosen: Vec<usize> =
            chosen.into_iter().filter(|row| !by_hand.leaves_out(|| key(table.name(*row)))).collect();
        let protected = match request.list_type {
            ListType::Whitelist => Vec::new(),
            ListType::Blacklist => {
                let names = lists.protected.iter().map(|&row| table.name(row).to_owned());
                let names = names.filter(|name| !by_hand.leaves_out(|| key(name)));
                names.chain(by_hand.kept_off.iter().cloned()).collect()
            }
        };
        let figures = ListSummary::of(results, &[chosen.as_slice(), &by_hand.rows].concat());
        let row = |row: usize, reason: String| ListRow::scored(results, row, reason);
        let mut rows: Vec<ListRow> = chosen.iter().map(|&at| row(at, reasons.of(at))).collect();
        rows.extend(by_hand.rows.iter().map(|&at| row(at, BY_HAND.to_owned())));
        rows.extend(by_hand.unscored.into_iter().map(|name| ListRow::unscored(name, BY_HAND.to_owned())));
        Ok(Self {
            list_type: request.list_type,
            campaign_id: request.campaign_id.clone(),
            domains: rows.iter().map(|row| row.name.clone()).collect(),
            criteria_used: Criteria {
                policy: request.rule.policy,
                min_impressions: Figure(request.min_impressions),
                share: Figure(request.rule.share),
                total_candidates: candidates.len(),
                selected_count: rows.len(),
                protected,
            },
            rows,
            total_impressions: Figure(figures.impressions),
            total_spend: figures.spend.map(Figure),
            average_score: figures.average_score.map(Figure),
        })
    }
}

/// Why a name is on a list that somebody put there.
pub(crate) const BY_HAND: &str = "by hand";

/// Why rows are on a list.
struct Reasons<'a> {
    explainer: Explainer<'a>,
    list_type: ListType,
    /// Where it was asked for.
    evidence: Option<&'a EvidenceRows>,
}

impl<'a> Reasons<'a> {
    fn new(table: &'a ResultsTable, list_type: ListType, evidence: Option<&'a EvidenceRows>) -> Self {
        Self { explainer: Explainer::new(&table.results, &table.dictionary), list_type, evidence }
    }

    fn of(&self, row: usize) -> String {
        let decision = match self.list_type {
            ListType::Whitelist => Decision::Allow,
            ListType::Blacklist => Decision::Block,
        };
        // What was decided with another share or other candidates is no reason here.
        if let Some(evidence) = self.evidence.filter(|evidence| evidence.decisions[row] == decision) {
            return evidence.reasons[row].clone();
        }
        match self.list_type {
            ListType::Whitelist => self.explainer.best_reason(row),
            ListType::Blacklist => self.explainer.worst_reason(row),
        }
    }
}

impl ResultsTable {
    /// What the run found of the names of a list that was made of it. A name that the run does not have was put there by
    /// hand, as were those of `by_hand`.
    pub fn rows_of_list(
        &self,
        list_type: ListType,
        policy: ListPolicy,
        names: &[String],
        by_hand: &[String],
    ) -> Vec<ListRow> {
        let evidence = (policy == ListPolicy::Evidence).then(|| self.evidence_rows().ok()).flatten();
        let reasons = Reasons::new(self, list_type, evidence);
        let by_hand: BTreeSet<&String> = by_hand.iter().collect();
        let row = |name: &String| match self.find(name).map(super::RowId::index) {
            Some(row) if by_hand.contains(name) => ListRow::scored(&self.results, row, BY_HAND.to_owned()),
            Some(row) => ListRow::scored(&self.results, row, reasons.of(row)),
            None => ListRow::unscored(name.clone(), BY_HAND.to_owned()),
        };
        names.iter().map(row).collect()
    }
}

/// What people want on a list, or off it.
struct ByHand {
    /// Keys that the rule must not put there: those that are taken off, and those that stand at the end anyway.
    left_out: BTreeSet<String>,
    /// Scored rows that are put there, in the order they were named.
    rows: Vec<usize>,
    /// Names that were not scored and are put there.
    unscored: Vec<String>,
    /// Keys that were to be blocked and are protected.
    kept_off: BTreeSet<String>,
}

impl ByHand {
    fn of(
        table: &ResultsTable,
        request: &ListRequest,
        key: &dyn Fn(&str) -> String,
        is_protected: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut left_out: BTreeSet<String> = request.removed.iter().map(|name| key(name)).collect();
        let (mut rows, mut unscored, mut kept_off) = (Vec::new(), Vec::new(), BTreeSet::new());
        for name in &request.added {
            let is_kept_off = request.list_type == ListType::Blacklist && is_protected(name);
            if !left_out.insert(key(name)) {
                continue;
            }
            if is_kept_off {
                kept_off.insert(key(name));
                continue;
            }
            match table.find(name) {
                Some(row) => rows.push(row.index()),
                None => unscored.push(key(name)),
            }
        }
        Self { left_out, rows, unscored, kept_off }
    }

    /// Whether a name is not the rule's to put there, by its key: worked out only where there are such names.
    fn leaves_out(&self, key: impl FnOnce() -> String) -> bool {
        !self.left_out.is_empty() && self.left_out.contains(&key())
    }
}

fn check(request: &ListRequest) -> Result<(), InvalidQuery> {
    let invalid = |field, message: &str| Err(InvalidQuery { field, message: message.to_owned() });
    if !(request.rule.share > 0.0 && request.rule.share <= 0.5) {
        return invalid("share", "it is a number above 0 and up to 0.5");
    }
    if !(request.min_impressions >= 0.0 && request.min_impressions.is_finite()) {
        return invalid("min_impressions", "it is a number of impressions, 0 or more");
    }
    Ok(())
}
