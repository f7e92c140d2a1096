//! Lists taken out of a campaign's results, kept as versions, and names allowed, blocked and protected by hand.

use std::collections::BTreeSet;

use bytes::Bytes;
use caliber_store::campaigns::{self, Campaign};
use caliber_store::list_versions::{self, NewListVersion};
use chrono::{DateTime, Utc};

pub use caliber_store::list_versions::ListVersion;
use caliber_store::runs::{self, Run};
use caliber_store::{CampaignId, Page, Reach, UserId, Window, organizations, to_microseconds};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Platform;
use crate::campaigns::missing;
use crate::current_results::CurrentRun;
use crate::error::{Error, Result};
use crate::identity::{Caller, checked_name};
use crate::results::{BY_HAND, List, ListPolicy, ListRequest, ListRow, ListRule, ListType};
use crate::scoring::RunConfig;

/// Names that may be given by hand, of each kind.
const MOST_BY_HAND: usize = 10_000;

/// The use cases of lists.
#[derive(Clone, Copy, Debug)]
pub struct ListsOf<'a>(pub(crate) &'a Platform);

/// How a list is to be made; the run's own way where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListOptions {
    /// The least impressions of a candidate.
    pub min_impressions: Option<u64>,
    /// The share of the candidates.
    pub share: Option<f64>,
    /// How rows get on it.
    pub policy: Option<ListPolicy>,
    /// When the list should be made anew; noted in its version.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Names by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// Always on the allowlist, never on the blocklist.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Always on the blocklist, never on the allowlist.
    #[serde(default)]
    pub block: Vec<String>,
    /// Never on the blocklist.
    #[serde(default)]
    pub protect: Vec<String>,
}

/// A version with its names, and what changed since the one before.
#[derive(Clone, Debug)]
pub struct VersionDetails {
    /// The version.
    pub version: ListVersion,
    /// Who took it out.
    pub author: Option<String>,
    /// Its names, in list order.
    pub names: Vec<String>,
    /// Names that the version before did not have.
    pub added: Vec<String>,
    /// Names that only the version before had.
    pub removed: Vec<String>,
    /// Names that somebody put on it, whatever the rule said.
    pub by_hand: Vec<String>,
}

/// What the run of a version found of its names.
#[derive(Clone, Debug)]
pub struct VersionRows {
    /// The rows, in list order.
    pub rows: Vec<ListRow>,
    /// The run that the version was taken out of.
    pub run: Run,
}

/// How a version's names are stored.
#[derive(Serialize, Deserialize)]
struct StoredNames {
    names: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
    #[serde(default)]
    by_hand: Vec<String>,
}

/// What somebody decides about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Always on the allowlist.
    Allow,
    /// Always on the blocklist.
    Block,
    /// Never on the blocklist.
    Protect,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Block, Self::Protect];

    /// The word in forms: `allow`, `block`, `protect`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Protect => "protect",
        }
    }

    /// The mark of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.name() == word)
    }
}

/// Both lists as they would be.
#[derive(Clone, Debug)]
pub struct Drafts {
    /// What to buy.
    pub allow: Draft,
    /// What to block.
    pub block: Draft,
}

/// A list as it would be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Itself.
    pub list: List,
    /// What differs from the one that was taken out last; nothing where none was.
    pub change: Option<Change>,
}

/// What differs between a list and the version that was taken out last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of that version.
    pub since: i64,
    /// Names that it does not have.
    pub added: usize,
    /// Names that only it has.
    pub removed: usize,
}

impl Overrides {
    /// Those of a campaign.
    pub fn of(campaign: &Campaign) -> Self {
        serde_json::from_value(campaign.overrides.0.clone()).unwrap_or_default()
    }

    fn of_mark(&mut self, mark: Mark) -> &mut Vec<String> {
        match mark {
            Mark::Allow => &mut self.allow,
            Mark::Block => &mut self.block,
            Mark::Protect => &mut self.protect,
        }
    }

