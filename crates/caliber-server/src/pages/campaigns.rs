//! All campaigns, and deleting one.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use caliber_platform::campaigns::{CampaignStatus, Filter};
use caliber_platform::identity::permissions::CAMPAIGNS_READ;
use serde::Deserialize;

use super::figures::CampaignFigures;
use super::paging::{Asked, Place};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::Query;
use crate::failure::Failure;
use crate::signed_in::By;

/// What can be chosen: the word in the address, and the key of its text.
const STATUSES: [(&str, &str); 4] = [
    ("completed", "status-completed"),
    ("processing", "status-processing"),
    ("pending", "status-pending"),
    ("failed", "status-failed"),
];

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/campaigns", Sees::Needs(CAMPAIGNS_READ), get(list))
}

#[derive(Template, WebTemplate)]
#[template(path = "campaigns.html")]
struct CampaignsPage {
    shell: Shell,
    campaigns: Vec<CampaignFigures>,
    search: String,
    status: String,
    place: Place,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(flatten)]
    page: Asked,
    #[serde(default)]
    search: String,
    #[serde(default)]
    status: String,
}

async fn list(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(wanted): Query<Wanted>,
) -> Result<CampaignsPage, Failure> {
    let status = match wanted.status.as_str() {
        "completed" => Some(CampaignStatus::Completed),
        "processing" => Some(CampaignStatus::Processing),
        "pending" => Some(CampaignStatus::Pending),
        "failed" => Some(CampaignStatus::Failed),
        _ => None,
    };
    let search = Some(wanted.search.trim().to_owned()).filter(|search| !search.is_empty());
    let found =
        app.platform.campaigns().list(&caller, &Filter { status, search }, wanted.page.window()).await?;
    let campaigns: Vec<CampaignFigures> = found.rows.iter().map(CampaignFigures::of).collect();
    let kept = [("search", wanted.search.as_str()), ("status", wanted.status.as_str())];
    let place = Place::new(&wanted.page, campaigns.len(), found.total, "/campaigns", &kept);
    Ok(CampaignsPage { shell, campaigns, search: wanted.search, status: wanted.status, place })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_list_says_what_was_searched_and_offers_the_first_campaign() {
        let page = |search: &str, campaigns: Vec<CampaignFigures>| CampaignsPage {
            shell: samples::shell(),
            place: Place::new(&Asked::default(), campaigns.len(), campaigns.len() as u64, "/campaigns", &[]),
            campaigns,
            search: search.to_owned(),
            status: String::new(),
        };
        let empty = samples::checked(&page("", Vec::new()));
        assert!(empty.contains("href=\"/campaigns/new\""), "{empty}");
        let searched = samples::checked(&page("\"><b>Pérez", Vec::new()));
        assert!(searched.contains("value=\"&#34;&#62;&#60;b&#62;Pérez\""), "{searched}");
        let one = samples::checked(&page("", vec![samples::campaign("One", 61.0, None, 0.1)]));
        assert!(one.contains(">61.0<") && one.contains("1,000"), "{one}");
    }
}
