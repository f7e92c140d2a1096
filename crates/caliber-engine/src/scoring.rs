//! The line as a whole: files in, scored rows, lists, summary and quality out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::dictionary::{ColumnKind, Dictionary};
use crate::lists::Lists;
use crate::names;
use crate::normalize::Normalization;
use crate::progress::Progress;
use crate::reading::{ReadFile, Reading, Scale};
use crate::recipe::{
    Asked, Candidate, Channel, Dimension, Goal, Headers, Recipe, RecipeBook, candidates, recognise,
};
use crate::report::mapping::{Needs, Override, Warning, map_headers};
use crate::report::quality::{FileQuality, MappedColumn, Quality, UnreadableCells};
use crate::report::source::{Format, Source};
use crate::report::xls::Sandbox;
use crate::report::{Body, Opening, Peek, ReportFile};
use crate::results::Results;
use crate::rollup::plan::Layout;
use crate::rollup::{RollUp, Rolled};
use crate::score::{self, ScoredRows};
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
    /// The share of rows on each list, in (0, 0.5].
    pub list_share: f64,
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
            list_share: 0.25,
            protected: Vec::new(),
            overrides: Vec::new(),
            no_header: false,
            scales: Vec::new(),
            filters: Vec::new(),
            sheet: None,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
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
    for (name, _) in &options.scales {
        context.book.check_column(name)?;
    }
    let files = open(sources, options, context)?;
    let total: u64 = files.iter().map(|file| file.source.size()).sum::<Result<u64>>()?;
    context.progress.total_bytes.store(total, Ordering::Relaxed);

    let chosen = choose(&files[0], options, context)?;
    let dimension = options.dimension.unwrap_or(chosen.recipe.dimension);
    let layout = Arc::new(Layout::new(chosen.recipe, chosen.dictionary, dimension));
    let reading = Reading {
        recipe: chosen.recipe,
        dictionary: Arc::new(chosen.dictionary.clone()),
        dimension,
        overrides: &options.overrides,
        scales: &options.scales,
        filters: &options.filters,
        threads: options.threads,
        chunk_bytes: options.chunk_bytes,
        progress: context.progress,
    };
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
    let rolled = all.finish();
    finish(rolled, period, gathered, &files, &chosen, dimension, options)
}

/// The recipe of a report, and what told it.
struct Chosen<'b> {
    recipe: &'b Recipe,
    dictionary: &'b Dictionary,
    channel: Channel,
    recognised: bool,
}

fn choose<'b>(file: &ReportFile, options: &Options, context: &Context<'b>) -> Result<Chosen<'b>> {
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
    let percent = BTreeSet::new();
    let peek = Peek { rows: &file.preview, percent: &percent };
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

fn asked(options: &Options) -> Asked<'_> {
    Asked {
        platform: options.platform.as_deref(),
        channel: options.channel,
        goal: options.goal,
        ctr_sensitive: options.ctr_sensitive,
    }
}

