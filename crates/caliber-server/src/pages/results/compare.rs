//! What changed between two runs of a campaign, or between two campaigns, and what brought it about.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use caliber_platform::Window;
use caliber_platform::analysis::{AnalysedRun, Refusal, capital, changes};
use caliber_platform::campaigns::{CampaignId, CampaignStatus, Filter};
use caliber_platform::identity::Caller;
use caliber_platform::identity::permissions::SCORING_READ;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::written::{Written, in_path, metric_name, signed, way};
use super::{Head, Tab, computed, head_of, varying};
use crate::App;
use crate::extract::Id;
use crate::failure::Failure;
use crate::pages::shell::Shell;
use crate::pages::{Guarded, Sees, filters};
use crate::signed_in::By;
use crate::texts;

/// Campaigns that one can choose from, the newest.
const CAMPAIGNS: u64 = 100;
/// A change of the score that is none to speak of.
const STAYED: f64 = 0.05;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/campaigns/{id}/compare", Sees::Needs(SCORING_READ), get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "results_compare.html")]
struct ComparePage {
    shell: Shell,
    head: Head,
    /// Earlier runs of this campaign.
    runs: Vec<Choice>,
    /// Other campaigns.
    campaigns: Vec<Choice>,
    /// What is compared with.
    with: Option<Uuid>,
    compared: Option<Compared>,
}

impl ComparePage {
    fn is_with(&self, id: &Uuid) -> bool {
        self.with == Some(*id)
    }
}

/// Something to compare with.
#[derive(Debug)]
struct Choice {
    id: Uuid,
    name: String,
    at: DateTime<Utc>,
    score: Option<f64>,
}

#[derive(Debug)]
struct Compared {
    before: f64,
    after: f64,
    change: f64,
    /// Label, before and after of the runs' figures.
    figures: Vec<(String, String, String)>,
    counts: [(&'static str, usize); 4],
    drivers: Vec<Driver>,
    metrics: Vec<Metric>,
    risers: Vec<Mover>,
    fallers: Vec<Mover>,
    explanation: String,
    warnings: Vec<String>,
}

/// What moved the score of the campaign.
#[derive(Debug)]
struct Driver {
    label: String,
    points: f64,
    /// Where its bar begins and how wide it is, of 100.
    bar: (f64, f64),
}

impl Driver {
    fn points_text(&self) -> String {
        signed(self.points, 2)
    }

    fn way(&self) -> &'static str {
        way(self.points, 2)
    }
}

#[derive(Debug)]
struct Metric {
    label: String,
    before: String,
    after: String,
    points: String,
}

/// A row that moved the score of the campaign.
#[derive(Debug)]
struct Mover {
    name: String,
    /// The address of its explanation, where it is in the results that are shown.
    href: Option<String>,
    before: Option<f64>,
    after: Option<f64>,
    points: String,
    cause: String,
}

impl Compared {
    fn change_text(&self) -> String {
        signed(self.change, 1)
    }

    /// The rows that lifted the score and those that cost it: the key of a title, a picture, the rows.
    fn movers(&self) -> [(&'static str, &'static str, &[Mover]); 2] {
        [("risers", "trending-up", &self.risers), ("fallers", "trending-down", &self.fallers)]
    }

    fn way(&self) -> &'static str {
        match self.change {
            change if change >= STAYED => "good",
            change if change <= -STAYED => "poor",
            _ => "none",
        }
    }

