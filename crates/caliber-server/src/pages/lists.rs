//! Lists: taken out of a campaign's results, kept as versions, downloaded.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use caliber_platform::Window;
use caliber_platform::campaigns::{CampaignId, CampaignStatus, Filter};
use caliber_platform::identity::permissions::LISTS_READ;
use caliber_platform::lists::{ListOptions, ListVersion};
use caliber_platform::results::{ListPolicy, ListType};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::figures::CampaignFigures;
use super::form::{Fields, Problems};
use super::paging::{Asked, Place};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::{Id, Query, Words};
use crate::failure::{Failure, FailureCode};
use crate::signed_in::By;

/// Names of a version that its page shows; the download has all.
const NAMES_SHOWN: usize = 500;
/// The share of a list in percent, unless said.
const USUAL_SHARE: &str = "25";

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/lists", Sees::Needs(LISTS_READ), get(index))
        .page(app, "/lists/{id}", Sees::Needs(LISTS_READ), get(history).post(take_out))
        .page(app, "/lists/{id}/{version}", Sees::Needs(LISTS_READ), get(version))
        .page(app, "/lists/{id}/{version}/download", Sees::Needs(LISTS_READ), get(download))
}

#[derive(Template, WebTemplate)]
#[template(path = "lists.html")]
struct ListsPage {
    shell: Shell,
    campaigns: Vec<CampaignFigures>,
    place: Place,
}

async fn index(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(asked): Query<Asked>,
) -> Result<ListsPage, Failure> {
    let filter = Filter { status: Some(CampaignStatus::Completed), search: None };
    let page = app.platform.campaigns().list(&caller, &filter, asked.window()).await?;
    let campaigns: Vec<CampaignFigures> = page.rows.iter().map(CampaignFigures::of).collect();
    let place = Place::new(&asked, campaigns.len(), page.total, "/lists", &[]);
    Ok(ListsPage { shell, campaigns, place })
}

#[derive(Template, WebTemplate)]
#[template(path = "list_history.html")]
struct HistoryPage {
    shell: Shell,
    campaign: CampaignFigures,
    versions: Vec<VersionRow>,
    share: String,
    /// The day until when the list is to hold, as the form has it.
    expires: String,
    problem: Option<String>,
}

/// A version of a list.
struct VersionRow {
    number: i64,
    is_allowlist: bool,
    policy: String,
    names: i64,
    added: i64,
    removed: i64,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    /// The first names that would have been blocked and were protected.
    protected: Vec<String>,
}

impl From<&ListVersion> for VersionRow {
    fn from(version: &ListVersion) -> Self {
        let protected = version.criteria["protected"].as_array().into_iter().flatten();
        Self {
            expires_at: version.expires_at,
            protected: protected
                .filter_map(serde_json::Value::as_str)
                .take(NAMES_SHOWN)
                .map(str::to_owned)
                .collect(),
            number: version.number,
            is_allowlist: ListType::from(version.list_type) == ListType::Whitelist,
            policy: version.policy.clone(),
            names: version.names_count,
            added: version.added,
            removed: version.removed,
            created_at: version.created_at,
        }
    }
}

impl VersionRow {
    fn kind_key(&self) -> &'static str {
        if self.is_allowlist { "allowlist" } else { "blocklist" }
    }

    fn policy_key(&self) -> &'static str {
        if self.policy == ListPolicy::Evidence.name() { "policy-evidence" } else { "policy-quartile" }
    }
}

async fn history(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
) -> Result<HistoryPage, Failure> {
    let id = CampaignId(id);
    let campaign = CampaignFigures::of(&app.platform.campaigns().get(&caller, id).await?);
    let versions = app.platform.lists().versions(&caller, id, Window { skip: 0, limit: 100 }).await?;
    let versions = versions.rows.iter().map(VersionRow::from).collect();
    Ok(HistoryPage {
        shell,
        campaign,
        versions,
        share: USUAL_SHARE.to_owned(),
        expires: String::new(),
        problem: None,
    })
}

/// Makes a list by the rule that was asked for, and shows it: as a new version, or as the last where it is the same.
async fn take_out(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let field =
        |name: &str| fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim());
    let list_type = if field("list") == "blocklist" { ListType::Blacklist } else { ListType::Whitelist };
    let policy = if field("policy") == "evidence" { ListPolicy::Evidence } else { ListPolicy::Quartile };
    let taken = async {
        let share = field("share").parse::<f64>().ok().map(|percent| percent / 100.0);
        let share =
            share.ok_or_else(|| Failure::invalid("share", "is a number of percent, above 0 and up to 50"))?;
        let expires_at = end_of_day(field("expires"))?;
        let options =
            ListOptions { share: Some(share), policy: Some(policy), expires_at, ..ListOptions::default() };
        app.platform.lists().take_out(&caller, CampaignId(id), list_type, options).await?;
        let versions =
            app.platform.lists().versions(&caller, CampaignId(id), Window { skip: 0, limit: 100 }).await?;
        let newest = versions.rows.iter().find(|version| ListType::from(version.list_type) == list_type);
        newest.map(|version| version.number).ok_or_else(|| caliber_platform::Error::not_found("list").into())
    };
    match taken.await {
        Ok(number) => Ok(Redirect::to(&format!("/lists/{id}/{number}")).into_response()),
        Err(failure) => {
            let failure: Failure = failure;
            let status = failure.code.status();
            let problem = if failure.code == FailureCode::NotScored {
                failure.message
            } else {
                Problems::of_form(failure)?.outside(&[]).join("; ")
            };
            let (share, expires) = (field("share").to_owned(), field("expires").to_owned());
            let page = history(State(app), shell, By(caller), Id(id)).await?;
            Ok((status, HistoryPage { share, expires, problem: Some(problem), ..page }).into_response())
        }
    }
}

