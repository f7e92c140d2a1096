//! A report looked at before it is scored, read as somebody says: what would be scored, and what stands in the way.

use std::sync::Arc;

use caliber_engine::dictionary::{ColumnKind, Dictionary};
use caliber_engine::recipe::{Channel as EngineChannel, Dimension, RecipeBook};
use caliber_engine::{Code, Options, column_called};

use super::{Inspection, Upload, UploadId, Uploads};
use crate::campaigns::{AnalysisLevel, Channel, Goal, engine_channel, engine_dimension, engine_goal};
use crate::error::Result;
use crate::identity::Caller;
use crate::scoring::{Reading, told_plainly};

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
    /// Columns, sheet, scales and rows.
    pub reading: Reading,
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
    /// Why it cannot be scored as it stands.
    pub obstacle: Option<Obstacle>,
}

impl Examination {
    /// What a filter of rows calls each column: its header, or `#` and its position where the header alone does not tell.
    pub fn column_names(&self) -> Vec<String> {
        let headers = self.inspection.as_ref().map_or(&[][..], |inspection| inspection.headers.as_slice());
        let name = |(at, header): (usize, &String)| {
            let is_told = !header.is_empty() && column_called(header, headers) == Some(at);
            if is_told { header.clone() } else { format!("#{}", at + 1) }
        };
        headers.iter().enumerate().map(name).collect()
    }
}

/// Why a report cannot be scored as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// A sentence.
    pub message: String,
    /// What to say of the file to get past it, where that is known.
    pub way_out: Option<WayOut>,
}

/// What gets past an obstacle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOut {
    /// To say that there is no header row, for none was found.
    NoHeader,
    /// To take the rows of one currency, by the column that says which.
    OneCurrency {
        /// Its header, or `#` and its position.
        header: String,
        /// What stands in it.
        currencies: Vec<String>,
    },
    /// To ask for other rows: a filter names no column, or all of them leave no row.
    OtherRows,
}

/// A column that a header can stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownColumn {
    /// The canonical name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Whether it is a rate, which has a scale.
    pub is_rate: bool,
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
            preview_rows,
            ..read_as.reading.options()
        };
        let has_sheet = options.sheet.is_some();
        let (inspection, obstacle) = match self.inspected(&book, &upload, options.clone()).await? {
            Ok(inspection) => {
                let obstacle = obstacle_in(&inspection, &upload.filename);
                (Some(inspection), obstacle)
            }
            Err(error) if error.code == Code::NotFound && !options.filters.is_empty() => {
                self.without_filters(&book, &upload, options, &error).await?
            }
            Err(error) => {
                let way_out = (error.code == Code::NoHeader).then_some(WayOut::NoHeader);
                (None, Some(Obstacle { message: told_plainly(&error), way_out }))
            }
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
        let recognised = inspection.as_ref().and_then(|inspection| inspection.recognised.as_ref());
        let by_recipe = recognised.map(|found| found.recipe.clone());
        let dimension = by_recipe.as_ref().and_then(|name| book.by_name(name).ok());
        Ok(Examination {
            recognised: recognised.map(|found| (found.platform.clone(), channel_of(found.channel))),
            dimension: dimension.map_or(AnalysisLevel::Domain, |recipe| level_of(recipe.dimension)),
            recipe: by_recipe,
            upload,
            inspection,
            sheets,
            obstacle,
        })
    }

    /// What a report is where `refusal` may be about a filter of rows: without them all of its columns can be shown.
    async fn without_filters(
        &self,
        book: &Arc<RecipeBook>,
        upload: &Upload,
        options: Options,
        refusal: &caliber_engine::Error,
    ) -> Result<(Option<Inspection>, Option<Obstacle>)> {
        let filters = options.filters.clone();
        let inspected = self.inspected(book, upload, Options { filters: Vec::new(), ..options }).await?;
        let Ok(inspection) = inspected else {
            return Ok((None, Some(Obstacle { message: told_plainly(refusal), way_out: None })));
        };
        let unknown = filters.iter().filter(|(name, _)| column_called(name, &inspection.headers).is_none());
        let unknown: Vec<String> = unknown.map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("the report has no column called {}", unknown.join(" or "));
        Ok((Some(inspection), Some(Obstacle { message, way_out: Some(WayOut::OtherRows) })))
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
            .map(|column| KnownColumn {
                name: column.name.clone(),
                label: dictionary.label(&column.name),
                is_rate: column.kind == ColumnKind::Rate,
            })
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

/// What stands in the way of a report that could be opened.
fn obstacle_in(inspection: &Inspection, filename: &str) -> Option<Obstacle> {
    if inspection.recognised.is_none() {
        let what = inspection.quality.warnings.iter().find(|warning| warning.code == "not_recognised");
        let message = what.map_or("no recipe fits the headers", |warning| warning.message.as_str());
        return Some(Obstacle { message: message.to_owned(), way_out: None });
    }
    if let Some(several) = &inspection.several_currencies {
        let currencies = several.currencies.clone();
        let way_out = several.header.clone().map(|header| WayOut::OneCurrency { header, currencies });
        return Some(Obstacle { message: told_plainly(&several.error(filename)), way_out });
    }
    let is_all_left_out =
        inspection.rows_filtered > 0 && inspection.rows_read == Some(inspection.rows_filtered);
    is_all_left_out.then(|| Obstacle {
        message: "no row of the report has the values that were asked for".to_owned(),
        way_out: Some(WayOut::OtherRows),
    })
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
