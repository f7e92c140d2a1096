//! What the lists would change.

use std::collections::BTreeSet;

use caliber_engine::summary::{campaign_score, total};

use super::{Campaign, Delivery, Figures, Finding, Kind};
use crate::written::{counted, number, percent};

/// What blocking takes out, and how what stays would have scored.
pub(super) fn effect_of_lists(campaign: &Campaign<'_>, delivery: &Delivery<'_>) -> Option<Finding> {
    let results = campaign.results;
    let blocked: BTreeSet<usize> = campaign.blocklist.iter().copied().collect();
    if blocked.is_empty() {
        return None;
    }
    let (out, kept): (Vec<usize>, Vec<usize>) = (0..results.len()).partition(|row| blocked.contains(row));
    let before = campaign_score(results)?;
    let after = campaign_score(&results.rows(&kept))?;
    let [before_written, after_written] = [before, after].map(|score| number(score, 1));
    if before_written == after_written {
        return None;
    }
    let sum = delivery.sum(&out);
    let share = delivery.share(sum);
    let of_impressions =
        total(out.iter().map(|&row| results.impressions[row])) / total(results.impressions.iter().copied());
    let reach = if delivery.name == "spend" {
        format!(" and {} of the impressions", percent(of_impressions))
    } else {
        String::new()
    };
    let allowed = if campaign.allowlist.is_empty() {
        String::new()
    } else {
        format!(
            " The allowlist names {} to move the budget to, which have {} of the {} today.",
            counted(campaign.allowlist.len(), campaign.unit()),
            percent(delivery.share(delivery.sum(campaign.allowlist))),
            delivery.name
        )
    };
    Some(Finding {
        kind: Kind::EffectOfLists,
        title: format!(
            "Without the blocklist the campaign scores {after_written} instead of {before_written}"
        ),
        sentence: format!(
            "Blocking {} takes out {}, or {} of the {}{reach}.{allowed}",
            counted(out.len(), campaign.unit()),
            delivery.written(sum),
            percent(share),
            delivery.name,
        ),
        figures: Figures(vec![
            ("blocked", out.len() as f64),
            ("allowed", campaign.allowlist.len() as f64),
            (delivery.name, sum),
            ("share", share),
            ("share_of_impressions", of_impressions),
            ("allowed_share", delivery.share(delivery.sum(campaign.allowlist))),
            ("score_before", before),
            ("score_after", after),
        ]),
        names: campaign.examples(&out, |row| delivery.row(row)),
    })
}
