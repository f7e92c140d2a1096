//! The lists of a campaign as they would be: thresholds tried out, names decided about by hand, forms for DSPs.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use caliber_platform::analysis::capital;
use caliber_platform::campaigns::CampaignId;
use caliber_platform::exports::{FormRoom, rooms};
use caliber_platform::identity::permissions::LISTS_READ;
use caliber_platform::lists::{Change, Draft as Drafted, Drafts, ListOptions, Mark, Overrides};
use caliber_platform::results::ListPolicy;
use caliber_platform::scoring::RunConfig;

use super::written::{Written, in_path};
use super::{Head, Tab, computed, head_of, is_part, varying};
use crate::App;
use crate::extract::Id;
use crate::failure::Failure;
use crate::pages::filters::grouped;
use crate::pages::shell::Shell;
use crate::pages::{Guarded, Sees, filters};
use crate::signed_in::By;
use crate::texts;

/// Rows of a list that are shown.
const SHOWN: usize = 8;
/// Names by hand that are shown of a kind.
const BY_HAND: usize = 100;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/campaigns/{id}/lists", Sees::Needs(LISTS_READ), get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "results_lists.html")]
struct ListsPage {
    shell: Shell,
    head: Head,
    asked: Asked,
    drafts: [Draft; 2],
    by_hand: Vec<ByHand>,
}

/// The lists alone, for scripts.
#[derive(Template, WebTemplate)]
#[template(path = "results_lists_drafts.html")]
struct DraftsPart {
    shell: Shell,
    head: Head,
    asked: Asked,
    drafts: [Draft; 2],
}

/// The thresholds.
#[derive(Debug)]
struct Asked {
    /// Of 100.
    share: f64,
    min_impressions: f64,
    policy: ListPolicy,
    /// The same for the addresses of downloads.
    query: String,
}

impl Asked {
    fn is_by(&self, word: &str) -> bool {
        self.policy.name() == word
    }
}

/// One list as it would be.
#[derive(Debug)]
struct Draft {
    /// The word in the addresses of the API.
    word: &'static str,
    /// The key of its name.
    key: &'static str,
    /// The key of what it does.
    effect: &'static str,
    count: usize,
    candidates: usize,
    impressions: f64,
    impressions_share: Option<f64>,
    spend: Option<String>,
    spend_share: Option<f64>,
    average_score: Option<f64>,
    rows: Vec<Row>,
    rooms: Vec<Room>,
    /// Names that would be blocked and are protected.
    protected: usize,
    change: Option<Change>,
}

/// What a form of a DSP holds of a list.
#[derive(Debug)]
struct Room {
    word: &'static str,
    label: &'static str,
    /// What it holds, in words.
    holds: String,
    /// Names that it cannot hold; none where it does not take what was scored.
    left_out: Option<usize>,
}

impl Room {
    fn of(FormRoom { form, left_out }: FormRoom) -> Self {
        let mut holds = Vec::new();
        let mut say = |key, most: Option<usize>| {
            holds.extend(most.map(|most| texts::with(key, &[("most", grouped(most as f64, 0).into())])));
        };
        say("form-limit", form.limit());
        say("form-longest", form.longest_name());
        say("form-levels", form.subdomain_levels());
        holds.extend(form.splits_apps().then(|| texts::text("form-splits")));
        holds.extend(form.sites_only().then(|| texts::text("form-sites-only")));
        if holds.is_empty() {
            holds.push(texts::text("form-anything"));
        }
        Self { word: form.name(), label: form.label(), holds: holds.join("; "), left_out }
    }
}

#[derive(Debug)]
struct Row {
    name: String,
    href: String,
    score: Option<f64>,
    spend: Option<String>,
    reason: String,
}

/// Names that somebody decided about.
#[derive(Debug)]
struct ByHand {
    mark: Mark,
    key: &'static str,
    hint: &'static str,
    names: Vec<String>,
    more: usize,
}

impl Draft {
    fn of(drafted: &Drafted, head: &Head, written: &Written, of_vendors: bool) -> Self {
        let Drafted { list, change } = drafted;
        let is_block = list.list_type == caliber_platform::results::ListType::Blacklist;
        let (word, key, effect) = if is_block {
            ("blacklist", "blocklist", "draft-blocks")
        } else {
            ("whitelist", "allowlist", "draft-allows")
        };
        let run = head.campaign.scored.as_ref();
        let of = |part: f64, whole: Option<f64>| whole.filter(|whole| *whole > 0.0).map(|whole| part / whole);
        let spend = list.total_spend.map(|spend| spend.0);
        let base = head.path();
        let rows = list.rows.iter().take(SHOWN).map(|row| Row {
            href: format!("{base}/domains/{}", in_path(&row.name)),
            name: row.name.clone(),
            score: row.score.map(|score| score.0),
            spend: row.spend.map(|spend| written.money(spend.0)),
            reason: capital(&row.reason),
        });
        Self {
            word,
            key,
            effect,
            count: list.rows.len(),
            candidates: list.criteria_used.total_candidates,
            impressions: list.total_impressions.0,
            impressions_share: of(list.total_impressions.0, run.map(|run| run.impressions)),
            spend: spend.map(|spend| written.money(spend)),
            spend_share: spend.and_then(|spend| of(spend, run.and_then(|run| run.spend))),
            average_score: list.average_score.map(|score| score.0),
            rows: rows.collect(),
            protected: list.criteria_used.protected.len(),
            change: *change,
            rooms: rooms(of_vendors, &list.domains).into_iter().map(Room::of).collect(),
        }
    }
}

