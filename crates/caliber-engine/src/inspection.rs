//! What a report is and how its headers are understood, before anything is scored.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::gathered::{Gathered, SeveralCurrencies};
use crate::names;
use crate::reading::check_scales;
use crate::recipe::{Candidate, Channel, Headers, candidates};
use crate::report::mapping::{Mapped, Needs, Warning, map_headers};
use crate::report::quality::{FileQuality, MappedColumn, Quality};
use crate::report::source::{Format, Source};
use crate::report::{Body, Peek, ReportFile};
use crate::rollup::plan::Layout;
use crate::scoring::{Chosen, Context, Options, asked, choose, open, reading};
use crate::{Code, Error, Result};

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
    /// The headers as they stand, in the order of the file; empty without a header row.
    pub headers: Vec<String>,
    /// The first rows as read.
    pub preview: Vec<Vec<Option<String>>>,
    /// Rows below the header; `None` where no recipe is settled, so that the report was not read.
    #[serde(skip)]
    pub rows_read: Option<u64>,
    /// Rows of those that filters leave out.
    #[serde(skip)]
    pub rows_filtered: u64,
    /// The currencies of its money, where that stands in the way of scoring it.
    #[serde(skip)]
    pub several_currencies: Option<SeveralCurrencies>,
    /// All sheets of a workbook, in the order to prefer them; empty for other files.
    #[serde(skip)]
    pub sheets: Vec<String>,
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
    check_scales(&options.scales, context.book)?;
    let files = open(vec![source], options, context)?;
    let file = &files[0];
    let preview = file
        .preview
        .iter()
        .take(options.preview_rows)
        .map(|row| {
            let cells = row.cells.iter();
            cells.map(|cell| (!cell.is_blank()).then(|| names::text_of(&cell.text()).into_owned())).collect()
        })
        .collect();
    let mut inspection = Inspection {
        quality: Quality::default(),
        recognised: None,
        candidates: None,
        help: None,
        suggestions: Vec::new(),
        headers: file.headers.clone(),
        preview,
        rows_read: None,
        rows_filtered: 0,
        several_currencies: None,
        sheets: file.sheets.clone(),
    };
    let read = choose(file, options, context)
        .and_then(|chosen| inspect_whole(&mut inspection, file, &chosen, options, context));
    match read {
        Err(error) if is_open_question(error.code) => {
            inspect_headers(&mut inspection, file, &error, options, context)?;
        }
        read => read?,
    }
    Ok(inspection)
}

/// Whether a report may be inspected although it cannot be scored as it stands.
fn is_open_question(code: Code) -> bool {
    matches!(code, Code::NotRecognised | Code::SeveralRecipes | Code::Ambiguous | Code::MissingColumns)
}

/// Reads the file for the recipe it fits.
fn inspect_whole(
    inspection: &mut Inspection,
    file: &ReportFile,
    chosen: &Chosen<'_>,
    options: &Options,
    context: &Context<'_>,
) -> Result<()> {
    context.progress.total_bytes.store(file.source.size()?, Ordering::Relaxed);
    let dimension = options.dimension.unwrap_or(chosen.recipe.dimension);
    let layout = Arc::new(Layout::new(chosen.recipe, chosen.dictionary, dimension));
    let read = reading(chosen, dimension, options, context).read(file, &layout)?;
    let mut gathered = Gathered::default();
    gathered.add(file, &read, chosen.dictionary);
    gathered.period(&read.rollup);
    inspection.rows_read = Some(gathered.rows_read);
    inspection.rows_filtered = gathered.rows_dropped.get("where").copied().unwrap_or(0);
    inspection.several_currencies = gathered.several_currencies();
    inspection.quality = gathered.quality;
    inspection.suggestions.clone_from(&read.mapping.suggestions);
    inspection.recognised = Some(RecognisedAs {
        platform: chosen.recipe.platform.clone(),
        channel: chosen.channel,
        recipe: chosen.recipe.name.clone(),
    });
    Ok(())
}

/// Shows what the headers are for the likeliest recipe, where none is settled.
fn inspect_headers(
    inspection: &mut Inspection,
    file: &ReportFile,
    error: &Error,
    options: &Options,
    context: &Context<'_>,
) -> Result<()> {
    let peek = Peek::of(file, &BTreeSet::new());
    let headers = Headers { texts: &file.headers, peek: &peek, overrides: &options.overrides };
    let found = candidates(context.book, &asked(options), &headers)?;
    inspection.quality = unread_quality(file, error);
    inspection.help.clone_from(&error.help);
    if let Some(likeliest) = found.first() {
        let recipe = context.book.by_name(&likeliest.recipe)?;
        let dictionary = context.book.dictionary_of(recipe);
        // What an ambiguous column is, the error says already.
        if let Ok(mapping) =
            map_headers(&file.headers, dictionary, &Needs::of(recipe), &options.overrides, &peek)
        {
            let unscaled = |mapped: &Mapped| MappedColumn {
                canonical: mapped.canonical.clone(),
                header: file.column_name(mapped.column),
                how: mapped.how,
                scale: None,
            };
            inspection.quality.mapping = mapping.columns.iter().map(unscaled).collect();
            inspection.quality.unmapped_headers = mapping.unmapped;
            inspection.suggestions = mapping.suggestions;
        }
    }
    inspection.candidates = Some(found);
    Ok(())
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
