//! The columns of a report: what each stands for, its scale, and the warnings that are about it.

use caliber_platform::analysis::capital;
use caliber_platform::scoring::Scale;
use caliber_platform::uploads::{Examination, How, Inspection, KnownColumn};

use super::super::metrics::in_words;
use super::Select;
use super::form::ReviewForm;
use crate::texts::text;

/// The most characters of a cell that is shown.
const LONGEST_CELL: usize = 40;

/// A column of the report.
pub(super) struct Column {
    pub(super) at: usize,
    pub(super) header: String,
    pub(super) cells: Vec<String>,
    pub(super) found: String,
    pub(super) chosen: String,
    /// The key of how it was found.
    pub(super) how: &'static str,
    pub(super) options: Vec<Select>,
    /// The scales to choose from, of a rate.
    pub(super) scales: Vec<Select>,
    pub(super) warnings: Vec<String>,
    /// What its numbers are divided by, where it was read as a rate.
    divisor: Option<u32>,
}

impl Column {
    /// Whether the scale of a rate is chosen here.
    pub(super) fn has_scale_of(&self, rate: &str) -> bool {
        self.chosen == rate && !self.scales.is_empty()
    }
}

/// The columns of the report, each with its warnings, and the warnings that are about none.
pub(super) fn columns_of(
    form: &ReviewForm,
    examination: &Examination,
    known: &[KnownColumn],
) -> (Vec<Column>, Vec<String>) {
    let Some(inspection) = &examination.inspection else { return (Vec::new(), Vec::new()) };
    let mut columns = understood(inspection);
    for column in &mut columns {
        if let Some(choice) = form.columns.get(&column.at).filter(|choice| choice.chosen != choice.found) {
            column.found.clone_from(&choice.found);
            column.chosen.clone_from(&choice.chosen);
            column.how = if choice.chosen.is_empty() { "how-unused" } else { "how-given" };
        }
        column.options = options(known, &column.chosen);
        column.scales = scales(form, column, known);
    }
    let general = warn(&mut columns, inspection);
    (columns, general)
}

/// Says it of columns that stand for nothing and whose cells look like names of sites.
pub(super) fn mark_those_like_sites(columns: &mut [Column]) {
    for column in columns.iter_mut().filter(|column| column.chosen.is_empty()) {
        let alike = column.cells.iter().filter(|cell| is_like_a_site(cell)).count();
        if alike > 0 && alike * 2 >= column.cells.len() {
            column.warnings.push(text("column-like-sites"));
        }
    }
}

/// Whether it has a dot between words without blanks, the last of them letters: no number, no date, no sentence.
fn is_like_a_site(cell: &str) -> bool {
    let last = cell.rsplit_once('.').map_or("", |(_, last)| last);
    last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic()) && !cell.contains([' ', ',', '@'])
}

/// Columns that need a look, then those that are used, then the others, each as in the file.
pub(super) fn put_doubtful_first(columns: &mut [Column]) {
    columns.sort_by_key(|column| (column.warnings.is_empty(), column.chosen.is_empty()));
}

/// The columns as the headers are understood.
fn understood(inspection: &Inspection) -> Vec<Column> {
    let mut columns: Vec<Column> = inspection
        .headers
        .iter()
        .enumerate()
        .map(|(at, header)| Column {
            at,
            header: if header.is_empty() { format!("#{}", at + 1) } else { header.clone() },
            cells: inspection.preview.iter().map(|row| cell(row.get(at))).collect(),
            found: String::new(),
            chosen: String::new(),
            how: "how-unused",
            options: Vec::new(),
            scales: Vec::new(),
            warnings: Vec::new(),
            divisor: None,
        })
        .collect();
    for mapped in &inspection.quality.mapping {
        let free =
            columns.iter_mut().find(|column| column.header == mapped.header && column.chosen.is_empty());
        if let Some(column) = free {
            column.chosen.clone_from(&mapped.canonical);
            column.found.clone_from(&mapped.canonical);
            column.how = how_key(mapped.how);
            column.divisor = mapped.scale;
        }
    }
    columns
}

