//! The clean rows of a report: what one site delivered through one vendor on one day.

use crate::layout::{Fill, Layout, Rate};
use crate::names;
use crate::random::{Draws, Shuffle};
use crate::world::{Site, World};

/// The additive figures of a row. Money in cents, the TV quality index in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) bids: i64,
    pub(crate) impressions: i64,
    pub(crate) spend: i64,
    pub(crate) data_cost: i64,
    pub(crate) clicks: i64,
    pub(crate) measured: i64,
    pub(crate) viewed: i64,
    pub(crate) ad_load: i64,
    pub(crate) ad_refresh: i64,
    pub(crate) conversions: i64,
    pub(crate) starts: i64,
    pub(crate) completed: i64,
    pub(crate) errors: i64,
    pub(crate) mutes: i64,
    pub(crate) tv_measured: i64,
    pub(crate) tv_index: i64,
    pub(crate) unique_ids: i64,
}

impl Counts {
    /// Adds another row's figures.
    pub(crate) fn add(&mut self, other: &Self) {
        self.bids += other.bids;
        self.impressions += other.impressions;
        self.spend += other.spend;
        self.data_cost += other.data_cost;
        self.clicks += other.clicks;
        self.measured += other.measured;
        self.viewed += other.viewed;
        self.ad_load += other.ad_load;
        self.ad_refresh += other.ad_refresh;
        self.conversions += other.conversions;
        self.starts += other.starts;
        self.completed += other.completed;
        self.errors += other.errors;
        self.mutes += other.mutes;
        self.tv_measured += other.tv_measured;
        self.tv_index += other.tv_index;
        self.unique_ids += other.unique_ids;
    }

    /// The figures of so many rows like this.
    pub(crate) fn times(&self, rows: u64) -> Self {
        let mut sum = Self::default();
        for _ in 0..rows {
            sum.add(self);
        }
        sum
    }
}

/// What a row says about itself besides its figures; each number counts in its list of `Vocabulary`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Labels {
    /// Day of the period, from 0.
    pub(crate) day: u8,
    pub(crate) campaign: u8,
    pub(crate) ad_group: u8,
    pub(crate) creative: u8,
    pub(crate) vendor: u8,
    pub(crate) app: u8,
    pub(crate) device: u8,
    pub(crate) country: u8,
    pub(crate) deal: u8,
    pub(crate) currency: u8,
    pub(crate) browser: u8,
    pub(crate) system: u8,
    /// Hundredths.
    pub(crate) frequency: u16,
    /// Cents.
    pub(crate) max_bid: u16,
}

/// A clean row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) site: usize,
    pub(crate) labels: Labels,
    pub(crate) counts: Counts,
}

/// Days of the period: a whole September.
pub(crate) const DAYS: usize = 30;

/// The words that labels are made of.
pub(crate) struct Vocabulary {
    pub(crate) ad_groups: Vec<String>,
    pub(crate) creatives: Vec<String>,
    pub(crate) vendors: Vec<String>,
    pub(crate) media_type: String,
}

impl Vocabulary {
    pub(crate) const ADVERTISER: &str = "Globex, Inc.";
    /// A clean report holds the first only.
    pub(crate) const CAMPAIGNS: [&str; 6] = [
        "Autumn 2025 US",
        "Spring Sale, Phase 2",
        "Spring Retargeting",
        "2025 \"Always On\"",
        "Rentrée - été indien",
        "Brand Lift | Q3; test",
    ];
    pub(crate) const APPS: [&str; 8] = [
        "Streamberry",
        "Channel Nine Live",
        "Very Local: News & Weather",
        "Couchtime",
        "Moviehaus",
        "Sportsline+",
        "Kids' Corner TV",
        "Retro Reels",
    ];
    pub(crate) const DEVICES: [&str; 4] = ["PC", "Mobile", "Tablet", "Connected TV"];
    pub(crate) const COUNTRIES: [&str; 6] =
        ["United States", "Germany", "France", "Brazil", "Côte d'Ivoire", "United Kingdom"];
    pub(crate) const DEALS: [&str; 4] = ["", "OA", "DEAL-00123", "TTD-9981"];
    /// A clean report holds the first only.
    pub(crate) const CURRENCIES: [&str; 3] = ["USD", "EUR", "GBP"];
    pub(crate) const BROWSERS: [&str; 4] = ["Chrome", "Safari", "Firefox", "Edge"];
    pub(crate) const SYSTEMS: [&str; 4] = ["Windows", "Android 14", "iOS 17", "Other"];

    pub(crate) fn new(layout: &Layout) -> Self {
        let ad_groups = (0..40).map(|n| format!("AG-{n:03} LAL {}%", n % 7 + 1)).collect();
        let size = if layout.has_rate(Rate::Completion) { "30s" } else { "300x250" };
        let creatives = (0..60).map(|n| format!("CR_{n:04}_{size}_v{}", n % 5)).collect();
        let vendors = (0..24).map(names::exchange).collect();
        Self { ad_groups, creatives, vendors, media_type: layout.media_type.clone() }
    }
}

