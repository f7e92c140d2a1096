//! Why a row scores as it does: a page of its own, and a part that scripts show beside the grid.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use caliber_platform::analysis::explanation::{DomainExplanation, explain_domain};
use caliber_platform::analysis::{AnalysedRun, Refusal};
use caliber_platform::campaigns::CampaignId;
use caliber_platform::identity::permissions::SCORING_READ;
use caliber_platform::lists::{Mark, Overrides};
use caliber_platform::results::{Decision, Pattern, ResultRow, RowId, Status};
use uuid::Uuid;

use super::grid::{mark_key, marks};
use super::written::{MISSING, Written, band_key, in_path, metric_name, probability, rate, signed, way};
use super::{Head, Tab, computed, head_of, is_part, varying};
use crate::App;
use crate::extract::Words;
use crate::failure::Failure;
use crate::pages::filters::grouped;
use crate::pages::shell::Shell;
use crate::pages::{Guarded, Sees, filters};
use crate::signed_in::By;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/campaigns/{id}/domains/{name}", Sees::Needs(SCORING_READ), get(show))
}

#[derive(Template, WebTemplate)]
#[template(path = "results_explanation.html")]
struct ExplanationPage {
    shell: Shell,
    head: Head,
    row: Explained,
}

/// The same beside the grid.
#[derive(Template, WebTemplate)]
#[template(path = "results_drawer.html")]
struct ExplanationPart {
    shell: Shell,
    head: Head,
    row: Explained,
}

/// A row with what makes its score.
#[derive(Debug)]
struct Explained {
    name: String,
    display: String,
    /// The address of this page.
    href: String,
    score: f64,
    base_value: f64,
    percentile: f64,
    status: Status,
    /// In words.
    explanation: String,
    steps: Vec<Step>,
    /// The axis of the steps: points of the score at its ends.
    axis: (f64, f64),
    change: Option<Change>,
    certainty: Option<Certainty>,
    warnings: Vec<String>,
    /// Label and figure of what was summed.
    facts: Vec<(String, String)>,
    outliers: Vec<String>,
    quality: Vec<String>,
    evidence: Option<Evidence>,
    mark: Option<Mark>,
}

/// What one metric does to the score.
#[derive(Debug)]
struct Step {
    label: String,
    value: String,
    percentile: Option<f64>,
    weight: f64,
    points: f64,
    /// Where its bar begins and how wide it is, of 100.
    bar: (f64, f64),
}

/// The smallest change that takes the row to another band.
#[derive(Debug)]
struct Change {
    label: String,
    from: String,
    to: String,
    score_after: f64,
    status_after: Status,
}

/// How sure the score is.
#[derive(Debug)]
struct Certainty {
    confidence: f64,
    low: f64,
    high: f64,
    p_below: f64,
}

/// What the counts prove.
#[derive(Debug)]
struct Evidence {
    decision: &'static str,
    reason: String,
    needed: Option<f64>,
    patterns: Vec<&'static str>,
}

impl Step {
    fn points_text(&self) -> String {
        signed(self.points, 1)
    }

    /// The colour of its bar, beside its sign.
    fn way(&self) -> &'static str {
        way(self.points, 1)
    }
}

impl Explained {
    fn band(&self) -> &'static str {
        self.status.name()
    }

    fn band_key(&self) -> &'static str {
        band_key(self.status)
    }

    /// Its band, within a sentence.
    fn band_text(&self) -> String {
        crate::texts::text(self.band_key()).to_lowercase()
    }

    fn average(&self) -> String {
        grouped(self.base_value, 1)
    }

    fn difference(&self) -> String {
        signed(self.score - self.base_value, 1)
    }

    /// Where a score stands on the axis of the steps, of 100.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
    fn at(&self, score: &f64) -> f64 {
        on_axis(*score, self.axis)
    }

    fn mark_key(&self) -> Option<&'static str> {
        self.mark.map(mark_key)
    }

    fn is_marked(&self, word: &str) -> bool {
        self.mark.map_or("none", Mark::name) == word
    }
}

impl Certainty {
    fn below_text(&self) -> String {
        probability(self.p_below)
    }

    fn confidence_text(&self) -> String {
        probability(self.confidence)
    }
}

impl Change {
    fn band_key(&self) -> &'static str {
        band_key(self.status_after)
    }
}

