//! A sampled report, scored by both policies, beside the truth about its rows.

use std::collections::HashMap;
use std::path::Path;

use caliber_engine::evidence::{Evidence, EvidenceRows, MetricScale};
use caliber_engine::lists::{ListPolicy, ListRule};
use caliber_engine::recipe::{Better, Channel, Goal, RecipeBook};
use caliber_engine::report::source::Source;
use caliber_engine::report::xls::SheetCsv;
use caliber_engine::results::Results;
use caliber_engine::{Code, Context, Error, Options, Progress, Scored};
use caliber_sample::{Request, WorldKind};

/// A recipe to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    TradeDeskAwareness,
    TradeDeskAction,
    PulsePointAction,
}

impl Case {
    pub(crate) const ALL: [Self; 3] =
        [Self::TradeDeskAwareness, Self::TradeDeskAction, Self::PulsePointAction];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TradeDeskAwareness => "Trade Desk awareness",
            Self::TradeDeskAction => "Trade Desk action",
            Self::PulsePointAction => "PulsePoint action",
        }
    }

    pub(crate) fn is_action(self) -> bool {
        self != Self::TradeDeskAwareness
    }

    fn platform(self) -> &'static str {
        if self == Self::PulsePointAction { "pulsepoint" } else { "trade_desk" }
    }
}

/// What is true of a site.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) class: String,
    /// By the column of the truth file.
    rates: HashMap<String, f64>,
}

impl Site {
    pub(crate) fn is_bad(&self) -> bool {
        self.is_made_for_advertising() || self.class == "fraud"
    }

    pub(crate) fn is_made_for_advertising(&self) -> bool {
        self.class == "made_for_advertising"
    }

    /// The true share that a metric of a recipe measures.
    fn rate(&self, metric: &str) -> f64 {
        let column = match metric {
            "ias_display_fully_in_view_1s_rate" => "true_viewability",
            "ad_load_xl_rate" => "true_ad_load",
            "ad_refresh_below_15s_rate" => "true_ad_refresh",
            "ctr" => "true_ctr",
            "conversion_rate" => "true_conversion_rate",
            other => panic!("the truth knows no {other}"),
        };
        self.rates[column]
    }
}

/// A report and the truth about it; every vector has one entry a row of the results.
pub(crate) struct Campaign {
    evidence: Scored,
    quartile: Scored,
    pub(crate) sites: Vec<Site>,
    /// The scale of the evidence applied to the true rates.
    pub(crate) true_scores: Vec<f64>,
    /// Their median.
    pub(crate) true_median: f64,
}

impl Campaign {
    pub(crate) fn new(world: WorldKind, case: Case, rows: u64, domains: u32, seed: u64) -> Self {
        let request = Request {
            rows: Some(rows),
            domains: Some(domains),
            seed,
            world,
            ..Request::new(case.platform(), "display")
        };
        let (mut report, mut truth) = (Vec::new(), Vec::new());
        caliber_sample::write_csv(&request, &mut report).expect("a sample");
        caliber_sample::write_truth(&request, &mut truth).expect("its truth");
        let evidence = scored(&report, case, ListPolicy::Evidence);
        let quartile = scored(&report, case, ListPolicy::Quartile);
        assert_eq!(evidence.results.names, quartile.results.names, "a policy changes no score");

        let known = read_truth(&truth);
        let sites: Vec<Site> =
            evidence.results.names.iter().map(|name| known[&name.to_lowercase()].clone()).collect();
        let mut campaign = Self { evidence, quartile, sites, true_scores: Vec::new(), true_median: f64::NAN };
        campaign.true_scores = (0..campaign.sites.len()).map(|row| campaign.true_score(row)).collect();
        campaign.true_median = median(campaign.true_scores.clone());
        campaign
    }

    fn true_score(&self, row: usize) -> f64 {
        let worth = |(at, scale): (usize, &MetricScale)| {
            let value = match scale.prior {
                Some(_) => self.sites[row].rate(&scale.metric),
                None => self.results().metrics[at].values[row].expect("a cost, which every sample has"),
            };
            scale.weight * worth(scale, value)
        };
        self.laws().metrics.iter().enumerate().map(worth).sum()
    }