fn by_hand(overrides: Overrides) -> Vec<ByHand> {
    let kind = |mark, key, hint, mut names: Vec<String>| {
        let more = names.len().saturating_sub(BY_HAND);
        names.truncate(BY_HAND);
        ByHand { mark, key, hint, names, more }
    };
    vec![
        kind(Mark::Allow, "mark-allowed", "mark-allowed-hint", overrides.allow),
        kind(Mark::Block, "mark-blocked", "mark-blocked-hint", overrides.block),
        kind(Mark::Protect, "mark-protected", "mark-protected-hint", overrides.protect),
    ]
}

/// What an address asks for; the run's own way where it says nothing.
fn options(query: &str) -> Result<ListOptions, Failure> {
    let mut options = ListOptions::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.trim();
        match &*name {
            _ if value.is_empty() => {}
            "share" => {
                let percent = value.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 50.0);
                let wrong = || Failure::invalid("share", "is a number above 0 and up to 50 percent");
                options.share = Some(percent.ok_or_else(wrong)? / 100.0);
            }
            "min_impressions" => {
                let wrong = |_| Failure::invalid("min_impressions", "is a whole number, 0 or more");
                options.min_impressions = Some(value.parse().map_err(wrong)?);
            }
            "policy" => {
                let wrong = || Failure::invalid("policy", "is quartile or evidence");
                options.policy = Some(ListPolicy::of(value).ok_or_else(wrong)?);
            }
            _ => {}
        }
    }
    Ok(options)
}

async fn show(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let options = options(&query.unwrap_or_default())?;
    let head = head_of(&app, &caller, id, Tab::Lists).await?;
    let current = app.platform.current_results().current(&caller, CampaignId(id)).await?;
    let written = Written::of(current.run.summary.as_deref());
    let Drafts { allow, block } = app.platform.lists().drafts(&caller, CampaignId(id), options).await?;
    let criteria = &allow.list.criteria_used;
    let (share, least, policy) = (criteria.share.0, criteria.min_impressions.0, criteria.policy);
    let query = format!("share={share}&min_impressions={}&policy={}", least.round(), policy.name());
    let asked = Asked { share: (share * 1e4).round() / 100.0, min_impressions: least, policy, query };
    let of_vendors = RunConfig::shown(&current.run.config)["dimension"] == "supply_vendor";
    let of = |draft: Drafted| {
        let (head, written) = (head.clone(), written.clone());
        computed(move || Ok(Draft::of(&draft, &head, &written, of_vendors)))
    };
    let drafts = tokio::try_join!(of(block), of(allow))?.into();
    if is_part(&headers, "drafts") {
        return Ok(varying(DraftsPart { shell, head, asked, drafts }));
    }
    let by_hand = by_hand(Overrides::of(&current.campaign));
    Ok(varying(ListsPage { shell, head, asked, drafts, by_hand }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::results::sample_head;
    use crate::pages::samples;

    fn draft(word: &'static str, rows: Vec<Row>) -> Draft {
        Draft {
            word,
            key: "blocklist",
            effect: "draft-blocks",
            count: 9,
            candidates: 40,
            impressions: 1_234_567.0,
            impressions_share: Some(0.25),
            spend: None,
            spend_share: None,
            average_score: None,
            rows,
            protected: 2,
            change: Some(Change { since: 3, added: 5, removed: 4 }),
            rooms: rooms(false, &["=A1()".to_owned()]).into_iter().map(Room::of).collect(),
        }
    }

    #[test]
    fn lists_are_tried_out_on_a_page() {
        let row = Row {
            name: "<b>P\u{e9}rez.example".to_owned(),
            href: "/campaigns/1/domains/x".to_owned(),
            score: None,
            spend: None,
            reason: "<b>P\u{e9}rez costs it".to_owned(),
        };
        let overrides =
            Overrides { block: vec!["<b>P\u{e9}rez".to_owned(); BY_HAND + 5], ..Overrides::default() };
        let page = ListsPage {
            shell: samples::shell(),
            head: sample_head(Tab::Lists),
            asked: Asked {
                share: 25.0,
                min_impressions: 250.0,
                policy: ListPolicy::Evidence,
                query: "share=0.25".to_owned(),
            },
            drafts: [draft("blacklist", vec![row]), draft("whitelist", Vec::new())],
            by_hand: by_hand(overrides),
        };
        let html = samples::checked(&page);
        assert!(
            html.contains("1.2\u{a0}M") && html.contains("and 8 more") && html.contains("and 5 more"),
            "{html}"
        );
        assert!(html.contains("value=\"evidence\" checked") && html.contains("trade_desk_csv"), "{html}");
        assert!(
            html.contains("2 protected names are kept off")
                && html.contains(">Compared with version 3</a>: 5 added, 4 removed"),
            "{html}"
        );
        assert!(html.contains("10,000 names a file") && html.contains("1 name left out"), "{html}");
    }

    #[test]
    fn a_form_that_takes_no_vendors_says_so() {
        let rooms: Vec<Room> = rooms(true, &["Acme".to_owned()]).into_iter().map(Room::of).collect();
        let taken: Vec<&str> =
            rooms.iter().filter(|room| room.left_out.is_some()).map(|room| room.word).collect();
        assert_eq!(taken, ["text"]);
    }

    #[test]
    fn thresholds_are_read_in_the_words_of_the_page() {
        let read = options("share=10&min_impressions=1000&policy=evidence&page=2").unwrap();
        assert_eq!(
            (read.share, read.min_impressions, read.policy),
            (Some(0.1), Some(1000), Some(ListPolicy::Evidence))
        );
        assert_eq!(options("share=&policy=").unwrap(), ListOptions::default());
        for (query, field) in [
            ("share=0", "share"),
            ("share=51", "share"),
            ("min_impressions=-1", "min_impressions"),
            ("policy=x", "policy"),
        ] {
            assert_eq!(options(query).unwrap_err().problems[0].field, field, "{query}");
        }
    }
}
