//! The lists of a run, made again from its results: as the run made them, or by another rule.

use std::collections::HashSet;
use std::path::PathBuf;

use caliber_engine::evidence::{Evidence, EvidenceRows};
use caliber_engine::explain::Explainer;
use caliber_engine::lists::{ListPolicy, ListRule, Lists};
use caliber_engine::{Code, Error, Result, names, parallel};

use super::documents::ListedRows;
use super::protected;
use super::run::ScoredRun;
use super::score::{impressions, list_policy, share};

/// How lists are made, where not as the run made them.
#[derive(clap::Args, Default)]
pub(crate) struct ListRuleArgs {
    /// How rows get on the lists: quartile, evidence (only what the counts prove) [default: the run's]
    #[arg(long, value_name = "POLICY", value_parser = list_policy)]
    list_policy: Option<ListPolicy>,
    /// Share of the rows on each list, above 0 and up to 0.5 [default: the run's]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    list_share: Option<f64>,
    /// Least impressions of a row on a list [default: the run's]
    #[arg(long, value_name = "N", value_parser = impressions, allow_negative_numbers = true)]
    min_impressions: Option<u64>,
    /// File of names that must never be blocked, beside those of the run: a name a line, or CSV with the names first
    #[arg(long, value_name = "FILE")]
    protect: Option<PathBuf>,
}

/// Lists, and what they were made by.
pub(crate) struct MadeLists {
    pub(crate) rule: ListRule,
    pub(crate) min_impressions: f64,
    /// Rows that could have got on them.
    pub(crate) candidates: usize,
    pub(crate) lists: Lists,
    pub(crate) rows: ListedRows,
}

impl ListRuleArgs {
    /// The lists of a run by this rule.
    ///
    /// # Errors
    /// `BadOption` where the counts of the run cannot prove anything, and those of reading the protected names.
    pub(crate) fn make(&self, run: &ScoredRun) -> Result<MadeLists> {
        let results = &run.results;
        let mut rule = run.lists.rule();
        rule.policy = self.list_policy.unwrap_or(rule.policy);
        rule.share = self.list_share.unwrap_or(rule.share);
        let min_impressions = self.min_impressions.map_or(run.lists.min_impressions, |least| least as f64);
        let candidates: Vec<usize> =
            (0..results.len()).filter(|&row| results.impressions[row] >= min_impressions).collect();
        let key =
            |name: &str| names::normalise(name.as_bytes(), results.dimension, &mut String::new()).to_owned();
        let mut protected = self.protect.as_deref().map(protected::read).transpose()?.unwrap_or_default();
        protected.extend(run.lists.never_blocked.iter().cloned());
        let protected: HashSet<String> = protected.iter().map(|name| key(name)).collect();
        let is_protected = |name: &str| !protected.is_empty() && protected.contains(&key(name));

        // What was decided by another rule is no reason here; without counts it is all there is.
        let own = results.evidence.as_ref().filter(|_| rule == run.lists.rule());
        let asked = (rule.needs_evidence() && own.is_none()).then(|| evidence(run, &rule, &is_protected));
        let worked_out = match asked {
            Some(Err(error)) if results.evidence.is_none() => return Err(error),
            asked => asked.and_then(Result::ok),
        };
        let evidence = own.or(worked_out.as_ref()).or(results.evidence.as_ref());
        let evidence = evidence.filter(|_| rule.needs_evidence());
        let lists = Lists::among(results, evidence, &candidates, &rule, &is_protected);
        let explainer = Explainer::new(results, &run.dictionary);
        let rows = ListedRows::of(results, &explainer, &lists, evidence);
        Ok(MadeLists { rule, min_impressions, candidates: candidates.len(), lists, rows })
    }
}

/// What the counts prove, and what follows by a rule.
fn evidence(run: &ScoredRun, rule: &ListRule, is_protected: &dyn Fn(&str) -> bool) -> Result<EvidenceRows> {
    let threads = parallel::available();
    let decided = Evidence::of(&run.results, &run.dictionary, threads)
        .and_then(|evidence| evidence.decide(&run.results, &run.dictionary, rule, is_protected, threads));
    decided.map(|decided| decided.rows).map_err(|refusal| {
        Error::new(Code::BadOption, format!("lists cannot be made by evidence: {refusal}"))
            .help("--list-policy quartile goes by the scores as they are")
    })
}
