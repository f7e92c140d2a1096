//! A report looked at before it is scored, read as somebody says: what would be scored, and what stands in the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use caliber_engine::Options;
use caliber_engine::dictionary::Dictionary;
use caliber_engine::recipe::{Channel as EngineChannel, Dimension, RecipeBook};

use super::{Inspection, Upload, UploadId, Uploads};
use crate::campaigns::{AnalysisLevel, Channel, Goal, engine_channel, engine_dimension, engine_goal};
use crate::error::Result;
use crate::identity::Caller;
use crate::scoring::{overrides, told};

/// How a report is to be read, as far as somebody says; the headers tell the rest.
#[derive(Clone, Debug, Default)]
pub struct ReadAs {
    /// The DSP.
    pub platform: Option<String>,
    /// Where its ads ran.
    pub channel: Option<Channel>,
    /// What the campaign is for.
    pub goal: Option<Goal>,
    /// Whether clicks count more.
    pub ctr_sensitivity: bool,
    /// What is scored; what the recipe says where `None`.
    pub analysis_level: Option<AnalysisLevel>,
    /// A recipe by its name, whatever platform and channel are.
    pub recipe: Option<String>,
    /// Columns mapped by hand: canonical name to header, or `#` and a position from 1, or nothing to leave it out.
    pub mapping: BTreeMap<String, String>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
}

/// What was found.
#[derive(Debug)]
pub struct Examination {
    /// The file.
    pub upload: Upload,
    /// How it is understood; none where it cannot be read at all.
    pub inspection: Option<Inspection>,
    /// The platform and channel it is read as, where a recipe is settled.
    pub recognised: Option<(String, Channel)>,
    /// What the recipe scores by.
    pub dimension: AnalysisLevel,
    /// The recipe it would be scored by, where one is settled.
    pub recipe: Option<String>,
    /// All sheets of a workbook, in the order to prefer them; empty for other files.
    pub sheets: Vec<String>,
    /// Why it cannot be scored as it stands, a sentence.
    pub error: Option<String>,
}

/// A column that a header can stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownColumn {
    /// The canonical name.
    pub name: String,
    /// What people call it.
    pub label: String,
}

impl Uploads<'_> {
    /// Looks at a report as it would be read.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`], and those of the database and the storage. What is wrong with the report is part of the answer.
    pub async fn examine(
        &self,
        caller: &Caller,
        id: UploadId,
        read_as: ReadAs,
        preview_rows: usize,
    ) -> Result<Examination> {
        let upload = self.get(caller, id).await?;
        let book = match &read_as.recipe {
            Some(_) => self.0.recipes().book(caller.user.organization_id).await?,
            None => self.book_for(caller, read_as.platform.as_deref()).await?,
        };
        let options = Options {
            recipe: read_as.recipe,
            platform: read_as.platform,
            channel: read_as.channel.map(engine_channel),
            goal: engine_goal(read_as.goal.unwrap_or(Goal::Awareness)),
            ctr_sensitive: read_as.ctr_sensitivity,
            dimension: read_as.analysis_level.map(engine_dimension),
            overrides: overrides(&read_as.mapping),
            sheet: read_as.sheet.filter(|sheet| !sheet.is_empty()),
            preview_rows,
            ..Options::default()
        };
        let has_sheet = options.sheet.is_some();
        let inspected = self.inspected(&book, &upload, options).await?;
        let (inspection, mut error) = match inspected {
            Err(error) => (None, Some(told(&error))),
            Ok(inspection) => (Some(inspection), None),
        };
        let sheets = match &inspection {
            Some(inspection) => inspection.sheets.clone(),
            // The sheet that was named cannot be read; the others are there to choose.
            None if has_sheet => {
                let other = self.inspected(&book, &upload, Options::default()).await?;
                other.map(|inspection| inspection.sheets).unwrap_or_default()
            }
            None => Vec::new(),
        };
        let (mut recognised, mut by_recipe) = (None, None);
        let mut dimension = AnalysisLevel::Domain;
        if let Some(inspection) = &inspection {
            let quality = &inspection.quality;
            if let Some(found) = &inspection.recognised {
                recognised = Some((found.platform.clone(), channel_of(found.channel)));
                by_recipe = Some(found.recipe.clone());
                let recipe = book.by_name(&found.recipe);
                dimension = recipe.map_or(dimension, |recipe| level_of(recipe.dimension));
            } else {
                let what = quality.warnings.iter().find(|warning| warning.code == "not_recognised");
                error = Some(what.map_or_else(
                    || "no recipe fits the headers".to_owned(),
                    |warning| warning.message.clone(),
                ));
            }
        }
        Ok(Examination { upload, inspection, recognised, dimension, recipe: by_recipe, sheets, error })
    }

    async fn inspected(
        &self,
        book: &Arc<RecipeBook>,
        upload: &Upload,
        options: Options,
    ) -> Result<caliber_engine::Result<Inspection>> {
        let (key, filename) = (&upload.storage_key, &upload.filename);
        let (opened, inspection) =
            self.inspect_by(Arc::clone(book), key, filename, options, |_| Ok(())).await?;
        Ok(opened.and(inspection))
    }

    /// Every column that a header can be mapped to, by what people call it.
    pub fn known_columns(&self) -> Vec<KnownColumn> {
        let dictionary = Dictionary::shipped();
        let known = dictionary.columns().iter();
        let mut known: Vec<KnownColumn> = known
            .map(|column| KnownColumn { name: column.name.clone(), label: dictionary.label(&column.name) })
            .collect();
        known.sort_by_key(|column| column.label.to_lowercase());
        known
    }

    /// The shipped recipes; an organisation's own besides, where they name a platform that no shipped one does.
    async fn book_for(&self, caller: &Caller, platform: Option<&str>) -> Result<Arc<RecipeBook>> {
        let shipped = self.0.book();
        match platform {
            Some(platform) if !shipped.platforms().contains(&platform) => {
                self.0.recipes().book(caller.user.organization_id).await
            }
            _ => Ok(shipped),
        }
    }
}

fn channel_of(channel: EngineChannel) -> Channel {
    match channel {
        EngineChannel::Ctv => Channel::Ctv,
        EngineChannel::Display => Channel::Display,
        EngineChannel::Video => Channel::Video,
        EngineChannel::Audio => Channel::Audio,
    }
}

fn level_of(dimension: Dimension) -> AnalysisLevel {
    match dimension {
        Dimension::Domain => AnalysisLevel::Domain,
        Dimension::SupplyVendor => AnalysisLevel::SupplyVendor,
    }
}