/// The clean rows in the order of the report, drawn as they are asked for.
pub(crate) struct Rows<'w> {
    world: &'w World,
    layout: &'w Layout,
    draws: Draws,
    order: Shuffle,
    next: u64,
}

impl<'w> Rows<'w> {
    pub(crate) fn new(world: &'w World, layout: &'w Layout, seed: u64) -> Self {
        Self { world, layout, draws: Draws::new(seed, 2), order: Shuffle::new(world.rows, seed), next: 0 }
    }

    fn draw(&mut self, position: u64) -> Row {
        let site = self.world.site_of(self.order.at(position));
        let per_row = self.world.impressions_per_row(site);
        let impressions = self.draws.log_normal(0.8) * per_row;
        let impressions = self.draws.round(impressions).max(1);
        let labels = self.labels();
        let counts = self.counts(&self.world.sites[site], impressions);
        Row { site, labels, counts }
    }

    fn labels(&mut self) -> Labels {
        let draws = &mut self.draws;
        let ctv = self.layout.dimension == Fill::SupplyVendor;
        let mut below = |n: usize| draws.below(n) as u8;
        Labels {
            day: below(DAYS),
            campaign: 0,
            ad_group: below(40),
            creative: below(60),
            vendor: below(24),
            app: below(Vocabulary::APPS.len()),
            device: if ctv { 3 } else { below(3) },
            country: below(Vocabulary::COUNTRIES.len()),
            deal: below(Vocabulary::DEALS.len()),
            currency: 0,
            browser: below(Vocabulary::BROWSERS.len()),
            system: below(Vocabulary::SYSTEMS.len()),
            frequency: 100 + 2 * u16::from(below(200)),
            max_bid: 200 + 9 * u16::from(below(220)),
        }
    }

    /// Figures that agree with each other. Rows of a site differ by more than chance: each has rates of its
    /// own, drawn around the site's.
    fn counts(&mut self, site: &Site, impressions: i64) -> Counts {
        let (layout, draws) = (self.layout, &mut self.draws);
        let mut counts = Counts { impressions, ..Counts::default() };
        let cpm = site.rate(Rate::Cpm) * draws.log_normal(0.15);
        counts.spend = draws.round(impressions as f64 * cpm / 10.0);
        counts.data_cost = draws.round(counts.spend as f64 * 0.04);
        counts.bids = impressions * (2 + draws.count_below(30)) + draws.count_below(3);
        counts.clicks = rare(draws, impressions, site.rate(Rate::Ctr));
        counts.conversions = rare(draws, impressions, site.rate(Rate::Conversion));
        if layout.has_rate(Rate::Viewability) {
            counts.measured = draws.binomial(impressions, 0.9).max(1);
            counts.viewed = share(draws, counts.measured, site.rate(Rate::Viewability), 0.02);
        }
        if layout.has_rate(Rate::AdLoad) {
            counts.ad_load = share(draws, impressions, site.rate(Rate::AdLoad), 0.02);
            counts.ad_refresh = share(draws, impressions, site.rate(Rate::AdRefresh), 0.02);
        }
        if layout.has_rate(Rate::Completion) {
            counts.starts = draws.binomial(impressions, 0.97).max(1);
            counts.completed = share(draws, counts.starts, site.rate(Rate::Completion), 0.02);
        }
        if layout.has_rate(Rate::Mute) {
            counts.errors = rare(draws, impressions, site.rate(Rate::Error));
            counts.mutes = share(draws, impressions, site.rate(Rate::Mute), 0.03);
        }
        if layout.has_rate(Rate::TvQuality) {
            counts.tv_measured = draws.binomial(impressions, 0.7).max(1);
            let index = draws.beta(site.rate(Rate::TvQuality), 40.0) * counts.tv_measured as f64;
            counts.tv_index = draws.round(index * 100.0).min(counts.tv_measured * 100);
            counts.unique_ids = share(draws, impressions, site.rate(Rate::UniqueRatio), 0.02).max(1);
        }
        counts
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.next == self.world.rows {
            return None;
        }
        self.next += 1;
        Some(self.draw(self.next - 1))
    }
}

/// Events of a rate far below 1: gamma-binomial, the row's rate varying by half around the site's.
fn rare(draws: &mut Draws, trials: i64, rate: f64) -> i64 {
    if rate <= 0.0 {
        return 0;
    }
    let row_rate = rate * draws.gamma(4.0) / 4.0;
    draws.binomial(trials, row_rate.min(1.0))
}

/// Events of a share: beta-binomial with intra-row correlation `rho`.
fn share(draws: &mut Draws, trials: i64, rate: f64, rho: f64) -> i64 {
    let row_rate = draws.beta(rate, 1.0 / rho - 1.0);
    draws.binomial(trials, row_rate)
}
