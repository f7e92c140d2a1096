//! What other weights would make of a campaign: sliders, and the rows in their new order. Nothing is stored, unless the
//! weights are saved as a recipe.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use caliber_platform::analysis::what_if::{ListChange, Options, WhatIf, what_if};
use caliber_platform::analysis::{AnalysedRun, Refusal};
use caliber_platform::campaigns::CampaignId;
use caliber_platform::identity::permissions::{RECIPES_WRITE, SCORING_READ};
use caliber_platform::results::Status;

use super::written::{band_key, in_path, metric_name, signed};
use super::{Head, Tab, computed, head_of, is_part, varying};
use crate::App;
use crate::extract::{Id, Raw};
use crate::failure::Failure;
use crate::pages::form::Problems;
use crate::pages::shell::Shell;
use crate::pages::{Guarded, Sees, filters};
use crate::signed_in::By;

/// Rows of a page.
const ROWS: usize = 25;
/// Names of a list's change that are shown.
const NAMES: usize = 8;
/// What stands before a metric's name in forms.
const PREFIX: &str = "w.";

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/campaigns/{id}/what-if", Sees::Needs(SCORING_READ), get(show)).page(
        app,
        "/campaigns/{id}/what-if/recipe",
        Sees::Needs(RECIPES_WRITE),
        post(save),
    )
}

#[derive(Template, WebTemplate)]
#[template(path = "results_what_if.html")]
struct WhatIfPage {
    shell: Shell,
    head: Head,
    answer: Answer,
    saving: Saving,
}

/// What the weights make of the rows, for scripts.
#[derive(Template, WebTemplate)]
#[template(path = "results_what_if_answer.html")]
struct AnswerPart {
    shell: Shell,
    head: Head,
    answer: Answer,
    saving: Saving,
}

/// The form that saves the weights.
#[derive(Debug, Default)]
struct Saving {
    name: String,
    problems: Problems,
    /// The recipe that was just saved.
    saved: Option<String>,
}

impl Saving {
    /// What was wrong with it.
    fn told(&self) -> Vec<String> {
        self.problems.outside(&[])
    }
}

/// A metric and its weight.
#[derive(Debug)]
struct Slider {
    metric: String,
    label: String,
    /// Of 100.
    percent: f64,
    /// As the recipe has it.
    usual: f64,
}

impl Slider {
    /// For the value of an input: a point, and no thousands.
    fn value(&self) -> String {
        plain(self.percent)
    }

    fn usual_value(&self) -> String {
        plain(self.usual)
    }
}

#[derive(Debug)]
struct Answer {
    sliders: Vec<Slider>,
    before: Option<f64>,
    after: Option<f64>,
    change: Option<f64>,
    status_changed: usize,
    lists: [ListMoves; 2],
    rows: Vec<Row>,
    total: usize,
    page: usize,
    /// The address of these weights, without the page.
    address: String,
}

/// What comes to a list and what leaves it.
#[derive(Debug)]
struct ListMoves {
    /// The key of its name.
    key: &'static str,
    entered: usize,
    left: usize,
    entered_names: Vec<String>,
    left_names: Vec<String>,
}

#[derive(Debug)]
struct Row {
    name: String,
    href: String,
    impressions: f64,
    score: f64,
    score_before: f64,
    status: Status,
    status_before: Status,
    rank: usize,
    rank_before: usize,
}

impl Row {
    /// Places up, if positive.
    fn moved(&self) -> isize {
        self.rank_before.cast_signed() - self.rank.cast_signed()
    }

    fn moved_by(&self) -> usize {
        self.moved().unsigned_abs()
    }

    fn change(&self) -> String {
        signed(self.score - self.score_before, 1)
    }

    fn band(&self) -> &'static str {
        self.status.name()
    }

    fn band_key(&self) -> &'static str {
        band_key(self.status)
    }

    fn key_before(&self) -> Option<&'static str> {
        (self.status != self.status_before).then(|| band_key(self.status_before))
    }
}

