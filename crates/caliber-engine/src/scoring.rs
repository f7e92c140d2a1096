//! The line as a whole: files in, scored rows, lists, summary and quality out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::dictionary::Dictionary;
use crate::evidence::{Decided, Evidence, Refusal};
use crate::gathered::Gathered;
use crate::lists::{ListRule, Lists};
use crate::names;
use crate::normalize::{Bounds, Normalization};
use crate::parallel;
use crate::progress::Progress;
use crate::reading::{Reading, Scale, check_scales};
use crate::recipe::{Asked, Channel, Dimension, Goal, Headers, Recipe, RecipeBook, recognise};
use crate::report::mapping::{Override, Warning};
use crate::report::quality::Quality;
use crate::report::source::Source;
use crate::report::xls::Sandbox;
use crate::report::{Opening, Peek, ReportFile};
use crate::results::Results;
use crate::rollup::plan::Layout;
use crate::rollup::{RollUp, Rolled};
use crate::score::{self, ScoredRows};
use crate::sensitivity::WeightSensitivity;
use crate::summary::{
    self, AggregateRows, ListsSummary, PeriodOfReport, Portion, ScoreStatistics, StatusCounts, Summary,
};
use crate::{Code, Error, Result};

/// Bytes of text that a thread works on at a time: it fits a core's cache beside the sums.
const CHUNK_BYTES: usize = 512 << 10;

/// What a call asks for. The default is what `caliber score REPORT` does.
#[derive(Clone, Debug)]
pub struct Options {
    /// The platform; recognised from the headers where `None`.
    pub platform: Option<String>,
    /// The channel; recognised where `None`.
    pub channel: Option<Channel>,
    /// The campaign's goal.
    pub goal: Goal,
    /// Whether the CTR-sensitive recipe is wanted.
    pub ctr_sensitive: bool,
    /// A recipe of the book by name, whatever platform and channel are.
    pub recipe: Option<String>,
    /// What rows are grouped by; the recipe's own where `None`.
    pub dimension: Option<Dimension>,
    /// How metrics are normalised.
    pub normalization: Normalization,
    /// The least impressions of a scored row; the recipe's own where `None`, 0 keeps all.
    pub min_impressions: Option<u64>,
    /// What it takes to get on a list.
    pub list_rule: ListRule,
    /// Names that are never blocked, as written by people.
    pub protected: Vec<String>,
    /// Columns mapped by hand.
    pub overrides: Vec<Override>,
    /// Whether the files have no header row.
    pub no_header: bool,
    /// Scales of rates, given by hand: canonical name and scale.
    pub scales: Vec<(String, Scale)>,
    /// Only rows whose cell under a header matches a pattern.
    pub filters: Vec<(String, String)>,
    /// The sheet of workbooks; the best where `None`.
    pub sheet: Option<String>,
    /// Rows that an inspection shows, at most 500.
    pub preview_rows: usize,
    /// Threads that read.
    pub threads: usize,
    /// Bytes of text that a thread takes at a time.
    pub chunk_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            platform: None,
            channel: None,
            goal: Goal::Awareness,
            ctr_sensitive: false,
            recipe: None,
            dimension: None,
            normalization: Normalization::default(),
            min_impressions: None,
            list_rule: ListRule::default(),
            protected: Vec::new(),
            overrides: Vec::new(),
            no_header: false,
            scales: Vec::new(),
            filters: Vec::new(),
            sheet: None,
            preview_rows: 10,
            threads: parallel::available(),
            chunk_bytes: CHUNK_BYTES,
        }
    }
}

/// Where reading gets what it cannot do itself.
pub struct Context<'a> {
    /// The recipes to choose from.
    pub book: &'a RecipeBook,
    /// Reads old workbooks in a process of their own.
    pub sandbox: &'a Sandbox<'a>,
    /// Watched and cancelled from outside.
    pub progress: &'a Progress,
}

/// A scored report.
#[derive(Debug)]
pub struct Scored {
    /// The scored rows.
    pub results: Results,
    /// What to buy and what to block.
    pub lists: Lists,
    /// The laws of the scores, where the lists are made by them.
    pub evidence: Option<Evidence>,
    /// `summary.json`.
    pub summary: Summary,
    /// `quality.json`.
    pub quality: Quality,
    /// The words of the recipe.
    pub dictionary: Dictionary,
    /// Whether platform and channel were told by the headers.
    pub recognised: bool,
    /// Labels of the rows that sum up others or name nobody.
    pub aggregate_names: Vec<String>,
    /// The least impressions a row needed: the minimum, or the recipe's share of the report where that is more.
    pub least_impressions: f64,
}

