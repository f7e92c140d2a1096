//! Patterns that scores do not see: inventory made for advertising, and clicks that people do not make.
//!
//! evidence.md 2. A sign holds where the counts prove it: on raw values as many good sites would show it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::posterior::Share;
use super::{Refusal, counts};
use crate::dictionary::Dictionary;
use crate::parallel;
use crate::results::{EffectiveCounts, Results};
use crate::shrinkage::Prior;
use crate::statistics::{quantile, sorted_present};

/// Signs that make a site one made for advertising.
const SIGNS_NEEDED: usize = 3;
/// How probable a sign must be.
const SIGN_AT: f64 = 0.8;
/// How probable a click-through rate of more than [`SURGE`] times the campaign's median must be.
const SURGE_AT: f64 = 0.95;
const SURGE: f64 = 3.0;

/// Metrics that say how much of an ad was seen.
const SEEN: [&str; 4] =
    ["ias_display_fully_in_view_1s_rate", "sampled_in_view_rate", "viewable_rate", "player_completion_rate"];

/// Something suspicious about a row, beside its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// At least three signs of a site made for advertising (ANA 2023).
    MfaPattern,
    /// More clicks than people make.
    ClickSurge,
}

impl Pattern {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::MfaPattern, Self::ClickSurge];

    /// The word in files and options: `mfa_pattern`, `click_surge`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MfaPattern => "mfa_pattern",
            Self::ClickSurge => "click_surge",
        }
    }

    /// The pattern of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pattern| pattern.name() == word)
    }
}

/// A sign of a site made for advertising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// The CPM is below the campaign's first quartile.
    Cheap,
    /// In view, or completed, more than the third quartile.
    WellSeen,
    /// More excessive ad load than the third quartile.
    AdLoad,
    /// More quick refreshes than the third quartile.
    AdRefresh,
    /// Fewer conversions than the first quartile.
    WeakConversions,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cheap => "cheap",
            Self::WellSeen => "well seen",
            Self::AdLoad => "heavy ad load",
            Self::AdRefresh => "quick refresh",
            Self::WeakConversions => "weak conversions",
        })
    }
}

/// What was found of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) patterns: Vec<Pattern>,
    /// The signs behind [`Pattern::MfaPattern`].
    pub(super) signs: Vec<Sign>,
}

/// What the report lets be judged, and the limits of it.
pub(super) struct Patterns<'a> {
    cpm: Option<(Vec<Option<f64>>, f64)>,
    signs: Vec<(Sign, Posteriors<'a>, Limit)>,
    ctr: Option<(Posteriors<'a>, f64)>,
}

/// A column that a pattern may look at.
struct Figure<'a, 'd> {
    name: &'a str,
    canonical: &'d str,
    values: &'a [Option<f64>],
    counts: Option<&'a EffectiveCounts>,
}

/// Which side of a quartile is the sign.
#[derive(Clone, Copy)]
enum Limit {
    Above(f64),
    Below(f64),
}

/// The posteriors of one share over all rows.
struct Posteriors<'a> {
    prior: Prior,
    counts: &'a EffectiveCounts,
}

impl Posteriors<'_> {
    fn of_row(&self, row: usize) -> Share {
        let (a, b) = self.prior.posterior(self.counts.events[row], self.counts.trials[row]);
        Share { a, b }
    }

    fn quantile_of_means(&self, share: f64) -> Option<f64> {
        let rows = 0..self.counts.trials.len();
        let means: Vec<Option<f64>> = rows.map(|row| Some(self.of_row(row).mean())).collect();
        quantile(&sorted_present(&means), share)
    }
}

