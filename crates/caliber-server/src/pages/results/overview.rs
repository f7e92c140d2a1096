//! The results of a campaign: key figures, charts, the grid.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use caliber_platform::analysis::capital;
use caliber_platform::campaigns::{CampaignDetails, CampaignId};
use caliber_platform::identity::permissions::{LISTS_WRITE, SCORING_READ, SCORING_RUN};
use caliber_platform::lists::{Mark, Overrides};
use caliber_platform::results::{Charts, MeanContribution, Status};
use caliber_platform::scoring::{RunConfig, StartOptions};
use serde_json::Value;

use super::grid::Grid;
use super::grid_state::GridState;
use super::written::{Written, signed};
use super::{Head, Tab, computed, is_part, path_of, varying};
use crate::App;
use crate::extract::{Id, Raw};
use crate::failure::{Failure, FailureCode};
use crate::pages::campaign::Progress;
use crate::pages::guard::safe_next;
use crate::pages::notice::Notice;
use crate::pages::shell::Shell;
use crate::pages::{Guarded, Sees, filters};
use crate::signed_in::By;

/// Names that are decided about at once.
const MOST_NAMES: usize = 1000;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/campaigns/{id}/charts", Sees::Needs(SCORING_READ), get(charts))
        .page(app, "/campaigns/{id}/marks", Sees::Needs(LISTS_WRITE), post(mark))
        .page(app, "/campaigns/{id}/score", Sees::Needs(SCORING_RUN), post(score))
}

#[derive(Template, WebTemplate)]
#[template(path = "results.html")]
struct OverviewPage {
    shell: Shell,
    head: Head,
    figures: Figures,
    charts: Charts,
    grid: Grid,
}

/// The grid alone, for scripts.
#[derive(Template, WebTemplate)]
#[template(path = "results_grid.html")]
struct GridPart {
    shell: Shell,
    head: Head,
    grid: Grid,
}

/// The key figures that [`crate::pages::figures::RunFigures`] has not.
#[derive(Debug, Default)]
struct Figures {
    /// Names that it took out.
    left_out: u64,
    median: Option<f64>,
    cpm: Option<String>,
    /// Names that somebody decided about: the lists of the run do not have that yet.
    by_hand: usize,
}

impl Figures {
    fn of(summary: &Value, written: &Written, overrides: &Overrides) -> Self {
        let money = |value: &Value| value.as_f64().map(|amount| written.money(amount));
        Self {
            left_out: summary["below_minimum"]["count"].as_u64().unwrap_or_default(),
            median: summary["scores"]["median"].as_f64(),
            cpm: money(&summary["average_cpm"]),
            by_hand: overrides.allow.len() + overrides.block.len() + overrides.protect.len(),
        }
    }
}

impl OverviewPage {
    /// A band with its key, its count, its share, and the address of its rows.
    fn bands(&self) -> Vec<Band> {
        let counts = &self.charts.status_counts;
        let all = self.charts.rows.max(1) as f64;
        let band = |status: Status, key, count: u64| Band {
            word: status.name(),
            key,
            count,
            share: count as f64 / all,
            href: self.grid.state.of_status(Some(status)).address(&self.grid.base),
        };
        vec![
            band(Status::Good, "band-good", counts.good),
            band(Status::Moderate, "band-moderate", counts.moderate),
            band(Status::Poor, "band-poor", counts.poor),
        ]
    }

    /// The contributions as bars, the greatest of which is 50 wide.
    fn bars(&self) -> Vec<Bar> {
        let of = |it: &MeanContribution| it.good.abs().max(it.poor.abs());
        let most = self.charts.contributions.iter().map(of).fold(0.0, f64::max);
        let scale = if most > 0.0 { 48.0 / most } else { 0.0 };
        let mut all: Vec<&MeanContribution> = self.charts.contributions.iter().collect();
        all.sort_by(|a, b| of(b).total_cmp(&of(a)));
        let bar = |it: &MeanContribution| Bar {
            label: capital(&it.label),
            good: signed(it.good, 1),
            poor: signed(it.poor, 1),
            good_extent: (50.0 + (it.good * scale).min(0.0), (it.good * scale).abs()),
            poor_extent: (50.0 + (it.poor * scale).min(0.0), (it.poor * scale).abs()),
            href: self.grid.state.sorted_by(&sort_by(&it.metric)).address(&self.grid.base),
            good_href: self.rows_of(Status::Good, it),
            poor_href: self.rows_of(Status::Poor, it),
        };
        all.into_iter().map(bar).collect()
    }