fn open(sources: Vec<Source>, options: &Options, context: &Context<'_>) -> Result<Vec<ReportFile>> {
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

/// What the files together have shown beside their sums.
#[derive(Default)]
struct Gathered {
    quality: Quality,
    rows_read: u64,
    rows_dropped: BTreeMap<&'static str, u64>,
    currencies: BTreeSet<String>,
    currency_header: Option<String>,
    totals_present: score::TotalsPresent,
    sums_unique_ids: bool,
}

impl Gathered {
    fn add(&mut self, file: &ReportFile, read: &ReadFile, dictionary: &Dictionary) {
        let rollup = &read.rollup;
        let notes = rollup.notes_after();
        let dropped = &rollup.dropped;
        self.rows_read += rollup.rows_read + notes.dropped;
        for (reason, count) in [
            ("missing_impressions", dropped.missing_impressions + notes.dropped),
            ("missing_dimension", dropped.missing_dimension),
            ("repeated_header", dropped.repeated_header),
            ("where", dropped.filtered),
        ] {
            if count > 0 {
                *self.rows_dropped.entry(reason).or_default() += count;
            }
        }
        for (present, columns) in self.totals_present.iter_mut().zip(&read.plan.totals) {
            *present |= !columns.is_empty();
        }
        self.add_currency(file, read);
        self.sums_unique_ids |= read.plan.numbers.iter().any(|number| {
            dictionary
                .column(&number.canonical)
                .is_some_and(|column| column.kind == ColumnKind::Count && !column.additive)
        });
        let (encoding, delimiter) = match &file.body {
            Body::Text { encoding, delimiter, .. } if file.format == Format::Csv => (
                Some(if rollup.not_utf8 { encoding.or_windows_1252() } else { *encoding }),
                Some(char::from(*delimiter)),
            ),
            _ => (None, None),
        };
        self.quality.files.push(FileQuality {
            file: file.source.name().to_owned(),
            format: file.format,
            compression: file.source.compression(),
            encoding,
            delimiter,
            sheet: file.sheet.clone(),
            header_row: file.header_line,
            rows_skipped_before: file.skipped_before,
            rows_skipped_after: notes.after,
        });
        self.quality.mapping.extend(mapped_columns(file, read));
        for header in &read.mapping.unmapped {
            if !self.quality.unmapped_headers.contains(header) {
                self.quality.unmapped_headers.push(header.clone());
            }
        }
        for (number, facts) in read.plan.numbers.iter().zip(&rollup.facts) {
            if facts.unreadable > 0 {
                self.quality.unreadable_cells.push(UnreadableCells {
                    column: number.header.clone(),
                    count: facts.unreadable,
                    lines: facts.unreadable_at.iter().map(|place| read.lines.line(*place)).collect(),
                });
            }
        }
        self.quality.warnings.extend(read.mapping.warnings.iter().cloned());
        self.warn(file, read);
    }

    fn add_currency(&mut self, file: &ReportFile, read: &ReadFile) {
        self.currencies.extend(read.rollup.currencies.iter().cloned());
        if let Some(column) = read.supplies.currency {
            self.currency_header.get_or_insert_with(|| file.column_name(column));
            return;
        }
        for &index in &read.plan.totals[2] {
            let code = currency_of_header(&read.plan.numbers[index].header);
            self.currencies.extend(read.rollup.facts[index].currencies.iter().map(|sign| (*sign).to_owned()));
            self.currencies.extend(code);
        }
    }

    fn warn(&mut self, file: &ReportFile, read: &ReadFile) {
        let warnings = &mut self.quality.warnings;
        for canonical in &read.guessed_scales {
            warnings.push(Warning {
                code: "scale_guessed",
                message: format!(
                    "{}: whether {canonical} is a fraction or percent is a guess; --scale {canonical}=percent or \
                     --scale {canonical}=fraction settles it",
                    file.source.name()
                ),
            });
        }
        for header in &read.guessed_decimals {
            warnings.push(Warning {
                code: "decimal_guessed",
                message: format!(
                    "`{header}`: nothing in the file tells whether 1,234 is 1234; it was taken so"
                ),
            });
        }
        for (number, facts) in read.plan.numbers.iter().zip(&read.rollup.facts) {
            if facts.negative > 0 {
                warnings.push(Warning {
                    code: "negative_values",
                    message: format!(
                        "`{}`: {} below 0, summed as an adjustment",
                        number.header,
                        counted(facts.negative, "value", "values")
                    ),
                });
            }
        }
        if !file.other_sheets.is_empty() {
            warnings.push(Warning {
                code: "other_sheets",
                message: format!(
                    "{} has other sheets that fit as well and were not read: {}; --sheet NAME takes one",
                    file.source.name(),
                    file.other_sheets.join(", ")
                ),
            });
        }
        let (ragged, places) = &read.rollup.ragged;
        if *ragged > 0 {
            let lines: Vec<String> = places.iter().map(|place| read.lines.line(*place).to_string()).collect();
            warnings.push(Warning {
                code: "ragged_rows",
                message: format!(
                    "{} with more cells than the header, first on line {}",
                    counted(*ragged, "row", "rows"),
                    lines.join(", ")
                ),
            });
        }
    }

    fn refuse_several_currencies(&mut self, file: &ReportFile) -> Result<()> {
        let codes: Vec<String> =
            self.currencies.iter().filter(|currency| is_code(currency)).cloned().collect();
        self.currencies
            .retain(|currency| is_code(currency) || !codes.iter().any(|code| is_sign_of(currency, code)));
        if self.currencies.len() < 2 {
            return Ok(());
        }
        let all: Vec<&str> = self.currencies.iter().map(String::as_str).collect();
        let error =
            Error::new(Code::SeveralCurrencies, format!("the report's money is in {}", all.join(" and ")))
                .in_file(file.source.name());
        Err(match &self.currency_header {
            Some(header) => error
                .at_column(header)
                .help(format!("score one currency at a time: --where \"{header}={}\"", all[0])),
            None => error.help("export one report a currency"),
        })
    }

    fn period(&mut self, all: &RollUp) -> PeriodOfReport {
        let period = all.days.period();
        if period.ambiguous {
            self.quality.warnings.push(Warning {
                code: "date_order_guessed",
                message: "nothing in the date column tells day from month; the shorter period was taken"
                    .into(),
            });
        }
        if period.unreadable > 0 {
            self.quality.warnings.push(Warning {
                code: "unreadable_dates",
                message: format!(
                    "{} of the date column without a day",
                    counted(period.unreadable, "cell", "cells")
                ),
            });
        }
        PeriodOfReport {
            from: period.from.map(|day| day.to_string()),
            to: period.to.map(|day| day.to_string()),
        }
    }
}

/// `1 row`, `2 rows`.
fn counted(count: u64, singular: &str, plural: &str) -> String {
    format!("{count} {}", if count == 1 { singular } else { plural })
}

/// `EUR`, but not `$`.
fn is_code(currency: &str) -> bool {
    currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether money with this sign may be in the currency of this code: `$ 1.50` under `Cost (CAD)` is Canadian.
fn is_sign_of(sign: &str, code: &str) -> bool {
    match sign {
        "$" => code.ends_with('D') || ["ARS", "BRL", "CLP", "COP", "MXN", "UYU"].contains(&code),
        "¥" => ["CNY", "JPY"].contains(&code),
        "kr" => ["DKK", "ISK", "NOK", "SEK"].contains(&code),
        "Rs" => ["INR", "LKR", "NPR", "PKR"].contains(&code),
        _ => false,
    }
}

/// `Media Cost (EUR)` says what its money is.
fn currency_of_header(header: &str) -> Option<String> {
    let unit = header.trim().strip_suffix(')')?.rsplit_once('(')?.1;
    is_code(unit).then(|| unit.to_owned())
}

fn mapped_columns(file: &ReportFile, read: &ReadFile) -> Vec<MappedColumn> {
    let scale_of = |column: usize| {
        let read_scale = read.plan.numbers.iter().find(|number| number.column == column);
        read_scale.map(|number| number.conventions.scale).or_else(|| {
            read.unread_scales.iter().find(|(unread, _)| *unread == column).map(|(_, scale)| *scale)
        })
    };
    read.mapping
        .columns
        .iter()
        .map(|mapped| MappedColumn {
            canonical: mapped.canonical.clone(),
            header: file.column_name(mapped.column),
            how: mapped.how,
            scale: mapped.is_rate().then(|| scale_of(mapped.column).unwrap_or(1.0) as u32),
        })
        .collect()
}

fn finish(
    rolled: Rolled,
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
    let score_options = score::Options { dimension, normalization: options.normalization, min_impressions };
    let ScoredRows { results, bounds, below_minimum, without_noise } =
        score::score(&rolled, totals_present, recipe, chosen.dictionary, score_options)
            .map_err(|error| match rows_dropped.get("where") {
                Some(&dropped) if dropped == rows_read => {
                    Error::new(Code::NothingScored, "no row matches --where")
                        .help("check the value; `*` stands for anything, as in \"Campaign=Spring*\"")
                }
                _ => error,
            })
            .map_err(|error| error.in_file(files[0].source.name()))?;
    if sums_unique_ids && rolled.rows.iter().any(|rows| *rows > 1.0) {
        quality.warnings.push(Warning {
            code: "unique_ids_summed",
            message: "unique IDs were summed over several rows of one name, so they are an upper bound"
                .into(),
        });
    }
    if !without_noise.is_empty() {
        quality.warnings.push(Warning {
            code: "row_noise_unknown",
            message: format!(
                "too few names have several rows to tell how much rates differ between rows; it counts as nothing for {}",
                without_noise.join(", ")
            ),
        });
    }
    for (metric, _) in bounds.iter().filter(|(_, bounds)| bounds.count == 0) {
        quality.warnings.push(Warning {
            code: "empty_metric",
            message: format!("{metric} has no value in any scored row; it counts 0 for all"),
        });
    }
    quality.warnings.dedup();

    let protected: BTreeSet<String> = options.protected.iter().map(|name| key_of(name, dimension)).collect();
    let known: BTreeSet<String> = rolled
        .names
        .iter()
        .map(|name| key_of(name, dimension))
        .filter(|key| protected.contains(key))
        .collect();
    if known.len() < protected.len() {
        let unknown: Vec<&str> = protected.difference(&known).take(5).map(String::as_str).collect();
        quality.warnings.push(Warning {
            code: "protected_unknown",
            message: format!(
                "{} of {} protected {} not in the report: {}",
                protected.len() - known.len(),
                protected.len(),
                if protected.len() == 1 { "name is" } else { "names are" },
                unknown.join(", ")
            ),
        });
    }
    let lists =
        Lists::quartile(&results, options.list_share, &|name| protected.contains(&key_of(name, dimension)));
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
        lists: ListsSummary::of(&results, &lists, options.list_share, min_impressions),
        elapsed_ms: 0,
        caliber_version: env!("CARGO_PKG_VERSION"),
    };
    Ok(Scored {
        results,
        lists,
        summary,
        quality,
        dictionary: chosen.dictionary.clone(),
        recognised: chosen.recognised,
        aggregate_names: aggregates.names,
        least_impressions: below_minimum.least,
    })
}

fn key_of(name: &str, dimension: Dimension) -> String {
    names::normalise(name.as_bytes(), dimension, &mut String::new()).to_owned()
}

/// What a file looks like before it is scored.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// How it was read.
    #[serde(flatten)]
    pub quality: Quality,
    /// Platform and channel, where one recipe fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recognised: Option<RecognisedAs>,
    /// The recipes it may be for, the likeliest first, where none fits alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<Candidate>>,
    /// What settles the recipe, where none fits alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Headers that may be columns nothing else was found for.
    pub suggestions: Vec<crate::report::mapping::Suggestion>,
    /// The first ten rows as read.
    pub preview: Vec<Vec<Option<String>>>,
}

