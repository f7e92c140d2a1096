//! The closed words of the contract, with their schemas, and what the platform calls them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Defines words as the API writes them, and converts them from and to the platform's.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident = $theirs:path { $($(#[$attribute:meta])* $word:ident),* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $(#[doc = stringify!($word)] $(#[$attribute])* $word),* }

        impl From<$theirs> for $name {
            fn from(theirs: $theirs) -> Self {
                use $theirs as Theirs;
                match theirs { $(Theirs::$word => Self::$word),* }
            }
        }

        impl From<$name> for $theirs {
            fn from(ours: $name) -> Self {
                match ours { $($name::$word => Self::$word),* }
            }
        }
    )*};
}

words! {
    /// What somebody may: viewer < analyst < manager < admin; client and expert are of the review desk.
    Role = caliber_platform::identity::permissions::Role { Viewer, Analyst, Manager, Admin, Client, Expert }
    /// What a campaign is after.
    Goal = caliber_platform::campaigns::Goal { Awareness, Action }
    /// Where its ads run.
    Channel = caliber_platform::campaigns::Channel { Ctv, Display, Video, Audio }
    /// What is scored.
    #[derive(Default)]
    AnalysisLevel = caliber_platform::campaigns::AnalysisLevel { #[default] Domain, SupplyVendor }
    /// How far a campaign is.
    CampaignStatus = caliber_platform::campaigns::CampaignStatus { Pending, Processing, Completed, Failed }
    /// How far a report's file is.
    UploadStatus = caliber_platform::uploads::UploadStatus { Uploaded, Assigned, Validated, Rejected }
    /// How metrics are brought to one scale.
    Normalization = caliber_platform::scoring::Normalization { Minmax, Winsorized, Rank, Shrunk }
    /// What plain numbers of a rate mean: `percent` is 0 to 100, `fraction` 0 to 1.
    Scale = caliber_platform::scoring::Scale { Percent, Fraction }
    /// How rows get on the lists: the worst and best share by score, or what of it the counts prove.
    ListPolicy = caliber_platform::results::ListPolicy { Quartile, Evidence }
    /// What the evidence asks of a row.
    Decision = caliber_platform::results::Decision { Block, Allow, Watch }
    /// Something suspicious about a row, beside its score.
    Pattern = caliber_platform::results::Pattern { MfaPattern, ClickSurge }
    /// The band of a row's percentile.
    QualityStatus = caliber_platform::results::Status { Good, Moderate, Poor }
    /// How far a job is.
    JobState = caliber_platform::jobs::JobState { Queued, Running, Completed, Failed, Cancelled }
    /// How far an export is.
    ExportStatus = caliber_platform::exports::ExportStatus { Pending, Processing, Completed, Failed }
    /// Which workers take a job.
    Queue = caliber_platform::jobs::Queue { Scoring, Exports, Maintenance, Monitoring, Notifications }
}
