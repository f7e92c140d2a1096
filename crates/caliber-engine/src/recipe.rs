//! Recipes: which metrics make the score of a platform, channel and goal, and with what weight.

mod book;
mod parse;
mod recognition;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dictionary::Derived;
use crate::{Code, Error, Result};

pub use book::RecipeBook;
pub use recognition::{Asked, Candidate, Headers, Recognised, candidates, recognise};

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Sites and apps.
    Domain,
    /// Exchanges that sell the impressions.
    SupplyVendor,
}

impl Dimension {
    /// The canonical column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::SupplyVendor => "supply_vendor",
        }
    }
}

/// Which way a metric is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// Where a campaign runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Connected television.
    Ctv,
    /// Banners.
    Display,
    /// Video on the web and in apps.
    Video,
    /// Music and podcasts.
    Audio,
}

impl Channel {
    /// All of them, as they are listed to people.
    pub const ALL: [Self; 4] = [Self::Ctv, Self::Display, Self::Video, Self::Audio];

    /// The word: `ctv`, `display`, `video`, `audio`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ctv => "ctv",
            Self::Display => "display",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }

    /// The channel of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == word)
    }
}

/// What a campaign is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// To be seen.
    Awareness,
    /// To make people act.
    Action,
    /// In a recipe: both.
    Either,
}

impl Goal {
    /// The word: `awareness`, `action`, `either`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Awareness => "awareness",
            Self::Action => "action",
            Self::Either => "either",
        }
    }

    /// Whether a recipe for this goal serves a campaign with that one.
    pub fn serves(self, asked: Self) -> bool {
        self == asked || self == Self::Either || asked == Self::Either
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One metric of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightedMetric {
    /// Its name, canonical or derived.
    pub metric: String,
    /// Its share of the score, in (0, 1].
    pub weight: f64,
    /// Which way it is good.
    pub better: Better,
}

/// How the score of one platform, channel and goal is made.
///
/// Deserialised it is what `summary.json` holds, whole and checked when it was scored by; a recipe that somebody
/// wrote is read by [`Recipe::parse`], which checks its rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The version of the format: 1.
    pub version: u32,
    /// Its name, one of a kind: `trade_desk-display-awareness`.
    pub name: String,
    /// The DSP, any word: `trade_desk`.
    pub platform: String,
    /// The channels it serves, at least one.
    #[serde(rename = "channel", serialize_with = "one_or_many", deserialize_with = "one_or_several")]
    pub channels: Vec<Channel>,
    /// The goal it serves, or `either`.
    pub goal: Goal,
    /// Whether it is for campaigns that live by their click-through rate.
    pub ctr_sensitive: bool,
    /// What rows are grouped by, unless the call says otherwise.
    pub dimension: Dimension,
    /// The least impressions of a row that is scored.
    pub min_impressions: u64,
    /// The least share of the report's impressions, in 0..1, of a row that is scored.
    pub min_impression_share: f64,
    /// What the score is made of; the weights sum to 1.
    pub metrics: Vec<WeightedMetric>,
    /// Headers that its DSP uses: canonical column to headers, the preferred first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Vec<String>>,
    /// Metrics that it brings itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derived>,
}

impl Recipe {
    /// Whether it serves a channel.
    pub fn serves(&self, channel: Channel) -> bool {
        self.channels.contains(&channel)
    }

    /// The channel of a report of which only this recipe is known: `video` where several share it.
    pub fn usual_channel(&self) -> Channel {
        if self.serves(Channel::Video) { Channel::Video } else { self.channels[0] }
    }

    /// The recipe as a file of the form it is read from.
    ///
    /// # Errors
    /// `BadRecipe` where a value has no place in TOML, which a recipe that was read cannot have.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| {
            Error::new(Code::BadRecipe, format!("`{}` cannot be written", self.name)).caused_by(error)
        })
    }
}

fn one_or_many<S: Serializer>(channels: &[Channel], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match channels {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}

fn one_or_several<'de, D: Deserializer<'de>>(channels: D) -> std::result::Result<Vec<Channel>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Channels {
        One(Channel),
        Several(Vec<Channel>),
    }
    Ok(match Channels::deserialize(channels)? {
        Channels::One(one) => vec![one],
        Channels::Several(several) => several,
    })
}