/// What the headers tell.
#[derive(Debug, Serialize)]
pub struct RecognisedAs {
    /// The platform.
    pub platform: String,
    /// The channel.
    pub channel: Channel,
    /// The recipe.
    pub recipe: String,
}

/// Looks at one file: what it is, how its headers are understood, what its cells look like.
///
/// # Errors
/// Those of opening and reading; a report that fits no recipe is not one of them.
pub fn inspect(source: Source, options: &Options, context: &Context<'_>) -> Result<Inspection> {
    let files = open(vec![source], options, context)?;
    let file = &files[0];
    let preview = file
        .preview
        .iter()
        .take(10)
        .map(|row| {
            let cells = row.cells.iter();
            cells.map(|cell| (!cell.is_blank()).then(|| names::text_of(&cell.text()))).collect()
        })
        .collect();
    let mut inspection = Inspection {
        quality: Quality::default(),
        recognised: None,
        candidates: None,
        help: None,
        suggestions: Vec::new(),
        preview,
    };
    match choose(file, options, context) {
        Ok(chosen) => {
            context.progress.total_bytes.store(file.source.size()?, Ordering::Relaxed);
            let dimension = options.dimension.unwrap_or(chosen.recipe.dimension);
            let layout = Arc::new(Layout::new(chosen.recipe, chosen.dictionary, dimension));
            let reading = Reading {
                recipe: chosen.recipe,
                dictionary: Arc::new(chosen.dictionary.clone()),
                dimension,
                overrides: &options.overrides,
                scales: &options.scales,
                filters: &options.filters,
                threads: options.threads,
                chunk_bytes: options.chunk_bytes,
                progress: context.progress,
            };
            let read = reading.read(file, &layout)?;
            let mut gathered = Gathered::default();
            gathered.add(file, &read, chosen.dictionary);
            gathered.period(&read.rollup);
            inspection.quality = gathered.quality;
            inspection.suggestions.clone_from(&read.mapping.suggestions);
            inspection.recognised = Some(RecognisedAs {
                platform: chosen.recipe.platform.clone(),
                channel: chosen.channel,
                recipe: chosen.recipe.name.clone(),
            });
        }
        Err(error) if matches!(error.code, Code::NotRecognised | Code::SeveralRecipes | Code::Ambiguous) => {
            let percent = BTreeSet::new();
            let peek = Peek { rows: &file.preview, percent: &percent };
            let headers = Headers { texts: &file.headers, peek: &peek, overrides: &options.overrides };
            let found = candidates(context.book, &asked(options), &headers)?;
            inspection.quality = unread_quality(file, &error);
            if let Some(likeliest) = found.first() {
                let recipe = context.book.by_name(&likeliest.recipe)?;
                let dictionary = context.book.dictionary_of(recipe);
                let needs = Needs::of(recipe);
                // What an ambiguous column is, the error says already.
                if let Ok(mapping) = map_headers(&file.headers, dictionary, &needs, &options.overrides, &peek)
                {
                    inspection.quality.mapping = mapping
                        .columns
                        .iter()
                        .map(|mapped| MappedColumn {
                            canonical: mapped.canonical.clone(),
                            header: file.column_name(mapped.column),
                            how: mapped.how,
                            scale: None,
                        })
                        .collect();
                    inspection.quality.unmapped_headers = mapping.unmapped;
                    inspection.suggestions = mapping.suggestions;
                }
            }
            inspection.help = error.help.clone();
            inspection.candidates = Some(found);
        }
        Err(error) => return Err(error),
    }
    Ok(inspection)
}

/// What can be said of a file whose recipe is open.
fn unread_quality(file: &ReportFile, error: &Error) -> Quality {
    let (encoding, delimiter) = match &file.body {
        Body::Text { encoding, delimiter, .. } if file.format == Format::Csv => {
            (Some(*encoding), Some(char::from(*delimiter)))
        }
        _ => (None, None),
    };
    Quality {
        files: vec![FileQuality {
            file: file.source.name().to_owned(),
            format: file.format,
            compression: file.source.compression(),
            encoding,
            delimiter,
            sheet: file.sheet.clone(),
            header_row: file.header_line,
            rows_skipped_before: file.skipped_before,
            rows_skipped_after: 0,
        }],
        unmapped_headers: file.headers.clone(),
        warnings: vec![Warning { code: "not_recognised", message: error.message.clone() }],
        ..Quality::default()
    }
}