/// Puts each warning beside the column that it is about; what is about none is left.
fn warn(columns: &mut [Column], inspection: &Inspection) -> Vec<String> {
    let quality = &inspection.quality;
    let mut general = Vec::new();
    // Whether it is recognised, and which sheets there are, stands in the form.
    let warnings =
        quality.warnings.iter().filter(|warning| !["not_recognised", "other_sheets"].contains(&warning.code));
    for warning in warnings {
        // What an option of the command line would change stands behind a semicolon; a page has no such option.
        let message = warning.message.split("; --").next().unwrap_or_default();
        let mut is_told = false;
        for column in columns.iter_mut().filter(|column| message.contains(&format!("`{}`", column.header))) {
            column.warnings.push(match warning.code {
                "scale_guessed" if column.divisor == Some(100) => text("scale-guessed-percent"),
                "scale_guessed" => text("scale-guessed-fraction"),
                _ => message.to_owned(),
            });
            is_told = true;
        }
        if !is_told {
            general.push(message.to_owned());
        }
    }
    for cells in &quality.unreadable_cells {
        let lines: Vec<String> = cells.lines.iter().take(5).map(ToString::to_string).collect();
        let message =
            format!("{} cells could not be read, the first in line {}", cells.count, lines.join(", "));
        let about =
            columns.iter_mut().find(|column| column.header == cells.column || column.chosen == cells.column);
        match about {
            Some(column) => column.warnings.push(message),
            None => general.push(format!("{}: {message}", cells.column)),
        }
    }
    general
}

/// The scales of a rate, the one that is recognised first; nothing for what is no rate.
fn scales(form: &ReviewForm, column: &Column, known: &[KnownColumn]) -> Vec<Select> {
    let is_rate = known.iter().any(|known| known.is_rate && known.name == column.chosen);
    if !is_rate && (column.divisor.is_none() || column.chosen.is_empty()) {
        return Vec::new();
    }
    let given = form.scales.get(&column.chosen).copied();
    // What was recognised is not known where it was said by hand, or where the column was not read as this rate.
    let recognised = match column.divisor {
        Some(100) if given.is_none() => "scale-recognised-percent",
        Some(_) if given.is_none() => "scale-recognised-fraction",
        _ => "scale-as-recognised",
    };
    let select =
        |value: &str, key, is_chosen| Select { value: value.to_owned(), label: text(key), is_chosen };
    let one = |scale: Scale, key| select(scale.name(), key, given == Some(scale));
    vec![
        select("", recognised, given.is_none()),
        one(Scale::Percent, "scale-percent"),
        one(Scale::Fraction, "scale-fraction"),
    ]
}

fn options(known: &[KnownColumn], chosen: &str) -> Vec<Select> {
    let is_shared =
        |label: &str| known.iter().filter(|column| column.label.eq_ignore_ascii_case(label)).nth(1).is_some();
    let mut options: Vec<Select> = known
        .iter()
        .map(|column| Select {
            value: column.name.clone(),
            // A count and its rate may be called alike; their own names are not.
            label: if is_shared(&column.label) { in_words(&column.name) } else { capital(&column.label) },
            is_chosen: column.name == chosen,
        })
        .collect();
    // A recipe may have columns of its own.
    if !chosen.is_empty() && !options.iter().any(|option| option.is_chosen) {
        let label = in_words(chosen);
        options.push(Select { value: chosen.to_owned(), label, is_chosen: true });
    }
    options
}

fn cell(cell: Option<&Option<String>>) -> String {
    let text = cell.and_then(Option::as_deref).unwrap_or("\u{2013}");
    if text.chars().count() <= LONGEST_CELL {
        return text.to_owned();
    }
    text.chars().take(LONGEST_CELL - 1).chain(['\u{2026}']).collect()
}

/// The key of how a column was found.
fn how_key(how: How) -> &'static str {
    match how {
        How::Exact | How::Alias => "how-known",
        How::Similar => "how-similar",
        How::Given => "how-given",
    }
}
