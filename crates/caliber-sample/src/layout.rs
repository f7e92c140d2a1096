//! Report layouts: which headers a platform writes for a channel, and what fills each. They are data,
//! one file each in `layouts/`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::SampleError;

/// How a report writes a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DateStyle {
    /// 2025-09-17
    Iso,
    /// 2025/09/17
    Slashed,
    /// 17/09/2025
    DayFirst,
    /// 09/17/2025
    MonthFirst,
}

/// How a report writes a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RateStyle {
    /// 0.571234
    Fraction,
    /// 57.1234%
    Percent,
    /// 57.1234, under a header that says `(%)`. Only a mess plants it.
    #[serde(skip)]
    BarePercent,
}

/// A true rate of a site, and a column of the truth file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rate {
    /// Cost per thousand impressions.
    Cpm,
    /// Clicks per impression.
    Ctr,
    /// Viewed per measured impression.
    Viewability,
    /// Impressions under an excessive ad load, per impression.
    AdLoad,
    /// Impressions refreshed below 15 s, per impression.
    AdRefresh,
    /// Conversions per impression.
    #[serde(rename = "conversion_rate")]
    Conversion,
    /// Completed views per start.
    Completion,
    /// Player errors per impression.
    #[serde(rename = "error_rate")]
    Error,
    /// Mutes per impression.
    #[serde(rename = "mute_rate")]
    Mute,
    /// TV quality index per measured impression.
    TvQuality,
    /// Unique ids per impression.
    UniqueRatio,
}

impl Rate {
    /// All of them, in the order of the truth file.
    pub(crate) const ALL: [Self; 11] = [
        Self::Cpm,
        Self::Ctr,
        Self::Viewability,
        Self::AdLoad,
        Self::AdRefresh,
        Self::Conversion,
        Self::Completion,
        Self::Error,
        Self::Mute,
        Self::TvQuality,
        Self::UniqueRatio,
    ];

    /// The name of its truth column without the `true_` before it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpm => "cpm",
            Self::Ctr => "ctr",
            Self::Viewability => "viewability",
            Self::AdLoad => "ad_load",
            Self::AdRefresh => "ad_refresh",
            Self::Conversion => "conversion_rate",
            Self::Completion => "completion",
            Self::Error => "error_rate",
            Self::Mute => "mute_rate",
            Self::TvQuality => "tv_quality",
            Self::UniqueRatio => "unique_ratio",
        }
    }
}

/// What fills a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fill {
    Date,
    Advertiser,
    Campaign,
    AdGroup,
    Creative,
    Site,
    SupplyVendor,
    AppName,
    Device,
    Country,
    Deal,
    Currency,
    MediaType,
    Browser,
    OperatingSystem,
    Bids,
    Impressions,
    Clicks,
    Conversions,
    Measured,
    Viewed,
    AdLoad,
    AdRefresh,
    Starts,
    Completed,
    Errors,
    Mutes,
    TvMeasured,
    UniqueIds,
    TvIndex,
    Spend,
    DataCost,
    MaxBid,
    Cpm,
    Ctr,
    InViewRate,
    ConversionRate,
    CompletionRate,
    WinRate,
    Frequency,
    /// One of three pixels that sum to the conversions: 1, 2, 3. Only a mess plants it.
    #[serde(skip)]
    Pixel(u8),
    /// The spend in another currency, in percent of it. Only a mess plants it.
    #[serde(skip)]
    OtherMoney(u8),
}

/// The type of a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Date,
    Text,
    /// Whole numbers.
    Count,
    /// Decimals: money, rates, indexes.
    Number,
}

impl Fill {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Date => Kind::Date,
            fill if fill.is_label() => Kind::Text,
            Self::TvIndex
            | Self::Spend
            | Self::OtherMoney(_)
            | Self::DataCost
            | Self::MaxBid
            | Self::Cpm
            | Self::Ctr
            | Self::InViewRate
            | Self::ConversionRate
            | Self::CompletionRate
            | Self::WinRate
            | Self::Frequency => Kind::Number,
            _ => Kind::Count,
        }
    }

    /// Whether it is money, per thousand or not.
    pub(crate) fn is_money(self) -> bool {
        matches!(self, Self::Spend | Self::OtherMoney(_) | Self::DataCost | Self::MaxBid | Self::Cpm)
    }

    /// Whether it is a share.
    pub(crate) fn is_rate(self) -> bool {
        matches!(
            self,
            Self::Ctr | Self::InViewRate | Self::ConversionRate | Self::CompletionRate | Self::WinRate
        )
    }

    /// Whether no score ever needs it, so that a mess may spoil it and the scores stay.
    pub(crate) fn is_spare(self) -> bool {
        self.is_label() && !matches!(self, Self::Site | Self::SupplyVendor | Self::Currency | Self::Campaign)
            || matches!(
                self,
                Self::Bids
                    | Self::DataCost
                    | Self::MaxBid
                    | Self::WinRate
                    | Self::Frequency
                    | Self::OtherMoney(_)
            )
    }

    /// Whether it is a label other than the date.
    pub(crate) fn is_label(self) -> bool {
        matches!(
            self,
            Self::Advertiser
                | Self::Campaign
                | Self::AdGroup
                | Self::Creative
                | Self::Site
                | Self::SupplyVendor
                | Self::AppName
                | Self::Device
                | Self::Country
                | Self::Deal
                | Self::Currency
                | Self::MediaType
                | Self::Browser
                | Self::OperatingSystem
        )
    }
}

