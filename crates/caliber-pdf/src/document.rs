//! What the template is given: every figure worked out, every word written. The template decides how it looks.

use caliber_analysis::findings::{Finding, PerformanceLevel};
use caliber_analysis::written::{capital, count, money, percent, short_count, short_money};
use caliber_engine::summary::{ScoreStatistics, StatusCounts, total};
use caliber_reports::CampaignReport;
use chrono::{DateTime, NaiveTime, Utc};
use serde::Serialize;

use crate::Contents;
use crate::appendix::Appendix;
use crate::branding::Palette;
use crate::charts::Charts;
use crate::facts::{Facts, score, title};
use crate::metrics::{self, Metric};
use crate::naming::{Name, shortened};
use crate::tables::{self, Details, List, Table};

/// Letters of the campaign's name in the running head.
const RUNNING: usize = 64;
/// Letters of a name that is an example.
const EXAMPLE: usize = 40;
/// What stands for a figure that the report should have and has not.
const MISSING: &str = "missing";

/// The report, ready to be set.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    /// The document's title.
    title: String,
    /// The agency; empty where it has no name.
    agency: String,
    /// The format of the logo; `null` without one.
    logo: Option<&'static str>,
    palette: Palette,
    /// The pieces of the campaign's name.
    campaign: Vec<String>,
    /// The same on one line.
    running: String,
    /// Period and currency.
    footer: String,
    /// What rows are, in the plural.
    units: String,
    cover: Cover,
    summary: Summary,
    overview: Vec<Fact>,
    metrics: Vec<Metric>,
    charts: Option<Charts>,
    best: Table,
    worst: Table,
    details: Option<Details>,
    lists: Vec<List>,
    next_steps: Vec<String>,
    appendix: Appendix,
}

/// A figure or word with what it is.
#[derive(Debug, Serialize)]
pub(crate) struct Fact {
    pub(crate) label: String,
    pub(crate) value: String,
    /// The same in few letters, for where it has little room.
    short: Option<String>,
    /// What is to be said of it.
    pub(crate) note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Cover {
    subtitle: String,
    figures: Vec<Fact>,
    facts: Vec<Fact>,
    small_print: String,
}

#[derive(Debug, Serialize)]
struct Summary {
    /// `Good`; `null` where nothing was delivered.
    level: Option<&'static str>,
    score: String,
    /// The score as a part of 100.
    at: f64,
    /// The levels on the scale, the worst first, each with its end as a part of 100.
    scale: Vec<ScaleBand>,
    sentences: Vec<String>,
    totals: Vec<Fact>,
    insights: Vec<Insight>,
}

#[derive(Debug, Serialize)]
struct ScaleBand {
    name: &'static str,
    from: f64,
    to: f64,
}

#[derive(Debug, Serialize)]
struct Insight {
    title: String,
    sentence: String,
    names: Vec<String>,
}

impl Document {
    pub(crate) fn of(
        report: &CampaignReport<'_>,
        agency: &str,
        palette: Palette,
        logo: Option<&'static str>,
        contents: Contents,
    ) -> Self {
        let facts = Facts::of(report);
        Self {
            title: format!("{}: campaign quality report", shortened(report.name, 120)),
            agency: if agency.trim().is_empty() { String::new() } else { shortened(agency, 60) },
            logo,
            palette,
            campaign: Name::in_title(report.name),
            running: shortened(report.name, RUNNING),
            footer: footer(&facts),
            units: format!("{}s", facts.unit()),
            cover: cover(&facts),
            summary: summary(&facts),
            overview: overview(&facts),
            metrics: metrics::metrics(&facts),
            charts: contents.charts.then(|| Charts::of(&facts)),
            best: tables::best(&facts),
            worst: tables::worst(&facts),
            details: contents.details.then(|| tables::details(&facts)),
            lists: vec![tables::allowlist(&facts), tables::blocklist(&facts)],
            next_steps: next_steps(&facts),
            appendix: Appendix::of(&facts),
        }
    }