    fn of(before: &AnalysedRun, after: &AnalysedRun, base: &str) -> Result<Self, Failure> {
        let refused = |refusal: Refusal| Failure::from(caliber_platform::Error::from(refusal));
        let found = changes(&before.subject(), &after.subject()).map_err(refused)?;
        let (was, is) = (Written::of_run(before), Written::of_run(after));
        let most = found.change_drivers.iter().map(|driver| driver.1.abs()).fold(0.0, f64::max);
        let scale = if most > 0.0 { 48.0 / most } else { 0.0 };
        let drivers = found.change_drivers.iter().map(|driver| Driver {
            label: label(after, &driver.0),
            points: driver.1,
            bar: (50.0 + (driver.1 * scale).min(0.0), (driver.1 * scale).abs()),
        });
        let metrics = found.feature_changes.0.iter().map(|(name, change)| Metric {
            label: label(after, name),
            before: was.metric(before.table(), name, change.before),
            after: is.metric(after.table(), name, change.after),
            points: signed(change.points, 2),
        });
        let movers = found.score_changes.iter().map(|change| {
            let mover = Mover {
                href: change.after.map(|_| format!("{base}/domains/{}", in_path(&change.domain))),
                name: change.domain.clone(),
                before: change.before,
                after: change.after,
                points: signed(change.points, 2),
                cause: cause(before, after, &change.domain, change.before.zip(change.after)),
            };
            (change.points >= 0.0, mover)
        });
        let (risers, fallers): (Vec<_>, Vec<_>) = movers.partition(|(rises, _)| *rises);
        let count = |rows: usize| filters::grouped(rows as f64, 0);
        let volume = |impressions: f64| filters::grouped(impressions, 0);
        let money = |written: &Written, spend: Option<f64>| spend.map(|spend| written.money(spend));
        let mut figures = vec![
            (texts::text("scored-names"), count(found.before.rows), count(found.after.rows)),
            (
                texts::text("impressions-column"),
                volume(found.before.impressions),
                volume(found.after.impressions),
            ),
        ];
        if let (Some(a), Some(b)) = (money(&was, found.before.spend), money(&is, found.after.spend)) {
            figures.push((texts::text("spend"), a, b));
        }
        Ok(Self {
            before: found.before.campaign_score,
            after: found.after.campaign_score,
            change: found.campaign_score_change,
            figures,
            counts: [
                ("compare-improved", found.counts.improved),
                ("compare-declined", found.counts.declined),
                ("compare-new", found.counts.new),
                ("compare-gone", found.counts.gone),
            ],
            drivers: drivers.collect(),
            metrics: metrics.collect(),
            risers: risers.into_iter().map(|(_, mover)| mover).collect(),
            fallers: fallers.into_iter().map(|(_, mover)| mover).collect(),
            explanation: found.explanation,
            warnings: found.warnings.iter().map(|warning| capital(warning)).collect(),
        })
    }
}

/// What a driver is called.
fn label(run: &AnalysedRun, name: &str) -> String {
    match name {
        "volume" => texts::text("driver-volume"),
        "new" => texts::text("driver-new"),
        "gone" => texts::text("driver-gone"),
        metric => metric_name(run.table(), metric),
    }
}

/// What moved a row most: of the metrics of either run that moved it the way it went, the one whose contribution changed
/// most; else that its share of impressions did.
fn cause(before: &AnalysedRun, after: &AnalysedRun, name: &str, scores: Option<(f64, f64)>) -> String {
    let Some((was, is)) = scores else {
        let is_new = after.table().find(name).is_some();
        return texts::text(if is_new { "cause-new" } else { "cause-gone" });
    };
    let rows = before.table().find(name).zip(after.table().find(name));
    let contribution = |run: &AnalysedRun, metric: &str, row: usize| {
        let metrics = &run.table().results().metrics;
        metrics.iter().find(|it| it.name == metric).map_or(0.0, |metric| metric.contributions[row])
    };
    let moved = rows.and_then(|(a, b)| {
        // A metric that only one of the recipes has moved it as well.
        let of =
            |run| AnalysedRun::table(run).results().metrics.iter().map(move |it| (run, it.name.as_str()));
        let points = of(after).chain(of(before)).map(|(run, name)| {
            (run, name, contribution(after, name, b.index()) - contribution(before, name, a.index()))
        });
        let points = points.filter(|it| it.2 * (is - was) > 0.0);
        points.max_by(|a, b| a.2.abs().total_cmp(&b.2.abs()))
    });
    match moved {
        Some((run, metric, points)) if (is - was).abs() >= STAYED => {
            format!("{} {}", label(run, metric), signed(points, 1))
        }
        _ => texts::text("cause-volume"),
    }
}

