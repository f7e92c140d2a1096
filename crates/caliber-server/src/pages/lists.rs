//! Lists: taken out of a campaign's results, kept as versions, downloaded.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use caliber_platform::Window;
use caliber_platform::analysis::capital;
use caliber_platform::campaigns::{CampaignId, CampaignStatus, Filter};
use caliber_platform::identity::permissions::LISTS_READ;
use caliber_platform::lists::{ListOptions, ListVersion, VersionRows};
use caliber_platform::results::{ListPolicy, ListRow, ListType};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::figures::CampaignFigures;
use super::filters::{grouped, money_to};
use super::form::{Fields, Problems, said};
use super::paging::{Asked, Place};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::{Id, Query, Words};
use crate::failure::{Failure, FailureCode};
use crate::signed_in::By;
use crate::texts;

/// Names of a version that its page shows with their figures; the download has all.
const ROWS_SHOWN: usize = 150;
/// The most names of a version that can be copied from its page.
const NAMES_COPIED: usize = 500;
/// Names that came or went which stand there at once, and those that can be unfolded.
const CHANGES_SHOWN: usize = 20;
const CHANGES_FOLDED: usize = 200;
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
    lists: Vec<CampaignLists>,
    place: Place,
}

/// A scored campaign, with the newest version of each of its lists.
struct CampaignLists {
    campaign: CampaignFigures,
    /// Under the key of the list's name; none where no version was ever kept.
    newest: [(&'static str, Option<VersionRow>); 2],
}

async fn index(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(asked): Query<Asked>,
) -> Result<ListsPage, Failure> {
    let filter = Filter { status: Some(CampaignStatus::Completed), search: None };
    let page = app.platform.campaigns().list(&caller, &filter, asked.window()).await?;
    let ids: Vec<CampaignId> = page.rows.iter().map(|it| it.campaign.id).collect();
    let (newest, now) = (app.platform.lists().newest(&caller, &ids).await?, app.platform.now());
    let of = |campaign: CampaignId, list: ListType| {
        let is_it = |it: &&ListVersion| it.campaign_id == campaign && ListType::from(it.list_type) == list;
        newest.iter().find(is_it).map(|version| VersionRow::of(version, now))
    };
    let rows = page.rows.iter().map(|it| CampaignLists {
        campaign: CampaignFigures::of(it),
        newest: [
            ("blocklist", of(it.campaign.id, ListType::Blacklist)),
            ("allowlist", of(it.campaign.id, ListType::Whitelist)),
        ],
    });
    let lists: Vec<CampaignLists> = rows.collect();
    let place = Place::new(&asked, lists.len(), page.total, "/lists", &[]);
    Ok(ListsPage { shell, lists, place })
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
    /// Of the candidates, above 0 and up to 0.5.
    share: f64,
    names: i64,
    added: i64,
    removed: i64,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    is_expired: bool,
    /// The first names that would have been blocked and were protected.
    protected: Vec<String>,
}

impl VersionRow {
    fn of(version: &ListVersion, now: DateTime<Utc>) -> Self {
        let protected = version.criteria["protected"].as_array().into_iter().flatten();
        Self {
            expires_at: version.expires_at,
            is_expired: version.expires_at.is_some_and(|at| at <= now),
            protected: protected
                .filter_map(serde_json::Value::as_str)
                .take(CHANGES_FOLDED)
                .map(str::to_owned)
                .collect(),
            number: version.number,
            is_allowlist: ListType::from(version.list_type) == ListType::Whitelist,
            policy: version.policy.clone(),
            share: version.criteria["share"].as_f64().unwrap_or_default(),
            names: version.names_count,
            added: version.added,
            removed: version.removed,
            created_at: version.created_at,
        }
    }

    fn kind_key(&self) -> &'static str {
        if self.is_allowlist { "allowlist" } else { "blocklist" }
    }

    /// What it is called: both lists of a campaign are numbered in one row, so the number comes first.
    fn title(&self) -> String {
        let key = if self.is_allowlist { "version-allowlist" } else { "version-blocklist" };
        texts::with(key, &[("number", self.number.to_string().into())])
    }

    /// The rule that made it: `Worst 10% by score`.
    fn rule(&self) -> String {
        let is_by_evidence = self.policy == ListPolicy::Evidence.name();
        let key = match (is_by_evidence, self.is_allowlist) {
            (false, false) => "rule-worst",
            (false, true) => "rule-best",
            (true, false) => "rule-worst-proven",
            (true, true) => "rule-best-proven",
        };
        let percent = (self.share * 1000.0).round() / 10.0;
        let places = usize::from(percent.fract() != 0.0);
        texts::with(key, &[("share", grouped(percent, places).into())])
    }

    fn names_text(&self) -> String {
        let count = self.names as f64;
        texts::with("names-count", &[("number", count.into()), ("count", grouped(count, 0).into())])
    }

    /// Whether there was nothing before it.
    fn is_first(&self) -> bool {
        self.added == self.names && self.removed == 0
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
    let now = app.platform.now();
    let versions = versions.rows.iter().map(|version| VersionRow::of(version, now)).collect();
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
    let field = |name: &str| said(&fields, name);
    let list_type = if field("list") == "blocklist" { ListType::Blacklist } else { ListType::Whitelist };
    let policy = if field("policy") == "evidence" { ListPolicy::Evidence } else { ListPolicy::Quartile };
    let taken = async {
        let share = field("share").parse::<f64>().ok().map(|percent| percent / 100.0);
        let share =
            share.ok_or_else(|| Failure::invalid("share", "is a number of percent, above 0 and up to 50"))?;
        let expires_at = end_of_day(field("expires"))?;
        let least = Some(field("min_impressions")).filter(|least| !least.is_empty());
        let wrong = |_| Failure::invalid("min_impressions", "is a whole number, 0 or more");
        let min_impressions = least.map(str::parse).transpose().map_err(wrong)?;
        let options = ListOptions { share: Some(share), policy: Some(policy), min_impressions, expires_at };
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
    rows: Vec<NameRow>,
    /// Whether the campaign still shows the run that the version was taken out of, so that its names can be explained.
    is_current: bool,
    /// All names, where they are few enough to be copied.
    copied: Option<String>,
    added: Changed,
    removed: Changed,
}

impl VersionPage {
    /// What changed: the keys of its name and of what is said where nothing did.
    fn changes(&self) -> [(&'static str, &'static str, &Changed); 2] {
        [("added", "none-added", &self.added), ("removed", "none-removed", &self.removed)]
    }
}

/// A name of a version, with what its run found of it.
struct NameRow {
    name: String,
    score: Option<f64>,
    spend: Option<String>,
    reason: String,
}

impl NameRow {
    fn all(found: &VersionRows) -> Vec<Self> {
        let summary = found.run.summary.as_deref();
        let currency = summary.and_then(|summary| summary["currency"].as_str());
        let spends = found.rows.iter().filter_map(|row| row.spend);
        let places = if spends.map(|spend| spend.0.abs()).fold(0.0, f64::max) < 1000.0 { 2 } else { 0 };
        let row = |row: &ListRow| Self {
            name: row.name.clone(),
            score: row.score.map(|score| score.0),
            spend: row.spend.map(|spend| money_to(spend.0, currency, places)),
            reason: capital(&row.reason),
        };
        found.rows.iter().map(row).collect()
    }
}

/// Names that came or went since the version before.
struct Changed {
    count: usize,
    first: Vec<String>,
    /// Those that are unfolded.
    rest: Vec<String>,
}

impl Changed {
    fn of(mut names: Vec<String>) -> Self {
        let count = names.len();
        names.truncate(CHANGES_FOLDED);
        let rest = names.split_off(names.len().min(CHANGES_SHOWN));
        Self { count, first: names, rest }
    }

    /// Names that the page does not have.
    fn more(&self) -> usize {
        self.count - self.first.len() - self.rest.len()
    }
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
    let lists = app.platform.lists();
    let details = lists.version(&caller, id, number).await?;
    let rows = NameRow::all(&lists.rows_of_version(&details, ROWS_SHOWN).await?);
    Ok(VersionPage {
        shell,
        campaign: id.0,
        campaign_name: campaign.name,
        is_current: campaign.current_run_id == Some(details.version.run_id),
        version: VersionRow::of(&details.version, app.platform.now()),
        author: details.author,
        rows,
        copied: (details.names.len() <= NAMES_COPIED).then(|| details.names.join("\n")),
        added: Changed::of(details.added),
        removed: Changed::of(details.removed),
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
    let kind = match ListType::from(details.version.list_type) {
        ListType::Whitelist => "allowlist",
        ListType::Blacklist => "blocklist",
    };
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
            share: 0.1,
            names: 77,
            added: 5,
            removed: 43,
            created_at: samples::time(),
            expires_at: Some(samples::time()),
            is_expired: true,
            protected: vec!["<b>P\u{e9}rez.example".to_owned()],
        }
    }

    #[test]
    fn a_version_says_what_is_on_it_why_and_what_changed() {
        let name = |name: &str, score| NameRow {
            name: name.to_owned(),
            score,
            spend: Some("$12.00".to_owned()),
            reason: "CPM <b>P\u{e9}rez".to_owned(),
        };
        let page = VersionPage {
            shell: samples::shell(),
            campaign: Uuid::nil(),
            campaign_name: "<b>P\u{e9}rez".to_owned(),
            version: row(),
            author: Some("<b>P\u{e9}rez".to_owned()),
            rows: vec![name("a.example/x", Some(12.3)), name("by-hand.example", None)],
            is_current: true,
            copied: Some("a.example/x\nby-hand.example".to_owned()),
            added: Changed::of(vec!["b.example".to_owned()]),
            removed: Changed::of((0..43).map(|at| format!("gone-{at}.example")).collect()),
        };
        let html = samples::checked(&page);
        assert!(html.contains("/2/download") && html.contains("b.example"), "{html}");
        assert!(html.contains("domains/a.example%2Fx\"") && html.contains("12.3"), "{html}");
        assert!(!html.contains("domains/by-hand.example"), "what was not scored is not explained: {html}");
        assert!(html.contains("Worst 10%, proven by counts") && html.contains("gone-42.example"), "{html}");
    }

    #[test]
    fn what_changed_is_folded_and_counted() {
        let changed = Changed::of((0..250).map(|at| at.to_string()).collect());
        assert_eq!((changed.first.len(), changed.rest.len(), changed.more()), (20, 180, 50));
        let none = Changed::of(Vec::new());
        assert_eq!((none.count, none.first.len(), none.rest.len(), none.more()), (0, 0, 0, 0));
    }

    #[test]
    fn a_version_is_told_by_its_rule() {
        let rule = |policy: &str, is_allowlist, share| {
            VersionRow { policy: policy.to_owned(), is_allowlist, share, ..row() }.rule()
        };
        assert_eq!(rule("quartile", false, 0.07), "Worst 7% by score");
        assert_eq!(rule("quartile", true, 0.125), "Best 12.5% by score");
        assert_eq!(rule("evidence", true, 0.25), "Best 25%, proven by counts");
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
        let lists = CampaignLists { campaign, newest: [("blocklist", Some(row())), ("allowlist", None)] };
        let html = samples::checked(&ListsPage {
            shell: samples::shell(),
            lists: vec![lists],
            place: place.clone(),
        });
        assert!(html.contains(">77 names</a>") && html.contains("None yet"), "{html}");
        samples::checked(&ListsPage { shell: samples::shell(), lists: Vec::new(), place });
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
