//! Campaigns: what is scored, by which settings, and how far it is.

mod templates;

use std::collections::HashMap;

use caliber_engine::recipe::{self, RecipeBook};
use caliber_store::campaigns::{self, CampaignChange, NewCampaign};
use caliber_store::runs;
use caliber_store::templates as stored_templates;
use caliber_store::uploads::{self, Upload};
use caliber_store::{Attempt, Page, Window};

pub use caliber_store::campaigns::{
    AnalysisLevel, Campaign, CampaignStatus, Channel, Filter, Goal, Progress, Settings,
};
pub use caliber_store::runs::Run;
pub use caliber_store::templates::Template;
pub use caliber_store::{CampaignId, TemplateId};

use crate::Platform;
use crate::error::{Conflict, Error, Result};
use crate::identity::{Caller, checked_name};
use crate::scoring::told;

/// The use cases of campaigns and templates.
#[derive(Clone, Copy, Debug)]
pub struct Campaigns<'a>(pub(crate) &'a Platform);

/// A campaign with what belongs to it.
#[derive(Clone, Debug)]
pub struct CampaignDetails {
    /// Itself.
    pub campaign: Campaign,
    /// Its report.
    pub file: Option<Upload>,
    /// The run whose results are shown.
    pub current_run: Option<Run>,
}

/// Where a new campaign's settings come from.
#[derive(Clone, Debug)]
pub enum SettingsFrom {
    /// A template of the organisation.
    Template(TemplateId),
    /// The call itself.
    Call(Settings),
}

/// Settings to change; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
pub struct SettingsChange {
    /// See [`Settings`].
    pub campaign_type: Option<String>,
    /// See [`Settings`].
    pub goal: Option<Goal>,
    /// See [`Settings`].
    pub channel: Option<Channel>,
    /// See [`Settings`].
    pub ctr_sensitivity: Option<bool>,
    /// See [`Settings`].
    pub analysis_level: Option<AnalysisLevel>,
}