    /// The address of the rows of a band, by a metric.
    fn rows_of(&self, status: Status, it: &MeanContribution) -> String {
        let rows = self.grid.state.of_status(Some(status)).sorted_by(&sort_by(&it.metric));
        rows.address(&self.grid.base)
    }

    /// Bins that have rows.
    fn bins(&self) -> impl Iterator<Item = &caliber_platform::results::Bin> {
        self.charts.histogram.iter().filter(|bin| bin.good + bin.moderate + bin.poor > 0)
    }
}

fn sort_by(metric: &str) -> caliber_platform::results::SortBy {
    caliber_platform::results::SortBy::Metric(metric.to_owned())
}

struct Band {
    word: &'static str,
    key: &'static str,
    count: u64,
    share: f64,
    href: String,
}

struct Bar {
    label: String,
    good: String,
    poor: String,
    /// Where it begins and how wide it is, of 100.
    good_extent: (f64, f64),
    poor_extent: (f64, f64),
    /// The address of the grid by its metric, and of the rows of either band by it.
    href: String,
    good_href: String,
    poor_href: String,
}

/// The page of a campaign that has results.
pub(in crate::pages) async fn overview(
    app: &App,
    shell: Shell,
    details: &CampaignDetails,
    progress: Option<Progress>,
    (query, headers): (&str, &HeaderMap),
) -> Result<Response, Failure> {
    let (Some(head), Some(run)) = (Head::of(details, progress, Tab::Results), &details.current_run) else {
        return Err(Failure::new(FailureCode::NotScored, "the campaign has not been scored yet"));
    };
    let state = GridState::of(query)?;
    let table = app.platform.current_results().table(run).await?;
    let summary = run.summary.as_deref().cloned().unwrap_or_default();
    let (written, overrides) = (Written::of(Some(&summary)), Overrides::of(&details.campaign));
    let (base, is_grid) = (head.path(), is_part(headers, "grid"));
    let (figures, grid, charts) = computed(move || {
        let grid = Grid::of(&table, base, state, &written, &overrides)?;
        let charts = (!is_grid).then(|| table.charts().clone());
        Ok((Figures::of(&summary, &written, &overrides), grid, charts))
    })
    .await?;
    Ok(match charts {
        Some(charts) => varying(OverviewPage { shell, head, figures, charts, grid }),
        None => varying(GridPart { shell, head, grid }),
    })
}

/// What the charts show: of a run, which never changes.
async fn charts(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    let current = app.platform.current_results().current(&caller, CampaignId(id)).await?;
    let table = app.platform.current_results().table(&current.run).await?;
    // The address of the page names the run.
    let kept = [(header::CACHE_CONTROL, "private, max-age=3600")];
    computed(move || Ok((kept, Json(table.charts())).into_response())).await
}

/// Decides about names by hand: `name` once a name, `mark` what.
async fn mark(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Raw(form): Raw,
) -> Result<Response, Failure> {
    let (mut names, mut decision, mut next) = (Vec::new(), None, path_of(id));
    for (field, value) in form_urlencoded::parse(&form) {
        match &*field {
            "name" => names.push(value.into_owned()),
            "names" => names.extend(separated(&value)),
            "mark" if value == "none" => decision = Some(None),
            "mark" => decision = Mark::of(&value).map(Some),
            "next" => next = safe_next(Some(&value)).to_owned(),
            _ => {}
        }
    }
    let wrong = || Failure::invalid("mark", "is allow, block, protect or none");
    let mark = decision.ok_or_else(wrong)?;
    if names.len() > MOST_NAMES {
        return Err(Failure::invalid("name", format!("at most {MOST_NAMES} names at once")));
    }
    if !names.is_empty() {
        app.platform.lists().mark(&caller, CampaignId(id), &names, mark).await?;
    }
    Ok(Redirect::to(&next).into_response())
}