impl Answer {
    fn of(run: &AnalysedRun, asked: &[(String, f64)], page: usize, base: &str) -> Result<Self, Failure> {
        let usual = usual(run);
        let weights: Vec<(String, f64)> = if asked.is_empty() { usual.clone() } else { asked.to_vec() };
        let options = Options { weights: &weights, lists: run.list_rules(), page, per_page: ROWS };
        let found = what_if(&run.subject(), options).map_err(refused)?;
        let label = |name: &str| metric_name(run.table(), name);
        let sliders = found.weights.0.iter().zip(&usual).map(|((metric, share), (_, usual))| Slider {
            label: label(metric),
            metric: metric.clone(),
            percent: share * 100.0,
            usual: *usual,
        });
        let sliders: Vec<Slider> = sliders.collect();
        Ok(Self { address: address(base, &sliders), ..Self::found(found, sliders, base) })
    }

    fn found(found: WhatIf, sliders: Vec<Slider>, base: &str) -> Self {
        let row = |row: caliber_platform::analysis::what_if::Row| Row {
            href: format!("{base}/domains/{}", in_path(&row.domain)),
            name: row.domain,
            impressions: row.impressions,
            score: row.score,
            score_before: row.score_before,
            status: row.quality_status,
            status_before: row.quality_status_before,
            rank: row.rank,
            rank_before: row.rank_before,
        };
        Self {
            sliders,
            before: found.campaign_score_before,
            after: found.campaign_score_after,
            change: found.campaign_score_change,
            status_changed: found.status_changed,
            lists: [
                ListMoves::of("allowlist", &found.whitelist),
                ListMoves::of("blocklist", &found.blacklist),
            ],
            rows: found.results.into_iter().map(row).collect(),
            total: found.total,
            page: found.page,
            address: String::new(),
        }
    }

    fn change_text(&self) -> Option<String> {
        self.change.map(|change| signed(change, 1))
    }

    fn pages(&self) -> usize {
        self.total.div_ceil(ROWS).max(1)
    }

    fn before_page(&self) -> Option<String> {
        (self.page > 1).then(|| format!("{}&page={}", self.address, (self.page - 1).min(self.pages())))
    }

    fn after_page(&self) -> Option<String> {
        (self.page < self.pages()).then(|| format!("{}&page={}", self.address, self.page + 1))
    }
}

impl ListMoves {
    fn of(key: &'static str, change: &ListChange) -> Self {
        let first = |names: &[String]| names.iter().take(NAMES).cloned().collect();
        Self {
            key,
            entered: change.entered.len(),
            left: change.left.len(),
            entered_names: first(&change.entered),
            left_names: first(&change.left),
        }
    }
}

/// The weights of the recipe, of 100.
fn usual(run: &AnalysedRun) -> Vec<(String, f64)> {
    let metrics = &run.subject().results.metrics;
    let sum: f64 = metrics.iter().map(|metric| metric.weight).sum();
    metrics.iter().map(|metric| (metric.name.clone(), metric.weight / sum * 100.0)).collect()
}

fn plain(percent: f64) -> String {
    let rounded = (percent * 10.0).round() / 10.0;
    rounded.to_string()
}

fn address(base: &str, sliders: &[Slider]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for slider in sliders {
        query.append_pair(&format!("{PREFIX}{}", slider.metric), &slider.value());
    }
    format!("{base}/what-if?{}", query.finish())
}

fn refused(refusal: Refusal) -> Failure {
    caliber_platform::Error::from(refusal).into()
}

/// The weights that a form or an address names, and its page.
fn asked(query: &str) -> Result<(Vec<(String, f64)>, usize), Failure> {
    let (mut weights, mut page) = (Vec::new(), 1);
    for (field, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(metric) = field.strip_prefix(PREFIX) {
            let weight = value.trim().parse::<f64>().ok().filter(|weight| weight.is_finite());
            let weight = weight.ok_or_else(|| Failure::invalid(field.to_string(), "is a number"))?;
            weights.push((metric.to_owned(), weight));
        } else if field == "page" {
            page = value.parse().unwrap_or(1).max(1);
        }
    }
    Ok((weights, page))
}

async fn show(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let (weights, page) = asked(&query)?;
    let head = head_of(&app, &caller, id, Tab::WhatIf).await?;
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(id)).await?;
    let base = head.path();
    let answer = computed(move || Answer::of(&run, &weights, page, &base)).await?;
    let saved = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "saved");
    let saving = Saving { saved: saved.map(|(_, name)| name.into_owned()), ..Saving::default() };
    Ok(if is_part(&headers, "what-if") {
        varying(AnswerPart { shell, head, answer, saving })
    } else {
        varying(WhatIfPage { shell, head, answer, saving })
    })
}