impl Campaigns<'_> {
    /// Makes a campaign, pending.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name, or settings that no recipe serves.
    pub async fn create(
        &self,
        caller: &Caller,
        name: &str,
        settings: SettingsFrom,
    ) -> Result<CampaignDetails> {
        let name = checked_name(name, "name")?.to_owned();
        let db = self.0.store().db();
        let (settings, template_id) = match settings {
            SettingsFrom::Template(id) => {
                let template = stored_templates::by_id(db, caller.reads(), id).await?;
                let template = template
                    .ok_or_else(|| Error::invalid("template_id", "there is no template with this id"))?;
                (template.settings(), Some(id))
            }
            SettingsFrom::Call(settings) => (settings, None),
        };
        check_supported(&*self.0.recipes().book(caller.user.organization_id).await?, &settings)?;
        let new = NewCampaign {
            organization_id: caller.user.organization_id,
            user_id: caller.user.id,
            name,
            settings,
            template_id,
        };
        let campaign = campaigns::create(db, new, self.0.now()).await?;
        Ok(CampaignDetails { campaign, file: None, current_run: None })
    }

    /// The settings with what their recipe scores, for a call that does not say it: vendors on CTV, sites elsewhere.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn with_usual_level(&self, caller: &Caller, settings: Settings) -> Result<Settings> {
        let book = self.0.recipes().book(caller.user.organization_id).await?;
        let (channel, goal) = (engine_channel(settings.channel), engine_goal(settings.goal));
        let found = book.find(&settings.campaign_type, channel, goal, settings.ctr_sensitivity);
        let analysis_level = match found.map(|recipe| recipe.dimension) {
            Ok(recipe::Dimension::SupplyVendor) => AnalysisLevel::SupplyVendor,
            Ok(recipe::Dimension::Domain) => AnalysisLevel::Domain,
            // What is not supported is refused where it is used.
            Err(_) => settings.analysis_level,
        };
        Ok(Settings { analysis_level, ..settings })
    }

    /// Campaigns, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &Filter,
        window: Window,
    ) -> Result<Page<CampaignDetails>> {
        let db = self.0.store().db();
        let page = campaigns::list(db, caller.reads(), filter, window).await?;
        let ids: Vec<CampaignId> = page.rows.iter().map(|campaign| campaign.id).collect();
        let current: Vec<_> = page.rows.iter().filter_map(|campaign| campaign.current_run_id).collect();
        let files = uploads::of_campaigns(db, &ids).await?;
        let runs = runs::by_ids(db, &current).await?;
        let details = |campaign: Campaign| CampaignDetails {
            file: files.iter().find(|file| file.campaign_id == Some(campaign.id)).cloned(),
            current_run: runs.iter().find(|run| Some(run.id) == campaign.current_run_id).cloned(),
            campaign,
        };
        Ok(Page { rows: page.rows.into_iter().map(details).collect(), total: page.total })
    }

    /// What campaigns are called, of those that the caller may see.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn names(&self, caller: &Caller, ids: &[CampaignId]) -> Result<HashMap<CampaignId, String>> {
        let named = campaigns::names(self.0.store().db(), caller.reads(), ids.iter().copied()).await?;
        Ok(named.into_iter().collect())
    }

    /// One campaign.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get(&self, caller: &Caller, id: CampaignId) -> Result<CampaignDetails> {
        let found = campaigns::by_id(self.0.store().db(), caller.reads(), id).await?;
        self.details(found.ok_or_else(missing)?).await
    }

    async fn details(&self, campaign: Campaign) -> Result<CampaignDetails> {
        let db = self.0.store().db();
        let file = uploads::of_campaign(db, campaign.id).await?;
        let current_run = match campaign.current_run_id {
            Some(run) => runs::by_id(db, campaign.id, run).await?,
            None => None,
        };
        Ok(CampaignDetails { campaign, file, current_run })
    }

    /// Changes the name, or while it is pending or failed the settings.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`].
    pub async fn update(
        &self,
        caller: &Caller,
        id: CampaignId,
        name: Option<String>,
        change: SettingsChange,
    ) -> Result<CampaignDetails> {
        let db = self.0.store().db();
        let name = name.map(|name| checked_name(&name, "name").map(str::to_owned)).transpose()?;
        let campaign = campaigns::by_id(db, caller.writes(), id).await?.ok_or_else(missing)?;
        let settings = change.applied_to(&campaign.settings());
        if let Some(settings) = &settings {
            check_supported(&*self.0.recipes().book(campaign.organization_id).await?, settings)?;
        }
        let change = CampaignChange { name, settings };
        match campaigns::update(db, caller.writes(), id, change, self.0.now()).await? {
            Attempt::Done(campaign) => self.details(campaign).await,
            Attempt::Missing => Err(missing()),
            Attempt::Refused(campaign) => Err(Error::conflict(
                Conflict::WrongState,
                format!(
                    "settings change while a campaign is pending or failed, and this one is {}",
                    campaign.status
                ),
            )),
        }
    }

    /// What a worker elsewhere says of a campaign: a status to go to.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] where the step is not legal or a run of ours is under way.
    pub async fn set_status(
        &self,
        caller: &Caller,
        id: CampaignId,
        status: CampaignStatus,
        message: Option<String>,
    ) -> Result<CampaignDetails> {
        self.set_outside(caller, id, Some((status, message)), None).await
    }

    /// What a worker elsewhere says of a campaign: how far it is.
    ///
    /// # Errors
    /// As [`Self::set_status`].
    pub async fn set_progress(
        &self,
        caller: &Caller,
        id: CampaignId,
        progress: &Progress,
    ) -> Result<CampaignDetails> {
        self.set_outside(caller, id, None, Some(progress)).await
    }

    async fn set_outside(
        &self,
        caller: &Caller,
        id: CampaignId,
        status: Option<(CampaignStatus, Option<String>)>,
        progress: Option<&Progress>,
    ) -> Result<CampaignDetails> {
        let asked = status.as_ref().map(|(status, _)| *status);
        let db = self.0.store().db();
        match campaigns::set_outside(db, caller.writes(), id, status, progress, self.0.now()).await? {
            Attempt::Done(campaign) => self.details(campaign).await,
            Attempt::Missing => Err(missing()),
            Attempt::Refused(campaign) => {
                Err(Error::conflict(Conflict::WrongState, not_outside(&campaign, asked)))
            }
        }
    }

    /// Deletes a campaign, its report and its results. One that is completed only if `force`d.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`].
    pub async fn delete(&self, caller: &Caller, id: CampaignId, force: bool) -> Result<()> {
        let txn = self.0.store().begin().await?;
        match campaigns::delete(&txn, caller.writes(), id, force).await? {
            Attempt::Missing => Err(missing()),
            Attempt::Refused(campaign) if campaign.status == CampaignStatus::Completed => {
                Err(Error::conflict(
                    Conflict::WrongState,
                    "the campaign is completed; give force=true to delete its results with it",
                ))
            }
            Attempt::Refused(_) => Err(Error::conflict(
                Conflict::WrongState,
                "the campaign is being scored; wait, or cancel it first",
            )),
            Attempt::Done(files) => {
                txn.commit().await?;
                for key in &files {
                    self.0.discard(key).await;
                }
                self.0.discard_all(&format!("campaigns/{id}/")).await;
                Ok(())
            }
        }
    }
}