/// Names as people paste them: with commas, semicolons, blanks or line ends between them. A vendor's name has blanks of
/// its own, so they part names only where nothing else does.
fn separated(text: &str) -> Vec<String> {
    let has_marks = text.contains([',', ';', '\n']);
    let is_between = |letter: char| matches!(letter, ',' | ';' | '\n' | '\r');
    let is_one = !has_marks && !text.contains('.');
    let names: Vec<&str> = match (has_marks, is_one) {
        (true, _) => text.split(is_between).collect(),
        (false, true) => vec![text],
        (false, false) => text.split_whitespace().collect(),
    };
    names.into_iter().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Scores again as the run that is shown was, by another recipe where one is named.
async fn score(
    State(app): State<App>,
    By(caller): By,
    Id(id): Id,
    Raw(form): Raw,
) -> Result<Response, Failure> {
    let recipe = form_urlencoded::parse(&form).find(|(field, value)| field == "recipe" && !value.is_empty());
    let current = app.platform.current_results().current(&caller, CampaignId(id)).await?;
    let config: RunConfig =
        serde_json::from_value(current.run.config.0.clone()).map_err(caliber_platform::Error::internal)?;
    let options = StartOptions {
        force_reprocess: true,
        recipe: Some(recipe.map_or(config.recipe, |(_, name)| name.into_owned())),
        normalization: Some(config.normalization),
        min_impressions: config.min_impressions,
        list_policy: Some(config.list_policy),
        list_share: Some(config.list_share),
        reading: config.reading,
    };
    app.platform.scoring().start(&caller, CampaignId(id), options).await?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, Notice::Started.at(&path_of(id)))]).into_response())
}

#[cfg(test)]
mod tests {
    use caliber_platform::results::{Bin, Bubble, Filter, StatusCounts};

    use super::super::grid::tests::grid;
    use super::*;
    use crate::pages::results::sample_head;
    use crate::pages::samples;

    fn charts(rows: usize) -> Charts {
        let contribution = |metric: &str, good, poor| MeanContribution {
            metric: metric.to_owned(),
            label: "<b>P\u{e9}rez".to_owned(),
            good,
            poor,
        };
        Charts {
            histogram: vec![Bin { from: 40.0, to: 42.0, good: 1, moderate: 2, poor: 0 }, Bin::default()],
            bubbles: vec![Bubble {
                name: "<b>P\u{e9}rez.example".to_owned(),
                score: 41.0,
                spend: None,
                impressions: 5.0,
                status: Status::Good,
            }],
            has_spend: true,
            rows,
            contributions: vec![contribution("cpm", 0.5, -1.0), contribution("ctr", 2.0, -4.0)],
            status_counts: StatusCounts { good: 1, moderate: 2, poor: 0 },
        }
    }

    fn overview_of(grid: Grid, charts: Charts) -> OverviewPage {
        let head = sample_head(Tab::Results);
        let figures = Figures { by_hand: 2, ..Figures::default() };
        OverviewPage { shell: samples::shell(), head, figures, charts, grid }
    }

    #[test]
    fn the_page_shows_figures_charts_and_the_grid() {
        let page = overview_of(grid(Filter::default()), charts(3));
        let html = samples::checked(&page);
        assert!(html.contains("$200.00") && html.contains("data-charts="), "{html}");
        assert!(html.contains("?quality_status=good") && html.contains("?min_score=40"), "{html}");
        // The metric that sets good and poor apart most stands first, with the longest bar.
        assert!(html.contains("sort_by=metric.ctr"), "{html}");
        let bars = page.bars();
        assert_eq!((bars[0].good.as_str(), bars[0].poor.as_str()), ("+2.0", "\u{2212}4.0"));
        assert_eq!((bars[0].good_extent, bars[0].poor_extent), ((50.0, 24.0), (2.0, 48.0)));
    }

    #[test]
    fn figures_that_are_nothing_make_a_page_all_the_same() {
        let mut empty = charts(0);
        empty.contributions = vec![MeanContribution {
            metric: "cpm".to_owned(),
            label: "CPM".to_owned(),
            good: 0.0,
            poor: 0.0,
        }];
        empty.status_counts = StatusCounts::default();
        let mut grid = grid(Filter { search: Some("\"><script>".to_owned()), ..Filter::default() });
        grid.rows.clear();
        grid.total = 0;
        let html = samples::checked(&overview_of(grid, empty));
        assert!(html.contains("Nothing found") && !html.contains("NaN"), "{html}");
    }

    #[test]
    fn pasted_names_are_told_apart() {
        assert_eq!(separated("a.example, b.example;c.example"), ["a.example", "b.example", "c.example"]);
        assert_eq!(separated(" a.example b.example "), ["a.example", "b.example"]);
        assert_eq!(separated("Acme Media Group"), ["Acme Media Group"]);
        assert!(separated(" ,; ").is_empty());
    }
}
