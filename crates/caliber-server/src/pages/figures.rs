//! The figures of a campaign that several pages show: read from its run, never worked out anew.

use caliber_platform::campaigns::{AnalysisLevel, CampaignDetails, CampaignStatus, Channel, Goal};
use caliber_platform::recipes::platform_label;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::filters::money;

/// A campaign as lists of campaigns show it.
#[derive(Clone, Debug)]
pub(crate) struct CampaignFigures {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) platform: String,
    pub(crate) channel: &'static str,
    pub(crate) goal: &'static str,
    pub(crate) status: CampaignStatus,
    pub(crate) progress: f64,
    pub(crate) has_file: bool,
    pub(crate) error: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) scored: Option<RunFigures>,
}

/// What a run found.
#[derive(Clone, Debug)]
pub(crate) struct RunFigures {
    /// Of the campaign, 0 to 100.
    pub(crate) score: Option<f64>,
    /// Names that were scored.
    pub(crate) rows: u64,
    pub(crate) currency: Option<String>,
    pub(crate) spend: Option<f64>,
    pub(crate) impressions: f64,
    /// What was spent on names of the blocklist.
    pub(crate) spend_at_risk: Option<f64>,
    pub(crate) blocked: u64,
    pub(crate) allowed: u64,
    pub(crate) period: Option<(String, String)>,
}

impl CampaignFigures {
    pub(crate) fn of(details: &CampaignDetails) -> Self {
        let campaign = &details.campaign;
        let summary = details.current_run.as_ref().and_then(|run| run.summary.as_deref());
        Self {
            id: campaign.id.0,
            name: campaign.name.clone(),
            platform: platform_label(&campaign.campaign_type),
            channel: channel_key(campaign.channel),
            goal: goal_key(campaign.goal),
            status: campaign.status,
            progress: campaign.progress_percentage,
            has_file: details.file.is_some(),
            error: campaign.error_message.clone(),
            created_at: campaign.created_at,
            scored: summary.map(RunFigures::of),
        }
    }

    /// Whether the last attempt to score it was ended by somebody.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.error.as_deref() == Some("cancelled")
    }

    /// The key of the text that names its status.
    pub(crate) fn status_key(&self) -> &'static str {
        match self.status {
            CampaignStatus::Pending if self.has_file => "status-ready",
            CampaignStatus::Pending => "status-no-report",
            CampaignStatus::Processing => "status-processing",
            CampaignStatus::Completed => "status-completed",
            CampaignStatus::Failed if self.is_cancelled() => "job-cancelled",
            CampaignStatus::Failed => "status-failed",
        }
    }

    /// The colour of its status, always beside the word.
    pub(crate) fn status_colour(&self) -> &'static str {
        match self.status {
            CampaignStatus::Failed if self.is_cancelled() => "secondary",
            CampaignStatus::Pending => "secondary",
            CampaignStatus::Processing => "azure",
            CampaignStatus::Completed => "green",
            CampaignStatus::Failed => "red",
        }
    }
}

impl RunFigures {
    /// Those of a `summary.json`.
    pub(crate) fn of(summary: &Value) -> Self {
        let count = |value: &Value| value.as_u64().unwrap_or_default();
        let word = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            score: summary["campaign_score"].as_f64(),
            rows: count(&summary["scored"]),
            currency: word(&summary["currency"]),
            spend: summary["total_spend"].as_f64(),
            impressions: summary["total_impressions"].as_f64().unwrap_or_default(),
            spend_at_risk: summary["lists"]["blocklist"]["spend"].as_f64(),
            blocked: count(&summary["lists"]["blocklist"]["count"]),
            allowed: count(&summary["lists"]["allowlist"]["count"]),
            period: word(&summary["period"]["from"]).zip(word(&summary["period"]["to"])),
        }
    }

    pub(crate) fn spend_text(&self) -> Option<String> {
        self.spend.map(|spend| money(spend, self.currency.as_deref()))
    }

    pub(crate) fn at_risk_text(&self) -> Option<String> {
        self.spend_at_risk.map(|spend| money(spend, self.currency.as_deref()))
    }

    /// The part of the spend that is at risk, 0 to 1.
    pub(crate) fn risk_share(&self) -> Option<f64> {
        match (self.spend_at_risk, self.spend) {
            (Some(at_risk), Some(spend)) if spend > 0.0 => Some(at_risk / spend),
            _ => None,
        }
    }
}

/// The channels by their words, in forms and in recipes.
pub(crate) const CHANNELS: [(&str, Channel); 4] = [
    ("display", Channel::Display),
    ("video", Channel::Video),
    ("ctv", Channel::Ctv),
    ("audio", Channel::Audio),
];
/// The goals by their words.
pub(crate) const GOALS: [(&str, Goal); 2] = [("awareness", Goal::Awareness), ("action", Goal::Action)];
/// What is scored, by its words.
pub(crate) const LEVELS: [(&str, AnalysisLevel); 2] =
    [("domain", AnalysisLevel::Domain), ("supply_vendor", AnalysisLevel::SupplyVendor)];

/// What a word means.
pub(crate) fn meant<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

/// The word for something.
pub(crate) fn word_of<T: PartialEq>(words: &[(&str, T)], meaning: &T) -> String {
    words.iter().find(|(_, known)| known == meaning).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
}

/// The key of the text that names a channel.
pub(crate) fn channel_key(channel: Channel) -> &'static str {
    match channel {
        Channel::Ctv => "channel-ctv",
        Channel::Display => "channel-display",
        Channel::Video => "channel-video",
        Channel::Audio => "channel-audio",
    }
}

/// The key of the text that names what is scored.
pub(crate) fn level_key(level: AnalysisLevel) -> &'static str {
    match level {
        AnalysisLevel::Domain => "level-domain",
        AnalysisLevel::SupplyVendor => "level-supply-vendor",
    }
}

/// The key of the text that names a goal.
pub(crate) fn goal_key(goal: Goal) -> &'static str {
    match goal {
        Goal::Awareness => "goal-awareness",
        Goal::Action => "goal-action",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_without_spend_has_no_spend_at_risk() {
        let figures = RunFigures::of(&json!({"campaign_score": 61.4, "total_spend": null, "scored": 3}));
        assert_eq!((figures.rows, figures.spend_text(), figures.risk_share()), (3, None, None));
    }
}