/// Scores files as one report.
///
/// # Errors
/// Everything that [`Code`] names.
pub fn score(sources: Vec<Source>, options: &Options, context: &Context<'_>) -> Result<Scored> {
    refuse_twins(&sources)?;
    check_scales(&options.scales, context.book)?;
    let files = open(sources, options, context)?;
    let total: u64 = files.iter().map(|file| file.source.size()).sum::<Result<u64>>()?;
    context.progress.total_bytes.store(total, Ordering::Relaxed);

    let chosen = choose(&files[0], options, context)?;
    let dimension = options.dimension.unwrap_or(chosen.recipe.dimension);
    let layout = Arc::new(Layout::new(chosen.recipe, chosen.dictionary, dimension));
    let reading = reading(&chosen, dimension, options, context);
    let mut gathered = Gathered::default();
    let mut all: Option<RollUp> = None;
    for file in &files {
        let read = reading.read(file, &layout)?;
        gathered.add(file, &read, chosen.dictionary);
        match &mut all {
            Some(all) => all.absorb(read.rollup),
            None => all = Some(read.rollup),
        }
    }
    let all = all.ok_or_else(|| Error::new(Code::BadOption, "no report was given"))?;
    gathered.refuse_several_currencies(&files[0])?;
    let period = gathered.period(&all);
    let rolled = all.finish(options.threads);
    finish(rolled, period, gathered, &files, &chosen, dimension, options)
}

/// How the files are read for a recipe.
pub(crate) fn reading<'a>(
    chosen: &Chosen<'a>,
    dimension: Dimension,
    options: &'a Options,
    context: &Context<'a>,
) -> Reading<'a> {
    Reading {
        recipe: chosen.recipe,
        dictionary: chosen.dictionary.clone(),
        dimension,
        overrides: &options.overrides,
        scales: &options.scales,
        filters: &options.filters,
        threads: options.threads,
        chunk_bytes: options.chunk_bytes,
        progress: context.progress,
    }
}

/// The recipe of a report, and what told it.
pub(crate) struct Chosen<'b> {
    pub(crate) recipe: &'b Recipe,
    pub(crate) dictionary: &'b Dictionary,
    pub(crate) channel: Channel,
    recognised: bool,
}

pub(crate) fn choose<'b>(file: &ReportFile, options: &Options, context: &Context<'b>) -> Result<Chosen<'b>> {
    if let Some(name) = &options.recipe {
        let recipe = context.book.by_name(name)?;
        let channel = options.channel.unwrap_or_else(|| recipe.usual_channel());
        return Ok(Chosen {
            recipe,
            dictionary: context.book.dictionary_of(recipe),
            channel,
            recognised: false,
        });
    }
    let peek = Peek::of(file, &BTreeSet::new());
    let headers = Headers { texts: &file.headers, peek: &peek, overrides: &options.overrides };
    let found = recognise(context.book, &asked(options), &headers)
        .map_err(|error| error.in_file(file.source.name()))?;
    Ok(Chosen {
        recipe: found.recipe,
        dictionary: found.dictionary,
        channel: found.channel,
        recognised: options.platform.is_none() || options.channel.is_none(),
    })
}

pub(crate) fn asked(options: &Options) -> Asked<'_> {
    Asked {
        platform: options.platform.as_deref(),
        channel: options.channel,
        goal: options.goal,
        ctr_sensitive: options.ctr_sensitive,
    }
}

pub(crate) fn open(
    sources: Vec<Source>,
    options: &Options,
    context: &Context<'_>,
) -> Result<Vec<ReportFile>> {
    let dictionary = context.book.vocabulary();
    let opening = Opening {
        dictionary: &dictionary,
        overrides: &options.overrides,
        no_header: options.no_header,
        sheet: options.sheet.as_deref(),
        sandbox: context.sandbox,
    };
    if sources.is_empty() {
        return Err(Error::new(Code::BadOption, "no report was given"));
    }
    sources.into_iter().map(|source| ReportFile::open(source, &opening)).collect()
}

/// The same report twice would count everything twice.
fn refuse_twins(sources: &[Source]) -> Result<()> {
    for (at, source) in sources.iter().enumerate() {
        for earlier in &sources[..at] {
            if source.same_bytes(earlier)? {
                let message = format!("this is the same report as {}", earlier.name());
                return Err(Error::new(Code::SameFileTwice, message)
                    .in_file(source.name())
                    .help("give it once; its rows would count twice"));
            }
        }
    }
    Ok(())
}

