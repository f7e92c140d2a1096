//! What the form of a check says: the settings, the recipe, the sheet, what columns stand for.

use std::collections::BTreeMap;

use caliber_platform::analysis::capital;
use caliber_platform::campaigns::{
    AnalysisLevel, CampaignDetails, Channel, Goal, Settings, Template as Stored,
};
use caliber_platform::recipes::KnownRecipe;
use caliber_platform::scoring::RunConfig;
use caliber_platform::uploads::ReadAs;

pub(super) const CHANNELS: [(&str, Channel); 4] = [
    ("display", Channel::Display),
    ("video", Channel::Video),
    ("ctv", Channel::Ctv),
    ("audio", Channel::Audio),
];
pub(super) const GOALS: [(&str, Goal); 2] = [("awareness", Goal::Awareness), ("action", Goal::Action)];
pub(super) const LEVELS: [(&str, AnalysisLevel); 2] =
    [("domain", AnalysisLevel::Domain), ("supply_vendor", AnalysisLevel::SupplyVendor)];

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
        if let Some(RunConfig { recipe, mapping, sheet, .. }) = last {
            if usual != Some(recipe.as_str()) {
                form.recipe_was.clone_from(&recipe);
                form.recipe = recipe;
            }
            (form.kept, form.sheet, form.sheet_was) = (mapping, sheet.clone(), sheet);
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
        let flag = if self.ctr_sensitivity { "on" } else { "" };
        let sheet = self.sheet.as_deref().unwrap_or_default();
        for (field, value) in [
            ("name", self.name.as_str()),
            ("platform", &self.platform),
            ("channel", &self.channel),
            ("goal", &self.goal),
            ("ctr_sensitivity", flag),
            ("level", &self.level),
            ("recipe", &self.recipe),
            ("recipe_was", &self.recipe),
            ("sheet", sheet),
            ("sheet_was", sheet),
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
        for (field, value) in fields {
            let position = |prefix: &str| field.strip_prefix(prefix).and_then(|at| at.parse::<usize>().ok());
            if let Some(at) = position("column.") {
                form.columns.entry(at).or_default().chosen = value;
            } else if let Some(at) = position("found.") {
                form.columns.entry(at).or_default().found = value;
            } else if let Some(name) = field.strip_prefix("kept.") {
                form.kept.insert(name.to_owned(), value);
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
                    "save_template" => form.saves_template = value == "on",
                    _ => {}
                }
            }
        }
        // Another sheet has columns of its own.
        if form.sheet_was.is_some() && form.sheet != form.sheet_was {
            form.columns.clear();
            form.kept.clear();
        }
        form
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
            mapping: self.mapping(),
            sheet: self.sheet.clone(),
        }
    }

    /// The columns that stand for something else than their headers say: canonical name to position.
    pub(in crate::pages) fn mapping(&self) -> BTreeMap<String, String> {
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

/// What a word of a form means.
pub(super) fn meant<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

/// The word of a form for something.
pub(super) fn word_of<T: PartialEq>(words: &[(&str, T)], meaning: &T) -> String {
    words.iter().find(|(_, known)| known == meaning).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
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
    fn what_was_mapped_before_holds_until_it_is_changed() {
        let kept = [("kept.clicks", "#2"), ("found.1", "clicks")];
        let same = form(&[kept[0], kept[1], ("column.1", "clicks")]);
        assert_eq!(same.mapping(), BTreeMap::from([("clicks".into(), "#2".into())]));
        let changed = form(&[kept[0], kept[1], ("column.1", ""), ("column.4", "clicks")]);
        assert_eq!(changed.mapping(), BTreeMap::from([("clicks".into(), "#5".into())]));
        let other_sheet = form(&[kept[0], ("sheet_was", "Data"), ("sheet", "Notes"), ("column.4", "clicks")]);
        assert!(other_sheet.mapping().is_empty(), "another sheet has other columns");
    }

    #[test]
    fn a_form_that_went_through_an_address_says_the_same() {
        let fields = [
            ("name", "Spring & more"),
            ("platform", "trade_desk"),
            ("goal", "action"),
            ("ctr_sensitivity", "on"),
            ("recipe", "ours"),
            ("sheet", "Data 2"),
            ("found.0", "clicks"),
            ("column.0", ""),
            ("kept.cost", "#4"),
        ];
        let before = form(&fields);
        let query = before.query();
        let fields: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert!(ReviewForm::is_in(&fields));
        let after = ReviewForm::of(fields);
        assert_eq!(format!("{:?}", after.read_as()), format!("{:?}", before.read_as()));
        assert_eq!((after.name.clone(), after.query()), (before.name.clone(), query));
    }

    #[test]
    fn a_recipe_and_the_settings_come_together() {
        let recipe = serde_json::json!({
            "version": 1, "name": "pulsepoint-display-action", "platform": "pulsepoint", "channel": "display",
            "goal": "action", "ctr_sensitive": true, "dimension": "domain", "min_impressions": 250,
            "min_impression_share": 0.0, "metrics": [{"metric": "ctr", "weight": 1.0, "better": "higher"}],
        });
        let recipe = serde_json::from_value(recipe).unwrap();
        let recipes = [KnownRecipe { id: String::new(), shipped: true, recipe }];
        let settled = |fields: &[(&str, &str)], is_scored| {
            let mut form = form(fields);
            form.settle_recipe(&recipes, is_scored);
            (form.recipe, form.platform, form.channel, form.goal)
        };
        let word = |words: [&str; 4]| words.map(str::to_owned).into();
        let chosen = ("recipe", "pulsepoint-display-action");
        let was = [("platform", "trade_desk"), ("channel", "display"), ("goal", "awareness")];
        assert_eq!(
            settled(&[chosen, was[0], was[1], was[2]], false),
            word(["pulsepoint-display-action", "pulsepoint", "display", "action"]),
            "what was chosen last says what it is for"
        );
        assert_eq!(
            settled(&[chosen, ("recipe_was", chosen.1), was[0], was[1], was[2]], false),
            word(["", "trade_desk", "display", "awareness"]),
            "settings that were changed since leave it"
        );
        assert_eq!(
            settled(&[chosen, was[0], was[1], was[2]], true),
            word([chosen.1, "trade_desk", "display", "awareness"]),
            "the settings of a campaign with results stay"
        );
        assert_eq!(settled(&[("recipe", "gone"), was[0]], false).0, "", "one that is not there any more");
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
