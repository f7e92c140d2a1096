//! What changed between two runs of a campaign, and what brought it about.
//!
//! With p the share of impressions, s the score and S = sum p s the campaign's score, the change from before (0) to
//! after (1) falls apart exactly: into the metrics of domains that are in both runs, into volume that moved between
//! them, into domains that are new and into those that are gone. All is measured against R = (S0 + S1) / 2, and with
//! means of before and after, so that the way back is the negative of the way there.

mod words;

use std::collections::HashMap;

use caliber_engine::names;
use caliber_engine::results::{MetricColumn, Results};
use caliber_engine::summary::{campaign_score, total};
use serde::Serialize;

use crate::{ByMetric, Error, Pair, Result, Subject, ranked};

/// Domains that are listed.
const LISTED: usize = 20;
/// A score that moved by no more than this stayed.
const STAYED: f64 = 1e-9;

/// What changed between two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changes {
    /// The run before.
    pub before: RunFigures,
    /// The run after.
    pub after: RunFigures,
    /// After less before.
    pub campaign_score_change: f64,
    /// What each metric did to the change; metrics of before, then those that only after has.
    pub feature_changes: ByMetric<FeatureChange>,
    /// Points of impressions that moved to better or worse domains, among those in both runs.
    pub volume: f64,
    /// The change by kind of domain.
    pub mix: Mix,
    /// How many domains of each kind.
    pub counts: Counts,
    /// Every metric, `volume`, `new` and `gone` with their points, the weightiest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<(String, f64)>))]
    pub change_drivers: Vec<Pair>,
    /// The domains with the most points, the weightiest first.
    pub score_changes: Vec<ScoreChange>,
    /// The same in words.
    pub explanation: String,
    /// What makes the two runs hard to compare.
    pub warnings: Vec<String>,
}

/// A run in figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunFigures {
    /// Mean score, weighted by impressions.
    pub campaign_score: f64,
    /// Scored rows.
    pub rows: usize,
    /// Their impressions.
    pub impressions: f64,
    /// Their spend; `null` where the report has none.
    pub spend: Option<f64>,
}

/// A metric before and after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeatureChange {
    /// The raw value, a mean weighted by impressions over the rows where it is present; `null` without any.
    pub before: Option<f64>,
    /// The same after.
    pub after: Option<f64>,
    /// Points of the campaign's score, by domains that are in both runs.
    pub points: f64,
}

/// The change of the campaign's score by kind of domain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ChangeMix))]
pub struct Mix {
    /// Of domains in both runs: metrics and volume.
    pub same: f64,
    /// Of domains only after.
    pub new: f64,
    /// Of domains only before.
    pub gone: f64,
}

/// Domains by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ChangedDomains))]
pub struct Counts {
    /// In both runs.
    pub same: usize,
    /// Only after.
    pub new: usize,
    /// Only before.
    pub gone: usize,
    /// In both, and the score rose.
    pub improved: usize,
    /// In both, and the score fell.
    pub declined: usize,
}

/// A domain's part of the change.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScoreChange {
    /// The domain, or the supply vendor.
    pub domain: String,
    /// Its score before; `null` for a new one.
    pub before: Option<f64>,
    /// Its score after; `null` for one that is gone.
    pub after: Option<f64>,
    /// After less before; `null` where it is in one run only.
    pub change: Option<f64>,
    /// Points of the campaign's score; over all domains they sum to its change.
    pub points: f64,
}