async fn show(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Id(id): Id,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let head = head_of(&app, &caller, id, Tab::Compare).await?;
    let (runs, campaigns) = choices(&app, &caller, id, head.run).await?;
    let query = query.unwrap_or_default();
    let asked =
        form_urlencoded::parse(query.as_bytes()).find(|(name, value)| name == "with" && !value.is_empty());
    let wrong = |_| Failure::invalid("with", "is the id of a campaign or of a run");
    let asked = asked.map(|(_, id)| Uuid::try_parse(&id)).transpose().map_err(wrong)?;
    let with = asked.or_else(|| runs.first().map(|run| run.id));
    let compared = match with {
        Some(with) => {
            let analysis = app.platform.analysis();
            let before = analysis.of_campaign_or_run(&caller, with).await?;
            let after = analysis.of_campaign(&caller, CampaignId(id)).await?;
            let base = head.path();
            Some(computed(move || Compared::of(&before, &after, &base)).await?)
        }
        None => None,
    };
    Ok(varying(ComparePage { shell, head, runs, campaigns, with, compared }))
}

/// What a campaign can be compared with: its other runs, and other campaigns that are scored.
async fn choices(
    app: &App,
    caller: &Caller,
    id: Uuid,
    shown: Uuid,
) -> Result<(Vec<Choice>, Vec<Choice>), Failure> {
    let runs = app.platform.analysis().runs(caller, CampaignId(id)).await?;
    let runs = runs.into_iter().filter(|run| run.id.0 != shown).map(|run| Choice {
        id: run.id.0,
        name: run.config["recipe"].as_str().unwrap_or_default().to_owned(),
        at: run.finished_at.unwrap_or(run.created_at),
        score: run.campaign_score,
    });
    let filter = Filter { status: Some(CampaignStatus::Completed), ..Filter::default() };
    let window = Window { skip: 0, limit: CAMPAIGNS };
    let page = app.platform.campaigns().list(caller, &filter, window).await?;
    let others = page.rows.into_iter().filter(|other| other.campaign.id.0 != id);
    let campaigns = others.map(|other| Choice {
        id: other.campaign.id.0,
        at: other.campaign.completed_at.unwrap_or(other.campaign.created_at),
        score: other.current_run.and_then(|run| run.campaign_score),
        name: other.campaign.name,
    });
    Ok((runs.collect(), campaigns.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::results::sample_head;
    use crate::pages::samples;

    #[test]
    fn a_comparison_is_a_page_also_where_there_is_nothing_to_compare() {
        let name = || "<b>P\u{e9}rez.example".to_owned();
        let mover = |href| Mover {
            name: name(),
            href,
            before: None,
            after: Some(61.0),
            points: "+0.21".to_owned(),
            cause: name(),
        };
        let compared = Compared {
            before: 58.0,
            after: 61.0,
            change: 3.0,
            figures: vec![("Spend".to_owned(), "$1.00".to_owned(), "$2.00".to_owned())],
            counts: [
                ("compare-improved", 1),
                ("compare-declined", 2),
                ("compare-new", 3),
                ("compare-gone", 4),
            ],
            drivers: vec![Driver { label: name(), points: -2.1, bar: (2.0, 48.0) }],
            metrics: vec![Metric {
                label: name(),
                before: name(),
                after: name(),
                points: "+1.00".to_owned(),
            }],
            risers: vec![mover(Some("/campaigns/1/domains/x".to_owned()))],
            fallers: Vec::new(),
            explanation: name(),
            warnings: vec![name()],
        };
        let choice = |id| Choice { id, name: name(), at: samples::time(), score: None };
        let page = ComparePage {
            shell: samples::shell(),
            head: sample_head(Tab::Compare),
            runs: vec![choice(Uuid::nil())],
            campaigns: vec![choice(Uuid::max())],
            with: Some(Uuid::nil()),
            compared: Some(compared),
        };
        let html = samples::checked(&page);
        assert!(
            html.contains("+3.0") && html.contains("\u{2212}2.10") && html.contains("No row did"),
            "{html}"
        );
        let (runs, campaigns) = (Vec::new(), Vec::new());
        let head = sample_head(Tab::Compare);
        let empty =
            ComparePage { shell: samples::shell(), head, runs, campaigns, with: None, compared: None };
        assert!(samples::checked(&empty).contains("Nothing to compare with yet"));
    }
}
