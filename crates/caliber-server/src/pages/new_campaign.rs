//! A new campaign in one flow: a report is dropped, what was understood of it is checked, and it is scored.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use caliber_platform::campaigns::{CampaignDetails, CampaignId, Settings, SettingsChange, SettingsFrom};
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::CAMPAIGNS_WRITE;
use caliber_platform::scoring::StartOptions;
use caliber_platform::uploads::{Examination, Upload, UploadId};
use serde::Deserialize;
use uuid::Uuid;

use super::figures::CampaignFigures;
use super::form::Fields;
use super::guard::gone_to;
use super::review::{Review, ReviewForm, ReviewPage};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::api::upload::Form;
use crate::extract::{Id, Query};
use crate::failure::{Failure, FailureCode};
use crate::signed_in::By;
use crate::texts;

/// First rows that the check shows.
const ROWS_SHOWN: usize = 4;

pub(super) fn routes(app: &App) -> Router<App> {
    let needs = Sees::Needs(CAMPAIGNS_WRITE);
    Router::new()
        .page(app, "/campaigns/new", needs, get(choose).post(receive))
        .page(app, "/campaigns/sample", needs, post(sample))
        .page(app, "/campaigns/new/{upload}", needs, get(review).post(start))
        .page(app, "/campaigns/new/{upload}/check", needs, post(check))
}

#[derive(Template, WebTemplate)]
#[template(path = "new_campaign.html")]
struct NewCampaignPage {
    shell: Shell,
    /// The campaign that the report is for; a new one where there is none.
    campaign: Option<CampaignFigures>,
    max_upload: u64,
    problem: Option<String>,
}

impl NewCampaignPage {
    fn title(&self) -> String {
        match &self.campaign {
            Some(campaign) => texts::with("report-for", &[("name", campaign.name.as_str().into())]),
            None => texts::text("new-campaign"),
        }
    }
}

/// The campaign that an address names.
#[derive(Deserialize)]
struct For {
    campaign: Option<Uuid>,
}

impl For {
    async fn figures(&self, app: &App, caller: &Caller) -> Result<Option<CampaignFigures>, Failure> {
        let Some(id) = self.campaign else { return Ok(None) };
        let details = app.platform.campaigns().get(caller, CampaignId(id)).await?;
        Ok(Some(CampaignFigures::of(&details)))
    }
}

async fn choose(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(of): Query<For>,
) -> Result<NewCampaignPage, Failure> {
    let campaign = of.figures(&app, &caller).await?;
    Ok(NewCampaignPage { shell, campaign, max_upload: app.platform.max_upload(), problem: None })
}