async fn show(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Words((id, name)): Words<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = Uuid::try_parse(&id).map_err(|_| caliber_platform::Error::not_found("campaign"))?;
    let head = head_of(&app, &caller, id, Tab::Results).await?;
    let run = app.platform.analysis().of_campaign(&caller, CampaignId(id)).await?;
    let base = head.path();
    let row = computed(move || explained(&run, &name, &base)).await?;
    Ok(if is_part(&headers, "drawer-body") {
        varying(ExplanationPart { shell, head, row })
    } else {
        varying(ExplanationPage { shell, head, row })
    })
}

fn explained(run: &AnalysedRun, name: &str, base: &str) -> Result<Explained, Failure> {
    let refused = |refusal: Refusal| Failure::from(caliber_platform::Error::from(refusal));
    let explanation = explain_domain(&run.subject(), name, run.evidence()).map_err(refused)?;
    let missing = || caliber_platform::Error::not_found("row");
    let at = run.table().find(&explanation.domain).ok_or_else(missing)?;
    let (row, written) = (run.table().row(at), Written::of_run(run));
    let (steps, axis) = steps(run, &explanation, at, &written);
    Ok(Explained {
        href: format!("{base}/domains/{}", in_path(row.domain)),
        steps,
        axis,
        change: change(run, &explanation, &written),
        certainty: certainty(&explanation),
        facts: facts(&row, &written),
        outliers: outliers(run, &row),
        quality: row.quality_flags.iter().map(|flag| flag.replace('_', " ")).collect(),
        evidence: evidence(&row),
        mark: marks(&Overrides::of(&run.campaign)).get(&row.domain.to_lowercase()).copied(),
        name: row.domain.to_owned(),
        display: row.domain_display,
        score: explanation.score,
        base_value: explanation.base_value,
        percentile: explanation.percentile,
        status: explanation.quality_status,
        explanation: explanation.explanation,
        warnings: explanation.warnings,
    })
}

/// The metrics from the greatest effect to the least, as steps from the mean score to the row's; and their axis.
fn steps(
    run: &AnalysedRun,
    explanation: &DomainExplanation,
    row: RowId,
    written: &Written,
) -> (Vec<Step>, (f64, f64)) {
    let percentiles = run.table().metric_percentiles(row);
    let sum: f64 = explanation.score_breakdown.0.iter().map(|(_, metric)| metric.weight).sum();
    let metrics = explanation.feature_contributions.0.iter().zip(&explanation.score_breakdown.0);
    let mut metrics: Vec<_> = metrics.zip(percentiles).collect();
    metrics.sort_by(|a, b| b.0.0.1.abs().total_cmp(&a.0.0.1.abs()));
    let mut level = explanation.base_value;
    let levels: Vec<(f64, f64)> = metrics
        .iter()
        .map(|(((_, points), _), _)| {
            let from = level;
            level += points;
            (from, level)
        })
        .collect();
    let ends = levels.iter().flat_map(|(from, to)| [*from, *to]);
    let ends = ends.chain([explanation.base_value, explanation.score]);
    let (least, most) = ends.fold((f64::MAX, f64::MIN), |(a, b), it| (a.min(it), b.max(it)));
    let room = ((most - least) * 0.04).max(0.5);
    let axis = (least - room, most + room);
    let steps =
        metrics.into_iter().zip(levels).map(|((((name, points), (_, metric)), percentile), (from, to))| {
            let (a, b) = (on_axis(from.min(to), axis), on_axis(from.max(to), axis));
            Step {
                label: metric_name(run.table(), name),
                value: written.metric(run.table(), name, metric.value),
                percentile,
                weight: if sum > 0.0 { metric.weight / sum } else { 0.0 },
                points: *points,
                bar: (a, (b - a).max(0.4)),
            }
        });
    (steps.collect(), axis)
}

fn on_axis(score: f64, (least, most): (f64, f64)) -> f64 {
    ((score - least) / (most - least) * 100.0).clamp(0.0, 100.0)
}

fn change(run: &AnalysedRun, explanation: &DomainExplanation, written: &Written) -> Option<Change> {
    let found = explanation.counterfactual.as_ref()?;
    let place = |normalized: f64| format!("{} / 100", grouped(normalized, 0));
    let (from, to) = match found.to {
        Some(to) => (
            written.metric(run.table(), &found.feature, found.from),
            written.metric(run.table(), &found.feature, Some(to)),
        ),
        None => (place(found.from_normalized), place(found.to_normalized)),
    };
    Some(Change {
        label: metric_name(run.table(), &found.feature),
        from,
        to,
        score_after: found.score_after,
        status_after: found.quality_status_after,
    })
}

fn certainty(explanation: &DomainExplanation) -> Option<Certainty> {
    Some(Certainty {
        confidence: explanation.confidence?,
        low: explanation.score_low?,
        high: explanation.score_high?,
        p_below: explanation.p_below_median?,
    })
}

