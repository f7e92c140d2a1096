//! Files that are made in the background: asked for, watched, fetched, until they are removed.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use caliber_platform::Window;
use caliber_platform::campaigns::{CampaignId, Filter};
use caliber_platform::exports::{Asked, ExportStatus, ListFormat, NamedExport, ResultsFormat, UploadForm};
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::{EXPORTS_READ, EXPORTS_WRITE};
use caliber_platform::lists::ListOptions;
use caliber_platform::results::{ListType, Query as Rows};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::form::{Fields, Problems};
use super::notice::Notice;
use super::paging::{Asked as Wanted, Place};
use super::review::Select;
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::Query;
use crate::failure::{Failure, FailureCode};
use crate::signed_in::By;

/// Campaigns to choose from, the newest.
const CAMPAIGNS: Window = Window { skip: 0, limit: 100 };

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/exports", Sees::Needs(EXPORTS_READ), get(list).post(start))
}

#[derive(Template, WebTemplate)]
#[template(path = "exports.html")]
struct ExportsPage {
    shell: Shell,
    exports: Vec<ExportRow>,
    place: Place,
    campaigns: Vec<Select>,
    kinds: Vec<Kind>,
    problem: Option<String>,
}

impl ExportsPage {
    /// Whether something is still to come, so that the page looks again by itself.
    fn is_under_way(&self) -> bool {
        self.exports.iter().any(ExportRow::is_under_way)
    }
}

/// A row of what was asked for.
struct ExportRow {
    id: Uuid,
    campaign: Uuid,
    campaign_name: String,
    /// The key of what it is, and its form.
    what: (&'static str, String),
    status: ExportStatus,
    percentage: f64,
    size: Option<i64>,
    left_out: i64,
    error: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
}

impl From<NamedExport> for ExportRow {
    fn from(named: NamedExport) -> Self {
        let NamedExport { background, campaign_name } = named;
        let what = background.asked().map_or(("export-other", String::new()), |asked| what(&asked));
        Self {
            id: background.export.id.0,
            campaign: background.export.campaign_id.0,
            campaign_name,
            what,
            status: background.status,
            percentage: background.progress_percentage,
            size: background.export.size,
            left_out: background.export.left_out.unwrap_or_default(),
            error: background.error_message,
            created_at: background.export.created_at,
            expires_at: background.expires_at,
        }
    }
}

impl ExportRow {
    fn title(&self) -> String {
        title_of(self.what.0, &self.what.1)
    }

    fn is_under_way(&self) -> bool {
        matches!(self.status, ExportStatus::Pending | ExportStatus::Processing)
    }

    fn is_made(&self) -> bool {
        self.status == ExportStatus::Completed
    }

    fn status_key(&self) -> &'static str {
        match self.status {
            ExportStatus::Pending => "job-queued",
            ExportStatus::Processing => "export-processing",
            ExportStatus::Completed => "export-completed",
            ExportStatus::Failed => "job-failed",
        }
    }

    fn colour(&self) -> &'static str {
        match self.status {
            ExportStatus::Pending => "secondary",
            ExportStatus::Processing => "azure",
            ExportStatus::Completed => "green",
            ExportStatus::Failed => "red",
        }
    }
}

/// What an export is and its form, as one chooses it: `Client report, PDF`.
fn title_of(key: &str, form: &str) -> String {
    let what = crate::texts::text(key);
    if form.is_empty() { what } else { format!("{what}, {form}") }
}

/// The key of what an export is, and the form it is in.
fn what(asked: &Asked) -> (&'static str, String) {
    let of_list = |list_type: &ListType, words: [&'static str; 2]| match list_type {
        ListType::Whitelist => words[0],
        ListType::Blacklist => words[1],
    };
    match asked {
        Asked::Results { format, .. } => ("download-results", results_form(*format).to_owned()),
        Asked::List { list_type, format, .. } => {
            (of_list(list_type, ["allowlist", "blocklist"]), list_form(*format).to_owned())
        }
        Asked::Dsp { list_type, form, .. } => {
            let known = UploadForm::by_name(form).map_or(form.as_str(), UploadForm::label);
            (of_list(list_type, ["export-upload-allow", "export-upload-block"]), known.to_owned())
        }
        Asked::Lists { .. } => ("download-lists", "CSV".to_owned()),
        Asked::Summary => ("download-summary", "CSV".to_owned()),
        Asked::Data { .. } => ("download-data", "JSON".to_owned()),
        Asked::Pdf { .. } => ("download-pdf", "PDF".to_owned()),
    }
}

