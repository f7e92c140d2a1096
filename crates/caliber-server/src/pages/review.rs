//! What was understood of a report, to be checked and changed before it is scored.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use askama_web::WebTemplate;
use caliber_platform::Window;
use caliber_platform::campaigns::{
    AnalysisLevel, CampaignDetails, Channel, Goal, Settings, Template as Stored,
};
use caliber_platform::recipes::{KnownRecipe, platform_label};
use caliber_platform::uploads::{Examination, KnownColumn, ReadAs};
use uuid::Uuid;

use super::figures::{channel_key, goal_key, level_key};
use super::filters;
use super::shell::Shell;

/// Templates to choose from.
pub(super) const TEMPLATES: Window = Window { skip: 0, limit: 100 };
/// The most characters of a cell that is shown.
const LONGEST_CELL: usize = 40;

const CHANNELS: [(&str, Channel); 4] = [
    ("display", Channel::Display),
    ("video", Channel::Video),
    ("ctv", Channel::Ctv),
    ("audio", Channel::Audio),
];
const GOALS: [(&str, Goal); 2] = [("awareness", Goal::Awareness), ("action", Goal::Action)];
const LEVELS: [(&str, AnalysisLevel); 2] =
    [("domain", AnalysisLevel::Domain), ("supply_vendor", AnalysisLevel::SupplyVendor)];

#[derive(Template, WebTemplate)]
#[template(path = "review.html")]
pub(super) struct ReviewPage {
    pub(super) shell: Shell,
    pub(super) review: Review,
}

/// What the form says: empty where it says nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct ReviewForm {
    pub(super) name: String,
    template: String,
    platform: String,
    channel: String,
    goal: String,
    ctr_sensitivity: bool,
    level: String,
    pub(super) sheet: Option<String>,
    saves_template: bool,
    /// By position: what the headers say the column is, and what the form says.
    columns: BTreeMap<usize, Choice>,
}

#[derive(Clone, Debug, Default)]
struct Choice {
    found: String,
    chosen: String,
}

impl ReviewForm {
    /// A form that nobody has touched; the campaign is called as the file is.
    pub(super) fn for_file(filename: &str) -> Self {
        let stem = filename.split('.').next().unwrap_or_default().replace(['_', '-'], " ");
        let mut letters = stem.trim().chars();
        let name = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
        Self { name: name.unwrap_or_default(), ..Self::default() }
    }

    /// The form of a campaign that has this report.
    pub(super) fn of_campaign(details: &CampaignDetails) -> Self {
        let campaign = &details.campaign;
        let settings = Self { name: campaign.name.clone(), ..Self::default() };
        settings.with(&campaign.settings())
    }

    fn with(self, settings: &Settings) -> Self {
        Self {
            platform: settings.campaign_type.clone(),
            channel: word_of(&CHANNELS, &settings.channel),
            goal: word_of(&GOALS, &settings.goal),
            ctr_sensitivity: settings.ctr_sensitivity,
            level: word_of(&LEVELS, &settings.analysis_level),
            ..self
        }
    }

    /// What was sent.
    pub(super) fn of(fields: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (field, value) in fields {
            let position = |prefix: &str| field.strip_prefix(prefix).and_then(|at| at.parse::<usize>().ok());
            if let Some(at) = position("column.") {
                form.columns.entry(at).or_default().chosen = value;
            } else if let Some(at) = position("found.") {
                form.columns.entry(at).or_default().found = value;
            } else {
                match field.as_str() {
                    "name" => form.name = value,
                    "template" => form.template = value,
                    "platform" => form.platform = value,
                    "channel" => form.channel = value,
                    "goal" => form.goal = value,
                    "ctr_sensitivity" => form.ctr_sensitivity = value == "on",
                    "level" => form.level = value,
                    "sheet" => form.sheet = Some(value),
                    "save_template" => form.saves_template = value == "on",
                    _ => {}
                }
            }
        }
        form
    }

    /// Where a template is chosen, its settings stand in place of those of the form.
    pub(super) fn take_from_template(&mut self, templates: &[Stored]) {
        let chosen = templates.iter().find(|template| template.id.to_string() == self.template);
        if let Some(template) = chosen {
            *self = std::mem::take(self).with(&template.settings());
        }
    }