fn facts(row: &ResultRow<'_>, written: &Written) -> Vec<(String, String)> {
    let text = crate::texts::text;
    let count = |figure: f64| grouped(figure, 0);
    let mut facts = vec![(text("impressions-column"), count(row.impressions.0))];
    let mut add = |label: String, figure: Option<String>| {
        facts.push((label, figure.unwrap_or_else(|| MISSING.to_owned())));
    };
    add(text("spend"), row.spend.map(|it| written.money(it.0)));
    add(text("fact-cpm"), row.cpm.map(|it| written.money(it.0)));
    add(text("fact-clicks"), row.clicks.map(|it| count(it.0)));
    add(text("fact-ctr"), row.ctr.map(|it| rate(it.0)));
    add(text("fact-conversions"), row.conversions.map(|it| count(it.0)));
    add(text("fact-conversion-rate"), row.conversion_rate.map(|it| rate(it.0)));
    facts.retain(|(_, figure)| figure != MISSING);
    facts
}

fn outliers(run: &AnalysedRun, row: &ResultRow<'_>) -> Vec<String> {
    let label = |flag: &String| metric_name(run.table(), flag.strip_suffix("_outlier").unwrap_or(flag));
    row.outlier_flags.iter().map(label).collect()
}

fn evidence(row: &ResultRow<'_>) -> Option<Evidence> {
    let evidence = row.evidence.as_ref()?;
    Some(Evidence {
        decision: match evidence.decision {
            Decision::Allow => "decision-allow",
            Decision::Block => "decision-block",
            Decision::Watch => "decision-watch",
        },
        reason: evidence.decision_reason.to_owned(),
        needed: evidence.impressions_needed.map(|needed| needed.0),
        patterns: evidence
            .patterns
            .iter()
            .map(|pattern| match pattern {
                Pattern::MfaPattern => "pattern-mfa",
                Pattern::ClickSurge => "pattern-click-surge",
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::results::sample_head;
    use crate::pages::samples;

    fn row() -> Explained {
        Explained {
            name: "<b>P\u{e9}rez.example".to_owned(),
            display: "<b>P\u{e9}rez.example".to_owned(),
            href: "/campaigns/1/domains/x".to_owned(),
            score: 31.25,
            base_value: 54.0,
            percentile: 8.3,
            status: Status::Poor,
            explanation: "<b>P\u{e9}rez costs it".to_owned(),
            steps: vec![Step {
                label: "<b>P\u{e9}rez".to_owned(),
                value: "40.0%".to_owned(),
                percentile: None,
                weight: 0.2,
                points: -22.75,
                bar: (4.0, 92.0),
            }],
            axis: (30.0, 55.0),
            change: Some(Change {
                label: "CTR".to_owned(),
                from: MISSING.to_owned(),
                to: "2.0%".to_owned(),
                score_after: 38.1,
                status_after: Status::Moderate,
            }),
            certainty: Some(Certainty { confidence: 0.9999, low: 28.0, high: 35.5, p_below: 0.99999 }),
            warnings: vec!["<b>P\u{e9}rez".to_owned()],
            facts: vec![("Impressions".to_owned(), "5".to_owned())],
            outliers: vec!["<b>P\u{e9}rez".to_owned()],
            quality: vec!["ctr above 1".to_owned()],
            evidence: Some(Evidence {
                decision: "decision-watch",
                reason: "<b>P\u{e9}rez".to_owned(),
                needed: Some(12_000.0),
                patterns: vec!["pattern-mfa"],
            }),
            mark: Some(Mark::Protect),
        }
    }

    #[test]
    fn an_explanation_is_a_page_and_a_part_of_one() {
        let page = ExplanationPage { shell: samples::shell(), head: sample_head(Tab::Results), row: row() };
        let html = samples::checked(&page);
        let pressed = "name=\"mark\" value=\"protect\" aria-pressed=\"true\"";
        assert!(html.contains("&gt; 99.9%") || html.contains("&#62; 99.9%"), "{html}");
        assert!(html.contains(pressed) && html.contains("\u{2212}22.8"), "{html}");
        let part = ExplanationPart { shell: samples::shell(), head: sample_head(Tab::Results), row: row() };
        assert!(!samples::checked(&part).contains("<main"));
    }

    #[test]
    fn bars_stay_on_their_axis() {
        assert_eq!([on_axis(30.0, (30.0, 55.0)), on_axis(55.0, (30.0, 55.0))], [0.0, 100.0]);
        assert_eq!(on_axis(99.0, (30.0, 55.0)), 100.0);
    }
}