/// Saves the weights as a recipe of the organisation.
async fn save(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    Raw(form): Raw,
) -> Result<Response, Failure> {
    let text = String::from_utf8_lossy(&form).into_owned();
    let name = form_urlencoded::parse(&form).find(|(field, _)| field == "recipe_name");
    let name = name.map(|(_, name)| name.trim().to_owned()).unwrap_or_default();
    let (weights, _) = asked(&text)?;
    let head = head_of(&app, &caller, id, Tab::WhatIf).await?;
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(id)).await?;
    let (base, asked_of) = (head.path(), run.clone());
    let (answer, shares) = computed(move || {
        let answer = Answer::of(&asked_of, &weights, 1, &base)?;
        let share = |slider: &Slider| (slider.metric.clone(), slider.percent / 100.0);
        let shares = answer.sliders.iter().map(share).collect();
        Ok((answer, shares))
    })
    .await?;
    match app.platform.analysis().save_recipe(&caller, &run, &shares, &name).await {
        Ok(saved) => {
            let saved: String = form_urlencoded::byte_serialize(saved.as_bytes()).collect();
            let next = format!("{}&saved={saved}", answer.address);
            Ok(axum::response::Redirect::to(&next).into_response())
        }
        Err(error) => {
            let failure = Failure::from(error);
            let status = failure.code.status();
            let saving = Saving { name, problems: Problems::of_form(failure)?, saved: None };
            Ok((status, WhatIfPage { shell, head, answer, saving }).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::results::sample_head;
    use crate::pages::samples;

    fn answer() -> Answer {
        let slider = |metric: &str, percent| Slider {
            metric: metric.to_owned(),
            label: "<b>P\u{e9}rez".to_owned(),
            percent,
            usual: 50.0,
        };
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let row = |rank, rank_before, status| Row {
            name: "<b>P\u{e9}rez.example".to_owned(),
            href: "/campaigns/1/domains/x".to_owned(),
            impressions: 12_345.0,
            score: 61.0,
            score_before: 58.5,
            status,
            status_before: Status::Moderate,
            rank,
            rank_before,
        };
        let sliders = vec![slider("cpm", 30.0), slider("ctr", 70.04)];
        Answer {
            address: address("/campaigns/1", &sliders),
            sliders,
            before: Some(60.0),
            after: Some(57.5),
            change: Some(-2.5),
            status_changed: 3,
            lists: [
                ListMoves::of(
                    "allowlist",
                    &ListChange { entered: names(&["<b>P\u{e9}rez"]), left: Vec::new() },
                ),
                ListMoves::of("blocklist", &ListChange::default()),
            ],
            rows: vec![row(1, 9, Status::Good), row(2, 1, Status::Moderate), row(3, 3, Status::Moderate)],
            total: 60,
            page: 2,
        }
    }

    #[test]
    fn other_weights_are_a_page_and_a_part_of_one() {
        let saving = Saving { saved: Some("<b>P\u{e9}rez".to_owned()), ..Saving::default() };
        let page =
            WhatIfPage { shell: samples::shell(), head: sample_head(Tab::WhatIf), answer: answer(), saving };
        let html = samples::checked(&page);
        assert!(html.contains("\u{2212}2.5") && html.contains("12,345"), "{html}");
        assert!(html.contains("/campaigns/1/what-if?w.cpm=30&#38;w.ctr=70&#38;page=3"), "{html}");
        let problems = Problems::of_form(Failure::invalid("save_as", "is taken")).unwrap();
        let saving = Saving { name: "\"><script>".to_owned(), problems, saved: None };
        let part =
            AnswerPart { shell: samples::shell(), head: sample_head(Tab::WhatIf), answer: answer(), saving };
        let html = samples::checked(&part);
        assert!(html.contains("is taken") && !html.contains("\"><script>"), "{html}");
    }

    #[test]
    fn weights_are_read_from_an_address() {
        let (weights, page) = asked("w.cpm=30&w.ctr=70.5&page=3&done=x").unwrap();
        assert_eq!(weights, [("cpm".to_owned(), 30.0), ("ctr".to_owned(), 70.5)]);
        assert_eq!(page, 3);
        assert_eq!(asked("page=0").unwrap().1, 1);
        assert_eq!(asked("w.cpm=NaN").unwrap_err().problems[0].field, "w.cpm");
    }
}