fn finish(
    mut rolled: Rolled,
    period: PeriodOfReport,
    gathered: Gathered,
    files: &[ReportFile],
    chosen: &Chosen<'_>,
    dimension: Dimension,
    options: &Options,
) -> Result<Scored> {
    let Gathered {
        mut quality, rows_read, rows_dropped, currencies, totals_present, sums_unique_ids, ..
    } = gathered;
    let recipe = chosen.recipe;
    let min_impressions = options.min_impressions.unwrap_or(recipe.min_impressions) as f64;
    let score_options = score::Options {
        dimension,
        normalization: options.normalization,
        min_impressions,
        threads: options.threads,
    };
    let ScoredRows { mut results, bounds, below_minimum, row_noise } =
        score::score(&mut rolled, totals_present, recipe, chosen.dictionary, score_options)
            .map_err(|error| why_nothing(error, &rolled, &quality, &rows_dropped, rows_read))
            .map_err(|error| error.in_file(files[0].source.name()))?;
    warn_of_metrics(&mut quality, &rolled, sums_unique_ids, &row_noise, &bounds, chosen.dictionary);
    let names = rolled.names.iter().chain(&results.names);
    let protected = protected_keys(&mut quality, names, &options.protected, dimension);
    let is_protected = |name: &str| !protected.is_empty() && protected.contains(&key_of(name, dimension));
    let rule = &options.list_rule;
    let (lists, evidence) = if rule.needs_evidence() {
        let (decided, evidence) = weigh(&results, chosen.dictionary, options, &is_protected)
            .map_err(|error| error.in_file(files[0].source.name()))?;
        if !decided.can_judge_mfa {
            quality.warnings.push(mfa_cannot_be_judged());
        }
        results.evidence = Some(decided.rows);
        (decided.lists, Some(evidence))
    } else {
        (Lists::quartile(&results, rule.share, &is_protected), None)
    };
    let (top, bottom) = summary::extremes(&results);
    let total =
        |column: &Option<Vec<f64>>| column.as_ref().map(|column| summary::total(column.iter().copied()));
    let total_impressions = summary::total(results.impressions.iter().copied());
    let total_spend = total(&results.spend);
    let aggregates = rolled.aggregates;
    let rows_used = rolled.rows.iter().sum::<f64>() as u64;
    let summary = Summary {
        recipe: recipe.clone(),
        normalization_stats: summary::normalization_stats(&bounds),
        currency: currencies.into_iter().next(),
        period,
        platform: recipe.platform.clone(),
        channel: chosen.channel.name().to_owned(),
        goal: options.goal.name().to_owned(),
        dimension,
        normalization: options.normalization,
        files: files.iter().map(|file| file.source.name().to_owned()).collect(),
        rows_read,
        rows_used,
        rows_dropped,
        aggregate_rows: AggregateRows {
            count: aggregates.rows,
            impressions: aggregates.impressions,
            spend: aggregates.spend,
        },
        dimension_values: rolled.names.len() as u64,
        scored: results.len() as u64,
        below_minimum: Portion {
            count: below_minimum.count,
            impressions: below_minimum.impressions,
            spend: below_minimum.spend,
        },
        campaign_score: summary::campaign_score(&results),
        average_cpm: total_spend
            .filter(|_| total_impressions != 0.0)
            .map(|spend| spend / total_impressions * 1000.0),
        total_impressions,
        total_clicks: total(&results.clicks),
        total_conversions: total(&results.conversions),
        total_spend,
        status_counts: StatusCounts::of(&results),
        scores: ScoreStatistics::of(&results.scores),
        top,
        bottom,
        lists: ListsSummary::of(&results, &lists, rule, min_impressions, &is_protected).with_evidence(
            &results,
            evidence.as_ref(),
            rule,
            &row_noise,
        ),
        weight_sensitivity: WeightSensitivity::of(&results, options.threads),
        elapsed_ms: 0,
        caliber_version: env!("CARGO_PKG_VERSION"),
    };
    Ok(Scored {
        results,
        lists,
        evidence,
        summary,
        quality,
        dictionary: chosen.dictionary.clone(),
        recognised: chosen.recognised,
        aggregate_names: aggregates.names,
        least_impressions: below_minimum.least,
    })
}

fn mfa_cannot_be_judged() -> Warning {
    let message = "mfa_pattern cannot be judged: the report has fewer than three of CPM, in view or completion, excessive ad load, ad refresh and conversion rate";
    Warning { code: "mfa_cannot_be_judged", message: message.into() }
}

