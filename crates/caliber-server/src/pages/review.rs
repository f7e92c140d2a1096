//! What was understood of a report, to be checked and changed before it is scored.

mod form;

use std::collections::BTreeSet;

use askama::Template;
use askama_web::WebTemplate;
use caliber_platform::Window;
use caliber_platform::analysis::capital;
use caliber_platform::campaigns::{Settings, Template as Stored};
use caliber_platform::recipes::{KnownRecipe, platform_label};
use caliber_platform::uploads::{Examination, KnownColumn};
use uuid::Uuid;

use super::figures::{channel_key, goal_key, level_key};
use super::filters;
use super::metrics::in_words;
use super::shell::Shell;
pub(super) use form::ReviewForm;
use form::{CHANNELS, GOALS, LEVELS, meant, word_of};

/// Templates to choose from.
pub(super) const TEMPLATES: Window = Window { skip: 0, limit: 100 };
/// The most characters of a cell that is shown.
const LONGEST_CELL: usize = 40;

#[derive(Template, WebTemplate)]
#[template(path = "review.html")]
pub(super) struct ReviewPage {
    pub(super) shell: Shell,
    pub(super) review: Review,
}

/// A choice of a list.
pub(super) struct Select {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// What is shown.
pub(super) struct Review {
    pub(super) form: ReviewForm,
    upload: Uuid,
    filename: String,
    size: i64,
    rows: Option<u64>,
    encoding: Vec<String>,
    is_recognised: bool,
    platforms: Vec<Select>,
    channels: Vec<Select>,
    goals: Vec<Select>,
    levels: Vec<Select>,
    templates: Vec<Select>,
    /// One's own, then the shipped ones: the key of a group, and its recipes.
    recipes: Vec<(&'static str, Vec<Select>)>,
    /// The recipe that it would be scored by.
    recipe: Option<String>,
    /// Those of a workbook.
    sheets: Vec<Select>,
    columns: Vec<Column>,
    /// Why it cannot be scored as it stands.
    error: Option<String>,
    /// What is missing, and the headers that would supply it.
    lacking: Vec<(String, String)>,
    /// What is not about one column.
    warnings: Vec<String>,
    /// What was wrong with the last attempt.
    pub(super) problem: Option<String>,
    settings: Option<Settings>,
}

/// A column of the report.
pub(super) struct Column {
    at: usize,
    header: String,
    cells: Vec<String>,
    found: String,
    chosen: String,
    /// The key of how it was found.
    how: &'static str,
    options: Vec<Select>,
    warnings: Vec<String>,
}

impl Review {
    pub(super) fn of(
        mut form: ReviewForm,
        examination: &Examination,
        recipes: &[KnownRecipe],
        templates: &[Stored],
        known: &[KnownColumn],
    ) -> Self {
        if let Some((platform, channel)) = examination.recognised.as_ref().filter(|_| form.recipe.is_empty())
        {
            form.platform.clone_from(platform);
            form.channel = word_of(&CHANNELS, channel);
            if form.level.is_empty() {
                form.level = word_of(&LEVELS, &examination.dimension);
            }
        }
        if form.goal.is_empty() {
            "awareness".clone_into(&mut form.goal);
        }
        let read = examination.inspection.as_ref().and_then(|found| found.quality.files.first());
        if let Some(sheet) = read.and_then(|file| file.sheet.clone()) {
            form.sheet = Some(sheet);
        }
        let settings = settings_of(&form);
        let (columns, warnings) = columns_of(&form, examination, known);
        let inspection = examination.inspection.as_ref();
        let candidate = inspection.and_then(|found| found.candidates.as_ref()?.first());
        let lacking = candidate.filter(|_| examination.error.is_some());
        Self {
            upload: examination.upload.id.0,
            filename: examination.upload.filename.clone(),
            size: examination.upload.size,
            rows: inspection.and_then(|found| found.rows_read),
            encoding: inspection.map(read_how).unwrap_or_default(),
            is_recognised: examination.recognised.is_some(),
            platforms: platforms(recipes, &form.platform),
            channels: selects(&CHANNELS, &form.channel, |channel| channel_key(*channel)),
            goals: selects(&GOALS, &form.goal, |goal| goal_key(*goal)),
            levels: selects(&LEVELS, &form.level, |level| level_key(*level)),
            templates: templates
                .iter()
                .map(|template| Select {
                    value: template.id.to_string(),
                    label: template.name.clone(),
                    is_chosen: template.id.to_string() == form.template,
                })
                .collect(),
            recipes: recipe_groups(recipes, &form.recipe),
            recipe: examination.recipe.clone(),
            sheets: sheets(&examination.sheets, form.sheet.as_deref()),
            columns,
            error: examination.error.clone(),
            lacking: lacking.map(|candidate| candidate.lacking.clone()).unwrap_or_default(),
            warnings,
            problem: None,
            settings,
            form,
        }
    }

    /// The campaign's settings, where all of them are known.
    pub(super) fn settings(&self) -> Option<Settings> {
        self.settings.clone()
    }

    /// Whether scoring can begin.
    pub(super) fn can_score(&self) -> bool {
        self.error.is_none() && self.settings.is_some()
    }