impl SettingsChange {
    /// The settings with the change made; `None` where nothing is to change.
    fn applied_to(self, settings: &Settings) -> Option<Settings> {
        let changed = Settings {
            campaign_type: self.campaign_type.unwrap_or_else(|| settings.campaign_type.clone()),
            goal: self.goal.unwrap_or(settings.goal),
            channel: self.channel.unwrap_or(settings.channel),
            ctr_sensitivity: self.ctr_sensitivity.unwrap_or(settings.ctr_sensitivity),
            analysis_level: self.analysis_level.unwrap_or(settings.analysis_level),
        };
        (changed != *settings).then_some(changed)
    }
}

fn not_outside(campaign: &Campaign, asked: Option<CampaignStatus>) -> String {
    if campaign.active_run_id.is_some() {
        return "a run of ours is under way; it reports its progress itself".to_owned();
    }
    match asked {
        Some(CampaignStatus::Completed) if campaign.current_run_id.is_none() => {
            "a campaign without results cannot be completed; score it".to_owned()
        }
        Some(status) => format!("a campaign that is {} cannot become {}", campaign.status, status),
        None => format!("the campaign is {}, not processing", campaign.status),
    }
}

pub(crate) fn missing() -> Error {
    Error::not_found("campaign")
}

/// Refuses settings that no recipe serves, and says which are.
pub(crate) fn check_supported(book: &RecipeBook, settings: &Settings) -> Result<()> {
    let (channel, goal) = (engine_channel(settings.channel), engine_goal(settings.goal));
    match book.find(&settings.campaign_type, channel, goal, settings.ctr_sensitivity) {
        Ok(_) => Ok(()),
        // Which of several is settled at the start, by its name.
        Err(error) if error.code == caliber_engine::Code::SeveralRecipes => Ok(()),
        Err(error) => Err(Error::invalid("campaign_type", told(&error))),
    }
}

/// The engine's word for a channel.
pub(crate) fn engine_channel(channel: Channel) -> recipe::Channel {
    match channel {
        Channel::Ctv => recipe::Channel::Ctv,
        Channel::Display => recipe::Channel::Display,
        Channel::Video => recipe::Channel::Video,
        Channel::Audio => recipe::Channel::Audio,
    }
}

/// The engine's word for a goal.
pub(crate) fn engine_goal(goal: Goal) -> recipe::Goal {
    match goal {
        Goal::Awareness => recipe::Goal::Awareness,
        Goal::Action => recipe::Goal::Action,
    }
}

/// The engine's word for what is scored.
pub(crate) fn engine_dimension(level: AnalysisLevel) -> recipe::Dimension {
    match level {
        AnalysisLevel::Domain => recipe::Dimension::Domain,
        AnalysisLevel::SupplyVendor => recipe::Dimension::SupplyVendor,
    }
}
