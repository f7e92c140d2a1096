//! What to do with each row by the evidence, and why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::patterns::{Found, Pattern, Patterns, Sign};
use super::posterior::{Moments, Share};
use super::root::{self, Tolerance};
use super::{Evidence, Law, Refusal};
use crate::dictionary::Dictionary;
use crate::explain::Explainer;
use crate::lists::{Ends, ListPolicy, ListRule, Lists};
use crate::parallel;
use crate::results::Results;

/// Counts that would have to grow by more than this cannot decide.
const MOST_GROWTH: f64 = 2000.0;
/// Standard deviations between a mean and the median of a row that is just decided, by a normal law at 95 %.
const DECIDED_AT: f64 = 1.645;
/// So near a normal law comes to the logarithm of the factor that is needed, most often.
const NEAR: f64 = 0.4;
/// The step to search farther by.
const LARGE_STEP: f64 = 1.4;

/// What the evidence asks of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Do not buy it.
    Block,
    /// Buy it.
    Allow,
    /// Not proven either way.
    Watch,
}

impl Decision {
    /// The word in files: `block`, `allow`, `watch`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Allow => "allow",
            Self::Watch => "watch",
        }
    }

    /// The decision of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Block, Self::Allow, Self::Watch].into_iter().find(|decision| decision.name() == word)
    }
}

/// What the evidence says of the rows of [`Results`]: every vector has one entry a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EvidenceRows {
    /// The mean of the score's law, 0..100.
    pub scores: Vec<f64>,
    /// Its 5 % quantile.
    pub low: Vec<f64>,
    /// Its 95 % quantile.
    pub high: Vec<f64>,
    /// The probability to be below the median.
    pub below: Vec<f64>,
    /// The probability to be above it.
    pub above: Vec<f64>,
    /// What to do.
    pub decisions: Vec<Decision>,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// Impressions that would decide about a row of the outer quarters; `None` of others, and where no number would.
    pub impressions_needed: Vec<Option<f64>>,
    /// Patterns it shows.
    pub patterns: Vec<Vec<Pattern>>,
    /// Metrics that are taken as known; the same for all rows.
    pub known_metrics: Vec<String>,
}

impl EvidenceRows {
    /// The rows that are not proven either way.
    pub fn watched(&self) -> impl Iterator<Item = usize> {
        let decisions = self.decisions.iter().enumerate();
        decisions.filter(|(_, decision)| **decision == Decision::Watch).map(|(row, _)| row)
    }

    /// The rows at these positions, in this order.
    #[must_use]
    pub fn rows(&self, order: &[usize]) -> Self {
        fn pick<T: Clone>(column: &[T], order: &[usize]) -> Vec<T> {
            order.iter().map(|&row| column[row].clone()).collect()
        }
        Self {
            scores: pick(&self.scores, order),
            low: pick(&self.low, order),
            high: pick(&self.high, order),
            below: pick(&self.below, order),
            above: pick(&self.above, order),
            decisions: pick(&self.decisions, order),
            reasons: pick(&self.reasons, order),
            impressions_needed: pick(&self.impressions_needed, order),
            patterns: pick(&self.patterns, order),
            known_metrics: self.known_metrics.clone(),
        }
    }
}

/// What one row's figures are before anything is decided.
struct Judged {
    low: f64,
    high: f64,
    below: f64,
    above: f64,
    found: Found,
}

/// What the evidence decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The lists.
    pub lists: Lists,
    /// What it says of each row.
    pub rows: EvidenceRows,
    /// Whether the report has enough figures to tell sites made for advertising.
    pub can_judge_mfa: bool,
}