/// Takes the report in, and goes on to what was understood of it.
async fn receive(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(of): Query<For>,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, Failure> {
    let is_script = headers.contains_key("hx-request");
    let uploads = app.platform.uploads();
    let received = async {
        let file = form.file().await?;
        let received = match of.campaign {
            Some(id) => uploads.receive_for(&caller, CampaignId(id), &file.name, file.bytes).await,
            None => uploads.receive(&caller, &file.name, file.bytes).await,
        };
        received.map_err(Failure::from)
    };
    let received = received.await;
    match received {
        Ok(upload) => Ok(gone_to(is_script, &check_address(&upload))),
        Err(failure) if failure.code.status().is_server_error() => Err(failure),
        Err(failure) if is_script => Ok(told_to_script(&failure)),
        Err(failure) => {
            let (status, max_upload) = (failure.code.status(), app.platform.max_upload());
            let campaign = of.figures(&app, &caller).await?;
            let page = NewCampaignPage { shell, campaign, max_upload, problem: Some(failure.message) };
            Ok((status, page).into_response())
        }
    }
}

/// What is wrong, in a header: a script shows it where the file was dropped.
fn told_to_script(failure: &Failure) -> Response {
    let message: String = failure.message.bytes().map(percent_encoded).collect();
    let mut response = failure.code.status().into_response();
    if let Ok(message) = HeaderValue::from_str(&message) {
        response.headers_mut().insert("x-problem", message);
    }
    response
}

fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// A synthetic report, for whoever has none at hand.
async fn sample(State(app): State<App>, By(caller): By) -> Result<Response, Failure> {
    let make = app.config.sample;
    let written = tokio::task::spawn_blocking(make).await.map_err(caliber_platform::Error::internal)?;
    let sample = written.map_err(caliber_platform::Error::internal)?;
    let bytes = Box::pin(futures_util::stream::once(async move { Ok(Bytes::from(sample.bytes)) }));
    let upload = app.platform.uploads().receive(&caller, &sample.filename, bytes).await?;
    Ok(Redirect::to(&check_address(&upload)).into_response())
}

fn check_address(upload: &Upload) -> String {
    format!("/campaigns/new/{}", upload.id)
}

/// What was understood of a report, at first sight or as its campaign has it.
async fn review(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let upload = app.platform.uploads().get(&caller, UploadId(id)).await?;
    let said = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let said: Vec<(String, String)> = said.into_owned().collect();
    let form = match upload.campaign_id {
        _ if ReviewForm::is_in(&said) => ReviewForm::of(said),
        Some(campaign) => form_of(&app, &caller, campaign).await?,
        None => ReviewForm::for_file(&upload.filename),
    };
    let (review, _) = reviewed(&app, &caller, upload.id, form).await?;
    Ok(ReviewPage { shell, review }.into_response())
}

/// The form of a campaign, as it was scored last.
async fn form_of(app: &App, caller: &Caller, id: CampaignId) -> Result<ReviewForm, Failure> {
    let details = app.platform.campaigns().get(caller, id).await?;
    let last = app.platform.scoring().last_config(caller, id).await?;
    let usual = app.platform.recipes().usual(caller, &details.campaign.settings()).await?;
    Ok(ReviewForm::of_campaign(&details, last, usual.as_deref()))
}

/// The same with what was changed since.
async fn check(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let form = ReviewForm::of(fields);
    let (review, _) = reviewed(&app, &caller, UploadId(id), form).await?;
    // Who goes on and comes back finds it as it was left.
    let here = format!("/campaigns/new/{id}?{}", review.form.query());
    Ok(([("hx-replace-url", here)], ReviewPage { shell, review }).into_response())
}

async fn reviewed(
    app: &App,
    caller: &Caller,
    id: UploadId,
    mut form: ReviewForm,
) -> Result<(Review, Examination), Failure> {
    let templates = app.platform.campaigns().templates(caller, super::review::TEMPLATES).await?.rows;
    form.take_from_template(&templates);
    let recipes = app.platform.recipes().list(caller).await?;
    let campaign = app.platform.uploads().get(caller, id).await?.campaign_id;
    let is_scored = match campaign {
        Some(campaign) => app.platform.campaigns().get(caller, campaign).await?.current_run.is_some(),
        None => false,
    };
    form.settle_recipe(&recipes, is_scored);
    let examination = app.platform.uploads().examine(caller, id, form.read_as(), ROWS_SHOWN).await?;
    let columns = app.platform.uploads().known_columns();
    let mut review = Review::of(form, &examination, &recipes, &templates, &columns);
    review.is_scored = is_scored;
    Ok((review, examination))
}

/// Makes the campaign and begins to score it; where something is wrong, the check again with what it is.
async fn start(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let form = ReviewForm::of(fields);
    let (mut review, examination) = reviewed(&app, &caller, UploadId(id), form).await?;
    let begun = match review.settings() {
        Some(settings) if review.can_score() && !review.form.has_open_filter() => {
            begin(&app, &caller, &review, &examination.upload, settings).await
        }
        _ => Err(Failure::new(FailureCode::Invalid, review.reason())),
    };
    match begun {
        Ok(campaign) => Ok(Redirect::to(&format!("/campaigns/{}", campaign.campaign.id)).into_response()),
        Err(failure) if failure.code.status().is_server_error() => Err(failure),
        Err(failure) => {
            let status = failure.code.status();
            review.problem = Some(failure.message);
            Ok((status, ReviewPage { shell, review }).into_response())
        }
    }
}

async fn begin(
    app: &App,
    caller: &Caller,
    review: &Review,
    upload: &Upload,
    settings: Settings,
) -> Result<CampaignDetails, Failure> {
    let campaigns = app.platform.campaigns();
    if review.form.saves_template {
        campaigns.create_template(caller, &review.form.name, settings.clone()).await?;
    }
    let campaign = if let Some(id) = upload.campaign_id {
        let change = SettingsChange {
            campaign_type: Some(settings.campaign_type),
            goal: Some(settings.goal),
            channel: Some(settings.channel),
            ctr_sensitivity: Some(settings.ctr_sensitivity),
            analysis_level: Some(settings.analysis_level),
        };
        campaigns.update(caller, id, Some(review.form.name.clone()), change).await?
    } else {
        let created = campaigns.create(caller, &review.form.name, SettingsFrom::Call(settings)).await?;
        app.platform.uploads().assign(caller, upload.id, created.campaign.id).await?;
        created
    };
    let options = StartOptions {
        force_reprocess: upload.campaign_id.is_some(),
        recipe: Some(review.form.recipe.clone()).filter(|recipe| !recipe.is_empty()),
        reading: review.form.reading(),
        ..StartOptions::default()
    };
    app.platform.scoring().start(caller, campaign.campaign.id, options).await?;
    Ok(campaign)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::pages::samples;

    #[test]
    fn the_page_of_new_campaigns_takes_a_file_without_scripts_too() {
        let page = NewCampaignPage {
            shell: samples::shell(),
            campaign: None,
            max_upload: 50_000_000,
            problem: Some("the content is no report".to_owned()),
        };
        let html = samples::checked(&page);
        assert!(
            html.contains("action=\"/campaigns/new?csrf=c5f\" enctype=\"multipart/form-data\""),
            "{html}"
        );
        assert!(html.contains("the content is no report") && html.contains("50 MB"));
        let campaign = Some(samples::campaign("Two <b>P\u{e9}rez</b>", 41.0, None, 0.0));
        let id = campaign.as_ref().map(|campaign| campaign.id).unwrap_or_default();
        let html = samples::checked(&NewCampaignPage { campaign, problem: None, ..page });
        assert!(html.contains(&format!("csrf=c5f&amp;campaign={id}\"")), "{html}");
    }

    #[test]
    fn a_script_is_told_in_a_header_what_is_wrong() {
        let told = told_to_script(&Failure::new(FailureCode::WrongKind, "na\u{ef}ve: 100%\r\nx: y"));
        assert_eq!(told.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(told.headers()["x-problem"], "na%C3%AFve%3A%20100%25%0D%0Ax%3A%20y");
    }
}