    /// As they are stored; refused where there are too many, or a name is both allowed and blocked.
    fn checked(&self) -> Result<serde_json::Value> {
        for (field, names) in [("allow", &self.allow), ("block", &self.block), ("protect", &self.protect)] {
            if names.len() > MOST_BY_HAND {
                return Err(Error::invalid(field, format!("has at most {MOST_BY_HAND} names")));
            }
            for (at, name) in names.iter().enumerate() {
                checked_name(name, &format!("{field}[{at}]"))?;
            }
        }
        let kept =
            |names: &Vec<String>| names.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>();
        let blocked = kept(&self.block);
        for (field, names) in [("allow", &self.allow), ("protect", &self.protect)] {
            if let Some(both) = kept(names).intersection(&blocked).next() {
                return Err(Error::invalid(field, format!("{both} cannot be blocked at the same time")));
            }
        }
        serde_json::to_value(self).map_err(Error::internal)
    }
}

impl ListsOf<'_> {
    /// Takes a list out of the results that the campaign shows, and keeps it as a version where it differs from the last.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] where nothing is scored, [`Error::Invalid`].
    pub async fn take_out(
        &self,
        caller: &Caller,
        id: CampaignId,
        list_type: ListType,
        options: ListOptions,
    ) -> Result<List> {
        let CurrentRun { campaign, run } = self.0.current_results().current(caller, id).await?;
        self.check(&options)?;
        let list = self.of_run(&campaign, &run, list_type, options).await?;
        self.keep(Some(caller.user.id), &campaign, run.id, &list, options.expires_at).await?;
        Ok(list)
    }

    /// Refuses options that no list can be made by.
    pub(crate) fn check(self, options: &ListOptions) -> Result<()> {
        if options.share.is_some_and(|share| !(share > 0.0 && share <= 0.5)) {
            return Err(Error::invalid("share", "it is a number above 0 and up to 0.5"));
        }
        if options.expires_at.is_some_and(|at| at <= self.0.now()) {
            return Err(Error::invalid("expires_at", "it is a time to come"));
        }
        Ok(())
    }

    /// A list of the results of a run, kept nowhere.
    pub(crate) async fn of_run(
        &self,
        campaign: &Campaign,
        run: &Run,
        list_type: ListType,
        options: ListOptions,
    ) -> Result<List> {
        let table = self.0.current_results().table(run).await?;
        let config: RunConfig = serde_json::from_value(run.config.0.clone()).map_err(Error::internal)?;
        let Overrides { allow, block, .. } = Overrides::of(campaign);
        let (added, removed) = match list_type {
            ListType::Whitelist => (allow, block),
            ListType::Blacklist => (block, allow),
        };
        let request = ListRequest {
            campaign_id: campaign.id.to_string(),
            list_type,
            rule: ListRule {
                policy: options.policy.unwrap_or(config.list_policy),
                share: options.share.unwrap_or(config.list_share),
                ..ListRule::default()
            },
            min_impressions: options.min_impressions.map_or_else(|| least_of(run), |least| least as f64),
            protected: self.protected(campaign).await?,
            added,
            removed,
        };
        tokio::task::spawn_blocking(move || table.list(&request))
            .await
            .map_err(Error::internal)?
            .map_err(|error| Error::invalid(error.field, error.message))
    }

    /// Both lists as they would be, kept nowhere: for somebody who is trying thresholds.
    ///
    /// # Errors
    /// As [`ListsOf::take_out`].
    pub async fn drafts(&self, caller: &Caller, id: CampaignId, options: ListOptions) -> Result<Drafts> {
        let CurrentRun { campaign, run } = self.0.current_results().current(caller, id).await?;
        let of = |list_type| self.draft(&campaign, &run, list_type, options);
        let (allow, block) = tokio::try_join!(of(ListType::Whitelist), of(ListType::Blacklist))?;
        Ok(Drafts { allow, block })
    }

    async fn draft(
        &self,
        campaign: &Campaign,
        run: &Run,
        list_type: ListType,
        options: ListOptions,
    ) -> Result<Draft> {
        let list = self.of_run(campaign, run, list_type, options).await?;
        let change = self.change_since_last(campaign.id, &list).await?;
        Ok(Draft { list, change })
    }

    async fn change_since_last(&self, campaign: CampaignId, list: &List) -> Result<Option<Change>> {
        let db = self.0.store().db();
        let Some(newest) = list_versions::latest(db, campaign, stored(list.list_type)).await? else {
            return Ok(None);
        };
        let before = self.names(&newest).await?.names;
        let (was, is): (BTreeSet<&String>, BTreeSet<&String>) =
            (before.iter().collect(), list.domains.iter().collect());
        let (added, removed) = (is.difference(&was).count(), was.difference(&is).count());
        Ok(Some(Change { since: newest.number, added, removed }))
    }

    /// Names that are never blocked: the organisation's, and the campaign's.
    pub(crate) async fn protected(&self, campaign: &Campaign) -> Result<Vec<String>> {
        let reach = Reach::organization(campaign.organization_id);
        let organization = organizations::by_id(self.0.store().db(), reach, campaign.organization_id).await?;
        let mut names: Vec<String> = organization
            .and_then(|organization| serde_json::from_value(organization.protected_names.0).ok())
            .unwrap_or_default();
        let Overrides { protect, .. } = Overrides::of(campaign);
        names.extend(protect);
        Ok(names)
    }

    /// Keeps the list as the next version, unless it is the last one again.
    pub(crate) async fn keep(
        &self,
        author: Option<UserId>,
        campaign: &Campaign,
        run: caliber_store::RunId,
        list: &List,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let list_type = stored(list.list_type);
        let expires_at = expires_at.map(to_microseconds);
        let criteria = serde_json::to_value(&list.criteria_used).map_err(Error::internal)?;
        let latest = list_versions::latest(self.0.store().db(), campaign.id, list_type).await?;
        let before = match &latest {
            Some(latest) if latest.run_id == run && *latest.criteria == criteria => {
                let before = self.names(latest).await?;
                let is_same_end = expires_at.is_none() || expires_at == latest.expires_at;
                if before.names == list.domains && is_same_end {
                    return Ok(());
                }
                before.names
            }
            Some(latest) => self.names(latest).await?.names,
            None => Vec::new(),
        };
        let (was, is): (BTreeSet<&String>, BTreeSet<&String>) =
            (before.iter().collect(), list.domains.iter().collect());
        let names = StoredNames {
            added: list.domains.iter().filter(|name| !was.contains(name)).cloned().collect(),
            removed: before.iter().filter(|name| !is.contains(name)).cloned().collect(),
            by_hand: list
                .rows
                .iter()
                .filter(|row| row.reason == BY_HAND)
                .map(|row| row.name.clone())
                .collect(),
            names: list.domains.clone(),
        };
        let now = self.0.now();
        let key = format!("campaigns/{}/lists/{}.json", campaign.id, Uuid::now_v7());
        let version = NewListVersion {
            campaign_id: campaign.id,
            run_id: run,
            list_type,
            author_id: author,
            policy: list.criteria_used.policy.name().to_owned(),
            criteria,
            names_key: key.clone(),
            names_count: count(&names.names),
            added: count(&names.added),
            removed: count(&names.removed),
            expires_at,
        };
        let bytes = serde_json::to_vec(&names).map_err(Error::internal)?;
        self.0.objects().put_bytes(&key, Bytes::from(bytes)).await?;
        let txn = self.0.store().begin().await?;
        let kept = list_versions::create(&txn, version, now).await?;
        txn.commit().await?;
        if kept.is_none() {
            self.0.discard(&key).await;
            return Err(missing());
        }
        Ok(())
    }

    /// The versions of a campaign's lists, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn versions(
        &self,
        caller: &Caller,
        id: CampaignId,
        window: Window,
    ) -> Result<Page<ListVersion>> {
        let db = self.0.store().db();
        campaigns::by_id(db, caller.reads(), id).await?.ok_or_else(missing)?;
        Ok(list_versions::list(db, id, window).await?)
    }

    /// One version, with its names.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn version(&self, caller: &Caller, id: CampaignId, number: i64) -> Result<VersionDetails> {
        let db = self.0.store().db();
        campaigns::by_id(db, caller.reads(), id).await?.ok_or_else(missing)?;
        let gone = || Error::NotFound("the campaign has no list version of this number".to_owned());
        let version = list_versions::by_number(db, id, number).await?.ok_or_else(gone)?;
        let StoredNames { names, added, removed, by_hand } = self.names(&version).await?;
        let author = match version.author_id {
            Some(author) => {
                caliber_store::users::by_id(db, Reach::INSTANCE, author).await?.map(|user| user.name)
            }
            None => None,
        };
        Ok(VersionDetails { version, author, names, added, removed, by_hand })
    }

    /// What the run of a version found of its first `most` names.
    ///
    /// # Errors
    /// [`Error::NotFound`] where its campaign was deleted meanwhile, and those of the storage.
    pub async fn rows_of_version(&self, details: &VersionDetails, most: usize) -> Result<VersionRows> {
        let version = &details.version;
        let found = runs::by_id(self.0.store().db(), version.campaign_id, version.run_id).await?;
        let run = found.ok_or_else(missing)?;
        let table = self.0.current_results().table(&run).await?;
        let (list_type, policy) = (ListType::from(version.list_type), ListPolicy::of(&version.policy));
        let names: Vec<String> = details.names.iter().take(most).cloned().collect();
        let by_hand = details.by_hand.clone();
        let rows = tokio::task::spawn_blocking(move || {
            table.rows_of_list(list_type, policy.unwrap_or_default(), &names, &by_hand)
        });
        Ok(VersionRows { rows: rows.await.map_err(Error::internal)?, run })
    }

    /// The newest version of each list of these campaigns, of those that the caller may see.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn newest(&self, caller: &Caller, campaigns: &[CampaignId]) -> Result<Vec<ListVersion>> {
        Ok(list_versions::latest_of_campaigns(self.0.store().db(), caller.reads(), campaigns).await?)
    }

    async fn names(&self, version: &ListVersion) -> Result<StoredNames> {
        let bytes = self.0.objects().get_bytes(&version.names_key).await?;
        serde_json::from_slice(&bytes).map_err(Error::internal)
    }

    /// Decides about names by hand, whatever was decided about them before; without a mark the rule decides again. What
    /// others decide about other names at the same time stays.
    ///
    /// # Errors
    /// As [`ListsOf::set_overrides`].
    pub async fn mark(
        &self,
        caller: &Caller,
        id: CampaignId,
        names: &[String],
        mark: Option<Mark>,
    ) -> Result<Overrides> {
        let marked_names: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let txn = self.0.store().begin().await?;
        let campaign = campaigns::lock(&txn, caller.writes(), id).await?.ok_or_else(missing)?;
        let mut overrides = Overrides::of(&campaign);
        for kind in Mark::ALL {
            let marked = overrides.of_mark(kind);
            marked.retain(|name| !marked_names.contains(&name.to_lowercase()));
            if mark == Some(kind) {
                marked.extend(names.iter().cloned());
            }
        }
        let stored = overrides.checked()?;
        let changed = campaigns::set_overrides(&txn, caller.writes(), id, stored, self.0.now()).await?;
        txn.commit().await?;
        changed.map(|campaign| Overrides::of(&campaign)).ok_or_else(missing)
    }

    /// Sets the names by hand, all of them at once.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for too many names, or one that is both allowed and blocked.
    pub async fn set_overrides(
        &self,
        caller: &Caller,
        id: CampaignId,
        overrides: Overrides,
    ) -> Result<Overrides> {
        let stored = overrides.checked()?;
        let db = self.0.store().db();
        let changed = campaigns::set_overrides(db, caller.writes(), id, stored, self.0.now()).await?;
        changed.map(|campaign| Overrides::of(&campaign)).ok_or_else(missing)
    }
}

impl From<list_versions::ListType> for ListType {
    fn from(stored: list_versions::ListType) -> Self {
        match stored {
            list_versions::ListType::Whitelist => Self::Whitelist,
            list_versions::ListType::Blacklist => Self::Blacklist,
        }
    }
}

fn count(names: &[String]) -> i64 {
    i64::try_from(names.len()).unwrap_or(i64::MAX)
}

/// The least impressions of a row that the run scored.
fn least_of(run: &Run) -> f64 {
    let summary = run.summary.as_deref();
    summary.and_then(|summary| summary["lists"]["min_impressions"].as_f64()).unwrap_or_default()
}

fn stored(list_type: ListType) -> list_versions::ListType {
    match list_type {
        ListType::Whitelist => list_versions::ListType::Whitelist,
        ListType::Blacklist => list_versions::ListType::Blacklist,
    }
}