    /// Says that there are names that no font shows.
    pub(crate) fn note_letters_without_a_font(&mut self) {
        self.appendix.note(
            "Some names have characters for which there is no font where this report was made; boxes stand for them. The files that come with it have the names whole.",
        );
    }
}

impl Fact {
    pub(crate) fn of(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), short: None, note: None }
    }

    fn count(label: impl Into<String>, figure: f64) -> Self {
        Self { short: Some(short_count(figure)), ..Self::of(label, count(figure)) }
    }

    fn money(facts: &Facts<'_>, label: &str, amount: f64) -> Self {
        let currency = facts.currency();
        Self { short: Some(short_money(amount, currency)), ..Self::of(label, money(amount, currency)) }
    }

    fn with(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

fn footer(facts: &Facts<'_>) -> String {
    let mut parts: Vec<String> = facts.period().into_iter().collect();
    parts.extend(facts.currency().map(|currency| format!("Money in {}", shortened(currency, 12))));
    parts.join(" \u{b7} ")
}

fn cover(facts: &Facts<'_>) -> Cover {
    let run = facts.report.run;
    let platform = shortened(&facts.report.dictionary.platform_label(&run.platform), 40);
    let subtitle =
        [platform.clone(), title(&run.channel), title(&run.goal)].into_iter().filter(|word| !word.is_empty());
    let mut figures = vec![campaign_score(facts)];
    figures.extend(totals(facts));
    figures.truncate(5);
    let scored = facts.report.scored_at.map(|at| Fact::of("Scored", moment(at)));
    let mut words = vec![
        Fact::of("Platform", platform),
        Fact::of("Goal", title(&run.goal)),
        Fact::of("Channel", title(&run.channel)),
        Fact::of("Status", "Completed"),
        Fact::of("Period", facts.period().unwrap_or_else(|| "not in the report".to_owned())),
        Fact::of(
            "Currency",
            facts.currency().map_or_else(|| "not in the report".to_owned(), |code| shortened(code, 12)),
        ),
    ];
    words.extend(scored);
    words.push(Fact::of("Report of", moment(facts.report.generated_at)));
    Cover {
        subtitle: subtitle.collect::<Vec<_>>().join(" \u{b7} "),
        figures,
        facts: words,
        small_print: format!(
            "Scores compare the {}s of this campaign with one another. Figures are those of the platform's report; how they were read and what was left out is in the appendix.",
            facts.unit()
        ),
    }
}

fn campaign_score(facts: &Facts<'_>) -> Fact {
    let value = facts.campaign_score.map_or_else(|| "-".to_owned(), score);
    let level = facts.campaign_score.map(|score| PerformanceLevel::of(score).name().to_owned());
    Fact { note: level, ..Fact::of("Campaign score", value) }
}

fn money_figures(facts: &Facts<'_>) -> Vec<Fact> {
    let Some(spend) = facts.spend else { return Vec::new() };
    let mut figures = vec![Fact::money(facts, "Spend", spend)];
    if facts.impressions > 0.0 {
        let cpm = Fact::money(facts, "Average CPM", spend / facts.impressions * 1000.0);
        figures.push(cpm.with("spend per 1,000 impressions"));
    }
    figures
}

/// The figures of first interest, of which a page shows as many as it has room for.
fn totals(facts: &Facts<'_>) -> Vec<Fact> {
    let scored = format!("{}s scored", capital(facts.unit()));
    let mut totals =
        vec![Fact::count(scored, facts.results.len() as f64), Fact::count("Impressions", facts.impressions)];
    totals.extend(money_figures(facts));
    totals.extend(response_figures(facts).into_iter().filter(|fact| fact.value != MISSING));
    totals
}

/// Clicks and conversions, as far as the report has them.
fn response_figures(facts: &Facts<'_>) -> Vec<Fact> {
    let results = facts.results;
    let mut figures = Vec::new();
    let counts = [
        ("Clicks", &results.clicks, "CTR", "ctr", "clicks per impression"),
        (
            "Conversions",
            &results.conversions,
            "Conversion rate",
            "conversion_rate",
            "conversions per impression",
        ),
    ];
    for (label, events, rate_label, metric, note) in counts {
        let Some(events) = events else { continue };
        if !facts.has_any(metric) {
            figures.push(Fact::of(label, MISSING).with("the report has the column and no values"));
            continue;
        }
        figures.push(Fact::count(label, total(events.iter().copied())));
        let rate = facts.rate(metric).map(|rate| format!("{:.3} %", rate * 100.0));
        figures.extend(rate.map(|rate| Fact::of(rate_label, rate).with(note)));
    }
    figures.extend(facts.cost_per_conversion().map(|cost| Fact::money(facts, "Cost per conversion", cost)));
    figures
}

fn summary(facts: &Facts<'_>) -> Summary {
    let level = facts.campaign_score.map(PerformanceLevel::of);
    let mut totals: Vec<Fact> = totals(facts).into_iter().map(|fact| Fact { note: None, ..fact }).collect();
    totals.truncate(4);
    let mut upper = 1.0;
    let mut scale: Vec<ScaleBand> = PerformanceLevel::ALL
        .iter()
        .map(|(level, least)| {
            let band = ScaleBand { name: level.name(), from: least / 100.0, to: upper };
            upper = band.from;
            band
        })
        .collect();
    scale.reverse();
    Summary {
        level: level.map(PerformanceLevel::name),
        score: facts.campaign_score.map_or_else(|| "-".to_owned(), score),
        at: facts.campaign_score.map_or(0.0, |score| (score / 100.0).clamp(0.0, 1.0)),
        scale,
        sentences: level_sentences(facts),
        totals,
        insights: facts.campaign().findings().into_iter().map(insight).collect(),
    }
}

fn level_sentences(facts: &Facts<'_>) -> Vec<String> {
    let Some(campaign) = facts.campaign_score else {
        return vec![
            "No impressions were delivered, so that the campaign as a whole has no score.".to_owned(),
        ];
    };
    let statuses = StatusCounts::of(facts.results);
    if facts.results.len() == 1 {
        return vec![format!(
            "The one {} of this campaign scores {} of 100. Scores compare names with one another, so that of a single one says little.",
            facts.unit(),
            score(campaign)
        )];
    }
    let of = |status: &str, rows: u64| {
        format!("{} {} {status}", count(rows as f64), if rows == 1 { "is" } else { "are" })
    };
    vec![
        format!(
            "The average impression of this campaign scores {} of 100. 100 is what the campaign's own best inventory reaches in every metric, so the score says how close the rest comes to it.",
            score(campaign)
        ),
        format!(
            "Of {}, {}, {} and {}.",
            facts.counted(facts.results.len()),
            of("good", statuses.good),
            of("moderate", statuses.moderate),
            of("poor", statuses.poor)
        ),
    ]
}

fn insight(finding: Finding) -> Insight {
    Insight {
        title: finding.title,
        sentence: finding.sentence,
        names: finding.names.iter().map(|name| shortened(name, EXAMPLE)).collect(),
    }
}

fn overview(facts: &Facts<'_>) -> Vec<Fact> {
    let run = facts.report.run;
    let scores = ScoreStatistics::of(&facts.results.scores);
    let mut overview = vec![Fact::of("Impressions", count(facts.impressions))];
    overview.extend(money_figures(facts));
    overview.extend(response_figures(facts));
    overview.push(campaign_score(facts).with("mean score, weighted by impressions"));
    if let (Some(mean), Some(median)) = (scores.mean, scores.median) {
        let note = format!("each {} counts once", facts.unit());
        overview.push(
            Fact::of("Mean and median score", format!("{} and {}", score(mean), score(median))).with(note),
        );
    }
    let units = format!("{}s", facts.unit());
    overview.push(
        Fact::of(format!("Total {units}"), count(facts.results.len() as f64))
            .with("with enough impressions to be scored"),
    );
    if run.below_minimum.count > 0 {
        let note = format!("{} impressions, too few to judge each", count(run.below_minimum.impressions));
        overview.push(
            Fact::of(format!("Small {units}, not scored"), count(run.below_minimum.count as f64)).with(note),
        );
    }
    if run.aggregate_rows.impressions > 0.0 && facts.impressions > 0.0 {
        let aggregates = run.aggregate_rows.impressions;
        let share = aggregates / (aggregates + facts.impressions + run.below_minimum.impressions);
        let note = format!("{} of all impressions; sums and rows without a name", percent(share));
        overview.push(Fact::of("Impressions not attributable", count(aggregates)).with(note));
    }
    overview.push(match facts.report.scored_at {
        Some(at) => Fact::of("Processed", moment(at)),
        None => Fact::of("Report of", moment(facts.report.generated_at)),
    });
    overview
}

fn next_steps(facts: &Facts<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    if !facts.report.blocklist.is_empty() {
        steps.push(
            "Look through the blocklist for names the client wants to keep, and protect them.".to_owned(),
        );
    }
    if !(facts.report.blocklist.is_empty() && facts.report.allowlist.is_empty()) {
        steps.push("Upload the lists to the platform; they come as files with this report.".to_owned());
    }
    steps.push("Score the campaign again after two to four weeks and compare: names near the edge of a list may change sides.".to_owned());
    steps
}

/// A point in time, in UTC.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    // A time that is given as a day is told as one.
    let form = if at.time() == NaiveTime::MIN { "%-d %B %Y" } else { "%-d %B %Y, %H:%M UTC" };
    at.format(form).to_string()
}