impl Evidence {
    /// Decides about every row (evidence.md 1.7, 1.8 and 2): the lists, and what the evidence says of each row.
    ///
    /// # Errors
    /// [`Refusal::NoPrior`] of a share that only patterns look at.
    pub fn decide(
        &self,
        results: &Results,
        dictionary: &Dictionary,
        rule: &ListRule,
        is_protected: &dyn Fn(&str) -> bool,
        threads: usize,
    ) -> Result<Decided, Refusal> {
        let prior_of = |name: &str| self.metrics.iter().find(|metric| metric.metric == name)?.prior;
        let patterns = Patterns::of(results, dictionary, &prior_of, threads)?;
        let all: Vec<usize> = (0..results.len()).collect();
        let judged = parallel::map_chunks(threads, &all, |&row| {
            let (low, high) = (self.laws[row].quantile(0.05), self.laws[row].quantile(0.95));
            let (below, above) = self.sides(row);
            Judged { low, high, below, above, found: patterns.found(row) }
        });
        let column = |of: fn(&Judged) -> f64| judged.iter().map(of).collect();
        let mut rows = EvidenceRows {
            scores: self.laws.iter().map(|law| law.mean).collect(),
            low: column(|row| row.low),
            high: column(|row| row.high),
            below: column(|row| row.below),
            above: column(|row| row.above),
            patterns: judged.iter().map(|row| row.found.patterns.clone()).collect(),
            known_metrics: self.known_metrics(),
            ..EvidenceRows::default()
        };
        let ends = Lists::ends(results, &rows.scores, &all, rule.share);
        let lists = Lists::weighed(results, &rows, &all, &ends, rule, is_protected);
        let places = places(results.len(), &ends);

        let mut decisions = vec![Decision::Watch; results.len()];
        for &row in &lists.block {
            decisions[row] = Decision::Block;
        }
        for &row in &lists.allow {
            decisions[row] = Decision::Allow;
        }
        let protected: BTreeSet<usize> = lists.protected.iter().copied().collect();
        let needed = parallel::map_chunks(threads, &all, |&row| {
            if decisions[row] != Decision::Watch || protected.contains(&row) {
                return None;
            }
            let growth = self.growth_needed(results, row, places[row], rule)?;
            Some((growth * results.impressions[row]).ceil())
        });
        let words = Words::of(self, results, dictionary, &rows, rule);
        rows.reasons = parallel::map_chunks(threads, &all, |&row| {
            let signs = &judged[row].found.signs;
            words.reason(row, decisions[row], places[row], protected.contains(&row), needed[row], signs)
        });
        rows.decisions = decisions;
        rows.impressions_needed = needed;
        Ok(Decided { lists, rows, can_judge_mfa: patterns.can_judge_mfa() })
    }

    /// The smallest factor on a row's counts, its posterior means held, that decides about it; `None` where none up
    /// to [`MOST_GROWTH`] does, and where it is decided or lies in the middle.
    fn growth_needed(&self, results: &Results, row: usize, place: Place, rule: &ListRule) -> Option<f64> {
        if place == Place::Middle {
            return None;
        }
        let short_of = |law: &Law| {
            let below = law.probability_below(self.median);
            match place {
                Place::Worst => below - rule.block_at,
                _ => 1.0 - below - rule.allow_at,
            }
        };
        // At the logarithm of a factor.
        let missing = |log: f64| short_of(&self.grown(results, row, log.exp()));
        let point = |log: f64| (log, missing(log));
        let as_it_is = (0.0, short_of(&self.laws[row]));
        if as_it_is.1 >= 0.0 {
            return None;
        }
        // Variances fall about as counts grow: near the factor, so that a few steps find it.
        let law = self.laws[row];
        let distance = (self.median - law.mean).abs().max(f64::MIN_POSITIVE);
        let most = MOST_GROWTH.ln();
        let near = (2.0 * (DECIDED_AT * law.sd / distance).ln()).clamp(0.0, most);
        let mut high = point((near + NEAR).min(most));
        let mut low = as_it_is;
        let mut step = 2.0 * NEAR;
        if high.1 >= 0.0 {
            // Down to a place that does not decide.
            while high.0 - step > 0.0 {
                let below = point(high.0 - step);
                if below.1 < 0.0 {
                    low = below;
                    break;
                }
                (high, step) = (below, LARGE_STEP);
            }
        }
        while high.1 < 0.0 {
            if high.0 >= most {
                return None;
            }
            (low, high) = (high, point((high.0 + LARGE_STEP).min(most)));
        }
        Some(root::between(low, high, Tolerance { place: 1e-6, value: 1e-6 }, missing).exp())
    }

    /// The law of a row's score if its counts were so many times what they are.
    fn grown(&self, results: &Results, row: usize, factor: f64) -> Law {
        let mut sum = Moments::default();
        for (scale, column) in self.metrics.iter().zip(&results.metrics) {
            let posterior = scale.posterior(column, row).map(|share| {
                let trials = column.counts.as_ref().map_or(0.0, |counts| counts.trials[row].max(0.0));
                let size = share.a + share.b + (factor - 1.0) * trials;
                Share { a: share.mean() * size, b: (1.0 - share.mean()) * size }
            });
            sum = sum.plus(scale.worth(column.values[row], posterior).weighted(scale.weight));
        }
        Law::of(sum)
    }
}

/// Where a row stands by its evidence score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Worst,
    Middle,
    Best,
}

