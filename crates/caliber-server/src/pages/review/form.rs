//! What the form of a check says: the settings, the recipe, and how the file is read.

use std::collections::BTreeMap;

use caliber_platform::analysis::capital;
use caliber_platform::campaigns::{CampaignDetails, Settings, Template as Stored};
use caliber_platform::recipes::KnownRecipe;
use caliber_platform::scoring::{Reading, RunConfig, Scale};
use caliber_platform::uploads::ReadAs;

use super::super::figures::{CHANNELS, GOALS, LEVELS, meant, word_of};

/// What the form says: empty where it says nothing.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct ReviewForm {
    pub(in crate::pages) name: String,
    pub(super) template: String,
    pub(super) platform: String,
    pub(super) channel: String,
    pub(super) goal: String,
    pub(super) ctr_sensitivity: bool,
    pub(super) level: String,
    /// A recipe by its name, in place of the one that the settings lead to.
    pub(in crate::pages) recipe: String,
    /// The recipe that the page showed: another was chosen since.
    pub(super) recipe_was: String,
    pub(in crate::pages) sheet: Option<String>,
    /// The sheet that the columns are of.
    pub(super) sheet_was: Option<String>,
    pub(in crate::pages) saves_template: bool,
    /// Columns that the last run mapped by hand: canonical name to header or position.
    pub(super) kept: BTreeMap<String, String>,
    /// By position: what the headers say the column is, and what the form says.
    pub(super) columns: BTreeMap<usize, Choice>,
    /// Scales of rates, by canonical name.
    pub(super) scales: BTreeMap<String, Scale>,
    /// Which rows are taken; one of them may want its column or its value yet.
    pub(super) filters: Vec<RowFilter>,
    /// The first row is data.
    pub(super) no_header: bool,
    /// What the columns were found by: with a header row or without.
    no_header_was: Option<bool>,
}

/// Only rows whose cell in a column is a value, in which `*` stands for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowFilter {
    pub(super) column: String,
    pub(super) value: String,
}

impl RowFilter {
    /// Whether it says which rows.
    pub(super) fn is_whole(&self) -> bool {
        !self.column.is_empty() && !self.value.trim().is_empty()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    pub(super) found: String,
    pub(super) chosen: String,
}

impl ReviewForm {
    /// A form that nobody has touched; the campaign is called as the file is.
    pub(in crate::pages) fn for_file(filename: &str) -> Self {
        let stem = filename.split('.').next().unwrap_or_default().replace(['_', '-'], " ");
        Self { name: capital(stem.trim()), ..Self::default() }
    }

    /// The form of a campaign that has this report, as its last run read it; `usual` is the recipe that its settings
    /// lead to.
    pub(in crate::pages) fn of_campaign(
        details: &CampaignDetails,
        last: Option<RunConfig>,
        usual: Option<&str>,
    ) -> Self {
        let campaign = &details.campaign;
        let mut form = Self { name: campaign.name.clone(), ..Self::default() }.with(&campaign.settings());
        if let Some(RunConfig { recipe, reading, .. }) = last {
            if usual != Some(recipe.as_str()) {
                form.recipe_was.clone_from(&recipe);
                form.recipe = recipe;
            }
            (form.sheet, form.sheet_was) = (reading.sheet.clone(), reading.sheet);
            (form.kept, form.scales, form.no_header) = (reading.mapping, reading.scales, reading.no_header);
            let filters = reading.filters.into_iter();
            form.filters = filters.map(|(column, value)| RowFilter { column, value }).collect();
        }
        form
    }

    /// Whether fields say anything of a report: an address without them is one of a form that nobody has touched.
    pub(in crate::pages) fn is_in(fields: &[(String, String)]) -> bool {
        fields.iter().any(|(field, _)| field == "goal" || field == "platform")
    }

