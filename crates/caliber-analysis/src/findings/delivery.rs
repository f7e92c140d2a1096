//! What a campaign delivered, as insights weigh it.

use caliber_engine::summary::total;

use super::Campaign;
use crate::written::{count, money};

/// Spend by row, or impressions where the report has no spend.
pub(super) struct Delivery<'a> {
    by_row: &'a [f64],
    total: f64,
    currency: Option<&'a str>,
    /// `spend` or `impressions`: its name among figures and in sentences.
    pub(super) name: &'static str,
}

impl<'a> Delivery<'a> {
    /// The spend where there is any, else the impressions; `None` where nothing was delivered.
    pub(super) fn of(campaign: &Campaign<'a>) -> Option<Self> {
        let spend = campaign.results.spend.as_deref().map(|spend| ("spend", spend));
        let columns = spend.into_iter().chain([("impressions", campaign.results.impressions.as_slice())]);
        columns
            .map(|(name, by_row)| {
                let total = total(by_row.iter().copied());
                Self { by_row, total, currency: campaign.currency, name }
            })
            .find(|delivery| delivery.total > 0.0)
    }

    pub(super) fn row(&self, row: usize) -> f64 {
        self.by_row[row]
    }

    /// What these rows have together.
    pub(super) fn sum(&self, rows: &[usize]) -> f64 {
        total(rows.iter().map(|&row| self.by_row[row]))
    }

    /// A part of all of it, as a fraction.
    pub(super) fn share(&self, sum: f64) -> f64 {
        sum / self.total
    }

    /// `USD 1,234.00` or `12,345 impressions`.
    pub(super) fn written(&self, sum: f64) -> String {
        if self.name == "spend" { money(sum, self.currency) } else { format!("{} impressions", count(sum)) }
    }
}