/// The place of every row.
fn places(rows: usize, ends: &Ends) -> Vec<Place> {
    let mut places = vec![Place::Middle; rows];
    for &row in &ends.worst {
        places[row] = Place::Worst;
    }
    for &row in &ends.best {
        places[row] = Place::Best;
    }
    places
}

/// Decisions in words.
struct Words<'a> {
    evidence: &'a Evidence,
    rows: &'a EvidenceRows,
    results: &'a Results,
    dictionary: &'a Dictionary,
    explainer: Explainer<'a>,
    rule: &'a ListRule,
    /// What each metric is worth over the campaign.
    means: Vec<f64>,
}

impl<'a> Words<'a> {
    fn of(
        evidence: &'a Evidence,
        results: &'a Results,
        dictionary: &'a Dictionary,
        rows: &'a EvidenceRows,
        rule: &'a ListRule,
    ) -> Self {
        let count = results.len().max(1) as f64;
        let means = evidence.worth.iter().map(|worth| worth.iter().sum::<f64>() / count).collect();
        let explainer = Explainer::new(results, dictionary);
        Self { evidence, rows, results, dictionary, explainer, rule, means }
    }

    fn reason(
        &self,
        row: usize,
        decision: Decision,
        place: Place,
        is_protected: bool,
        needed: Option<f64>,
        signs: &[Sign],
    ) -> String {
        let below = || format!("{} sure to be below the median", percent(self.rows.below[row]));
        let above = || format!("{} sure to be above the median", percent(self.rows.above[row]));
        let patterns = &self.rows.patterns[row];
        let by_score = self.rule.policy == ListPolicy::Quartile;
        match decision {
            Decision::Block => {
                let blocking = patterns.iter().find(|one| self.rule.block_patterns.contains(one));
                match blocking {
                    Some(pattern) => pattern_in_words(*pattern, signs),
                    None if by_score => self.explainer.worst_reason(row),
                    None => format!("{}; {}", below(), self.strongest(row, -1.0)),
                }
            }
            Decision::Allow if by_score => self.explainer.best_reason(row),
            Decision::Allow => format!("{}; {}", above(), self.strongest(row, 1.0)),
            Decision::Watch if is_protected => "would be blocked, but its name is protected".to_owned(),
            Decision::Watch => {
                let decides = match needed {
                    Some(impressions) => format!("about {impressions:.0} impressions would decide"),
                    None => "more impressions would not decide".to_owned(),
                };
                match place {
                    Place::Middle => format!(
                        "neither among the worst nor among the best; {}",
                        self.strongest(row, if self.rows.below[row] > 0.5 { -1.0 } else { 1.0 })
                    ),
                    Place::Worst => format!("only {}; {decides}", below()),
                    Place::Best => match patterns.first() {
                        Some(pattern) => pattern_in_words(*pattern, signs),
                        None if self.rows.above[row] >= self.rule.allow_at => {
                            "its click-through rate is an outlier".to_owned()
                        }
                        None => format!("only {}; {decides}", above()),
                    },
                }
            }
        }
    }

    /// The metric that moves the evidence score most in a direction, with its value.
    fn strongest(&self, row: usize, direction: f64) -> String {
        let points = self.evidence.metrics.iter().enumerate().map(|(at, metric)| {
            (at, direction * metric.weight * (self.evidence.worth[at][row] - self.means[at]))
        });
        let Some((at, _)) = points.reduce(|best, next| if next.1 > best.1 { next } else { best }) else {
            return String::new();
        };
        let metric = &self.results.metrics[at];
        let label = self.dictionary.label(&metric.name);
        let verb = if direction < 0.0 { "costs" } else { "helps" };
        match metric.values[row] {
            Some(value) => format!("{label} {} {verb} it most", self.explainer.written(&metric.name, value)),
            None => format!("{label}, of which nothing is known, {verb} it most"),
        }
    }
}

fn pattern_in_words(pattern: Pattern, signs: &[Sign]) -> String {
    match pattern {
        Pattern::MfaPattern => {
            let signs: Vec<String> = signs.iter().map(Sign::to_string).collect();
            format!("looks made for advertising: {}", signs.join(", "))
        }
        Pattern::ClickSurge => "more clicks than people make".to_owned(),
    }
}

/// A probability in percent, never more certain than it is.
fn percent(probability: f64) -> String {
    if probability > 0.999 {
        return "more than 99.9 %".to_owned();
    }
    format!("{:.1} %", (probability * 1000.0).floor() / 10.0)
}
