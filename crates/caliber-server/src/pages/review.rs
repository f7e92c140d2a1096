//! What was understood of a report, to be checked and changed before it is scored.

mod columns;
mod form;

use std::collections::BTreeSet;

use askama::Template;
use askama_web::WebTemplate;
use caliber_platform::Window;
use caliber_platform::campaigns::{Settings, Template as Stored};
use caliber_platform::recipes::{KnownRecipe, platform_label};
use caliber_platform::uploads::{Examination, KnownColumn, Obstacle, WayOut};
use uuid::Uuid;

use super::figures::{CHANNELS, GOALS, LEVELS, channel_key, goal_key, level_key, meant, word_of};
use super::filters;
use super::metrics::in_words;
use super::shell::Shell;
use columns::{Column, columns_of};
pub(super) use form::ReviewForm;
use form::RowFilter;

/// Templates to choose from.
pub(super) const TEMPLATES: Window = Window { skip: 0, limit: 100 };
/// The most filters of rows that the form has room for.
const MOST_FILTERS: usize = 20;
/// The most currencies of which one is offered.
const MOST_CURRENCIES: usize = 8;

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
    /// Of those, what filters leave; `None` where there are none.
    rows_taken: Option<u64>,
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
    /// Which rows are taken, and room for one more filter.
    filters: Vec<FilterRow>,
    /// Why it cannot be scored as it stands.
    obstacle: Option<Obstacle>,
    /// What is missing, and the headers that would supply it.
    lacking: Vec<(String, String)>,
    /// What is not about one column.
    warnings: Vec<String>,
    /// What was wrong with the last attempt.
    pub(super) problem: Option<String>,
    settings: Option<Settings>,
    /// Whether its campaign has results: its settings stay as they are.
    pub(super) is_scored: bool,
}

/// A filter of rows.
struct FilterRow {
    at: usize,
    columns: Vec<Select>,
    value: String,
    /// Whether it stands: a change of its column is a change of what is read.
    is_whole: bool,
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
        let (mut columns, warnings) = columns_of(&form, examination, known);
        if examination.recognised.is_some() {
            // Of what is no column of the report any more, no scale stays.
            form.scales.retain(|name, _| columns.iter().any(|column| column.chosen == *name));
        }
        let inspection = examination.inspection.as_ref();
        let candidate = inspection.and_then(|found| found.candidates.as_ref()?.first());
        let lacking = candidate.filter(|_| examination.obstacle.is_some());
        let lacking = lacking.map(|candidate| candidate.lacking.clone()).unwrap_or_default();
        if lacking.iter().any(|(what, _)| what == "domain") {
            columns::mark_those_like_sites(&mut columns);
        }
        columns::put_doubtful_first(&mut columns);
        let rows = inspection.and_then(|found| found.rows_read);
        let left_out = inspection.map(|found| found.rows_filtered);
        Self {
            upload: examination.upload.id.0,
            filename: examination.upload.filename.clone(),
            size: examination.upload.size,
            rows,
            rows_taken: rows.zip(left_out).map(|(rows, out)| rows - out).filter(|_| !form.filters.is_empty()),
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
            filters: filter_rows(&form, &examination.column_names()),
            obstacle: examination.obstacle.clone(),
            lacking: lacking
                .iter()
                .map(|(what, headers)| (in_words(what), headers.replace('`', "")))
                .collect(),
            warnings,
            problem: None,
            settings,
            is_scored: false,
            form,
        }
    }

    /// The campaign's settings, where all of them are known.
    pub(super) fn settings(&self) -> Option<Settings> {
        self.settings.clone()
    }

    /// Whether scoring can begin.
    pub(super) fn can_score(&self) -> bool {
        self.obstacle.is_none() && self.settings.is_some()
    }

    /// Why it cannot.
    pub(super) fn reason(&self) -> String {
        if let Some(obstacle) = &self.obstacle {
            return obstacle.message.clone();
        }
        if self.form.has_open_filter() {
            return crate::texts::text("only-rows-open");
        }
        "choose platform, channel and goal".to_owned()
    }

    /// The column that says the currency, and the currencies to choose one of.
    fn currencies(&self) -> Option<(&str, &[String])> {
        match self.obstacle.as_ref()?.way_out.as_ref()? {
            WayOut::OneCurrency { header, currencies } => {
                Some((header, &currencies[..currencies.len().min(MOST_CURRENCIES)]))
            }
            WayOut::NoHeader | WayOut::OtherRows => None,
        }
    }

    /// Whether the file may be one without a header row.
    fn may_lack_header(&self) -> bool {
        self.obstacle.as_ref().is_some_and(|obstacle| obstacle.way_out == Some(WayOut::NoHeader))
    }

    /// Whether something is said of the file that most reports do not need, or is the way past what is wrong.
    fn shows_more(&self) -> bool {
        let has_way_out = self.obstacle.as_ref().is_some_and(|obstacle| obstacle.way_out.is_some());
        has_way_out || self.form.no_header || !self.form.filters.is_empty()
    }

    /// How many columns have a warning beside them.
    fn doubtful_columns(&self) -> usize {
        self.columns.iter().filter(|column| !column.warnings.is_empty()).count()
    }

    /// Scales of rates that no column shows.
    fn scales_kept(&self) -> Vec<(&str, &str)> {
        let shown = |name: &str| self.columns.iter().any(|column| column.has_scale_of(name));
        let scales = self.form.scales.iter().map(|(name, scale)| (name.as_str(), scale.name()));
        scales.filter(|(name, _)| !shown(name)).collect()
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

/// The filters as they are, and room for one more.
fn filter_rows(form: &ReviewForm, names: &[String]) -> Vec<FilterRow> {
    let none = RowFilter::default();
    let filters = form.filters.iter().chain([&none]).take(MOST_FILTERS);
    let row = |(at, filter): (usize, &RowFilter)| {
        let is_gone = !filter.column.is_empty() && !names.contains(&filter.column);
        let gone = is_gone.then_some(&filter.column);
        let select = |name: &String| Select {
            value: name.clone(),
            label: name.clone(),
            is_chosen: *name == filter.column,
        };
        FilterRow {
            at,
            columns: names.iter().chain(gone).map(select).collect(),
            value: filter.value.clone(),
            is_whole: filter.is_whole(),
        }
    };
    filters.enumerate().map(row).collect()
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