    /// Why it cannot.
    pub(super) fn reason(&self) -> String {
        self.error.clone().unwrap_or_else(|| "choose platform, channel and goal".to_owned())
    }
}

/// The recipes by group, one's own first.
fn recipe_groups(recipes: &[KnownRecipe], chosen: &str) -> Vec<(&'static str, Vec<Select>)> {
    let of = |shipped: bool| -> Vec<Select> {
        let group = recipes.iter().filter(|known| known.shipped == shipped);
        let select =
            |name: &str| Select { value: name.to_owned(), label: name.to_owned(), is_chosen: name == chosen };
        group.map(|known| select(&known.recipe.name)).collect()
    };
    let groups = [("recipes-own", of(false)), ("recipes-shipped", of(true))];
    groups.into_iter().filter(|(_, recipes)| !recipes.is_empty()).collect()
}

/// The sheets to choose from, where there are several.
fn sheets(names: &[String], chosen: Option<&str>) -> Vec<Select> {
    let names = if names.len() > 1 { names } else { &[] };
    let select = |name: &String| Select {
        value: name.clone(),
        label: name.clone(),
        is_chosen: Some(name.as_str()) == chosen,
    };
    names.iter().map(select).collect()
}

fn settings_of(form: &ReviewForm) -> Option<Settings> {
    Some(Settings {
        campaign_type: Some(form.platform.clone()).filter(|platform| !platform.is_empty())?,
        channel: meant(&CHANNELS, &form.channel)?,
        goal: meant(&GOALS, &form.goal)?,
        ctr_sensitivity: form.ctr_sensitivity,
        analysis_level: meant(&LEVELS, &form.level)?,
    })
}

fn selects<T>(words: &[(&str, T)], chosen: &str, key: impl Fn(&T) -> &'static str) -> Vec<Select> {
    let select = |(word, meaning): &(&str, T)| Select {
        value: (*word).to_owned(),
        label: crate::texts::text(key(meaning)),
        is_chosen: *word == chosen,
    };
    words.iter().map(select).collect()
}

fn platforms(recipes: &[KnownRecipe], chosen: &str) -> Vec<Select> {
    let known: BTreeSet<&str> = recipes.iter().map(|known| known.recipe.platform.as_str()).collect();
    let mut platforms: Vec<Select> = known
        .into_iter()
        .map(|platform| Select {
            value: platform.to_owned(),
            label: platform_label(platform),
            is_chosen: platform == chosen,
        })
        .collect();
    platforms.sort_by(|a, b| a.label.cmp(&b.label));
    platforms
}

/// How the file was read: sheet, encoding, delimiter, the row of the headers.
fn read_how(found: &caliber_platform::uploads::Inspection) -> Vec<String> {
    let Some(file) = found.quality.files.first() else { return Vec::new() };
    let word = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|word| word.as_str().map(str::to_uppercase))
    };
    let mut said: Vec<String> = word(serde_json::to_value(file.format)).into_iter().collect();
    said.extend(file.sheet.as_ref().map(|sheet| format!("sheet \u{201c}{sheet}\u{201d}")));
    said.extend(file.encoding.and_then(|encoding| word(serde_json::to_value(encoding))));
    if let Some(row) = file.header_row.filter(|row| *row > 1) {
        said.push(format!("headers in row {row}"));
    }
    said
}

/// The columns of the report, each with its warnings, and the warnings that are about none.
fn columns_of(
    form: &ReviewForm,
    examination: &Examination,
    known: &[KnownColumn],
) -> (Vec<Column>, Vec<String>) {
    let Some(inspection) = &examination.inspection else { return (Vec::new(), Vec::new()) };
    let quality = &inspection.quality;
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
            warnings: Vec::new(),
        })
        .collect();
    for mapped in &quality.mapping {
        let free =
            columns.iter_mut().find(|column| column.header == mapped.header && column.chosen.is_empty());
        if let Some(column) = free {
            column.chosen.clone_from(&mapped.canonical);
            column.found.clone_from(&mapped.canonical);
            column.how = how_key(mapped.how);
        }
    }
    for column in &mut columns {
        if let Some(choice) = form.columns.get(&column.at).filter(|choice| choice.chosen != choice.found) {
            column.found.clone_from(&choice.found);
            column.chosen.clone_from(&choice.chosen);
            column.how = if choice.chosen.is_empty() { "how-unused" } else { "how-given" };
        }
        column.options = options(known, &column.chosen);
    }
    let mut general = Vec::new();
    // Whether it is recognised, and which sheets there are, stands in the form.
    let warnings =
        quality.warnings.iter().filter(|warning| !["not_recognised", "other_sheets"].contains(&warning.code));
    // What an option of the command line would change stands behind a semicolon; a page has no such option.
    for message in warnings.map(|warning| warning.message.split("; --").next().unwrap_or_default()) {
        let mut is_told = false;
        for column in columns.iter_mut().filter(|column| message.contains(&format!("`{}`", column.header))) {
            column.warnings.push(message.to_owned());
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
    (columns, general)
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
fn how_key(how: caliber_platform::uploads::How) -> &'static str {
    use caliber_platform::uploads::How;
    match how {
        How::Exact | How::Alias => "how-known",
        How::Similar => "how-similar",
        How::Given => "how-given",
    }
}
