//! Templates: settings that campaigns are made from.

use caliber_store::campaigns::Settings;
use caliber_store::templates::{self, Template};
use caliber_store::{Attempt, Page, StoreError, TemplateId, Window};

use super::{Campaigns, check_supported};
use crate::error::{Conflict, Error, Result};
use crate::identity::{Caller, checked_name};

impl Campaigns<'_> {
    /// Makes a template.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name, or settings that no recipe serves.
    pub async fn create_template(&self, caller: &Caller, name: &str, settings: Settings) -> Result<Template> {
        let name = checked_name(name, "name")?;
        let organization = caller.user.organization_id;
        check_supported(&*self.0.recipes().book(organization).await?, &settings)?;
        let db = self.0.store().db();
        Ok(templates::create(db, organization, caller.user.id, name, settings, self.0.now()).await?)
    }

    /// Templates, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn templates(&self, caller: &Caller, window: Window) -> Result<Page<Template>> {
        Ok(templates::list(self.0.store().db(), caller.reads(), window).await?)
    }

    /// One template.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn template(&self, caller: &Caller, id: TemplateId) -> Result<Template> {
        let found = templates::by_id(self.0.store().db(), caller.reads(), id).await?;
        found.ok_or_else(|| Error::not_found("template"))
    }

    /// Deletes a template that no campaign was made from.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`].
    pub async fn delete_template(&self, caller: &Caller, id: TemplateId) -> Result<()> {
        let in_use =
            || Error::conflict(Conflict::InUse, "campaigns were made from this template; delete those first");
        match templates::delete(self.0.store().db(), caller.writes(), id).await {
            Ok(Attempt::Done(())) => Ok(()),
            Ok(Attempt::Missing) => Err(Error::not_found("template")),
            Ok(Attempt::Refused(_)) | Err(StoreError::Reference(_)) => Err(in_use()),
            Err(error) => Err(error.into()),
        }
    }
}