/// A column of a report.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "(String, Fill)")]
pub(crate) struct Column {
    pub(crate) header: String,
    pub(crate) fill: Fill,
}

impl From<(String, Fill)> for Column {
    fn from((header, fill): (String, Fill)) -> Self {
        Self { header, fill }
    }
}

/// The report of one platform and channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layout {
    /// What is scored: `site` or `supply_vendor`.
    pub(crate) dimension: Fill,
    /// What some exports of the platform put before each header.
    pub(crate) header_prefix: String,
    pub(crate) dates: DateStyle,
    pub(crate) rates: RateStyle,
    pub(crate) media_type: String,
    pub(crate) columns: Vec<Column>,
    /// The rates of a normal site.
    pub(crate) typical: BTreeMap<Rate, f64>,
}

impl Layout {
    /// Whether sites have this rate.
    pub(crate) fn has_rate(&self, rate: Rate) -> bool {
        self.typical.contains_key(&rate)
    }
}

/// Platform, channel, and the file that describes their report.
const LAYOUTS: [(&str, &str, &str); 9] = [
    ("trade_desk", "display", include_str!("../layouts/trade_desk-display.toml")),
    ("trade_desk", "video", include_str!("../layouts/trade_desk-video.toml")),
    ("trade_desk", "audio", include_str!("../layouts/trade_desk-audio.toml")),
    ("trade_desk", "ctv", include_str!("../layouts/trade_desk-ctv.toml")),
    ("pulsepoint", "display", include_str!("../layouts/pulsepoint-display.toml")),
    ("pulsepoint", "video", include_str!("../layouts/pulsepoint-video.toml")),
    ("dv360", "display", include_str!("../layouts/dv360-display.toml")),
    ("dv360", "video", include_str!("../layouts/dv360-video.toml")),
    ("generic", "display", include_str!("../layouts/generic-display.toml")),
];

/// The platforms there is a report of, without repeats.
pub fn platforms() -> Vec<&'static str> {
    let mut names: Vec<_> = LAYOUTS.iter().map(|layout| layout.0).collect();
    names.dedup();
    names
}

/// The channels there is a report of for `platform`; none for an unknown platform.
pub fn channels(platform: &str) -> Vec<&'static str> {
    LAYOUTS.iter().filter(|layout| layout.0 == platform).map(|layout| layout.1).collect()
}

/// The layout of a platform and channel.
pub(crate) fn find(platform: &str, channel: &str) -> Result<Layout, SampleError> {
    let text = LAYOUTS.iter().find(|layout| layout.0 == platform && layout.1 == channel);
    let Some((_, _, text)) = text else {
        let known = LAYOUTS.iter().map(|layout| format!("{} {}", layout.0, layout.1)).collect::<Vec<_>>();
        return Err(SampleError::UnknownLayout {
            platform: platform.into(),
            channel: channel.into(),
            known: known.join(", "),
        });
    };
    toml::from_str(text).map_err(|source| SampleError::Layout {
        platform: platform.into(),
        channel: channel.into(),
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_whole() {
        for (platform, channel, _) in LAYOUTS {
            let layout = find(platform, channel).unwrap();
            for fill in [layout.dimension, Fill::Date, Fill::Impressions, Fill::Spend, Fill::Conversions] {
                assert!(
                    layout.columns.iter().any(|column| column.fill == fill),
                    "{platform} {channel} lacks {fill:?}"
                );
            }
            // Ragged rows lose their last two cells.
            assert!(
                layout.columns.iter().rev().take(2).all(|column| column.fill.is_spare()),
                "{platform} {channel}"
            );
        }
    }

    #[test]
    fn an_unknown_layout_names_the_known_ones() {
        let error = find("pulsepoint", "ctv").unwrap_err();
        assert!(error.to_string().contains("platform `pulsepoint` and channel `ctv`"), "{error}");
        assert!(error.help().unwrap().contains("pulsepoint video"), "{:?}", error.help());
    }
}