/// What changed from one run to another.
///
/// # Errors
/// [`Error::Option`] `before` or `after` where a run has no impressions, or rows of another kind than the other.
pub fn changes(before: &Subject<'_>, after: &Subject<'_>) -> Result<Changes> {
    let figures = (figures("before", before.results)?, figures("after", after.results)?);
    if before.results.dimension != after.results.dimension {
        let (was, is) = (before.results.dimension.name(), after.results.dimension.name());
        let message = format!("its rows are of `{is}`, those of before of `{was}`; both must be of one kind");
        return Err(Error::option("after", message));
    }
    let sides = (Side::of(before.results, figures.0), Side::of(after.results, figures.1));
    let pairs = Pairs::of(before.results, after.results);
    let middle = f64::midpoint(figures.0.campaign_score, figures.1.campaign_score);

    let feature_changes = feature_changes(&sides, &pairs.same);
    let points = points_of_domains(&sides, &pairs, middle);
    let volume = total(pairs.same.iter().map(|&pair| volume_of(&sides, pair, middle)));
    let new = total(pairs.new.iter().map(|&row| sides.1.points_against(row, middle)));
    let gone = 0.0 - total(pairs.gone.iter().map(|&row| sides.0.points_against(row, middle)));
    let same = feature_changes.0.iter().map(|(_, change)| change.points).sum::<f64>() + volume;

    let metrics = feature_changes.0.iter().map(|(name, change)| (name.clone(), change.points));
    let others = [("volume", volume), ("new", new), ("gone", gone)];
    let change_drivers = ranked(metrics.chain(others.map(|(name, points)| (name.to_owned(), points))));
    let campaign_score_change = figures.1.campaign_score - figures.0.campaign_score;
    Ok(Changes {
        before: figures.0,
        after: figures.1,
        campaign_score_change,
        explanation: words::explanation(before, after, figures, &change_drivers),
        warnings: words::warnings(before, after),
        volume,
        mix: Mix { same, new, gone },
        counts: pairs.counts(&sides),
        change_drivers,
        score_changes: score_changes(&sides, points),
        feature_changes,
    })
}

fn figures(option: &'static str, results: &Results) -> Result<RunFigures> {
    let score = campaign_score(results).filter(|score| score.is_finite());
    let Some(campaign_score) = score else {
        return Err(Error::option(
            option,
            "its rows have no impressions, so the campaign has no score; a run with impressions is needed",
        ));
    };
    Ok(RunFigures {
        campaign_score,
        rows: results.len(),
        impressions: total(results.impressions.iter().copied()),
        spend: results.spend.as_ref().map(|spend| total(spend.iter().copied())),
    })
}

/// One of the two runs.
struct Side<'a> {
    results: &'a Results,
    impressions: f64,
}

impl<'a> Side<'a> {
    fn of(results: &'a Results, figures: RunFigures) -> Self {
        Self { results, impressions: figures.impressions }
    }

    /// The share of impressions of a row.
    fn share(&self, row: usize) -> f64 {
        self.results.impressions[row] / self.impressions
    }

    fn score(&self, row: usize) -> f64 {
        self.results.scores[row]
    }

    /// What a row adds to the campaign's score above the level `middle`.
    fn points_against(&self, row: usize, middle: f64) -> f64 {
        self.share(row) * (self.score(row) - middle)
    }

    fn metric(&self, name: &str) -> Option<&'a MetricColumn> {
        self.results.metrics.iter().find(|metric| metric.name == name)
    }

    /// The raw values of a metric, or of the column of its name beside the metrics.
    fn values(&self, name: &str) -> Option<&'a [Option<f64>]> {
        let extra = || self.results.extras.iter().find(|extra| extra.name == name);
        let metric = self.metric(name).map(|metric| metric.values.as_slice());
        metric.or_else(|| extra().map(|extra| extra.values.as_slice()))
    }

    fn mean_value(&self, name: &str) -> Option<f64> {
        let present = || {
            let rows = self.values(name).unwrap_or_default().iter().zip(&self.results.impressions);
            rows.filter_map(|(value, volume)| Some(((*value)?, *volume)))
        };
        let volume = total(present().map(|(_, volume)| volume));
        let mean = total(present().map(|(value, volume)| value * volume)) / volume;
        mean.is_finite().then_some(mean)
    }
}

type Sides<'a> = (Side<'a>, Side<'a>);
/// A domain's row before and its row after.
type RowPair = (usize, usize);

/// Which domains are in both runs, and which in one.
struct Pairs {
    same: Vec<RowPair>,
    new: Vec<usize>,
    gone: Vec<usize>,
}

impl Pairs {
    /// Domains are one where their normalised keys are.
    fn of(before: &Results, after: &Results) -> Self {
        let key = |results: &Results, row: usize| -> String {
            let name = results.names[row].as_bytes();
            names::normalise(name, results.dimension, &mut String::new()).to_owned()
        };
        let mut rows_before: HashMap<String, usize> =
            (0..before.len()).map(|row| (key(before, row), row)).collect();
        let (mut same, mut new) = (Vec::new(), Vec::new());
        let mut is_same = vec![false; before.len()];
        for row in 0..after.len() {
            match rows_before.remove(&key(after, row)) {
                Some(was) => {
                    is_same[was] = true;
                    same.push((was, row));
                }
                None => new.push(row),
            }
        }
        Self { same, new, gone: (0..before.len()).filter(|&row| !is_same[row]).collect() }
    }