impl<'a> Patterns<'a> {
    /// Prepares to judge rows; `prior_of` knows the priors that were fitted already.
    pub(super) fn of(
        results: &'a Results,
        dictionary: &Dictionary,
        prior_of: &(dyn Fn(&str) -> Option<Prior> + Sync),
        threads: usize,
    ) -> Result<Self, Refusal> {
        let metrics = results.metrics.iter().map(|metric| Figure {
            name: &metric.name,
            canonical: dictionary.canonical(&metric.name),
            values: &metric.values,
            counts: metric.counts.as_ref(),
        });
        let extras = results.extras.iter().map(|extra| Figure {
            name: extra.name,
            canonical: extra.name,
            values: &extra.values,
            counts: extra.counts.as_ref(),
        });
        let figures: Vec<Figure<'a, '_>> = metrics.chain(extras).collect();
        let cpm = figures.iter().find(|figure| figure.canonical == "cpm").and_then(|figure| {
            Some((figure.values.to_vec(), quantile(&sorted_present(figure.values), 0.25)?))
        });
        let judged: Vec<(&str, Judged, &EffectiveCounts)> = figures
            .iter()
            .filter_map(|figure| Some((figure.name, Judged::of(figure.canonical)?, figure.counts?)))
            .filter(|(_, _, counts)| counts.trials.iter().any(|trials| *trials > 0.0))
            .collect();
        let fitted = parallel::map(threads, &judged, |(name, judged, effective)| {
            let prior = match prior_of(name) {
                Some(prior) => prior,
                None => Prior::fit(counts(effective), threads)
                    .map_err(|cause| Refusal::NoPrior { metric: (*name).to_owned(), cause })?,
            };
            let posteriors = Posteriors { prior, counts: effective };
            let limit = posteriors.quantile_of_means(judged.quantile()).unwrap_or(0.0);
            Ok((*judged, posteriors, limit))
        });
        let mut patterns = Self { cpm, signs: Vec::new(), ctr: None };
        for fitted in fitted {
            match fitted? {
                (Judged::Clicks, posteriors, median) => patterns.ctr = Some((posteriors, SURGE * median)),
                (Judged::Weak, posteriors, first) => {
                    patterns.signs.push((Sign::WeakConversions, posteriors, Limit::Below(first)));
                }
                (Judged::Strong(sign), posteriors, third) => {
                    patterns.signs.push((sign, posteriors, Limit::Above(third)));
                }
            }
        }
        Ok(patterns)
    }

    /// Whether the report has enough of the figures to tell sites made for advertising.
    pub(super) fn can_judge_mfa(&self) -> bool {
        let mut signs: Vec<Sign> = self.signs.iter().map(|(sign, ..)| *sign).collect();
        signs.sort_unstable();
        signs.dedup();
        signs.len() + usize::from(self.cpm.is_some()) >= SIGNS_NEEDED
    }

    /// What one row shows.
    pub(super) fn found(&self, row: usize) -> Found {
        let mut found = Found::default();
        let signs = self.signs_of(row);
        if signs.len() >= SIGNS_NEEDED {
            found.patterns.push(Pattern::MfaPattern);
            found.signs = signs;
        }
        if self.ctr.as_ref().is_some_and(|(ctr, limit)| is_above(ctr.of_row(row), *limit, SURGE_AT)) {
            found.patterns.push(Pattern::ClickSurge);
        }
        found
    }

    fn signs_of(&self, row: usize) -> Vec<Sign> {
        let mut signs = Vec::new();
        if let Some((values, first)) = &self.cpm
            && values[row].is_some_and(|cpm| cpm < *first)
        {
            signs.push(Sign::Cheap);
        }
        for (sign, posteriors, limit) in &self.signs {
            let share = posteriors.of_row(row);
            let holds = match limit {
                Limit::Above(limit) => is_above(share, *limit, SIGN_AT),
                Limit::Below(limit) => share.below(*limit) >= SIGN_AT,
            };
            if holds && !signs.contains(sign) {
                signs.push(*sign);
            }
        }
        signs
    }
}

/// What a share is judged for.
#[derive(Clone, Copy)]
enum Judged {
    Clicks,
    Weak,
    Strong(Sign),
}

impl Judged {
    fn of(canonical: &str) -> Option<Self> {
        Some(match canonical {
            "ctr" => Self::Clicks,
            "conversion_rate" => Self::Weak,
            "ad_load_xl_rate" => Self::Strong(Sign::AdLoad),
            "ad_refresh_below_15s_rate" => Self::Strong(Sign::AdRefresh),
            _ if SEEN.contains(&canonical) => Self::Strong(Sign::WellSeen),
            _ => return None,
        })
    }

    /// The quantile of the posterior means that is the limit.
    fn quantile(self) -> f64 {
        match self {
            Self::Clicks => 0.5,
            Self::Weak => 0.25,
            Self::Strong(_) => 0.75,
        }
    }
}

/// Whether a share is above a limit with some probability. By Markov's inequality most rows need no integral.
fn is_above(share: Share, limit: f64, probability: f64) -> bool {
    share.mean() >= probability * limit && 1.0 - share.below(limit) >= probability
}