fn results_form(format: ResultsFormat) -> &'static str {
    match format {
        ResultsFormat::Csv => "CSV",
        ResultsFormat::Xlsx => "XLSX",
        ResultsFormat::Parquet => "Parquet",
        ResultsFormat::Json => "JSON",
    }
}

fn list_form(format: ListFormat) -> &'static str {
    match format {
        ListFormat::Csv => "CSV",
        ListFormat::Json => "JSON",
    }
}

/// Exports of a kind to choose from.
struct Kind {
    /// The key of its name.
    key: &'static str,
    choices: Vec<Select>,
}

/// Everything that can be asked for: the word of the form, and what it is. Lists are made as the run makes them.
fn choices() -> Vec<(&'static str, String, Asked)> {
    let options = ListOptions::default();
    let rows = Rows::default;
    let mut all = vec![
        ("download-report", "pdf".to_owned(), Asked::Pdf { charts: true, details: true }),
        (
            "download-report",
            "results.xlsx".to_owned(),
            Asked::Results { format: ResultsFormat::Xlsx, rows: rows() },
        ),
        ("download-report", "summary".to_owned(), Asked::Summary),
        (
            "download-rows",
            "results.csv".to_owned(),
            Asked::Results { format: ResultsFormat::Csv, rows: rows() },
        ),
        (
            "download-rows",
            "results.parquet".to_owned(),
            Asked::Results { format: ResultsFormat::Parquet, rows: rows() },
        ),
        (
            "download-rows",
            "results.json".to_owned(),
            Asked::Results { format: ResultsFormat::Json, rows: rows() },
        ),
        ("download-rows", "data".to_owned(), Asked::Data { results: true, insights: false }),
        ("nav-lists", "lists".to_owned(), Asked::Lists { options }),
    ];
    for (word, list_type) in [("blocklist", ListType::Blacklist), ("allowlist", ListType::Whitelist)] {
        for (form, format) in [("csv", ListFormat::Csv), ("json", ListFormat::Json)] {
            all.push(("nav-lists", format!("{word}.{form}"), Asked::List { list_type, format, options }));
        }
    }
    for (word, list_type) in [("blocklist", ListType::Blacklist), ("allowlist", ListType::Whitelist)] {
        all.extend(UploadForm::all().iter().map(|form| {
            let asked = Asked::Dsp { list_type, form: form.name().to_owned(), options };
            ("download-forms", format!("{word}.upload.{}", form.name()), asked)
        }));
    }
    all
}

/// The same in groups, with what was chosen.
fn kinds(chosen: &str) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for (key, value, asked) in choices() {
        let (what, form) = what(&asked);
        let label = title_of(what, &form);
        let choice = Select { is_chosen: value == chosen, value, label };
        match kinds.iter_mut().find(|kind| kind.key == key) {
            Some(kind) => kind.choices.push(choice),
            None => kinds.push(Kind { key, choices: vec![choice] }),
        }
    }
    kinds
}

/// What an address asks for.
#[derive(Default, Deserialize)]
struct Address {
    #[serde(flatten)]
    page: Wanted,
    /// The campaign that the form begins with.
    #[serde(default)]
    campaign: String,
    #[serde(default)]
    what: String,
}

async fn list(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(address): Query<Address>,
) -> Result<ExportsPage, Failure> {
    shown(&app, shell, &caller, &address, None).await
}

async fn shown(
    app: &App,
    shell: Shell,
    caller: &Caller,
    address: &Address,
    problem: Option<String>,
) -> Result<ExportsPage, Failure> {
    let page = app.platform.exports().list(caller, address.page.window()).await?;
    let exports: Vec<ExportRow> = page.rows.into_iter().map(ExportRow::from).collect();
    let place = Place::new(&address.page, exports.len(), page.total, "/exports", &[]);
    let campaigns = campaigns(app, caller, &address.campaign).await?;
    Ok(ExportsPage { shell, exports, place, campaigns, kinds: kinds(&address.what), problem })
}

/// The newest campaigns that have results, and the one that is chosen.
async fn campaigns(app: &App, caller: &Caller, chosen: &str) -> Result<Vec<Select>, Failure> {
    let mut found = app.platform.campaigns().list(caller, &Filter::default(), CAMPAIGNS).await?.rows;
    let chosen = Uuid::try_parse(chosen).ok();
    if let Some(id) = chosen.filter(|id| !found.iter().any(|it| it.campaign.id.0 == *id)) {
        found.extend(app.platform.campaigns().get(caller, CampaignId(id)).await.ok());
    }
    let scored = found.iter().filter(|it| it.current_run.is_some());
    let select = scored.map(|it| Select {
        value: it.campaign.id.to_string(),
        label: it.campaign.name.clone(),
        is_chosen: Some(it.campaign.id.0) == chosen,
    });
    Ok(select.collect())
}