    fn ctr_sensitivity(&self) -> bool {
        self.ctr_sensitivity
    }

    pub(super) fn saves_template(&self) -> bool {
        self.saves_template
    }

    /// How the report is to be read.
    pub(super) fn read_as(&self) -> ReadAs {
        let platform = Some(self.platform.clone()).filter(|platform| !platform.is_empty());
        ReadAs {
            // A channel without a platform is what was recognised before the platform was taken back.
            channel: platform.as_ref().and(meant(&CHANNELS, &self.channel)),
            platform,
            goal: meant(&GOALS, &self.goal),
            ctr_sensitivity: self.ctr_sensitivity,
            analysis_level: meant(&LEVELS, &self.level),
            mapping: self.mapping(),
            sheet: self.sheet.clone(),
        }
    }

    /// The columns that stand for something else than their headers say: canonical name to position.
    pub(super) fn mapping(&self) -> BTreeMap<String, String> {
        let changed = self.columns.iter().filter(|(_, choice)| choice.chosen != choice.found);
        let mut mapping = BTreeMap::new();
        for (_, choice) in changed.clone() {
            if !choice.found.is_empty() {
                mapping.insert(choice.found.clone(), String::new());
            }
        }
        for (at, choice) in changed {
            if !choice.chosen.is_empty() {
                mapping.insert(choice.chosen.clone(), format!("#{}", at + 1));
            }
        }
        // Several columns may be summed into one: as long as any of them stays, it is not left out.
        for choice in self.columns.values().filter(|choice| choice.chosen == choice.found) {
            if mapping.get(&choice.chosen).is_some_and(String::is_empty) {
                mapping.remove(&choice.chosen);
            }
        }
        mapping
    }
}

/// What a word of a form means.
fn meant<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

/// The word of a form for something.
fn word_of<T: PartialEq>(words: &[(&str, T)], meaning: &T) -> String {
    words.iter().find(|(_, known)| known == meaning).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
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
        if let Some((platform, channel)) = &examination.recognised {
            form.platform.clone_from(platform);
            form.channel = word_of(&CHANNELS, channel);
            if form.level.is_empty() {
                form.level = word_of(&LEVELS, &examination.dimension);
            }
        }
        if form.goal.is_empty() {
            "awareness".clone_into(&mut form.goal);
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
    let warnings = quality.warnings.iter().filter(|warning| warning.code != "not_recognised");
    for message in warnings.map(|warning| warning.message.as_str()) {
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

fn in_words(name: &str) -> String {
    capital(&name.replace('_', " "))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> ReviewForm {
        ReviewForm::of(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn only_what_was_changed_is_mapped_by_hand() {
        let same = form(&[("found.0", "domain"), ("column.0", "domain"), ("found.1", ""), ("column.1", "")]);
        assert!(same.mapping().is_empty());
        let moved = form(&[("found.0", "clicks"), ("column.0", ""), ("found.1", ""), ("column.1", "clicks")]);
        assert_eq!(moved.mapping(), BTreeMap::from([("clicks".into(), "#2".into())]));
        let left_out = form(&[("found.0", "clicks"), ("column.0", "")]);
        assert_eq!(left_out.mapping(), BTreeMap::from([("clicks".into(), String::new())]));
        let one_of_two = form(&[
            ("found.0", "conversions"),
            ("column.0", ""),
            ("found.1", "conversions"),
            ("column.1", "conversions"),
        ]);
        assert!(one_of_two.mapping().is_empty());
    }

    #[test]
    fn a_campaign_is_called_as_its_file_is() {
        assert_eq!(ReviewForm::for_file("trade_desk-october.2026.csv.gz").name, "Trade desk october");
        assert_eq!(ReviewForm::for_file("").name, "");
    }

    #[test]
    fn a_channel_without_its_platform_is_not_held_to() {
        let open = form(&[("platform", ""), ("channel", "ctv"), ("goal", "action")]);
        let read_as = open.read_as();
        assert_eq!((read_as.platform, read_as.channel, read_as.goal), (None, None, Some(Goal::Action)));
    }
}