/// The end of a day, in UTC; nothing where none is said.
fn end_of_day(day: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    if day.is_empty() {
        return Ok(None);
    }
    let day = day.parse::<NaiveDate>().ok();
    let end = day.and_then(|day| day.and_hms_opt(23, 59, 59)).map(|end| end.and_utc());
    end.map(Some).ok_or_else(|| Failure::invalid("expires_at", "is a day, as in 2027-01-31"))
}

#[derive(Template, WebTemplate)]
#[template(path = "list_version.html")]
struct VersionPage {
    shell: Shell,
    campaign: Uuid,
    campaign_name: String,
    version: VersionRow,
    author: Option<String>,
    names: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
}

/// The campaign and the number of a version, from its address.
fn address(id: &str, version: &str) -> Result<(CampaignId, i64), Failure> {
    let missing = || Failure::from(caliber_platform::Error::not_found("list"));
    let id = Uuid::try_parse(id).map_err(|_| missing())?;
    Ok((CampaignId(id), version.parse().map_err(|_| missing())?))
}

async fn version(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Words((id, number)): Words<(String, String)>,
) -> Result<VersionPage, Failure> {
    let (id, number) = address(&id, &number)?;
    let campaign = app.platform.campaigns().get(&caller, id).await?.campaign;
    let details = app.platform.lists().version(&caller, id, number).await?;
    let first = |names: Vec<String>| names.into_iter().take(NAMES_SHOWN).collect();
    Ok(VersionPage {
        shell,
        campaign: id.0,
        campaign_name: campaign.name,
        version: VersionRow::from(&details.version),
        author: details.author,
        names: first(details.names),
        added: first(details.added),
        removed: first(details.removed),
    })
}

/// All names of a version, one a line: what every DSP takes.
async fn download(
    State(app): State<App>,
    By(caller): By,
    Words((id, number)): Words<(String, String)>,
) -> Result<Response, Failure> {
    let (id, number) = address(&id, &number)?;
    let details = app.platform.lists().version(&caller, id, number).await?;
    let kind = if VersionRow::from(&details.version).is_allowlist { "allowlist" } else { "blocklist" };
    let disposition = format!("attachment; filename=\"{kind}-{number}.txt\"");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&disposition).map_err(caliber_platform::Error::internal)?,
        ),
    ];
    let mut text = details.names.join("\n");
    text.push('\n');
    Ok((headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    fn row() -> VersionRow {
        VersionRow {
            number: 2,
            is_allowlist: false,
            policy: "evidence".to_owned(),
            names: 77,
            added: 5,
            removed: 3,
            created_at: samples::time(),
            expires_at: Some(samples::time()),
            protected: vec!["<b>P\u{e9}rez.example".to_owned()],
        }
    }

    #[test]
    fn a_version_says_what_changed_and_is_downloaded_whole() {
        let page = VersionPage {
            shell: samples::shell(),
            campaign: Uuid::nil(),
            campaign_name: "<b>Pérez".to_owned(),
            version: row(),
            author: Some("<b>Pérez".to_owned()),
            names: vec!["a.example".to_owned()],
            added: vec!["b.example".to_owned()],
            removed: vec!["<b>Pérez.example".to_owned()],
        };
        let html = samples::checked(&page);
        assert!(html.contains("/2/download") && html.contains("b.example"), "{html}");
    }

    #[test]
    fn lists_are_taken_out_by_a_rule() {
        let campaign = samples::campaign("Spring", 61.0, Some("USD"), 0.2);
        let page = HistoryPage {
            shell: samples::shell(),
            campaign: campaign.clone(),
            versions: vec![row()],
            share: USUAL_SHARE.to_owned(),
            expires: "2027-01-31".to_owned(),
            problem: Some("share: is above 0 and up to 0.5".to_owned()),
        };
        let html = samples::checked(&page);
        assert!(html.contains("name=\"policy\"") && html.contains("By evidence"), "{html}");
        let place = Place::new(&Asked::default(), 1, 1, "/lists", &[]);
        samples::checked(&ListsPage {
            shell: samples::shell(),
            campaigns: vec![campaign],
            place: place.clone(),
        });
        samples::checked(&ListsPage { shell: samples::shell(), campaigns: Vec::new(), place });
    }

    #[test]
    fn a_list_holds_until_the_end_of_a_day() {
        assert_eq!(end_of_day("").unwrap(), None);
        assert_eq!(end_of_day("2027-01-31").unwrap().unwrap().to_rfc3339(), "2027-01-31T23:59:59+00:00");
        assert_eq!(end_of_day("31.1.2027").unwrap_err().problems[0].field, "expires_at");
    }

    #[test]
    fn addresses_that_name_nothing_are_not_found() {
        assert_eq!(address("x", "1").unwrap_err().code, FailureCode::NotFound);
        assert_eq!(
            address("00000000-0000-0000-0000-000000000000", "one").unwrap_err().code,
            FailureCode::NotFound
        );
    }
}