    /// The form as the query of an address: who comes back to it finds what was said.
    pub(in crate::pages) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let flag = |is_set: bool| if is_set { "on" } else { "" };
        let sheet = self.sheet.as_deref().unwrap_or_default();
        for (field, value) in [
            ("name", self.name.as_str()),
            ("platform", &self.platform),
            ("channel", &self.channel),
            ("goal", &self.goal),
            ("ctr_sensitivity", flag(self.ctr_sensitivity)),
            ("level", &self.level),
            ("recipe", &self.recipe),
            ("recipe_was", &self.recipe),
            ("sheet", sheet),
            ("sheet_was", sheet),
            ("no_header", flag(self.no_header)),
        ] {
            if !value.is_empty() {
                query.append_pair(field, value);
            }
        }
        for (at, choice) in self.columns.iter().filter(|(_, choice)| choice.chosen != choice.found) {
            query.append_pair(&format!("found.{at}"), &choice.found);
            query.append_pair(&format!("column.{at}"), &choice.chosen);
        }
        for (name, target) in &self.kept {
            query.append_pair(&format!("kept.{name}"), target);
        }
        for (name, scale) in &self.scales {
            query.append_pair(&format!("scale.{name}"), scale.name());
        }
        for (at, RowFilter { column, value }) in self.filters.iter().enumerate() {
            query.append_pair(&format!("where.{at}.column"), column);
            query.append_pair(&format!("where.{at}.value"), value);
        }
        query.finish()
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
    pub(in crate::pages) fn of(fields: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        let mut filters = BTreeMap::<usize, RowFilter>::new();
        let mut only = None;
        for (field, value) in fields {
            let position = |prefix: &str| field.strip_prefix(prefix).and_then(|at| at.parse::<usize>().ok());
            if let Some(at) = position("column.") {
                form.columns.entry(at).or_default().chosen = value;
            } else if let Some(at) = position("found.") {
                form.columns.entry(at).or_default().found = value;
            } else if let Some(name) = field.strip_prefix("kept.") {
                form.kept.insert(name.to_owned(), value);
            } else if let Some(name) = field.strip_prefix("scale.") {
                form.scales.extend(Scale::of(&value).map(|scale| (name.to_owned(), scale)));
            } else if let Some((at, part)) = filter_field(&field) {
                let filter = filters.entry(at).or_default();
                *(if part == "column" { &mut filter.column } else { &mut filter.value }) = value;
            } else {
                match field.as_str() {
                    "name" => form.name = value,
                    "recipe" => form.recipe = value,
                    "recipe_was" => form.recipe_was = value,
                    "sheet_was" => form.sheet_was = Some(value),
                    "template" => form.template = value,
                    "platform" => form.platform = value,
                    "channel" => form.channel = value,
                    "goal" => form.goal = value,
                    "ctr_sensitivity" => form.ctr_sensitivity = value == "on",
                    "level" => form.level = value,
                    "sheet" => form.sheet = Some(value),
                    "no_header" => form.no_header = value == "on",
                    "no_header_was" => form.no_header_was = Some(value == "on"),
                    "only" => only = value.rsplit_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())),
                    "save_template" => form.saves_template = value == "on",
                    _ => {}
                }
            }
        }
        let is_same_header = form.no_header_was.is_none_or(|was| was == form.no_header);
        // Another sheet has columns of its own, and without a header row they have other names.
        if (form.sheet_was.is_some() && form.sheet != form.sheet_was) || !is_same_header {
            form.columns.clear();
            form.kept.clear();
        }
        if is_same_header {
            for filter in filters.into_values() {
                form.take_rows(filter);
            }
        }
        if let Some((column, value)) = only {
            form.take_rows(RowFilter { column, value });
        }
        form
    }

    /// Adds a filter of rows, in place of one by the same column.
    fn take_rows(&mut self, filter: RowFilter) {
        if filter == RowFilter::default() {
            return;
        }
        self.filters.retain(|other| other.column.is_empty() || other.column != filter.column);
        self.filters.push(filter);
    }

    /// Whether a filter of rows wants its column or its value.
    pub(in crate::pages) fn has_open_filter(&self) -> bool {
        self.filters.iter().any(|filter| !filter.is_whole())
    }

    /// Where a template is chosen, its settings stand in place of those of the form, and can then be changed.
    pub(in crate::pages) fn take_from_template(&mut self, templates: &[Stored]) {
        let chosen = std::mem::take(&mut self.template);
        let chosen = templates.iter().find(|template| template.id.to_string() == chosen);
        if let Some(template) = chosen {
            self.recipe.clear();
            *self = std::mem::take(self).with(&template.settings());
        }
    }

    /// Brings recipe and settings together: a recipe that was chosen last says what it is for, and settings that were
    /// changed last leave a recipe that is not for them. The settings of a campaign with results stay as they are.
    pub(in crate::pages) fn settle_recipe(&mut self, recipes: &[KnownRecipe], is_scored: bool) {
        let named = recipes.iter().map(|known| &known.recipe).find(|recipe| recipe.name == self.recipe);
        let Some(recipe) = named else {
            self.recipe.clear();
            return;
        };
        if is_scored {
            return;
        }
        let serves = recipe.channels.iter().any(|channel| channel.name() == self.channel);
        let goal = recipe.goal.name();
        let has_goal = GOALS.iter().any(|(word, _)| *word == goal);
        if self.recipe == self.recipe_was {
            let fits = recipe.platform == self.platform && serves && (!has_goal || goal == self.goal);
            if !fits {
                self.recipe.clear();
            }
            return;
        }
        self.platform.clone_from(&recipe.platform);
        if !serves {
            recipe.usual_channel().name().clone_into(&mut self.channel);
        }
        if has_goal {
            goal.clone_into(&mut self.goal);
        }
        self.ctr_sensitivity = recipe.ctr_sensitive;
        recipe.dimension.name().clone_into(&mut self.level);
    }

    /// How the report is to be read.
    pub(in crate::pages) fn read_as(&self) -> ReadAs {
        let platform = Some(self.platform.clone()).filter(|platform| !platform.is_empty());
        ReadAs {
            // A channel without a platform is what was recognised before the platform was taken back.
            channel: platform.as_ref().and(meant(&CHANNELS, &self.channel)),
            platform,
            goal: meant(&GOALS, &self.goal),
            ctr_sensitivity: self.ctr_sensitivity,
            analysis_level: meant(&LEVELS, &self.level),
            recipe: Some(self.recipe.clone()).filter(|recipe| !recipe.is_empty()),
            reading: self.reading(),
        }
    }

    /// What is said of the file itself.
    pub(in crate::pages) fn reading(&self) -> Reading {
        let filters = self.filters.iter().filter(|filter| filter.is_whole());
        Reading {
            mapping: self.mapping(),
            sheet: self.sheet.clone().filter(|sheet| !sheet.is_empty()),
            scales: self.scales.clone(),
            filters: filters.map(|filter| (filter.column.clone(), filter.value.clone())).collect(),
            no_header: self.no_header,
        }
    }

    /// The columns that stand for something else than their headers say: canonical name to position.
    fn mapping(&self) -> BTreeMap<String, String> {
        let changed = self.columns.iter().filter(|(_, choice)| choice.chosen != choice.found);
        let mut mapping = self.kept.clone();
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

/// The position and the part of a field of a filter: `where.0.column`, `where.0.value`.
fn filter_field(field: &str) -> Option<(usize, &str)> {
    let (at, part) = field.strip_prefix("where.")?.split_once('.')?;
    ["column", "value"].contains(&part).then_some((at.parse().ok()?, part))
}

#[cfg(test)]
mod tests;