#[derive(Deserialize)]
struct NewExport {
    campaign: String,
    what: String,
}

async fn start(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Fields(new): Fields<NewExport>,
) -> Result<Response, Failure> {
    caller.must(EXPORTS_WRITE)?;
    let begun = async {
        let id =
            Uuid::try_parse(&new.campaign).map_err(|_| Failure::invalid("campaign", "is to be chosen"))?;
        let asked = choices().into_iter().find(|(_, word, _)| *word == new.what).map(|(_, _, asked)| asked);
        let asked = asked.ok_or_else(|| Failure::invalid("what", "is to be chosen"))?;
        app.platform.exports().start(&caller, CampaignId(id), asked).await.map_err(Failure::from)
    };
    match begun.await {
        Ok(_) => Ok(Redirect::to(&Notice::Asked.at("/exports")).into_response()),
        Err(failure) => {
            let status = failure.code.status();
            let problem = if failure.code == FailureCode::NotScored {
                failure.message
            } else {
                Problems::of_form(failure)?.outside(&[]).join("; ")
            };
            let address = Address { campaign: new.campaign, what: new.what, ..Address::default() };
            Ok((status, shown(&app, shell, &caller, &address, Some(problem)).await?).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    fn row(status: ExportStatus) -> ExportRow {
        let is_made = status == ExportStatus::Completed;
        ExportRow {
            id: Uuid::nil(),
            campaign: Uuid::nil(),
            campaign_name: "Spring <b>P\u{e9}rez</b>".to_owned(),
            what: ("export-upload-block", "Display & Video 360".to_owned()),
            status,
            percentage: 41.5,
            size: is_made.then_some(48_000),
            left_out: if is_made { 3 } else { 0 },
            error: (status == ExportStatus::Failed).then(|| "the list is <b>P\u{e9}rez".to_owned()),
            created_at: samples::time(),
            expires_at: is_made.then(samples::time),
        }
    }

    fn page(exports: Vec<ExportRow>) -> ExportsPage {
        let place = Place::new(&Wanted::default(), exports.len(), exports.len() as u64, "/exports", &[]);
        let select = Select { value: "1".to_owned(), label: "<b>P\u{e9}rez".to_owned(), is_chosen: true };
        let (campaigns, kinds) = (vec![select], kinds("blocklist.upload.dv360"));
        ExportsPage { shell: samples::shell(), exports, place, campaigns, kinds, problem: None }
    }

    #[test]
    fn exports_are_shown_as_far_as_they_are() {
        let all =
            [ExportStatus::Pending, ExportStatus::Processing, ExportStatus::Completed, ExportStatus::Failed];
        let html = samples::checked(&page(all.map(row).into()));
        assert!(html.contains("value=\"41.5\"") && html.contains("3 names left out"), "{html}");
        assert!(html.contains("the list is &#60;b&#62;") && html.contains("48 kB"), "{html}");
        assert!(html.contains("Blocklist as upload, Display &#38; Video 360"), "{html}");
        assert_eq!(html.matches("/download\"").count(), 1, "only what is made can be fetched: {html}");
        assert!(html.contains("value=\"blocklist.upload.dv360\" selected"), "{html}");
        assert!(
            html.contains("hx-trigger=\"every 2s\"") && html.contains("http-equiv=\"refresh\""),
            "{html}"
        );
    }

    #[test]
    fn a_page_on_which_nothing_is_under_way_does_not_look_again() {
        let html = samples::checked(&page(vec![row(ExportStatus::Completed), row(ExportStatus::Failed)]));
        assert!(!html.contains("every 2s") && !html.contains("http-equiv=\"refresh\""), "{html}");
        let none = ExportsPage { campaigns: Vec::new(), ..page(Vec::new()) };
        assert!(!samples::checked(&none).contains("<select"), "without results there is nothing to choose");
    }

    #[test]
    fn every_choice_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<String> = choices().into_iter().map(|it| it.1).collect();
        assert_eq!(words.len(), choices().len());
        assert_eq!(words.len(), 12 + 2 * UploadForm::all().len());
    }
}