    pub(crate) fn results(&self) -> &Results {
        &self.evidence.results
    }

    pub(crate) fn laws(&self) -> &Evidence {
        self.evidence.evidence.as_ref().expect("the policy that was asked for")
    }

    pub(crate) fn rows(&self) -> &EvidenceRows {
        self.results().evidence.as_ref().expect("the policy that was asked for")
    }

    pub(crate) fn blocked(&self) -> &[usize] {
        &self.evidence.lists.block
    }

    pub(crate) fn allowed(&self) -> &[usize] {
        &self.evidence.lists.allow
    }

    pub(crate) fn quartile_blocked(&self) -> &[usize] {
        &self.quartile.lists.block
    }

    pub(crate) fn quartile_allowed(&self) -> &[usize] {
        &self.quartile.lists.allow
    }

    /// All rows, the worst by score first: as the quartile's blocklist would go on.
    pub(crate) fn worst_first(&self) -> Vec<usize> {
        let listed = self.quartile_blocked();
        let rest = (0..self.sites.len()).rev().filter(|row| !listed.contains(row));
        listed.iter().copied().chain(rest).collect()
    }

    pub(crate) fn spend(&self, row: usize) -> f64 {
        self.results().spend.as_ref().expect("a spend, which every sample has")[row]
    }

    /// Conversions to be expected of a row's impressions.
    pub(crate) fn true_conversions(&self, row: usize) -> f64 {
        self.results().impressions[row] * self.sites[row].rate("conversion_rate")
    }

    pub(crate) fn is_truly_below(&self, row: usize) -> bool {
        self.true_scores[row] < self.true_median
    }

    pub(crate) fn is_truly_above(&self, row: usize) -> bool {
        self.true_scores[row] > self.true_median
    }

    /// Whether the report has figures enough to tell sites made for advertising; by evidence.md 2 three signs.
    pub(crate) fn can_judge_mfa(&self) -> bool {
        self.evidence.quality.warnings.iter().all(|warning| warning.code != "mfa_cannot_be_judged")
    }
}

/// evidence.md 1.4, written from the formula: what a value of a metric is worth, 0..100.
pub(crate) fn worth(scale: &MetricScale, value: f64) -> f64 {
    let (lo, hi) = (scale.lo.expect("a scale"), scale.hi.expect("a scale"));
    if hi - lo <= 1e-12 * lo.abs().max(hi.abs()) {
        return 50.0;
    }
    let y = 100.0 * ((value - lo) / (hi - lo)).clamp(0.0, 1.0);
    if scale.better == Better::Lower { 100.0 - y } else { y }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
    }
}

fn no_sandbox(_: &Path, _: Option<&str>) -> caliber_engine::Result<SheetCsv> {
    Err(Error::new(Code::Machine, "samples are text"))
}

fn scored(report: &[u8], case: Case, policy: ListPolicy) -> Scored {
    let options = Options {
        platform: Some(case.platform().to_owned()),
        channel: Some(Channel::Display),
        goal: if case.is_action() { Goal::Action } else { Goal::Awareness },
        list_rule: ListRule { policy, ..ListRule::default() },
        threads: 1,
        ..Options::default()
    };
    let context =
        Context { book: RecipeBook::shipped(), sandbox: &no_sandbox, progress: &Progress::default() };
    let source = Source::from_stream(report, "sample.csv").expect("a sample");
    caliber_engine::score(vec![source], &options, &context).expect("a sample that scores")
}

/// The truth file by name in lower case.
fn read_truth(truth: &[u8]) -> HashMap<String, Site> {
    let mut reader = csv::Reader::from_reader(truth);
    let header = reader.headers().expect("a header").clone();
    reader
        .records()
        .map(|line| {
            let line = line.expect("a line");
            let rates = header.iter().zip(&line).skip(2);
            let rates = rates.map(|(name, rate)| (name.to_owned(), rate.parse().expect("a rate"))).collect();
            (line[0].to_lowercase(), Site { class: line[1].to_owned(), rates })
        })
        .collect()
}