/// The evidence for the scores, and what it decides.
fn weigh(
    results: &Results,
    dictionary: &Dictionary,
    options: &Options,
    is_protected: &dyn Fn(&str) -> bool,
) -> Result<(Decided, Evidence)> {
    let refused = |refusal: Refusal| {
        let code = if matches!(refusal, Refusal::NoPrior { .. }) { Code::Machine } else { Code::BadOption };
        Error::new(code, format!("lists cannot be made by evidence: {refusal}"))
            .help("--list-policy quartile goes by the scores as they are")
    };
    let evidence = Evidence::of(results, dictionary, options.threads).map_err(refused)?;
    let rule = &options.list_rule;
    let decided =
        evidence.decide(results, dictionary, rule, is_protected, options.threads).map_err(refused)?;
    Ok((decided, evidence))
}

/// Why nothing is scored, where more is known than that.
fn why_nothing(
    error: Error,
    rolled: &Rolled,
    quality: &Quality,
    rows_dropped: &BTreeMap<&'static str, u64>,
    rows_read: u64,
) -> Error {
    match rows_dropped.get("where") {
        Some(&dropped) if dropped == rows_read => Error::new(Code::NothingScored, "no row matches --where")
            .help("check the value; `*` stands for anything, as in \"Campaign=Spring*\""),
        _ if rolled.names.is_empty() => unreadable_impressions(quality).unwrap_or(error),
        _ => error,
    }
}

/// Why no row is left, where it is because impressions are written as no number is: `1.2K`.
fn unreadable_impressions(quality: &Quality) -> Option<Error> {
    let header = &quality.mapping.iter().find(|mapped| mapped.canonical == "impressions")?.header;
    let cells = quality.unreadable_cells.iter().find(|cells| cells.column == *header)?;
    let message = format!("no row is left: {} of its cells are no number", cells.count);
    let error = Error::new(Code::NothingScored, message).at_column(header).help(
        "export plain numbers, as in 1234 or 1,234; or name another column with --map impressions=HEADER",
    );
    Some(match cells.lines.first() {
        Some(line) => error.at_line(*line),
        None => error,
    })
}

/// What the scored metrics leave to be said.
fn warn_of_metrics(
    quality: &mut Quality,
    rolled: &Rolled,
    sums_unique_ids: bool,
    row_noise: &[(String, Option<f64>)],
    bounds: &[(String, Bounds)],
    dictionary: &Dictionary,
) {
    if sums_unique_ids && rolled.rows.iter().any(|rows| *rows > 1.0) {
        quality.warnings.push(Warning {
            code: "unique_ids_summed",
            message: "unique IDs were summed over several rows of one name, so they are an upper bound"
                .into(),
        });
    }
    let without_noise: Vec<&String> =
        row_noise.iter().filter(|(_, noise)| noise.is_none()).map(|(metric, _)| metric).collect();
    if !without_noise.is_empty() {
        let message = format!(
            "too few names have several rows to tell how much rates differ between rows; it counts as nothing for {}",
            without_noise.iter().map(|metric| dictionary.label(metric)).collect::<Vec<_>>().join(", ")
        );
        quality.warnings.push(Warning { code: "row_noise_unknown", message });
    }
    for (metric, _) in bounds.iter().filter(|(_, bounds)| bounds.count == 0) {
        let label = dictionary.label(metric);
        let message = format!("{label} has no value in any scored row; it counts 0 for all");
        quality.warnings.push(Warning { code: "empty_metric", message });
    }
    quality.warnings.dedup();
}

/// The keys of the names to protect; those that are not in the report are told.
fn protected_keys<'a>(
    quality: &mut Quality,
    in_report: impl Iterator<Item = &'a String>,
    names: &[String],
    dimension: Dimension,
) -> BTreeSet<String> {
    let protected: BTreeSet<String> = names.iter().map(|name| key_of(name, dimension)).collect();
    if protected.is_empty() {
        return protected;
    }
    // Of names that are scored nothing is left in the roll-up.
    let known: BTreeSet<String> =
        in_report.filter(|name| !name.is_empty()).map(|name| key_of(name, dimension)).collect();
    let unknown: Vec<&String> = protected.difference(&known).collect();
    if !unknown.is_empty() {
        let first: Vec<&str> = unknown.iter().take(5).map(|name| name.as_str()).collect();
        let message = format!(
            "{} of {} protected {} not in the report: {}",
            unknown.len(),
            protected.len(),
            if protected.len() == 1 { "name is" } else { "names are" },
            first.join(", ")
        );
        quality.warnings.push(Warning { code: "protected_unknown", message });
    }
    protected
}

fn key_of(name: &str, dimension: Dimension) -> String {
    names::normalise(name.as_bytes(), dimension, &mut String::new()).to_owned()
}
