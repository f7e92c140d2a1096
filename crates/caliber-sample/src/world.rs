//! The world behind a report: sites with a class and true rates, which the report then shows with noise.

use crate::classes::{Class, Spread, WorldKind};
use crate::layout::{Fill, Layout, Rate};
use crate::names::{self, NameKind};
use crate::random::Draws;
use crate::{Request, SampleError};

/// A site, or a supply vendor where that is scored.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) kind: NameKind,
    pub(crate) class: Class,
    /// Impressions expected in the report.
    pub(crate) volume: f64,
    /// By `Rate as usize`; 0 for those the layout does not have.
    rates: [f64; Rate::ALL.len()],
    /// The first row of the site; rows are numbered site by site.
    first_row: u64,
}

impl Site {
    pub(crate) fn rate(&self, rate: Rate) -> f64 {
        self.rates[rate as usize]
    }
}

/// All sites of a report.
pub(crate) struct World {
    pub(crate) sites: Vec<Site>,
    pub(crate) rows: u64,
}

impl World {
    /// Draws the world of a request.
    pub(crate) fn new(request: &Request, layout: &Layout) -> Result<Self, SampleError> {
        let rows = request.rows.unwrap_or(Request::DEFAULT_ROWS);
        let count = sites_wanted(request, layout, rows)?;
        let mut draws = Draws::new(request.seed, 0);
        let vendors = layout.dimension == Fill::SupplyVendor;
        let names = if vendors { names::vendors(count, &mut draws) } else { names::sites(count, &mut draws) };

        let mut draws = Draws::new(request.seed, 1);
        let classes = shuffled_classes(request.world, count, &mut draws);
        // Sites with many rows have the volume to fill them; vendors carry several sites each.
        let median = (24.0 * rows as f64 / count as f64).max(if vendors { 6_000.0 } else { 1_200.0 });
        // The tail is cut where a single site would be the campaign.
        let largest = 1.3 + 0.5 * libm::log10(count as f64);
        let mut sites: Vec<Site> = names
            .into_iter()
            .zip(classes)
            .map(|((name, kind), class)| Site {
                name,
                kind,
                class,
                volume: median * libm::exp(1.8 * draws.normal().min(largest)),
                rates: draw_rates(request.world, layout, class, &mut draws),
                first_row: 0,
            })
            .collect();
        settle_ctr(&mut sites, request.world.campaign_ctr());
        place_rows(&mut sites, rows);
        Ok(Self { sites, rows })
    }

    /// The site that a row belongs to.
    pub(crate) fn site_of(&self, row: u64) -> usize {
        self.sites.partition_point(|site| site.first_row <= row).saturating_sub(1)
    }

    /// The impressions expected in one row of a site.
    pub(crate) fn impressions_per_row(&self, site: usize) -> f64 {
        let end = self.sites.get(site + 1).map_or(self.rows, |next| next.first_row);
        self.sites[site].volume / (end - self.sites[site].first_row).max(1) as f64
    }
}

fn sites_wanted(request: &Request, layout: &Layout, rows: u64) -> Result<usize, SampleError> {
    let most = if layout.dimension == Fill::SupplyVendor { 400 } else { 2_000_000 };
    let domains = request.domains.map_or_else(|| (rows / 50).clamp(20, most).min(rows), u64::from);
    if rows == 0 || domains == 0 || domains > rows {
        return Err(SampleError::Size { rows, domains });
    }
    usize::try_from(domains).map_err(|_| SampleError::Size { rows, domains })
}

/// Classes by quota, so that even a small world has its share of each, in random order.
fn shuffled_classes(kind: WorldKind, count: usize, draws: &mut Draws) -> Vec<Class> {
    let mut classes = Vec::with_capacity(count);
    let mut share = 0.0;
    for (class, part) in Class::ALL.into_iter().zip(kind.shares()) {
        share += part;
        let until = ((share * count as f64 + 0.5).floor() as usize).min(count);
        classes.resize(until.max(classes.len()), class);
    }
    classes.resize(count, Class::Normal);
    for last in (1..count).rev() {
        classes.swap(last, draws.below(last + 1));
    }
    classes
}

fn draw_rates(kind: WorldKind, layout: &Layout, class: Class, draws: &mut Draws) -> [f64; Rate::ALL.len()] {
    let mut rates = [0.0; Rate::ALL.len()];
    for (&rate, &typical) in &layout.typical {
        let law = kind.law(rate);
        let factor = law.factors[class as usize];
        rates[rate as usize] = match law.spread {
            Spread::None => typical * factor,
            Spread::LogNormal(sigma) => typical * factor * draws.log_normal(sigma),
            Spread::Beta(size) => {
                let odds = typical / (1.0 - typical) * factor;
                draws.beta(odds / (1.0 + odds), size)
            }
        };
    }
    rates
}

/// Scales all CTRs alike so that the campaign as a whole has this one, whatever its mix of sites.
fn settle_ctr(sites: &mut [Site], campaign_ctr: f64) {
    let impressions: f64 = sites.iter().map(|site| site.volume).sum();
    let clicks: f64 = sites.iter().map(|site| site.volume * site.rate(Rate::Ctr)).sum();
    if clicks > 0.0 {
        let factor = campaign_ctr * impressions / clicks;
        for site in sites {
            site.rates[Rate::Ctr as usize] *= factor;
        }
    }
}

/// One row each, the rest by the square root of the volume.
fn place_rows(sites: &mut [Site], rows: u64) {
    let spare = (rows - sites.len() as u64) as f64;
    let total: f64 = sites.iter().map(|site| site.volume.sqrt()).sum();
    let mut weight = 0.0;
    for (before, site) in (0_u64..).zip(sites) {
        site.first_row = before + (spare * (weight / total)).floor() as u64;
        weight += site.volume.sqrt();
    }
}