    fn counts(&self, (before, after): &Sides<'_>) -> Counts {
        let moved = |way: f64| {
            let rose = |&&(was, is): &&RowPair| (after.score(is) - before.score(was)) * way > STAYED;
            self.same.iter().filter(rose).count()
        };
        Counts {
            same: self.same.len(),
            new: self.new.len(),
            gone: self.gone.len(),
            improved: moved(1.0),
            declined: moved(-1.0),
        }
    }
}

fn feature_changes((before, after): &Sides<'_>, same: &[RowPair]) -> ByMetric<FeatureChange> {
    let only_after = after.results.metrics.iter().filter(|metric| before.metric(&metric.name).is_none());
    let names = before.results.metrics.iter().chain(only_after).map(|metric| &metric.name);
    let change = |name: &String| {
        let (was, is) = (before.metric(name), after.metric(name));
        let contribution = |metric: Option<&MetricColumn>, row: usize| {
            metric.map_or(0.0, |metric| metric.contributions[row])
        };
        let points = same.iter().map(|&(row_before, row_after)| {
            let change = contribution(is, row_after) - contribution(was, row_before);
            f64::midpoint(before.share(row_before), after.share(row_after)) * change
        });
        FeatureChange {
            before: before.mean_value(name),
            after: after.mean_value(name),
            points: total(points),
        }
    };
    names.map(|name| (name.clone(), change(name))).collect()
}

/// Points of the impressions that a domain in both runs won or lost.
fn volume_of((before, after): &Sides<'_>, (was, is): RowPair, middle: f64) -> f64 {
    let score = f64::midpoint(before.score(was), after.score(is));
    (after.share(is) - before.share(was)) * (score - middle)
}

/// A domain in one run or in both, and its points.
struct DomainPoints {
    before: Option<usize>,
    after: Option<usize>,
    points: f64,
}

fn points_of_domains(sides: &Sides<'_>, pairs: &Pairs, middle: f64) -> Vec<DomainPoints> {
    let (before, after) = sides;
    let same = pairs.same.iter().map(|&(was, is)| {
        let share = f64::midpoint(before.share(was), after.share(is));
        let score = share * (after.score(is) - before.score(was));
        let points = score + volume_of(sides, (was, is), middle);
        DomainPoints { before: Some(was), after: Some(is), points }
    });
    let new = pairs.new.iter().map(|&row| DomainPoints {
        before: None,
        after: Some(row),
        points: after.points_against(row, middle),
    });
    let gone = pairs.gone.iter().map(|&row| DomainPoints {
        before: Some(row),
        after: None,
        points: 0.0 - before.points_against(row, middle),
    });
    same.chain(new).chain(gone).collect()
}

/// The domains with the most points; of equals the first by name.
fn score_changes((before, after): &Sides<'_>, mut points: Vec<DomainPoints>) -> Vec<ScoreChange> {
    let name = |domain: &DomainPoints| match (domain.after, domain.before) {
        (Some(row), _) => after.results.names[row].as_str(),
        (None, Some(row)) => before.results.names[row].as_str(),
        (None, None) => "",
    };
    let weightier = |a: &DomainPoints, b: &DomainPoints| {
        b.points.abs().total_cmp(&a.points.abs()).then_with(|| name(a).cmp(name(b)))
    };
    if points.len() > LISTED {
        points.select_nth_unstable_by(LISTED, weightier);
        points.truncate(LISTED);
    }
    points.sort_unstable_by(weightier);
    let listed = points.iter().map(|domain| {
        let was = domain.before.map(|row| before.score(row));
        let is = domain.after.map(|row| after.score(row));
        ScoreChange {
            domain: name(domain).to_owned(),
            before: was,
            after: is,
            change: is.zip(was).map(|(is, was)| is - was),
            points: domain.points,
        }
    });
    listed.collect()
}
