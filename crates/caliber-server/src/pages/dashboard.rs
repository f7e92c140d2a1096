//! The first page: how the campaigns stand, and what needs somebody.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use caliber_platform::Window;
use caliber_platform::campaigns::{CampaignStatus, Filter};
use caliber_platform::identity::permissions::CAMPAIGNS_READ;
use uuid::Uuid;

use super::figures::CampaignFigures;
use super::filters::money;
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::failure::Failure;
use crate::signed_in::By;

/// Campaigns that the figures are of, the newest.
const LOOKED_AT: u64 = 100;
/// Of those, campaigns in the table.
const SHOWN: usize = 8;
/// Scores in the line.
const IN_LINE: usize = 20;
/// The share of spend at risk from which a campaign asks for somebody.
const MUCH_AT_RISK: f64 = 0.25;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/", Sees::Needs(CAMPAIGNS_READ), get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    shell: Shell,
    total: u64,
    campaigns: Vec<CampaignFigures>,
    overview: Overview,
    attention: Vec<Attention>,
}

/// Figures over the campaigns that were scored.
#[derive(Default)]
struct Overview {
    scored: u64,
    processing: u64,
    mean_score: Option<f64>,
    /// An amount a currency.
    spend: Vec<Amounts>,
    /// Scores in the order of time, as points of a line 100 wide and 30 high.
    line: String,
}

struct Amounts {
    currency: Option<String>,
    spend: f64,
    at_risk: f64,
}

impl Amounts {
    fn spend_text(&self) -> String {
        money(self.spend, self.currency.as_deref())
    }

    fn at_risk_text(&self) -> String {
        money(self.at_risk, self.currency.as_deref())
    }

    fn share(&self) -> f64 {
        if self.spend > 0.0 { self.at_risk / self.spend } else { 0.0 }
    }
}

/// A campaign that waits for somebody.
struct Attention {
    id: Uuid,
    name: String,
    icon: &'static str,
    colour: &'static str,
    /// The key of why.
    why: &'static str,
    detail: String,
}

impl Attention {
    fn of(campaign: &CampaignFigures) -> Option<Self> {
        let scored = campaign.scored.as_ref();
        let (icon, colour, why, detail) = match campaign.status {
            CampaignStatus::Failed if campaign.is_cancelled() => {
                ("player-stop", "secondary", "attention-cancelled", String::new())
            }
            CampaignStatus::Failed => {
                ("circle-x", "red", "attention-failed", campaign.error.clone().unwrap_or_default())
            }
            CampaignStatus::Pending if campaign.has_file => {
                ("player-play", "azure", "attention-ready", String::new())
            }
            CampaignStatus::Pending => {
                ("file-spreadsheet", "secondary", "attention-no-report", String::new())
            }
            CampaignStatus::Completed => {
                let share = scored?.risk_share().filter(|share| *share >= MUCH_AT_RISK)?;
                let amount = scored?.at_risk_text().unwrap_or_default();
                let share = format!("{:.0}%", share * 100.0);
                ("alert-triangle", "orange", "attention-at-risk", format!("{amount} \u{b7} {share}"))
            }
            CampaignStatus::Processing => return None,
        };
        Some(Self { id: campaign.id, name: campaign.name.clone(), icon, colour, why, detail })
    }
}

impl Overview {
    fn of(campaigns: &[CampaignFigures]) -> Self {
        let mut overview = Self::default();
        let mut scores = Vec::new();
        for campaign in campaigns {
            overview.processing += u64::from(campaign.status == CampaignStatus::Processing);
            let Some(run) = &campaign.scored else { continue };
            overview.scored += 1;
            scores.extend(run.score);
            let (Some(spend), at_risk) = (run.spend, run.spend_at_risk.unwrap_or_default()) else { continue };
            match overview.spend.iter_mut().find(|amounts| amounts.currency == run.currency) {
                Some(amounts) => {
                    amounts.spend += spend;
                    amounts.at_risk += at_risk;
                }
                None => overview.spend.push(Amounts { currency: run.currency.clone(), spend, at_risk }),
            }
        }
        if !scores.is_empty() {
            overview.mean_score = Some(scores.iter().sum::<f64>() / scores.len() as f64);
        }
        scores.truncate(IN_LINE);
        scores.reverse();
        overview.line = line(&scores);
        overview
    }
}

/// The points of a line through scores, 100 wide and 30 high, from the least to the most of them but over ten points of
/// the score at least; empty where there are not three.
fn line(scores: &[f64]) -> String {
    if scores.len() < 3 {
        return String::new();
    }
    let (least, most) = scores
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), score| (least.min(*score), most.max(*score)));
    let (middle, range) = (f64::midpoint(least, most), (most - least).max(10.0));
    let step = 100.0 / (scores.len() - 1) as f64;
    let points = scores.iter().enumerate();
    let points = points
        .map(|(at, score)| format!("{:.1},{:.1}", at as f64 * step, 15.0 - (score - middle) / range * 26.0));
    points.collect::<Vec<_>>().join(" ")
}

async fn show(State(app): State<App>, shell: Shell, By(caller): By) -> Result<DashboardPage, Failure> {
    let window = Window { skip: 0, limit: LOOKED_AT };
    let page = app.platform.campaigns().list(&caller, &Filter::default(), window).await?;
    let mut campaigns: Vec<CampaignFigures> = page.rows.iter().map(CampaignFigures::of).collect();
    let overview = Overview::of(&campaigns);
    let attention = campaigns.iter().filter_map(Attention::of).take(6).collect();
    campaigns.truncate(SHOWN);
    Ok(DashboardPage { shell, total: page.total, campaigns, overview, attention })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_dashboard_sums_what_is_of_one_currency_and_tells_what_needs_somebody() {
        let campaigns = vec![
            samples::campaign("One", 61.0, Some("USD"), 0.1),
            samples::campaign("Two <b>Pérez</b>", 41.0, Some("USD"), 0.5),
            samples::campaign("Three", 50.0, Some("EUR"), 0.0),
        ];
        let overview = Overview::of(&campaigns);
        assert_eq!(overview.spend.len(), 2);
        assert_eq!((overview.spend[0].spend, overview.spend[0].at_risk), (2000.0, 600.0));
        assert_eq!(overview.line, "0.0,16.3 50.0,28.0 100.0,2.0");
        let attention: Vec<Attention> = campaigns.iter().filter_map(Attention::of).collect();
        assert_eq!(attention.len(), 1);
        let page = DashboardPage { shell: samples::shell(), total: 3, campaigns, overview, attention };
        let html = samples::checked(&page);
        assert!(html.contains("$500.00"), "{html}");
    }

    #[test]
    fn the_first_start_offers_a_sample() {
        let page = DashboardPage {
            shell: samples::shell(),
            total: 0,
            campaigns: Vec::new(),
            overview: Overview::default(),
            attention: Vec::new(),
        };
        assert!(samples::checked(&page).contains("action=\"/campaigns/sample\""));
    }
}
